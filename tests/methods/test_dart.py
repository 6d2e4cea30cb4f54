"""Rejection sampling with a quota, as in DART: how much is asked, what is kept, and that nothing hangs on the order."""

import asyncio
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput, RequestFailed
from personamath.methods import Rejection
from personamath.methods.method import Seeds
from personamath.methods.quotas import Share, next_wave, quota, samples_and_waves
from personamath.methods.requests import Requests, Sampler
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.runs.pipeline import Line
from tests.methods.test_rejection import SEED, Answer, SampledTeacher, solution
from tests.methods.test_stages import InlineGrader

WRONG = solution("6 + 7 = 13.", 13)


def right(number: int) -> str:
    return solution(f"For the time number {number}: 6 * 7 = 42.")


def augment(method: Rejection, answers: Sequence[Answer], turns: Sequence[int] = ()) -> tuple[Outcome, SampledTeacher]:
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=method)
    teacher = SampledTeacher(answers, turns)
    return asyncio.run(Line(method, recipe.requests, teacher, InlineGrader()).augment(SEED)), teacher


def test_a_hard_problem_is_sampled_until_its_quota_is_met_and_an_easy_one_is_not() -> None:
    """The figure of the paper's section 2: vanilla sampling gives the easy one 4 rows and the hard one 1."""
    method = Rejection(k=4, until_right=3, max_samples=64)
    easy, asked = augment(method, [right(number) for number in range(64)])
    assert [row.columns["sample"] for row in easy.rows] == [0, 1, 2] and len(asked.asked) == 4
    assert easy.counts == {("rejection", "kept"): 3, ("rejection", "beyond the quota"): 1}
    answers = [right(number) if number % 5 == 3 else WRONG for number in range(64)]  # one in five is right
    hard, asked = augment(method, answers)
    assert [row.columns["sample"] for row in hard.rows] == [3, 8, 13]
    assert [request.sample for request in asked.asked] == list(range(16))  # 4, then 4, then 8
    assert hard.counts == {("rejection", "kept"): 3, ("rejection", "wrong answer"): 13}


def test_in_proportion_to_the_fail_rate_the_hardest_problem_has_the_whole_quota() -> None:
    method = Rejection(k=4, until_right=4, share="fail-rate", max_samples=64)
    rows = {}
    for fails in range(5):
        answers = [*[WRONG] * fails, *(right(number) for number in range(60))]
        rows[fails] = len(augment(method, answers)[0].rows)
    assert rows == {0: 1, 1: 1, 2: 2, 3: 3, 4: 4}


def test_a_hopeless_problem_ends_at_the_most_samples_and_keeps_what_it_has() -> None:
    answers: list[Answer] = [WRONG] * 40
    answers[30] = right(30)
    outcome, teacher = augment(Rejection(k=8, until_right=2, max_samples=40), answers)
    assert [row.id for row in outcome.rows] == ["gsm8k-train-00042/s0030"] and len(teacher.asked) == 40


NOT_RIGHT = [
    (solution("6 * 7 = 43, about."), "wrong arithmetic"),
    (right(0) + "\n", "repeats another solution"),
    ("It is 42, I think.", "no final answer"),
]


@pytest.mark.parametrize(("answer", "reason"), NOT_RIGHT)
def test_what_is_not_right_does_not_count_towards_the_quota(answer: str, reason: str) -> None:
    outcome, teacher = augment(Rejection(k=2, until_right=2), [right(0), answer, right(2), right(3)])
    assert [row.columns["sample"] for row in outcome.rows] == [0, 2] and outcome.counts["rejection", reason] == 1
    assert len(teacher.asked) == 4


def test_solutions_of_one_path_are_all_kept_as_in_the_paper() -> None:
    answers: list[Answer] = [right(0), right(1)]
    assert len(augment(Rejection(k=2, until_right=2), answers)[0].rows) == 2
    assert len(augment(Rejection(k=2), answers)[0].rows) == 1


def test_after_a_failure_nothing_more_is_asked() -> None:
    answers: list[Answer] = [WRONG, RequestFailed("timeout", "no answer in 120 s"), *[right(0)] * 20]
    outcome, teacher = augment(Rejection(k=2, until_right=2), answers)
    assert len(teacher.asked) == 2 and outcome.rows == []


ANSWERS = st.lists(
    st.sampled_from([WRONG, WRONG, "42.", right(1), right(2), right(3), right(4)]), min_size=32, max_size=32
)


