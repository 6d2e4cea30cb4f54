"""Base URLs of endpoints: OpenAI's own, how others are written, and how any is shown."""

from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from personamath.errors import BadInput

OWN_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Endings of names that no public name server knows (RFC 6761, 6762, 8375, ICANN's .internal, and the usual .lan)."""
OPENAI_URL = "https://api.openai.com/v1"
# Alone, or after a region: us.api.openai.com, eu.api.openai.com.
_OPENAI_HOST = "api.openai.com"


def checked(base_url: str) -> str:
    """Return a base URL without its trailing slash; raise `BadInput` if it is not written as one."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(f"base URL {without_secrets(base_url)!r}: write it as http://HOST:PORT/v1")
    if parts.query or parts.username:
        raise BadInput(f"base URL {without_secrets(base_url)!r}: write it without user, password and query")
    return base_url.rstrip("/")


def is_openai(base_url: str) -> bool:
    """Whether a base URL is on one of OpenAI's own hosts."""
    host = urlsplit(base_url).hostname or ""
    return host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}")


def is_own(base_url: str) -> bool:
    """Whether a base URL leads to this machine or into a private network, where the user runs the server.

    That is a private address, or a name without a dot or with an ending that only private networks use.
    """
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(OWN_ENDINGS)


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
