"""What every method says of itself: what it asks first, what it will ask in all, and settings that it warns of."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from personamath.errors import BadInput, NotAsked, RequestFailed
from personamath.methods import METHODS, Direct, MetaMath, PersonaMath, ProgramOfThought, Rejection, Resample
from personamath.methods.draw import draw, order, rank
from personamath.methods.method import Method, Seeds
from personamath.methods.requests import Requests, Sampler
from personamath.methods.roles import of_method
from personamath.methods.work import Failure, Work
from personamath.programs.reading import Program
from personamath.records import Completion, Persona, Problem, Request
from personamath.runs.pipeline import Line
from tests.methods.test_stages import InlineGrader

SEED = Problem("gsm8k-train-00042", "gsm8k", "Ann has 3 crates of 12 jars. How many jars has she?", "36")
PERSONAS = [Persona(index, f"Person number {index}", "cook" if index % 2 else "nurse") for index in range(30)]


def requests(method: Method, temperature: float | None = 0.7) -> Requests:
    """How a recipe with the method's own prompts asks."""
    return Requests(Sampler(model="teacher-1", temperature=temperature, max_tokens=2048), method.prompts)


@pytest.mark.parametrize("name", METHODS)
def test_a_plan_counts_every_kind_and_a_run_begins_with_the_first(name: str) -> None:
    method = METHODS[name]()
    kinds = [kind.name for kind in method.outline.kinds]
    expected = method.expected(Seeds("gsm8k", 100, 200.0), PERSONAS)
    assert list(expected) == kinds and all(usage.requests > 0 for usage in expected.values())
    first = method.first_request(SEED, requests(method))
    assert (first.purpose if first else None) == (kinds[0] if kinds else None)
    steps = {step.name for step in method.outline.steps}
    assert steps >= set(method.attempts(dict.fromkeys(steps, 1)))
    assert [method.outline.kind(kind).name for kind in kinds] == kinds


DRAWS_BY_ID = {"persona": True, "resample": True, "metamath": True}


@pytest.mark.parametrize("name", METHODS)
def test_only_methods_that_draw_depend_on_ids(name: str) -> None:
    method = METHODS[name]()
    assert method.draws_by_id == DRAWS_BY_ID.get(name, False)
    assert (method.persona_source is not None) == (name in ("persona", "resample"))
    assert method.runs_programs == (name == "program") and method.reads_solutions == (name == "original")
    assert method.needs_test_problems == (name == "evol")


ATTEMPTS: list[tuple[Method, Mapping[str, int], Mapping[str, int]]] = [
    (
        PersonaMath(k1=2, k2=3),
        {"stage1_inference": 1},
        {"stage1_inference": 1, "stage1_rewrite": 2, "stage2_reflection": 0, "stage2_rewrite": 0},
    ),
    (
        Direct(k1=2, k2=3),
        {"stage2_reflection": 1},
        {"stage1_inference": 1, "stage1_rewrite": 0, "stage2_reflection": 1, "stage2_rewrite": 3},
    ),
    (
        Resample(k1=2, k2=3),
        {},
        {"stage1_inference": 1, "stage1_rewrite": 0, "stage2_resample": 1, "stage2_rewrite": 0},
    ),
    (Rejection(k=5), {}, {"rejection": 5}),
    (Rejection(until_right=4), {}, {}),
    (MetaMath(answers=3, rephrasings=2), {}, {"answers": 3, "rephrasing": 2}),
    (ProgramOfThought(k=4), {}, {"program": 4}),
]


@pytest.mark.parametrize(("method", "kept", "attempts"), ATTEMPTS)
def test_what_was_tried_for_a_seed_problem(
    method: Method, kept: Mapping[str, int], attempts: Mapping[str, int]
) -> None:
    assert method.attempts(kept) == attempts


WARNED: list[tuple[Method, float, list[str]]] = [
    (PersonaMath(k1=5, k2=5), 0.7, ["k2 is 5, k1 is 5; the paper has K2 > K1"]),
    (PersonaMath(k1=5, k2=6), 0.0, []),
    (MetaMath(answers=2, rephrasings=1), 0.0, ["temperature is 0: all 2 samples of answers will come out alike"]),
    (MetaMath(answers=1, rephrasings=2), 0.0, ["temperature is 0: all 2 samples of rephrasing will come out alike"]),
    (MetaMath(answers=2, rephrasings=2), 0.1, []),
    (Rejection(k=2), 0.0, ["temperature is 0: all 2 samples of a problem will come out alike"]),
    (Rejection(k=1), 0.0, []),
    (Rejection(k=1, until_right=2), 0.0, ["temperature is 0: all samples of a problem will come out alike"]),
    (ProgramOfThought(k=2), 0.0, ["temperature is 0: all 2 programs for a problem will come out alike"]),
    (ProgramOfThought(k=1), 0.0, []),
    (Direct(), 0.0, []),
]


