"""Rejection sampling on a teacher that is a script: which samples are kept, in which order, and what is counted."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput, RequestFailed
from personamath.methods import METHODS, Rejection
from personamath.methods.arithmetic.equations import read_path
from personamath.methods.edit_distance import edit_distance
from personamath.methods.method import Seeds
from personamath.methods.requests import Requests, Sampler
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Problem, Request
from personamath.runs.pipeline import Line
from tests.methods.test_stages import InlineGrader

SEED = Problem("gsm8k-train-00042", "gsm8k", "What is 6 times 7?", "42")

Answer = str | Completion | RequestFailed


class SampledTeacher:
    """Gives each sample its own answer; `turns` says how long each takes, in turns of the event loop."""

    def __init__(self, answers: Sequence[Answer], turns: Sequence[int] = ()) -> None:
        self.answers = answers
        self.turns = turns
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        for _ in range(self.turns[request.sample] if self.turns else 0):
            await asyncio.sleep(0)
        answer = self.answers[request.sample]
        if isinstance(answer, RequestFailed):
            raise answer
        return answer if isinstance(answer, Completion) else Completion(answer, "stop", 10, 20)


def augment(answers: Sequence[Answer], turns: Sequence[int] = ()) -> tuple[Outcome, SampledTeacher]:
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=Rejection(k=len(answers)))
    teacher = SampledTeacher(answers, turns)
    line = Line(recipe.method, recipe.requests, teacher, InlineGrader())
    return asyncio.run(line.augment(SEED)), teacher


def solution(text: str, answer: int = 42) -> str:
    return rf"{text} The answer is $\boxed{{{answer}}}$."


DIRECT = solution("6 * 7 = 42.")
BY_SUM = solution("6 + 6 = 12, and so on up to 36 + 6 = 42.")
BY_PARTS = solution("6 * 5 = 30, 6 * 2 = 12, 30 + 12 = 42.")
REWORDED = solution("We multiply both of the numbers in the question with each other: $6 \\times 7 = 42$.")


def test_each_different_path_is_a_row_of_the_unchanged_question() -> None:
    outcome, teacher = augment([DIRECT, BY_SUM, BY_PARTS])
    assert [(row.id, row.columns["sample"]) for row in outcome.rows] == [
        ("gsm8k-train-00042", 0),
        ("gsm8k-train-00042/s0001", 1),
        ("gsm8k-train-00042/s0002", 2),
    ]
    assert [row.response for row in outcome.rows] == [DIRECT, BY_SUM, BY_PARTS]
    assert {(row.problem, row.seed_id, row.answer, row.step) for row in outcome.rows} == {
        (SEED.question, SEED.id, "42", "rejection")
    }
    assert [request.sample for request in teacher.asked] == [0, 1, 2]


def test_sample_0_is_the_first_request_of_the_persona_method() -> None:
    requests = Recipe(problems=("gsm8k",), teacher="teacher-1").requests
    _, teacher = augment([DIRECT])
    assert teacher.asked == [Rejection().first_request(SEED, requests)]
    assert teacher.asked[0].digest == requests.solve("stage1_inference", SEED.question).digest


REASONS = [
    (solution("6 + 7 = 13.", 13), "wrong answer"),
    ("It is 42, I think.", "no final answer"),
    (solution("6 * 7 = 43, about."), "wrong arithmetic"),
    (solution("First, 6 * 7 = 42."), "repeats another path"),
    (Completion(BY_SUM, "length"), "truncated"),
    (RequestFailed("timeout", "no answer in 120 s"), "failed"),
]


@pytest.mark.parametrize(("answer", "reason"), REASONS)
def test_what_is_not_kept_is_counted_under_its_own_name(answer: Answer, reason: str) -> None:
    outcome, _ = augment([DIRECT, answer])
    assert [row.response for row in outcome.rows] == [DIRECT]
    assert outcome.counts == {("rejection", "kept"): 1, ("rejection", reason): 1}


def test_a_failure_is_named_by_the_id_of_its_sample() -> None:
    outcome, _ = augment([DIRECT, RequestFailed("timeout", "no answer in 120 s")])
    assert [failure.problem_id for failure in outcome.failures] == ["gsm8k-train-00042/s0001"]


def test_of_one_path_the_wording_farther_from_the_other_paths_is_kept() -> None:
    outcome, _ = augment([DIRECT, BY_SUM, REWORDED])
    assert [row.id.rpartition("/")[2] for row in outcome.rows] == ["s0001", "s0002"]
    assert outcome.counts == {("rejection", "kept"): 2, ("rejection", "repeats another path"): 1}
    # Without another path there is nothing to be far from: the earlier stays.
    assert [row.response for row in augment([DIRECT, REWORDED])[0].rows] == [DIRECT]
    # A tie: the earlier stays.
    assert [row.columns["sample"] for row in augment([DIRECT, BY_SUM, DIRECT])[0].rows] == [0, 1]


def test_wrong_samples_leave_no_row() -> None:
    outcome, _ = augment([solution("6 + 7 = 13.", 13)] * 3)
    assert outcome.rows == [] and outcome.counts == {("rejection", "wrong answer"): 3}


ANSWERS = st.sampled_from([
    *(DIRECT, BY_SUM, BY_PARTS, REWORDED, solution("Clearly, 6 * 7 = 42, as everybody knows."), solution("By heart.")),
    *(solution("We know 7 * 6 = 42."), solution("7 * 6 = 42 is known to all."), solution("6 * 7 = 41."), "42."),
    solution("6 + 7 = 13.", 13),
])  # fmt: skip


@given(st.lists(ANSWERS, min_size=1, max_size=12), st.data())
def test_rows_and_counts_do_not_depend_on_which_answer_came_first(answers: list[str], data: st.DataObject) -> None:
    turns = data.draw(st.permutations(range(len(answers))))
    outcome, _ = augment(answers, turns)
    in_order, _ = augment(answers)
    assert outcome.rows == in_order.rows and outcome.counts == in_order.counts
    ids = [row.id for row in outcome.rows]
    assert ids == sorted(set(ids))


@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_every_request_is_counted_once_and_no_path_twice(answers: list[str]) -> None:
    outcome, teacher = augment(answers)
    assert outcome.counts.total() == len(teacher.asked) == len(answers)
    assert outcome.counts["rejection", "kept"] == len(outcome.rows)
    assert len({read_path(row.response).key for row in outcome.rows}) == len(outcome.rows)
    kinds = Counter(side for (_, side), count in outcome.tokens.items() for _ in range(count))
    assert kinds == {"prompt": 10 * len(answers), "completion": 20 * len(answers)}


@given(st.lists(ANSWERS, min_size=1, max_size=12), st.integers(1, 12))
def test_more_samples_keep_the_paths_of_fewer_though_not_always_their_wording(answers: list[str], fewer: int) -> None:
    more, few = augment(answers)[0], augment(answers[:fewer])[0]
    assert {read_path(row.response).key for row in few.rows} <= {read_path(row.response).key for row in more.rows}


def test_k_must_make_rows() -> None:
    with pytest.raises(BadInput, match="k is 0: it must be at least 1"):
        Rejection(k=0)


def test_it_is_a_method_by_its_name_and_plans_k_requests_for_each_seed_problem() -> None:
    assert METHODS["rejection"] is Rejection
    [usage] = Rejection(k=5).expected(Seeds("gsm8k", 100, 200.0), []).values()
    assert usage.requests == 500
    assert Rejection().outline.waves == 1
    assert Rejection().persona_source is None and Rejection().paper_rows == {}


TEMPERATURES = [
    (0.7, 8, []),
    (0.0, 1, []),
    (0.0, 8, ["temperature is 0: all 8 samples of a problem will come out alike"]),
]


@pytest.mark.parametrize(("temperature", "k", "warnings"), TEMPERATURES)
def test_samples_that_will_be_alike_are_warned_of(temperature: float, k: int, warnings: list[str]) -> None:
    assert Rejection(k=k).check([], Requests(Sampler(model="m", temperature=temperature, max_tokens=100))) == warnings


DISTANCES = [
    ("", "", 0),
    ("", "a b", 2),
    ("a b", "", 2),
    ("a b c", "a b c", 0),
    ("a b c", "a x c", 1),
    ("a b c", "b c", 1),
    ("the cat sat on the mat", "the mat sat on a cat", 3),
]


@pytest.mark.parametrize(("one", "other", "distance"), DISTANCES)
def test_edit_distances_count_words(one: str, other: str, distance: int) -> None:
    assert edit_distance(one.split(), other.split()) == distance


WORDS = st.lists(st.sampled_from("abcd"), max_size=80)


@given(WORDS, WORDS)
def test_edit_distances_are_those_of_the_table(one: list[str], other: list[str]) -> None:
    row = [*range(len(other) + 1)]
    for place, word in enumerate(one, 1):
        before, row = row, [place]
        for at, against in enumerate(other):
            row.append(min(before[at] + (word != against), before[at + 1] + 1, row[at] + 1))
    assert edit_distance(one, other) == row[-1]
