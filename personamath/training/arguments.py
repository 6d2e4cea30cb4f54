"""The keys of a fine-tuning recipe: TRL's, and a few of our own."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from personamath.errors import BadInput
from personamath.files import in_one_line, local_path, plain_path, read_yaml
from personamath.shipped import find_recipe
from personamath.training.examples import PromptFormat
from personamath.training.refused_keys import refuse_keys

LossNormalization = Literal["tokens", "paper"]
NULL = "null"
DERIVED = "gradient_accumulation_steps"


@dataclass(kw_only=True)
class RecipeArguments:
    """The keys of a recipe besides those of TRL's SFTConfig and ModelConfig."""

    dataset_name: str = field(
        metadata={"help": "Dataset on the Hub, e.g. me/PersonaMathQA, or a local dataset folder."}
    )
    dataset_config: str = field(default="default", metadata={"help": "Dataset config: default, stage1, stage2, ..."})
    dataset_revision: str | None = field(
        default=None, metadata={"help": "Version (tag) or commit of a dataset on the Hub; required for one."}
    )
    prompt_format: PromptFormat = field(
        default="clean",
        metadata={"help": "`clean`: a space starts the response; `paper`: as the released trainer. docs/training.md"},
    )
    effective_batch_size: int = field(
        default=16, metadata={"help": "Examples of one optimizer step; accumulation is derived (paper: appendix A)."}
    )
    loss_normalization: LossNormalization = field(
        default="tokens",
        metadata={"help": "`tokens`: mean over the step's tokens (TRL); `paper`: mean of the micro-batches' means."},
    )
    allow_simulated: bool = field(
        default=False, metadata={"help": "Train on the embedded teacher's rows, to try things out."}
    )


class Arguments(NamedTuple):
    """A parsed recipe."""

    ours: RecipeArguments
    trainer: Any
    """trl.SFTConfig"""
    model: Any
    """trl.ModelConfig"""
    recipe: dict[str, Any]
    """The keys that the YAML or the command line set, with their final values."""


class Parsed(NamedTuple):
    """Keys and values, parsed."""

    parts: tuple[Any, ...]
    """An object of each of the classes."""
    set_keys: set[str]
    """The keys that the YAML or the command line set."""


def read_arguments(arguments: Sequence[str] | None = None) -> Arguments:
    """Parse `--config YAML` and overrides with TRL's parser; raises BadInput for a recipe that cannot be run."""
    from trl import ModelConfig, SFTConfig

    (ours, trainer, model), set_keys = parse((RecipeArguments, SFTConfig, ModelConfig), arguments)
    _refuse(set_keys, trainer, model)
    expand_homes(ours, model, trainer)
    return Arguments(ours, trainer, model, recipe_of((ours, model, trainer), set_keys))


def parse(classes: tuple[type, ...], arguments: Sequence[str] | None) -> Parsed:
    """Parse `--config YAML` and overrides into dataclasses; raises BadInput for unknown keys and wrong values.

    `null` takes back a key of ours, the first of the classes, on the command line as in YAML.
    """
    from trl import TrlParser

    given = _with_found_recipe([plain_path(each) for each in (sys.argv[1:] if arguments is None else arguments)])
    set_keys = _set_keys(given)
    # Without abbreviations, which would be neither recorded nor refused.
    parser = TrlParser(classes, description=__doc__, allow_abbrev=False)
    try:
        parts = parser.parse_args_and_config(given)
    except (ValueError, TypeError, OSError) as error:
        raise BadInput(f"recipe: {in_one_line(error)}") from error
    for key in set_keys & vars(parts[0]).keys():
        if getattr(parts[0], key) == NULL:
            setattr(parts[0], key, None)
    return Parsed(parts, set_keys)


def recipe_of(parts: Sequence[Any], set_keys: set[str]) -> dict[str, Any]:
    """Return the keys that were set, with their final values, as JSON has them."""
    values = {name: value for part in parts for name, value in vars(part).items()}
    # `--no_KEY` is argparse's way to say that a switch is off.
    named = {key if key in values else key.removeprefix("no_") for key in set_keys}
    return {key: _plain(values[key]) for key in sorted(named) if key in values and key != "output_dir"}


def _with_found_recipe(given: list[str]) -> list[str]:
    """Replace the name of a recipe by the path of its file."""
    if "--config" not in given:
        return given
    place = given.index("--config") + 1
    if place == len(given):
        raise BadInput("--config needs a recipe or a YAML file, e.g. --config sft-qwen2.5-7b")
    return [*given[:place], str(find_recipe(given[place], "sft", "grpo")), *given[place + 1 :]]


def _set_keys(given: Sequence[str]) -> set[str]:
    keys = {argument[2:].partition("=")[0].replace("-", "_") for argument in given if argument.startswith("--")}
    if "--config" in given:
        path = Path(given[given.index("--config") + 1])
        keys |= {str(key) for key in read_yaml(path, example="learning_rate: 2.0e-5")}
    return keys - {"config"}


def refuse_derived(set_keys: set[str], derived: Sequence[str]) -> None:
    """Raise BadInput for a key that follows from others."""
    for key in derived:
        if key in set_keys:
            raise BadInput(f"{key} is derived: state effective_batch_size and per_device_train_batch_size instead")


def settings(trainer: Any) -> dict[str, Any]:
    """Return the trainer's keys and values, to be compared with the refused ones."""
    from transformers.trainer_pt_utils import AcceleratorConfig

    values = dict(vars(trainer))
    untouched = values.get("accelerator_config") == AcceleratorConfig()  # the trainer fills in its defaults
    return values | ({"accelerator_config": None} if untouched else {})


def _refuse(set_keys: set[str], trainer: Any, model: Any) -> None:
    refuse_derived(set_keys, (DERIVED,))
    if model.model_name_or_path is None:
        raise BadInput("model_name_or_path is missing: name a base model, e.g. Qwen/Qwen2.5-7B, or `tiny`")
    if trainer.max_length is None or trainer.max_length < 1:
        raise BadInput("max_length is missing: state how many tokens an example may have, e.g. 2048")
    refuse_keys(settings(trainer), "recipe")


def expand_homes(ours: Any, model: Any, trainer: Any) -> None:
    """Write out `~` in every key that may name a folder."""
    ours.dataset_name = _in_one_form(ours.dataset_name)
    trainer.output_dir = plain_path(trainer.output_dir)
    if model.model_name_or_path is not None:
        model.model_name_or_path = _in_one_form(model.model_name_or_path)


def _in_one_form(name: str) -> str:
    """Return a folder's path in the form in which recipes are compared: without a `/` at its end or a `./` before it.

    A name on the Hub stays as it is.
    """
    path = local_path(name)
    return str(path) if name and path.exists() else plain_path(name)


def _plain(value: Any) -> Any:
    """Convert a value to JSON's types; an absolute path becomes its last part, without this machine's folders."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(getattr(value, "value", value))
