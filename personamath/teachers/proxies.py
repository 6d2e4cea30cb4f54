"""The proxy between here and an endpoint, as the environment names it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.

An endpoint on this machine is asked directly, as most clients do: for a proxy, its address means another machine.

The proxy is looked up once for each endpoint. aiohttp's own `trust_env` looks it up for each request, and takes a
password for the endpoint from ~/.netrc, too.
"""

import re
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from personamath.errors import BadInput
from personamath.teachers.urls import is_loopback, without_secrets

PROXY_SCHEMES = {"http", "https"}
PORTS = {"http": 80, "https": 443}
# A name or an address, in brackets if it is of IPv6 and has a port.
_EXCEPTION = re.compile(r"\[(?P<inside>[^]]*)\](?::(?P<its_port>\d+))?|(?P<alone>[^:]*|.*:.*:.*)(?::(?P<port>\d+))?")


def proxy_for(base_url: str) -> str | None:
    """The URL of the proxy for a base URL, with its user and password if it has them; None without a proxy."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    exceptions = re.split(r"[,\s]+", proxies.get("no", "").strip().lower())
    if not proxy or is_loopback(base_url) or any(_is_meant(base_url, each) for each in exceptions):
        return None
    if "no" not in proxies and proxy_bypass(parts.netloc):  # the system's own settings
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


def _is_meant(base_url: str, exception: str) -> bool:
    """Whether a word of NO_PROXY means the host of a base URL.

    It may be `*`, a host and all below it (`example.com`, `.example.com`, `*.example.com`), an address or a network
    (`10.0.0.0/8`), and all but a network may have a port. The standard library knows no networks, no `*` beside other
    words, and no port of an IPv6 address.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    found = _EXCEPTION.fullmatch(exception)
    if not found or not exception:
        return False
    name, port = found["inside"] or found["alone"] or "", found["its_port"] or found["port"]
    if port and int(port) != (parts.port or PORTS.get(parts.scheme)):
        return False
    if name == "*":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return bool(name) and f".{host}".endswith(f".{name}")
    with suppress(ValueError):  # a name means no address
        return address in ip_network(name, strict=False)
    return False
