"""A machine without Unix's own modules, such as Windows: help and grading work there, a run says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.answers.test_grader import OPEN
from tests.commands.test_augment import PROBLEMS
from tests.conftest import REPO

UNIX_ONLY = ("fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog")
CLI = ["-m", "personamath.commands.cli"]


@pytest.fixture
def python(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python, and of those that it starts, in which Unix's own modules cannot be imported."""
    names = ", ".join(f"{name!r}: None" for name in UNIX_ONLY)
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules.update({{{names}}})\n", encoding="utf-8")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPO)])}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120)


def test_the_machine_is_played_in_child_processes_too(python: dict[str, str]) -> None:
    child = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-P', '-c', 'import fcntl']))"
    assert "ModuleNotFoundError: import of fcntl halted" in run(python, "-c", child).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*CLI, "--help"], "augment"),
        ([*CLI, "augment", "--help"], "--teacher"),
        ([*CLI, "journal", "--help"], "journal"),
        (["-c", "import personamath.runs.ray.worker, personamath.runs.ray.driver; print('imported')"], "imported"),
        (
            ["-c", f"from personamath.answers import grade; print(grade(*{OPEN}).correct, grade(*{OPEN}).rule)"],
            "True symbolic",
        ),
    ],
)
def test_what_needs_no_run_works(python: dict[str, str], arguments: list[str], words: str) -> None:
    ended = run(python, *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert words in ended.stdout


def test_a_run_says_in_one_line_what_it_needs(python: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "run"
    asked = ["--teacher", "anyone", "--base-url", "http://127.0.0.1:1/v1", "--output", str(output)]
    ended = run(python, *CLI, "augment", *PROBLEMS, *asked)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"personamath: {output}: this system cannot lock a run directory (no fcntl); run on Linux, macOS or WSL\n"
    )
