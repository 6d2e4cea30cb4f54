"""Which key an endpoint gets. Each provider's key goes to that provider's hosts only.

| endpoint | key |
|---|---|
| OpenAI's hosts | `OPENAI_API_KEY` |
| the host that `OPENAI_BASE_URL` names | `OPENAI_API_KEY`, because whoever sets both means them for one another |
| Hugging Face's router | `HF_TOKEN`, or the stored Hub token |
| any other | what `--api-key-env` names; without it, nothing |

`--api-key-env` overrides all of them.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from personamath.errors import BadInput
from personamath.teachers.headers import VARIABLE, Header, secret_in
from personamath.teachers.urls import OPENAI_URL, checked, is_loopback, is_openai, without_secrets

OPENAI_KEY = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"  # the OpenAI SDK reads the same variable
HUB_TOKEN = "HF_TOKEN"
HUB_ROUTER = "router.huggingface.co"
# The value of --api-key-env for an endpoint that needs no key.
NO_KEY = "none"
# A shorter value is a placeholder such as EMPTY, which open endpoints accept as a key and any text may contain: masking
# it would garble messages, e.g. `max_tokens` where the key is `max`.
SHORTEST_KEY = 8
MASK = "[key]"


@dataclass(frozen=True, slots=True)
class Access:
    """What each request to an endpoint carries besides its body. `repr` shows none of the values."""

    key: str | None = field(default=None, repr=False)
    """Sent as a bearer token."""
    own: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The user's own headers."""
    secret_headers: tuple[str, ...] = ()
    """Names of those headers whose values are secret."""
    remedy: str = "check the key"
    """What to do if the endpoint answers 401."""
    is_settled: bool = True
    """False if the endpoint gets no key although nobody said that it needs none."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send."""
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return key | dict(self.own)

    def masked(self, text: str) -> str:
        """Return a text that may be shown: some servers and proxies repeat the key that they refuse."""
        for secret in self._masked_secrets():
            text = text.replace(secret, MASK)
        return text

    def masked_bytes(self, content: bytes) -> bytes:
        """Like `masked`, for a reply that is shown only in part: part of a key would not be recognized later."""
        for secret in self._masked_secrets():
            content = content.replace(secret.encode(), MASK.encode())
        return content

    def _masked_secrets(self) -> list[str]:
        """Return the secrets to mask, the longest first, because one may begin with another."""
        headers = [self.own[name] for name in self.secret_headers]
        # The part after the scheme, as in `Bearer abc`, is the secret itself.
        secrets = {self.key or "", *headers, *(value.rpartition(" ")[2] for value in headers)}
        return sorted((secret for secret in secrets if len(secret) >= SHORTEST_KEY), key=len, reverse=True)


def default_base_urls() -> tuple[str, ...]:
    """Return the endpoints to ask where no --base-url is given."""
    return (os.environ.get(URL_VARIABLE) or OPENAI_URL,)


def check_key_variables(variables: Sequence[str], endpoints: int) -> None:
    """Raise `BadInput` unless there is one name for all endpoints, or one for each."""
    for variable in variables:
        if not VARIABLE.fullmatch(variable):
            raise BadInput("api_key_env: give the name of the environment variable that holds the key, not the key")
    if len(variables) not in (0, 1, endpoints):
        raise BadInput(
            f"{len(variables)} api_key_env for {endpoints} base_url: give one for each endpoint, in the same order, or "
            "one for all"
        )


def access_to_all(base_urls: Sequence[str], variables: Sequence[str], headers: Sequence[Header]) -> tuple[Access, ...]:
    """Return the access to each endpoint; `variables` names one key for all of them, one for each, or none."""
    check_key_variables(variables, len(base_urls))
    each = variables if len(variables) == len(base_urls) else [variables[0] if variables else ""] * len(base_urls)
    return tuple(access_to(url, variable, headers) for url, variable in zip(base_urls, each, strict=True))


def access_to(base_url: str, variable: str = "", headers: Sequence[Header] = ()) -> Access:
    """Return the access to one endpoint; `variable` names its key.

    Raises `BadInput` if the key is missing, or would be sent to its provider unencrypted.
    """
    own = {header.name: header.read() for header in headers}
    secret = tuple(header.name for header in headers if header.variable)
    if any(name.lower() == "authorization" for name in own):
        if variable not in ("", NO_KEY):
            raise BadInput("--header Authorization and --api-key-env both set that header: give only one of them")
        variable = NO_KEY
    key, source = _key(base_url, variable, needed=not secret)
    sources = [source] * bool(key) + [f"the value of --header {name}" for name in secret]
    remedy = f"check {' and '.join(sources)}" if sources else f"no key was sent; {_name_it()}"
    return Access(key, own, secret, remedy, is_settled=bool(key or secret or variable or is_loopback(base_url)))


def keyless_note(base_urls: Sequence[str], access: Sequence[Access]) -> str | None:
    """Return a line on the endpoints that get no key, unless the user said that they need none."""
    urls = [without_secrets(url) for url, one in zip(base_urls, access, strict=True) if not one.is_settled]
    if not urls:
        return None
    return f"no key is sent to {' and '.join(urls)}. If one is needed, {_name_it()}. If not: --api-key-env {NO_KEY}"


def _key(base_url: str, variable: str, needed: bool) -> tuple[str | None, str]:
    """Return an endpoint's key and where it comes from; `needed` if a provider that wants a key gets none otherwise."""
    if variable == NO_KEY:
        return None, ""
    if variable or (_is_pair(base_url) and _has_openai_key()):
        variable = variable or OPENAI_KEY
        key: str | None = secret_in(variable, "api_key_env")
        source, missing = f"the key in {variable}", ""
    elif is_openai(base_url):
        key = secret_in(OPENAI_KEY, "the key of OpenAI") if _has_openai_key() else None
        source = f"the key in {OPENAI_KEY}"
        missing = f"{OPENAI_KEY} is not set: export it, or use another endpoint with --base-url"
    elif _is_hub_router(base_url):
        from huggingface_hub import get_token

        key, source = get_token(), f"the Hub token ({HUB_TOKEN}, or `hf auth login`)"
        missing = f"no Hub token: log in with `hf auth login`, or export {HUB_TOKEN}"
    else:
        return None, ""
    if key is None:
        if needed:
            raise BadInput(missing)
        return None, ""
    if (is_openai(base_url) or _is_hub_router(base_url)) and urlsplit(base_url).scheme != "https":
        raise BadInput(f"base URL {without_secrets(base_url)!r}: the key would travel unencrypted: write https://")
    return key, source


def _is_hub_router(base_url: str) -> bool:
    return urlsplit(base_url).hostname == HUB_ROUTER


def _has_openai_key() -> bool:
    return bool(os.environ.get(OPENAI_KEY, "").strip())


def _is_pair(base_url: str) -> bool:
    """Whether OPENAI_BASE_URL names this endpoint's host, and OPENAI_API_KEY with it its key."""
    paired = os.environ.get(URL_VARIABLE)
    return bool(paired) and urlsplit(checked(paired or ""))[:2] == urlsplit(checked(base_url))[:2]


def _name_it() -> str:
    """Say how to name a key; a user with OPENAI_API_KEY may expect it to be sent everywhere."""
    how = "name the environment variable that holds it: --api-key-env NAME"
    if _has_openai_key():
        return f"{how} ({OPENAI_KEY} goes to OpenAI only; --api-key-env {OPENAI_KEY} sends it here, too)"
    return how
