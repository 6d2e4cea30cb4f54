"""training.json: written and read, by older and newer versions too."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.training.environment import web_address
from personamath.training.record import FILE_NAME, TrainingRecord
from tests.support.model_folders import RECORD, reinforced

# Written out by hand, as PersonaMath 0.1.0 writes it: this text never changes, whatever fields the record gets.
AS_WRITTEN_BY_0_1_0 = """\
{
  "base_model": {"name": "Qwen/Qwen2.5-7B", "commit": null, "local": false},
  "data": {
    "name": "me/PersonaMathQA", "config": "default", "revision": "v1.0.0",
    "commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "local": false, "simulated": false
  },
  "prompt": {
    "format": "clean",
    "training": "### Instruction:\\n{instruction}\\n\\n### Response:",
    "evaluation": "### Instruction:\\n{instruction}\\n\\n### Response:",
    "eos": "<|endoftext|>", "stop": "\\n\\n### Instruction:", "bos": false
  },
  "rows": {
    "read": 100, "used": 98, "dropped": {"longer than max_length": 2}, "truncated": 0, "tokens": 9000,
    "label_tokens": 7000
  },
  "batch": {
    "effective_batch_size": 16, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "processes": 4
  },
  "recipe": {"learning_rate": 2e-05, "report_to": [], "lora_target_modules": ["q_proj"], "dataset_revision": null},
  "steps": 844,
  "epochs": 3.0,
  "final_loss": 0.21349,
  "wall_seconds": 5400,
  "hardware": {"accelerator": "NVIDIA H200", "count": 4, "strategy": "DeepSpeed ZeRO-2", "mixed_precision": "bf16"},
  "versions": {"python": "3.11.9", "torch": "2.13.0"},
  "git_commit": null,
  "format_version": 1
}
"""


def write(folder: Path, content: object) -> Path:
    path = folder / FILE_NAME
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("record", [RECORD, reinforced(RECORD)], ids=["sft", "grpo"])
def test_the_record_comes_back_as_it_was_written(record: TrainingRecord, tmp_path: Path) -> None:
    record.write(tmp_path)
    assert TrainingRecord.read(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_record_of_the_first_version_is_read(tmp_path: Path) -> None:
    write(tmp_path, AS_WRITTEN_BY_0_1_0)
    record = TrainingRecord.read(tmp_path)
    assert record.base_model.name == "Qwen/Qwen2.5-7B" and record.data.revision == "v1.0.0"
    assert record.rows.dropped == {"longer than max_length": 2} and record.wall_seconds == 5400
    assert record.recipe["lora_target_modules"] == ["q_proj"]


def test_fields_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    content = json.loads(AS_WRITTEN_BY_0_1_0)
    write(tmp_path, content)
    known = TrainingRecord.read(tmp_path)
    content |= {"method": "rejection", "rows": content["rows"] | {"longest": 512}}
    write(tmp_path, content)
    assert TrainingRecord.read(tmp_path) == known


REMOTES = {
    "https://github.com/me/PersonaMath.git": "https://github.com/me/PersonaMath",
    "https://me:ghp_secret@github.com/me/PersonaMath": "https://github.com/me/PersonaMath",
    "git@github.com:me/PersonaMath.git": "https://github.com/me/PersonaMath",
    "ssh://git@gitlab.example.org:2222/group/sub/PersonaMath.git": "https://gitlab.example.org/group/sub/PersonaMath",
    "/home/me/PersonaMath": None,
    "../PersonaMath.git": None,
    "file:///home/me/PersonaMath": None,
}


@pytest.mark.parametrize("origin", REMOTES)
def test_the_repository_is_recorded_without_users_and_tokens(origin: str) -> None:
    assert web_address(origin) == REMOTES[origin]


def test_a_field_with_a_default_may_be_absent(tmp_path: Path) -> None:
    content = json.loads(AS_WRITTEN_BY_0_1_0)
    del content["format_version"]
    write(tmp_path, content)
    record = TrainingRecord.read(tmp_path)
    assert (record.format_version, record.kind, record.reinforcement) == (1, "sft", None)


def test_a_model_is_simulated_if_any_of_its_data_is() -> None:
    made_up = replace(RECORD, data=replace(RECORD.data, simulated=True))
    after = replace(reinforced(made_up), data=RECORD.data)
    assert (RECORD.simulated, made_up.simulated, after.simulated) == (False, True, True)


ROWS = json.loads(AS_WRITTEN_BY_0_1_0)["rows"]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"steps": "many"}, "steps is 'many'; it must be a whole number"),
    ({"steps": "844"}, "steps is '844'; it must be a whole number"),
    ({"steps": True}, "steps is True; it must be a whole number"),
    ({"epochs": None}, "epochs is None; it must be a number"),
    ({"git_commit": 7}, "git_commit is 7; it must be text"),
    ({"rows": ROWS | {"used": 1.5}}, "rows.used is 1.5; it must be a whole number"),
    ({"rows": {"read": 1}}, "rows.used is missing"),
    ({"rows": []}, "rows is []; it must be keys and values"),
    ({"recipe": "sft"}, "recipe is 'sft'; it must be keys and values"),
    ({"prompt": {}}, "prompt.format is missing"),
]


@pytest.mark.parametrize(("change", "error"), WRONG, ids=[error for _, error in WRONG])
def test_a_field_that_is_wrong_or_missing_is_named_with_the_remedy(
    change: dict[str, Any], error: str, tmp_path: Path
) -> None:
    path = write(tmp_path, json.loads(AS_WRITTEN_BY_0_1_0) | change)
    with pytest.raises(BadInput) as caught:
        TrainingRecord.read(tmp_path)
    assert str(caught.value) == f"{path}: {error}; take the file that recipes/sft.py wrote, or fine-tune again"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        ('{"format_version": 99}', "format 99, but this version of PersonaMath reads format 1"),
        ("{}", "base_model is missing; take the file that recipes/sft.py wrote"),
        (None, "no such file; take the file that recipes/sft.py wrote"),
    ],
)
def test_a_file_that_is_no_record_is_one_line(content: str | None, error: str, tmp_path: Path) -> None:
    if content is not None:
        write(tmp_path, content)
    with pytest.raises(BadInput, match=error) as caught:
        TrainingRecord.read(tmp_path)
    assert "\n" not in str(caught.value) and FILE_NAME in str(caught.value)
