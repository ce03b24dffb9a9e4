// Calls the C library, compiled to WebAssembly: one file for every system and processor, and its memory
// is an array that JavaScript cannot read or write out of bounds.
import { readFileSync } from "node:fs";

const PAGE_BYTES = 65536;
/** How much of the page a call uses: arguments first, then what the call writes. */
const USED_BYTES = 2048;
// `cxk_headers`: where each string begins, and how many bytes it has at most.
const HEADERS = {
  keyId: [0, 21],
  authorization: [21, 257],
  nonce: [278, 65],
  timestamp: [343, 14],
};
const ABI = 0;

const module = new WebAssembly.Module(readFileSync(new URL("./cortexkey.wasm", import.meta.url)));
// The module imports nothing: it has no clock and no random source, and reaches nothing outside.
const { exports: library } = new WebAssembly.Instance(module);

// A page that the library's own allocator does not know: arguments and results are there for the time of a call.
const page = library.memory.grow(1) * PAGE_BYTES;
if (library.cxk_abi_version() !== ABI) throw new Error("cortexkey.wasm and library.js are of different versions");

/** A request could not be signed. `code` is the C library's name of the reason. */
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

// The library's memory moves when it grows, so that a view is made for each use.
const bytes = (start, length) => new Uint8Array(library.memory.buffer, start, length);

function string(start, longest = PAGE_BYTES) {
  const memory = bytes(start, Math.min(longest, library.memory.buffer.byteLength - start));
  return new TextDecoder().decode(memory.subarray(0, memory.indexOf(0)));
}

// Calls with the page as arguments, and leaves nothing of them in it.
function onPage(call) {
  try {
    return call();
  } finally {
    bytes(page, USED_BYTES).fill(0);
  }
}

// Places an ASCII text at the start of the page; its length. The library checks what it contains.
function place(text, longest) {
  // More than the library takes, so that it says so; the rest does not matter.
  const { read, written } = new TextEncoder().encodeInto(text, bytes(page, longest + 1));
  return read < text.length ? longest + 1 : written;
}

const KEY_BYTES_MAX = 256;
const NONCE_BYTES = 64;
const OUT = page + USED_BYTES / 2;

/** Creates a signer; its handle. */
export function signerNew(keyId, level, key) {
  return onPage(() => {
    const length = place(key, KEY_BYTES_MAX);
    check(library.cxk_signer_new(keyId, level, page, length, OUT));
    return new DataView(library.memory.buffer).getUint32(OUT, true);
  });
}

/** Signs with a nonce and a time. */
export function signerHeadersAt(signer, nonce, timestampMs) {
  return onPage(() => {
    const length = place(nonce, NONCE_BYTES);
    check(library.cxk_signer_headers_at(signer, page, length, timestampMs, OUT));
    const texts = Object.entries(HEADERS).map(([name, [start, longest]]) => [name, string(OUT + start, longest)]);
    return Object.fromEntries(texts);
  });
}

/** Frees a signer, and wipes the key in it. */
export const signerFree = (signer) => library.cxk_signer_free(signer);
