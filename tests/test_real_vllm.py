"""Real vLLM on a CPU, where `.ci/vllm-venv` can install it: it serves a run, scores a model, and runs a card's code."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from personamath.evaluation import tasks
from personamath.evaluation.scores import ScoredRun, read_results
from personamath.files import read_json
from personamath.recipe import Recipe
from personamath.records import Completion, Request
from personamath.runs.engines import make_dataset
from personamath.runs.progress import Watch
from personamath.runs.setup import Setup
from personamath.sources.tables import read_file
from personamath.teachers.serve import ServedTeacher
from personamath.training.prompts import alpaca
from personamath_hub.models.card import model_card
from tests.commands.test_augment import run_file
from tests.conftest import REPO
from tests.support import model_folders, programs
from tests.support.card_commands import served_chat
from tests.support.task_files import write_files
from tests.support.tiny_eval import AFTER_PROMPT, EOS, add_chat_template, write_model
from tests.teachers.test_batch import wait_for
from tests.teachers.test_served_vllm import lives

VARIABLE = "PERSONAMATH_VLLM"
VLLM = os.environ.get(VARIABLE, "")
"""The command `vllm`, in an environment with lm-eval."""
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not VLLM, reason=f"{VARIABLE} names no vllm command; .ci/vllm-venv prints one"),
]

SMALL: dict[str, Any] = {"max_model_len": 512, "dtype": "float32", "enforce_eager": True, "max_num_seqs": 32}
ON_A_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "OMP_NUM_THREADS": "1"}
FEWER_PROCESSES = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
"""The engine in its caller's process, and the worker in the engine's: each process imports vLLM for 10 s and more."""
QUESTION = "What is 9 + 9?"
RIGHT = r" So it is $\boxed{18}$."


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests, no network, and vLLM's command first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "OPENAI_", "VLLM_"))}
    path = f"{Path(VLLM).parent}:{os.environ['PATH']}"
    own = {"PATH": path, "PYTHONPATH": str(REPO), "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    return kept | ON_A_CPU | own


def ended(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    own = environment(folder) | FEWER_PROCESSES
    return subprocess.run(list(map(str, command)), cwd=folder, env=own, capture_output=True, text=True, check=False)


def chat(folder: Path) -> Path:
    """Give a model folder our chat template, and defaults of sampling that cut each answer after two tokens."""
    add_chat_template(folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(read_json(path, "") | {"max_new_tokens": 2}))
    return folder


def test_a_run_serves_its_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole run; and while its server is up, a chat request, to which our template gives the trained prompt."""
    # Our template's words come on top of the request's, and each byte is a token.
    model = chat(write_model(tmp_path / "model", {AFTER_PROMPT: [RIGHT], RIGHT: [EOS]}, context=1024))
    vllm_args = SMALL | {"max_model_len": 1024}
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    from transformers import AutoTokenizer

    problems = [{"q": "What is 3 * 6?", "a": "18"}, {"q": "What is 4 * 5?", "a": "20"}]
    mine = tmp_path / "mine.jsonl"
    mine.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    recipe = Recipe.of(
        {"problems": [f"mine:{mine}:q:a"], "teacher": str(model), "max_tokens": 64, "k1": 2, "k2": 3}, "test"
    )
    run = tmp_path / "run"
    asked: list[Completion] = []

    def watched(_: object, teacher: object) -> Watch:
        @asynccontextmanager
        async def watch(_: object) -> AsyncIterator[None]:
            yield
            assert isinstance(teacher, ServedTeacher)
            asked.append(await teacher.complete(Request(QUESTION, str(model), 0.0, 64)))

        return watch

    made = asyncio.run(make_dataset(recipe, Setup(output=str(run), serve="vllm", vllm_args=vllm_args), watched))
    assert made.funnel.complete and made.folder and not made.retries
    record = run_file(run)
    assert record["endpoints"] == ["vllm serve"] and record["paid"]["usd"] == 0
    # The model's own limit of two tokens would have cut every answer.
    assert record["requests"]["stage1_inference"] == {"kept": 1, "wrong answer": 1}
    assert record["tokens"]["stage1_inference"]["prompt"] > 0
    (answer,) = asked
    tokens = AutoTokenizer.from_pretrained(model)(alpaca(QUESTION))["input_ids"]
    assert answer.prompt_tokens == len(tokens)
    assert (answer.text.strip(), answer.finish_reason, answer.completion_tokens) == (RIGHT.strip(), "stop", 2)

    log = (run / "vllm.log").read_text()
    assert "/v1/chat/completions HTTP" not in log
    pids = {int(pid) for pid in re.findall(r"pid=(\d+)\)", log)}
    assert len(pids) >= 2
    wait_for(lambda: not any(map(lives, pids)))


