"""Signs requests to Palo Alto Networks Cortex APIs with Standard and Advanced API keys.

    import requests
    from cortexkey import Signer
    from cortexkey.requests import CortexAuth

    url = "https://api-example.xdr.us.paloaltonetworks.com"
    auth = CortexAuth(Signer.from_env(), url)
    requests.post(f"{url}/api_keys/validate/", json={}, auth=auth, timeout=30)

`cortexkey.httpx` has the same class for httpx. The C library signs; wheels contain it.
"""

from ._errors import CortexkeyError, ForeignHostError, RedirectError
from ._signer import Level, Signer

__all__ = ["CortexkeyError", "ForeignHostError", "Level", "RedirectError", "Signer"]
