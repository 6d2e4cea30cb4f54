r"""The process that runs math-verify: pairs come in on stdin, outcomes go out on stdout, one JSON line each.

Run as a script, by path, so that starting one imports neither the package nor the caller's `__main__`. It ends when
its stdin closes, which the system does when the parent ends, however it ends. It is warm before it says that it is
ready, and each pair is decided in a child of its own, which has all that is imported and none of what other pairs left
behind. The child's limit is of CPU time, so that an outcome does not depend on how busy the machine is.
"""

import faulthandler
import json
import logging
import os
import signal
import sys
import warnings
from typing import Any

MEMORY_LIMIT = 400 * 2**20
"""Bytes of data a pair may hold; beyond them it fails with MemoryError instead of taking the machine."""

GRACE = 2.0
"""Seconds after the limit at which a worker that cannot fork ends itself, even inside a computation."""

DIGITS = 60
"""Digits in which a difference is computed that cannot be simplified."""
NOISE = 1e-40
"""Size of such a difference that is zero."""

WARM_UP = [
    (r"\frac{1}{3}", r"\int_0^1 x^2 dx"),
    ("6", r"\sum_{k=1}^{3} k"),
    ("24", r"\prod_{k=1}^{4} k"),
    ("1", r"\lim_{x\to 0}\frac{\sin x}{x}"),
    ("2x", r"\frac{d}{dx}x^2"),
    (r"\frac{n(n+1)}{2}", r"\sum_{k=1}^{n} k"),
    ("0.5", r"\sqrt{2}"),
    ("(1,2)", "x=1,y=2"),
]
"""Pairs that load what is loaded at first use."""

OUTCOMES = {0: "equal", 1: "different"}
"""What the exit status of a pair's child means."""


def limit_memory() -> None:
    """Bound this process's data where the platform can."""
    try:
        import resource
    except ImportError:
        return  # Windows
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))


def main() -> None:
    """Answer pairs until stdin closes; the arguments are what is compared, and the CPU seconds a pair may take."""
    task, limit = sys.argv[1], float(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it then closes our stdin
    limit_memory()
    # What the libraries print must not mix with the outcomes.
    outcomes = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for pair in WARM_UP:
        are_equal(task, *pair)
    print("ready", file=outcomes, flush=True)
    for line in sys.stdin:
        reference, text = json.loads(line)
        decide = outcome_in_child if hasattr(os, "fork") else outcome_here
        print(json.dumps(decide(task, reference, text, limit)), file=outcomes, flush=True)


def outcome_in_child(task: str, reference: str, text: str, limit: float) -> str:
    """The outcome of a pair, decided in a child that the system ends at its limit of CPU time."""
    child = os.fork()
    if child == 0:
        # Not caught, the signal ends the process at once, also deep inside a computation that never yields to Python.
        signal.setitimer(signal.ITIMER_PROF, limit)
        os._exit(0 if are_equal(task, reference, text) else 1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return "timed out"
    return OUTCOMES.get(os.waitstatus_to_exitcode(status), "worker ended")


def outcome_here(task: str, reference: str, text: str, limit: float) -> str:
    """The outcome of a pair, decided in this process, whose parent keeps the time."""
    faulthandler.dump_traceback_later(limit + GRACE, exit=True)
    equal = are_equal(task, reference, text)
    faulthandler.cancel_dump_traceback_later()
    return "equal" if equal else "different"


def are_equal(task: str, reference: str, text: str) -> bool:
    """Whether two are equal; what fails is not."""
    from math_verify import parse, verify

    try:
        texts = (rf"\boxed{{{reference}}}", text if task == "completion" else rf"\boxed{{{text}}}")
        gold, answer = (parse(text, parsing_timeout=None, **parse_options(task)) for text in texts)
        if not gold or not answer:
            return False
        return are_exactly_equal(gold[0], answer[0]) if task == "value" else verify(gold, answer, timeout_seconds=None)
    except (Exception, RecursionError, MemoryError):
        return False


def parse_options(task: str) -> dict[str, Any]:
    """The options of `parse` for a task. Values have no units: math-verify would drop the `t` of `2t`."""
    if task != "value":
        return {}
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig

    form = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="all", equations=False
    )
    return {"extraction_config": [LatexExtractionConfig(normalization_config=form)]}


def are_exactly_equal(gold: Any, answer: Any) -> bool:
    """Whether two parsed expressions have the same value; a decimal is exactly what is written."""
    import sympy

    if not isinstance(gold, sympy.Expr) or not isinstance(answer, sympy.Expr):
        return False
    gold, answer = (
        one.replace(lambda part: part.is_Float, lambda part: sympy.Rational(str(part))).doit() for one in (gold, answer)
    )
    if gold == answer:
        return True
    difference = sympy.simplify(gold - answer)
    if difference.is_number and not difference.is_zero:
        value = sympy.N(difference, DIGITS)
        return bool(value.is_number and abs(value) < NOISE)
    return bool(difference == 0)


if __name__ == "__main__":
    main()
