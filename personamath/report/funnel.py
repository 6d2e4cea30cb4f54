"""The funnel as an analysis: the requests to the teacher and their outcomes. The report begins with it."""

from collections.abc import Mapping

from personamath.folder.funnel_chart import passed
from personamath.methods.work import PASSED
from personamath.report.analysis.intervals import TOO_FEW, share
from personamath.report.analysis.result import Analysis, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.steps import whole_rows
from personamath.report.wording import number_of


def funnel(data: RunData) -> Analysis | LeftOut:
    """Count the requests of any method by kind and outcome, from provenance.json."""
    name, title = "funnel", "The funnel"
    if not data.outline.kinds:
        return LeftOut(name, title, f"the method {data.outline.method!r} asks no teacher")
    counted = data.provenance["funnel"]
    requests: Mapping[str, Mapping[str, int]] = counted["requests"]
    kinds = data.outline.kinds
    asked = {kind.name: sum(requests[kind.name].values()) for kind in kinds}
    through = {kind.name: passed(requests[kind.name]) for kind in kinds}
    labels = tuple(data.outline.label(kind) for kind in kinds)
    seeds = sum(counted["problems"]["seed_problems"].values())
    total = sum(asked.values())
    so_far = "So far, " if data.unfinished else ""
    whole = whole_rows(data)
    rows = number_of(len(data.rows) if whole is None else whole, "row")
    part = "" if whole is None else f" This dataset is a part of these: {number_of(len(data.rows), 'row')}."
    return Analysis(
        name=name,
        title=title,
        finding=f"{so_far}{number_of(seeds, 'seed problem')} became {rows} with {number_of(total, 'request')} to the "
        f"teacher, of which {sum(through.values()) / total:.0%} passed.{part}"
        if total
        else "Nothing was asked.",
        table=Table(
            ("request", "the teacher is asked to", "asked", "passed", "passed %", "dropped"),
            tuple(
                (
                    label,
                    kind.says,
                    asked[kind.name],
                    through[kind.name],
                    share(through[kind.name], asked[kind.name])[0],
                    _reasons(requests[kind.name]),
                )
                for label, kind in zip(labels, kinds, strict=True)
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
        note="The funnel shows how many requests of each kind passed, that is, led to a kept row or a usable rewrite. "
        "Only these lead to a next request. A dropped request is counted under its reason, so no request goes "
        "uncounted. The run wrote these counts to provenance.json. " + TOO_FEW,
    )


def _reasons(outcomes: Mapping[str, int]) -> str:
    dropped = [(-count, reason) for reason, count in outcomes.items() if reason not in PASSED]
    return ", ".join(f"{-count:,} {reason}" for count, reason in sorted(dropped)) or "none"
