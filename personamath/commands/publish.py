"""`personamath publish`: publish a dataset folder as a version on the Hub."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personamath.commands.mix import ONLY_MARKED
from personamath.commands.terminal import add_json, say_warning
from personamath.errors import BadInput
from personamath.files import local_path

if TYPE_CHECKING:
    from personamath_hub.versions.publish import Plan
    from personamath_hub.versions.revisions import RepoType
    from personamath_hub.versions.tree import HashFile

DESCRIPTION = """\
Publish a dataset as one version: one commit, one tag and a card computed from the data. Then anyone can load it:

  load_dataset("me/PersonaMathQA", "stage2", revision="v1.0.0")

The command checks everything before it uploads anything. Running it again does nothing; if it was killed, running it
again completes the upload. A published version never changes: publish other content as another version. The command
reads the token from HF_TOKEN.

  personamath publish runs/v1 --repo-id me/PersonaMathQA --version v1.0.0 --dry-run
  personamath publish runs/v1 --repo-id me/PersonaMathQA --version v1.0.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "source", metavar="RUN_OR_FOLDER", help="a run directory (a path or a URL), or a dataset folder"
    )
    parser.add_argument(
        "--repo-id", required=True, metavar="OWNER/NAME", help="dataset repository; created if it does not exist"
    )
    parser.add_argument(
        "--version", required=True, metavar="vX.Y.Z", help="version to publish; also the name of its tag"
    )
    parser.add_argument(
        "--license", help="licence of the dataset; needed only if that of its problems or personas is unknown"
    )
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--allow-simulated", action="store_true", help="allow data from a simulated teacher")
    parser.add_argument("--only-marked", metavar="FILE", type=local_path, help=ONLY_MARKED)
    add_replace_others(parser)
    add_collection(parser)
    add_json(parser, "the version, its commit and its address")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check and show what would be uploaded and what changed, but upload nothing",
    )


def add_replace_others(parser: argparse.ArgumentParser) -> None:
    """Declare the option of `publish` and `push` that gives up what others put on main."""
    parser.add_argument(
        "--replace-others",
        action="store_true",
        help="replace or remove files that others put on main, e.g. an edited README; without it they are kept",
    )


def add_collection(parser: argparse.ArgumentParser) -> None:
    """Declare the option of `publish` and `push` that puts the repository into a collection."""
    parser.add_argument(
        "--collection",
        metavar="OWNER/SLUG",
        help="add the repository to this collection: the end of its address on the Hub",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from personamath.journal.run_folder import DATASET, local_copy
    from personamath_hub.datasets import prepared

    with (
        local_copy(options.source, DATASET) as source,
        prepared(
            source,
            options.repo_id,
            options.version,
            license=options.license,
            allow_simulated=options.allow_simulated,
            only_marked=options.only_marked,
            dry_run=options.dry_run,
        ) as ready,
    ):
        if ready.failed:
            say_warning(f"{ready.failed:,} requests of this run got no answer; their rows are missing")
        for line in ready.checked:
            print(f"checked: {line}")
        print(f"\n{ready.changelog}")
        load = f'load_dataset("{options.repo_id}", revision="{options.version}", split="train")'
        name = options.repo_id.rpartition("/")[2]
        options.show(publish_folder(ready.folder, options, repo_type="dataset", message=name, load=load))
    return 0


def checked_plan(
    folder: Path, options: argparse.Namespace, *, repo_type: "RepoType", message: str, hash_file: "HashFile"
) -> "Plan":
    """Plan the version, writing nothing; raises `BadInput` if it is published with other content."""
    from personamath_hub.versions.publish import plan_version

    plan = plan_version(
        folder,
        options.repo_id,
        options.version,
        repo_type=repo_type,
        message=message,
        hash_file=hash_file,
        replace_others=options.replace_others,
    )
    if plan.tagged and plan.difference:
        raise BadInput(f"{options.version} is already published with other content: choose another version")
    return plan


def publish_folder(
    folder: Path,
    options: argparse.Namespace,
    *,
    repo_type: "RepoType",
    message: str,
    load: str,
    hash_file: "HashFile | None" = None,
) -> dict[str, Any]:
    """Publish the folder as a version, or with --dry-run print what that would upload; `publish` and `push` end here.

    Returns what `--json` prints of it.
    `message` follows the version in the commit's title. `load` is the line of Python that loads the published version.
    `hash_file` hashes a file; pass one to reuse hashes that are already known.
    """
    from personamath_hub.versions.collection import add_to_collection, check_collection
    from personamath_hub.versions.publish import publish_version
    from personamath_hub.versions.tree import hash_file as read_and_hash

    hash_file = hash_file or read_and_hash
    if options.collection:
        check_collection(options.collection)
    if options.dry_run:
        plan = checked_plan(folder, options, repo_type=repo_type, message=message, hash_file=hash_file)
        print(f"\nDry run. {plan.describe(folder)}")
        if (plan.replaced or plan.in_the_way) and not options.replace_others:
            print("Publishing refuses this without --replace-others.")
        if options.collection:
            print(f"Then the repository would be in the collection {options.collection}.")
        return {"dry_run": True, "version": options.version, "published": plan.tagged is not None}

    def name_others(plan: "Plan") -> None:
        for note in plan.notes():
            print(f"note: {note}", file=sys.stderr)

    published = publish_version(
        folder,
        options.repo_id,
        options.version,
        repo_type=repo_type,
        message=message,
        private=options.private,
        hash_file=hash_file,
        replace_others=options.replace_others,
        before_upload=name_others,
    )
    print(f"\n{published.version} {'is published' if published.created else 'was already published'}: {published.url}")
    print(f"  {load}")
    if options.collection:
        print(f"  in the collection {add_to_collection(options.collection, options.repo_id, repo_type)}")
    return {"dry_run": False, **dataclasses.asdict(published)}
