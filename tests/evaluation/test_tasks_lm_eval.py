"""The real lm_eval command on tiny models, in this machine and behind a server, and what it leaves for the scores."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personamath.evaluation.scores import ScoredRun, TaskRun, read_results
from personamath.sources.tables import read_file
from personamath.teachers.serve.server import free_port
from personamath.training.prompts import ALPACA, PAPER_EVALUATION, alpaca
from tests.support import programs
from tests.support.task_files import ROWS, write_files
from tests.support.tiny_eval import AFTER_PAPER, AFTER_PROMPT, CONTEXT, EOS, add_chat_template, write_model

pytestmark = pytest.mark.slow

LM_EVAL, TRANSFORMERS = "lm_eval.__main__", "transformers.cli.transformers"
"""What the commands of these names run."""
OUR_TASKS = "personamath.evaluation.tasks.lm_eval_command"
START_LIMIT = 180.0
"""Seconds a server may take to start on a busy machine."""
RUN_LIMIT = 600.0
"""Seconds that lm_eval may take there."""
RIGHT, CUT = r" The answer is $\boxed{18}$.", r" It is $\boxed{1"
"""What the model says after the prompt it was trained on, and after the paper's."""


BARE_TASK = r"""
task: others_gsm8k
dataset_path: json
dataset_kwargs: {data_files: {test: FILE}}
test_split: test
output_type: generate_until
num_fewshot: 0
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\n\n### Instruction:"], do_sample: false, max_gen_toks: 64}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""
"""Somebody else's task: it asks the bare question, and knows nothing of our prompt."""


def lm_eval(folder: Path, model: str, arguments: dict[str, Any], tasks: list[str], *more: str) -> ScoredRun:
    """Run it, as a user would, in a folder of its own; gives the results as they are read."""
    tasks_folder = programs.run(programs.CLI, "tasks")
    assert tasks_folder.returncode == 0, tasks_folder.stderr
    words = [*options(folder, model, arguments, tasks), *more]
    run_lm_eval(LM_EVAL, [*words, "--include_path", tasks_folder.stdout.strip()], folder)
    return read_results([folder / "out"])


def lm_eval_with_our_tasks(
    folder: Path, model: str, arguments: dict[str, Any], tasks: list[str], *more: str
) -> ScoredRun:
    """Run our command, which has our tasks alone."""
    run_lm_eval(OUR_TASKS, [*options(folder, model, arguments, tasks), *more], folder)
    return read_results([folder / "out"])


def run_lm_eval(module: str, arguments: list[str], folder: Path) -> None:
    done = programs.run(
        module, *arguments, environment=environment(folder), folder=folder, kind="training", limit_s=RUN_LIMIT
    )
    assert done.returncode == 0, done.stderr[-3000:]


def options(folder: Path, model: str, arguments: dict[str, Any], tasks: list[str]) -> list[str]:
    """The command's options; the data is written into the folder."""
    given = ",".join(f"{name}={value}" for name, value in arguments.items())
    metadata = json.dumps({"files": write_files(folder / "data")})
    return [
        *("--model", model, "--model_args", given, "--tasks", ",".join(tasks), "--metadata", metadata),
        *("--output_path", "out", "--log_samples"),
    ]


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests, and no network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "OPENAI_"))}
    # One thread: more only wait for one another on a model this small.
    alone = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return kept | alone | {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}


def samples(folder: Path, task: str) -> list[dict[str, Any]]:
    (path,) = (folder / "out").rglob(f"samples_{task}_2*.jsonl")
    return [row.values for row in read_file(path)]


