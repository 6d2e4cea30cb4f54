"""A run directory that every machine of a cluster sees: a path on a shared file system, or an object store's URL."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from personamath.errors import BadInput, RunDirectoryError
from personamath.files import in_one_line, plain_path, scratch_folder, written_whole
from personamath.journal.file_format import BLOCKS, FILE_NAME, open_for_writing
from personamath.teachers.urls import without_secrets

DATASET, RUN_FILE = "dataset", "run.json"
"""What a finished run leaves in its directory, beside the journal."""
LAST_OF_DATASET = "README.md"
"""The file of a dataset folder that is uploaded last: without it the upload was interrupted."""


def is_url(output: str) -> bool:
    """Whether an output is an object store's address, such as `s3://bucket/run`, rather than a path."""
    return "://" in output


def shown(output: str) -> str:
    """An output as messages name it: a URL without its user and password."""
    return without_secrets(output) if is_url(output) else output


class RunFolder:
    """Files by their name within a run directory. A file is written whole or not at all, whichever process is killed.

    `fsspec` reads and writes both kinds; importing it takes a tenth of a second, so it is imported when first used.
    """

    def __init__(self, output: str) -> None:
        import fsspec
        from fsspec.implementations.local import LocalFileSystem

        output = plain_path(output)
        self.output = output if is_url(output) else str(Path(output).absolute())
        self.name = shown(output)
        try:
            # Only a URL goes to fsspec: it would read a path such as `run::2` as a chain of URLs.
            of_url = fsspec.core.url_to_fs(self.output) if is_url(output) else (LocalFileSystem(), self.output)
            self._fs: Any = of_url[0]
            self._root: str = of_url[1]
        except (ValueError, ImportError) as error:
            raise BadInput(f"output {self.name!r}: {in_one_line(error)}") from None
        self.path = Path(self._root) if "file" in _protocols(self._fs) else None
        """Where it is on this machine; None in an object store."""

    def read(self, name: str) -> bytes:
        """The content of a file; `FileNotFoundError` if there is no such file."""
        try:
            return bytes(self._fs.cat_file(self._at(name)))
        except FileNotFoundError:
            raise
        except Exception as error:  # each store has errors of its own, and the user can do the same with all
            self._refuse("read", name, error)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, durable on return."""
        try:
            if self.path:
                _write_whole(self.path / name, content)
            else:
                self._fs.pipe_file(self._at(name), content)
        except Exception as error:
            self._refuse("write", name, error)

    def upload(self, folder: Path, name: str, last: str) -> None:
        """Replace a folder of the store by a local one; `last`, by which readers know that it is whole, comes last."""
        if self.exists(name):
            self.remove(name)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix() == last):
            self.write(f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def names(self, folder: str) -> list[str]:
        """The names directly in a folder, sorted; nothing where there is no such folder."""
        self._fs.invalidate_cache()  # others write here, too
        try:
            return sorted(str(path).rstrip("/").rpartition("/")[2] for path in self._fs.ls(self._at(folder), False))
        except FileNotFoundError:
            return []
        except Exception as error:
            self._refuse("read", folder, error)

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        try:
            return bool(self._fs.exists(self._at(name)))
        except Exception as error:
            self._refuse("read", name, error)

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        try:
            self._fs.rm(self._at(name), recursive=True)
        except FileNotFoundError:
            pass
        except Exception as error:
            self._refuse("write", name, error)

    def fetch(self, name: str, to: Path) -> None:
        """Copy a file, or a folder with all that it holds, to a path of this machine, if it exists."""
        self._fs.invalidate_cache()
        try:
            start = self._at(name)
            files = [str(path) for path in self._fs.find(start)]
            places = [to / path.removeprefix(start).lstrip("/") for path in files]
            for place in places:
                place.parent.mkdir(parents=True, exist_ok=True)
            if files:
                self._fs.get(files, list(map(str, places)))
        except Exception as error:
            self._refuse("read", name, error)

    def free_bytes(self) -> int | None:
        """Room left on its disk; None in an object store, which is never full."""
        return shutil.disk_usage(self.path).free if self.path else None

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _refuse(self, verb: str, name: str, error: Exception) -> NoReturn:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RunDirectoryError(
            f"{self.name}: cannot {verb} {name} ({in_one_line(reason)}); the existing files are kept: solve this, then "
            "run the same command"
        ) from None


@contextmanager
def local_copy(output: str, *names: str) -> Iterator[Path]:
    """A run directory, or a dataset folder, that can be read on this machine.

    A path stays itself. From a run in an object store these files and folders are copied, as far as they exist, into a
    temporary directory. Raises `BadInput` if `DATASET` is one of them and is missing or was not uploaded to its end, or
    if the journal is one of them and nothing there is a run's.
    """
    output = plain_path(output)
    folder = RunFolder(output) if is_url(output) else None
    if folder is None or folder.path:
        yield folder.path if folder and folder.path else Path(output)
        return
    with scratch_folder("run") as copy:
        for name in names:
            folder.fetch(name, copy / name)
        if DATASET in names and not (copy / DATASET / LAST_OF_DATASET).is_file():
            raise BadInput(
                f"{folder.name}: no finished dataset in it; give the URL of a run directory that `personamath augment` "
                "has finished"
            )
        if FILE_NAME in names and not (copy / FILE_NAME).is_file():
            if not folder.names(BLOCKS):
                raise BadInput(f"{folder.name}: no run in it, neither {FILE_NAME} nor {BLOCKS}")
            open_for_writing(copy / FILE_NAME).close()  # empty: all of its answers are in the files of blocks
        yield copy


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: an actor that was given up for dead may still be writing.
    with written_whole(path, beside=f"{uuid.uuid4().hex}.partial") as partial:
        partial.write_bytes(content)
