"""What each step kept of what it tried, next to the shares that the paper's table 2 implies."""

from typing import NamedTuple

from personamath.folder.used_sources import published_names, used_problems
from personamath.methods.estimates import ASSUMED_SOLVED, PAPER_RECOVERED, PAPER_SOLVED
from personamath.methods.stages import INFERENCE, REFLECTION
from personamath.report.analysis.rows import RunData
from personamath.sources.problems import SOURCES


class PaperShare(NamedTuple):
    """A share that follows from the paper's counts."""

    share: float
    problems: str
    """The problems that it is of, e.g. `GSM8K and MATH`."""


class StepShare(NamedTuple):
    """What a step kept."""

    name: str
    label: str
    kept: int
    """Rows."""
    tried: int
    """Requests that could each become a row: for a rewrite the rewriting one, also if it was dropped."""
    paper: PaperShare | None
    """None if the paper reports no such share, as for rewrites, whose number it does not state."""


def whole_rows(data: RunData) -> int | None:
    """Return how many rows the dataset has that this is a part of, and whose requests are counted; None if whole."""
    facts = data.provenance
    rows: int | None = facts["mixed"]["parent"]["rows"] if "mixed" in facts else facts.get("marked", {}).get("rows")
    return None if rows == len(data.rows) else rows


def step_shares(data: RunData) -> list[StepShare]:
    """Return the steps that tried anything, in the order of the method; none for a part of a dataset."""
    if whole_rows(data) is not None:
        return []
    requests = data.provenance["funnel"]["requests"]
    found = []
    for step in data.outline.steps:
        own = {kind.name for kind in data.outline.kinds if kind.step == step.name}
        first = [kind.name for kind in data.outline.kinds if kind.name in own and kind.after not in own]
        tried = sum(sum(requests[name].values()) for name in first)
        kept = sum(row.step == step.name for row in data.rows)
        if tried:
            # At least the existing rows: the rows of a mix may come from several runs.
            found.append(StepShare(step.name, step.label, kept, max(tried, kept), _paper(step.name, data)))
    return found


def _paper(step: str, data: RunData) -> PaperShare | None:
    if step == REFLECTION:
        return PaperShare(PAPER_RECOVERED, _both())
    if step != INFERENCE:
        return None
    names = published_names(data.provenance)
    used = {names.get(source.name) for source in used_problems(data.provenance)}
    if len(used) == 1 and (only := used.pop()) in PAPER_SOLVED:
        return PaperShare(PAPER_SOLVED[only], SOURCES[only])
    return PaperShare(ASSUMED_SOLVED, _both())


def _both() -> str:
    return " and ".join(SOURCES[name] for name in PAPER_SOLVED)
