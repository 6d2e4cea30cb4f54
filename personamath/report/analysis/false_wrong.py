"""Count wrong first answers that another grader accepts, so that there may have been nothing to correct."""

import atexit
from collections import Counter
from typing import NamedTuple

from personamath.answers import extract, grade, grade_paper_gsm8k, grade_paper_math
from personamath.answers.symbolic import SymbolicWorker, is_bounded
from personamath.report.analysis.intervals import LEAST, TOO_FEW, share
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData

NAME, TITLE = "false-wrong", "Wrong answers that another grader accepts"
EXAMPLES = 20

verifier = SymbolicWorker(task="answer")
"""The process that runs math-verify by its own rule; it starts at the first answer."""
atexit.register(verifier.close)


class Verdicts(NamedTuple):
    """The verdict of each grader on one first solution that was not kept."""

    answer: str | None
    """The extracted answer; None if there is none."""
    ours: bool
    """The verdict of our current grader, which may be better than the run's."""
    math_verify: bool
    """The verdict of math-verify on the extracted answer only."""
    string: bool
    """The verdict of the paper's released rules for the source."""


def verdicts(reference: str, solution: str, source: str) -> Verdicts:
    """Run all graders on one solution."""
    answer = extract(solution)
    bounded = answer is not None and is_bounded(answer) and is_bounded(reference)
    string = grade_paper_gsm8k if source == "gsm8k" else grade_paper_math
    return Verdicts(
        answer,
        grade(reference, solution).correct,
        bounded and verifier.compare(reference, answer or "") == "equal",
        string(reference, solution),
    )


def false_wrong(data: RunData) -> Analysis | LeftOut:
    """Grade the wrong first answers of any method with all graders, and count how many problems were recovered."""
    if data.seeds is None or data.wrong is None:
        return LeftOut(NAME, TITLE, data.why_missing("wrong", "seeds"))
    if any(step.answer_in for step in data.outline.steps):
        return LeftOut(NAME, TITLE, "the method's solutions have no boxed answer that another grader could read")
    if not data.wrong:
        return LeftOut(NAME, TITLE, "no first answer was wrong")
    seeds = {seed.id: seed for seed in data.seeds}
    found = {id: verdicts(seeds[id].answer, text, seeds[id].source) for id, text in data.wrong.items()}
    recovered = {row.seed_id for row in data.rows} & found.keys()
    kinds = {
        "all": set(found),
        "without a final answer": {id for id, one in found.items() if one.answer is None},
        "right by our grader as it is now": {id for id, one in found.items() if one.ours},
        "right by math-verify": {id for id, one in found.items() if one.math_verify},
        "right by the paper's rules": {id for id, one in found.items() if one.string},
    }
    disputed = (
        kinds["right by our grader as it is now"] | kinds["right by math-verify"] | kinds["right by the paper's rules"]
    )
    kinds["right by any of the three"] = disputed
    rows: list[tuple[Cell, ...]] = [
        (
            kind,
            len(ids),
            share(len(ids), len(found))[0],
            len(ids & recovered),
            share(len(ids & recovered), len(recovered))[0],
        )
        for kind, ids in kinds.items()
    ]
    examples = "; ".join(f"{id}: {seeds[id].answer} against {found[id].answer}" for id in sorted(disputed)[:EXAMPLES])
    sources = Counter(seeds[id].source for id in found)
    bars = list(kinds)[1:]
    return Analysis(
        NAME,
        TITLE,
        f"Another grader accepts {len(disputed):,} of {len(found):,} wrong first answers, "
        f"and {len(disputed & recovered):,} of the {len(recovered):,} whose seed "
        "problem was recovered.",
        Table(
            ("first answers that were not kept", "number", "of wrong %", "recovered", "of recovered %"),
            tuple(rows),
        ),
        Chart(
            "bars",
            "wrong first answers",
            "share %",
            (Series("of the wrong", tuple(bars), tuple(len(kinds[bar]) / len(found) for bar in bars)),),
        )
        if len(found) >= LEAST
        else None,
        "A seed problem is recovered if it has a row although its first answer was wrong. The data was made with "
        "PersonaMath's grader. math-verify sees only the boxed answer, and skips answers whose size it cannot bound. "
        "The paper's rules are those of its released graders for the source, MATH's for a source of another name "
        f"({', '.join(f'{count:,} of {data.label(source)}' for source, count in sources.items())}), including their "
        r"faults: they read 3.4 as 3 in GSM8K. An answer that another grader accepts is not necessarily right."
        + (f" Reference against answer: {examples}." if examples else "")
        + f" {TOO_FEW}",
    )
