"""Errors in the words of a Python caller: they name settings as options of the command; here those become arguments."""

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from personamath.errors import PersonaMathError
from personamath.methods import METHODS
from personamath.recipe import Recipe
from personamath.runs.setup import Setup

# The word after an option is its value only if the setting can have it; usually the sentence just goes on.
_OPTION = re.compile(r"--([a-z][a-z0-9-]*)(?: (\w+(?:\.\d+)?))?")
_SAME_AGAIN = re.compile(r"\bsame (?:`personamath augment` command|`personamath augment`|command)")


@contextmanager
def in_python() -> Iterator[None]:
    """Raise errors with texts that name what a caller from Python can type."""
    try:
        yield
    except PersonaMathError as error:
        error.args = (as_arguments(str(error)),)
        raise


def as_arguments(text: str) -> str:
    """A message of the command as one of `augment`: `--base-url` becomes `base_url`, `--engine ray` `engine='ray'`."""
    return _OPTION.sub(_as_argument, _SAME_AGAIN.sub("same call", text))


def _as_argument(found: re.Match[str]) -> str:
    option, name, word = found[0], found[1].replace("-", "_"), found[2] or ""
    if name not in _kinds():
        return option
    rest = option.partition(" ")[1] + word
    kinds = _kinds()[name]
    if bool in kinds:
        return f"{name}=True{rest}"
    if NoneType in kinds and word == "none":
        return f"{name}=None"
    if word in kinds:  # one of a few words
        return f"{name}={word!r}"
    if word[:1].isdigit() and {int, float} & kinds:
        return f"{name}={word}"
    return name + rest


@cache
def _kinds() -> dict[str, set[Any]]:
    """The types and the literal values of every setting, by its name."""
    classes = (*METHODS.values(), Recipe, Setup)
    hints = {field.name: get_type_hints(cls)[field.name] for cls in classes for field in dataclasses.fields(cls)}
    return {name: set(_parts(hint)) for name, hint in hints.items()} | {"method": set(METHODS)}


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)