def task(run: ScoredRun, name: str) -> TaskRun:
    (found,) = (each for each in run.tasks if each.task == f"personamath_{name}")
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It answers 18, in one of two ways, after its own prompt, and never ends after the paper's."""
    after = {
        AFTER_PROMPT: [RIGHT],
        RIGHT: [EOS, "\n\n### Instruction:"],
        "\n\n### Instruction:": [r" Ignore $\boxed{7}$."],
        AFTER_PAPER: [CUT],
        CUT: [CUT],
    }
    return add_chat_template(write_model(tmp_path_factory.mktemp("models") / "PersonaMath-tiny", after))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """`transformers serve` with a model that answers 18 or 3, and its address."""
    folder = tmp_path_factory.mktemp("served")
    model = add_chat_template(write_model(folder / "model", {AFTER_PROMPT: [RIGHT, r" I say $\boxed{3}$."]}))
    port = free_port()
    command = ["serve", model, "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    with (folder / "log").open("w") as log:
        process = programs.start(
            TRANSFORMERS,
            *command,
            environment=environment(folder),
            folder=folder,
            kind="training",
            stdin=programs.DEVNULL,
            stdout=log,
            stderr=programs.STDOUT,
        )
    with process:
        try:
            yield f"http://127.0.0.1:{port}", model
        finally:
            process.kill()


def wait_for(address: str) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.2)


def test_lm_eval_scores_a_model_of_this_machine(server: tuple[str, Path], model: Path, tmp_path: Path) -> None:
    # The server is asked for only so that it starts meanwhile.
    names = ["personamath", "personamath_extended", "personamath_gsm8k_paper", "personamath_gsm8k_maj8"]
    run = lm_eval(tmp_path, "hf", {"pretrained": model}, names, "--device", "cpu", "--batch_size", "8")
    assert len(run.tasks) == 2 + 12 + 2 and run.model == "PersonaMath-tiny" and run.harness
    for each in run.tasks:
        rows, problems = ROWS[each.task.removeprefix("personamath_").removesuffix("_paper").removesuffix("_maj8")]
        assert each.n == each.n_original == len(problems) <= len(rows)
        assert each.data.local and each.data.name.endswith(".jsonl")

    gsm8k = task(run, "gsm8k")
    assert gsm8k.prompt == ALPACA and [*gsm8k.items[0].values] == [
        "exact_match", "math_verify", "boxed", "paper", "stopped"
    ]  # fmt: skip
    assert {metric: gsm8k.score(metric).value for metric in gsm8k.metrics} == {
        "exact_match": 0.5, "math_verify": 0.5, "boxed": 1, "paper": 0.5, "stopped": 1
    }  # fmt: skip
    (asked, _) = samples(tmp_path, "personamath_gsm8k")
    question = ROWS["gsm8k"][1][0]["question"]
    assert asked["arguments"]["gen_args_0"]["arg_0"] == ALPACA.replace("{instruction}", question)
    assert asked["resps"] == [[RIGHT]]  # without EOS, and without what comes after the stop text

    math = task(run, "math")
    assert math.score("exact_match", "subject=Algebra").value == 1
    assert math.groups() == ("all", "subject=Algebra", "subject=Prealgebra", "level=2")

    paper = task(run, "gsm8k_paper")
    assert paper.prompt == PAPER_EVALUATION
    assert {metric: paper.score(metric).value for metric in ("exact_match", "boxed", "stopped")} == {
        "exact_match": 0, "boxed": 0, "stopped": 0
    }  # fmt: skip
    assert paper.limits is not None and paper.limits[1] < CONTEXT

    maj8 = task(run, "gsm8k_maj8")
    assert maj8.samples == 8 and [maj8.score(metric).value for metric in maj8.metrics[:3]] == [0.5, 0.5, 0.5]
    (sampled, _) = samples(tmp_path, "personamath_gsm8k_maj8")
    assert len(sampled["resps"]) == 8


