"""The two stages on a teacher that is a script: what is asked, what is kept, what is counted."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from personamath.answers import Grade, grade
from personamath.errors import RequestFailed
from personamath.methods import PersonaMath, prompts
from personamath.methods.draw import draw
from personamath.methods.work import MARKS, REASONING, Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Persona, Problem, Request
from personamath.runs.pipeline import Line

SEED = Problem("math-train-00042", "math", "What is 6 times 7?", "42", level=3, subject="Prealgebra")
PERSONAS = [Persona(index, f"Person number {index}") for index in range(30)]
RECIPE = Recipe(problems=("math",), teacher="teacher-1", method=PersonaMath(k1=3, k2=4))
RIGHT = r"6 * 7 is $\boxed{42}$."
WRONG = r"6 + 7 is $\boxed{13}$."
REFLECTED = "### Review of Incorrect Explanation\nIt adds.\n\n### Corrected Explanation\n" + RIGHT

Script = Callable[[str], str | Completion | RequestFailed]


class ScriptedTeacher:
    """Answers prompts by a function, and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[str] = []

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(0)
        self.asked.append(request.prompt)
        answer = self.script(request.prompt)
        if isinstance(answer, RequestFailed):
            raise answer
        return answer if isinstance(answer, Completion) else Completion(answer, "stop", 10, 20)


class InlineGrader:
    """The real rules, without worker processes."""

    async def grade(self, reference: str, completion: str) -> Grade:
        return grade(reference, completion)


def augment(script: Script, recipe: Recipe = RECIPE) -> tuple[Outcome, ScriptedTeacher]:
    teacher = ScriptedTeacher(script)
    line = Line(recipe.method, recipe.requests, teacher, InlineGrader(), tuple(PERSONAS), recipe.rng_seed)
    return asyncio.run(line.augment(SEED)), teacher


def script(first: str = RIGHT, solved: str = RIGHT, reflected: str = REFLECTED, later: str = REFLECTED) -> Script:
    """Answers by the kind of prompt; rewrites keep the question and name the persona."""

    def answer(prompt: str) -> str:
        if prompt == prompts.INFERENCE.fill(problem=SEED.question):
            return first
        if prompt.startswith("Math problem:"):
            return f"{prompt.rpartition('persona:')[2].strip()} asks: what is 6 times 7?"
        if prompt == prompts.REFLECTION.fill(problem=SEED.question, explanation=first):
            return reflected
        return solved if prompt.startswith("Please provide") else later

    return answer


def test_stage_1_keeps_the_solution_and_a_solved_rewrite_for_each_persona() -> None:
    outcome, teacher = augment(script())
    drawn = draw(PERSONAS, SEED.id, 3, RECIPE.rng_seed, "uniform")
    assert [row.id for row in outcome.rows] == [SEED.id, *(f"{SEED.id}/p{persona.index:04}" for persona in drawn)]
    assert [row.step for row in outcome.rows] == ["stage1_inference"] + ["stage1_rewrite"] * 3
    seed, rewrite = outcome.rows[:2]
    assert (seed.problem, seed.column("persona"), seed.column("stage"), seed.column("review")) == (
        SEED.question,
        None,
        1,
        None,
    )
    assert rewrite.column("persona") == drawn[0].description
    assert rewrite.problem == f"{drawn[0].description} asks: what is 6 times 7?"
    assert (rewrite.seed_id, rewrite.seed_problem, rewrite.answer) == (SEED.id, SEED.question, "42")
    assert (rewrite.level, rewrite.subject, rewrite.teacher) == (3, "Prealgebra", "teacher-1")
    assert len(teacher.asked) == 1 + 3 + 3
    assert outcome.counts == {
        ("stage1_inference", "kept"): 1,
        ("stage1_rewrite: rewrite", "usable"): 3,
        ("stage1_rewrite: solve", "kept"): 3,
    }
    assert outcome.wrong == {}


def test_stage_2_reflects_on_the_wrong_solution_and_keeps_the_correction_without_the_review() -> None:
    outcome, _ = augment(script(first=WRONG))
    assert [row.step for row in outcome.rows] == ["stage2_reflection"] + ["stage2_rewrite"] * 4
    assert {(row.response, row.column("review"), row.column("stage")) for row in outcome.rows} == {
        (RIGHT, "It adds.", 2)
    }


def test_stage_2_rewrites_are_solved_by_reflection_on_the_original_questions_wrong_solution() -> None:
    _, teacher = augment(script(first=WRONG))
    reflections = [prompt for prompt in teacher.asked if prompt.startswith("The following input")]
    assert len(reflections) == 1 + 4
    assert all(prompt.endswith(f"Incorrect Explanation: {WRONG}") for prompt in reflections)
    assert len({prompt.partition("Math Problem:")[2] for prompt in reflections}) == 5


def test_a_first_answer_without_a_box_is_a_wrong_one() -> None:
    outcome, _ = augment(script(first="It is 42, I think."))
    assert outcome.counts["stage1_inference", "no final answer"] == 1
    assert outcome.rows[0].step == "stage2_reflection"


def test_nothing_is_kept_of_a_problem_that_reflection_does_not_recover() -> None:
    outcome, teacher = augment(script(first=WRONG, reflected=REFLECTED.replace("42", "41")))
    assert outcome.rows == []
    assert outcome.counts == {("stage1_inference", "wrong answer"): 1, ("stage2_reflection", "wrong answer"): 1}
    assert outcome.wrong == {"math": ("42", "13")}  # the first
    assert len(teacher.asked) == 2


