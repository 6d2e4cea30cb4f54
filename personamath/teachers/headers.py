"""Headers of the user's own (`--header NAME=VALUE`), sent with each request; `env:VARIABLE` keeps a secret value out.

A value from the environment counts as a secret. A value that looks like one is refused in a command or a recipe, where
shells, process lists and version control would keep it.
"""

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from personamath.errors import BadInput

FROM_ENVIRONMENT = "env:"
EXAMPLE = "write NAME=VALUE, or NAME=env:VARIABLE for the value of an environment variable"
# What HTTP calls a token: RFC 9110, 5.6.2.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# These describe how PersonaMath writes a request; with other values, servers would misread it.
OWN_HEADERS = {
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# Words in the name of a header whose value lets somebody in: Authorization, api-key, x-goog-api-key, Cookie, ...
_SECRET_WORDS = re.compile(
    r"(?:^|[-_])(?:(?:proxy)?authorization|auth|api-?key|apikey|key|token|cookie|secret|password|credentials?)(?:$|[-_])",
    re.IGNORECASE,
)
_SECRET_VALUES = re.compile(r"(?:bearer|basic)\s|(?:sk|hf|gsk|xai|key)[-_][A-Za-z0-9]", re.IGNORECASE)


class Header(NamedTuple):
    """One header, as the user wrote it."""

    name: str
    value: str
    """Empty if the value comes from the environment."""
    variable: str
    """Name of the environment variable that holds the value; empty for a literal value."""

    def read(self) -> str:
        """Return the value to send; raise `BadInput` if its environment variable is not set."""
        return secret_in(self.variable, f"header {self.name}") if self.variable else self.value


def read_headers(texts: Iterable[str]) -> tuple[Header, ...]:
    """Read headers as `--header` gives them; raise `BadInput`, without the value, for one that cannot be sent."""
    headers: dict[str, Header] = {}
    for text in texts:
        header = _read(text)
        if header.name.lower() in headers:
            raise BadInput(f"header {header.name} is given twice: give it once")
        headers[header.name.lower()] = header
    return tuple(headers.values())


def secret_in(variable: str, named_by: str) -> str:
    """Return the value of an environment variable that holds a secret; `named_by` is what names the variable."""
    value = os.environ.get(variable, "").strip()
    if not value:
        # Somebody may have given the secret itself instead of a name; names are written in capitals.
        shown = variable if variable.isupper() else "the environment variable that it names"
        raise BadInput(f"{named_by}: {shown} is not set: export it; give the name of a variable, never the secret")
    if not value.isprintable():
        raise BadInput(f"{named_by}: the value of {variable} contains characters that no key has, perhaps a line break")
    return value


def _read(text: str) -> Header:
    name, equals, value = (part.strip(" \t") for part in text.partition("="))
    if not equals:
        raise BadInput(f"a header has no `=`: {EXAMPLE}")
    if not _NAME.fullmatch(name):
        raise BadInput(f"header {name!a}: a header's name must not contain spaces, line breaks or colons; {EXAMPLE}")
    if name.lower() in OWN_HEADERS:
        raise BadInput(f"header {name}: PersonaMath sets this header itself: remove it")
    if not value or not value.isprintable():
        raise BadInput(f"header {name}: its value is empty or holds a line break; {EXAMPLE}")
    if value.startswith(FROM_ENVIRONMENT):
        variable = value.removeprefix(FROM_ENVIRONMENT)
        if not VARIABLE.fullmatch(variable):
            raise BadInput(f"header {name}: write the name of an environment variable after `env:`; {EXAMPLE}")
        return Header(name, "", variable)
    if _SECRET_WORDS.search(name) or _SECRET_VALUES.match(value):
        raise BadInput(
            f"header {name}: its value looks like a secret, which does not belong in a command or a recipe: put the "
            f"whole value into an environment variable and write {name}=env:VARIABLE"
        )
    return Header(name, value, "")
