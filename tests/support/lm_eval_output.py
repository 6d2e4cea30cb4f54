"""Results and samples in the form that lm-eval writes them, for tests that need many sorts of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from personamath.evaluation.scores import FACTS
from personamath.training.prompts import ALPACA

TIME = "2026-01-02T03-04-05.678901"

Values = Sequence[Mapping[str, float]]


def write_run(
    folder: Path,
    tasks: Mapping[str, Values],
    *,
    model: str = "me/PersonaMath-tiny",
    problems: int | None = None,
    docs: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    top: Mapping[str, Any] | None = None,
    time: str = TIME,
) -> Path:
    """One run: for each task the metrics of its items, in order. `docs`, `metadata`, `config` and `top` override."""
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "results": {name: means(values) for name, values in tasks.items()},
        "configs": {name: task_config(name, model, problems or len(v), metadata) for name, v in tasks.items()},
        "versions": dict.fromkeys(tasks, 1.0),
        "n-samples": {name: {"original": problems or len(v), "effective": len(v)} for name, v in tasks.items()},
        "config": {
            "model": "hf",
            "model_args": {"pretrained": model},
            "model_sha": "",
            "limit": None,
            "gen_kwargs": None,
        }
        | dict(config or {}),
        "lm_eval_version": "0.4.13",
        **(top or {}),
    }
    path = folder / f"results_{time}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    for name, values in tasks.items():
        rows = [sample(number, value, docs or {}) for number, value in enumerate(values)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"samples_{name}_{time}.jsonl").write_text(lines, encoding="utf-8")
    return path


def means(values: Values) -> dict[str, Any]:
    """What lm-eval writes of a task."""
    return {f"{metric},none": sum(value[metric] for value in values) / len(values) for metric in values[0]}


def task_config(name: str, model: str, problems: int, metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """The part of a task's configuration that is read; `metadata` may hold the facts' own keys."""
    data = {"name": "openai/gsm8k", "config": "main", "split": "test", "revision": "0" * 40}
    facts = {
        "prompt": ALPACA,
        "data": data | {"local": False, "fingerprint": "f" * 32},
        "model": {"name": model, "revision": None, "training_record": None, "local": False},
    }
    changed = dict(metadata or {})
    facts = {key: changed.pop(key, value) for key, value in facts.items()}
    settings = {"max_gen_toks": 4096, "temperature": 0.0}
    said = {"version": 1.0, "problems": problems, FACTS: facts} | changed
    return {"task": name, "repeats": said.pop("repeats", 1), "generation_kwargs": settings, "metadata": said}


def sample(number: int, values: Mapping[str, float], doc: Mapping[str, Any]) -> dict[str, Any]:
    """One line of a samples file."""
    asked = {"question": f"Question {number}", "answer": "1", "subject": None, "level": None} | dict(doc)
    arguments = {"gen_args_0": {"arg_0": asked["question"], "arg_1": {"max_gen_toks": 4096}}}
    row = {"doc_id": number, "doc": asked, "doc_hash": f"{number:064x}", "arguments": arguments, "resps": [["…"]]}
    return row | {"metrics": [*values], **values}
