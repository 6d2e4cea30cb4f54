"""Filling a card's template: a fact that is missing is an error, never an empty place on the card."""

from collections.abc import Callable, Mapping
from importlib.resources import files as resources

from jinja2 import Environment, StrictUndefined

from personamath.folder.markdown import code, fenced


def render(template: str, filters: Mapping[str, Callable[..., str]], **facts: object) -> str:
    """Fill a template of `model_cards`; `filters` are those of this card beside the common ones.

    Raises `jinja2.UndefinedError` for a fact that the template asks for and nobody gave.
    """
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    environment.filters |= {"code": code, "fenced": fenced, "thousands": "{:,}".format, **filters}
    source = (resources("model_cards") / template).read_text(encoding="utf-8")
    return environment.from_string(source).render(**facts)
