"""Programs of thought on a teacher that is a script: what is run, what is kept, and what becomes of the rest."""

import asyncio
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from personamath.answers import is_right_output
from personamath.commands.demo_data import _embedded_teacher, _make
from personamath.errors import BadInput
from personamath.folder.checks import check_folder
from personamath.methods import METHODS, ProgramOfThought
from personamath.methods.method import Seeds
from personamath.methods.program import PROGRAMMING
from personamath.methods.work import Outcome
from personamath.programs.pool import Programs
from personamath.programs.reading import Program
from personamath.programs.sandbox import Result
from personamath.recipe import Recipe
from personamath.records import Completion, Problem, Request
from personamath.runs.made import Made
from personamath.runs.pipeline import Line
from personamath.runs.programs import check_programs
from personamath.runs.setup import Setup
from personamath.sources.tables import read_file
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.methods.test_stages import InlineGrader

SEED = Problem("gsm8k-train-00042", "gsm8k", "A box holds 12 pens. What do 3 boxes cost at 0.5 dollars a pen?", "18")


class Teacher:
    """Writes the programs of a script, by sample; `turns` says how long an answer takes."""

    def __init__(self, replies: list[str], turns: Callable[[Request], int] = lambda _: 0) -> None:
        self.replies, self.turns = replies, turns
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        for _ in range(self.turns(request)):
            await asyncio.sleep(0)
        return Completion(self.replies[request.sample], "stop", 10, 20)


class Kept(dict[str, Result]):
    """Results in memory."""

    def put(self, digest: str, result: Result) -> None:
        self[digest] = result


def augment(teacher: Teacher, results: Kept | None = None, seed: Problem = SEED) -> Outcome:
    async def work() -> Outcome:
        method = ProgramOfThought(k=len(teacher.replies))
        recipe = Recipe(problems=("gsm8k",), teacher="teacher-1", method=method)
        async with Programs(Kept() if results is None else results, workers=2) as programs:
            line = Line(method, recipe.requests, teacher, InlineGrader(), programs=programs)
            return await line.augment(seed)

    return asyncio.run(work())


def fenced(source: str) -> str:
    return f"```python\n{source}\n```"


RIGHT = "pens = 3 * 12  # in all boxes\nprint(pens * 0.5)"


def test_the_journey_of_a_seed_problem_reads_like_the_paper() -> None:
    """The teacher writes a program; we run it; its output is the answer. The reasoning is kept, not the arithmetic."""
    replies = [
        f"Here is the program:\n\n{fenced(RIGHT)}",
        fenced("# the same, in other words\npens = 3 * 12\nprint(pens*0.5)"),
        fenced("from fractions import Fraction\nprint('dollars:')\nprint(36 * Fraction(1, 2))"),
        fenced("print(12 * 0.5)"),
        fenced("print(36 / 0)"),
        fenced("cost = 18"),
        fenced("import os\nprint(18)"),
        r"It is 36 times 0.5, so $\boxed{18}$.",
    ]
    teacher = Teacher(replies)
    outcome = augment(teacher)
    assert [(row.id, row.problem, row.answer, row.response, row.columns) for row in outcome.rows] == [
        (SEED.id, SEED.question, "18", fenced(RIGHT), {"sample": 0, "output": "18.0"}),
        (f"{SEED.id}/s0002", SEED.question, "18", replies[2], {"sample": 2, "output": "18"}),
    ]
    assert outcome.counts == {
        ("program", "kept"): 2,
        ("program", "repeats another program"): 1,
        ("program", "wrong answer"): 1,
        ("program", "program raised an error"): 1,
        ("program", "program printed nothing"): 1,
        ("program", "program not allowed"): 1,
        ("program", "no program"): 1,
    }
    assert {request.prompt for request in teacher.asked} == {PROGRAMMING.fill(problem=SEED.question)}
    assert not any(SEED.answer in request.prompt for request in teacher.asked)


OUTPUTS = [
    ("18", "18", True),
    ("18", "18.0", True),
    ("18", "18.00001", True),  # a millionth
    ("18", "18.001", False),
    ("18", "17", False),
    (r"\frac{1}{3}", "0.3333333333333333", True),
    (r"\frac{1}{3}", "1/3", True),
    (r"\frac{1}{3}", "0.33", False),
    (r"2\sqrt{3}", "2*sqrt(3)", True),
    (r"2\sqrt{3}", "3.4641016151377544", True),
    (r"\frac{\pi}{4}", "0.7853981633974483", True),
    (r"x^2+1", "x**2 + 1", True),
    ("(1,2)", "(1, 2)", True),
    ("10^{400}", "1e300", False),
    ("1000000", "1e6", True),
    ("1000000", "1000001", False),  # integers are exact
    ("1000000", "1000000.5", True),
    ("18", "the answer is 17", False),
    ("18", "", False),
    ("18", "}{", False),
    ("18", "nan", False),
    ("18", "inf", False),
]


@pytest.mark.parametrize(("reference", "printed", "right"), OUTPUTS)
def test_the_grader_takes_a_float_for_the_value_that_it_is_near(reference: str, printed: str, right: bool) -> None:
    assert is_right_output(reference, printed) is right


