"""Scores in every form in which they are published: tables and chart of the card, scores.json, the Hub's two forms."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, eval_result_entries_to_yaml
from huggingface_hub.repocard_data import eval_results_to_model_index

from personamath.evaluation.scores import Score, ScoredRun, TaskRun, compare_runs, incomparable
from personamath.folder.chart import Bar
from personamath.folder.markdown import code, table
from personamath.training.prompts import PAPER_EVALUATION
from personamath.training.record import Prompt
from personamath_hub.models.paper import BENCHMARKS, PaperModel

SCORES = "scores.json"
"""The file with every score, including those by subject and level."""
PREFIX, PAPER_SUFFIX, PAPER_METRIC = "personamath_", "_paper", "paper"
# Datasets that the Hub has registered as benchmarks and that our tasks score, with the id of the task in the dataset's
# `eval.yaml` (https://huggingface.co/docs/hub/eval-results). Their leaderboards are in percent.
BENCHMARK_TASKS = {
    "openai/gsm8k": "gsm8k",
    "MathArena/aime_2026": "MathArena/aime_2026",
    "MathArena/hmmt_feb_2026": "MathArena/hmmt_feb_2026",
}


MODEL, BASE_MODEL = "model", "base_model"
"""The splits of scored completions: the model's, and its base model's where that was scored too."""


def completions_path(task: str, split: str) -> str:
    """Return the file of a task's completions in the dataset repository that holds them."""
    return f"{task}/{split}.parquet"


def main_metric(run: TaskRun) -> str:
    """Return the task's headline metric: the released graders' verdict where prompt and grader are the paper's."""
    of_paper = run.task.endswith(PAPER_SUFFIX) and PAPER_METRIC in run.metrics
    return PAPER_METRIC if of_paper else run.main_metric


def percent(score: Score) -> str:
    """Format a score in percent, without its interval."""
    return f"{100 * score.value:.1f}"


def interval(score: Score) -> str:
    """Format the 95 % interval of a score in percent."""
    return f"{100 * score.low:.1f} to {100 * score.high:.1f}"


def results_table(scores: ScoredRun, base: ScoredRun | None, paper: PaperModel | None, prompt: Prompt) -> str:
    """Return a table of every task by its main metric, next to the base model's and the paper's figures."""
    of_base = _by_version(base)
    rows = []
    for run in scores.tasks:
        metric, benchmark = main_metric(run), _benchmark(run)
        score = run.score(metric)
        rows.append(
            [
                f"`{run.task}`",
                run.version,
                f"`{metric}`",
                _prompt_name(run, prompt),
                f"{score.n:,}",
                f"**{percent(score)}**",
                interval(score),
                _base_figure(of_base.get((run.task, run.version)), metric, paper, benchmark),
                f"{paper.tuned[benchmark]:.1f}" if paper and benchmark else "–",
            ]
        )
    figures = ["n", "score, %", "95 % interval", "base model", "the paper's model"]
    return table(["task", "version", "metric", "prompt", *figures], rows, text_columns=(0, 1, 2, 3))


def metrics_table(scores: ScoredRun) -> str:
    """Return a table of every metric of every task over all its problems."""
    rows = [
        [f"`{run.task}`", f"`{metric}`", percent(score), interval(score)]
        for run in scores.tasks
        for metric in run.metrics
        for score in [run.score(metric)]
    ]
    return table(["task", "metric", "score, %", "95 % interval"], rows, text_columns=(0, 1))


def parts_table(scores: ScoredRun) -> str | None:
    """Return a table of the main metric by subject and by level; None if no task has any."""
    rows = [
        [f"`{run.task}`", code(group.replace("=", " ")), f"{score.n:,}", percent(score), interval(score)]
        for run in scores.tasks
        for group in run.groups()[1:]
        for score in [run.score(main_metric(run), group)]
    ]
    return table(["task", "part", "n", "score, %", "95 % interval"], rows, text_columns=(0, 1)) if rows else None


