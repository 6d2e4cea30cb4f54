"""`personamath train`: run a training recipe on this machine."""

import argparse
import shlex
from pathlib import Path

from personamath.shipped import find_recipe

PASSES_ON = True
DESCRIPTION = """\
Fine-tune a model, or train it further by rewards (GRPO), as a recipe says. No checkout is needed.

  personamath train --config sft-qwen2.5-7b --dataset_name me/PersonaMathQA --dataset_revision v1.0.0
  personamath train --config sft-qwen2.5-7b-lora --dataset_name runs/v1/dataset --dataset_revision null
  personamath train --config sft-llama-2-13b --accelerate_config zero3_offload     # for smaller GPUs
  personamath train --config grpo-qwen2.5-7b --dataset_name me/PersonaMathQA --dataset_revision v1.0.0
  personamath train --config mine.yaml --learning_rate 1e-5 --output_dir runs/mine

Every further option overrides a key of the recipe. The keys are those of TRL's SFTConfig or GRPOConfig and ModelConfig,
and a few of our own: see docs/training.md. After any interruption the same command resumes from the last complete
checkpoint, with the same number of GPUs.

The command runs `accelerate launch` and prints what it launches. It uses every GPU that CUDA_VISIBLE_DEVICES shows:
one GPU: single_gpu; several: ddp for LoRA, zero3 for GRPO and for models of more than 10B, else zero2; none: the CPU.
"""
EPILOG = """\
writes  the recipe's output_dir: the model, checkpoints, training.json, loss.csv and a draft of the card

exit    that of training: 0 done   1 error   130 interrupted   143 terminated
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EPILOG
    parser.usage = "%(prog)s --config NAME or YAML [--accelerate_config NAME or YAML] [--KEY VALUE ...]"
    parser.add_argument(
        "--config", required=True, metavar="NAME or YAML", help="a recipe that PersonaMath carries, or a YAML file"
    )
    parser.add_argument(
        "--accelerate_config",
        metavar="NAME or YAML",
        help="how to use the machine: cpu, single_gpu, ddp, fsdp2, zero2, zero3, zero3_offload, or a file of your own, "
        "e.g. for several nodes",
    )


def run(options: argparse.Namespace) -> int:
    """Train; return the exit status of training."""
    from personamath.training.launch import check_installed, count_gpus, launch, plan_launch

    recipe = find_recipe(options.config, "sft", "grpo")
    check_installed()
    what = plan_launch(recipe, options.passed_on, options.accelerate_config, count_gpus())
    shown = " ".join(map(shlex.quote, map(_short, what.command)))
    print(f"launching {recipe.stem} on {what.on}: accelerate launch {shown}", flush=True)
    return launch(what)


def _short(argument: str) -> str:
    """Return a path in the working directory relative to it."""
    path = Path(argument)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else argument
