"""Summarize the columns `flag` and `overlap`, and the blind solves of rewrites."""

from collections import Counter

from personamath.folder.overlap import RULES
from personamath.records import Row
from personamath.report.analysis.intervals import TOO_FEW, share
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.runs.opinions import Opinion, tally

KINDS = ("missing", "new", "changed")


def fidelity(data: RunData) -> Analysis | LeftOut:
    """Count rewrites that lack a part of their seed problem or add to it; for methods that rewrite."""
    name, title = "fidelity", "Do the rewrites preserve their problems?"
    rewritten = [row for row in data.rows if row.step in data.rewriting]
    if not rewritten:
        return LeftOut(name, title, "nothing was rewritten")
    groups: dict[str, list[Row]] = {"all": rewritten}
    for row in rewritten:
        for group in (data.step_label(row.step), data.label(row.source)):
            groups.setdefault(group, []).append(row)
    rows: list[tuple[Cell, ...]] = []
    for group, members in groups.items():
        kinds = Counter(kind for row in members for kind in _kinds(row))
        flagged = sum(row.flag is not None for row in members)
        shares = (share(kinds[kind], len(members))[0] for kind in KINDS)
        rows.append((group, len(members), flagged, *share(flagged, len(members)), *shares))
    examples = "; ".join(f"{row.id} ({row.flag})" for row in [row for row in rewritten if row.flag][:5])
    return Analysis(
        name,
        title,
        f"{rows[0][2]:,} of {len(rewritten):,} kept rewrites are flagged: a number, formula or drawing is missing, "
        "new or changed.",
        Table(
            ("rewrites", "number", "flagged", "flagged %", "low %", "high %", *(f"{kind} %" for kind in KINDS)),
            tuple(rows),
        ),
        _chart("flagged", rows, 3),
        "The numbers and formulas of a rewrite are compared with its seed problem's in any notation. The column `flag` "
        "lists the differences, and the config `strict` leaves flagged rows out. Words are not compared. A kept "
        "rewrite still has the seed problem's answer, so many flagged rewrites are harmless. Intervals: 95 %, Wilson's."
        f" {TOO_FEW}" + (f" Examples: {examples}." if examples else ""),
    )


def second_opinion(data: RunData) -> Analysis | LeftOut:
    """Count rewrites whose blind solves reach their seed problem's answer; for methods that rewrite."""
    name, title = "second-opinion", "Do blind solves of the rewrites reach the same answer?"
    groups: dict[str, list[Opinion]] = {"flagged": [], "not flagged": []}
    for row in data.rows:
        opinion = (data.opinions or {}).get(row.id)
        if opinion and opinion.solves and opinion.request == row.request:
            groups["flagged" if row.flag else "not flagged"].append(opinion)
    rows: list[tuple[Cell, ...]] = []
    for group, opinions in groups.items():
        if opinions:
            counts = tally(opinions)
            most, (none, *_) = share(counts.majority, counts.solved), share(counts.none, counts.solved)
            rows.append((group, counts.solved, counts.majority, *most, counts.none, none))
    if not rows:
        return LeftOut(
            name, title, "there are no blind solves: run `personamath opinion RUN`, then `personamath report RUN`"
        )
    return Analysis(
        name,
        title,
        f"{rows[0][2]:,} of {rows[0][1]:,} {rows[0][0]} rewrites reach the seed problem's answer in most blind solves, "
        f"{rows[0][6]:,} never do.",
        Table(
            ("rewrites", "solved again", "most right", "most right %", "low %", "high %", "none right", "none right %"),
            tuple(rows),
        ),
        _chart("most right", rows, 3),
        "The run's teacher solved these rewrites again with the inference prompt, without seeing the answer. If more "
        "than half of the solves are right, the rewrite probably still asks the same problem, even if it is flagged. "
        "If none is right, it may be another problem, or too hard for the teacher. Solves that were cut short do not "
        f"count. Intervals: 95 %, Wilson's. {TOO_FEW}",
    )


def contamination(data: RunData) -> Analysis | LeftOut:
    """Count rows of any method that overlap with test problems, by the strongest rule that holds."""
    name, title = "contamination", "Overlap with test problems"
    if not data.provenance.get("benchmarks"):
        return LeftOut(
            name, title, "the rows were not compared with test problems: run `augment` with --benchmark, e.g. math:PATH"
        )
    steps = list(dict.fromkeys(row.step for row in data.rows))
    counts = Counter((row.step, row.overlap) for row in data.rows)
    rows: list[tuple[Cell, ...]] = []
    for rule in RULES:
        here = [counts[step, rule] for step in steps]
        seeds = len({row.seed_id for row in data.rows if row.overlap == rule})
        rows.append((rule, sum(here), share(sum(here), len(data.rows))[0], seeds, *here))
    involved = sum(row.overlap is not None for row in data.rows)
    seeds = len({row.seed_id for row in data.rows if row.overlap})
    compared = ", ".join(str(source["source"]) for source in data.provenance["benchmarks"])
    return Analysis(
        name,
        title,
        f"{involved:,} of {len(data.rows):,} rows, from {seeds:,} seed problems, overlap with a test problem of "
        f"{compared}.",
        Table(("rule", "rows", "of all %", "seed problems", *map(data.step_label, steps)), tuple(rows)),
        Chart(
            "bars",
            "rule",
            "rows",
            tuple(
                Series(data.step_label(step), RULES, tuple(float(counts[step, rule]) for rule in RULES))
                for step in steps
            ),
        ),
        "Each row's seed problem and problem are compared with the test problems by three rules: equal after white "
        "space is collapsed; equal after runs of digits are masked too; or 13 words in a row in common, in lower case. "
        "The first rule that holds counts. The config `clean` leaves overlapping rows out. These rules do not find a "
        "paraphrase.",
    )


def _chart(name: str, rows: list[tuple[Cell, ...]], column: int) -> Chart | None:
    """Draw the shares in a column, with the intervals in the next two; None if none has enough rows."""
    enough = [row for row in rows if row[column] is not None]
    series = Series.of_rows(name, enough, 0, column, column + 1, column + 2)
    return Chart("bars", "rewrites", f"{name} %", (series,)) if enough else None


def _kinds(row: Row) -> set[str]:
    """Return the kinds of differences in a row's flag."""
    return {part.split(" ", 1)[0] for part in (row.flag or "").split("; ")} & set(KINDS)
