"""Scores: intervals, results as lm-eval wrote them, and everything that keeps them from a card."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.evaluation.scores import Comparison, TaskRun, compare_runs, incomparable, read_results
from personamath.evaluation.scores.statistics import bootstrap_mean, mcnemar
from tests.support.lm_eval_output import write_run

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
    assert run.all_faults() == []
    assert (run.model, run.backend, run.harness) == ("me/PersonaMath-tiny", "hf", "0.4.13")
    assert (task.task, task.version, task.n, task.n_original) == (GSM8K, "1.0", 4, 4)
    assert task.data.name == "openai/gsm8k"
    (score,) = run.scores()
    assert (score.group, score.n, score.value) == ("all", 4, 0.75)
    assert 0 <= score.low < score.value < score.high <= 1


LOCAL = {"name": "mine.jsonl", "config": None, "split": None, "revision": None, "local": True, "fingerprint": "f" * 32}
UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "limit": ({"config": {"limit": 4}}, "--limit 4"),
    "subset": ({"problems": 1319}, "20 of 1,319 problems were scored"),
    "small file": ({"metadata": {"problems": 1319}}, "the data has 20 problems, and the dataset 1,319"),
    "other problems": ({"metadata": {"fingerprint": "e" * 32, "data": LOCAL}}, "are not those of the dataset"),
    "no sampling": ({"metadata": {"repeats": 8}}, "the 8 completions of every problem are the same"),
    "chat": ({"top": {"chat_template": "{{ messages }}"}}, "chat template"),
    "sampled": ({"config": {"gen_kwargs": {"temperature": 1, "max_gen_toks": 64}}}, "--gen_kwargs temperature=1"),
    "two runs": ({"top": {"results": {GSM8K: {"exact_match,none": 0.5}}}}, "they are from two runs"),
}


@pytest.mark.parametrize(("change", "said"), UNFIT.values(), ids=UNFIT)
def test_what_must_not_reach_a_card_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0, 1, 1) * 5}, **change)
    (reason,) = read_results([tmp_path]).all_faults()
    assert reason.startswith(f"{GSM8K}: ") and said in reason


def test_a_smaller_limit_on_the_tokens_is_another_setting_and_no_fault(tmp_path: Path) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0)}, config={"gen_kwargs": {"max_gen_toks": 1024}})
    assert read_results([tmp_path]).all_faults() == []


def test_missing_and_cut_samples_are_said(tmp_path: Path) -> None:
    path = write_run(tmp_path, {GSM8K: right(1, 0, 1)})
    (samples,) = tmp_path.glob("samples_*")
    lines = samples.read_text().splitlines(keepends=True)
    samples.write_text("".join(lines[:2]))
    assert any("2 different samples of 3" in reason for reason in read_results([path]).all_faults())
    samples.unlink()
    assert "samples are missing" in " ".join(read_results([path]).all_faults())


def test_tasks_of_several_files_are_one_run_and_several_models_are_said(tmp_path: Path) -> None:
    write_run(tmp_path / "a", {GSM8K: right(1, 0)})
    write_run(tmp_path / "b", {"personamath_math": right(1, 1)})
    assert [task.task for task in read_results([tmp_path]).tasks] == [GSM8K, "personamath_math"]
    assert read_results([tmp_path]).all_faults() == []
    write_run(tmp_path / "b", {"personamath_math": right(1, 1)}, model="me/another")
    assert "2 models" in " ".join(read_results([tmp_path]).all_faults())
    retrained = {"name": "me/PersonaMath-tiny", "revision": None, "training_record": "d" * 64, "local": False}
    write_run(tmp_path / "b", {"personamath_math": right(1, 1)}, metadata={"model": retrained})
    assert "trained again" in " ".join(read_results([tmp_path]).all_faults())
    write_run(tmp_path / "b", {"personamath_math": right(1, 1)}, top={"lm_eval_version": "0.5"})
    assert "2 versions of lm-eval: 0.4.13, 0.5" in " ".join(read_results([tmp_path]).all_faults())


def test_a_task_that_is_there_twice_must_be_chosen(tmp_path: Path) -> None:
    write_run(tmp_path, {GSM8K: right(1, 0)})
    later = write_run(tmp_path, {GSM8K: right(1, 1)}, time="2026-02-02T03-04-05.678901")
    with pytest.raises(BadInput, match="name the one to read"):
        read_results([tmp_path])
    assert read_results([later]).scores()[0].value == 1


def test_a_file_of_something_else_is_one_line(tmp_path: Path) -> None:
    torn, other = tmp_path / "results_torn.json", tmp_path / "results_other.json"
    torn.write_text('{"results": ')
    other.write_text(json.dumps({"results": {}}))
    (tmp_path / "empty").mkdir()
    for path in (torn, other, tmp_path / "none.json", tmp_path / "empty"):
        with pytest.raises(BadInput, match="--output_path") as error:
            read_results([path])
        assert str(path) in str(error.value) and "\n" not in str(error.value)


DATA = {"name": "openai/gsm8k", "config": "main", "split": "test", "revision": "0" * 40, "local": False}


def test_facts_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    newer = DATA | {"fingerprint": "f" * 32, "language": "en"}
    write_run(tmp_path, {GSM8K: right(1, 0)}, metadata={"data": newer}, top={"energy_kwh": 0.2})
    assert read_results([tmp_path]).tasks[0].data.fingerprint == "f" * 32


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"metadata": {"data": DATA}}, f"{GSM8K}: metadata.personamath.data.fingerprint is missing; score it again"),
        ({"metadata": {"prompt": 3}}, f"{GSM8K}: metadata.personamath.prompt is 3; it must be text; score it again"),
        ({"metadata": {"repeats": "8"}}, f"{GSM8K}: repeats is '8'; it must be a whole number; score it again"),
        ({"config": {"limit": "all"}}, "config.limit is 'all'; it must be a number; run lm_eval"),
        ({"top": {"n-samples": {GSM8K: 4}}}, "it must be keys and values; run lm_eval"),
    ],
)
def test_a_wrong_field_of_a_results_file_is_named(change: dict[str, Any], error: str, tmp_path: Path) -> None:
    path = write_run(tmp_path, {GSM8K: right(1, 0)}, **change)
    with pytest.raises(BadInput) as caught:
        read_results([path])
    assert str(caught.value).startswith(f"{path}: ") and error in str(caught.value)


def two_runs(tmp_path: Path, first: list[int], second: list[int], **change: Any) -> tuple[TaskRun, TaskRun]:
    """GSM8K in two runs; `change` is the second's."""
    write_run(tmp_path / "first", {GSM8K: right(*first)})
    write_run(tmp_path / "second", {GSM8K: right(*second)}, **change)
    (one,), (two,) = (read_results([tmp_path / side]).tasks for side in ("first", "second"))
    return one, two


