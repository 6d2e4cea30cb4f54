r"""The graders the paper released, faults included, for scores that are to be compared with the paper's.

GSM8K's reads `\boxed{1,234,567}` as 1234, rounds 3.4 to 3 and takes `\frac{7}{2}` for 7; MATH's compares normalised
strings only. Nothing else in the project uses them.
"""


def grade_paper_gsm8k(reference: str, completion: str) -> bool:
    """Verdict of the paper's GSM8K grader: the first number after the last box, rounded, is the reference."""
    raise NotImplementedError


def grade_paper_math(reference: str, completion: str) -> bool:
    """Verdict of the paper's MATH grader: the last boxed expression and the reference are one normalised string."""
    raise NotImplementedError
