"""The paper's case studies: one row of each step, before and after, with its whole ancestry."""

from collections.abc import Iterator
from typing import NamedTuple

from personamath.methods.method import Step
from personamath.records import Row
from personamath.report.analysis.paper import PAPER
from personamath.report.analysis.result import Analysis, Cell, Table
from personamath.report.analysis.rows import PERSONA, REVIEW, RunData, other_columns, text_of

NAME = "case-studies"
SHORT_TEXT = 300
"""Characters of one of the method's own columns that fit into a line above the texts; a longer one is folded."""


class Part(NamedTuple):
    """A text that belongs to a row."""

    title: str
    text: str | None
    """None if it is not available."""


class Case(NamedTuple):
    """A row of a step: what the step got, and what it made of it."""

    step: Step
    row: Row
    facts: tuple[Part, ...]
    """Short texts that explain the row, such as the persona."""
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    more: tuple[Part, ...]
    """Texts that are not needed to see what the step did."""


def cases(data: RunData) -> list[Case]:
    """Choose one row for each step that kept any.

    It is the row of median length among those without a flag and without an overlap, so it is neither the best nor the
    worst; the same rows give the same choice. Steps that change a text come before those that only solve a problem.
    """
    found = []
    for step in data.outline.steps:
        rows = [row for row in data.rows if row.step == step.name]
        if rows:
            sound = [row for row in rows if row.flag is None and row.overlap is None]
            found.append(_case(step, _median(sound or rows), data))
    return sorted(found, key=lambda case: _only_solves(case, data))


def case_studies(data: RunData) -> Analysis:
    """Show the chosen row of each step with its seed problem and all steps between, as a table."""
    chosen = cases(data)
    table: list[tuple[Cell, ...]] = [
        (case.step.label, title, text) for case in chosen for title, text in _ancestry(case) if text is not None
    ]
    return Analysis(
        NAME,
        "Before and after",
        f"One row of each of the {len(chosen)} steps that kept any, with what it was made from."
        if len(chosen) > 1
        else "One row, with what it was made from.",
        Table(("step", "part", "text"), tuple(table)),
        None,
        f"Like the case studies of {PAPER}. Each step shows the row of median length, problem and response together, "
        "of its rows without a flag and without an overlap."
        + (
            ""
            if data.wrong is not None or not data.correcting
            else " Wrong solutions are missing here, because they need the run's journal."
        ),
    )


def _only_solves(case: Case, data: RunData) -> bool:
    return case.row.problem == case.row.seed_problem and case.step.name not in data.correcting


def _median(rows: list[Row]) -> Row:
    by_length = sorted(rows, key=lambda row: (len(row.problem) + len(row.response), row.id))
    return by_length[len(by_length) // 2]


def _case(step: Step, row: Row, data: RunData) -> Case:
    corrected, reworded = step.name in data.correcting, row.problem != row.seed_problem
    columns = [Part(name, text) for name, text in other_columns(row, data.outline).items()]
    facts = [Part("persona", text_of(row, PERSONA)), *(part for part in columns if len(part.text or "") <= SHORT_TEXT)]
    long = [part for part in columns if len(part.text or "") > SHORT_TEXT]
    seed = Part("seed problem", row.seed_problem)
    wrong = Part("wrong solution of the seed problem", (data.wrong or {}).get(row.seed_id))
    review = Part("review", text_of(row, REVIEW))
    response = Part("corrected explanation" if corrected else "response", row.response)
    tried = [wrong, *_known(review)] if corrected else []
    if reworded:
        before, after = [seed], [Part("rewritten problem" if step.rewrites else "problem", row.problem)]
        more = [*long, *tried, response]
    elif corrected:
        before, after, more = [seed, wrong], [*_known(review), response], long
    else:
        before, after, more = [seed], [response], long
    return Case(step, row, tuple(_known(*facts)), tuple(before), tuple(after), tuple(more))


def _known(*parts: Part) -> list[Part]:
    return [part for part in parts if part.text is not None]


def _ancestry(case: Case) -> Iterator[Part]:
    yield Part("id", case.row.id)
    yield from case.before[:1]
    yield from case.facts
    yield from case.before[1:]
    yield from case.after
    yield from case.more
    yield Part("reference answer", case.row.answer)
