"""`personamath push`: publish a fine-tuned model as a version on the Hub."""

import argparse
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from personamath.commands.publish import add_collection, add_replace_others, checked_plan, publish_folder
from personamath.commands.terminal import add_json
from personamath.files import local_path

if TYPE_CHECKING:
    from personamath_hub.models.push import PreparedModel

DESCRIPTION = """\
Publish a fine-tuned model as one version: one commit, one tag and a card computed from training.json, the scores and
the dataset. Then anyone can load it:

  AutoModelForCausalLM.from_pretrained("me/PersonaMath-LLaMA-2-7B", revision="v1.0.0")

The command checks everything before it uploads anything. Running it again does nothing; if it was killed, running it
again completes the upload. A published version never changes. The command reads the token from HF_TOKEN.

  personamath push runs/model --repo-id me/PersonaMath-LLaMA-2-7B --version v1.0.0 --scores runs/scores --dry-run
  personamath push runs/model --repo-id me/PersonaMath-LLaMA-2-7B --version v1.0.0 --scores runs/scores
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "source", type=local_path, metavar="MODEL_DIR", help="the output_dir of recipes/sft.py or recipes/grpo.py"
    )
    parser.add_argument(
        "--repo-id", required=True, metavar="OWNER/NAME", help="model repository; created if it does not exist"
    )
    parser.add_argument("--version", required=True, metavar="vX.Y.Z", help="the version, and the name of its tag")
    scores = parser.add_mutually_exclusive_group(required=True)
    scores.add_argument(
        "--scores",
        type=local_path,
        nargs="+",
        metavar="RESULTS",
        default=[],
        help="lm_eval's output with --output_path and --log_samples, for the model and optionally its base model",
    )
    scores.add_argument(
        "--without-scores",
        action="store_true",
        help="publish without scores; the card says that the model was not scored",
    )
    parser.add_argument(
        "--with-samples",
        action="store_true",
        help="also publish the scored completions, in the dataset repository OWNER/NAME-samples, and link to them",
    )
    parser.add_argument(
        "--adapter", action="store_true", help="publish only the adapter of a LoRA run, as a repository of its own"
    )
    parser.add_argument(
        "--data", metavar="RUN_OR_FOLDER", help="the dataset, if the model was trained on a local folder"
    )
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--allow-simulated", action="store_true", help="allow a model trained on simulated data")
    add_replace_others(parser)
    add_collection(parser)
    add_json(parser, "the version, its commit and its address")
    parser.add_argument(
        "--dry-run", action="store_true", help="check, show what would be uploaded and replaced, and upload nothing"
    )


def publish_samples(ready: "PreparedModel", options: argparse.Namespace) -> dict[str, Any]:
    """Publish the scored completions before the model that links to them; check first that the model can follow."""
    from personamath_hub.models.samples import samples_repo
    from personamath_hub.versions.collection import check_collection

    assert ready.samples
    if options.collection:
        check_collection(options.collection)
    name = options.repo_id.rpartition("/")[2]
    checked_plan(ready.folder, options, repo_type="model", message=name, hash_file=ready.hash_file)
    repo_id = samples_repo(options.repo_id)
    of_samples = argparse.Namespace(**vars(options) | {"repo_id": repo_id, "collection": None})
    load = f'load_dataset("{repo_id}", "TASK", split="model", revision="{options.version}")'
    return publish_folder(ready.samples, of_samples, repo_type="dataset", message=repo_id.rpartition("/")[2], load=load)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from personamath.journal.run_folder import DATASET, local_copy
    from personamath_hub.models.push import prepared_model

    with (
        local_copy(options.data, DATASET) if options.data else nullcontext() as data,
        prepared_model(
            options.source,
            options.repo_id,
            options.version,
            results=options.scores,
            adapter=options.adapter,
            data=data,
            allow_simulated=options.allow_simulated,
            with_samples=options.with_samples,
        ) as ready,
    ):
        for line in ready.checked:
            print(f"checked: {line}")
        for line in ready.noticed:
            print(f"note: {line}", file=sys.stderr)
        samples = {"samples": publish_samples(ready, options)} if ready.samples else {}
        loader = "AutoPeftModelForCausalLM" if options.adapter else "AutoModelForCausalLM"
        load = f'{loader}.from_pretrained("{options.repo_id}", revision="{options.version}")'
        name = options.repo_id.rpartition("/")[2]
        published = publish_folder(
            ready.folder, options, repo_type="model", message=name, load=load, hash_file=ready.hash_file
        )
        options.show({**published, **samples})
    return 0
