// Signs requests with the C library of cortexkey, through koffi.
//
// The library is found as every shared library is: installed, or in LD_LIBRARY_PATH.
import koffi from "koffi";

const library = koffi.load("libcortexkey.so.0");
// The part of cortexkey.h that signing needs. The library keeps these declarations within its version.
const Headers = koffi.struct("cxk_headers", {
  key_id: koffi.array("char", 21, "Array"),
  authorization: koffi.array("char", 257, "Array"),
  nonce: koffi.array("char", 65, "Array"),
  timestamp: koffi.array("char", 14, "Array"),
});
const signerNew = library.func(
  "int32_t cxk_signer_new(uint64_t key_id, uint32_t level, const char *key, size_t key_len, _Out_ void **out)",
);
const signerHeaders = library.func("int32_t cxk_signer_headers(const void *signer, _Out_ cxk_headers *out)");
const signerFree = library.func("void cxk_signer_free(void *signer)");
const statusMessage = library.func("const char *cxk_status_message(int32_t status)");

export const STANDARD = 1;
export const ADVANCED = 2;

function check(status) {
  if (status !== 0) throw new Error(statusMessage(status));
}

const text = (characters) => {
  const end = characters.indexOf(0);
  return String.fromCharCode(...characters.slice(0, end));
};

// A signer whose owner forgets it is freed with the object; `close()` frees and wipes it at once.
const forgotten = new FinalizationRegistry((signer) => signerFree(signer));

export class Signer {
  #signer;

  constructor(keyId, level, key) {
    const out = [null];
    check(signerNew(keyId, level, key, Buffer.byteLength(key), out));
    this.#signer = out[0];
    forgotten.register(this, this.#signer, this);
  }

  // New headers: call it for each attempt, since headers that are sent twice are refused.
  headers() {
    if (this.#signer === null) throw new Error("the signer is closed");
    const headers = {};
    check(signerHeaders(this.#signer, headers));
    const named = {
      "x-xdr-auth-id": text(headers.key_id),
      authorization: text(headers.authorization),
      "x-xdr-nonce": text(headers.nonce),
      "x-xdr-timestamp": text(headers.timestamp),
    };
    // A Standard key has neither nonce nor timestamp.
    return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== ""));
  }

  close() {
    if (this.#signer === null) return;
    forgotten.unregister(this);
    signerFree(this.#signer);
    this.#signer = null;
  }
}
