"""`personamath scores --grid`: methods with several training seeds, compared problem by problem."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from personamath.commands.cli import main
from personamath.evaluation.scores.statistics import bootstrap_grid, bootstrap_mean
from tests.support.lm_eval_output import write_run

GSM8K, MATH = "personamath_gsm8k", "personamath_math"


def cell(folder: Path, right: int, n: int = 100, task: str = GSM8K, **change: Any) -> None:
    """One model, which solves the first `right` of `n` problems."""
    write_run(folder / "me__model", {task: [{"exact_match": float(item < right)} for item in range(n)]}, **change)


def grid(tmp_path: Path, **methods: tuple[int, ...]) -> list[str]:
    """Models by method, with how many of 100 problems each training seed solves; returns the arguments."""
    for method, seeds in methods.items():
        for seed, right in enumerate(seeds, 42):
            cell(tmp_path / method / str(seed), right)
    return ["scores", "--grid", *(str(tmp_path / method) for method in methods)]


def test_one_training_seed_gives_the_interval_over_problems() -> None:
    values = [0.0, 1.0, 1.0, 0.5] * 10
    assert bootstrap_grid([values]) == pytest.approx(bootstrap_mean(values), abs=0.01)


def test_the_interval_has_the_variance_of_problems_and_of_training_seeds() -> None:
    # Seeds that differ on every problem alike: the variance of their mean is s²/m, with s² from m - 1.
    means = np.array([0.2, 0.4, 0.9])
    low, high = bootstrap_grid([[mean] * 50 for mean in means])[1:]
    assert (low, high) == pytest.approx((0.2, 0.9))
    value, low, high = bootstrap_grid([[1.0] * 50] * 3, [[0.0] * 50] * 2)
    assert (value, low, high) == (1, 1, 1)


def test_differences_are_paired(tmp_path: Path) -> None:
    one, other = [1.0] * 55 + [0.0] * 45, [1.0] * 50 + [0.0] * 50
    value, low, high = bootstrap_grid([one, one], [other, other])
    assert value == pytest.approx(0.05) and low > 0 and high < 0.12  # unpaired it would reach 0.19


def test_the_grid_says_which_methods_differ_and_which_cannot_be_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = grid(tmp_path, persona=(60, 62, 61), direct=(40, 41, 42), rejection=(61, 59, 63))
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert f"{GSM8K}: exact_match, in percent, on 100 problems that every model scored" in out
    assert "  persona     61.0  " in out and "60.0 62.0 61.0" in out
    assert "2 of 3 pairs of methods differ" in out
    assert "persona against direct: better by 20.0 ± " in out
    assert "direct against rejection: worse by 20.0 ± " in out
    assert "persona and rejection cannot be told apart: no difference shown: +0.0 ± " in out
    assert "limits" not in out
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["methods"]["persona"] == ["42", "43", "44"]
    pair = found["tasks"][GSM8K]["pairs"][0]
    assert (pair["method"], pair["other_method"], pair["shown"], pair["p"]) == ("persona", "direct", True, None)


def test_single_models_have_mcnemars_test_and_a_caveat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell(tmp_path / "base", 40, config={"limit": 100.0})
    cell(tmp_path / "persona" / "42", 60)
    cell(tmp_path / "persona" / "42" / "more", 60, task=MATH)
    assert main(["scores", "--grid", str(tmp_path / "base" / "me__model"), str(tmp_path / "persona")]) == 0
    out = capsys.readouterr().out
    assert "McNemar's p < 0.001" in out
    assert "one training seed: another training run may differ (me__model, persona)" in out
    assert f"{MATH} is missing and left out (me__model/me__model)" in out
    assert "scored with --limit 100" in out


def test_a_model_that_is_there_twice_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = {"name": "model", "revision": None, "training_record": "d" * 64, "local": True}
    for method, seed in (("a", "1"), ("a", "2"), ("b", "1")):
        cell(tmp_path / method / seed, 50, metadata={"model": model | {"training_record": method * 64}})
    assert main(["scores", "--grid", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "the same model as a/1 (a/2)" in capsys.readouterr().out


def test_what_cannot_be_compared_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell(tmp_path / "a" / "1", 50)
    cell(tmp_path / "b" / "1", 50, top={"versions": {GSM8K: 2.0}})
    cell(tmp_path / "c" / "1", 50, task=MATH)
    (tmp_path / "d").mkdir()
    for names, said in (
        (["a"], "at least two"),
        (["a", "a"], "two of the folders are named 'a'"),
        (["a", "b"], f"b/1: {GSM8K}: not compared: versions 1.0 and 2.0"),
        (["a", "c"], "no task is in the results of every model"),
        (["a", "d"], "contains no results_"),
    ):
        assert main(["scores", "--grid", *(str(tmp_path / name) for name in names)]) == 1
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
