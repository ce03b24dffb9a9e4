"""Signs requests with the C library of cortexkey, through cffi and without a compiler.

The library is found as every shared library is: installed, or in LD_LIBRARY_PATH.
"""

import cffi

_ffi = cffi.FFI()
# The part of cortexkey.h that signing needs. The library keeps these declarations within its version.
_ffi.cdef("""
    typedef struct cxk_signer cxk_signer;
    typedef struct {
        char key_id[21]; char authorization[257]; char nonce[65]; char timestamp[14];
    } cxk_headers;
    int32_t cxk_signer_new(uint64_t key_id, uint32_t level, const char *key, size_t key_len, cxk_signer **out);
    int32_t cxk_signer_headers(const cxk_signer *signer, cxk_headers *out);
    void cxk_signer_free(cxk_signer *signer);
    void cxk_wipe(void *memory, size_t size);
    const char *cxk_status_message(int32_t status);
""")
_lib = _ffi.dlopen("libcortexkey.so.0")

STANDARD, ADVANCED = 1, 2


class CortexkeyError(Exception):
    """A call of the library failed."""


def _check(status: int) -> None:
    if status != 0:
        raise CortexkeyError(_ffi.string(_lib.cxk_status_message(status)).decode())


class Signer:
    """Makes the headers of each attempt of a request. Any number of threads may use one signer."""

    def __init__(self, key_id: int, level: int, key: str) -> None:
        out = _ffi.new("cxk_signer **")
        secret = key.encode()
        _check(_lib.cxk_signer_new(key_id, level, secret, len(secret), out))
        self._signer = _ffi.gc(out[0], _lib.cxk_signer_free)

    def headers(self) -> dict[str, str]:
        """Returns new headers: call it for each attempt, since headers that are sent twice are refused."""
        headers = _ffi.new("cxk_headers *")
        try:
            _check(_lib.cxk_signer_headers(self._signer, headers))
            named = {
                "x-xdr-auth-id": headers.key_id,
                "Authorization": headers.authorization,
                "x-xdr-nonce": headers.nonce,
                "x-xdr-timestamp": headers.timestamp,
            }
            texts = {name: _ffi.string(value).decode() for name, value in named.items()}
            # A Standard key has neither nonce nor timestamp.
            return {name: text for name, text in texts.items() if text}
        finally:
            _lib.cxk_wipe(headers, _ffi.sizeof("cxk_headers"))
