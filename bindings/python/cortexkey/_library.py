"""Loads the C library and declares the part of cortexkey.h that signing needs.

ctypes needs no compiler and no other package. It does not check ranges; the callers in `_signer` do.
"""

import ctypes
import pathlib
import sys

from ._errors import CortexkeyError

# Statuses that the callers raise themselves, because ctypes would silently convert the value.
INVALID_KEY, INVALID_NONCE, INVALID_TIMESTAMP = -4, -7, -8

# The ABI version of these declarations; it is part of the library's name.
_ABI = 0

if sys.platform == "win32":
    _BUNDLED, _SYSTEM = "cortexkey.dll", "cortexkey.dll"
elif sys.platform == "darwin":
    _BUNDLED, _SYSTEM = "libcortexkey.dylib", f"libcortexkey.{_ABI}.dylib"
else:
    _BUNDLED, _SYSTEM = "libcortexkey.so", f"libcortexkey.so.{_ABI}"


class Headers(ctypes.Structure):
    """`cxk_headers`: strings that end with NUL. With a Standard key, nonce and timestamp are empty."""

    _fields_ = [
        ("key_id", ctypes.c_char * 21),
        ("authorization", ctypes.c_char * 257),
        ("nonce", ctypes.c_char * 65),
        ("timestamp", ctypes.c_char * 14),
    ]


def _load() -> ctypes.CDLL:
    bundled = pathlib.Path(__file__).with_name(_BUNDLED)
    # A wheel contains its own library. Otherwise, the installed one is used.
    name = str(bundled) if bundled.exists() else _SYSTEM
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(
            f"cannot load the C library {name}: install a wheel of cortexkey, or libcortexkey"
        ) from error
    status, pointer, text = ctypes.c_int32, ctypes.c_void_p, ctypes.c_char_p
    for function, result, arguments in [
        ("abi_version", ctypes.c_uint32, []),
        ("status_name", text, [status]),
        ("status_message", text, [status]),
        ("signer_new", status, [ctypes.c_uint64, ctypes.c_uint32, text, ctypes.c_size_t, ctypes.POINTER(pointer)]),
        ("signer_headers", status, [pointer, ctypes.POINTER(Headers)]),
        (
            "signer_headers_at",
            status,
            [pointer, text, ctypes.c_size_t, ctypes.c_uint64, ctypes.POINTER(Headers)],
        ),
        ("signer_free", None, [pointer]),
        ("wipe", None, [pointer, ctypes.c_size_t]),
    ]:
        declared = getattr(library, f"cxk_{function}")
        declared.restype, declared.argtypes = result, arguments
    if library.cxk_abi_version() != _ABI:
        raise ImportError(f"the C library {name} has ABI {library.cxk_abi_version()}, expected {_ABI}")
    return library


library = _load()


def check(status: int) -> None:
    """Raises the error of a status other than `CXK_OK`."""
    if status != 0:
        message = library.cxk_status_message(status).decode()
        raise CortexkeyError(message, library.cxk_status_name(status).decode())
