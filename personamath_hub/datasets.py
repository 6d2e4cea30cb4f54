"""Prepare a dataset to be published: a copy of its folder, checked, with the version on its card."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi

from personamath.errors import BadInput
from personamath.files import scratch_folder
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.changes import compare_folders, describe
from personamath.folder.checks import check_folder, check_readable
from personamath.folder.layout import CARD, PROVENANCE, dataset_folder
from personamath.folder.licenses import check_license, decide
from personamath.folder.marks import in_words
from personamath.folder.subset import write_marked
from personamath.methods.work import FAILED, NOT_ASKED
from personamath_hub.versions.revisions import (
    PublishError,
    checked_repo_id,
    checked_version,
    download,
    missing_token,
    predecessor,
)

FIRST = "This is the first version."
"""The changelog of a first version."""


class Prepared(NamedTuple):
    """A folder ready to be published."""

    folder: Path
    checked: list[str]
    """Checks that passed, in lines for the user."""
    changelog: str
    """What changed since the previous version, in Markdown, as on the card."""
    failed: int
    """How many requests of the run got no answer; their rows are missing."""


@contextmanager
def prepared(
    source: Path,
    repo_id: str,
    version: str,
    *,
    license: str | None = None,
    allow_simulated: bool = False,
    only_marked: Path | None = None,
    dry_run: bool = False,
    api: HfApi | None = None,
) -> Iterator[Prepared]:
    """Give a copy of a dataset folder, or of a run's, as it would be published: checked, with its version on the card.

    The changelog compares with the greatest version on the Hub below this one. Because versions only grow, the same
    folder and version always give the same bytes, whatever is published later. With `only_marked`, a file of marks,
    the copy has only the rows that are marked good. Raises `BadInput`, and `PublishError` where the Hub cannot be read,
    or where there is no token, unless it is for a `dry_run`.
    """
    checked_repo_id(repo_id)
    checked_version(version)
    original = dataset_folder(source)
    if not (original / PROVENANCE).is_file():
        raise BadInput(f"{source}: not a run directory or a dataset folder: it has no {PROVENANCE}")
    check_readable(original, allow_simulated=allow_simulated)  # the rows are checked below, in the copy
    if not dry_run and (reason := missing_token(api or HfApi())):
        raise PublishError(f"{repo_id} {version} is not published: {reason}")
    by_hand: list[str] = []
    before = predecessor(repo_id, version, repo_type="dataset", api=api)
    with scratch_folder("publish") as scratch:
        if only_marked:
            marked = scratch / "marked"
            by_hand = [in_words(write_marked(original, only_marked, marked))]
            original = marked
        changelog = FIRST
        if before:
            old = download(repo_id, before, scratch / "before", repo_type="dataset", api=api)
            changelog = describe(compare_folders(old, original), before, version)
        folder = scratch / "folder"
        facts = write_version(original, folder, repo_id, version, changelog, license)
        checked = [*by_hand, *check_folder(folder, allow_simulated=allow_simulated)]
        requests = facts.provenance["funnel"]["requests"]
        failed = sum(outcomes.get(reason, 0) for outcomes in requests.values() for reason in (FAILED, NOT_ASKED))
        yield Prepared(folder, checked, changelog, failed)


def write_version(
    original: Path, folder: Path, repo_id: str, version: str, changelog: str = FIRST, license: str | None = None
) -> FolderFacts:
    """Copy a dataset folder, write the card of this version over its own, and return what the folder contains.

    Raises `BadInput` if `license` contradicts the licence of a part, or is missing and the parts decide none.
    """
    facts = FolderFacts.read(original)
    license = check_license(license, decide(facts.provenance))
    shutil.copytree(original, folder, dirs_exist_ok=True)
    card = dataset_card(facts, repo_id, version, changelog, license)
    (folder / CARD).write_text(card, encoding="utf-8")
    return facts
