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

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
CONFIG, GENERATION, TOKENIZER = "config.json", "generation_config.json", "tokenizer_config.json"
REQUIRED = (CONFIG, GENERATION, TOKENIZER, FILE_NAME)
OPTIONAL = (
    "tokenizer.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    CHAT_TEMPLATE,
    "trainer_state.json",
    LOSSES,
    LOSS_CURVE,
    *LICENSE_FILES,
)


SAVE_AGAIN = "save the model again, as safetensors"


@dataclass(frozen=True, slots=True)
class WeightIndex:
    """The index of weights that are split over several files."""

    weight_map: dict[str, str]
    """File by tensor."""

    @classmethod
    def read(cls, folder: Path) -> "WeightIndex":
        """Read the index of a model folder; raises BadInput where it is missing or torn."""
        path = folder / INDEX
        return from_json(cls, read_json(path, SAVE_AGAIN), str(path), SAVE_AGAIN)


class ModelFiles(NamedTuple):
    """The files of a model folder."""

    weights: tuple[str, ...]
    others: tuple[str, ...]
    """Files that are published besides the weights and the card."""
    left: tuple[str, ...]
    """Files and folders that are not published, e.g. checkpoints."""

    @classmethod
    def of(cls, folder: Path) -> "ModelFiles":
        """List the files of a folder; raises BadInput where it is not a complete model folder."""
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


def _weights(folder: Path) -> tuple[str, ...]:
    names = {*WeightIndex.read(folder).weight_map.values()} if (folder / INDEX).is_file() else {WEIGHTS}
    for name in sorted(names):
        if Path(name).name != name or not (folder / name).is_file():
            raise BadInput(f"{folder / name} is missing: {SAVE_AGAIN}")
    return tuple(sorted(names))
