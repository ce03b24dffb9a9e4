// Known answers, a comparison with Node's own SHA-256, misuse, and `signedFetch` with a server.
// CORTEXKEY_VECTORS names vectors/auth.json.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";

import { CortexkeyError, Signer, signedFetch } from "cortexkey";

const KEY = "k".repeat(128);
const NONCE = "0".repeat(64);
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

test("every signing vector holds", () => {
  const cases = JSON.parse(readFileSync(process.env.CORTEXKEY_VECTORS, "utf8")).signing;
  const levels = new Set();
  for (const { name, key_id: keyId, level, key, nonce, timestamp_ms: time, authorization } of cases) {
    levels.add(level);
    const signer = new Signer({ keyId, key, level });
    const expected = { "x-xdr-auth-id": String(keyId), authorization };
    if (level === "advanced") {
      Object.assign(expected, { "x-xdr-nonce": nonce, "x-xdr-timestamp": String(time) });
      assert.equal(authorization, sha256(key + nonce + time), name);
    }
    assert.deepEqual(level === "advanced" ? signer.headersAt(nonce, time) : signer.headers(), expected, name);
    signer.close();
  }
  assert.deepEqual(levels, new Set(["standard", "advanced"]));
});

test("new headers are what node says, and never the same", () => {
  const signer = new Signer({ keyId: 7, key: KEY });
  const before = Date.now();
  const nonces = new Set();
  const seen = new Set();
  for (let round = 0; round < 1000; round++) {
    const headers = signer.headers();
    const [nonce, time] = [headers["x-xdr-nonce"], headers["x-xdr-timestamp"]];
    assert.equal(headers.authorization, sha256(KEY + nonce + time));
    assert.match(nonce, /^[A-Za-z0-9]{64}$/);
    assert.ok(Number(time) >= before);
    nonces.add(nonce);
    for (const character of nonce) seen.add(character);
  }
  assert.deepEqual([nonces.size, seen.size], [1000, 62]);
});

function fails(code, call) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof CortexkeyError, inspect(error));
    assert.equal(error.code, code);
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(KEY));
    return true;
  });
}

test("ids that do not fit are refused, and neither rounded nor cut", () => {
  for (const keyId of [0, -1, 7.5, NaN, 2 ** 53, 2n ** 64n, 2n ** 64n + 7n, "7", true, null, undefined]) {
    fails("invalid-key-id", () => new Signer({ keyId, key: KEY }));
  }
  assert.equal(new Signer({ keyId: 2n ** 64n - 1n, key: KEY }).headers()["x-xdr-auth-id"], "18446744073709551615");
});

test("keys are visible ASCII of a bounded length", () => {
  for (const key of ["", `${KEY}\n`, `${KEY}\0`, `ä${KEY}`, `${KEY}\udc80`, "k".repeat(257), "k".repeat(1e6), null, 7]) {
    fails("invalid-key", () => new Signer({ keyId: 7, key }));
  }
  new Signer({ keyId: 7, key: "k".repeat(256) }).close();
});

test("levels, nonces and times are checked", () => {
  for (const level of ["Advanced", "toString", 2, null]) fails("invalid-level", () => new Signer({ keyId: 7, key: KEY, level }));
  const signer = new Signer({ keyId: 7, key: KEY });
  for (const nonce of ["", "0".repeat(63), "0".repeat(65), "é".repeat(64), "é".repeat(32), "-".repeat(64)]) {
    fails("invalid-nonce", () => signer.headersAt(nonce, 1700000000000));
  }
  for (const time of [0, 1700000000, -1, 1.5, 2n ** 64n + 1700000000000n]) {
    fails("invalid-timestamp", () => signer.headersAt(NONCE, time));
  }
});

test("a closed signer signs nothing, and no signer shows its key", () => {
  const signer = new Signer({ keyId: 7, key: KEY, level: "standard" });
  assert.equal(signer.headers().authorization, KEY);
  assert.ok(!inspect(signer, { showHidden: true, depth: 9 }).includes(KEY));
  assert.equal(JSON.stringify(signer), "{}");
  signer.close();
  signer.close();
  fails("closed", () => signer.headers());
});

test("many signers live together, come and go", () => {
  const together = Array.from({ length: 5_000 }, (_, id) => new Signer({ keyId: id + 1, key: KEY }));
  for (const [id, signer] of together.entries()) {
    const expected = { "x-xdr-auth-id": `${id + 1}`, "x-xdr-nonce": NONCE, "x-xdr-timestamp": "1700000000000" };
    expected.authorization = sha256(`${KEY}${NONCE}1700000000000`);
    assert.deepEqual(signer.headersAt(NONCE, 1700000000000), expected);
    signer.close();
  }
  for (let round = 0; round < 20_000; round++) new Signer({ keyId: 7, key: KEY }).close();
});

test("the environment has to say everything", () => {
  const complete = { CORTEXKEY_API_KEY: KEY, CORTEXKEY_API_KEY_ID: "7", CORTEXKEY_API_KEY_TYPE: "standard" };
  assert.equal(Signer.fromEnv(complete).headers().authorization, KEY);
  for (const name of Object.keys(complete)) fails("missing-variable", () => Signer.fromEnv({ ...complete, [name]: "" }));
  for (const keyId of [" 7", "+7", "0x7", "9".repeat(21)]) {
    fails("invalid-key-id", () => Signer.fromEnv({ ...complete, CORTEXKEY_API_KEY_ID: keyId }));
  }
});

async function serve(answer) {
  const received = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    answer(response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { received, url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

test("signed fetch signs each call, for its tenant alone", async () => {
  const tenant = await serve((response) => response.end("good"));
  const other = await serve((response) => response.end());
  const turned = await serve((response) => response.writeHead(307, { location: other.url }).end());
  const signer = new Signer({ keyId: 7, key: KEY });
  const call = signedFetch(signer, tenant.url);
  for (let round = 0; round < 2; round++) assert.equal(await (await call("/path")).text(), "good");
  for (const headers of tenant.received) {
    assert.equal(headers.authorization, sha256(KEY + headers["x-xdr-nonce"] + headers["x-xdr-timestamp"]));
  }
  assert.notEqual(tenant.received[0]["x-xdr-nonce"], tenant.received[1]["x-xdr-nonce"]);
  for (const path of [other.url, `//127.0.0.1:${new URL(other.url).port}/`, tenant.url.replace("127.0.0.1", "localhost")]) {
    await assert.rejects(call(path), (error) => error.code === "foreign-host");
  }
  await assert.rejects(signedFetch(signer, turned.url)("/", { redirect: "follow" }));
  assert.deepEqual(other.received, []);
  for (const insecure of ["http://api-x.example", "ftp://127.0.0.1", "http://127.0.0.1.example"]) {
    fails("invalid-tenant", () => signedFetch(signer, insecure));
  }
  for (const server of [tenant, other, turned]) server.close();
});
