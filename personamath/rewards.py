r"""Rewards for reinforcement learning: the grader that chose the training data and scores the checkpoints.

    trl grpo --dataset_name me/PersonaMathQA --dataset_config rl --reward_funcs personamath.rewards.correct ...

Trainers call a reward with the completions of a batch and with the dataset's columns. TRL's trainers take both
functions here as they are, by reference or by dotted path. They work in any thread, in forked and spawned processes,
and need neither signals nor torch. A pair that needs symbolic algebra, which few do, may take `symbolic.PAIR_LIMIT`
seconds of CPU time.
"""

import atexit
import os
from collections.abc import Mapping, Sequence
from typing import Any

from personamath.answers.extraction import BOX, after_answer, find_answer
from personamath.answers.given import answer_text, text
from personamath.answers.normal_form import normal_form
from personamath.answers.pool import Workers
from personamath.errors import BadInput

# Two pairs at once: few of a batch need symbolic algebra, and a worker takes 100 MB in each training process.
WORKERS = 2
# The longest answer of MATH has 159 characters. What is longer and has no box is a solution that states no answer.
LONGEST_REFERENCE = 400
# What closes a formula.
_CLOSING = ("$", r"\)", r"\]", "}", r"\end{")

_workers = Workers(WORKERS)


def correct(completions: Sequence[Any], solution: Sequence[Any], **_: Any) -> list[float | None]:
    r"""Return 1.0 for each completion whose last box holds the reference answer, else 0.0.

    A completion is a text or a list of messages, of which the last one counts. `solution` is the dataset's column of
    reference answers, one for each completion: a bare answer (text or a number), or a solution with the answer in its
    last box. If it is neither (missing, empty, a cut-off box, a long text without a box), returns None, which trainers
    skip. Raises `BadInput` for a completion that is not a text.
    """
    references = [read_reference(given) for given in solution]
    texts = [_text_of(completion) for completion in completions]
    pairs = list(zip(references, texts, strict=True))
    grades = iter(_workers.grade_all((reference, text) for reference, text in pairs if reference is not None))
    return [None if reference is None else float(next(grades).correct) for reference, _ in pairs]


def boxed(completions: Sequence[Any], **_: Any) -> list[float | None]:
    r"""Return 1.0 for each completion that ends in a readable box, else 0.0; correct or not.

    The end of its formula and the rest of its line may follow the box, e.g. `\boxed{5}$ apples.`
    """
    return [float(_ends_in_box(_text_of(completion))) for completion in completions]


def read_reference(given: object) -> str | None:
    """Return the bare reference answer of an entry of the column `solution`; None if it has none."""
    try:
        reference = answer_text("the reference answer", given)
    except BadInput:
        return None
    if BOX.search(reference):
        return find_answer(reference).answer
    return reference if len(reference) <= LONGEST_REFERENCE and normal_form(reference) else None


def _text_of(completion: object) -> str:
    """Return the text of a completion; of messages, the content of the last one."""
    if isinstance(completion, list) and completion and isinstance(completion[-1], Mapping):
        completion = completion[-1].get("content")
        if isinstance(completion, list):  # in parts, as multimodal models have it
            completion = "".join(part.get("text", "") for part in completion if isinstance(part, Mapping))
    return text("a completion", completion)


def _ends_in_box(completion: str) -> bool:
    after = after_answer(completion)
    if after is None:
        return False
    _, *lines = after.rstrip().split("\n")
    return all(line.strip().startswith(_CLOSING) for line in lines if line.strip())


def _renew() -> None:
    """Give a forked child workers of its own: threads do not survive a fork, and processes serve one parent."""
    global _workers
    _workers = Workers(WORKERS)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
atexit.register(lambda: _workers.close())
