"""What the local Hub keeps: git repositories, and the large files that they point to."""

import hashlib
import io
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

LFS_SUFFIXES = (".parquet", ".safetensors", ".bin", ".png")
GITATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES)
NO_OBJECT = "0" * 40
LARGEST_POINTER = 200
"""Bytes, more than any pointer has."""


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
    """A bare git repository and the two settings that git does not know.

    What has an id never changes, so it remembers the commits, trees and files that it has read: a process of git for
    each question would be most of what the server does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits: set[str] = set()
        self._trees: dict[str, list[Entry]] = {}
        self._blobs: dict[str, bytes] = {}
        self._logs: dict[tuple[str, ...], list[dict[str, str]]] = {}

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
        repository.git("init", "--quiet", "--bare", "--initial-branch=main", "--template=")
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

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Output of a git command; raises `subprocess.CalledProcessError`."""
        command = ["git", "-c", "core.quotePath=false", *arguments]
        env = {"PATH": os.environ["PATH"], "GIT_DIR": str(self.path), "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC"}
        return subprocess.run(command, input=stdin, capture_output=True, check=True, env=env).stdout

    def refs(self, kind: str) -> dict[str, str]:
        """Name to commit of everything under `refs/kind/`; read as git writes them, because nothing packs them here."""
        folder = self.path / "refs" / kind
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {path.relative_to(folder).as_posix(): path.read_text().strip() for path in files}

    def resolve(self, revision: str) -> str:
        """The commit of a branch, a tag or a commit id."""
        if revision in self._commits:
            return revision
        if commit := self.refs("heads").get(revision) or self.refs("tags").get(revision):
            return commit
        with suppress(subprocess.CalledProcessError):
            if re.fullmatch("[0-9a-f]{7,40}", revision):
                commit = self.git("rev-parse", "--verify", "--quiet", revision + "^{commit}").decode().strip()
                self._commits.add(commit)
                return commit
        raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def blob(self, name: str) -> bytes:
        """Content of a file by its id, or by `REVISION:PATH`."""
        if name in self._blobs:
            return self._blobs[name]
        content = self.git("cat-file", "blob", name)
        if re.fullmatch("[0-9a-f]{40}", name):
            self._blobs[name] = content
        return content

    def tree(self, revision: str, folder: str = "", recursive: bool = True) -> list[Entry]:
        """Files and folders under `folder`, in git's order."""
        commit = self.resolve(revision)
        if commit not in self._trees:
            self._trees[commit] = self._listed(commit)
        entries = self._trees[commit]
        if folder and not any(entry.is_folder and entry.path == folder for entry in entries):
            raise HubError(404, f"{folder} does not exist on {commit}", "EntryNotFound")
        start = f"{folder}/" if folder else ""
        under = [entry for entry in entries if entry.path.startswith(start)]
        return under if recursive else [entry for entry in under if "/" not in entry.path.removeprefix(start)]

    def _listed(self, commit: str) -> list[Entry]:
        """All that a commit holds, with the pointers among its small files."""
        listing = self.git("ls-tree", "-z", "-l", "-r", "-t", commit).decode().split("\0")[:-1]
        lines = [(path, *facts.split()[1:]) for facts, path in (line.split("\t", 1) for line in listing)]
        self._read({oid for _, kind, oid, size in lines if kind == "blob" and int(size) <= LARGEST_POINTER})
        return [
            Entry(path, True, oid, 0, None)
            if kind == "tree"
            else Entry(path, False, oid, int(size), Pointer.parse(self._blobs.get(oid, b"")))
            for path, kind, oid, size in lines
        ]

    def _read(self, oids: set[str]) -> None:
        """Read these files by one process of git."""
        output = io.BytesIO(self.git("cat-file", "--batch", stdin="\n".join(oids - self._blobs.keys()).encode()))
        while header := output.readline().split():
            oid, _, size = header
            self._blobs[oid.decode()] = output.read(int(size))
            output.read(1)  # the newline behind it

    def files(self, revision: str) -> dict[str, Entry]:
        return {entry.path: entry for entry in self.tree(revision) if not entry.is_folder}

    def log(self, revision: str, *paths: str) -> list[dict[str, str]]:
        """The commits that led to a revision, the newest first; with paths, those that changed them."""
        commit = self.resolve(revision)
        if (commit, *paths) not in self._logs:
            names = ("id", "author", "date", "title", "message")
            dates, format = "--date=format-local:%Y-%m-%dT%H:%M:%S.000Z", "--format=%H%x01%an%x01%ad%x01%s%x01%b"
            lines = self.git("log", "-z", dates, format, commit, "--", *paths).decode().split("\0")
            self._logs[commit, *paths] = [dict(zip(names, line.split("\x01"), strict=True)) for line in lines if line]
        return self._logs[commit, *paths]

    def commit(
        self, parent: str | None, added: list[tuple[str, bytes]], deleted: Iterable[str], message: str, author: str
    ) -> str:
        """One commit on main, if main is still at `parent`."""
        who, text = f"{author} <{author}> now", message.encode()
        stream = [
            f"commit refs/heads/main\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(text)}\n".encode(),
            text,
            f"\nfrom {parent}\n".encode() if parent else b"\n",
            *(f"D {path}\n".encode() for path in deleted),
        ]
        for path, content in added:
            stream += [f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n"]
        try:
            # It does not move main to a commit that does not lead there from where main is.
            output = self.git(
                *("-c", "fastimport.unpackLimit=1", "-c", "core.fsync=none"),
                *("fast-import", "--quiet", "--date-format=now"),
                stdin=b"".join([*stream, b"get-mark :1\n"]),
            )
        except subprocess.CalledProcessError:
            raise HubError(412, "A commit has happened since. Please refresh and try again.") from None
        made = output.decode().strip()
        self._commits.add(made)
        return made


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
