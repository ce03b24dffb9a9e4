"""The tenant's origin, the only destination of signed requests."""

import ipaddress
import re
from typing import Optional
from urllib.parse import urlsplit

from ._errors import CortexkeyError, ForeignHostError

_PORTS = {"https": 443, "http": 80}
# Without characters that URL parsers treat differently: a request could go to another host.
_PLAIN = re.compile(r"[!-\[\]-~]*")


class Origin:
    """Scheme, host and port of a tenant."""

    def __init__(self, tenant: str) -> None:
        address = tenant if "://" in tenant else f"https://{tenant}"
        parts = _parts(address)
        if parts is None:
            raise CortexkeyError(f"the tenant's address is not of the form https://HOST: {tenant!r}", "invalid-tenant")
        scheme, host, _ = parts
        if scheme != "https" and not _is_loopback(host):
            raise CortexkeyError(
                f"signed requests are sent only over https or to this machine: {tenant!r}", "invalid-tenant"
            )
        self._parts = parts

    def require(self, url: str) -> None:
        """Raises `ForeignHostError` unless the URL has this origin."""
        if _parts(url) != self._parts:
            scheme, host, port = self._parts
            raise ForeignHostError(
                f"the request is not for {scheme}://{host}:{port}, so it is not signed", "foreign-host"
            )


def _parts(url: str) -> Optional[tuple[str, str, int]]:
    if not _PLAIN.fullmatch(url):
        return None
    try:
        split = urlsplit(url)
        port, host = split.port, split.hostname
    except ValueError:
        return None
    if split.scheme not in _PORTS or not host or "@" in split.netloc:
        return None
    return split.scheme, host, _PORTS[split.scheme] if port is None else port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
