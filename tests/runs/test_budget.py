"""`--budget`: a larger budget contains a smaller one, whatever arrives when and whatever fails."""

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.budget import Budget
from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.folder.checks import check_folder
from personamath.folder.reading import read_rows
from personamath.methods.work import FAILED, Failure, Outcome
from personamath.records import Completion, Problem, Row
from personamath.runs.budget import Budgeted, in_budget_order
from personamath.runs.funnel import Funnel
from personamath.runs.pipeline import Outcomes
from personamath.teachers.prices import Price
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher
from tests.support.folders import changed, row

PRICES: dict[str, Price | None] = {"solve": Price(0.1, 0.7)}
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]


@pytest.mark.parametrize("text", ["", "20", "usd:", "usd:0", "rows:1.5", "euros:3", "rows:-1", "tokens:5T", "usd:nan"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="write usd:20"):
        Budget.of(text)


@pytest.mark.parametrize(
    ("text", "amount"), [("usd:20", 20), ("tokens:5M", 5_000_000), ("rows:1.5k", 1_500), ("questions:7", 7)]
)
def test_budgets_are_read_with_their_multiples(text: str, amount: int) -> None:
    assert Budget.of(text).amount == amount


def outcome(number: int, rows: int, tokens: int, fails: bool = False) -> Outcome:
    """A seed problem's outcome; its rows share questions with those of other seed problems."""
    made: list[Row] = [
        changed(row("stage1_rewrite", number), id=f"{number}/{one}", problem=f"q{(number + one) % 7}")
        for one in range(rows)
    ]
    if fails:
        return Outcome(counts=Counter({("solve", FAILED): 1}), failures=[Failure("solve", str(number), "http 500")])
    answers = {str(number): Completion("", "stop", tokens, tokens)}
    return Outcome(
        made, tokens=Counter({("solve", "prompt"): tokens, ("solve", "completion"): tokens}), answers=answers
    )


Costs = list[tuple[int, int]]


class Cut(NamedTuple):
    """A sink that a run has filled, and the ids of the rows that it passed on."""

    sink: Budgeted
    ids: set[str]


def cut(costs: Costs, budget: str, order: int, window: int, failing: frozenset[int] = frozenset()) -> Cut:
    """Run seed problems of these rows and tokens, `window` at a time, finished in an order that `order` decides."""
    seeds = in_budget_order((Problem(f"s{number}", "gsm8k", "", "") for number in range(len(costs))), 42)
    kept = Outcomes()
    found = Budgeted(Budget.of(budget), seeds, kept, PRICES)
    rng, flying, coming = random.Random(order), list[int](), found.seeds()
    while True:
        while len(flying) < window and (seed := next(coming, None)):
            flying.append(seed[0])
        if not flying:
            break
        done = flying.pop(rng.randrange(len(flying)))
        found.add(done, outcome(done, *costs[done], fails=done in failing))
    return Cut(found, {one.id for each in kept.in_order() for one in each.rows})


costs_of = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=25)
units = st.sampled_from(["usd:0.0000{:02}", "tokens:{}", "rows:{}", "questions:{}"])
any_order = st.tuples(st.integers(), st.integers(1, 9))


@given(costs_of, units, st.integers(1, 60), any_order, any_order)
def test_the_order_of_arrival_changes_no_row(
    costs: Costs, unit: str, amount: int, one: tuple[int, int], other: tuple[int, int]
) -> None:
    first, second = (cut(costs, unit.format(amount), *how) for how in (one, other))
    assert first.ids == second.ids and first.sink.used == second.sink.used <= Budget.of(unit.format(amount)).amount
    assert first.sink.taken == second.sink.taken <= first.sink.begun


@given(costs_of, units, st.integers(1, 60), st.integers(0, 30), any_order, any_order)
def test_a_larger_budget_contains_a_smaller_one(
    costs: Costs, unit: str, amount: int, more: int, one: tuple[int, int], other: tuple[int, int]
) -> None:
    assert cut(costs, unit.format(amount), *one).ids <= cut(costs, unit.format(amount + more), *other).ids


@given(costs_of, units, st.integers(1, 60), any_order, st.frozensets(st.integers(0, 24)))
def test_faults_leave_rows_out_and_add_none(
    costs: Costs, unit: str, amount: int, how: tuple[int, int], failing: frozenset[int]
) -> None:
    whole, faulty = (cut(costs, unit.format(amount), *how, failed) for failed in (frozenset[int](), failing))
    assert faulty.ids <= whole.ids
    funnel = Funnel()
    faulty.sink.end(funnel, unit.format(amount))
    if funnel.complete:
        assert faulty.ids == whole.ids


@pytest.fixture
def teacher(start_teacher: Callable[..., ScriptedTeacher]) -> ScriptedTeacher:
    """A teacher that knows the bundled problems."""
    return start_teacher(*PROBLEMS)


def augment(teacher: ScriptedTeacher, output: Path, *flags: str) -> int:
    command = ["augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output)]
    return main([*command, "--k1", "1", "--k2", "1", "--price-in", "1", "--price-out", "1", *flags])


def provenance(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "dataset" / "provenance.json").read_text()))


def test_a_run_with_a_budget_is_part_of_a_larger_one(
    teacher: ScriptedTeacher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small, other = tmp_path / "small", tmp_path / "other"
    assert augment(teacher, small, "--budget", "rows:12", "--concurrency", "2") == 0
    assert "not begun" in capsys.readouterr().out
    rows = read_rows(small / "dataset")
    assert 0 < len(rows) <= 12 and provenance(small)["funnel"]["budget"]["used"] == len(rows)
    assert check_folder(small / "dataset", allow_simulated=True)
    flags = ("--reuse", str(small), "--concurrency", "9")
    assert augment(teacher, other, "--budget", "rows:12", *flags) == 0  # reused answers count
    assert read_rows(other / "dataset") == rows
    assert augment(teacher, small, "--budget", "rows:25") == 0  # the same directory goes on
    assert {row.id for row in rows} <= {row.id for row in read_rows(small / "dataset")}


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--budget", "usd:1", "--price-in", "0", "--price-out", "0"], "costs nothing"),
        (["--budget", "rows:5", "--batch"], "does not work with --batch"),
        (["--budget", "rows:5", "--engine", "ray"], "does not work with --engine ray"),
        (["--budget", "five"], "write usd:20"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_asked(
    teacher: ScriptedTeacher, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    assert augment(teacher, tmp_path / "run", *flags) == 1
    assert says in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_plan_says_what_a_budget_buys(capsys: pytest.CaptureFixture[str]) -> None:
    plan = ["plan", *PROBLEMS, "--teacher", "t", "--price-in", "1", "--price-out", "1"]
    assert main([*plan, "--budget", "usd:0.1"]) == 0
    assert "usd:0.1 buys about" in capsys.readouterr().out
