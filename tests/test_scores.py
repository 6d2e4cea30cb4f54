"""Scores: intervals, results as lm-eval wrote them, and everything that keeps them from a card."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from personamath.errors import BadInput
from personamath.scores import read_results
from personamath.scores.statistics import bootstrap_mean, mcnemar
from tests.lm_eval_output import write_run

GSM8K = "personamath_gsm8k"


def right(*verdicts: int) -> list[dict[str, float]]:
    """Items of a task with one metric."""
    return [{"exact_match": float(verdict)} for verdict in verdicts]


def test_the_interval_is_that_of_resampling_the_items() -> None:
    values = [0.0, 0.25, 0.5, 1.0, 1.0, 1.0, 0.0, 0.125] * 8
    resampled = np.random.default_rng(1).choice(values, size=(20_000, len(values))).mean(axis=1)
    interval = bootstrap_mean(values)
    assert interval.value == pytest.approx(np.mean(values))
    assert [interval.low, interval.high] == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.005)


def test_the_interval_does_not_depend_on_the_order_of_the_items() -> None:
    values = [1.0] * 30 + [0.0] * 20 + [0.5] * 7
    assert bootstrap_mean(values) == bootstrap_mean(values[::-1])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_where_all_items_agree_the_interval_is_a_point(value: float) -> None:
    assert bootstrap_mean([value] * 40) == (value, value, value)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(0, 0, 1), (5, 5, 1), (1, 0, 1), (0, 6, 2 / 64), (2, 8, 2 * (1 + 10 + 45) / 1024)],
)
def test_mcnemar_is_the_exact_binomial_test(only_first: int, only_second: int, p: float) -> None:
    assert mcnemar(only_first, only_second) == pytest.approx(p) == mcnemar(only_second, only_first)


def test_a_run_says_what_was_scored_and_how(tmp_path: Path) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0, 1, 1)})
    run = read_results([tmp_path])
    (task,) = run.tasks
    assert run.unfit() == []
    assert (run.model, run.backend, run.harness) == ("me/PersonaMath-tiny", "hf", "0.4.13")
    assert (task.task, task.version, task.n, task.n_original) == (GSM8K, "1.0", 4, 4)
    assert task.data.name == "openai/gsm8k"
    (score,) = run.scores()
    assert (score.group, score.n, score.value) == ("all", 4, 0.75)
    assert 0 <= score.low < score.value < score.high <= 1


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "limit": ({"config": {"limit": 4}}, "--limit 4"),
    "subset": ({"problems": 1319}, "4 of 1,319 problems were scored"),
    "small file": ({"metadata": {"problems": 1319}}, "the data holds 4 problems, and not the 1,319"),
    "other problems": ({"metadata": {"fingerprint": "e" * 32}}, "are not those of the data set"),
    "chat": ({"top": {"chat_template": "{{ messages }}"}}, "chat template"),
    "sampled": ({"config": {"gen_kwargs": {"temperature": 1, "max_gen_toks": 64}}}, "--gen_kwargs temperature=1"),
    "two runs": ({"top": {"results": {GSM8K: {"exact_match,none": 0.5}}}}, "they are of two runs"),
}


@pytest.mark.parametrize(("change", "said"), UNFIT.values(), ids=UNFIT)
def test_what_must_not_reach_a_card_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0, 1, 1)}, **change)
    (reason,) = read_results([tmp_path]).unfit()
    assert reason.startswith(f"{GSM8K}: ") and said in reason


def test_a_smaller_limit_on_the_tokens_is_another_setting_and_no_fault(tmp_path: Path) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0)}, config={"gen_kwargs": {"max_gen_toks": 1024}})
    assert read_results([tmp_path]).unfit() == []


def test_missing_and_cut_samples_are_said(tmp_path: Path) -> None:
    path = write_run(tmp_path, {GSM8K: right(1, 0, 1)})
    (samples,) = tmp_path.glob("samples_*")
    lines = samples.read_text().splitlines(keepends=True)
    samples.write_text("".join(lines[:2]))
    assert any("2 different samples of 3" in reason for reason in read_results([path]).unfit())
    samples.unlink()
    assert "samples are missing" in " ".join(read_results([path]).unfit())


def test_tasks_of_several_files_are_one_run_and_several_models_are_said(tmp_path: Path) -> None:
    write_run(tmp_path / "a", {GSM8K: right(1, 0)})
    write_run(tmp_path / "b", {"personamath_math": right(1, 1)})
    assert [task.task for task in read_results([tmp_path]).tasks] == [GSM8K, "personamath_math"]
    write_run(tmp_path / "b", {"personamath_math": right(1, 1)}, model="me/another")
    assert "2 models" in " ".join(read_results([tmp_path]).unfit())


def test_a_task_that_is_there_twice_must_be_chosen(tmp_path: Path) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0)})
    later = write_run(tmp_path, {GSM8K: right(1, 1)}, time="2026-02-02T03-04-05.678901")
    with pytest.raises(BadInput, match="name the one to read"):
        read_results([tmp_path])
    assert read_results([later]).scores()[0].value == 1


def test_a_file_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    torn, other = tmp_path / "results_torn.json", tmp_path / "results_other.json"
    torn.write_text('{"results": ')
    other.write_text(json.dumps({"results": {}}))
    (tmp_path / "empty").mkdir()
    for path in (torn, other, tmp_path / "none.json", tmp_path / "empty"):
        with pytest.raises(BadInput, match="--output_path") as error:
            read_results([path])
        assert str(path) in str(error.value) and "\n" not in str(error.value)
