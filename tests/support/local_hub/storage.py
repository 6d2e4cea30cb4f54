"""What the local Hub keeps: git repositories, and the large files that they point to."""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

LFS_SUFFIXES = (".parquet", ".safetensors", ".bin", ".png")
GITATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES)
NO_OBJECT = "0" * 40


class HubError(Exception):
    """An answer that says no, with the headers by which the clients tell one no from another."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> web.Response:
        headers = {"X-Error-Message": str(self)} | ({"X-Error-Code": self.code} if self.code else {})
        return web.json_response({"error": str(self)}, status=self.status, headers=headers)


class Pointer(NamedTuple):
    """What git holds in place of a large file."""

    sha256: str
    size: int

    def text(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @classmethod
    def parse(cls, blob: bytes) -> "Pointer | None":
        found = re.fullmatch(rb"version https://git-lfs\S+\noid sha256:([0-9a-f]{64})\nsize (\d+)\n", blob)
        return cls(found[1].decode(), int(found[2])) if found else None


class Entry(NamedTuple):
    """One line of a tree."""

    path: str
    is_folder: bool
    oid: str
    size: int
    pointer: Pointer | None


class Repository:
    """A bare git repository and the two settings that git does not know."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls,
        path: Path,
        private: bool,
        template: Mapping[str, bytes] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> "Repository":
        """A new repository with the files of a template, and what else the Hub says of it."""
        path.mkdir(parents=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--bare", "--initial-branch=main")
        repository.settings = {"private": private, "gated": False, **(facts or {})}
        files = {".gitattributes": GITATTRIBUTES.encode(), **(template or {})}
        repository.commit(None, [*files.items()], [], "initial commit", "system")
        return repository

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads((self.path / "hub.json").read_text())
        return settings

    @settings.setter
    def settings(self, settings: dict[str, Any]) -> None:
        (self.path / "hub.json").write_text(json.dumps(settings))

    def git(self, *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None) -> bytes:
        """Output of a git command; raises `subprocess.CalledProcessError`."""
        command = ["git", "-c", "core.quotePath=false", *arguments]
        env = {"PATH": os.environ["PATH"], "GIT_DIR": str(self.path), "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC"} | (
            environment or {}
        )
        return subprocess.run(command, input=stdin, capture_output=True, check=True, env=env).stdout

    def refs(self, kind: str) -> dict[str, str]:
        """Name to commit of everything under `refs/kind/`."""
        lines = self.git("for-each-ref", "--format=%(objectname) %(refname)", f"refs/{kind}/").decode().splitlines()
        return {line[41:].removeprefix(f"refs/{kind}/"): line[:40] for line in lines}

    def resolve(self, revision: str) -> str:
        """The commit of a branch, a tag or a commit id."""
        if commit := self.refs("heads").get(revision) or self.refs("tags").get(revision):
            return commit
        try:
            if re.fullmatch("[0-9a-f]{7,40}", revision):
                return self.git("rev-parse", "--verify", "--quiet", revision + "^{commit}").decode().strip()
        except subprocess.CalledProcessError:
            pass
        raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def blob(self, oid: str) -> bytes:
        return self.git("cat-file", "blob", oid)

    def tree(self, commit: str, folder: str = "", recursive: bool = True) -> list[Entry]:
        """Files and folders under `folder`, in git's order."""
        flags = ["-r", "-t"] if recursive else []
        lines = self.git("ls-tree", "-z", "-l", *flags, f"{commit}:{folder}").decode().split("\0")[:-1]
        return [self._entry(line, folder) for line in lines]

    def _entry(self, line: str, folder: str) -> Entry:
        facts, path = line.split("\t", 1)
        _, kind, oid, size = facts.split()
        path = f"{folder}/{path}" if folder else path
        if kind == "tree":
            return Entry(path, True, oid, 0, None)
        pointer = Pointer.parse(self.blob(oid)) if int(size) < 200 else None
        return Entry(path, False, oid, int(size), pointer)

    def files(self, commit: str) -> dict[str, Entry]:
        return {entry.path: entry for entry in self.tree(commit) if not entry.is_folder}

    def log(self, *arguments: str) -> list[dict[str, str]]:
        names = ("id", "author", "date", "title", "message")
        output = self.git(
            "log",
            "-z",
            "--date=format-local:%Y-%m-%dT%H:%M:%S.000Z",
            "--format=%H%x01%an%x01%ad%x01%s%x01%b",
            *arguments,
        ).decode()
        return [dict(zip(names, line.split("\x01"), strict=True)) for line in output.split("\0") if line]

    def commit(
        self, parent: str | None, added: list[tuple[str, bytes]], deleted: Iterable[str], message: str, author: str
    ) -> str:
        """One commit on main, if main is still at `parent`."""
        index = [f"0 {NO_OBJECT}\t{path}\0" for path in deleted]
        for path, content in added:
            oid = self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
            index.append(f"100644 {oid}\t{path}\0")
        with tempfile.TemporaryDirectory() as scratch:
            where = {"GIT_INDEX_FILE": f"{scratch}/index"}
            self.git("read-tree", parent or "--empty", environment=where)
            self.git("update-index", "-z", "--index-info", stdin="".join(index).encode(), environment=where)
            tree = self.git("write-tree", environment=where).decode().strip()
        people = {f"GIT_{role}_{what}": author for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        ancestry = ["-p", parent] if parent else []
        commit = self.git("commit-tree", tree, *ancestry, stdin=message.encode(), environment=people).decode().strip()
        try:
            self.git("update-ref", "refs/heads/main", commit, parent or NO_OBJECT)
        except subprocess.CalledProcessError:
            raise HubError(412, "A commit has happened since. Please refresh and try again.") from None
        return commit


class Objects:
    """Large files by their sha256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, sha256: str) -> bool:
        return (self.folder / sha256).is_file()

    def add(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            file.write(content)
        Path(file.name).replace(self.folder / sha256)
        return sha256

    def read(self, sha256: str) -> bytes:
        if sha256 not in self:
            raise HubError(404, f"the storage holds no {sha256}")
        return (self.folder / sha256).read_bytes()
