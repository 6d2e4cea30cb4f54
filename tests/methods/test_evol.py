"""Evolved problems on a teacher that is a script: the rounds, what is dropped, and the vote on the answer."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.errors import BadInput, RequestFailed
from personamath.methods import METHODS, Evol
from personamath.methods.evol import EASIER, HARDER
from personamath.methods.evolving import evolved_question
from personamath.methods.method import Seeds
from personamath.methods.prompts import INFERENCE
from personamath.methods.requests import Requests, Sampler
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Dropped, Problem, Request
from personamath.runs.pipeline import Line
from tests.methods.test_stages import InlineGrader

SEED = Problem("gsm8k-train-00042", "gsm8k", "A box holds 12 pens. How many pens do 3 boxes hold?", "36", level=3)
ONE_BOX = "A box holds 12 pens. How many pens does it hold?"
NO_BOX = "Tom has 2 pens and buys 3 more. How many pens has he?"
WITH_PRICE = "A box holds 12 pens at 2 dollars each, and 3 pens are broken. What are the sound pens of 3 boxes worth?"
WITH_TAX = "A box holds 12 pens at 2 dollars each plus 10 percent. How much do 3 boxes cost?"

Answer = str | Completion | RequestFailed


class Teacher:
    """Evolves and solves as two scripts say; `turns` makes answers late, as many turns of the loop as it gives."""

    def __init__(
        self,
        evolve: Callable[[str, int], Answer],
        solve: Callable[[str, int], Answer],
        turns: Callable[[Request], int] = lambda _: 0,
    ) -> None:
        self.evolve, self.solve, self.turns = evolve, solve, turns
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        for _ in range(self.turns(request)):
            await asyncio.sleep(0)
        answer = self._answer(request)
        if isinstance(answer, RequestFailed):
            raise answer
        return answer if isinstance(answer, Completion) else Completion(answer, "stop", 10, 20)

    def _answer(self, request: Request) -> Answer:
        if request.purpose.endswith(": evolve"):
            return self.evolve(request.prompt, request.sample)
        question = request.prompt.partition("Math problem:")[2]
        return self.solve(question, request.sample)


def augment(method: Evol, teacher: Teacher) -> Outcome:
    recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=method)
    return asyncio.run(Line(method, recipe.requests, teacher, InlineGrader()).augment(SEED))


def boxed(answer: str) -> str:
    return rf"We work it out. The answer is $\boxed{{{answer}}}$."


def in_line(down: Sequence[str], up: Sequence[str]) -> Callable[[str, int], Answer]:
    """Gives the rounds of each direction in their order, by the number of the sample."""
    return lambda prompt, sample: (down if "easier" in prompt else up)[sample]


def same(answer: str) -> Callable[[str, int], Answer]:
    return lambda question, sample: boxed(answer)


def test_the_journey_of_a_seed_problem_reads_like_the_paper() -> None:
    """Two rounds down and two up, each on the problem before it; three solutions vote on each answer."""
    answers = {ONE_BOX: "12", NO_BOX: "5", WITH_PRICE: "66", WITH_TAX: "79.2"}
    evolve = in_line(down=[ONE_BOX, NO_BOX], up=[f"**Harder Problem:**\n\n{WITH_PRICE}", WITH_TAX])
    teacher = Teacher(evolve, lambda question, sample: boxed(answers[question] if sample else "1"))
    outcome = augment(Evol(rounds_down=2, rounds_up=2), teacher)
    assert [(row.id, row.step, row.problem, row.answer) for row in outcome.rows] == [
        ("gsm8k-train-00042/down1", "evol_down", ONE_BOX, "12"),
        ("gsm8k-train-00042/down1/down2", "evol_down", NO_BOX, "5"),
        ("gsm8k-train-00042/up1", "evol_up", WITH_PRICE, "66"),
        ("gsm8k-train-00042/up1/up2", "evol_up", WITH_TAX, "79.2"),
    ]
    first = outcome.rows[0]
    assert first.columns == {"direction": "down", "round": 1, "votes": 2} and first.response == boxed("12")
    assert (first.seed_id, first.seed_problem, first.level) == (SEED.id, SEED.question, 3)
    prompts = [one.prompt for one in teacher.asked]
    assert EASIER.fill(problem=SEED.question) in prompts and EASIER.fill(problem=ONE_BOX) in prompts
    assert HARDER.fill(problem=SEED.question) in prompts and HARDER.fill(problem=WITH_PRICE) in prompts
    # Three samples of each of the four problems; the seed problem and its answer are asked of nobody.
    assert prompts.count(INFERENCE.fill(problem=NO_BOX)) == 3 and len(prompts) == 4 + 12
    assert not any(SEED.answer in one.prompt.partition("Write")[2] for one in teacher.asked)
    assert outcome.counts == {
        ("evol_down: evolve", "usable"): 2,
        ("evol_up: evolve", "usable"): 2,
        **{(f"evol_{way}: solve", reason): 2 for way in ("down", "up") for reason in ("kept", "usable", "outvoted")},
    }


def test_a_lost_round_leaves_the_next_one_the_last_usable_problem() -> None:
    teacher = Teacher(in_line(down=[ONE_BOX, "I'm sorry, I can't help with that.", NO_BOX], up=[]), same("1"))
    outcome = augment(Evol(rounds_down=3, rounds_up=0), teacher)
    assert [row.id for row in outcome.rows] == ["gsm8k-train-00042/down1", "gsm8k-train-00042/down1/down3"]
    assert [row.columns["round"] for row in outcome.rows] == [1, 3]
    evolved = [one for one in teacher.asked if one.purpose == "evol_down: evolve"]
    assert evolved[1].prompt == evolved[2].prompt and evolved[1].digest != evolved[2].digest


VOTES = [
    (["12", "12", "13"], 2, "12", 2),
    (["13", "12", "12"], 2, "12", 2),
    ([r"\frac{1}{2}", "0.5", "2"], 2, r"\frac{1}{2}", 2),  # equivalent answers are one
    (["12", "12", "12"], 3, "12", 3),
    (["12", "12", "13"], 3, None, 0),  # too few agree
    (["12", "13", "14"], 2, None, 0),
    (["12", "13"], 1, None, 0),  # as many for one as for the other
    (["12", "12", "13", "13"], 2, None, 0),
    (["12"], 1, "12", 1),
]


@pytest.mark.parametrize(("answers", "min_votes", "answer", "votes"), VOTES)
def test_the_answer_is_the_one_that_most_solutions_agree_on(
    answers: list[str], min_votes: int, answer: str | None, votes: int
) -> None:
    method = Evol(rounds_down=1, rounds_up=0, n_solve=len(answers), min_votes=min_votes)
    outcome = augment(method, Teacher(in_line([ONE_BOX], []), lambda _, sample: boxed(answers[sample])))
    assert [(row.answer, row.columns["votes"]) for row in outcome.rows] == ([(answer, votes)] if answer else [])
    solved = {reason: count for (kind, reason), count in outcome.counts.items() if kind == "evol_down: solve"}
    assert sum(solved.values()) == len(answers)
    assert solved.get("no majority", 0) == (0 if answer else len(answers))


NO_VOTE: list[tuple[Answer, str]] = [
    ("It is 12, I think.", "no final answer"),
    (r"\boxed{}", "no final answer"),
    (Completion(boxed("12"), "length"), "truncated"),
    (RequestFailed("timeout", "no answer"), "failed"),
]


@pytest.mark.parametrize(("answer", "reason"), NO_VOTE)
def test_a_solution_without_an_answer_does_not_vote(answer: Answer, reason: str) -> None:
    answers: list[Answer] = [answer, boxed("12"), boxed("12")]
    outcome = augment(Evol(rounds_down=1, rounds_up=0), Teacher(in_line([ONE_BOX], []), lambda _, n: answers[n]))
    assert [row.columns["votes"] for row in outcome.rows] == [2]
    solved = {why: count for (kind, why), count in outcome.counts.items() if kind == "evol_down: solve" and count}
    assert solved == {"kept": 1, "usable": 1, reason: 1}


FIGURE = "[asy]draw((0,0)--(1,1));[/asy]"
UNUSABLE = [
    ("a box holds 12 pens.  How many pens do 3 boxes hold", "equal to an ancestor"),
    (f"{ONE_BOX}\n\nSolution: it holds 12.", "holds a solution"),
    (f"{ONE_BOX} We know that 3 * 12 = 36.", "holds a solution"),
    (f"{ONE_BOX} Change at least three things together, then tell how many.", "holds words of the prompt"),
    (f"{ONE_BOX} Change at least three things together.", "holds words of the prompt"),
    (f"{ONE_BOX} {'Take care. ' * 20}", "too long"),
    (f"{ONE_BOX} {FIGURE}", "figure lost or changed"),
    ("I'm sorry, I can't help with that.", "refused"),
    ("A box holds 12 pens. Tom has 3 boxes of them, and he is glad.", "asks nothing"),
    ("Eine Kiste fasst 12 Stifte. Wie viele Stifte fassen 3 Kisten, wenn eine davon leer ist?", "in another language"),
    ("", "empty rewrite"),
    ("1. Ann has 3 boxes, of 12 pens. How many?\n2. Tom has 4 boxes, of 9 pens. How many?", "several versions"),
    (f"{ONE_BOX} The beekeeper would rephrase the problem as a call to count.", "holds remarks"),
    (f"{ONE_BOX} (Answer: 12)", "tells the answer"),
]


@pytest.mark.parametrize(("completion", "reason"), UNUSABLE, ids=[reason for _, reason in UNUSABLE])
def test_what_is_no_new_problem_is_dropped_under_its_own_name(completion: str, reason: str) -> None:
    around = HARDER.fill(problem="")
    longest = len(SEED.question.split()) + 30
    assert evolved_question(completion, [SEED.question], around, longest) == Dropped(reason)


def test_an_earlier_ancestor_counts_and_a_figure_is_kept_as_it_was() -> None:
    around = EASIER.fill(problem="")
    assert evolved_question(ONE_BOX, [ONE_BOX, NO_BOX], around, None) == Dropped("equal to an ancestor")
    assert evolved_question(NO_BOX, [f"{ONE_BOX} {FIGURE}"], around, None) == Dropped("figure lost or changed")
    assert evolved_question(f"{NO_BOX} {FIGURE}", [f"{ONE_BOX} {FIGURE}"], around, None) == f"{NO_BOX} {FIGURE}"


USABLE = [
    ONE_BOX,
    f"Easier problem: {ONE_BOX}",
    f"### Easier Problem\n{ONE_BOX}",
    f"Here is an easier problem:\n\n{ONE_BOX}",
    f"**New Problem:** {ONE_BOX}",
    f'"{ONE_BOX}"',
]


@pytest.mark.parametrize("completion", USABLE)
def test_wrapping_comes_off(completion: str) -> None:
    assert evolved_question(completion, [SEED.question], EASIER.fill(problem=""), None) == ONE_BOX


def test_branches_that_come_out_alike_are_kept_once() -> None:
    teacher = Teacher(lambda prompt, sample: ONE_BOX if sample < 200 else NO_BOX, same("1"))
    outcome = augment(Evol(rounds_down=1, rounds_up=0, branches=3), teacher)
    assert [row.id for row in outcome.rows] == ["gsm8k-train-00042/down1", "gsm8k-train-00042/down1-2"]
    assert outcome.counts["evol_down: solve", "repeats another evolved problem"] == 1


def test_after_a_round_without_an_answer_there_is_no_next_one() -> None:
    teacher = Teacher(lambda *_: RequestFailed("timeout", "no answer in 120 s"), same("1"))
    outcome = augment(Evol(), teacher)
    assert len(teacher.asked) == 2 and outcome.rows == []
    assert {failure.problem_id for failure in outcome.failures} == {f"{SEED.id}/down1", f"{SEED.id}/up1"}


QUESTIONS = [ONE_BOX, NO_BOX, WITH_PRICE, WITH_TAX, "I'm sorry, I can't.", SEED.question, f"{ONE_BOX} Is it so?"]


@pytest.mark.slow
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_rows_do_not_depend_on_which_answer_came_first(script: int, order: int) -> None:
    def evolve(prompt: str, sample: int) -> str:
        return QUESTIONS[(script // (1 + len(prompt)) + 3 * sample) % len(QUESTIONS)]

    def solve(question: str, sample: int) -> str:
        return boxed(str((script // (1 + len(question)) + sample // 2) % 3))

    method = Evol(rounds_down=2, rounds_up=3, branches=2)
    late = Teacher(evolve, solve, lambda request: (order ^ int(request.digest[:6], 16)) % 7)
    outcome, in_order = augment(method, late), augment(method, Teacher(evolve, solve))
    assert outcome.rows == in_order.rows and outcome.counts == in_order.counts
    assert outcome.counts.total() == len(late.asked)
    kept = sum(count for (_, reason), count in outcome.counts.items() if reason == "kept")
    assert kept == len(outcome.rows) == len({row.id for row in outcome.rows})


def test_more_rounds_and_branches_keep_the_earlier_requests() -> None:
    def asked(method: Evol) -> set[str]:
        teacher = Teacher(lambda prompt, sample: f"{NO_BOX} And {sample} more?" if sample else ONE_BOX, same("1"))
        augment(method, teacher)
        return {one.digest for one in teacher.asked}

    few = asked(Evol(rounds_down=1, rounds_up=1))
    assert few < asked(Evol(rounds_down=2, rounds_up=2)) < asked(Evol(rounds_down=2, rounds_up=2, branches=2))
    assert few < asked(Evol(rounds_down=1, rounds_up=1, n_solve=5))


def test_it_is_a_method_by_its_name_and_a_plan_knows_its_requests() -> None:
    assert METHODS["evol"] is Evol and Evol().needs_test_problems
    usage = Evol().expected(Seeds("gsm8k", 100, 200.0), [])
    assert [round(of.requests) for of in usage.values()] == [200, 540, 300, 810]
    assert list(Evol(rounds_down=0).expected(Seeds("gsm8k", 1, 1.0), [])) == ["evol_up: evolve", "evol_up: solve"]
    assert Evol().waves == 4 and Evol(branches=2).attempts({}) == {"evol_down": 4, "evol_up": 6}
    requests = Recipe(problems=("gsm8k",), teacher="t", method=Evol()).requests
    assert Evol(rounds_down=0).first_request(SEED, requests).prompt == HARDER.fill(problem=SEED.question)


BAD = [
    ({"rounds_down": 0, "rounds_up": 0}, "rounds_down and rounds_up are 0"),
    ({"rounds_up": 101}, "rounds_up is 101: it must be from 0 to 100"),
    ({"branches": 0}, "branches is 0: it must be at least 1"),
    ({"min_votes": 4}, "min_votes is 4: it must not be more than n_solve, which is 3"),
]


@pytest.mark.parametrize(("bad", "says"), BAD)
def test_settings_that_make_no_rows_are_refused(bad: dict[str, int], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Evol(**bad)


def test_solutions_that_cannot_disagree_are_warned_of() -> None:
    cold = Requests(Sampler(model="m", temperature=0.0, max_tokens=100))
    assert Evol().check([], cold) == ["temperature is 0: all 3 solutions of a problem will agree, whatever they say"]
    assert Evol(n_solve=1, min_votes=1).check([], cold) == ["n_solve is 1: no answer is confirmed by another solution"]
    assert Evol().check([], Requests(Sampler(model="m", temperature=0.7, max_tokens=100))) == []