def against(tmp_path: Path, first: list[int], second: list[int]) -> Comparison:
    """GSM8K in two runs, compared."""
    runs = two_runs(tmp_path, first, second)
    assert incomparable(*runs) is None
    (compared,) = compare_runs(*runs)
    return compared


def test_a_significant_difference_is_given_in_points(tmp_path: Path) -> None:
    found = against(tmp_path, [1] * 60 + [0] * 40, [1] * 40 + [0] * 60)
    assert found.difference.value == pytest.approx(0.2) and (found.better, found.worse) == (20, 0)
    assert found.p == pytest.approx(2 / 2**20) and found.shown
    half = 50 * (found.difference.high - found.difference.low)
    assert 6 < half < 10  # two standard errors of a share of 0.2 of 100
    assert found.words() == f"better by 20.0 ± {half:.1f} (better on 20 problems, worse on 0; McNemar's p < 0.001)"
    other = against(tmp_path, [1] * 40 + [0] * 60, [1] * 60 + [0] * 40)
    assert other.words().startswith("worse by 20.0 ± ")


def test_a_difference_that_may_be_chance_is_not_shown(tmp_path: Path) -> None:
    found = against(tmp_path, [1, 1, 1, 0] * 10, [1, 1, 0, 1] * 9 + [1, 1, 0, 0])
    assert found.p is not None and found.p > 0.5 and not found.shown
    assert found.words().startswith("no difference shown: +2.5 ± ")


