"""Small files: written whole or not at all, read and validated in one style of error."""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from personamath.errors import BadInput

if TYPE_CHECKING:
    from pydantic import ValidationError

T = TypeVar("T")

# Enough of somebody else's message to name the cause in one line.
SHOWN_CHARACTERS = 300
# What pydantic calls a wrong value, in our words.
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "dict": "keys and values",
    "dataclass": "keys and values",
    "finite": "a number",
}


@contextmanager
def written_whole(path: Path, beside: str = "partial") -> Iterator[Path]:
    """Give a path to write to; when the block ends, its file is durable and takes the place of `path`.

    A reader never sees half of a file. If the block raises, nothing is left behind. The file is written to
    `NAME.beside`: writers that may meet, on several machines, each give a `beside` of their own.
    """
    partial = path.with_name(f"{path.name}.{beside}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def in_one_line(what: object, characters: int = SHOWN_CHARACTERS) -> str:
    """Somebody else's message, white space collapsed and cut; an exception without a message gives its type's name."""
    text = " ".join(str(what).split()) or type(what).__name__
    return text if len(text) <= characters else text[: characters - 4] + " ..."


def validated(cls: type[T], values: Mapping[str, Any], place: str) -> T:
    """A dataclass from a mapping; `place` names the file or the option list in the error.

    Values are converted as a command line would convert them: `"5"` is 5, `3` may be text. Raises `BadInput` for an
    unknown key, naming the nearest known one, and for a missing or wrong value.
    """
    from pydantic import TypeAdapter, ValidationError

    hints = _hints(cls)
    for key in values:
        if key not in hints:
            raise BadInput(f"{place}: unknown key {key!r}; {nearest(str(key), hints)}")
    for name, value in values.items():
        if isinstance(value, bool) and bool not in _kinds(hints[name]):
            raise BadInput(f"{place}: {name} is {_shown(value)}; it must not be true or false")
    texts = {name for name, hint in hints.items() if str in _kinds(hint)}
    converted = {
        name: str(value) if name in texts and isinstance(value, int | float) else value
        for name, value in values.items()
    }
    try:
        return TypeAdapter(cls).validate_python(converted)
    except ValidationError as error:
        raise BadInput(f"{place}: {_wrong(error)}") from None


def from_json(cls: type[T], content: Mapping[str, Any], place: str, remedy: str) -> T:
    """Build a dataclass, nested ones too, from a JSON object that a program wrote.

    Files of older and newer versions are read: a field with a default may be absent, an unknown field is ignored. No
    value is converted. Raises `BadInput` for a missing or wrong field; the error names `place`, field and remedy.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        # From text: pydantic's strict mode refuses a mapping for a dataclass and a list for a tuple anywhere else.
        return TypeAdapter(cls).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise BadInput(f"{place}: {_wrong(error)}; {remedy}") from None


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """The known name that is nearest to an unknown one, or all of them, as the end of a message."""
    near = get_close_matches(name, known, n=1)
    return f"the nearest known one is {near[0]!r}" if near else f"known are {', '.join(known)}"


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Read the object in a JSON file; raises `BadInput` with the remedy where there is no file or no object in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; {remedy}") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(f"{path}: not valid JSON ({in_one_line(error)}); {remedy}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: not a JSON object; {remedy}")
    return content


def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


def _kinds(hint: Any) -> set[Any]:
    """The types that a hint admits, unions taken apart."""
    return {kind for part in get_args(hint) for kind in _kinds(part)} if _is_union(hint) else {hint}


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)


def _wrong(errors: "ValidationError") -> str:
    """The first value that pydantic found wrong, as `name is value; it must be ...`."""
    error = errors.errors(include_url=False)[0]
    name = ".".join(str(part) for part in error["loc"])
    kind = error["type"].partition("_")[0]
    if error["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{name} is missing"
    if error["type"] == "literal_error":
        wanted = error["ctx"]["expected"].replace("'", "")
    else:
        wanted = _WANTED.get(kind) or error["msg"].removeprefix("Input should be ")
    return f"{name} is {_shown(error['input'])}; it must be {wanted}"


def _shown(value: Any) -> str:
    return in_one_line(repr(value), 80)
