"""What of a dataset needs attention first: problems that a reader should know of before using it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from personamath.methods.work import CUT_SHORT, FAILED, NOT_ASKED, PASSED, WRONG
from personamath.report.analysis.intervals import LEAST, wilson
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.steps import StepShare
from personamath.report.wording import number_of

CUT_OFF = CUT_SHORT["length"]
MANY_CUT_OFF = 0.05
"""Above this share of answers that were cut off, raising the limit of tokens gains rows."""
MANY_DROPPED = 0.2
"""Above this share of one kind's requests, a single reason for dropping them is worth a look at the prompt."""
SHOWN = 5
"""More sentences would not come first."""


class Attention(NamedTuple):
    """One thing to know first."""

    text: str
    """A sentence with the remedy."""
    link: str | None = None
    """The fragment of the page that shows it; None if nothing does."""


def attention(data: RunData, shares: Sequence[StepShare]) -> tuple[Attention, ...]:
    """Return what needs attention, the most important first."""
    found = [*_unanswered(data), *_overlap(data), *_below_the_paper(shares), *_flagged(data), *_requests(data)]
    return tuple(found[:SHOWN])


def _unanswered(data: RunData) -> Iterator[Attention]:
    missing = sum(of.get(FAILED, 0) + of.get(NOT_ASKED, 0) for of in _requests_of(data).values())
    if missing:
        text = (
            f"There is no answer yet to {number_of(missing, 'request')}: "
            "run the same `personamath augment` command again."
        )
        yield Attention(text, "funnel")


def _overlap(data: RunData) -> Iterator[Attention]:
    overlapping = sum(row.overlap is not None for row in data.rows)
    if overlapping:
        yield Attention(
            f"Test problems overlap with {number_of(overlapping, 'row')}: "
            "train on the config `clean`, which has no such row.",
            "contamination",
        )
    elif not data.provenance.get("benchmarks"):
        yield Attention(
            "The rows were not compared with test problems: give `personamath report` the option `--benchmark math`, "
            "or that of your own test.",
            "left-out",
        )


def _below_the_paper(shares: Sequence[StepShare]) -> Iterator[Attention]:
    for step in shares:
        if step.paper and step.tried >= LEAST:
            share, low, high = wilson(step.kept, step.tried)
            if high < step.paper.share:
                yield Attention(
                    f"{step.label} keeps {share:.0%} of its tries (95% interval: {low:.0%} to {high:.0%}); in the "
                    f"paper it keeps {step.paper.share:.0%} on {step.paper.problems}. The teacher is weaker than the "
                    "paper's, or the problems are harder.",
                    "funnel",
                )


def _flagged(data: RunData) -> Iterator[Attention]:
    rewritten = [row for row in data.rows if row.step in data.rewriting]
    flagged = sum(row.flag is not None for row in rewritten)
    if flagged:
        yield Attention(
            f"{flagged:,} of {number_of(len(rewritten), 'rewrite')} {'is' if flagged == 1 else 'are'} flagged, because "
            "a number, formula or drawing differs from the seed problem's: read some, or train on the config `strict`, "
            "which leaves them out.",
            "fidelity",
        )


def _requests(data: RunData) -> Iterator[Attention]:
    """Find what took most requests: a reason that drops many of one kind, and answers that were cut off."""
    requests = _requests_of(data)
    drops = [
        (count / sum(of.values()), count, kind, reason)
        for kind, of in requests.items()
        for reason, count in of.items()
        if reason not in (*PASSED, WRONG, FAILED, NOT_ASKED, CUT_OFF) and sum(of.values()) >= LEAST
    ]
    if drops and (largest := max(drops))[0] > MANY_DROPPED:
        _, count, kind, reason = largest
        label, asked = data.outline.label(data.outline.kind(kind)), sum(requests[kind].values())
        yield Attention(
            f"{label}: {count:,} of {asked:,} answers were dropped for one reason, `{reason}`: read a few to see why.",
            f"rows?outcome={quote(reason)}" if data.lost else "funnel",
        )
    asked, cut = (
        sum(sum(of.values()) for of in requests.values()),
        sum(of.get(CUT_OFF, 0) for of in requests.values()),
    )
    if asked >= LEAST and cut / asked > MANY_CUT_OFF:
        yield Attention(f"{cut:,} of {asked:,} answers were cut off: raise `--max-tokens`.", "funnel")


def _requests_of(data: RunData) -> Mapping[str, Mapping[str, int]]:
    requests: Mapping[str, Mapping[str, int]] = data.provenance["funnel"]["requests"]
    return requests
