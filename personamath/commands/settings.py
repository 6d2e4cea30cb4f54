"""Make command-line options from the annotated fields of dataclasses; YAML files use the same keys.

An option on the command line overrides the key in the YAML file.
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import yaml

from personamath.errors import BadInput
from personamath.files import nearest, read_yaml


class Setting(NamedTuple):
    """One annotated field of a dataclass, as an option."""

    name: str
    kind: type
    """The type of one value: `str`, `int`, `float`, or `dict` for YAML; `bool` for a switch, which takes no value."""
    many: bool
    """Whether the option may be repeated."""
    choices: tuple[str, ...] | None
    words: tuple[str, ...]
    """Values in addition to those of `kind`, e.g. `auto`."""
    help: str
    group: str | None
    """The heading of its group in the help; None if the field names no group."""
    default: Any
    optional: bool
    """Whether `none` is a valid value and not the default."""


ON_OFF = ("on", "off")
"""The choices of a switch that is on or off by itself, as the run decides."""
METAVARS: dict[type, str] = {int: "N", float: "X", dict: "YAML"}


def settings_of(cls: type) -> list[Setting]:
    """Collect the fields of a dataclass that are annotated with help: `Annotated[int, "help"]`, optionally a group."""
    found = []
    hints = get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        hint, *texts = get_args(hints[field.name]) or (hints[field.name],)
        if not texts or not isinstance(texts[0], str):
            continue  # a field that is not an option, such as a recipe's method
        many = get_origin(hint) is tuple
        parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        literals = [get_args(part) for part in parts if get_origin(part) is Literal]
        kinds = [
            part
            for part in (get_args(hint) if many else parts)
            if part not in (NoneType, Ellipsis) and get_origin(part) is not Literal
        ]
        words = literals[0] if literals and kinds else ()
        choices = literals[0] if literals and not words else None
        if kinds == [bool] and field.default is None:
            choices = ON_OFF
        kind = str if choices else dict if get_origin(hint) is Mapping else kinds[0]
        optional = NoneType in parts and field.default is not None
        group = texts[1] if len(texts) > 1 else None
        found.append(Setting(field.name, kind, many, choices, words, texts[0], group, field.default, optional))
    return found


def add_settings(parser: argparse.ArgumentParser, heading: str, settings: Iterable[Setting]) -> None:
    """Add an option for each setting to the parser, under `heading` or the setting's own group.

    The parsed options contain only the options that were given.
    """
    groups = {group.title: group for group in parser._action_groups}
    for setting in settings:
        title = setting.group or heading
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        _add(groups[title], setting)


def _add(group: Any, setting: Setting) -> None:
    flag = "--" + setting.name.replace("_", "-")
    if setting.kind is bool:
        group.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=setting.help)
        return
    default = "" if setting.default in (dataclasses.MISSING, None, (), "") else f" (default {_shown(setting.default)})"
    group.add_argument(
        flag,
        type=keys_and_values
        if setting.kind is dict
        else _or_word(setting)
        if setting.optional or setting.words
        else setting.kind,
        action="append" if setting.many else "store",
        choices=setting.choices,
        metavar=None if setting.choices else METAVARS.get(setting.kind, setting.name.upper()),
        default=argparse.SUPPRESS,
        help=(setting.help + ("; may be repeated" if setting.many else "") + default).replace("%", "%%"),
    )


def merged(options: argparse.Namespace, config: Path | None, known: Iterable[str]) -> dict[str, Any]:
    """Merge the command line's values over the YAML file's, by field name; raise `BadInput` for an unknown key."""
    known = list(known)
    values = {}
    if config:
        for key, value in read_yaml(config, example="k1: 5").items():
            name = str(key).replace("-", "_")
            if name not in known:
                raise BadInput(f"{config}: unknown key {key!r}; {nearest(name, known)}")
            values[name] = value
    return values | {name: value for name, value in vars(options).items() if name in known}


def _or_word(setting: Setting) -> Callable[[str], Any]:
    """Return a converter that keeps the setting's words, turns `none` into None and any other text into its kind."""

    def convert(text: str) -> Any:
        if text in setting.words:
            return text
        return None if setting.optional and text.lower() in ("none", "null") else setting.kind(text)

    convert.__name__ = setting.kind.__name__  # argparse shows this name in its error message
    return convert


def keys_and_values(text: str) -> dict[str, Any]:
    """Parse keys and values in YAML, which includes JSON."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        content = None
    if not isinstance(content, dict):
        raise argparse.ArgumentTypeError(f"{text!r}: write keys and values, e.g. '{{top_p: 0.9}}'")
    return content


def _shown(default: Any) -> str:
    return " ".join(default) if isinstance(default, tuple) else str(default)
