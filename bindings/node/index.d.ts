/** The Security Level of a key. The key itself does not show it. */
export type Level = "standard" | "advanced";

/** The headers of one request, by name. With a Standard key there is neither a nonce nor a timestamp. */
export type SignedHeaders = Record<string, string>;

/** A request could not be signed. No error contains a key. */
export class CortexkeyError extends Error {
  /**
   * The stable name of the reason: one of the C library, such as `invalid-key`, `invalid-nonce` or
   * `invalid-timestamp`, or `invalid-tenant`, `missing-variable`, `foreign-host` or `closed`.
   */
  readonly code: string;
}

/**
 * Signs requests with one key, which it copies into the library's memory.
 *
 * @example
 * const signer = new Signer({ keyId: 7, key: process.env.CORTEXKEY_API_KEY, level: "advanced" });
 * const headers = signer.headers(); // again for each attempt
 * signer.close();
 */
export class Signer {
  /**
   * @param options.keyId the number in the ID column of the console's API Keys table, at most 64 bits
   * @param options.key 1 to 256 characters of visible ASCII
   * @param options.level the key's Security Level, by default `advanced`
   * @throws {CortexkeyError} if a value is invalid
   */
  constructor(options: { keyId: number | bigint; key: string; level?: Level });
  /** Creates a signer from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE. All must be set. */
  static fromEnv(env?: Record<string, string | undefined>): Signer;
  /** The key's id. */
  readonly keyId: bigint;
  /** The key's Security Level. */
  readonly level: Level;
  /**
   * Returns headers with a new nonce and the current time. Call it for each attempt of a request, because a tenant
   * refuses repeated headers of an Advanced key.
   */
  headers(): SignedHeaders;
  /**
   * Returns headers with the given nonce (64 ASCII letters and digits) and time (Unix time in milliseconds), for tests.
   * Never send two requests with the same nonce.
   */
  headersAt(nonce: string, timestampMs: number | bigint): SignedHeaders;
  /** Wipes the key and frees the signer immediately. Later calls throw an error with the code `closed`. */
  close(): void;
}

/**
 * Returns a `fetch` that signs each call to one tenant: its API host or `https://HOST`. Plain http is allowed only for
 * this machine. A call to another host rejects before anything is sent, with the code `foreign-host`. A redirect is an
 * error.
 *
 * @example
 * const call = signedFetch(Signer.fromEnv(), "https://api-example.xdr.us.paloaltonetworks.com");
 * const response = await call("/api_keys/validate/", { method: "POST", body: "{}" });
 */
export function signedFetch(
  signer: Signer,
  tenant: string,
  fetch?: typeof globalThis.fetch,
): (path: string | URL, options?: RequestInit) => Promise<Response>;
