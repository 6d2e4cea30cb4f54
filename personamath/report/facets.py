"""The filters of the row browser: their values, how many rows have each, and the value of every item."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from personamath.folder.counts import in_order
from personamath.methods.method import Outline
from personamath.records import Row
from personamath.report.analysis.not_kept import NotKept
from personamath.report.analysis.rows import PERSONA, RunData, text_of

NOT_KNOWN, NONE = "not known", "none"
KEPT, NOT_KEPT, ALL = "kept", "not kept", "kept and not kept"

Item = Row | NotKept
"""What the browser lists: a row of the dataset, or a request whose answer was not kept."""


def facets(items: Sequence[Item], data: RunData, occupation_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the filters. A filter's `codes` are its value of every item; a value of the filter lets its `codes` pass.

    `rows` at a value counts rows; only the outcome's also counts what was not kept, and `all` has more if the page does
    not show everything.
    """
    steps = [step_of(item, data.outline) for item in items]
    found: dict[str, tuple[str, list[str]]] = {
        "step": ("Step", steps),
        "source": ("Source", [data.label(source_of(item)) for item in items]),
        "level": ("Level", [str(level_of(item) or NONE) for item in items]),
    }
    if occupation_of:
        found["group"] = ("Persona group", [_group(item, occupation_of) for item in items])
    found["flag"] = ("Flag", [_flag(item) for item in items])
    found["overlap"] = ("Overlap", [(isinstance(item, Row) and item.overlap) or NONE for item in items])
    labels = {step.name: step.label for step in data.outline.steps}
    made = [_facet(name, label, values, items, labels) for name, (label, values) in found.items()]
    return [_outcomes(items, data), *made] if data.lost else made


def step_of(item: Item, outline: Outline) -> str:
    """Return the name of the step that a row is of, or that paid for what was not kept."""
    return item.step if isinstance(item, Row) else outline.kind(item.kind).step


def source_of(item: Item) -> str:
    """Return the source of its seed problem."""
    return item.source if isinstance(item, Row) else item.seed.source


def level_of(item: Item) -> int | None:
    """Return the level of its seed problem."""
    return item.level if isinstance(item, Row) else item.seed.level


def persona_of(item: Item) -> str | None:
    """Return the persona that its problem was rewritten for."""
    return text_of(item, PERSONA) if isinstance(item, Row) else item.persona


def _facet(
    name: str, label: str, values: Sequence[str], items: Sequence[Item], labels: Mapping[str, str]
) -> dict[str, Any]:
    present = set(values)
    order = [step for step in labels if step in present] if name == "step" else sorted(present, key=in_order)
    counts = Counter(value for value, item in zip(values, items, strict=True) if isinstance(item, Row))
    code_of = {value: code for code, value in enumerate(order)}
    return {
        "name": name,
        "label": label,
        "values": [
            {
                "value": value,
                "label": labels[value] if name == "step" else value,
                "rows": counts[value],
                "codes": [code_of[value]],
            }
            for value in order
        ],
        "codes": [code_of[value] for value in values],
    }


def _outcomes(items: Sequence[Item], data: RunData) -> dict[str, Any]:
    """Return the filter by what became of an answer; unless another value is chosen, it shows the rows that were kept.

    Its codes are 0 for a kept row and from 1 for the reasons, the most frequent first.
    """
    assert data.lost
    of_reason = Counter[str]()
    for (_, reason), count in data.lost.counts.items():
        of_reason[reason] += count
    shown = Counter(KEPT if isinstance(item, Row) else item.reason for item in items)
    reasons = [reason for reason, _ in of_reason.most_common() if shown[reason]]
    code_of = {value: code for code, value in enumerate([KEPT, *reasons])}
    return {
        "name": "outcome",
        "label": "Outcome",
        "preset": 0,
        "values": [
            _value(KEPT, shown[KEPT], [0]),
            _value(NOT_KEPT, sum(shown[reason] for reason in reasons), list(code_of.values())[1:], of_reason.total()),
            *(_value(reason, shown[reason], [code_of[reason]], of_reason[reason]) for reason in reasons),
            _value(ALL, len(items), list(code_of.values())),
        ],
        "codes": [code_of[KEPT if isinstance(item, Row) else item.reason] for item in items],
    }


def _value(value: str, rows: int, codes: Sequence[int], all: int = 0) -> dict[str, Any]:
    return {"value": value, "label": value, "rows": rows, "codes": codes, "all": max(rows, all)}


def _group(item: Item, occupation_of: Mapping[str, str]) -> str:
    persona = persona_of(item)
    return "no persona" if persona is None else occupation_of.get(persona, NOT_KNOWN)


def _flag(item: Item) -> str:
    """Return the kinds of differences in a flag: `missing 12; new 15` becomes `missing, new`."""
    flag = item.flag if isinstance(item, Row) else None
    return ", ".join(part.partition(" ")[0] for part in flag.split("; ")) if flag else NONE
