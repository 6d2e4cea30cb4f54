"""The files of a folder and of a revision, and how they differ: compared by hashes, without a download."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from huggingface_hub.hf_api import RepoFile

from personamath.errors import BadInput

# The Hub writes it when it creates a repository, to say which files are large; a folder need not have it.
KEPT = frozenset({".gitattributes"})
# The Hub refuses the first two, and leaves out of a commit the files that the third names.
UNPUBLISHABLE = frozenset({".git", ".cache", ".gitignore"})
READ_BYTES = 1 << 20
# Enough to recognize the mistake, short enough for one line.
SHOWN_PATHS = 3


@dataclass(frozen=True, slots=True)
class LocalFile:
    """The content of a file, as the two hashes that the Hub may report of it."""

    sha1: str
    """Git's hash of a blob with this content; the Hub reports it for a regular file."""
    sha256: str
    """The Hub reports it for a large file."""

    def equals(self, remote: RepoFile) -> bool:
        """Whether the Hub's file has this content."""
        return remote.lfs.sha256 == self.sha256 if remote.lfs else remote.blob_id == self.sha1


HashFile = Callable[[Path], LocalFile]


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes that would make a revision equal to a folder; false where there are none.

    `str` is one line that names a few of the paths.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        parts = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        return "; ".join(f"{len(paths)} {what} ({_shown(paths)})" for what, paths in parts if paths) or "nothing"


def _shown(paths: tuple[str, ...]) -> str:
    more = len(paths) - SHOWN_PATHS
    return ", ".join(paths[:SHOWN_PATHS]) + (f" and {more} more" if more > 0 else "")


def compare(local: Mapping[str, LocalFile], remote: Mapping[str, RepoFile]) -> Difference:
    """Compare a folder with a revision; the Hub's own files do not count."""
    both = local.keys() & remote.keys()
    return Difference(
        added=tuple(sorted(local.keys() - both)),
        changed=tuple(sorted(path for path in both if not local[path].equals(remote[path]))),
        removed=tuple(sorted(remote.keys() - both - KEPT)),
    )


def hash_file(path: Path) -> LocalFile:
    """Hash a file, read once and in pieces."""
    with path.open("rb") as file:
        sha256 = hashlib.sha256()
        # Git hashes the size before the content.
        sha1 = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
        while piece := file.read(READ_BYTES):
            sha1.update(piece)
            sha256.update(piece)
    return LocalFile(sha1.hexdigest(), sha256.hexdigest())


def remembering(hash_file: HashFile = hash_file) -> HashFile:
    """Return a `hash_file` that reads each file only once, also through links; the files must not change meanwhile."""
    remembered = cache(hash_file)
    return lambda path: remembered(path.resolve())


def read_folder(folder: Path, hash_file: HashFile = hash_file) -> dict[str, LocalFile]:
    """Hash every file under a folder; keys are paths in the repository.

    Raises `BadInput` if the folder is empty, cannot be read, or has files that the Hub would not publish unchanged.
    """
    try:
        files = {path.relative_to(folder).as_posix(): hash_file(path) for path in _walk(folder)}
    except OSError as error:
        raise BadInput(f"cannot read {error.filename or folder}: {error.strerror or error}") from None
    if not files:
        raise BadInput(f"{folder} contains no files: nothing to publish")
    return files


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in UNPUBLISHABLE:
            raise BadInput(f"{path} cannot be published: remove it from the folder")
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
