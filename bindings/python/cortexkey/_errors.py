"""The package's errors. No error contains a key."""


class CortexkeyError(Exception):
    """A request could not be signed.

    `code` is the stable name of the reason: one of the C library (`invalid-key`, `invalid-key-id`, `invalid-level`,
    `invalid-nonce`, `invalid-timestamp`, `rng-failed`, `clock-failed`, `no-memory`), or `invalid-tenant`,
    `missing-variable`, `foreign-host` or `redirect`. The message is for people and may change.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class ForeignHostError(CortexkeyError):
    """A request was for another host than the tenant's, so it was neither signed nor sent."""


class RedirectError(CortexkeyError):
    """The server responded with a redirect. Signed requests never follow redirects."""
