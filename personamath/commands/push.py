"""`personamath push`: a fine-tuned model becomes a version on the Hub."""

import argparse
import sys
from contextlib import nullcontext

from personamath.commands.publish import add_replace_others, publish_folder
from personamath.files import local_path

DESCRIPTION = """\
Publish a fine-tuned model as one version: one commit, one tag, a card that is computed from training.json, the scores
and what is known of the data. Then, for everyone:

  AutoModelForCausalLM.from_pretrained("me/PersonaMath-LLaMA-2-7B", revision="v1.0.0")

Everything is checked before anything is uploaded. The same command again does nothing; killed at any point, it
completes what it began. A version never changes. The token comes from HF_TOKEN.

  personamath push runs/model --repo-id me/PersonaMath-LLaMA-2-7B --version v1.0.0 --scores runs/scores --dry-run
  personamath push runs/model --repo-id me/PersonaMath-LLaMA-2-7B --version v1.0.0 --scores runs/scores
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "source", type=local_path, metavar="MODEL_DIR", help="what recipes/sft.py left in its output_dir"
    )
    parser.add_argument("--repo-id", required=True, metavar="OWNER/NAME", help="model repository; made if need be")
    parser.add_argument("--version", required=True, metavar="vX.Y.Z", help="the version, and the name of its tag")
    scores = parser.add_mutually_exclusive_group(required=True)
    scores.add_argument(
        "--scores",
        type=local_path,
        nargs="+",
        metavar="RESULTS",
        default=[],
        help="what lm_eval wrote with --output_path and --log_samples, for the model and, if you like, its base model",
    )
    scores.add_argument(
        "--without-scores", action="store_true", help="publish a model that nobody scored; its card says so"
    )
    parser.add_argument(
        "--data", metavar="RUN_OR_FOLDER", help="the dataset, where the model was trained on a local folder"
    )
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--allow-simulated", action="store_true", help="publish a model of a simulated teacher's rows")
    add_replace_others(parser)
    parser.add_argument("--dry-run", action="store_true", help="check, and show what would be uploaded and replaced")


def run(options: argparse.Namespace) -> int:
    """Run the command; gives the exit status."""
    from personamath.journal.run_folder import DATASET, local_copy
    from personamath_hub.models.push import prepared_model

    with (
        local_copy(options.data, DATASET) if options.data else nullcontext() as data,
        prepared_model(
            options.source,
            options.repo_id,
            options.version,
            results=options.scores,
            data=data,
            allow_simulated=options.allow_simulated,
        ) as ready,
    ):
        for line in ready.checked:
            print(f"checked: {line}")
        for line in ready.noticed:
            print(f"note: {line}", file=sys.stderr)
        load = f'AutoModelForCausalLM.from_pretrained("{options.repo_id}", revision="{options.version}")'
        name = options.repo_id.rpartition("/")[2]
        publish_folder(ready.folder, options, repo_type="model", message=name, load=load, hash_file=ready.hash_file)
    return 0
