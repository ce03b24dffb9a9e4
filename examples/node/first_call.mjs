// Asks a tenant whether a key is good: node first_call.mjs URL
//
// The key comes from CORTEXKEY_API_KEY and CORTEXKEY_API_KEY_ID, never from an argument.
import { ADVANCED, Signer } from "./cortexkey.mjs";

const { CORTEXKEY_API_KEY: key, CORTEXKEY_API_KEY_ID: id } = process.env;
if (!key || !id) throw new Error("set CORTEXKEY_API_KEY and CORTEXKEY_API_KEY_ID");

const signer = new Signer(BigInt(id), ADVANCED, key);
const answer = await fetch(process.argv[2], {
  method: "POST",
  headers: { "content-type": "application/json", ...signer.headers() },
  body: "{}",
  redirect: "error", // another host must not get the headers
});
signer.close();
console.log(answer.status, await answer.text());
process.exitCode = answer.ok ? 0 : 1;
