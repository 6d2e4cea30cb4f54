"""Seed problems whose ids move: said before anything is paid for, and only then."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from personamath.commands.cli import main
from personamath.methods import Direct, MetaMath, PersonaMath, Rejection
from personamath.methods.method import Method
from personamath.records import Problem
from personamath.runs.seed_ids import FILE_NAME, warn_of_moved
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher

BEFORE = [Problem(f"shop-{number:05}", "shop", f"What is {number}?", "1") for number in range(4)]


def renamed(problems: list[Problem]) -> list[Problem]:
    return [Problem(f"shop-new-{number:05}", "shop", one.question, "1") for number, one in enumerate(problems)]


def shifted(problems: list[Problem]) -> list[Problem]:
    return [Problem(f"shop-{number:05}", "shop", one.question, "1") for number, one in enumerate(problems[1:])]


MOVES: list[tuple[Callable[[list[Problem]], list[Problem]], set[int], str]] = [
    (renamed, {0, 1, 2, 3}, "4 of 4 problems that this run has asked about have another id now (shop-new-00000 was"),
    (
        shifted,
        {0, 1, 2, 3},
        "3 of 3 problems that this run has asked about have another id now (shop-00000 was shop-00001)",
    ),
    (renamed, {2}, "1 of 1 problems that this run has asked about have another id now (shop-new-00002 was shop-00002)"),
    (renamed, set(), ""),  # nothing was asked
    (lambda problems: problems, {0, 1, 2, 3}, ""),
    (lambda problems: problems[:2], {0, 1, 2, 3}, ""),
    (lambda problems: [*problems, Problem("shop-00004", "shop", "What is 4?", "1")], {0, 1, 2, 3}, ""),
]


@pytest.mark.parametrize(("move", "begun", "warning"), MOVES)
def test_moved_ids_are_said(
    move: Callable[[list[Problem]], list[Problem]], begun: set[int], warning: str, tmp_path: Path
) -> None:
    questions = {BEFORE[number].question for number in begun}

    def begun_of(problems: list[Problem]) -> list[tuple[Problem, bool]]:
        return [(seed, seed.question in questions) for seed in problems]

    assert warn_of_moved(tmp_path, [(seed, False) for seed in BEFORE]) is None
    said = warn_of_moved(tmp_path, begun_of(move(BEFORE))) or ""
    assert said.startswith(warning) and bool(said) == bool(warning) and "\n" not in said
    # Back at the first file, whose answers are all there.
    assert warn_of_moved(tmp_path, begun_of(BEFORE)) is None


@pytest.mark.parametrize(
    ("method", "draws"),
    [
        (PersonaMath(), True),
        (Direct(), False),
        (Rejection(), False),
        (MetaMath(), True),
        (MetaMath(fobar=0, self_verification=0), False),
    ],
)
def test_methods_that_draw_by_ids_say_so(method: Method, draws: bool) -> None:
    assert method.draws_by_id is draws


@pytest.mark.parametrize("begun_by", [["augment"], ["plan", "--pilot", "4"]])
def test_a_run_whose_file_lost_its_first_row_says_so_before_it_asks(
    begun_by: list[str],
    start_teacher: Callable[..., ScriptedTeacher],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundled = bundled_problems()[0].partition(":")[2]
    rows = Path(bundled).read_text(encoding="utf-8").splitlines(keepends=True)[:4]
    file = tmp_path / "few.jsonl"
    file.write_text("".join(rows), encoding="utf-8")
    teacher = start_teacher("--problems", f"gsm8k:{file}")
    words = ["augment", "--problems", f"gsm8k:{file}", "--teacher", MODEL, "--base-url", teacher.base_url]
    words += ["--output", str(tmp_path / "run")]
    for _ in range(2):
        assert main([*begun_by, *words[1:], "--k1", "2", "--k2", "3"]) in (0, 3)
    assert "another id" not in capsys.readouterr().err
    file.write_text("".join(rows[1:]), encoding="utf-8")
    (tmp_path / "run" / "run.json").unlink(missing_ok=True)  # as where the run was killed
    shutil.rmtree(tmp_path / "run" / "dataset", ignore_errors=True)
    assert main([*words, "--k1", "2", "--k2", "3"]) in (0, 3)
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "another id" in line)
    assert "3 of 3 problems" in line and "add new rows at its end" in line
    # A method that draws nobody asks nothing anew.
    direct = ["--method", "direct", "--replace"]
    assert main([*words, *direct]) in (0, 3)
    assert "another id" not in capsys.readouterr().err
    known = sqlite3.connect(tmp_path / "run" / FILE_NAME)
    assert known.execute("select count(distinct question), count(*) from ids").fetchone() == (4, 7)
    known.close()


def test_a_problem_with_half_a_surrogate_pair_is_named_before_anything_is_asked(
    start_teacher: Callable[..., ScriptedTeacher], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "few.jsonl"
    row = {"problem": "What is 1 + 1?", "solution": r"\boxed{2}", "type": "Algebra", "level": "Level 1"}
    rows = [row, row | {"problem": "What is 2 + 2?", "type": "\ud83d"}]
    file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    teacher = start_teacher()
    words = ["augment", "--problems", f"math:{file}", "--teacher", MODEL, "--base-url", teacher.base_url]
    assert main([*words, "--output", str(tmp_path / "run")]) in (0, 3)
    assert capsys.readouterr().err.splitlines()[0] == (
        "warning: 1 problems left out: half a surrogate pair (math-few-00001)"
    )
