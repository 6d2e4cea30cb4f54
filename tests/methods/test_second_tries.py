"""More reflection, and plain new tries at equal calls: what a wrongly solved problem is asked, round by round."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from personamath.errors import BadInput, RequestFailed
from personamath.methods import PersonaMath, Resample
from personamath.methods.draw import draw
from personamath.methods.method import Seeds
from personamath.methods.prompts import INFERENCE, REFLECTION
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Request
from personamath.runs.pipeline import Line
from personamath.runs.run_file import check_same_recipe
from tests.methods.test_stages import PERSONAS, RIGHT, SEED, WRONG, InlineGrader

ANOTHER = r"6 - 7 is $\boxed{-1}$."
NO_PARTS = "I see no error in it."


def corrected(explanation: str) -> str:
    return f"### Review of Incorrect Explanation\nIt slips.\n\n### Corrected Explanation\n{explanation}"


class Teacher:
    """Solves the seed problem wrong, then gives `again` try by try; solves rewrites right, in both ways."""

    def __init__(self, again: Sequence[str | Completion | RequestFailed]) -> None:
        self.again = list(again)
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        await asyncio.sleep(0)
        answer = self._answer(request)
        if isinstance(answer, RequestFailed):
            raise answer
        return answer if isinstance(answer, Completion) else Completion(answer, "stop", 10, 20)

    def _answer(self, request: Request) -> str | Completion | RequestFailed:
        if request.purpose == "stage1_inference":
            return WRONG
        if request.purpose in ("stage2_reflection", "stage2_resample"):
            return self.again.pop(0)
        if request.purpose.endswith(": rewrite"):
            return f"{request.prompt.rpartition('persona:')[2].strip()} asks: what is 6 times 7?"
        return corrected(RIGHT) if request.purpose.endswith(": reflect") else RIGHT

    def tried_again(self) -> list[Request]:
        return [one for one in self.asked if one.purpose in ("stage2_reflection", "stage2_resample")]


def augment(
    method: PersonaMath | Resample, again: Sequence[str | Completion | RequestFailed]
) -> tuple[Outcome, Teacher]:
    recipe = Recipe(problems=("math",), teacher="teacher-1", method=method)
    teacher = Teacher(again)
    line = Line(method, recipe.requests, teacher, InlineGrader(), tuple(PERSONAS), recipe.rng_seed)
    return asyncio.run(line.augment(SEED)), teacher


def test_each_round_reflects_on_the_last_wrong_solution_until_one_is_right() -> None:
    method = PersonaMath(k1=1, k2=2, reflection_rounds=4)
    outcome, teacher = augment(method, [corrected(ANOTHER), corrected(RIGHT)])
    first, second = teacher.tried_again()
    assert first.prompt == REFLECTION.fill(problem=SEED.question, explanation=WRONG) and first.sample == 0
    assert second.prompt == REFLECTION.fill(problem=SEED.question, explanation=ANOTHER)
    recovered, *rewrites = outcome.rows
    assert (recovered.step, recovered.response, recovered.request) == ("stage2_reflection", RIGHT, second.digest)
    # The rewrites reflect once, on the wrong solution that was put right.
    reflected = [one.prompt for one in teacher.asked if one.purpose == "stage2_rewrite: reflect"]
    assert [row.step for row in rewrites] == ["stage2_rewrite"] * 2 and len(reflected) == 2
    assert all(prompt.endswith(f"Incorrect Explanation: {ANOTHER}") for prompt in reflected)
    assert outcome.counts["stage2_reflection", "wrong answer"] == 1


LOST = [NO_PARTS, corrected("It is 42, I think."), Completion("Review", "length")]


@pytest.mark.parametrize("lost", LOST, ids=["without parts", "without a box", "truncated"])
def test_a_round_that_recovers_nothing_leads_to_a_request_that_was_not_asked_before(lost: str | Completion) -> None:
    outcome, teacher = augment(PersonaMath(k1=1, k2=0, reflection_rounds=2), [lost, corrected(RIGHT)])
    assert [row.response for row in outcome.rows] == [RIGHT]
    assert len({one.digest for one in teacher.tried_again()}) == 2


def test_a_new_try_sees_nothing_of_the_earlier_ones() -> None:
    outcome, teacher = augment(Resample(k1=1, k2=2, tries_again=3), [ANOTHER, RIGHT])
    assert [(one.prompt, one.sample) for one in teacher.tried_again()] == [
        (INFERENCE.fill(problem=SEED.question), 1),
        (INFERENCE.fill(problem=SEED.question), 2),
    ]
    drawn = draw(PERSONAS, SEED.id, 2, 42, "uniform")
    assert [(row.id, row.step) for row in outcome.rows] == [
        (SEED.id, "stage2_resample"),
        *((f"{SEED.id}/p{persona.index:04}", "stage2_rewrite") for persona in drawn),
    ]
    assert [row.columns["stage"] for row in outcome.rows] == [2, 2, 2]
    assert not any("Incorrect Explanation" in one.prompt for one in teacher.asked)


@pytest.mark.parametrize("rounds", [1, 2, 5])
@pytest.mark.parametrize("right_at", [0, 1, 4, 9])
def test_both_take_the_same_calls_for_the_same_problem(rounds: int, right_at: int) -> None:
    tries = [RIGHT if turn == right_at else ANOTHER for turn in range(10)]
    reflected, _ = augment(PersonaMath(k1=2, k2=3, reflection_rounds=rounds), list(map(corrected, tries)))
    resampled, _ = augment(Resample(k1=2, k2=3, tries_again=rounds), tries)
    assert len(reflected.rows) == len(resampled.rows) == (4 if right_at < rounds else 0)
    assert calls(reflected) == calls(resampled)


def calls(outcome: Outcome) -> list[int]:
    """How many requests of each kind were sent, in the order of the kinds."""
    found = Counter[str]()
    for (kind, _), count in outcome.counts.items():
        found[kind] += count
    return list(found.values())


@pytest.mark.parametrize("method", [PersonaMath(reflection_rounds=3), Resample(tries_again=3)])
def test_nothing_is_concluded_from_a_try_without_an_answer(method: PersonaMath | Resample) -> None:
    outcome, teacher = augment(method, [RequestFailed("timeout", "no answer in 120 s"), RIGHT])
    assert len(teacher.tried_again()) == 1 and outcome.rows == []


def test_one_round_is_the_paper_and_leaves_no_trace_in_a_folder() -> None:
    recipe = Recipe(problems=("math",), teacher="teacher-1", method=PersonaMath(reflection_rounds=1))
    assert "reflection_rounds" not in recipe.as_dict() and recipe.outline == PersonaMath.outline
    more = replace(recipe, method=PersonaMath(reflection_rounds=3))
    assert more.as_dict()["reflection_rounds"] == 3 and "up to {reflection_rounds} reflections" in more.outline.how
    assert [Recipe.of(one.as_dict(), "run.json").method for one in (recipe, more)] == [recipe.method, more.method]


def test_a_run_directory_refuses_another_number_of_rounds_by_its_name(tmp_path: Path) -> None:
    one, three = (
        Recipe(problems=("math",), teacher="teacher-1", method=PersonaMath(reflection_rounds=rounds))
        for rounds in (1, 3)
    )
    for before, now, says in ((one, three, "was 1, is 3"), (three, one, "was 3, is 1")):
        (tmp_path / "run.json").write_text(json.dumps({"recipe": before.as_dict(), "rows": {"a": {"math": 1}}}))
        check_same_recipe(tmp_path, before)
        with pytest.raises(BadInput, match=f"another recipe \\(reflection_rounds {says}\\)"):
            check_same_recipe(tmp_path, now)


def test_a_plan_expects_the_papers_share_to_be_recovered_in_each_round() -> None:
    seeds = Seeds("math", 7_500, 200.0)
    one, three = (PersonaMath(reflection_rounds=rounds).expected(seeds, PERSONAS) for rounds in (1, 3))
    wrong = one["stage2_reflection"].requests
    assert three["stage2_reflection"].requests == pytest.approx(wrong * (1 + 0.9 + 0.81))
    assert three["stage2_rewrite: reflect"].requests == pytest.approx(wrong * (1 - 0.9**3) * 15)
    plain = Resample(tries_again=3).expected(seeds, PERSONAS)
    assert [usage.requests for usage in plain.values()] == [usage.requests for usage in three.values()]
    assert [PersonaMath(reflection_rounds=rounds).waves for rounds in (1, 3)] == [4, 6]
    assert list(plain) == [kind.name for kind in Resample.outline.kinds]


BAD = [
    (lambda: PersonaMath(reflection_rounds=0), "reflection_rounds is 0: it must be at least 1"),
    (lambda: Resample(tries_again=-1), "tries_again is -1: it must be at least 1"),
    (lambda: Resample(k1=-1), "k1 is -1: it must not be negative"),
]


@pytest.mark.parametrize(("made", "says"), BAD)
def test_settings_that_recover_nothing_are_refused(made: type, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        made()