@pytest.mark.parametrize(("method", "temperature", "warnings"), WARNED)
def test_settings_that_no_paper_has_are_warned_of(method: Method, temperature: float, warnings: list[str]) -> None:
    assert method.check(PERSONAS, requests(method, temperature=temperature)) == warnings


def test_the_teacher_of_the_kind_decides_whether_samples_come_out_alike() -> None:
    method = MetaMath(answers=2, rephrasings=2)
    cold = Sampler(model="teacher-2", temperature=0.0, max_tokens=2048)
    asked = replace(requests(method), by_kind={"answers": cold})
    assert method.check([], asked) == ["temperature is 0: all 2 samples of answers will come out alike"]


def test_a_reflection_takes_a_review_and_a_solution() -> None:
    usage = PersonaMath().expected(Seeds("gsm8k", 100, 200.0), PERSONAS)
    solved, reflected = (usage[kind] for kind in ("stage1_inference", "stage2_reflection"))
    each = solved.completion_tokens / solved.requests
    assert reflected.completion_tokens / reflected.requests == pytest.approx(2 * each)


def test_a_quota_has_a_title_of_its_own() -> None:
    assert Rejection(until_right=4).described.title == "rejection sampling until enough solutions are right"
    assert Rejection().described == Rejection.outline


def test_more_rewrites_than_personas_are_refused() -> None:
    method = PersonaMath(k1=2, k2=31)
    with pytest.raises(BadInput, match="31 rewrites need 31 personas, but there are only 30: give more, or lower K"):
        method.check(PERSONAS, requests(method))
    assert method.check([*PERSONAS, Persona(30, "One more")], requests(method)) == []


def test_what_is_drawn_is_a_function_of_the_seed_and_the_question() -> None:
    few, more = (draw(PERSONAS, "q", k, 42, "by-occupation") for k in (3, 30))
    assert more[:3] == few and sorted(more, key=lambda one: one.index) == PERSONAS
    assert all({one.occupation for one in more[start : start + 2]} == {"cook", "nurse"} for start in range(0, 30, 2))
    assert order(5, "q", 42) != order(5, "r", 42) and sorted(order(5, "q", 42)) == list(range(5))
    assert rank("q", 42) != rank("q", 43) and rank("q", 42) != rank("r", 42) and rank("q", 42) == rank("q", 42)


def test_the_first_request_of_backward_questions_alone_is_not_known() -> None:
    backward = MetaMath(answers=0, rephrasings=0, fobar=1, self_verification=1)
    assert backward.first_request(SEED, requests(backward)) is None
    rephrasing = MetaMath(answers=0, rephrasings=1)
    first = rephrasing.first_request(SEED, requests(rephrasing))
    assert first and first.purpose == "rephrasing: rewrite"
    assert not MetaMath(fobar=0, self_verification=0).draws_by_id and backward.draws_by_id


class Teacher:
    """Fails, or answers the same to every request of a kind."""

    def __init__(self, answers: Mapping[str, str | Exception]) -> None:
        self.answers = answers

    async def complete(self, request: Request) -> Completion:
        answer = self.answers[request.purpose]
        if isinstance(answer, Exception):
            raise answer
        return Completion(answer, "stop", 10, 20)


