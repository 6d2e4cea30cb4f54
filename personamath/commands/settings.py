"""Options from dataclasses: one for each annotated field, and the same keys in YAML; the command line wins."""

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

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


def settings_of(cls: type) -> list[Setting]:
    """The fields of a dataclass whose annotations carry their help: `Annotated[int, "help"]`, perhaps with a group."""
    found = []
    hints = get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        hint, *texts = get_args(hints[field.name]) or (hints[field.name],)
        if not texts or not isinstance(texts[0], str):
            continue  # no option, such as a recipe's method
        many = get_origin(hint) is tuple
        choices = get_args(hint) if get_origin(hint) is Literal else None
        kinds = [part for part in get_args(hint) or [hint] if part not in (NoneType, Ellipsis)]
        kind = str if choices else kinds[0]
        group = texts[1] if len(texts) > 1 else None
        found.append(Setting(field.name, kind, many, choices, texts[0], group, field.default))
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
        type=setting.kind,
        action="append" if setting.many else "store",
        choices=setting.choices,
        metavar=None if setting.choices else {int: "N", float: "X", str: setting.name.upper()}[setting.kind],
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
            if value is not None:  # an empty key leaves the default
                values[name] = value
    return values | {name: value for name, value in vars(options).items() if name in known}


def _shown(default: Any) -> str:
    return " ".join(default) if isinstance(default, tuple) else str(default)
