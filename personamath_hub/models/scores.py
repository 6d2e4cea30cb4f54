"""The scores of a model that is to be published, read from lm-eval's results and checked to be of its very weights."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.evaluation.scores import ScoredRun, read_results
from personamath.evaluation.scores.lm_eval_files import read_output, results_files
from personamath.training.record import FILE_NAME, BaseModel
from personamath_hub.models.files import ModelFiles
from personamath_hub.versions.revisions import holds
from personamath_hub.versions.tree import HashFile, hash_file

# Arguments of lm-eval's models with which it scores other weights than those of the folder.
OTHER_WEIGHTS = frozenset(
    {"peft", "delta", "load_in_4bit", "load_in_8bit", "quantization", "quantization_config", "gguf_file", "gptqmodel"}
)


class Scores(NamedTuple):
    """The scores on a card."""

    model: ScoredRun
    base: ScoredRun | None
    """The base model on the same tasks; None if it was not scored."""


def read_scores(
    paths: Sequence[Path], folder: Path, base: BaseModel, api: HfApi | None = None, hash_file: HashFile = hash_file
) -> Scores:
    """Read lm-eval's results of the model in a folder, and of its base model where some are among them.

    Results of a model on the Hub are compared with the folder by the hashes of the weights, for each results file: give
    a `hash_file` that remembers. Raises `BadInput` for scores of any other model, of other weights, and for scores that
    must not be published.
    """
    own, of_base = [], []
    for path in results_files(paths):
        run = read_results([path])
        if changed := sorted(OTHER_WEIGHTS.intersection(_arguments(path))):
            raise BadInput(
                f"{path}: scored with {', '.join(changed)}, which changes the weights; score the folder without it"
            )
        if not base.local and run.model == base.name:
            of_base.append(path)
        elif _is_of(folder, run, api, hash_file):
            own.append(path)
        else:
            raise BadInput(
                f"{path}: scores of {run.model or 'an unnamed model'}, not of the model in {folder}; score that folder"
            )
    if not own:
        raise BadInput(f"{paths[0]}: only scores of the base model, none of the model in {folder}; score that too")
    return Scores(_publishable(own), _publishable(of_base) if of_base else None)


def _publishable(paths: Sequence[Path]) -> ScoredRun:
    scores = read_results(paths)
    if faults := scores.all_faults():
        raise BadInput(f"{paths[0]}: these scores cannot go on a card: {'; '.join(faults)}")
    return scores


def _is_of(folder: Path, run: ScoredRun, api: HfApi | None, hash_file: HashFile) -> bool:
    """Whether a folder with the same record was scored, or a model on the Hub with the same weights."""
    model = run.tasks[0].model
    if model.local:
        return model.training_record == hashlib.sha256((folder / FILE_NAME).read_bytes()).hexdigest()
    if model.name.count("/") != 1 or model.name.startswith("/"):
        return False  # an API's own name for what it serves
    files = {name: hash_file(folder / name) for name in ModelFiles.of(folder).weights}
    return holds(model.name, run.sha or model.revision or "main", files, repo_type="model", api=api)


def _arguments(path: Path) -> set[str]:
    """Names in lm-eval's `--model_args`, which it writes as a dict or as they were typed."""
    arguments = read_output(path).content.config.model_args or {}
    return {pair.partition("=")[0] for pair in (arguments.split(",") if isinstance(arguments, str) else arguments)}
