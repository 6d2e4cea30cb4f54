"""What the columns `flag` and `overlap` come to: rewrites that strayed, how they are solved, rows in test sets."""

from collections import Counter

from personamath.folder.overlap import RULES
from personamath.records import Row
from personamath.report.analysis.intervals import wilson
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.runs.opinions import Opinion, tally

KINDS = ("missing", "new", "changed")


def fidelity(data: RunData) -> Analysis | LeftOut:
    """How many rewrites lack something of their seed problem or add something to it; for methods that rewrite."""
    name, title = "fidelity", "Did the rewrites keep their problems?"
    rewritten = [row for row in data.rows if row.step in data.rewriting]
    if not rewritten:
        return LeftOut(name, title, "nothing was rewritten")
    groups: dict[str, list[Row]] = {"all": rewritten}
    for row in rewritten:
        for group in (row.step, row.source):
            groups.setdefault(group, []).append(row)
    rows: list[tuple[Cell, ...]] = []
    for group, members in groups.items():
        kinds = Counter(kind for row in members for kind in _kinds(row))
        flagged = wilson(sum(row.flag is not None for row in members), len(members))
        rows.append((group, len(members), *flagged, *(kinds[kind] / len(members) for kind in KINDS)))
    examples = "; ".join(f"{row.id} ({row.flag})" for row in [row for row in rewritten if row.flag][:5])
    return Analysis(
        name,
        title,
        f"{rows[0][2]:.1%} of {len(rewritten):,} kept rewrites are flagged: a number, formula or drawing is missing, "
        "new or changed.",
        Table(("rewrites", "number", "flagged %", "low %", "high %", *(f"{kind} %" for kind in KINDS)), tuple(rows)),
        Chart("bars", "rewrites", "flagged %", (Series.of_rows("flagged", rows, 0, 2, 3, 4),)),
        "Numbers and formulas of a rewrite are held against its seed problem's, whatever they are written as; the "
        "column `flag` says what strayed, and the config `strict` leaves those rows out. Words are not judged. A "
        "kept rewrite has the seed problem's answer all the same, so much of what is flagged is harmless. "
        "Intervals: 95 %, Wilson's." + (f" Examples: {examples}." if examples else ""),
    )


def second_opinion(data: RunData) -> Analysis | LeftOut:
    """How many rewrites are solved blindly to their seed problem's answer; for methods that rewrite."""
    name, title = "second-opinion", "Are the rewrites solved to the same answer again?"
    groups: dict[str, list[Opinion]] = {"flagged": [], "not flagged": []}
    for row in data.rows:
        opinion = (data.opinions or {}).get(row.id)
        if opinion and opinion.solves and opinion.request == row.request:
            groups["flagged" if row.flag else "not flagged"].append(opinion)
    rows: list[tuple[Cell, ...]] = []
    for group, opinions in groups.items():
        if opinions:
            counts = tally(opinions)
            most = wilson(counts.majority, counts.solved)
            rows.append((group, counts.solved, counts.majority, *most, counts.none, counts.none / counts.solved))
    if not rows:
        return LeftOut(
            name, title, "nobody asked: `personamath opinion RUN` does; then give `personamath report` that run"
        )
    return Analysis(
        name,
        title,
        f"{rows[0][2]:,} of {rows[0][1]:,} {rows[0][0]} rewrites reach the seed problem's answer in most blind solves, "
        f"{rows[0][6]:,} in none.",
        Table(
            ("rewrites", "solved again", "most right", "most right %", "low %", "high %", "none right", "none right %"),
            tuple(rows),
        ),
        Chart("bars", "rewrites", "most right %", (Series.of_rows("most right", rows, 0, 3, 4, 5),)),
        "The run's own teacher solved these rewrites anew by the inference prompt, without an answer to reach. Where "
        "more than half of the solves are right, the problem is probably kept, whatever its flag says; where none is, "
        "it may be another problem, or one too hard for the teacher. Solves that were cut short do not count. "
        "Intervals: 95 %, Wilson's.",
    )


def contamination(data: RunData) -> Analysis | LeftOut:
    """How many rows of any method overlap with test problems, by the strongest rule that holds."""
    name, title = "contamination", "Overlap with test problems"
    if not data.provenance.get("benchmarks"):
        return LeftOut(
            name, title, "the rows were compared with no test problems: give `augment` a --benchmark, e.g. math:PATH"
        )
    steps = list(dict.fromkeys(row.step for row in data.rows))
    counts = Counter((row.step, row.overlap) for row in data.rows)
    rows: list[tuple[Cell, ...]] = []
    for rule in RULES:
        here = [counts[step, rule] for step in steps]
        seeds = len({row.seed_id for row in data.rows if row.overlap == rule})
        rows.append((rule, sum(here), sum(here) / len(data.rows), seeds, *here))
    involved = sum(row.overlap is not None for row in data.rows)
    seeds = len({row.seed_id for row in data.rows if row.overlap})
    compared = ", ".join(str(source["source"]) for source in data.provenance["benchmarks"])
    return Analysis(
        name,
        title,
        f"{involved:,} of {len(data.rows):,} rows ({involved / len(data.rows):.1%}), from {seeds:,} seed problems, "
        f"overlap with a test problem of {compared}.",
        Table(("rule", "rows", "of all %", "seed problems", *steps), tuple(rows)),
        Chart(
            "bars",
            "rule",
            "rows",
            tuple(Series(step, RULES, tuple(float(counts[step, rule]) for rule in RULES)) for step in steps),
        ),
        "Each row's seed problem and problem are looked up: equal once white space is collapsed; equal once runs of "
        "digits are masked as well; 13 words in a row in common, in lower case. The first rule that holds counts. "
        "The config `clean` leaves those rows out. What is worded anew is found by no such rule.",
    )


def _kinds(row: Row) -> set[str]:
    """What a flag tells of."""
    return {part.split(" ", 1)[0] for part in (row.flag or "").split("; ")} & set(KINDS)
