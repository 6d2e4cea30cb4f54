"""Find the final answer of a completion, and compare it with the reference answer."""

from personamath.answers.extraction import extract
from personamath.answers.grading import Grade, equivalent, grade
from personamath.answers.outputs import boxed_output, is_float_of, is_right_output
from personamath.answers.paper import grade_paper_gsm8k, grade_paper_math
from personamath.answers.pool import Grader

__all__ = [
    "Grade",
    "Grader",
    "boxed_output",
    "equivalent",
    "extract",
    "grade",
    "grade_paper_gsm8k",
    "grade_paper_math",
    "is_float_of",
    "is_right_output",
]