def test_rewrites_are_judged_against_the_seed_problems_answer() -> None:
    outcome, _ = augment(script(solved=r"Now it is $\boxed{43}$."))
    assert [row.step for row in outcome.rows] == ["stage1_inference"]
    assert outcome.counts["stage1_rewrite: solve", "wrong answer"] == 3


def test_the_teacher_never_sees_a_reference_answer() -> None:
    for first in (RIGHT, WRONG):
        _, teacher = augment(script(first=first, solved="no answer", reflected="none"))
        assert not any("42" in prompt.replace(SEED.id, "") for prompt in teacher.asked)


CUT = [("length", "truncated"), ("content_filter", "filtered"), ("refusal", "refused")]


@pytest.mark.parametrize(("finish_reason", "name"), CUT)
def test_what_did_not_end_by_itself_is_no_attempt_and_is_counted_under_its_own_name(
    finish_reason: str, name: str
) -> None:
    outcome, teacher = augment(lambda _: Completion(RIGHT, finish_reason))  # type: ignore[arg-type]
    assert outcome.rows == [] and len(teacher.asked) == 1
    assert outcome.counts == {("stage1_inference", name): 1}


def test_only_the_answer_is_read_and_what_was_taken_off_is_counted() -> None:
    silent, asked = augment(script(first=WRONG))
    thoughts = f"<think>\nIt is {WRONG}\n</think>\n\n"
    usual = script(first=WRONG)
    aloud, teacher = augment(lambda prompt: f"assistant\n{thoughts}{usual(prompt)}")
    assert aloud.rows == silent.rows and teacher.asked == asked.asked
    assert aloud.counts == silent.counts
    asked_of = Counter(kind for kind, _ in aloud.counts.elements())
    assert aloud.taken_off == Counter({(kind, what): n for kind, n in asked_of.items() for what in (REASONING, MARKS)})
    # provenance is about what was answered
    assert all(answer.text.startswith("assistant\n<think>") for answer in aloud.answers.values())


NO_ANSWER_THERE = [
    ("<think>\nIt may be", "truncated"),
    ("<think>\nIt is 42.\n</think>\n\n", "nothing but reasoning or marks"),
    ("<|im_end|>", "nothing but reasoning or marks"),
]


@pytest.mark.parametrize(("completion", "name"), NO_ANSWER_THERE)
def test_a_completion_without_an_answer_is_no_attempt(completion: str, name: str) -> None:
    outcome, teacher = augment(lambda _: completion)
    assert outcome.rows == [] and len(teacher.asked) == 1
    assert outcome.counts == {("stage1_inference", name): 1}


def test_a_rewrite_that_cannot_be_used_is_not_solved() -> None:
    def answer(prompt: str) -> str:
        return SEED.question if prompt.startswith("Math problem:") else RIGHT

    outcome, teacher = augment(answer)
    assert [row.step for row in outcome.rows] == ["stage1_inference"]
    assert outcome.counts["stage1_rewrite: rewrite", "equal to the original"] == 3
    assert len(teacher.asked) == 1 + 3


def test_rewrites_that_came_out_alike_are_kept_once() -> None:
    def answer(prompt: str) -> str:
        return "Everyone asks: what is 6 times 7?" if prompt.startswith("Math problem:") else RIGHT

    outcome, _ = augment(answer)
    assert [row.step for row in outcome.rows] == ["stage1_inference", "stage1_rewrite"]
    assert outcome.counts["stage1_rewrite: solve", "kept"] == 1
    assert outcome.counts["stage1_rewrite: solve", "repeats another rewrite"] == 2
    # equal requests are paid once
    assert outcome.tokens["stage1_rewrite: solve", "completion"] == outcome.tokens["stage1_inference", "completion"] > 0


def test_a_failed_request_loses_its_attempt_only_and_is_named() -> None:
    unlucky = draw(PERSONAS, SEED.id, 3, RECIPE.rng_seed, "uniform")[1]
    usual = script()

    def answer(prompt: str) -> str | RequestFailed:
        failed = prompt.startswith("Math problem:") and prompt.endswith(unlucky.description)
        return RequestFailed("timeout", "no answer in 120 s") if failed else str(usual(prompt))

    outcome, _ = augment(answer)
    assert len(outcome.rows) == 1 + 2
    assert [failure.problem_id for failure in outcome.failures] == [f"{SEED.id}/p{unlucky.index:04}"]
    assert outcome.counts["stage1_rewrite: rewrite", "failed"] == 1


@pytest.mark.parametrize("first", [RIGHT, WRONG])
def test_every_request_and_every_token_is_counted_once(first: str) -> None:
    outcome, teacher = augment(script(first=first, solved=WRONG))
    assert outcome.counts.total() == len(teacher.asked)
    kinds = Counter(kind for (_, kind), count in outcome.tokens.items() for _ in range(count))
    assert kinds == {"prompt": 10 * len(teacher.asked), "completion": 20 * len(teacher.asked)}


def test_raising_k_keeps_the_earlier_rows() -> None:
    few, _ = augment(script())
    more, _ = augment(script(), Recipe(problems=("math",), teacher="teacher-1", method=PersonaMath(k1=9, k2=20)))
    assert more.rows[: len(few.rows)] == few.rows
