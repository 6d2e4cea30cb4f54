"""Folders to publish as versions, and what the local Hub holds of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi

from personamath_hub.versions.publish import PublishedVersion, publish_version
from tests.support.local_hub import LocalHub

SOON_S = 0.02
"""Before the second try: the local Hub is well again at once."""


Files = dict[str, bytes]


CARD = b"---\nlicense: mit\n---\n# Data\n"


FIRST: Files = {
    "README.md": CARD,
    "provenance.json": b"{}",
    "stage1/train-00000-of-00001.parquet": b"PAR1 stage one " * 50,
    "stage2/train-00000-of-00001.parquet": b"PAR1 stage two " * 50,
}


# A config changed, one dropped, one new; a file that became a folder.
SECOND: Files = {
    "README.md": CARD + b"Version 1.1.0\n",
    "provenance.json/recipe.json": b"{}",
    "stage1/train-00000-of-00001.parquet": b"PAR1 stage one, longer " * 50,
    "stage3/train-00000-of-00001.parquet": b"PAR1 stage three " * 50,
}


Kind = Literal["dataset", "model"]


Write = Callable[[Files], Path]


def publish(
    folder: Path, repo: str, version: str, api: HfApi, kind: Kind = "dataset", private: bool = False
) -> PublishedVersion:
    return publish_version(
        folder, repo, version, repo_type=kind, message="math", private=private, api=api, first_wait_s=SOON_S
    )


def content(hub: LocalHub, repo: str, revision: str, kind: str = "datasets") -> Files:
    """What git and the large objects hold, .gitattributes apart."""
    repository = hub.repository(repo, kind)
    files = repository.files(repository.resolve(revision))
    assert files.pop(".gitattributes")
    return {
        path: hub.objects.read(entry.pointer.sha256) if entry.pointer else repository.blob(entry.oid)
        for path, entry in files.items()
    }


def titles(hub: LocalHub, repo: str, kind: str = "datasets") -> list[str]:
    """Titles of main's commits, the first one last."""
    return [commit["title"] for commit in hub.repository(repo, kind).log("main")]


def is_sound(hub: LocalHub, repo: str) -> bool:
    return not hub.repository(repo).git("fsck", "--full", "--strict", "--no-dangling")
