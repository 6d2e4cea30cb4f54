"""`--reuse RUN`: what another run has paid for is not asked again, and changes no byte of the dataset."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.journal.salvage import checksum
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher
from tests.runs.test_answered_by import dataset_bytes

Start = Callable[..., ScriptedTeacher]
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]
PRICES = ("--price-in", "1", "--price-out", "1")
SEEDS = 16


@pytest.fixture
def teacher(start_teacher: Start) -> ScriptedTeacher:
    """A teacher that knows the bundled problems."""
    return start_teacher(*PROBLEMS)


def augment(teacher: ScriptedTeacher, output: Path, *flags: str) -> int:
    command = ("augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output))
    return main([*command, "--limit", str(SEEDS // 2), *PRICES, *flags])


def persona(teacher: ScriptedTeacher, output: Path, *flags: str, k1: int = 1, k2: int = 2) -> int:
    return augment(teacher, output, "--k1", str(k1), "--k2", str(k2), *flags)


def run_file(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "run.json").read_text()))


def answers(output: Path) -> dict[str, int]:
    return dict(run_file(output)["answers"])


def test_the_methods_share_their_first_solutions(teacher: ScriptedTeacher, tmp_path: Path) -> None:
    assert persona(teacher, tmp_path / "persona") == 0
    samples = ("--method", "rejection", "--k", "3")
    assert augment(teacher, tmp_path / "alone", *samples) == 0
    assert augment(teacher, tmp_path / "reusing", *samples, "--reuse", str(tmp_path / "persona")) == 0
    assert answers(tmp_path / "reusing") == {
        "asked this time": 2 * SEEDS,
        "from the journal": 0,
        "from other runs": SEEDS,
    }
    assert dataset_bytes(tmp_path / "reusing") == dataset_bytes(tmp_path / "alone")
    alone, reusing = (run_file(tmp_path / name)["paid"] for name in ("alone", "reusing"))
    assert reusing["answers"] == 2 * SEEDS and 0 < reusing["usd"] < alone["usd"]


def test_a_larger_k_extends_a_smaller_one(teacher: ScriptedTeacher, tmp_path: Path) -> None:
    assert persona(teacher, tmp_path / "small") == 0
    assert persona(teacher, tmp_path / "alone", k1=2, k2=4) == 0
    assert persona(teacher, tmp_path / "larger", "--reuse", str(tmp_path / "small"), k1=2, k2=4) == 0
    small, larger, alone = (answers(tmp_path / name) for name in ("small", "larger", "alone"))
    assert larger["from other runs"] == small["asked this time"]
    assert larger["asked this time"] == alone["asked this time"] - small["asked this time"]
    assert dataset_bytes(tmp_path / "larger") == dataset_bytes(tmp_path / "alone")


def test_a_run_is_whole_without_the_runs_that_it_reused(teacher: ScriptedTeacher, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert persona(teacher, first) == 0
    asked = answers(first)["asked this time"]
    assert persona(teacher, second, "--reuse", str(first), "--max-requests", "1") == 0  # reused answers are free
    assert run_file(second)["paid"]["usd"] == 0 and answers(second)["asked this time"] == 0
    shutil.rmtree(first)
    assert persona(teacher, second) == 0
    assert answers(second) == {"asked this time": 0, "from the journal": asked, "from other runs": 0}


def test_several_runs_are_looked_through_in_order(teacher: ScriptedTeacher, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert persona(teacher, one, "--method", "persona") == 0
    assert augment(teacher, other, "--method", "rejection", "--k", "2") == 0
    flags = ("--method", "rejection", "--k", "3", "--reuse", str(one), "--reuse", str(other))
    assert augment(teacher, tmp_path / "both", *flags) == 0
    assert answers(tmp_path / "both") == {
        "asked this time": SEEDS,
        "from the journal": 0,
        "from other runs": 2 * SEEDS,
    }


def test_a_journal_of_an_earlier_version_is_reused_as_it_is(teacher: ScriptedTeacher, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert persona(teacher, first) == 0
    with closing(sqlite3.connect(first / "journal.sqlite")) as journal, journal:
        for text, finish_reason, prompt, completion, digest in journal.execute(
            "select text, finish_reason, prompt_tokens, completion_tokens, digest from answers"
        ).fetchall():
            whole = checksum(text, finish_reason, prompt, completion, None)
            journal.execute("update answers set checksum = ? where digest = ?", (whole, digest))
        journal.executescript(
            "drop index paid_by_origin; alter table answers drop column answered_by; pragma user_version = 2"
        )
    assert persona(teacher, second, "--reuse", str(first)) == 0
    assert answers(second)["asked this time"] == 0
    with closing(sqlite3.connect(first / "journal.sqlite")) as journal:
        assert journal.execute("pragma user_version").fetchone() == (2,)  # another run's files are only read


def test_a_damaged_answer_is_asked_again(teacher: ScriptedTeacher, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert persona(teacher, first) == 0
    with closing(sqlite3.connect(first / "journal.sqlite")) as journal, journal:
        journal.execute("update answers set text = 'x' where rowid = 1")
    assert persona(teacher, second, "--reuse", str(first)) == 0
    assert answers(second)["asked this time"] == 1


@pytest.mark.parametrize(
    ("reused", "flags", "error"),
    [
        ("nothing", (), "nothing: no journal.sqlite in it, so it is not a run"),
        ("run", (), "is this run's own directory; name another one, or leave it out"),
        ("other", ("--engine", "ray"), "--reuse does not work with --engine ray: use --engine local"),
    ],
)
def test_what_cannot_be_reused_is_refused_in_one_line(
    teacher: ScriptedTeacher,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reused: str,
    flags: tuple[str, ...],
    error: str,
) -> None:
    assert persona(teacher, tmp_path / "run", "--reuse", str(tmp_path / reused), *flags) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert error in line
    assert not teacher.stats().get("answered")