def settings_table(scores: ScoredRun) -> str:
    """Return a table of the problems of each task and how its completions were generated."""
    rows = [
        [f"`{run.task}`", _source(run), code(_generation(run)), _limits(run), (run.date or "–")[:10]]
        for run in scores.tasks
    ]
    header = ["task", "problems", "generation", "new tokens, at most", "date"]
    return table(header, rows, text_columns=range(len(header)))


def gains(scores: ScoredRun, base: ScoredRun) -> list[str]:
    """Compare the model with its base model problem by problem; returns a sentence for each task."""
    of_base = {run.task: run for run in base.tasks}
    pairs = [(run, of_base[run.task]) for run in scores.tasks if run.task in of_base]
    return [f"`{run.task}`: {incomparable(run, other) or _gain(run, other)}" for run, other in pairs]


def _gain(run: TaskRun, base: TaskRun) -> str:
    """Compare by the main metric; both runs have it, because a task's version fixes its metrics."""
    return next(one.words() for one in compare_runs(run, base) if one.metric == main_metric(run))


def scores_json(scores: ScoredRun, base: ScoredRun | None) -> str:
    """Return the content of scores.json: every score unrounded, by subject and level too, as a share from 0 to 1."""
    runs = {"model": scores, "base_model": base}
    return json.dumps({name: _as_json(run) for name, run in runs.items() if run}, indent=2, ensure_ascii=False) + "\n"


def eval_results(scores: ScoredRun) -> list[EvalResult]:
    """Return every task by its main metric, in percent, as `huggingface_hub` reads it from a `model-index`."""
    return [_eval_result(run, run.score(main_metric(run)), scores) for run in scores.tasks]


def model_index(scores: ScoredRun, name: str) -> list[dict[str, Any]]:
    """Return the `model-index` of the card's YAML."""
    # One by one: the library would merge two tasks on the same data under the first one's name.
    indexes = [eval_results_to_model_index(name, [result]) for result in eval_results(scores)]
    results = [result for (index,) in indexes for result in index["results"]]
    return [{"name": name, "results": results}]


def eval_result_files(scores: ScoredRun, repo_id: str, version: str, samples: str | None = None) -> dict[str, str]:
    """Return `.eval_results/*.yaml` by path, one for each task on a dataset that is a benchmark of the Hub, in percent.

    Tasks with the paper's prompt and graders, and with several samples, are left out: a leaderboard takes one number.
    Scores on other datasets are in the card's `model-index` and in scores.json only. The source of a result is its
    scored completions where the dataset repository `samples` holds them, else scores.json.
    """
    files = {}
    for run in scores.tasks:
        benchmark = None if run.data.local else BENCHMARK_TASKS.get(run.data.name)
        if benchmark is None or run.samples > 1 or run.task.endswith(PAPER_SUFFIX):
            continue
        entry = EvalResultEntry(
            dataset_id=run.data.name,
            task_id=benchmark,
            value=_rounded(run.score(main_metric(run))),
            dataset_revision=run.data.revision,
            date=run.date,
            source_url=(
                f"https://huggingface.co/datasets/{samples}/blob/{version}/{completions_path(run.task, MODEL)}"
                if samples
                else f"https://huggingface.co/{repo_id}/blob/{version}/{SCORES}"
            ),
            source_name="scored completions" if samples else "scores",
            notes=_notes(run, scores),
        )
        text = yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True)
        files[f".eval_results/{run.task.removeprefix(PREFIX)}.yaml"] = text
    return files


def bars(scores: ScoredRun, base: ScoredRun | None, paper: PaperModel | None) -> list[Bar]:
    """Return the bars of the card's chart, in the order of the results table."""
    of_base = _by_version(base)
    found = []
    for run in scores.tasks:
        score, benchmark = run.score(main_metric(run)), _benchmark(run)
        base_run = of_base.get((run.task, run.version))
        own_base = base_run.score(score.metric) if base_run and score.metric in base_run.metrics else None
        found.append(
            Bar(
                label=run.task.removeprefix(PREFIX),
                value=100 * score.value,
                low=100 * score.low,
                high=100 * score.high,
                base=100 * own_base.value if own_base else None,
                paper=paper.tuned[benchmark] if paper and benchmark else None,
            )
        )
    return found