TASKS = ("personamath_gsm8k", "personamath_math")
OUR_TASKS = "personamath.evaluation.tasks.lm_eval_command"


def score(folder: Path, backend: str, arguments: dict[str, Any]) -> ScoredRun:
    """The real lm_eval command, or for the backend `vllm` the one in vLLM's environment that has our tasks alone."""
    folder.mkdir()
    given = ",".join(f"{name}={value}" for name, value in arguments.items())
    words: list[object] = ["--model", backend, "--model_args", given, "--tasks", ",".join(TASKS)]
    words += ["--output_path", "out", "--log_samples"]
    words += ["--metadata", json.dumps({"files": write_files(folder / "data")})]
    if backend == "vllm":
        done = ended(folder, Path(VLLM).with_name("python"), "-m", OUR_TASKS, *words)
    else:
        words += ["--include_path", tasks.FOLDER, "--device", "cpu"]
        done = programs.run("lm_eval", *words, environment=environment(folder), folder=folder, kind="training")
    assert done.returncode == 0, done.stderr[-3000:]
    return read_results([folder / "out"])


def responses(folder: Path) -> list[Any]:
    return [
        row.values["resps"]
        for task in TASKS
        for path in (folder / "out").rglob(f"samples_{task}_2*")
        for row in read_file(path)
    ]


def test_lm_eval_gives_the_scores_of_its_other_backend(tmp_path: Path) -> None:
    after = {AFTER_PROMPT: [RIGHT], RIGHT: [EOS, "\n\n### Instruction:"], "\n\n### Instruction:": [" And on it goes."]}
    model = write_model(tmp_path / "model", after)
    given = {"pretrained": model, "dtype": "float32"}
    vllm = score(tmp_path / "vllm", "vllm", given | SMALL | {"max_gen_toks": 64})
    hf = score(tmp_path / "hf", "hf", given)
    assert vllm.backend == "vllm" and hf.backend == "hf"
    for one, other in zip(vllm.tasks, hf.tasks, strict=True):
        assert [item.values for item in one.items] == [item.values for item in other.items]
    assert vllm.tasks[0].score("exact_match").value == 0.5 and vllm.tasks[0].score("stopped").value == 1
    assert responses(tmp_path / "vllm") == responses(tmp_path / "hf")


def test_the_server_of_a_model_card_answers_its_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_folders.write_model(tmp_path / "path" / "to" / "this" / "folder")
    for name, value in (environment(tmp_path) | FEWER_PROCESSES).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    said = served_chat(model_card(model), str(Path(VLLM).parent), "--enforce-eager", "--max-num-seqs 32")
    assert said.strip() == r"So it is $\boxed{4}$."


def test_the_code_of_a_model_card_runs(tmp_path: Path) -> None:
    model = model_folders.write_model(tmp_path / "path" / "to" / "this" / "folder")
    (card,) = (
        code for code in re.findall(r"```python\n(.*?)```", model_card(model, None), re.DOTALL) if "from vllm" in code
    )
    assert "LLM(MODEL" in card
    # Compiling the model takes minutes on a CPU.
    (tmp_path / "card.py").write_text(card.replace("LLM(MODEL", "LLM(MODEL, enforce_eager=True, max_num_seqs=32"))
    done = ended(tmp_path, Path(VLLM).with_name("python"), "card.py")
    assert done.returncode == 0, done.stderr[-3000:]
    assert r"So it is $\boxed{4}$." in done.stdout.splitlines()  # among what vLLM says itself
