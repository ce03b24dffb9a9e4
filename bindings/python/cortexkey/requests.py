"""Signing for requests: `session.auth = CortexAuth(signer, "https://api-TENANT")`."""

from __future__ import annotations

from typing import Any

import requests
from requests.auth import AuthBase

from ._errors import RedirectError
from ._origin import Origin
from ._signer import Signer

__all__ = ["CortexAuth"]


class CortexAuth(AuthBase):
    """Signs every request to one tenant. A request to another host raises `ForeignHostError`.

    A redirect raises `RedirectError`, because requests would send the same headers to its target. urllib3's `Retry`
    and a second `send()` of a prepared request also repeat the headers, which a tenant refuses for an Advanced key.
    Make a new request for each attempt.

    `tenant` is the tenant's API host or `https://HOST`; plain http is allowed only for this machine.
    """

    def __init__(self, signer: Signer, tenant: str) -> None:
        self._signer, self._origin = signer, Origin(tenant)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._origin.require(request.url or "")
        request.headers.update(self._signer.headers())
        request.register_hook("response", _refuse_redirects)  # type: ignore[no-untyped-call]
        return request


def _refuse_redirects(response: requests.Response, *_: Any, **__: Any) -> None:
    if response.is_redirect:
        response.close()
        raise RedirectError(f"the server responded with a redirect ({response.status_code})", "redirect")
