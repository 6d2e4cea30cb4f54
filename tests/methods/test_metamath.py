"""MetaMath on a teacher that is a script: the journey of one seed problem, as the paper tells it."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from personamath.errors import BadInput
from personamath.methods import METHODS, MetaMath, PersonaMath
from personamath.methods.backward.masking import masked_questions
from personamath.methods.backward.questions import read_declaration, self_verification, told
from personamath.methods.method import Seeds
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Dropped, Problem, Request
from personamath.runs.pipeline import Line
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems
from personamath.teachers.simulated import SimulatedTeacher, bundled_problems
from tests.methods.test_stages import InlineGrader

SEED = Problem(
    "gsm8k-train-00042", "gsm8k", "James buys 5 packs of beef that weigh 4 pounds each. How many pounds is that?", "20"
)
REPHRASED = "If a pack of beef weighs 4 pounds, what do the 5 packs weigh that James buys, in pounds?"
STATED = "That is 20 pounds."


def boxed(answer: str) -> str:
    return rf"The answer is $\boxed{{{answer}}}$."


class PapersTeacher:
    """Does what each prompt of the paper asks for; `turns` says how long an answer takes."""

    def __init__(self, turns: Callable[[Request], int] = lambda _: 0) -> None:
        self.turns = turns
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        for _ in range(self.turns(request)):
            await asyncio.sleep(0)
        return Completion(self.reply(request), "stop", 10, 20)

    def reply(self, request: Request) -> str:
        if request.purpose == "rephrasing: rewrite":
            return REPHRASED if request.sample == 0 else f"Let us see: {REPHRASED}"
        if request.purpose == "self_verification: declare":
            return STATED
        if request.purpose in ("fobar", "self_verification: solve"):
            return boxed("5" if "buys x packs" in request.prompt else "4")
        if request.purpose == "answers":
            return f"Way {request.sample}. {boxed('20' if request.sample < 2 else '9')}"
        return boxed("20")


def augment(method: MetaMath, teacher: PapersTeacher) -> Outcome:
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=method)
    line = Line(recipe.method, recipe.requests, teacher, InlineGrader(), rng_seed=recipe.rng_seed)
    return asyncio.run(line.augment(SEED))


ASKED_IN_DRAWS = ("rephrasing: rewrite", "self_verification: declare")
METHOD = MetaMath(answers=3, rephrasings=1, fobar=6, self_verification=6)


def test_the_journey_of_one_seed_problem() -> None:
    outcome = augment(METHOD, PapersTeacher())
    rows = {row.id.partition("/")[2]: (row.step, row.problem, row.answer) for row in outcome.rows}
    masked = {
        "0000": "James buys x packs of beef that weigh 4 pounds each.",
        "0001": "James buys 5 packs of beef that weigh x pounds each.",
    }
    told_behind = "If we know that the answer to this question is 20, what is the value of the unknown x?"
    ask = "What is the value of the unknown x?"
    assert rows == {
        # Answer augmentation: more right solutions of the question as it is.
        "": ("answers", SEED.question, "20"),
        "s0001": ("answers", SEED.question, "20"),
        # Rephrasing: another question with the same answer.
        "r0000": ("rephrasing", REPHRASED, "20"),
        # FOBAR: the question with a number hidden, and the answer behind it. The number is the answer now.
        "f0000": ("fobar", f"{masked['0000']} How many pounds is that?\n{told_behind}", "5"),
        "f0001": ("fobar", f"{masked['0001']} How many pounds is that?\n{told_behind}", "4"),
        # Self-verification: the sentence that asks became a statement.
        "v0000": ("self_verification", f"{masked['0000']} {STATED}\n{ask}", "5"),
        "v0001": ("self_verification", f"{masked['0001']} {STATED}\n{ask}", "4"),
    }
    assert {row.id.partition("/")[2]: row.columns["masked"] for row in outcome.rows if row.columns.get("masked")} == {
        "f0000": "5",
        "f0001": "4",
        "v0000": "5",
        "v0001": "4",
    }
    assert outcome.counts == {
        ("answers", "kept"): 2,
        ("answers", "wrong answer"): 1,
        ("rephrasing: rewrite", "usable"): 1,
        ("rephrasing: solve", "kept"): 1,
        ("fobar", "kept"): 2,
        ("self_verification: declare", "usable"): 2,
        ("self_verification: solve", "kept"): 2,
    }


def test_what_is_asked_of_each_draw_is_a_request_of_its_own() -> None:
    teacher = PapersTeacher()
    augment(replace(METHOD, rephrasings=2), teacher)
    samples = {purpose: [one.sample for one in teacher.asked if one.purpose == purpose] for purpose in ASKED_IN_DRAWS}
    assert samples == {purpose: [0, 1] for purpose in ASKED_IN_DRAWS}
    assert all(SEED.question in one.prompt for one in teacher.asked if one.purpose == "rephrasing: rewrite")


def test_which_number_is_hidden_first_is_drawn_and_more_draws_keep_the_earlier() -> None:
    one, two = (
        [
            row.id
            for row in augment(
                MetaMath(answers=0, rephrasings=0, fobar=most, self_verification=0), PapersTeacher()
            ).rows
        ]
        for most in (1, 2)
    )
    assert len(one) == 1 and two[0] == one[0] and len(two) == 2


@pytest.mark.parametrize("seed", range(3))
def test_rows_do_not_depend_on_which_answer_came_first(seed: int) -> None:
    turns = random.Random(seed)
    assert augment(METHOD, PapersTeacher(lambda _: turns.randrange(9))).rows == augment(METHOD, PapersTeacher()).rows


def test_the_first_solution_is_the_request_of_the_persona_method() -> None:
    requests = Recipe(problems=("gsm8k",), teacher="teacher-1").requests
    first = MetaMath().first_request(SEED, requests)
    persona = PersonaMath().first_request(SEED, requests)
    assert first and persona and first.digest == persona.digest
    assert MetaMath(answers=0, rephrasings=0).first_request(SEED, requests) is None


def test_the_hidden_number_is_never_in_what_the_teacher_is_shown() -> None:
    teacher = PapersTeacher()
    augment(MetaMath(answers=0, rephrasings=0), teacher)
    for request in teacher.asked:
        asked = request.prompt.rpartition("Question:")[2].rpartition("Math problem:")[2]
        assert not ("5" in asked and "4" in asked)


LOST = [
    ("It is 20 pounds.", None),
    ("**Statement:** It is 20 pounds.", None),
    ("How many are 20?", "still a question"),
    ("It is many pounds.", "lost the answer"),
    ("It is 200 pounds.", "lost the answer"),
    ("It is 20 pounds.\n\nI hope this helps.", "several lines"),
    ("", "empty statement"),
]


@pytest.mark.parametrize(("completion", "reason"), LOST)
def test_a_statement_that_lost_something_is_dropped_under_its_own_name(completion: str, reason: str | None) -> None:
    found = read_declaration(completion, masked_questions(SEED.question)[0], "20")
    assert (found.reason if isinstance(found, Dropped) else None) == reason


def test_a_statement_keeps_the_unknown_and_the_numbers_of_the_sentence_that_asks() -> None:
    masked = masked_questions("He sells 3 pens a day. How many pens does he sell in 4 weeks of 7 days?")
    assert masked[1].question.endswith("in x weeks of 7 days?")
    assert read_declaration("He sells 84 pens in 4 weeks of 7 days.", masked[1], "84") == Dropped("lost the unknown")
    assert read_declaration("He sells 84 pens in x weeks.", masked[1], "84") == Dropped("lost a number")
    assert read_declaration("He sells 84 pens in x weeks of 7 days.", masked[1], "84")


def test_a_statement_takes_the_place_of_the_sentence_that_asks_and_instructions_for_the_answer_go() -> None:
    question = "Ann has 3 pens. How many has she after 2 days? Each day she buys 5. Express your answer as a number."
    assert [self_verification(masked, "She has 13.") for masked in masked_questions(question)] == [
        f"{given}\nWhat is the value of the unknown x?"
        for given in (
            "Ann has x pens. She has 13. Each day she buys 5.",
            "Ann has 3 pens. She has 13. Each day she buys 5.",
            "Ann has 3 pens. She has 13. Each day she buys x.",
        )
    ]


@pytest.mark.parametrize(("answer", "shown"), [("72", "72"), ("1,200", "1,200"), (r"\frac{3}{4}", r"$\frac{3}{4}$")])
def test_an_answer_is_told_as_a_sentence_has_it(answer: str, shown: str) -> None:
    assert told(answer) == shown


def test_the_simulated_teacher_plays_every_step_on_the_bundled_problems() -> None:
    sources = [ProblemSource.parse(text) for text in bundled_problems()]
    simulated = SimulatedTeacher(sources)

    class Teacher:
        async def complete(self, request: Request) -> Completion:
            return Completion(simulated.complete(request.prompt), "stop", 1, 1)

    recipe = Recipe(problems=("gsm8k",), teacher="simulated-teacher", method=METHOD)
    line = Line(recipe.method, recipe.requests, Teacher(), InlineGrader())
    seeds = [seed for seed in read_problems(sources, 5) if isinstance(seed, Problem)]
    rows = [row for seed in seeds for row in asyncio.run(line.augment(seed)).rows]
    assert {row.step for row in rows} == {step.name for step in METHODS["metamath"]().outline.steps}


def test_a_plan_counts_few_shot_prompts_and_the_numbers_that_can_be_hidden() -> None:
    usage = MetaMath().expected(Seeds("gsm8k", 1000, 200), [])
    assert usage["answers"].requests == usage["rephrasing: rewrite"].requests == 11_000
    assert 2_600 <= usage["fobar"].requests == usage["self_verification: declare"].requests <= 3_700
    assert usage["fobar"].requests != MetaMath().expected(Seeds("math", 1000, 200), [])["fobar"].requests
    # A third of the question is the sentence that asks; the reply is as long.
    declared = usage["self_verification: declare"]
    assert 15 < declared.completion_tokens / declared.requests < usage["rephrasing: rewrite"].completion_tokens / 11_000
    # The examples are most of the prompt.
    assert usage["rephrasing: rewrite"].prompt_tokens / 11_000 > 400


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"answers": -1}, "answers is -1: it must not be negative"),
        ({"answers": 0, "rephrasings": 0, "fobar": 0, "self_verification": 0}, "every operator of metamath has 0"),
    ],
)
def test_settings_that_make_no_rows_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        MetaMath(**settings)


def test_a_temperature_of_0_is_warned_of() -> None:
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=MetaMath(), temperature=0)
    assert MetaMath().check([], recipe.requests) == [
        "temperature is 0: all 11 samples of answers will come out alike",
        "temperature is 0: all 11 samples of rephrasing will come out alike",
    ]
