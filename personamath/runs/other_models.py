"""Whether the model that answered is the one that was asked, as far as names tell."""

import re
from collections import Counter

from personamath.runs.funnel import Funnel

# What may follow the name of a model: its date or release, a preview, or a quantization.
_SAME = re.compile(
    r"(?:[-_@]?(?:preview|exp|fp8|fp16|bf16|awq|gptq|q\d\w*)|[-_:@]v?\d[\d-]*)*",
    re.IGNORECASE,
)
_NEWEST = re.compile(r"[-:]latest\Z")
# How `transformers serve` names the model that it loaded: with its revision.
_REVISION = re.compile(r"@[^/\\@]+\Z")
_FOLDERS = re.compile(r"[/\\]")


def other_models(funnel: Funnel) -> list[str]:
    """One warning for each model in whose place another one answered."""
    others: dict[str, Counter[str]] = {}
    for (asked, answered, _), count in sorted(funnel.answered_by.items()):
        if answered and not is_same_model(asked, answered):
            others.setdefault(asked, Counter())[answered] += count
    return [f"asked {asked}, but another model answered: {_named(found)}" for asked, found in others.items()]


def is_same_model(asked: str, answered: str) -> bool:
    """Whether two names may mean one model.

    They may if, without owners and folders, one is the other with a date, a release or a quantization at its
    end. A router's choice of a provider (`owner/name:provider`) counts only where both names have one.
    """
    one, other = _plain(asked), _plain(answered)
    if (":" in one) != (":" in other):
        one, other = one.partition(":")[0], other.partition(":")[0]
    return _goes_on(one, other) or _goes_on(other, one)


def _goes_on(short: str, long: str) -> bool:
    return long.startswith(short) and _SAME.fullmatch(long[len(short) :]) is not None


def _plain(name: str) -> str:
    return _NEWEST.sub("", _REVISION.sub("", _FOLDERS.split(name.lower().removesuffix(".gguf"))[-1]))


def _named(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.most_common())