def test_lm_eval_runs_the_programs_of_a_model_and_falls_back_to_its_thoughts(tmp_path: Path) -> None:
    program, thought = "```python\nprint(3 * 6)\n```", r" It is $\boxed{\frac{1}{6}}$."
    model = write_model(tmp_path / "model", {AFTER_PROMPT: [program], AFTER_PAPER: [thought]})
    names = ["personamath_gsm8k_pot", "personamath_math_pot"]
    allowed = ("--confirm_run_unsafe_code", "--limit", "2", "--device", "cpu")
    run = lm_eval_with_our_tasks(tmp_path, "hf", {"pretrained": model}, names, *allowed)
    for name in ("gsm8k_pot", "math_pot"):
        scored = task(run, name)
        assert scored.n == 2 and scored.score("by_program").value == scored.score("boxed").value == 1
        assert [item.values["exact_match"] for item in scored.items] == [1, 0]
        for sample in samples(tmp_path, f"personamath_{name}"):
            assert sample["resps"] == [[program], [thought]]


def test_lm_eval_gives_somebody_elses_task_our_prompt_by_the_chat_template(model: Path, tmp_path: Path) -> None:
    (tmp_path / "others.yaml").write_text(BARE_TASK.replace("FILE", write_files(tmp_path / "data")["gsm8k"]))
    command = ["--model", "hf", "--model_args", f"pretrained={model}", "--device", "cpu"]
    command += ["--tasks", "others_gsm8k", "--include_path", str(tmp_path), "--apply_chat_template"]
    command += ["--output_path", "out", "--log_samples"]
    run_lm_eval(LM_EVAL, command, tmp_path)
    for row, sample in zip(ROWS["gsm8k"][0], samples(tmp_path, "others_gsm8k"), strict=True):
        assert sample["arguments"]["gen_args_0"]["arg_0"] == alpaca(row["question"])
        assert sample["resps"] == [[RIGHT]]


def post(url: str, **body: object) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=START_LIMIT) as response:
        return json.load(response)


def test_transformers_serve_gives_a_chat_our_prompt(server: tuple[str, Path]) -> None:
    address, model = server
    wait_for(address)
    question, settings = "What is 9 + 9?", {"model": str(model), "max_tokens": 64}
    chat = post(f"{address}/v1/chat/completions", messages=[{"role": "user", "content": question}], **settings)
    plain = post(f"{address}/v1/completions", prompt=alpaca(question), **settings)
    assert chat["usage"]["prompt_tokens"] == plain["usage"]["prompt_tokens"]
    assert chat["choices"][0]["message"]["content"].strip().endswith("$.")
    assert chat["choices"][0]["finish_reason"] == plain["choices"][0]["finish_reason"] == "stop"
    two = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    with pytest.raises(urllib.error.HTTPError):
        post(f"{address}/v1/chat/completions", messages=two, **settings)


def test_lm_eval_scores_a_model_behind_a_server(server: tuple[str, Path], tmp_path: Path) -> None:
    address, model = server
    wait_for(address)
    arguments = {
        "model": model,
        "base_url": f"{address}/v1/completions",
        "tokenized_requests": False,
        "num_concurrent": 2,
        "max_length": CONTEXT,
    }
    names = ["personamath_gsm8k", "personamath_gsm8k_maj8"]
    run = lm_eval_with_our_tasks(tmp_path, "local-completions", arguments, names, "--limit", "1")
    assert run.backend == "local-completions" and run.model == "model"
    gsm8k, maj8 = run.tasks
    assert gsm8k.score("stopped").value == gsm8k.score("boxed").value == 1
    assert gsm8k.limits is not None and gsm8k.limits[1] < CONTEXT
    (first,) = samples(tmp_path, "personamath_gsm8k_maj8")
    seeds = {asked["arg_1"]["seed"] for asked in first["arguments"].values()}
    assert len(seeds) == 8 and len({text for (text,) in first["resps"]}) == 2
    right = sum("18" in text for (text,) in first["resps"])
    assert maj8.items[0].values["pass@1"] == right / 8 and maj8.items[0].values["pass@8"] == 1

    said = " ".join(run.all_faults())
    assert "--limit 1" in said and "1 of 2 problems were scored" in said and "the dataset 1,319" in said
    done = programs.run(programs.CLI, "scores", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Not for a card (model):\n  personamath_gsm8k: scored with --limit 1" in done.stdout