@pytest.mark.parametrize("seed", range(3))
def test_rows_do_not_depend_on_which_answer_or_program_came_first(seed: int) -> None:
    replies = [fenced(f"print({n % 3} + 17)") for n in range(6)]
    late = Teacher(replies, lambda request: random.Random(seed * 31 + request.sample).randrange(9))
    outcome, in_order = augment(late), augment(Teacher(replies))
    assert outcome.rows == in_order.rows and outcome.counts == in_order.counts


def test_a_program_with_a_known_result_does_not_run_again() -> None:
    results = Kept({Program(RIGHT).digest: Result("ended", "of another run")})
    assert augment(Teacher([fenced(RIGHT)]), results).counts == {("program", "wrong answer"): 1}
    results = Kept()
    replies = [fenced("print(18)"), fenced("print(18)"), fenced("print(17)")]
    assert augment(Teacher(replies), results).rows == augment(Teacher(replies), results).rows
    assert len(results) == 2


def test_equal_programs_that_meet_run_once() -> None:
    async def work() -> Programs:
        async with Programs(Kept(), workers=2) as programs:
            same = Program("print(1)")
            assert await asyncio.gather(*(programs.run(same) for _ in range(5))) == [Result("ended", "1")] * 5
            return programs

    assert asyncio.run(work()).ran == 1


def setup(**values: object) -> Setup:
    return Setup.of({"output": "runs/x", **values}, "here")


REFUSED = [
    ("program", {}, "the method program runs programs .*: give --run-programs to allow it"),
    ("program", {"run_programs": True, "engine": "ray"}, "does not work with --engine ray: use --engine local"),
    ("persona", {"run_programs": True}, "--run-programs is for methods that run programs, and persona runs none"),
]


@pytest.mark.parametrize(("method", "values", "says"), REFUSED)
def test_programs_run_only_if_the_user_allows_it(method: str, values: dict[str, object], says: str) -> None:
    recipe = Recipe(problems=("gsm8k",), teacher="t", method=METHODS[method]())
    with pytest.raises(BadInput, match=says):
        check_programs(recipe, setup(**values))


def make(output: Path, **values: object) -> Made:
    recipe = Recipe(problems=tuple(bundled_problems()), teacher=MODEL, method=ProgramOfThought(), limit=4)
    with _embedded_teacher(bundled_problems(), None) as base_url:
        return _make(recipe, setup(output=str(output), base_url=[base_url], **values))


def test_a_run_is_refused_before_it_asks_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--run-programs"):
        make(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_whole_run_with_the_simulated_teacher_resumes_to_equal_bytes(tmp_path: Path) -> None:
    made, run = make(tmp_path / "run", run_programs=True), tmp_path / "run"
    assert made.folder and made.funnel.rows.total() and check_folder(made.folder, allow_simulated=True)
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    said = json.loads((run / "run.json").read_text())["programs"]
    assert said["run this time"] > 0 and set(said) >= {"walls", "not isolated"}
    # The results are in the run directory: what they say counts, and nothing runs again.
    make(run, run_programs=True)
    assert {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before
    again = json.loads((run / "run.json").read_text())["programs"]
    assert again["run this time"] == 0 and again["from the journal"] == said["run this time"]
    with sqlite3.connect(run / "programs.sqlite") as results:
        assert results.execute("select count(*) from results").fetchone() == (said["run this time"],)
    # Trainers get the program as the completion, and every problem once with its reference answer.
    (sft, *_), (rl, *_) = (
        [row.values for row in read_file(made.folder / f"{name}/train.parquet")] for name in ("sft", "rl")
    )
    assert sft["completion"][0]["content"].startswith("```python\n") and rl["solution"]
    card = (made.folder / "README.md").read_text()
    assert "compares the column `output` with the reference answer" in card and "boxed answer equals" not in card
    # A published folder is checked without running anything: by what the programs printed.
    assert {row.values["output"] for row in read_file(next((made.folder / "program").glob("*.parquet")))}


def test_it_is_a_method_by_its_name_and_a_plan_knows_its_requests() -> None:
    assert METHODS["program"] is ProgramOfThought and ProgramOfThought().runs_programs
    usage = ProgramOfThought(k=3).expected(Seeds("gsm8k", 100, 200.0), [])
    assert [round(of.requests) for of in usage.values()] == [300]
    assert ProgramOfThought(k=2).attempts({}) == {"program": 2} and ProgramOfThought().waves == 1
    with pytest.raises(BadInput, match="k is 0: it must be at least 1"):
        ProgramOfThought(k=0)


def test_more_programs_keep_the_earlier_requests_and_a_temperature_of_0_is_warned_of() -> None:
    one, two = Teacher([fenced("print(18)")]), Teacher([fenced("print(18)"), fenced("print(9+9)")])
    augment(one), augment(two)
    assert {request.digest for request in one.asked} < {request.digest for request in two.asked}
    cold = Recipe(problems=("gsm8k",), teacher="t", method=ProgramOfThought(k=2), temperature=0)
    assert cold.method.check([], cold.requests) == [
        "temperature is 0: all 2 programs for a problem will come out alike"
    ]
