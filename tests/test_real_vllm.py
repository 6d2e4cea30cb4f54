"""Real vLLM on a CPU, where `.ci/vllm-venv` can install it: it serves a run, scores a model, and runs a card's code."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from personamath.evaluation import tasks
from personamath.evaluation.scores import ScoredRun, read_results
from personamath.files import read_json
from personamath.records import Completion, Request
from personamath.runs.setup import Setup
from personamath.sources.tables import read_file
from personamath.teachers.pace import Pace
from personamath.teachers.serve import ServedTeacher
from personamath.training.prompts import alpaca
from personamath_hub.models.card import model_card
from tests.commands.test_augment import run_file
from tests.conftest import REPO
from tests.support import model_folders
from tests.support.task_files import write_files
from tests.support.tiny_eval import AFTER_PROMPT, EOS, write_model
from tests.support.tiny_models import make_tokenizer

VARIABLE = "PERSONAMATH_VLLM"
VLLM = os.environ.get(VARIABLE, "")
"""The command `vllm`, in an environment with lm-eval."""
pytestmark = pytest.mark.skipif(not VLLM, reason=f"{VARIABLE} names no vllm command; .ci/vllm-venv prints one")

SMALL: dict[str, Any] = {"max_model_len": 512, "dtype": "float32", "enforce_eager": True, "max_num_seqs": 32}
ON_A_CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "OMP_NUM_THREADS": "1"}
CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}\n{% endfor %}Assistant" + AFTER_PROMPT
RIGHT = r" So it is $\boxed{18}$."
TEXTS = [path.read_text(encoding="utf-8") for path in sorted((REPO / "docs").glob("*.md"))]


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests, no network, and vLLM's command first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "OPENAI_", "VLLM_"))}
    path = f"{Path(VLLM).parent}:{os.environ['PATH']}"
    own = {"PATH": path, "PYTHONPATH": str(REPO), "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    return kept | ON_A_CPU | own


def ended(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )


def chat(folder: Path) -> Path:
    """Give a model folder a chat template, and defaults of sampling that cut each answer after two tokens."""
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(read_json(path, "") | {"max_new_tokens": 2}))
    return folder


def test_a_run_serves_its_teacher(tmp_path: Path) -> None:
    model = chat(write_model(tmp_path / "model", {AFTER_PROMPT: [RIGHT], RIGHT: [EOS]}))
    problems = [{"q": "What is 3 * 6?", "a": "18"}, {"q": "What is 4 * 5?", "a": "20"}]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    flags = ["--problems", "mine:mine.jsonl:q:a", "--teacher", model, "--max-tokens", 64, "--k1", 2, "--k2", 2]
    served = ["--serve", "vllm", "--vllm-args", json.dumps(SMALL)]
    done = ended(
        tmp_path, sys.executable, "-m", "personamath.commands.cli", "augment", *flags, *served, "--output", "run"
    )
    assert done.returncode == 0, done.stderr + (tmp_path / "run" / "vllm.log").read_text()[-3000:]
    run = run_file(tmp_path / "run")
    assert run["complete"] and run["endpoints"] == ["vllm serve"] and run["paid"]["usd"] == 0
    # The model's own limit of two tokens would have cut every answer.
    assert run["requests"]["stage1_inference"] == {"kept": 1, "wrong answer": 1}
    assert run["tokens"]["stage1_inference"]["prompt"] > 0
    log = (tmp_path / "run" / "vllm.log").read_text()
    assert "/v1/chat/completions HTTP" not in log
    pids = {int(pid) for pid in re.findall(r"pid=(\d+)\)", log)}
    assert len(pids) >= 2 and not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_what_it_says_is_what_transformers_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model with attention, asked greedily with the prompt of fine-tuning."""
    folder = chat(write_random_model(tmp_path / "model"))
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    question = alpaca("What is 3 * 6?")
    setup = Setup(output=str(tmp_path))

    async def ask() -> Completion:
        patience, pace = setup.patience_with_endpoints, Pace()
        async with ServedTeacher.of(str(folder), SMALL, tmp_path, patience, pace) as teacher:
            return await teacher.complete(Request(question, str(folder), 0.0, 24))

    answer = asyncio.run(ask())
    prompt, text = greedily(folder, question, 24)
    assert answer.prompt_tokens == prompt and answer.completion_tokens and answer.text.strip()
    assert answer.text == text


def write_random_model(folder: Path) -> Path:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = make_tokenizer("byte-level BPE", TEXTS)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1_024,
        initializer_range=0.3,  # so that no two tokens are nearly as likely as each other
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def greedily(folder: Path, question: str, tokens: int) -> tuple[int, str]:
    """The number of tokens of the prompt, and what transformers says."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    asked = tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False)
    ids = tokenizer(asked, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        said = model.generate(**ids, do_sample=False, max_new_tokens=tokens)[0, ids["input_ids"].shape[1] :]
    return ids["input_ids"].shape[1], tokenizer.decode(said, skip_special_tokens=True)


TASKS = ("personamath_gsm8k", "personamath_math")


def score(folder: Path, python: object, backend: str, model: Path, **arguments: object) -> ScoredRun:
    """The real lm_eval command in one of the environments."""
    folder.mkdir()
    given = ",".join(f"{name}={value}" for name, value in {"pretrained": model, **arguments}.items())
    files = json.dumps({"files": write_files(folder / "data")})
    where = [
        "--include_path",
        Path(tasks.__file__).parent,
        "--output_path",
        "out",
        "--log_samples",
        "--metadata",
        files,
    ]
    done = ended(
        folder, python, "-m", "lm_eval", "--model", backend, "--model_args", given, "--tasks", ",".join(TASKS), *where
    )
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
    vllm = score(tmp_path / "vllm", Path(VLLM).with_name("python"), "vllm", model, **SMALL, max_gen_toks=64)
    hf = score(tmp_path / "hf", sys.executable, "hf", model, dtype="float32", device="cpu")
    assert vllm.backend == "vllm" and hf.backend == "hf"
    for one, other in zip(vllm.tasks, hf.tasks, strict=True):
        assert [item.values for item in one.items] == [item.values for item in other.items]
    assert vllm.tasks[0].score("exact_match").value == 0.5 and vllm.tasks[0].score("stopped").value == 1
    assert responses(tmp_path / "vllm") == responses(tmp_path / "hf")


def test_the_code_of_a_model_card_runs(tmp_path: Path) -> None:
    model = model_folders.write_model(tmp_path / "path" / "to" / "this" / "folder")
    (card,) = (
        code for code in re.findall(r"```python\n(.*?)```", model_card(model, None), re.DOTALL) if "vllm" in code
    )
    assert "LLM(MODEL" in card
    # Compiling the model takes minutes on a CPU.
    (tmp_path / "card.py").write_text(card.replace("LLM(MODEL", "LLM(MODEL, enforce_eager=True, max_num_seqs=32"))
    done = ended(tmp_path, Path(VLLM).with_name("python"), "card.py")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == r"So it is $\boxed{4}$."
