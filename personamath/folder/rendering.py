"""Fill a card's template; a missing fact is an error, never a blank on the card."""

from collections.abc import Callable, Mapping
from functools import cache

from jinja2 import Environment, StrictUndefined, Template

from personamath.folder.markdown import code, fenced, plain
from personamath.shipped import shipped

Filter = Callable[..., str]


def render(template: str, filters: Mapping[str, Filter], **facts: object) -> str:
    """Fill a template of `model_cards`; `filters` are this card's filters in addition to the common ones.

    Raises `jinja2.UndefinedError` if the template uses a fact that is not passed.
    """
    return _compiled(template, tuple(filters.items())).render(**facts)


@cache  # compiling takes longer than filling
def _compiled(template: str, filters: tuple[tuple[str, Filter], ...]) -> Template:
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    environment.filters |= {"code": code, "fenced": fenced, "plain": plain, "thousands": "{:,}".format, **dict(filters)}
    return environment.from_string((shipped("model_cards") / template).read_text(encoding="utf-8"))
