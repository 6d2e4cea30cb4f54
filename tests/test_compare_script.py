"""`recipes/compare.sh`: its help, what it refuses, and the smallest grid to its end."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from personamath.folder.reading import read_rows
from personamath.training.record import TrainingRecord
from tests.conftest import REPO
from tests.support import programs

SCRIPT = REPO / "recipes" / "compare.sh"


def bash(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPT), *options], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_the_help_names_every_variable() -> None:
    done = bash("--help")
    assert done.returncode == 0 and "set -e" not in done.stdout
    for name in ("METHODS", "TEACHER", "BUDGET", "MIX", "RECIPE", "STEPS", "SEEDS", "OUT", "AUGMENT", "LM_EVAL"):
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize(("option", "status"), [("--small", 2), ("--scaling", 1)])
def test_an_unknown_option_and_another_grid_in_the_folder_are_refused(option: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("others\n")
    done = bash(option, OUT=str(tmp_path))
    assert done.returncode == status and done.stderr.count("\n") == 1 and done.stderr.startswith("compare.sh: ")
    assert [path.name for path in tmp_path.iterdir()] == ["settings"]


@pytest.mark.slow
def test_the_tiny_grid_makes_data_trains_scores_and_compares(tmp_path: Path) -> None:
    smallest = {"SEEDS": "42", "STEPS": "1", "BUDGET": "questions:12", "OUT": "grid"}
    command = ["bash", SCRIPT, "--tiny"]
    done = programs.run(
        "tests.support.with_forked_python",
        *command,
        environment=os.environ | smallest,
        folder=tmp_path,
        kind="training",
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    out = tmp_path / "grid"
    sizes = {method: len(read_rows(out / "mixed" / method / "dataset")) for method in ("persona", "direct")}
    assert 8 <= sizes["persona"] == sizes["direct"] <= 12
    for method, rows in sizes.items():
        record = TrainingRecord.read(out / "models" / method / "42")
        assert record.rows.used == rows and record.steps == 1
    assert done.stdout.endswith((out / "scores.txt").read_text())
    assert "on 8 problems that every model scored" in done.stdout
    assert "1 pairs of methods differ" in done.stdout and "persona and direct cannot be told apart" in done.stdout
    compared = json.loads((out / "compared" / "compare.json").read_text())
    assert [run["name"] for run in compared["runs"]] == ["persona", "direct"]
