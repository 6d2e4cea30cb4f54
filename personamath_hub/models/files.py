"""What of a model folder is published: the weights, what is needed to use them, and what tells of the run."""

import json
from pathlib import Path
from typing import NamedTuple

from personamath.errors import BadInput
from personamath.folder.layout import CARD
from personamath.training.record import FILE_NAME
from personamath_hub.models.base_models import LICENSE_FILES
from personamath_hub.models.card import LOSS_CURVE, LOSSES

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
    "chat_template.jinja",
    "trainer_state.json",
    LOSSES,
    LOSS_CURVE,
    *LICENSE_FILES,
)


class ModelFiles(NamedTuple):
    """The files of a model folder."""

    weights: tuple[str, ...]
    others: tuple[str, ...]
    """What is published beside the weights, the card apart."""
    left: tuple[str, ...]
    """Files and folders that stay where they are, e.g. checkpoints."""

    @classmethod
    def of(cls, folder: Path) -> "ModelFiles":
        """What lies in a folder; raises BadInput where it is no model folder, or not a whole one."""
        if not folder.is_dir():
            raise BadInput(f"{folder}: no such folder")
        for name in REQUIRED:
            if not (folder / name).is_file():
                raise BadInput(
                    f"{folder / name} is missing: fine-tune with recipes/sft.py, which leaves a whole folder"
                )
        weights = _weights(folder)
        index = (INDEX,) if (folder / INDEX).is_file() else ()
        others = (*index, *REQUIRED, *(name for name in OPTIONAL if (folder / name).is_file()))
        known = {*weights, *others, CARD}
        left = (path.name + "/" * path.is_dir() for path in folder.iterdir() if path.name not in known)
        return cls(weights, others, tuple(sorted(left)))


def _weights(folder: Path) -> tuple[str, ...]:
    path = folder / INDEX
    names = {WEIGHTS}
    if path.is_file():
        try:
            names = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadInput(f"{path}: not an index of weights ({error!r}); save the model again") from None
    for name in sorted(names):
        if Path(name).name != name or not (folder / name).is_file():
            raise BadInput(f"{folder / name} is missing: save the model again, as safetensors")
    return tuple(sorted(names))
