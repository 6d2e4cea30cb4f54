"""Fill a card's template; a missing fact is an error, never a blank on the card."""

from collections.abc import Callable, Mapping

from jinja2 import Environment, StrictUndefined

from personamath.folder.markdown import code, fenced, plain
from personamath.shipped import shipped


def render(template: str, filters: Mapping[str, Callable[..., str]], **facts: object) -> str:
    """Fill a template of `model_cards`; `filters` are this card's filters in addition to the common ones.

    Raises `jinja2.UndefinedError` if the template uses a fact that is not passed.
    """
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    environment.filters |= {"code": code, "fenced": fenced, "plain": plain, "thousands": "{:,}".format, **filters}
    source = (shipped("model_cards") / template).read_text(encoding="utf-8")
    return environment.from_string(source).render(**facts)
