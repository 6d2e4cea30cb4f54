"""The keys of a GRPO recipe: TRL's, and a few of our own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trl import GRPOConfig, ModelConfig

from personamath.errors import BadInput
from personamath.training.arguments import expand_homes, parse, recipe_of, refuse_derived, settings
from personamath.training.refused_keys import REFUSED_WITH_REWARDS, refuse_keys

DERIVED = ("gradient_accumulation_steps", "generation_batch_size", "steps_per_generation")


@dataclass(kw_only=True)
class GrpoArguments:
    """The keys of a recipe besides those of TRL's GRPOConfig and ModelConfig."""

    dataset_name: str = field(
        metadata={"help": "Dataset on the Hub, a dataset folder, or a JSONL or parquet file of the config `rl`."}
    )
    dataset_config: str = field(default="rl", metadata={"help": "Dataset config with prompt and solution."})
    dataset_revision: str | None = field(
        default=None, metadata={"help": "Version (tag) or commit of a dataset on the Hub; required for one."}
    )
    max_prompt_length: int = field(default=1024, metadata={"help": "Problems with a longer prompt are dropped."})
    pass_rate_samples: int = field(
        default=8, metadata={"help": "Completions of each problem to measure its pass rate; 0 keeps every problem."}
    )
    min_pass_rate: float = field(default=0.2, metadata={"help": "Problems solved in a smaller share are dropped."})
    max_pass_rate: float = field(default=0.8, metadata={"help": "Problems solved in a larger share are dropped."})
    allow_simulated: bool = field(
        default=False, metadata={"help": "Train on the embedded teacher's problems, to try things out."}
    )


@dataclass
class StepConfig(GRPOConfig):
    """GRPOConfig in which one number states the completions of a step, and a step generates them all."""

    effective_batch_size: int = field(
        default=64, metadata={"help": "Completions of one optimizer step, a multiple of num_generations."}
    )

    def __post_init__(self) -> None:
        """Derive accumulation and generation from it."""
        self.generation_batch_size, self.steps_per_generation = self.effective_batch_size, None
        super().__post_init__()
        self.gradient_accumulation_steps = self.steps_per_generation

    @property
    def problems_per_step(self) -> int:
        """The problems whose completions make up a step."""
        return int(self.effective_batch_size // self.num_generations)


class Arguments(NamedTuple):
    """A parsed recipe."""

    ours: GrpoArguments
    trainer: StepConfig
    model: Any
    """trl.ModelConfig"""
    recipe: dict[str, Any]
    """The keys that the YAML or the command line set, with their final values."""


def read_arguments(arguments: Sequence[str] | None = None) -> Arguments:
    """Parse `--config YAML` and overrides with TRL's parser; raises BadInput for a recipe that cannot be run."""
    try:
        (ours, trainer, model), set_keys = parse((GrpoArguments, StepConfig, ModelConfig), arguments)
    except BadInput as error:  # TRL names the key that we derive
        raise BadInput(str(error).replace("generation_batch_size", "effective_batch_size")) from error
    refuse_derived(set_keys, DERIVED)
    if model.model_name_or_path is None:
        raise BadInput("model_name_or_path is missing: name a fine-tuned model, e.g. runs/sft-qwen2.5-7b")
    if not 0 <= ours.min_pass_rate <= ours.max_pass_rate <= 1:
        raise BadInput(
            f"min_pass_rate {ours.min_pass_rate} and max_pass_rate {ours.max_pass_rate} are not a range within 0 to 1"
        )
    if ours.pass_rate_samples < 0:
        raise BadInput(f"pass_rate_samples is {ours.pass_rate_samples}; it must be 0 or more")
    refuse_keys(settings(trainer), "recipe", REFUSED_WITH_REWARDS)
    expand_homes(ours, model, trainer)
    return Arguments(ours, trainer, model, recipe_of((ours, model, trainer), set_keys))
