"""`personamath tasks`: print the folder of the lm-eval tasks."""

import argparse

DESCRIPTION = """\
Print the folder of PersonaMath's tasks, to pass to lm-eval's --include_path:

  lm_eval --model vllm --model_args pretrained=me/PersonaMath-Qwen2.5-7B --include_path "$(personamath tasks)" \\
      --tasks personamath --output_path scores --log_samples
  personamath scores scores

The tasks are personamath_gsm8k and personamath_math, or personamath for both; their variants _paper (with the paper's
own prompt) and _maj8 (eight samples of each problem); and personamath_extended with its tasks. docs/evaluation.md
describes them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no options: the command has none."""


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from personamath.evaluation.tasks import FOLDER

    print(FOLDER)
    return 0
