// Signs requests to Palo Alto Networks Cortex APIs. `library.js` calls the C library. This
// module adds the clock and the random bytes.
import { randomFillSync } from "node:crypto";

import { CortexkeyError, signerFree, signerHeadersAt, signerNew } from "./library.js";

export { CortexkeyError };

const LEVELS = { standard: 1, advanced: 2 };
const UINT64_MAX = 2n ** 64n - 1n;
const NONCE_LENGTH = 64;
const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
// Bytes below this limit map evenly to the characters; the others would favour some.
const BYTES_USED = 256 - (256 % LETTERS_AND_DIGITS.length);

// Frees a signer that was not closed, and wipes its key, when the object is garbage-collected.
const finalizer = new FinalizationRegistry(signerFree);

/** Signs requests with one key. */
export class Signer {
  #signer;
  #keyId;
  #level;

  constructor({ keyId, key, level = "advanced" }) {
    if (!Object.hasOwn(LEVELS, level)) {
      throw new CortexkeyError("the level is neither `standard` nor `advanced`", "invalid-level");
    }
    if (typeof key !== "string") throw new CortexkeyError("the key is not a string", "invalid-key");
    this.#keyId = wholeNumber(keyId, "the key id", "invalid-key-id");
    this.#level = level;
    this.#signer = signerNew(this.#keyId, LEVELS[level], key);
    finalizer.register(this, this.#signer, this);
  }

  /** Creates a signer from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE. */
  static fromEnv(env = process.env) {
    const names = ["CORTEXKEY_API_KEY", "CORTEXKEY_API_KEY_ID", "CORTEXKEY_API_KEY_TYPE"];
    const missing = names.filter((name) => !env[name]);
    if (missing.length > 0) throw new CortexkeyError(`not set: ${missing.join(", ")}`, "missing-variable");
    const [key, keyId, level] = names.map((name) => env[name]);
    if (!/^[0-9]{1,20}$/.test(keyId)) {
      throw new CortexkeyError("CORTEXKEY_API_KEY_ID is not a number", "invalid-key-id");
    }
    return new Signer({ keyId: BigInt(keyId), key, level });
  }

  /** The key's id. */
  get keyId() {
    return this.#keyId;
  }

  /** The key's Security Level. */
  get level() {
    return this.#level;
  }

  /** Returns headers with a new nonce and the current time. A Standard key has neither. */
  headers() {
    return this.headersAt(newNonce(), Date.now());
  }

  /** Returns headers with the given nonce and time, for tests. Never send two requests with the same nonce. */
  headersAt(nonce, timestampMs) {
    if (this.#signer === null) throw new CortexkeyError("the signer is closed", "closed");
    const time = wholeNumber(timestampMs, "the time", "invalid-timestamp");
    const texts = signerHeadersAt(this.#signer, String(nonce), time);
    const headers = { "x-xdr-auth-id": texts.keyId, authorization: texts.authorization };
    if (this.#level === "standard") return headers;
    return { ...headers, "x-xdr-nonce": texts.nonce, "x-xdr-timestamp": texts.timestamp };
  }

  /** Wipes the key and frees the signer immediately. */
  close() {
    if (this.#signer === null) return;
    finalizer.unregister(this);
    signerFree(this.#signer);
    this.#signer = null;
  }
}

/**
 * Returns a `fetch` that signs each call to one tenant. A call to another host rejects before anything is sent. A
 * redirect is an error.
 */
export function signedFetch(signer, tenant, fetch = globalThis.fetch) {
  const { protocol, hostname, origin } = new URL(tenant.includes("://") ? tenant : `https://${tenant}`);
  const isLoopback = ["localhost", "[::1]"].includes(hostname) || /^127(\.[0-9]+){3}$/.test(hostname);
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback)) {
    throw new CortexkeyError("signed requests are sent only over https or to this machine", "invalid-tenant");
  }
  return async (path, options = {}) => {
    const url = new URL(path, `${origin}/`);
    if (url.origin !== origin) {
      throw new CortexkeyError(`the request is not for ${origin}, so it is not signed`, "foreign-host");
    }
    const headers = new Headers(options.headers);
    for (const [name, value] of Object.entries(signer.headers())) headers.set(name, value);
    return fetch(url, { ...options, headers, redirect: "error" });
  };
}

// Checks that a number fits in 64 bits. JavaScript would round or truncate others, and sign for another key or time.
function wholeNumber(number, what, code) {
  const isWhole = typeof number === "bigint" || Number.isSafeInteger(number);
  if (!isWhole || number < 0 || BigInt(number) > UINT64_MAX) {
    throw new CortexkeyError(`${what} is not an integer of 64 bits; pass large numbers as bigint`, code);
  }
  return BigInt(number);
}

function newNonce() {
  let nonce = "";
  while (nonce.length < NONCE_LENGTH) {
    for (const byte of randomFillSync(new Uint8Array(NONCE_LENGTH + 16))) {
      if (byte < BYTES_USED && nonce.length < NONCE_LENGTH) nonce += LETTERS_AND_DIGITS[byte % LETTERS_AND_DIGITS.length];
    }
  }
  return nonce;
}
