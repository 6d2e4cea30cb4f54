"""The funnel as an analysis, the first thing a reader wants to know: what was asked, and what came of it."""

from collections.abc import Mapping

from personamath.folder.chart import passed
from personamath.methods.work import PASSED
from personamath.report.analysis.result import Analysis, Chart, Series, Table
from personamath.report.analysis.rows import RunData


def funnel(data: RunData) -> Analysis:
    """The requests of any method by kind, and what they led to, from provenance.json."""
    counted = data.provenance["funnel"]
    requests: Mapping[str, Mapping[str, int]] = counted["requests"]
    kinds = data.outline.kinds
    asked = {kind.name: sum(requests[kind.name].values()) for kind in kinds}
    through = {kind.name: passed(requests[kind.name]) for kind in kinds}
    labels = tuple(kind.says for kind in kinds)
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
                    kind.says,
                    asked[kind.name],
                    through[kind.name],
                    through[kind.name] / asked[kind.name] if asked[kind.name] else None,
                    _reasons(requests[kind.name]),
                )
                for kind in kinds
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
