"""Rewards: what trainers pass in, what they get back, and from where they may call."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from personamath.answers.symbolic import PAIR_LIMIT
from personamath.errors import BadInput
from personamath.rewards import LONGEST_REFERENCE, boxed, correct

OPEN = ("6", r"\boxed{\sum_{k=1}^{3} k}")
ENDLESS = ("6", r"\boxed{\sum_{k=1}^{3} \sinh(10^{10})}")
HEAVY = ("torch", "transformers", "trl", "math_verify", "sympy", "datasets", "pyarrow", "numpy")


def message(content: Any) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": content}]


CORRECT: list[tuple[Any, Any, float | None]] = [
    # what a trainer passes as a completion
    (r"So it is $\boxed{\frac{1}{2}}$.", "0.5", 1.0),
    (message(r"So it is $\boxed{\frac{1}{2}}$."), "0.5", 1.0),
    ([*message(r"\boxed{4}"), {"role": "tool", "content": "5"}, *message(r"\boxed{5}")], "5", 1.0),
    (message([{"type": "text", "text": r"It is \boxed{"}, {"type": "text", "text": "5}"}]), "5", 1.0),
    (r"\boxed{4}", "5", 0.0),
    ("It is 5.", "5", 0.0),
    ("", "5", 0.0),
    (r"\boxed{5", "5", 0.0),
    # what a dataset has as a solution
    (r"\boxed{5}", 5, 1.0),
    (r"\boxed{0.1}", Decimal("0.1"), 1.0),
    (r"\boxed{5}", "$5$", 1.0),
    (r"\boxed{5}", r"We add $2 + 3 = \boxed{5}$.", 1.0),
    (r"\boxed{\text{(B)}}", r"\text{(B)}", 1.0),
    # references that cannot be read
    (r"\boxed{5}", None, None),
    (r"\boxed{5}", "", None),
    (r"\boxed{5}", " $$ ", None),
    (r"\boxed{5}", float("nan"), None),
    (r"\boxed{5}", True, None),
    (r"\boxed{5}", ["5"], None),
    (r"\boxed{5}", r"We add and get \boxed{5", None),
    (r"\boxed{5}", "We add two and three. " * (LONGEST_REFERENCE // 20), None),
    # symbolic algebra
    (OPEN[1], OPEN[0], 1.0),
    (OPEN[1], "7", 0.0),
]


@pytest.mark.parametrize(("completion", "solution", "reward"), CORRECT)
def test_the_reward_of_a_completion(completion: Any, solution: Any, reward: float | None) -> None:
    assert correct([completion], [solution]) == [reward]


def test_a_batch_with_all_that_a_trainer_passes_beside_it() -> None:
    completions, solutions, rewards = zip(*CORRECT, strict=True)
    others: dict[str, Any] = {"prompts": ["?"] * len(CORRECT), "level": [1] * len(CORRECT), "trainer_state": object()}
    assert correct(completions=list(completions), solution=list(solutions), **others) == list(rewards)


BOXED: list[tuple[Any, float]] = [
    (r"So it is $\boxed{5}$.", 1.0),
    (message(r"So it is \boxed{5} apples."), 1.0),
    ("So it is\n\\[\n\\boxed{5}\n\\]\n", 1.0),
    ("\\begin{align*}\nx &= \\boxed{5}\n\\end{align*}", 1.0),
    (r"The answer is \boxed 5", 1.0),
    (r"Not \boxed{4} but \boxed{5}.", 1.0),
    ("\\boxed{5}\n\nLet us check: 2 + 3 = 5.", 0.0),
    (r"\boxed{5}, so \boxed{", 0.0),
    (r"\boxed{}", 0.0),
    ("It is 5.", 0.0),
    ("", 0.0),
]


@pytest.mark.parametrize(("completion", "reward"), BOXED)
def test_a_completion_that_ends_in_a_box(completion: Any, reward: float) -> None:
    assert boxed([completion], prompts=["?"]) == [reward]


@pytest.mark.parametrize("reward", [correct, boxed])
@pytest.mark.parametrize("completion", [None, 5, [], [{"role": "assistant"}], message(None)])
def test_a_completion_that_is_no_text_is_one_line(completion: Any, reward: Callable[..., Any]) -> None:
    with pytest.raises(BadInput, match=r"a completion is .*; it must be text"):
        reward([completion], solution=["5"])


@pytest.mark.slow
def test_any_thread_may_ask_and_no_pair_takes_for_ever() -> None:
    assert threading.current_thread() is threading.main_thread()
    batches = [[OPEN, OPEN], [OPEN, ENDLESS], [OPEN, OPEN]]
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(correct, [text for _, text in batch], ["6", "6"]) for batch in batches]
        rewards = [each.result(timeout=60 + 10 * PAIR_LIMIT) for each in asked]
    assert rewards == [[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_of_a_trainer_may_ask(start: Any) -> None:
    assert correct([OPEN[1]], [OPEN[0]]) == [1.0]  # the parent's workers run
    context = multiprocessing.get_context(start)
    with context.Pool(2) as processes:
        assert processes.starmap(correct, [([OPEN[1]], [OPEN[0]])] * 4) == [[1.0]] * 4
    assert correct([OPEN[1]], [OPEN[0]]) == [1.0]


def test_importing_the_rewards_is_light_and_ending_needs_no_help() -> None:
    program = f"""
import sys
from personamath.rewards import correct
print([name for name in {HEAVY!r} if name in sys.modules])
print(correct([{OPEN[1]!r}], ["6"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n[1.0]\n", "", 0)


@pytest.mark.parametrize("reward", [correct, boxed])
def test_a_trainer_finds_them_by_their_names(reward: Callable[..., Any]) -> None:
    assert reward.__module__ == "personamath.rewards"
    assert pickle.loads(pickle.dumps(reward)) is reward
