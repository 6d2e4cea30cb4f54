"""The proxy between here and an endpoint, as the environment names it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.

An endpoint on this machine is asked directly, as most clients do: for a proxy, its address means another machine.

The proxy is looked up once for each endpoint. aiohttp's own `trust_env` looks it up for each request, and takes a
password for the endpoint from ~/.netrc, too.
"""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from personamath.errors import BadInput
from personamath.teachers.urls import is_loopback, without_secrets

PROXY_SCHEMES = {"http", "https"}


def proxy_for(base_url: str) -> str | None:
    """The URL of the proxy for a base URL, with its user and password if it has them; None without a proxy."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or is_loopback(base_url) or proxy_bypass(parts.netloc):
        return None
    written = proxy if "://" in proxy else f"http://{proxy}"
    try:
        found = urlsplit(written)
        usable = found.scheme in PROXY_SCHEMES and found.hostname and (found.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise BadInput(
            f"the proxy {without_secrets(written)!r} (from {parts.scheme.upper()}_PROXY or ALL_PROXY) cannot be used: "
            "write it as http://HOST:PORT, or name the endpoint's host in NO_PROXY"
        )
    return written
