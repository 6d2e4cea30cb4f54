"""A run directory that every machine of a cluster sees: a path on a shared file system, or an object store's URL."""

import os
import shutil
import uuid
from pathlib import Path
from typing import Any, NoReturn

from personamath.errors import BadInput, RunDirectoryError
from personamath.teachers.http import without_secrets


def is_url(output: str) -> bool:
    """Whether an output is an object store's address, such as `s3://bucket/run`, rather than a path."""
    return "://" in output


class RunFolder:
    """Files by their name within a run directory. A file is there whole or not at all, whoever is killed meanwhile."""

    def __init__(self, output: str) -> None:
        import fsspec

        self.output = output if is_url(output) else str(Path(output).absolute())
        self.name = without_secrets(output) if is_url(output) else output
        try:
            self._fs, self._root = fsspec.core.url_to_fs(self.output)
        except (ValueError, ImportError) as error:
            raise BadInput(f"output {self.name!r}: {' '.join(str(error).split())}") from None
        self.path = Path(self._root) if "file" in _protocols(self._fs) else None
        """Where it is on this machine; None in an object store."""

    def read(self, name: str) -> bytes:
        """The content of a file; `FileNotFoundError` where there is none."""
        try:
            return bytes(self._fs.cat_file(self._at(name)))
        except FileNotFoundError:
            raise
        except Exception as error:  # each store has errors of its own, and the user can do the same with all
            self._refuse("read", name, error)

    def write(self, name: str, content: bytes) -> None:
        """Put a file, durable on return."""
        try:
            if self.path:
                _write_whole(self.path / name, content)
            else:
                self._fs.pipe_file(self._at(name), content)
        except Exception as error:
            self._refuse("write", name, error)

    def upload(self, folder: Path, name: str, last: str) -> None:
        """Put a local folder in the place of one of the store; `last`, by which readers find it, comes last."""
        if self.exists(name):
            self.remove(name)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix() == last):
            self.write(f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def names(self, folder: str) -> list[str]:
        """What lies directly in a folder, sorted; nothing where there is no such folder."""
        self._fs.invalidate_cache()  # others write here, too
        try:
            return sorted(str(path).rstrip("/").rpartition("/")[2] for path in self._fs.ls(self._at(folder), False))
        except FileNotFoundError:
            return []
        except Exception as error:
            self._refuse("read", folder, error)

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        return bool(self._fs.exists(self._at(name)))

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        try:
            self._fs.rm(self._at(name), recursive=True)
        except FileNotFoundError:
            pass
        except Exception as error:
            self._refuse("write", name, error)

    def fetch(self, name: str, to: Path) -> None:
        """Copy a file to this machine, where it exists."""
        try:
            if self.exists(name):
                self._fs.get_file(self._at(name), str(to))
        except Exception as error:
            self._refuse("read", name, error)

    def free_bytes(self) -> int | None:
        """Room left on its disk; None where only the bill is the limit."""
        return shutil.disk_usage(self.path).free if self.path else None

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _refuse(self, verb: str, name: str, error: Exception) -> NoReturn:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        text = " ".join(str(reason).split()) or type(error).__name__
        raise RunDirectoryError(
            f"{self.name}: cannot {verb} {name} ({text}); what is there is kept: see to it, then run the same command"
        ) from None


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: an actor that was given up for dead may still be writing.
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
