"""Model folders made up for tests: what a run of fine-tuning leaves, with the facts that a test wants in it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from personamath.training import prompts
from personamath.training.chat_template import write_chat_template
from personamath.training.record import BaseModel, Batch, Prompt, Reinforcement, RowCounts, TrainingData, TrainingRecord
from tests.support.tiny_eval import AFTER_PROMPT
from tests.support.tiny_eval import write_model as write_tiny_model

RECORD = TrainingRecord(
    base_model=BaseModel(name="meta-llama/Llama-2-7b-hf", commit="a" * 40, local=False),
    data=TrainingData(
        name="me/PersonaMathQA", config="default", revision="v1.0.0", commit="b" * 40, local=False, simulated=False
    ),
    prompt=Prompt(
        format="clean",
        training=prompts.ALPACA,
        evaluation=prompts.ALPACA,
        eos="</s>",
        stop=prompts.STOP,
        bos=False,
    ),
    rows=RowCounts(
        read=4_540, used=4_501, dropped={"longer than max_length": 39}, truncated=0, tokens=9_000, label_tokens=7_001
    ),
    batch=Batch(effective_batch_size=16, per_device_train_batch_size=2, gradient_accumulation_steps=2, processes=4),
    recipe={
        "model_name_or_path": "meta-llama/Llama-2-7b-hf",
        "dataset_name": "me/PersonaMathQA",
        "dataset_revision": "v1.0.0",
        "effective_batch_size": 16,
        "learning_rate": 1e-05,
        "lora_target_modules": ["q_proj", "v_proj"],
        "bf16": True,
        "report_to": [],
    },
    steps=844,
    epochs=3.0,
    final_loss=0.21349,
    wall_seconds=5_400.0,
    hardware={"accelerator": "NVIDIA H200", "count": 4, "strategy": "DeepSpeed ZeRO-2"},
    versions={"python": "3.11.9", "torch": "2.13.0"},
    git_commit="c" * 40,
)


LOCAL = replace(
    RECORD,
    base_model=BaseModel(name="tiny", commit=None, local=True),
    data=replace(RECORD.data, name="dataset", revision=None, commit=None, local=True),
)
"""Of a model made of nothing but what lies here."""


def reinforced(record: TrainingRecord, local: bool = False) -> TrainingRecord:
    """The record of a model that was trained further by reinforcement learning."""
    return replace(
        record,
        kind="grpo",
        data=replace(record.data, config="rl", revision="v1.1.0"),
        reinforcement=Reinforcement(
            started_from=BaseModel(name="sft" if local else "me/sft", commit=None if local else "d" * 40, local=local),
            fine_tuned_on=record.data,
            reward="personamath.rewards.correct",
            pass_rate=0.41,
            first_reward=0.45,
            final_reward=0.71,
        ),
    )


def based_on(name: str, local: bool = False) -> TrainingRecord:
    """The record of a model of this base."""
    return replace(RECORD, base_model=BaseModel(name=name, commit=None if local else "a" * 40, local=local))


def trained_on(**changes: Any) -> TrainingRecord:
    """The record of a model of other data."""
    return replace(RECORD, data=replace(RECORD.data, **changes))


def write_facts(folder: Path, record: TrainingRecord = RECORD, context: int = 4_096) -> Path:
    """What the card is computed from: no weights, no tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    record.write(folder)
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": context}))
    (folder / "loss.png").write_bytes(b"\x89PNG")
    return folder


def write_model(folder: Path, record: TrainingRecord = LOCAL, says: str = r"So it is $\boxed{4}$.") -> Path:
    """A whole model folder, with a model that answers every problem alike."""
    write_tiny_model(folder, {AFTER_PROMPT: [says]})
    record.write(folder)
    write_chat_template(folder)
    stop_by_eos = {"eos_token_id": json.loads((folder / "generation_config.json").read_text())["eos_token_id"]}
    (folder / "generation_config.json").write_text(json.dumps(stop_by_eos))
    (folder / "trainer_state.json").write_text("{}")
    (folder / "loss.csv").write_text("step,epoch,loss,learning_rate\n1,0.1,2.5,0.001\n")
    (folder / "loss.png").write_bytes(b"\x89PNG")
    (folder / "checkpoint-1").mkdir()
    return folder
