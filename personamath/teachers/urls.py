"""Base URLs of endpoints: OpenAI's own, how others are written, and how any is shown."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from personamath.errors import BadInput

OWN_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Endings of names that no public name server knows (RFC 6761, 6762, 8375, ICANN's .internal, and the usual .lan)."""
OPENAI_URL = "https://api.openai.com/v1"
# Alone, or after a region: us.api.openai.com, eu.api.openai.com.
_OPENAI_HOST = "api.openai.com"
# User and password, and the query, of a text that is not a URL.
# A password with a mark that should have been encoded: the URL ends for a parser in the middle of the password.
_CUT_PASSWORD = re.compile(r"(?<=//)[^/?#@:\[\]]*:(?!\d*(?:[/?#]|\Z)).*@", re.DOTALL)
_UNSHOWN = re.compile(r"(?<=//)[^/]*@|[?#].*", re.DOTALL)


def checked(base_url: str) -> str:
    """Return a base URL in the one form in which it is asked, compared and recorded; raise `BadInput` for a wrong one.

    That is without a trailing slash, and with scheme and host in lower case.
    """
    text = base_url.strip()
    shown = f"base URL {without_secrets(text)!r}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # a port may be no number
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not text.isprintable() or " " in text:
        raise BadInput(f"{shown}: write it as http://HOST:PORT/v1")
    if "?" in text or "#" in text or "@" in parts.netloc:
        raise BadInput(f"{shown}: write it without user, password, query and fragment")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def all_checked(base_urls: Iterable[str]) -> tuple[str, ...]:
    """Return base URLs in the form of `checked`; raise `BadInput` for one that is given twice."""
    found = tuple(map(checked, base_urls))
    if twice := next((url for number, url in enumerate(found) if url in found[:number]), None):
        raise BadInput(
            f"base URL {twice!r} is given twice: give it once; providers count limits by account, so a second key of "
            "the same account would not be faster"
        )
    return found


def is_openai(base_url: str) -> bool:
    """Whether a base URL is on one of OpenAI's own hosts."""
    host = urlsplit(base_url).hostname or ""
    return host == _OPENAI_HOST or host.endswith(f".{_OPENAI_HOST}")


def is_loopback(base_url: str) -> bool:
    """Whether a base URL leads to this machine; any name under `localhost` does (RFC 6761)."""
    host = urlsplit(base_url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return f".{host}".endswith(".localhost")
    return address.is_loopback or address.is_unspecified


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
    url = _CUT_PASSWORD.sub("", url)
    try:
        parts = urlsplit(url)
    except ValueError:  # e.g. half of the brackets of an IPv6 address
        return _UNSHOWN.sub("", url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
