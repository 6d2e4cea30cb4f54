"""`recipes/compare.sh`: its help, what it refuses, and the smallest grid to its end."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from personamath.budget import Budget
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


@pytest.mark.parametrize(
    ("methods", "part"),
    [
        ("--k1=1 persona", "--k1=1 comes before any method"),
        ("persona --k1 1", "write --k1 with its value: --k1=VALUE"),
        ("persona direct persona", "two entries are named persona"),
        ("a=persona a=direct", "two entries are named a"),
        ("persona persona-50=direct", "persona-50: --scaling gives names that end in -50"),
        ("../a=persona", "../a=persona: name it with letters"),
        ("=persona", "=persona: name it with letters"),
    ],
)
def test_an_entry_that_cannot_be_read_is_refused_before_anything_is_written(
    methods: str, part: str, tmp_path: Path
) -> None:
    done = bash("--scaling", METHODS=methods, OUT=str(tmp_path / "grid"))
    assert done.returncode == 2 and done.stderr.startswith("compare.sh: METHODS: ") and part in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "grid").exists()


@pytest.mark.parametrize(
    ("budget", "share", "part"),
    [
        ("questions:100", "12.5", "questions:12"),
        ("questions:100", "100", "questions:100"),
        ("tokens:5M", "12.5", "tokens:625000"),
        ("tokens:3b", "50", "tokens:1500000000"),
        ("rows:1.1k", "25", "rows:275"),
        ("usd:20", "12.5", "usd:2.5"),
        ("USD:1", "12.5", "usd:0.125"),
    ],
)
def test_a_share_of_a_budget_is_a_budget(budget: str, share: str, part: str) -> None:
    function = SCRIPT.read_text().partition("share_of_budget() {")[2].partition("\n}\n")[0]
    done = subprocess.run(
        ["bash", "-c", f"share_of_budget() {{{function}\n}}\nBUDGET={budget} share_of_budget {share}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == part and Budget.of(part).amount


@pytest.mark.slow
def test_the_tiny_grid_makes_data_trains_scores_and_compares(tmp_path: Path) -> None:
    methods = "persona one=persona/stage1 --k1=1 --k2=3 --persona-draw=by-occupation"
    smallest = {"METHODS": methods, "SEEDS": "42", "STEPS": "1", "BUDGET": "questions:24", "OUT": "grid"}
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
    cut = {name: read_rows(out / "mixed" / name / "dataset") for name in ("persona", "one")}
    assert 16 <= len(cut["persona"]) == len(cut["one"]) <= 24
    assert max(Counter(row.seed_id for row in cut["one"] if row.step == "stage1_rewrite").values()) == 1
    trained_on = {"persona": cut["persona"], "one": [row for row in cut["one"] if row.step.startswith("stage1")]}
    for name, rows in trained_on.items():
        record = TrainingRecord.read(out / "models" / name / "42")
        assert record.rows.used == len(rows) and record.steps == 1
    assert done.stdout.endswith((out / "scores.txt").read_text())
    assert "on 8 problems that every model scored" in done.stdout
    assert "1 pairs of methods differ" in done.stdout and "persona and one cannot be told apart" in done.stdout
    compared = json.loads((out / "compared" / "compare.json").read_text())
    assert [run["name"] for run in compared["runs"]] == ["persona", "one"]
