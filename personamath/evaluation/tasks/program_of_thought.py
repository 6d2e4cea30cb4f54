"""Scores of models that write programs: what the program prints, else the answer of the chain of thought.

Programs run in the sandbox of `personamath.programs`, one after another; lm-eval asks for the user's permission first.
"""

from collections.abc import Callable, Sequence

from personamath.answers import grade, is_right_output
from personamath.evaluation.tasks.metrics import Doc, Marks
from personamath.programs.reading import Program, read_program
from personamath.programs.sandbox import Result, run_program


def program_first(doc: Doc, completions: Sequence[str], run: Callable[[str], Result] = run_program) -> Marks:
    """Grade the completion of the trained prompt, whose program is run, and that of the prompt for a chain of thought.

    `by_program` is whether a program printed something, `boxed` whether there is an answer at all. A program that
    prints a wrong answer is wrong: nothing else is tried.
    """
    program = read_program(completions[0])
    if isinstance(program, Program) and (result := run(program.source)).outcome == "ended":
        return {"exact_match": float(is_right_output(doc["answer"], result.line)), "by_program": 1.0, "boxed": 1.0}
    graded = [grade(doc["answer"], completion) for completion in completions]
    first = next((one for one in graded if one.answer is not None), graded[-1])
    return {"exact_match": float(first.correct), "by_program": 0.0, "boxed": float(first.answer is not None)}
