"""The paper's case studies: one row of each step, with all that it came from."""

from personamath.records import Row
from personamath.report.analysis.composition import STEP_NAMES
from personamath.report.analysis.paper import PAPER
from personamath.report.analysis.result import Analysis, Cell, Table
from personamath.report.analysis.rows import RunData
from personamath.runs.funnel import STEPS


def case_studies(data: RunData) -> Analysis:
    """Of each step the sound row of median length, with its seed problem, persona, wrong solution and review."""
    table: list[tuple[Cell, ...]] = []
    for step in STEPS:
        rows = [row for row in data.rows if row.step == step]
        if rows:
            chosen = _median([row for row in rows if row.flag is None] or rows)
            table += [(STEP_NAMES[step], part, text) for part, text in _ancestry(chosen, data) if text is not None]
    return Analysis(
        "case-studies",
        "Case studies",
        f"One row of each of the {len({row[0] for row in table})} steps that kept any, with what it came from.",
        Table(("step", "part", "text"), tuple(table)),
        None,
        f"As the case studies of {PAPER}. Of each step the row whose problem and response together have the median "
        "length among those without a flag. "
        + ("" if data.wrong is not None else "Wrong solutions are in the run's journal, which is not at hand here."),
    )


def _median(rows: list[Row]) -> Row:
    by_length = sorted(rows, key=lambda row: (len(row.problem) + len(row.response), row.id))
    return by_length[len(by_length) // 2]


def _ancestry(row: Row, data: RunData) -> list[tuple[str, str | None]]:
    rewritten = row.problem != row.seed_problem
    wrong = (data.wrong or {}).get(row.seed_id) if row.stage == 2 else None
    return [
        ("id", row.id),
        ("seed problem", row.seed_problem),
        ("persona", row.persona),
        ("rewritten problem", row.problem if rewritten else None),
        ("wrong solution of the seed problem", wrong),
        ("review", row.review),
        ("corrected explanation" if row.stage == 2 else "response", row.response),
        ("reference answer", row.answer),
    ]