def _benchmark(run: TaskRun) -> str | None:
    """Return the paper's benchmark that a task scores, with one completion for each problem; else None."""
    name = run.task.removeprefix(PREFIX).removesuffix(PAPER_SUFFIX)
    return name if name in BENCHMARKS and run.samples == 1 else None


def _by_version(scores: ScoredRun | None) -> dict[tuple[str, str], TaskRun]:
    """Return tasks by name and version: scores of different versions are not comparable."""
    return {(run.task, run.version): run for run in scores.tasks} if scores else {}


def _base_figure(run: TaskRun | None, metric: str, paper: PaperModel | None, benchmark: str | None) -> str:
    if run and metric in run.metrics:
        score = run.score(metric)
        return f"{percent(score)} ({interval(score)})"
    return f"{paper.base[benchmark]:.1f} in the paper" if paper and benchmark else "–"


def _prompt_name(run: TaskRun, prompt: Prompt) -> str:
    names = {PAPER_EVALUATION: "the paper's", prompt.evaluation: "as trained"}
    return names.get(run.prompt, "another")


def _source(run: TaskRun) -> str:
    data = run.data
    if data.local:
        return f"local file {code(data.name)}"
    parts = [part for part in (data.config, data.split) if part]
    where = f" at {code(data.revision[:12])}" if data.revision else ""
    return f"{code(data.name)}{''.join(f', {code(part)}' for part in parts)}{where}"


def _generation(run: TaskRun) -> str:
    settings = ", ".join(f"{name} {value!r}" for name, value in run.generation.items())
    return f"{settings}, {run.samples} samples" if run.samples > 1 else settings


def _limits(run: TaskRun) -> str:
    """Format the limit of new tokens, which depends on the length of the prompt."""
    if not run.limits:
        return "–"
    least, most = run.limits
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _notes(run: TaskRun, scores: ScoredRun) -> str:
    return f"{run.task} {run.version}, {main_metric(run)}, zero-shot, lm-eval {scores.harness} ({scores.backend})"


def _rounded(score: Score) -> float:
    return round(100 * score.value, 2)


def _eval_result(run: TaskRun, score: Score, scores: ScoredRun) -> EvalResult:
    where = "a local file" if run.data.local else run.data.name
    return EvalResult(
        task_type="text-generation",
        task_name=f"{run.task} {run.version}, zero-shot, lm-eval {scores.harness}",
        dataset_type=run.data.name,
        dataset_name=f"{run.task.removeprefix(PREFIX)} ({where})",
        dataset_config=run.data.config,
        dataset_split=run.data.split,
        dataset_revision=run.data.revision,
        metric_type=score.metric,
        metric_name=f"{score.metric}, % of {score.n:,} problems",
        metric_value=_rounded(score),
        metric_args={"low": round(100 * score.low, 2), "high": round(100 * score.high, 2), "n": score.n},
    )


def _as_json(scores: ScoredRun) -> dict[str, Any]:
    return {
        "model": scores.model,
        "revision": scores.revision,
        "commit": scores.sha,
        "backend": scores.backend,
        "lm_eval": scores.harness,
        "tasks": [_task_as_json(run) for run in scores.tasks],
    }


def _task_as_json(run: TaskRun) -> Mapping[str, Any]:
    return {
        "task": run.task,
        "version": run.version,
        "n": run.n,
        "samples": run.samples,
        "prompt": run.prompt,
        "generation": dict(run.generation),
        "data": asdict(run.data),
        "date": run.date,
        "scores": list(_scores_as_json(run.scores())),
    }


def _scores_as_json(scores: Iterable[Score]) -> Iterable[dict[str, Any]]:
    for score in scores:
        yield {name: value for name, value in asdict(score).items() if name != "task"}
