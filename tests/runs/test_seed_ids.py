"""Seed problems whose ids move: said before anything is paid for, and only then."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from personamath.commands.cli import main
from personamath.methods import Direct, MetaMath, PersonaMath, Rejection
from personamath.methods.method import Method
from personamath.records import Problem
from personamath.runs.seed_ids import FILE_NAME, Run, settle, warn_of_moved
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher

BEFORE = [Problem(f"shop-{number:05}", "shop", f"What is {number}?", "1") for number in range(4)]


Move = Callable[[list[Problem]], list[Problem]]


def renamed(problems: list[Problem]) -> list[Problem]:
    return [Problem(f"shop-new-{number:05}", "shop", one.question, "1") for number, one in enumerate(problems)]


def shifted(problems: list[Problem]) -> list[Problem]:
    return [Problem(f"shop-{number:05}", "shop", one.question, "1") for number, one in enumerate(problems[1:])]


def reworded(old: str, new: str) -> Move:
    return lambda problems: [replace(one, question=one.question.replace(old, new)) for one in problems]


def first_digest(seed: Problem) -> str:
    return f"digest of {seed.question}"


def warn(runs: Sequence[Run], problems: list[Problem], draws: bool = True) -> list[str]:
    return warn_of_moved(runs, [(seed, first_digest(seed)) for seed in problems], draws=draws)


def run_of(directory: Path, begun: set[int]) -> Run:
    """A run that has the answers to the first requests of these problems."""
    directory.mkdir(exist_ok=True)
    digests = {first_digest(BEFORE[number]) for number in begun}
    return Run(directory, digests.__contains__)


ALL = {0, 1, 2, 3}
MOVES: list[tuple[Move, set[int], str]] = [
    (renamed, ALL, "4 of 4 problems that this run has asked about have another id now (shop-new-00000 was shop-00000)"),
    (
        shifted,
        ALL,
        "3 of 3 problems that this run has asked about have another id now (shop-00000 was shop-00001)",
    ),
    (renamed, {2}, "1 of 1 problems that this run has asked about have another id now (shop-new-00002 was shop-00002)"),
    (renamed, set(), ""),  # nothing was asked
    (lambda problems: problems, ALL, ""),
    (lambda problems: problems[:2], ALL, ""),
    (lambda problems: [*problems, Problem("shop-00004", "shop", "What is 4?", "1")], ALL, ""),
    *(
        (
            reworded(" ", other),
            {1, 3},
            "2 problems that this run has asked about have other white space or line ends now (shop-00001)",
        )
        for other in ("  ", "\r\n", "\u00a0", " \ufeff", "\t", " \u200b")
    ),
    (reworded("What", "Then what"), ALL, ""),  # another question, which anybody expects to be asked
]


@pytest.mark.parametrize("reused", [False, True], ids=["the same run", "a run that is reused"])
@pytest.mark.parametrize(("move", "begun", "warning"), MOVES)
def test_what_is_asked_anew_is_said(move: Move, begun: set[int], warning: str, reused: bool, tmp_path: Path) -> None:
    first = run_of(tmp_path / "first", begun)
    runs = [run_of(tmp_path / "second", set()), first] if reused else [first]
    who = "this run, or a run that it reuses," if reused else "this run"
    assert warn([first], BEFORE) == []
    for _ in range(2):  # who stops because of it is told again
        said = warn(runs, move(BEFORE))
        assert len(said) == bool(warning)
        assert not said or (said[0].startswith(warning.replace("this run", who)) and "\n" not in said[0])
    # Back at the first file, whose answers are all there.
    assert warn(runs, BEFORE) == []


def test_ids_that_moved_are_said_until_they_have_been_asked_about(tmp_path: Path) -> None:
    run = run_of(tmp_path, ALL)
    warn([run], BEFORE)
    assert warn([run], renamed(BEFORE))
    settle(tmp_path, renamed(BEFORE))
    assert warn([run], renamed(BEFORE)) == warn([run], BEFORE) == []


def test_a_method_that_does_not_draw_notices_texts_only(tmp_path: Path) -> None:
    run = run_of(tmp_path, ALL)
    warn([run], BEFORE, draws=False)
    assert warn([run], renamed(BEFORE), draws=False) == []
    assert len(warn([run], reworded(" ", "\n")(renamed(BEFORE)), draws=False)) == 1


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0" + b"\0" * 2000])
def test_a_reused_run_without_a_record_of_ids_is_reused_all_the_same(content: bytes | None, tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", ALL)
    if content is not None:
        (other.directory / FILE_NAME).write_bytes(content)
    assert warn([run_of(tmp_path / "own", set()), other], renamed(BEFORE)) == []
    assert [path.name for path in other.directory.iterdir()] == ([] if content is None else [FILE_NAME])


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


@pytest.mark.parametrize(
    ("method", "changed", "warning"),
    [
        ("persona", "name", "another id now"),
        ("persona", "personas", "was begun with other personas"),
        ("direct", "name", ""),
        ("direct", "line ends", "other white space or line ends now"),
    ],
)
@pytest.mark.parametrize("reused", [False, True], ids=["the same run", "a run that is reused"])
def test_a_run_that_ended_early_says_what_its_next_command_asks_anew(
    method: str,
    changed: str,
    warning: str,
    reused: bool,
    start_teacher: Callable[..., ScriptedTeacher],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = tmp_path / "few.csv"
    few.write_bytes(b'question,answer\n"Tom has 2 pens.\nHe buys 3. How many has he?",5\n')
    personas = tmp_path / "personas.jsonl"
    personas.write_text('{"persona": "a nurse"}\n{"persona": "a baker"}\n')
    teacher = start_teacher("--problems", f"shop:{few}:question:answer")

    def augment(problems: Path, output: str, *flags: str) -> str:
        words = ["augment", "--problems", f"shop:{problems}:question:answer", "--teacher", MODEL, "--method", method]
        draws = ["--personas", str(personas), "--k1", "1", "--k2", "2"] if method == "persona" else []
        words += [*draws, "--base-url", teacher.base_url, "--output", str(tmp_path / output), *flags]
        assert main(words) in (0, 3)
        return capsys.readouterr().err

    assert "anew" not in augment(few, "run", "--max-requests", "1")
    (tmp_path / "run" / "run.json").unlink()
    shutil.rmtree(tmp_path / "run" / "dataset", ignore_errors=True)
    if changed == "name":
        few = few.rename(tmp_path / "new.csv")
    elif changed == "line ends":
        few.write_bytes(few.read_bytes().replace(b"\n", b"\r\n"))
    else:
        personas.write_text('{"persona": "a baker"}\n{"persona": "a nurse"}\n')
    said = augment(few, "next", "--reuse", str(tmp_path / "run")) if reused else augment(few, "run")
    assert [line for line in said.splitlines() if "anew" in line and warning in line] if warning else "anew" not in said


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
