"""The model that a run starts from: one that recipes/sft.py fine-tuned, with its training record."""

from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.training.base_model import Base, load_base, why_not
from personamath.training.record import FILE_NAME, TrainingRecord

PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
"""The files of a model repository that are loaded."""


class Start(NamedTuple):
    """A fine-tuned model, without its weights in memory."""

    folder: Path
    """Where it lies; of a model on the Hub, in the cache."""
    base: Base
    record: TrainingRecord
    """How it was fine-tuned."""

    @property
    def digest(self) -> str:
        """SHA-256 of its training record, which identifies the model."""
        return sha256((self.folder / FILE_NAME).read_bytes()).hexdigest()


def load_start(model: Any) -> Start:
    """Find a fine-tuned model in a folder or on the Hub, and load its config, tokenizer and record.

    `model` is TRL's ModelConfig; it is made to name the folder, so that trainer and vLLM load the same weights. Raises
    BadInput, e.g. where the model has no training record, or access is missing.
    """
    name, revision = model.model_name_or_path, model.model_revision
    local = Path(name).is_dir()
    folder = Path(name) if local else _downloaded(name, revision)
    if not (folder / FILE_NAME).is_file():
        raise BadInput(
            f"{name} has no {FILE_NAME}: reinforcement learning starts from a model that recipes/sft.py fine-tuned; "
            "name its output_dir, or its repository on the Hub"
        )
    record = TrainingRecord.read(folder)
    base = load_base(name, None if local else revision)
    if base.eos != record.prompt.eos:
        raise BadInput(
            f"{name}: its EOS is {base.eos!r}, the model was fine-tuned with {record.prompt.eos!r}; take the tokenizer "
            "that the fine-tuning saved"
        )
    model.model_name_or_path, model.model_revision = str(folder), None
    return Start(folder, base, record)


def _downloaded(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(PATTERNS)))
    except Exception as error:  # whatever the client raises, the remedy is the same
        raise BadInput(why_not(name, revision, error)) from error
