"""Signing for httpx, sync and async: `httpx.Client(auth=CortexAuth(signer, "https://api-TENANT"))`."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from ._errors import RedirectError
from ._origin import Origin
from ._signer import Signer

__all__ = ["CortexAuth"]


class CortexAuth(httpx.Auth):
    """Signs every request to one tenant. A request to another host raises `ForeignHostError`.

    A redirect raises `RedirectError`. With `follow_redirects=True`, httpx follows it before this class sees the
    response, and removes `Authorization` if the host differs. Works with `httpx.Client` and `httpx.AsyncClient`.

    `tenant` is the tenant's API host or `https://HOST`; plain http is allowed only for this machine.
    """

    def __init__(self, signer: Signer, tenant: str) -> None:
        self._signer, self._origin = signer, Origin(tenant)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self._origin.require(str(request.url))
        request.headers.update(self._signer.headers())
        response = yield request
        if response.has_redirect_location:
            raise RedirectError(f"the server responded with a redirect ({response.status_code})", "redirect")
