"""`personamath tasks`: where the lm-eval tasks lie."""

import argparse

DESCRIPTION = """\
Print the folder of PersonaMath's tasks, for lm-eval's --include_path:

  lm_eval --model vllm --model_args pretrained=me/PersonaMath-Qwen2.5-7B --include_path "$(personamath tasks)" \\
      --tasks personamath --output_path scores --log_samples
  personamath scores scores

Tasks: personamath (both below), personamath_gsm8k, personamath_math, and of both the variants _paper (the paper's own
prompt) and _maj8 (eight samples); personamath_extended and its tasks. docs/evaluation.md describes them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to say."""


def run(options: argparse.Namespace) -> int:
    """Run the command; gives the exit status."""
    from personamath.evaluation.tasks import FOLDER

    print(FOLDER)
    return 0