def test_the_interval_of_a_difference_is_paired(tmp_path: Path) -> None:
    found = against(tmp_path, [1] * 55 + [0] * 45, [1] * 50 + [0] * 50)
    assert found.difference.low > 0 and found.difference.high < 0.12  # unpaired it would reach 0.19
    assert found.p == 2 / 2**5 and not found.shown  # both must say so


def test_runs_are_compared_on_the_problems_that_both_scored(tmp_path: Path) -> None:
    found = against(tmp_path, [1, 1, 1, 1, 0, 0], [0, 0, 1])
    assert (found.n, found.value, found.other) == (3, 1, 1 / 3)


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    versions = two_runs(tmp_path, [1], [1], top={"versions": {GSM8K: 2.0}})
    assert incomparable(*versions) == "not compared: versions 1.0 and 2.0 of the task are different scores"
    one, two = two_runs(tmp_path, [1], [1])
    assert incomparable(one, replace(two, items=())) == "not compared: the samples are missing"
    elsewhere = tuple(replace(item, question="another") for item in two.items)
    assert incomparable(one, replace(two, items=elsewhere)) == "not compared: no problem is in both"


def test_shares_of_several_samples_are_compared_without_mcnemar(tmp_path: Path) -> None:
    values = [[{"pass@1": share} for share in shares] for shares in ((0.5, 1.0, 0.25), (0.5, 0.5, 0.125))]
    for side, items in zip("ab", values, strict=True):
        write_run(tmp_path / side, {"personamath_gsm8k_maj8": items})
    (one,), (two,) = (read_results([tmp_path / side]).tasks for side in ("a", "b"))
    (found,) = compare_runs(one, two)
    assert found.p is None and "McNemar" not in found.words()


def printed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["scores", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_command_prints_scores_by_subject_and_level_and_a_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = {"subject": "Algebra", "level": 5}
    write_run(tmp_path / "new", {"personamath_math": right(1, 1, 1, 0) * 25}, docs=docs)
    write_run(tmp_path / "old", {"personamath_math": right(1, 0, 0, 0) * 25}, model="me/base", config={"limit": 100.0})
    out = printed(capsys, tmp_path / "new", "--against", tmp_path / "old")
    low, high = (100 * end for end in bootstrap_mean([1, 1, 1, 0] * 25)[1:])
    row = f"   75.0  {low:.1f} to {high:.1f}"
    assert "me/PersonaMath-tiny (hf, lm-eval 0.4.13), against me/base (hf, lm-eval 0.4.13)" in out
    for name in ("exact_match", "subject Algebra", "level 5"):
        assert f"  {name:24}    100{row}" in out
    assert "exact_match              better by 50.0 ± " in out
    assert "Not for a card (other run, me/base):\n  personamath_math: scored with --limit 100: a preview" in out
    found = json.loads(printed(capsys, tmp_path / "new", "--against", tmp_path / "old", "--json"))
    assert {score["group"] for score in found["tasks"][0]["scores"]} == {"all", "subject=Algebra", "level=5"}
    assert found["comparison"]["personamath_math"][0]["difference"]["value"] == 0.5
    assert found["faults"] == [] and len(found["against"]["faults"]) == 1


def test_the_command_ends_with_one_line_where_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scores", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("personamath: ") and error.count("\n") == 1 and "--log_samples" in error
