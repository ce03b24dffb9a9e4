"""The package's errors. None contains a key."""


class CortexkeyError(Exception):
    """A request could not be signed. `code` names the reason, as the C library does."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class ForeignHostError(CortexkeyError):
    """A request was for a host other than the tenant's, so it was neither signed nor sent."""


class RedirectError(CortexkeyError):
    """The server answered with a redirect, which a signed request never follows."""
