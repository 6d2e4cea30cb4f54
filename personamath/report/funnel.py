"""The funnel as an analysis, the first thing a reader wants to know: what was asked, and what came of it."""

from collections.abc import Mapping

from personamath.folder.chart import LABELS, PASSED, passed
from personamath.report.analysis.result import Analysis, Chart, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.runs.funnel import PURPOSES


def funnel(data: RunData) -> Analysis:
    """The requests by purpose, and what they led to, from provenance.json."""
    counted = data.provenance["funnel"]
    requests: Mapping[str, Mapping[str, int]] = counted["requests"]
    asked = {purpose: sum(requests[purpose].values()) for purpose in PURPOSES}
    through = {purpose: passed(requests[purpose]) for purpose in PURPOSES}
    labels = tuple(LABELS[purpose] for purpose in PURPOSES)
    seeds = sum(counted["problems"]["seed_problems"].values())
    total = sum(asked.values())
    return Analysis(
        name="funnel",
        title="The funnel",
        finding=f"{seeds:,} seed problems became {len(data.rows):,} rows by {total:,} requests to the teacher, "
        f"of which {sum(through.values()) / total:.0%} passed."
        if total
        else "Nothing was asked.",
        table=Table(
            ("request", "asked", "passed", "passed %", "dropped"),
            tuple(
                (
                    LABELS[purpose],
                    asked[purpose],
                    through[purpose],
                    through[purpose] / asked[purpose] if asked[purpose] else None,
                    _reasons(requests[purpose]),
                )
                for purpose in PURPOSES
            ),
        ),
        chart=Chart(
            "bars",
            "",
            "requests",
            (
                Series("asked", labels, tuple(map(float, asked.values()))),
                Series("passed: kept, or a usable rewrite", labels, tuple(map(float, through.values()))),
            ),
        ),
        note="Counted by the run, in provenance.json. Only what passes is asked the next question; a request that was "
        "dropped is counted under its reason, and no attempt is lost in between.",
    )


def _reasons(outcomes: Mapping[str, int]) -> str:
    dropped = [(-count, reason) for reason, count in outcomes.items() if reason not in PASSED]
    return ", ".join(f"{-count:,} {reason}" for count, reason in sorted(dropped)) or "none"
