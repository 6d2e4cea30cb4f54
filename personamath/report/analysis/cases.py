"""The paper's case studies: one row of each step with its whole ancestry."""

from personamath.records import Row
from personamath.report.analysis.paper import PAPER
from personamath.report.analysis.result import Analysis, Cell, Table
from personamath.report.analysis.rows import PERSONA, REVIEW, RunData, other_columns, text_of


def case_studies(data: RunData) -> Analysis:
    """Show, for each step of any method, the unflagged row of median length, its seed problem and all steps between."""
    table: list[tuple[Cell, ...]] = []
    for step in data.outline.steps:
        rows = [row for row in data.rows if row.step == step.name]
        if rows:
            chosen = _median([row for row in rows if row.flag is None] or rows)
            table += [(step.label, part, text) for part, text in _ancestry(chosen, data) if text is not None]
    steps = len({row[0] for row in table})
    return Analysis(
        "case-studies",
        "Case studies",
        f"One row of each of the {steps} steps that kept any, with its ancestry."
        if steps > 1
        else "One row with its ancestry.",
        Table(("step", "part", "text"), tuple(table)),
        None,
        f"Like the case studies of {PAPER}. Each step shows the row without a flag whose problem and response together "
        "have the median length."
        + ("" if data.wrong is not None else " Wrong solutions are missing here, because they need the run's journal."),
    )


def _median(rows: list[Row]) -> Row:
    by_length = sorted(rows, key=lambda row: (len(row.problem) + len(row.response), row.id))
    return by_length[len(by_length) // 2]


def _ancestry(row: Row, data: RunData) -> list[tuple[str, str | None]]:
    corrected, rewritten = row.step in data.correcting, row.step in data.rewriting
    return [
        ("id", row.id),
        ("seed problem", row.seed_problem),
        ("persona", text_of(row, PERSONA)),
        *other_columns(row, data.outline).items(),
        ("rewritten problem" if rewritten else "problem", row.problem if row.problem != row.seed_problem else None),
        ("wrong solution of the seed problem", (data.wrong or {}).get(row.seed_id) if corrected else None),
        ("review", text_of(row, REVIEW)),
        ("corrected explanation" if corrected else "response", row.response),
        ("reference answer", row.answer),
    ]
