"""Which files of a model folder are published: the weights, what is needed to use them, and the run's record."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from personamath.errors import BadInput
from personamath.files import from_json, read_json
from personamath.folder.layout import CARD
from personamath.training.chat_template import FILE_NAME as CHAT_TEMPLATE
from personamath.training.curve import LOSS_CURVE, LOSSES
from personamath.training.record import FILE_NAME
from personamath_hub.models.base_licenses import LICENSE_FILES

# A LoRA run leaves its adapter in a folder beside the merged model.
ADAPTER, ADAPTER_WEIGHTS, ADAPTER_CONFIG = "adapter", "adapter_model.safetensors", "adapter_config.json"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
CONFIG, GENERATION, TOKENIZER = "config.json", "generation_config.json", "tokenizer_config.json"
REQUIRED = (CONFIG, GENERATION, TOKENIZER, FILE_NAME)
OF_TOKENIZER = (
    "tokenizer.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    CHAT_TEMPLATE,
)
OF_RUN = ("trainer_state.json", LOSSES, LOSS_CURVE, *LICENSE_FILES)
OPTIONAL = (*OF_TOKENIZER, *OF_RUN)


SAVE_AGAIN = "save the model again, as safetensors"
NO_ADAPTER = "fine-tune with use_peft: true, or leave out --adapter"


@dataclass(frozen=True, slots=True)
class WeightIndex:
    """The index of weights that are split over several files."""

    weight_map: dict[str, str]
    """File by tensor."""

    @classmethod
    def read(cls, folder: Path) -> "WeightIndex":
        """Read the index of a model folder; raises BadInput if it is missing or torn."""
        path = folder / INDEX
        return from_json(cls, read_json(path, SAVE_AGAIN), str(path), SAVE_AGAIN)


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What is read of an adapter's config."""

    base_model_name_or_path: str
    r: int
    """The rank of its matrices."""

    @classmethod
    def read(cls, folder: Path) -> "AdapterConfig":
        """Read the config of a model folder's adapter; raises BadInput if it is missing or torn."""
        path = folder / ADAPTER / ADAPTER_CONFIG
        return from_json(cls, read_json(path, NO_ADAPTER), str(path), NO_ADAPTER)


class ModelFiles(NamedTuple):
    """The files of a model folder, each published under the last part of its path."""

    weights: tuple[str, ...]
    others: tuple[str, ...]
    """Files that are published besides the weights and the card."""
    left: tuple[str, ...]
    """Files and folders that are not published, e.g. checkpoints."""

    @classmethod
    def of(cls, folder: Path) -> "ModelFiles":
        """List the files of a folder; raises BadInput if it is not a complete model folder."""
        if not folder.is_dir():
            raise BadInput(f"{folder}: no such folder")
        for name in REQUIRED:
            if not (folder / name).is_file():
                raise BadInput(
                    f"{folder / name} is missing: fine-tune with recipes/sft.py, which writes a complete folder"
                )
        weights = _weights(folder)
        index = (INDEX,) if (folder / INDEX).is_file() else ()
        others = (*index, *REQUIRED, *(name for name in OPTIONAL if (folder / name).is_file()))
        known = {*weights, *others, CARD}
        left = (path.name + "/" * path.is_dir() for path in folder.iterdir() if path.name not in known)
        return cls(weights, others, tuple(sorted(left)))

    @classmethod
    def of_adapter(cls, folder: Path) -> "ModelFiles":
        """List the files of a model folder that make its adapter a repository of its own; raises BadInput."""
        inside = folder / ADAPTER
        for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG, TOKENIZER):
            if not (inside / name).is_file():
                raise BadInput(f"{inside / name} is missing: {NO_ADAPTER}")
        named = [f"{ADAPTER}/{name}" for name in (ADAPTER_CONFIG, TOKENIZER, *OF_TOKENIZER)]
        others = (*named, FILE_NAME, *OF_RUN)
        return cls((f"{ADAPTER}/{ADAPTER_WEIGHTS}",), tuple(name for name in others if (folder / name).is_file()), ())


def _weights(folder: Path) -> tuple[str, ...]:
    names = {*WeightIndex.read(folder).weight_map.values()} if (folder / INDEX).is_file() else {WEIGHTS}
    for name in sorted(names):
        if Path(name).name != name or not (folder / name).is_file():
            raise BadInput(f"{folder / name} is missing: {SAVE_AGAIN}")
    return tuple(sorted(names))
