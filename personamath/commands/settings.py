"""Options from dataclasses: one for each annotated field, and the same keys in YAML; the command line wins."""

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
    """What one value is converted by: `str`, `int` or `float`; `bool` for a switch, which takes none."""
    many: bool
    """Whether it may be given several times."""
    choices: tuple[str, ...] | None
    help: str
    group: str | None
    """The heading that its help comes under, where the field names one."""
    default: Any
    optional: bool
    """Whether `none` is a value of its own, other than the default."""


METAVARS: dict[type, str] = {int: "N", float: "X", dict: "YAML"}


def settings_of(cls: type) -> list[Setting]:
    """The fields of a dataclass whose annotations carry their help: `Annotated[int, "help"]`, perhaps with a group."""
    found = []
    hints = get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        hint, *texts = get_args(hints[field.name]) or (hints[field.name],)
        if not texts or not isinstance(texts[0], str):
            continue  # no option, such as a recipe's method
        many = get_origin(hint) is tuple
        parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        literals = [get_args(part) for part in parts if get_origin(part) is Literal]
        choices = literals[0] if literals else None
        kinds = [part for part in get_args(hint) or [hint] if part not in (NoneType, Ellipsis)]
        kind = str if choices else dict if get_origin(hint) is Mapping else kinds[0]
        optional = NoneType in parts and field.default is not None
        group = texts[1] if len(texts) > 1 else None
        found.append(Setting(field.name, kind, many, choices, texts[0], group, field.default, optional))
    return found


def add_settings(parser: argparse.ArgumentParser, heading: str, settings: Iterable[Setting]) -> None:
    """Give the parser an option for each setting, under a heading or the setting's own group.

    An option that is not given does not appear among the parsed options.
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
    default = "" if setting.default in (dataclasses.MISSING, None, ()) else f" (default {_shown(setting.default)})"
    group.add_argument(
        flag,
        type=_fields if setting.kind is dict else _or_none(setting.kind) if setting.optional else setting.kind,
        action="append" if setting.many else "store",
        choices=setting.choices,
        metavar=None if setting.choices else METAVARS.get(setting.kind, setting.name.upper()),
        default=argparse.SUPPRESS,
        help=(setting.help + ("; may be repeated" if setting.many else "") + default).replace("%", "%%"),
    )


def merged(options: argparse.Namespace, config: Path | None, known: Iterable[str]) -> dict[str, Any]:
    """Values by field name: the command line's, else the YAML's; an unknown key is a `BadInput`."""
    known = list(known)
    values = {}
    if config:
        for key, value in read_yaml(config, example="k1: 5").items():
            name = str(key).replace("-", "_")
            if name not in known:
                raise BadInput(f"{config}: unknown key {key!r}; {nearest(name, known)}")
            values[name] = value
    return values | {name: value for name, value in vars(options).items() if name in known}


def _or_none(kind: type) -> Callable[[str], Any]:
    """Converts an option's text by `kind`, `none` to None."""

    def convert(text: str) -> Any:
        return None if text.lower() in ("none", "null") else kind(text)

    convert.__name__ = kind.__name__  # argparse names it in its error
    return convert


def _fields(text: str) -> dict[str, Any]:
    """Keys and values in YAML, of which JSON is a part."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        content = None
    if not isinstance(content, dict):
        raise argparse.ArgumentTypeError(f"{text!r}: write keys and values, e.g. '{{top_p: 0.9}}'")
    return content


def _shown(default: Any) -> str:
    return " ".join(default) if isinstance(default, tuple) else str(default)
