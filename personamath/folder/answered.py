"""Sentences on which models and providers really answered, from the counts in provenance.json and run.json."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any


def answered(counts: Sequence[Mapping[str, Any]], shown: Callable[[str], str] = str) -> list[str]:
    """One sentence for each model that was asked; `shown` marks up a name.

    E.g. `asked gpt-4o-mini; answered as: gpt-4o-mini-2024-07-18 (2,946 answers)`.
    """
    return [
        f"asked {shown(asked)}; answered as: {', '.join(_each(of_it, shown))}"
        for asked, of_it in groupby(counts, itemgetter("asked"))
    ]


def _each(counts: Iterable[Mapping[str, Any]], shown: Callable[[str], str]) -> Iterable[str]:
    for one in counts:
        model = shown(one["model"]) if one["model"] else "a model that the reply does not name"
        provider = f" at {shown(one['provider'])}" if one["provider"] else ""
        answers = "1 answer" if one["answers"] == 1 else f"{one['answers']:,} answers"
        yield f"{model}{provider} ({answers})"