@pytest.mark.slow
@given(ANSWERS, st.integers(1, 6), st.integers(1, 6), st.sampled_from(["uniform", "fail-rate"]), st.data())
def test_rows_and_requests_do_not_depend_on_which_answer_came_first(
    answers: list[str], k: int, until_right: int, share: Share, data: st.DataObject
) -> None:
    method = Rejection(k=k, until_right=until_right, share=share, max_samples=32)
    turns = data.draw(st.permutations(range(len(answers))))
    outcome, teacher = augment(method, answers, turns)
    in_order, asked = augment(method, answers)
    assert outcome.rows == in_order.rows and outcome.counts == in_order.counts
    assert sorted(one.sample for one in teacher.asked) == [one.sample for one in asked.asked]
    assert outcome.counts.total() == len(teacher.asked) <= 32
    assert outcome.counts["rejection", "kept"] == len(outcome.rows) <= until_right


QUOTAS = [
    ("uniform", 8, 8, 8),
    ("uniform", 0, 8, 8),
    ("fail-rate", 0, 8, 8),
    ("fail-rate", 6, 8, 2),
    ("fail-rate", 7, 8, 1),
    ("fail-rate", 8, 8, 1),
]


@pytest.mark.parametrize(("share", "right", "asked", "wanted"), QUOTAS)
def test_quotas(share: Share, right: int, asked: int, wanted: int) -> None:
    assert quota(8, share, right, asked) == wanted


WAVES = [
    (4, 4, 8, 100, 0),  # met
    (4, 3, 8, 100, 3),  # one is missing, at 4 in 10
    (4, 0, 8, 100, 8),  # never more than before
    (4, 0, 64, 100, 36),  # nor than there may be
    (4, 3, 100, 100, 0),
]


@pytest.mark.parametrize(("wanted", "right", "asked", "most", "samples"), WAVES)
def test_waves(wanted: int, right: int, asked: int, most: int, samples: int) -> None:
    assert next_wave(wanted, right, asked, most) == samples


def test_a_plan_expects_problems_of_different_difficulty() -> None:
    assert samples_and_waves(8, 8, "uniform", 64, 1.0) == (8, 1)
    assert samples_and_waves(8, 8, "uniform", 64, 0.0) == (64, 4)
    plain, uniform, by_fails = (
        method.expected(Seeds("math", 100, 200.0), [])["rejection"].requests
        for method in (
            Rejection(k=8),
            Rejection(k=8, until_right=8, max_samples=64),
            Rejection(k=8, until_right=8, share="fail-rate", max_samples=64),
        )
    )
    assert plain == 800 < by_fails < uniform < 6_400
    assert Rejection().waves == 1 and Rejection(k=8, until_right=8, max_samples=64).waves == 4


def test_the_card_explains_the_quota_with_every_setting() -> None:
    shares: dict[Share, str] = {"uniform": "every problem is 5 right", "fail-rate": "5 times the share"}
    for share, says in shares.items():
        recipe = Recipe(problems=("gsm8k",), teacher="t", method=Rejection(until_right=5, share=share))
        assert says in recipe.outline.how and "at most 100 times in all" in recipe.outline.how
        assert set(re.findall(r"\{(\w+)\}", recipe.outline.how)) <= recipe.as_dict().keys()
        assert recipe.outline.cite == "arXiv 2407.13690"
    assert (
        Recipe(problems=("gsm8k",), teacher="t", method=Rejection())
        .as_dict()
        .keys()
        .isdisjoint({"until_right", "share", "max_samples"})
    )


BAD = [
    ({"until_right": 0}, "until_right is 0: it must be at least 1"),
    ({"share": "fail-rate"}, "share is fail-rate: set until_right"),
    ({"until_right": 2, "max_samples": 7}, "max_samples is 7: it must be at least k, which is 8"),
]


@pytest.mark.parametrize(("bad", "says"), BAD)
def test_settings_that_contradict_each_other_are_refused(bad: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Recipe.of({"problems": ["gsm8k"], "teacher": "t", "method": "rejection", **bad}, "recipe")


def test_samples_that_will_be_alike_are_warned_of() -> None:
    cold = Requests(Sampler(model="m", temperature=0.0, max_tokens=100))
    assert Rejection(k=1, until_right=3).check([], cold) == [
        "temperature is 0: all samples of a problem will come out alike"
    ]
