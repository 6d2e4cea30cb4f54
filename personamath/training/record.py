"""training.json: what a fine-tuned model was made from, written beside its weights and read by its card.

A field that is added later gets a default that says what its absence means, so that older records stay readable.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from personamath.errors import BadInput
from personamath.files import from_json, read_json, written_whole

FILE_NAME = "training.json"
# Raised only when a field changes its meaning: a record with more or fewer fields keeps it.
FORMAT_VERSION = 1
REMEDY = "take the file that recipes/sft.py wrote, or fine-tune again"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """The model that was fine-tuned."""

    name: str
    """Hub id, e.g. `Qwen/Qwen2.5-7B`, or the name of a local folder."""
    commit: str | None
    """The commit its weights were loaded from; None for a local folder or a model built from a config."""
    local: bool
    """Whether it came from a folder or was built from a config, instead of from the Hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """The dataset that was trained on."""

    name: str
    """Hub id, e.g. `me/PersonaMathQA`, or the name of a local folder."""
    config: str
    """Dataset config, e.g. `default`."""
    revision: str | None
    """The revision that was requested, e.g. `v1.0.0`; None for a local folder."""
    commit: str | None
    """The commit it resolved to; None for a local folder."""
    local: bool
    """Whether it came from a folder."""
    simulated: bool
    """Whether the embedded teacher wrote it; such a model is only for trying things out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The text around the rows."""

    format: str
    """`clean` or `paper`; see docs/training.md."""
    training: str
    """The prompt, with `{instruction}` for the problem."""
    evaluation: str
    """The prompt to use the model with, in the same form; it does not end with a space."""
    eos: str
    """The token that ends every response, e.g. `</s>`."""
    stop: str
    """The only text besides EOS that may stop a completion."""
    bos: bool
    """Whether the tokenizer puts a BOS before the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """How many of the dataset's rows were used."""

    read: int
    used: int
    dropped: dict[str, int]
    """Number of rows by reason, e.g. `longer than max_length`."""
    truncated: int
    """Rows that were used, but cut at max_length (format `paper` only)."""
    tokens: int
    """Tokens of one epoch."""
    label_tokens: int
    """How many of them have a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The examples of one optimizer step."""

    effective_batch_size: int
    per_device_train_batch_size: int
    gradient_accumulation_steps: int
    processes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinforcement:
    """What a run of reinforcement learning (`kind: grpo`) adds."""

    started_from: BaseModel
    """The fine-tuned model that it started from. The record's `base_model` is the base of that one."""
    fine_tuned_on: TrainingData
    """The dataset that the fine-tuned model was trained on."""
    reward: str
    """The reward, as a dotted path."""
    pass_rate: float | None
    """Share of correct completions before the training, over all problems; None if it was not measured."""
    first_reward: float
    """Mean reward of the first logged step."""
    final_reward: float
    """Mean reward of the last logged step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """A run of fine-tuning, or of reinforcement learning."""

    base_model: BaseModel
    data: TrainingData
    prompt: Prompt
    rows: RowCounts
    batch: Batch
    recipe: dict[str, Any]
    """Every key that the recipe or the command line set, in TRL's names, with its final value."""
    steps: int
    """Optimizer steps."""
    epochs: float
    final_loss: float
    """Training loss of the last logged step, in nats a token; with GRPO its loss, which says little."""
    wall_seconds: float
    """From the first step to the last, summed over the parts of a resumed run."""
    hardware: dict[str, Any]
    """`accelerator` (e.g. `NVIDIA H200`), `count`, and `strategy` (e.g. `DeepSpeed ZeRO-2`)."""
    versions: dict[str, str]
    """Versions of Python and of the packages that the numbers depend on."""
    git_commit: str | None
    """The commit of the checkout that ran; None for an installed package."""
    repository: str | None = None
    """The web address that the checkout was cloned from; None if there is none, and in earlier records."""
    tags: list[str] = field(default_factory=list)
    """Tags that TRL and its trackers gave the model, e.g. `trl`, `sft`, `trackio:<space>`; none in earlier records."""
    kind: Literal["sft", "grpo"] = "sft"
    """Supervised fine-tuning, or reinforcement learning with GRPO from a fine-tuned model."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file that the model is loaded from, by its path in the folder; none in earlier records."""
    reinforcement: Reinforcement | None = None
    """None for a run of fine-tuning."""
    format_version: int = FORMAT_VERSION

    @property
    def simulated(self) -> bool:
        """Whether the embedded teacher wrote any of the data."""
        return self.data.simulated or bool(self.reinforcement and self.reinforcement.fine_tuned_on.simulated)

    def write(self, folder: Path) -> None:
        """Write the record into the model's folder."""
        with written_whole(folder / FILE_NAME) as path:
            path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "TrainingRecord":
        """Read the record of a model's folder; raises BadInput if there is none, or a field is missing or wrong."""
        path = folder / FILE_NAME
        content = read_json(path, REMEDY)
        version = content.get("format_version", FORMAT_VERSION)
        if version != FORMAT_VERSION:
            raise BadInput(
                f"{path}: a training record of format {version}, but this version of PersonaMath reads format "
                f"{FORMAT_VERSION}: use the version that wrote it"
            )
        # Unknown fields are dropped, not kept: a record that was read is never written again, and `personamath push`
        # publishes the file as it is.
        return from_json(cls, content, str(path), REMEDY)
