// Checks that a key works: node first_call.mjs https://api-TENANT
//
// The key comes from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE, never from an argument.
import { Signer, signedFetch } from "cortexkey";

const call = signedFetch(Signer.fromEnv(), process.argv[2]);
const answer = await call("/api_keys/validate/", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: "{}",
});
console.log(answer.status, await answer.text());
process.exitCode = answer.ok ? 0 : 1;
