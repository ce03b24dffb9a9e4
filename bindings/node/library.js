// Calls the C library, compiled to WebAssembly. One file works on every system and processor. JavaScript cannot
// read or write its memory out of bounds.
import { readFileSync } from "node:fs";

const PAGE_BYTES = 65536;
/** The part of the page that a call uses: arguments first, then results. */
const USED_BYTES = 2048;
// `cxk_headers`: the offset and the largest size of each string, in bytes.
const HEADERS = {
  keyId: [0, 21],
  authorization: [21, 257],
  nonce: [278, 65],
  timestamp: [343, 14],
};
const ABI = 0;

const module = new WebAssembly.Module(readFileSync(new URL("./cortexkey.wasm", import.meta.url)));
// The module imports nothing: it has no clock, no random source and no access to the system.
const { exports: library } = new WebAssembly.Instance(module);

// A page outside the library's own allocator. It holds arguments and results during a call.
const page = library.memory.grow(1) * PAGE_BYTES;
if (library.cxk_abi_version() !== ABI) throw new Error("cortexkey.wasm and library.js are from different versions");

/** A request could not be signed. `code` is the stable name of the reason. */
export class CortexkeyError extends Error {
  name = "CortexkeyError";

  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

function check(status) {
  if (status === 0) return;
  throw new CortexkeyError(string(library.cxk_status_message(status)), string(library.cxk_status_name(status)));
}

// The library's memory moves when it grows, so each use creates a new view.
const bytes = (start, length) => new Uint8Array(library.memory.buffer, start, length);

function string(start, longest = PAGE_BYTES) {
  const memory = bytes(start, Math.min(longest, library.memory.buffer.byteLength - start));
  return new TextDecoder().decode(memory.subarray(0, memory.indexOf(0)));
}

// Runs a call that uses the page, and clears the page afterwards.
function onPage(call) {
  try {
    return call();
  } finally {
    bytes(page, USED_BYTES).fill(0);
  }
}

// Writes an ASCII string to the start of the page, and returns its length. The library checks its contents.
function writeString(text, longest) {
  // One character over the limit is enough for the library to report the error.
  const { read, written } = new TextEncoder().encodeInto(text, bytes(page, longest + 1));
  return read < text.length ? longest + 1 : written;
}

const KEY_BYTES_MAX = 256;
const NONCE_BYTES = 64;
const OUT = page + USED_BYTES / 2;

/** Creates a signer and returns its handle. */
export function signerNew(keyId, level, key) {
  return onPage(() => {
    const length = writeString(key, KEY_BYTES_MAX);
    check(library.cxk_signer_new(keyId, level, page, length, OUT));
    return new DataView(library.memory.buffer).getUint32(OUT, true);
  });
}

/** Returns the header values for a nonce and a time. */
export function signerHeadersAt(signer, nonce, timestampMs) {
  return onPage(() => {
    const length = writeString(nonce, NONCE_BYTES);
    check(library.cxk_signer_headers_at(signer, page, length, timestampMs, OUT));
    const texts = Object.entries(HEADERS).map(([name, [start, longest]]) => [name, string(OUT + start, longest)]);
    return Object.fromEntries(texts);
  });
}

/** Frees a signer, and wipes the key in it. */
export const signerFree = (signer) => library.cxk_signer_free(signer);
