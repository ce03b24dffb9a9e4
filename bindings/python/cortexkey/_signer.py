"""The signer, which creates new headers for each request with one key."""

import ctypes
import enum
import os
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Optional, Union

from ._errors import CortexkeyError
from ._library import INVALID_KEY, INVALID_NONCE, INVALID_TIMESTAMP, Headers, check, library

_UINT64_MAX = 2**64 - 1


class Level(enum.Enum):
    """The Security Level of a key. The key itself does not show it."""

    STANDARD = "standard"
    ADVANCED = "advanced"


# The values of `cxk_level`.
_LEVELS = {Level.STANDARD: 1, Level.ADVANCED: 2}


class _Handle:
    """The C library's signer. It is freed, and its key wiped, when the last reference is gone.

    A thread that is signing holds a reference, so the signer is never freed too early.
    """

    __slots__ = ("__weakref__", "pointer")

    def __init__(self, pointer: ctypes.c_void_p) -> None:
        self.pointer = pointer
        # Not at exit, when threads may still sign.
        weakref.finalize(self, library.cxk_signer_free, pointer).atexit = False


class Signer:
    """Signs requests with one key.

    `key_id` is the number in the ID column of the console's API Keys table, `key` is 1 to 256 characters of visible
    ASCII, and `level` is the key's Security Level. Invalid values raise `CortexkeyError`.

    Any number of threads, and forked children, may use a signer at once. Call `headers()` for each attempt of a
    request, including retries: a tenant refuses repeated headers of an Advanced key.

    >>> signer = Signer(7, "test-api-key", level="advanced")
    >>> sorted(signer.headers())
    ['Authorization', 'x-xdr-auth-id', 'x-xdr-nonce', 'x-xdr-timestamp']
    """

    __slots__ = ("_handle", "_key_id", "_level")

    def __init__(
        self, key_id: int, key: Union[str, bytes], *, level: Union[Level, str] = Level.ADVANCED
    ) -> None:
        # ctypes would truncate the number to 64 bits and sign for another key id.
        if isinstance(key_id, bool) or not isinstance(key_id, int) or not 0 <= key_id <= _UINT64_MAX:
            raise CortexkeyError("the key id is not an integer of 64 bits", "invalid-key-id")
        try:
            level = Level(level)
        except ValueError:
            raise CortexkeyError(
                "the level is neither `standard` nor `advanced`", "invalid-level"
            ) from None
        secret = _key_bytes(key)
        pointer = ctypes.c_void_p()
        check(library.cxk_signer_new(key_id, _LEVELS[level], secret, len(secret), ctypes.byref(pointer)))
        self._handle, self._key_id, self._level = _Handle(pointer), key_id, level

    @classmethod
    def from_env(cls, environ: Optional[Mapping[str, str]] = None) -> "Signer":
        """Creates a signer from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE.

        The command `cortexkey` reads the same variables. All three must be set; the type is `standard` or `advanced`.

        >>> names = ("CORTEXKEY_API_KEY", "CORTEXKEY_API_KEY_ID", "CORTEXKEY_API_KEY_TYPE")
        >>> Signer.from_env(dict(zip(names, ("test-api-key", "7", "standard"))))
        Signer(key_id=7, level='standard')
        """
        environ = os.environ if environ is None else environ
        names = ("CORTEXKEY_API_KEY", "CORTEXKEY_API_KEY_ID", "CORTEXKEY_API_KEY_TYPE")
        missing = [name for name in names if not environ.get(name)]
        if missing:
            raise CortexkeyError(f"not set: {', '.join(missing)}", "missing-variable")
        key, key_id, level = (environ[name] for name in names)
        # `int()` would accept spaces, signs, underscores and digits of other scripts.
        if not (key_id.isascii() and key_id.isdigit() and len(key_id) <= 20):
            raise CortexkeyError("CORTEXKEY_API_KEY_ID is not a number", "invalid-key-id")
        return cls(int(key_id), key, level=level)

    @property
    def key_id(self) -> int:
        """The key's id."""
        return self._key_id

    @property
    def level(self) -> Level:
        """The key's Security Level."""
        return self._level

    def headers(self) -> dict[str, str]:
        """Returns headers with a new nonce and the current time. A Standard key has neither."""
        return _signed_headers(lambda out: library.cxk_signer_headers(self._handle.pointer, out))

    def headers_at(self, nonce: str, timestamp_ms: int) -> dict[str, str]:
        """Returns headers with the given nonce and time, for tests and known answers.

        The nonce is 64 ASCII letters and digits; the time is Unix time in milliseconds. Never send two requests with
        the same nonce.

        >>> Signer(7, "test-api-key").headers_at("a" * 64, 1_700_000_000_000)["Authorization"]
        'cf8dfda1b705750a893d5b980ec2b259d7374b203889435f2cc6bbae46f1e6e9'
        """
        if isinstance(timestamp_ms, bool) or not isinstance(timestamp_ms, int):
            check(INVALID_TIMESTAMP)
        if not 0 <= timestamp_ms <= _UINT64_MAX:
            check(INVALID_TIMESTAMP)
        if not nonce.isascii():
            check(INVALID_NONCE)
        text = nonce.encode("ascii")
        return _signed_headers(
            lambda out: library.cxk_signer_headers_at(
                self._handle.pointer, text, len(text), timestamp_ms, out
            )
        )

    def __repr__(self) -> str:
        return f"Signer(key_id={self._key_id}, level={self._level.value!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer cannot be copied or pickled, because it contains a key")


def _key_bytes(key: Union[str, bytes]) -> bytes:
    if isinstance(key, bytes):
        return key
    if not isinstance(key, str):
        raise CortexkeyError("the key is neither str nor bytes", "invalid-key")
    # The error of `encode` would contain the key, and replacing characters would change it.
    if not key.isascii():
        check(INVALID_KEY)
    return key.encode("ascii")


def _signed_headers(sign: Callable[[Any], int]) -> dict[str, str]:
    """Returns the headers that a call writes, as a dictionary, and wipes the memory behind them."""
    out = Headers()
    try:
        check(sign(ctypes.byref(out)))
        texts = {
            "x-xdr-auth-id": out.key_id.decode(),
            "Authorization": out.authorization.decode(),
            "x-xdr-nonce": out.nonce.decode(),
            "x-xdr-timestamp": out.timestamp.decode(),
        }
        return {name: text for name, text in texts.items() if text}
    finally:
        library.cxk_wipe(ctypes.byref(out), ctypes.sizeof(out))
