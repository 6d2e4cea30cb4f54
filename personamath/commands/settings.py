"""Settings from dataclasses: an option for each field, the same keys in YAML, and one rule for which of them wins."""

import argparse
import dataclasses
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from personamath.errors import BadInput
from personamath.sources.tables import read_yaml

T = TypeVar("T")


class Setting(NamedTuple):
    """One field of a settings dataclass, as an option and as a YAML key."""

    name: str
    kind: type
    """What one value is converted by: `str`, `int` or `float`; `bool` for a switch, which takes none."""
    many: bool
    """Whether it may be given several times."""
    choices: tuple[str, ...] | None
    help: str
    default: Any


def settings_of(*classes: type) -> list[Setting]:
    """The fields of dataclasses whose annotations carry their help: `Annotated[int, "help"]`."""
    found = []
    for cls in classes:
        hints = get_type_hints(cls, include_extras=True)
        for field in dataclasses.fields(cls):
            hint, help = get_args(hints[field.name])
            many = get_origin(hint) is tuple
            choices = get_args(hint) if get_origin(hint) is Literal else None
            kinds = [part for part in get_args(hint) or [hint] if part not in (NoneType, Ellipsis)]
            kind = str if choices else kinds[0]
            found.append(Setting(field.name, kind, many, choices, help, field.default))
    return found


def add_settings(parser: argparse.ArgumentParser, *classes: type) -> None:
    """Give the parser an option for each field; what is not given does not appear among the parsed options."""
    for setting in settings_of(*classes):
        if setting.kind is bool:
            flag = "--" + setting.name.replace("_", "-")
            parser.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=setting.help)
            continue
        default = "" if setting.default in (dataclasses.MISSING, None, ()) else f" (default {_shown(setting.default)})"
        parser.add_argument(
            "--" + setting.name.replace("_", "-"),
            type=setting.kind,
            action="append" if setting.many else "store",
            choices=setting.choices,
            metavar=None if setting.choices else {int: "N", float: "X", str: setting.name.upper()}[setting.kind],
            default=argparse.SUPPRESS,
            help=(setting.help + ("; may be repeated" if setting.many else "") + default).replace("%", "%%"),
        )


def merge_settings(options: argparse.Namespace, config: Path | None, *classes: type) -> dict[str, Any]:
    """Values by field name: the command line's, else the YAML's; a key or value that cannot be is a `BadInput`."""
    known = {setting.name: setting for setting in settings_of(*classes)}
    merged = _read_config(config, known) if config else {}
    merged |= {name: value for name, value in vars(options).items() if name in known}
    return {name: tuple(value) if known[name].many else value for name, value in merged.items()}


def build(cls: type[T], merged: dict[str, Any]) -> T:
    """One of the dataclasses from merged values; fields without a value keep their default."""
    return cls(**{setting.name: merged[setting.name] for setting in settings_of(cls) if setting.name in merged})


def _read_config(path: Path, known: dict[str, Setting]) -> dict[str, Any]:
    values = {}
    for key, value in read_yaml(path, example="k1: 5").items():
        name = str(key).replace("-", "_")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"the nearest known one is {near[0]!r}" if near else f"known are {', '.join(known)}"
            raise BadInput(f"{path}: unknown key {key!r}; {hint}")
        if value is not None:  # an empty key leaves the default
            values[name] = _converted(path, known[name], value)
    return values


def _converted(path: Path, setting: Setting, value: Any) -> Any:
    """A YAML value as the command line would have read it."""
    if setting.many:
        return [_one(path, setting, item) for item in (value if isinstance(value, list) else [value])]
    return _one(path, setting, value)


def _one(path: Path, setting: Setting, value: Any) -> Any:
    if setting.kind is bool:
        if isinstance(value, bool):
            return value
        raise BadInput(f"{path}: {setting.name} is {value!r}; it must be true or false")
    try:
        if isinstance(value, (list, dict, bool)):
            raise ValueError
        converted = setting.kind(str(value))
        if setting.choices and converted not in setting.choices:
            raise ValueError
    except ValueError:
        wanted = (
            " or ".join(setting.choices or ()) or {int: "a whole number", float: "a number", str: "text"}[setting.kind]
        )
        raise BadInput(f"{path}: {setting.name} is {value!r}; it must be {wanted}") from None
    return converted


def _shown(default: Any) -> str:
    return " ".join(default) if isinstance(default, tuple) else str(default)