FAILED, NOT_ASKED = RequestFailed("timeout", "no answer"), NotAsked("a cap of this run is reached")
RIGHT = r"\boxed{36}"
REWRITTEN = "A baker fills 3 trays with 12 rolls each. How many rolls does the baker have?"
ENDS: list[tuple[Method, Problem, Mapping[str, str | Exception], dict[tuple[str, str], int]]] = [
    (
        MetaMath(answers=0, rephrasings=1, fobar=0, self_verification=0),
        SEED,
        {"rephrasing: rewrite": FAILED},
        {("rephrasing: rewrite", "failed"): 1},
    ),
    (
        MetaMath(answers=0, rephrasings=1, fobar=0, self_verification=0),
        SEED,
        {"rephrasing: rewrite": SEED.question},
        {("rephrasing: rewrite", "equal to the original"): 1},
    ),
    (
        MetaMath(answers=0, rephrasings=0, fobar=0, self_verification=1),
        SEED,
        {"self_verification: declare": NOT_ASKED},
        {("self_verification: declare", "not asked"): 1},
    ),
    (
        MetaMath(answers=0, rephrasings=0, fobar=0, self_verification=1),
        SEED,
        {"self_verification: declare": "How many jars?"},
        {("self_verification: declare", "still a question"): 1},
    ),
    (
        # Nothing asks, so nothing can become a statement, and the teacher is not asked.
        MetaMath(answers=0, rephrasings=0, fobar=0, self_verification=1),
        Problem("gsm8k-train-00043", "gsm8k", "Ann has 3 crates of 12 jars.", "36"),
        {},
        {},
    ),
    (ProgramOfThought(), SEED, {"program": FAILED}, {("program", "failed"): 1}),
    (ProgramOfThought(), SEED, {"program": "She has 36 jars."}, {("program", "no program"): 1}),
    (Direct(k1=1, k2=1), SEED, {"stage1_inference": NOT_ASKED}, {("stage1_inference", "not asked"): 1}),
    (
        Direct(k1=1, k2=1),
        SEED,
        {"stage1_inference": RIGHT, "stage1_rewrite: rewrite": FAILED},
        {("stage1_inference", "kept"): 1, ("stage1_rewrite: rewrite", "failed"): 1},
    ),
    (
        Direct(k1=1, k2=1),
        SEED,
        {"stage1_inference": RIGHT, "stage1_rewrite: rewrite": REWRITTEN, "stage1_rewrite: solve": FAILED},
        {
            ("stage1_inference", "kept"): 1,
            ("stage1_rewrite: rewrite", "usable"): 1,
            ("stage1_rewrite: solve", "failed"): 1,
        },
    ),
    (
        Direct(k1=1, k2=1),
        SEED,
        {
            "stage1_inference": r"\boxed{15}",
            "stage2_reflection": f"### Corrected Explanation\n{RIGHT}",
            "stage2_rewrite: rewrite": FAILED,
        },
        {
            ("stage1_inference", "wrong answer"): 1,
            ("stage2_reflection", "kept"): 1,
            ("stage2_rewrite: rewrite", "failed"): 1,
        },
    ),
]


@pytest.mark.parametrize(("method", "seed", "answers", "counts"), ENDS)
def test_an_attempt_that_ends_early_is_counted_once_and_makes_no_row(
    method: Method, seed: Problem, answers: Mapping[str, str | Exception], counts: dict[tuple[str, str], int]
) -> None:
    line = Line(method, requests(method), Teacher(answers), InlineGrader(), tuple(PERSONAS))
    outcome = asyncio.run(line.augment(seed))
    assert outcome.counts == counts
    assert [row.step for row in outcome.rows] == [kind for kind, reason in counts if reason == "kept"]
    failed = [kind for kind, reason in counts if reason == "failed"]
    assert [failure.purpose for failure in outcome.failures] == failed
    assert all(isinstance(failure, Failure) and failure.why == "timeout: no answer" for failure in outcome.failures)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, "\ud800"])
def test_a_field_of_requests_must_be_valid_in_json(value: Any) -> None:
    [fault] = Sampler(model="m", temperature=0.7, max_tokens=1, request={"a": value}).faults()
    assert fault.startswith("request: its values must be valid in JSON (") and "\n" not in fault


def test_programs_run_only_where_the_user_allows_it() -> None:
    work = Work(requests(ProgramOfThought()), Teacher({}), InlineGrader())
    with pytest.raises(BadInput, match="run only with --run-programs"):
        asyncio.run(work.run(Program("print(1)")))


def test_roles_of_another_method_keep_what_this_one_asks() -> None:
    given = {"rewrite": {"model": "big"}, "reflect": "deep", "default": "small"}
    assert of_method(given, Rejection().outline, "here") == {"default": "small"}
    assert of_method(given, PersonaMath().outline, "here") == given
    assert of_method({"reflect": "deep"}, Rejection().outline, "here") == {"default": "deep"}
    with pytest.raises(BadInput, match="teacher names no model"):
        of_method({}, Rejection().outline, "here")
