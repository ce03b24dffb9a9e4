/** The Security Level of a key. The key itself does not show it. */
export type Level = "standard" | "advanced";

/** The headers of one request by their names. A Standard key has neither nonce nor timestamp. */
export type SignedHeaders = Record<string, string>;

/** A request could not be signed. */
export class CortexkeyError extends Error {
  /** The reason's name, such as `invalid-key`. */
  readonly code: string;
}

/** Signs requests with one key, which it copies into memory of its own. */
export class Signer {
  /** `level` defaults to `advanced`. */
  constructor(options: { keyId: number | bigint; key: string; level?: Level });
  /** A signer from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE. All must be set. */
  static fromEnv(env?: Record<string, string | undefined>): Signer;
  readonly keyId: bigint;
  readonly level: Level;
  /** New headers. Call it for each attempt of a request, because a tenant refuses repeated headers. */
  headers(): SignedHeaders;
  /** Headers with this nonce and time, for tests. Never send two requests with one nonce. */
  headersAt(nonce: string, timestampMs: number | bigint): SignedHeaders;
  /** Frees the signer and wipes the key in it at once. */
  close(): void;
}

/**
 * A `fetch` that signs each call to one tenant, `https://HOST`. A call to another host throws before anything is
 * sent. A redirect is an error.
 */
export function signedFetch(
  signer: Signer,
  tenant: string,
  fetch?: typeof globalThis.fetch,
): (path: string | URL, options?: RequestInit) => Promise<Response>;
