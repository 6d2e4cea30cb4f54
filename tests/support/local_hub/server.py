"""A local Hub for tests and demonstrations: real git repositories behind the HTTP that the Hub's own clients speak.

    python -m tests.support.local_hub --root DIR --port 8000
    HF_ENDPOINT=http://127.0.0.1:8000 HF_TOKEN=hf_alice hf upload ...

Every repository is a bare git repository, `DIR/datasets/alice/x.git`; large files are LFS pointers in git and objects
in `DIR/lfs`. Uploads come as basic or multipart LFS, or by xet, for which the server keeps a content-addressed store of
its own. Covered: what `huggingface_hub` 2.4, `datasets` 5.2 and `hf_xet` 1.8 ask for when they create, publish, list,
tag and read model and dataset repositories, and static Spaces. Not covered: running a Space, pull requests, branches
beside main, organisations.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import yaml
from aiohttp import web

from tests.support.local_hub.storage import LFS_SUFFIXES, NO_OBJECT, Entry, HubError, Objects, Pointer, Repository
from tests.support.local_hub.xet import XetStore

TOKENS = {"hf_alice": "alice", "hf_bob": "bob"}
READ_TOKENS = {"hf_alice_read": "alice"}
# As on the Hub: larger files are LFS whatever their name.
LARGEST_REGULAR_FILE = 10 * 1024 * 1024
FOR_EVER = 10**9
# What the Hub puts into a new static Space.
SPACE_TEMPLATE = {
    "README.md": b"---\ntitle: New\nsdk: static\npinned: false\n---\n",
    "index.html": b"<h1>Welcome to your static Space!</h1>",
    "style.css": b"body { padding: 2rem; }",
}

Call = Callable[[web.Request, bytes], web.Response]
Action = Callable[[str], object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path match."""

    method: str
    path: str
    times: int = 1
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    before: Action | None = None
    after: Action | None = None
    lose: bool = False
    cut: bool = False

    def strikes(self, request: web.Request) -> bool:
        if not self.times or not re.fullmatch(self.method, request.method) or not re.search(self.path, request.path):
            return False
        self.times -= 1
        return True


class LocalHub:
    """A local Hub and its handle: who may do what, what goes wrong, and what was asked.

    Faults are for the tests to set at run time, and strike in the order in which they were set; `method` and `path`
    are regular expressions. Actions run in a thread of their own, so they may talk to the server themselves.
    """

    def __init__(self, root: Path, tokens: dict[str, str] | None = None, xet: bool = True) -> None:
        self.root = root
        self.endpoint = ""
        self.tokens = TOKENS if tokens is None else tokens
        self.xet = xet
        self.latency_s = 0.0
        self.left_out: set[str] = set()
        """Paths that the next commit leaves out without saying so."""
        self.page_size = 1000
        self.part_size: int | None = None
        """Bytes of a part where LFS uploads are to come in several parts."""
        self.requests: list[str] = []
        """Method and path of everything that was asked, in order."""
        self.collections: dict[str, list[dict[str, str]]] = {}
        """The items of each collection, by its slug."""
        self.objects = Objects(root / "lfs")
        self._repositories: dict[Path, Repository] = {}
        self._xet = XetStore(root / "xet", self.objects)
        self._faults: list[Fault] = []
        # Uploads and downloads of large files go to addresses that only those who were told them know.
        self._signature = secrets.token_hex(8)

    # What goes wrong

    def answer(self, method: str, path: str, status: int, times: int = 1, **headers: str) -> None:
        """Answer with this status, and do nothing."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._faults.append(Fault(method, path, times, status=status, headers=named))

    def lose(self, method: str, path: str, times: int = 1, after: Action | None = None) -> None:
        """Do the work, and lose the response; act in between."""
        self._faults.append(Fault(method, path, times, lose=True, after=after))

    def cut(self, method: str, path: str, times: int = 1) -> None:
        """End the connection before the request was read."""
        self._faults.append(Fault(method, path, times, cut=True))

    def before(self, method: str, path: str, action: Action, times: int = 1) -> None:
        """Act before doing the work."""
        self._faults.append(Fault(method, path, times, before=action))

    def after(self, method: str, path: str, action: Action, times: int = 1) -> None:
        """Act between the work and the response."""
        self._faults.append(Fault(method, path, times, after=action))

    def lose_objects(self) -> None:
        """Lose every large file that was ever uploaded."""
        for file in self.objects.folder.iterdir():
            file.unlink()

    @property
    def pending(self) -> int:
        """How many faults are still to strike."""
        return sum(fault.times for fault in self._faults)

    def heal(self) -> None:
        """No faults, and nothing asked yet."""
        self._faults.clear()
        self.left_out.clear()
        self.requests.clear()
        self.latency_s = 0.0

    def asked(self, method: str, path: str) -> int:
        """How many requests matched."""
        return sum(1 for request in self.requests if re.search(f"^{method} .*{path}", request))

    def repository(self, repo_id: str, kind: str = "datasets") -> Repository:
        """The git repository of a repo, for tests to look into."""
        path = self.root / kind / f"{repo_id}.git"
        return self._repositories.setdefault(path, Repository(path))

    # Serving

    def application(self) -> web.Application:
        app = web.Application(client_max_size=2**31, middlewares=[self._errors, self._script, self._authenticate])
        repo = "/api/{kind:datasets|models|spaces}/{owner}/{name}"
        lfs, xet = f"/lfs/{self._signature}", f"/xet/{self._signature}"
        routes: list[tuple[str, str, Call]] = [
            ("GET", "/api/whoami-v2", self._whoami),
            ("POST", "/api/repos/create", self._create),
            ("DELETE", "/api/repos/delete", self._delete),
            ("POST", "/api/validate-yaml", self._validate_yaml),
            ("GET", "/api/collections/{owner}/{name}", self._collection),
            ("POST", "/api/collections/{owner}/{name}/items", self._add_item),
            ("GET", repo, self._info),
            ("GET", repo + "/revision/{revision}", self._info),
            ("PUT", repo + "/settings", self._settings),
            ("GET", repo + "/refs", self._refs),
            ("GET", repo + "/commits/{revision}", self._commits),
            ("GET", repo + "/tree/{revision}", self._tree),
            ("GET", repo + "/tree/{revision}/{path:.+}", self._tree),
            ("POST", repo + "/paths-info/{revision}", self._paths_info),
            ("POST", repo + "/preupload/{revision}", self._preupload),
            ("POST", repo + "/commit/{revision}", self._commit),
            ("POST", repo + "/tag/{revision}", self._create_tag),
            ("DELETE", repo + "/tag/{revision}", self._delete_tag),
            ("GET", repo + "/xet-{access:read|write}-token/{revision}", self._xet_token),
            ("PUT", lfs + "/{sha256}", self._put_object),
            ("POST", lfs + "/verify", self._verify_object),
            ("PUT", lfs + "/parts/{sha256}/{part}", self._put_part),
            ("POST", lfs + "/parts/{sha256}", self._join_parts),
            ("GET", lfs + "/{sha256}", self._get_object),
            ("POST", xet + "/v1/xorbs/{prefix}/{xorb}", self._put_xorb),
            ("POST", xet + "/v1/shards", self._put_shard),
            ("GET", xet + "/v1/reconstructions/{file}", self._reconstruction),
            ("GET", xet + "/xorb-bytes/{xorb}", self._get_xorb),
        ]
        for prefix in ("/{kind:datasets|spaces}/", "/"):
            routes.append(("POST", prefix + "{owner}/{name}.git/info/lfs/objects/batch", self._lfs_batch))
            routes.append(("GET", prefix + "{owner}/{name}/resolve/{revision}/{path:.+}", self._file))
        for method, path, call in routes:
            handler = self._threaded(call)
            app.router.add_route(method, path, handler)
            if method == "GET":
                app.router.add_route("HEAD", path, handler)
        return app

    @staticmethod
    def _threaded(call: Call) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await asyncio.to_thread(call, request, await request.read())

        return handler

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except HubError as error:
            return error.response()

    @web.middleware
    async def _script(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Play the faults around the work."""
        asked = f"{request.method} {request.path}"
        self.requests.append(asked)
        fault = next((fault for fault in self._faults if fault.strikes(request)), None) or Fault("", "")
        await asyncio.sleep(self.latency_s)
        if fault.cut:
            return self._hang_up(request)
        if fault.status:
            await request.read()
            return web.json_response({"error": f"scripted {fault.status}"}, status=fault.status, headers=fault.headers)
        if fault.before:
            await asyncio.to_thread(fault.before, asked)
        try:
            return await handler(request)
        finally:
            if fault.after:
                await asyncio.to_thread(fault.after, asked)
            if fault.lose:
                self._hang_up(request)

    @staticmethod
    def _hang_up(request: web.Request) -> web.StreamResponse:
        if request.transport:
            request.transport.abort()
        return web.Response()

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._token(request) and not self._user(request) and not request.path.startswith("/xet/"):
            raise HubError(401, "Invalid credentials in Authorization header")
        return await handler(request)

    @staticmethod
    def _token(request: web.Request) -> str:
        return request.headers.get("Authorization", "").removeprefix("Bearer ")

    def _user(self, request: web.Request) -> str | None:
        return (self.tokens | READ_TOKENS).get(self._token(request))

    # Repositories

    def _whoami(self, request: web.Request, _: bytes) -> web.Response:
        if not self._user(request):
            raise HubError(401, "Invalid username or password.")
        role = "read" if self._token(request) in READ_TOKENS else "write"
        token = {"type": "access_token", "accessToken": {"displayName": "local", "role": role}}
        return web.json_response({"type": "user", "name": self._user(request), "orgs": [], "auth": token})

    def _may_write(self, request: web.Request, owner: str) -> None:
        if not self._user(request):
            raise HubError(401, "Invalid username or password.")
        if self._user(request) != owner or self._token(request) in READ_TOKENS:
            raise HubError(403, f"You don't have the rights to write to the namespace {owner!r}")

    def _named(self, request: web.Request, body: bytes) -> tuple[Path, dict[str, Any], str]:
        """Where the repo lies that a request to `/api/repos` names."""
        wanted = json.loads(body)
        owner = wanted.get("organization") or self._user(request) or "nobody"
        self._may_write(request, owner)
        kind = wanted.get("type") or "model"
        path = self.root / f"{kind}s" / owner / f"{wanted['name']}.git"
        prefix = "" if kind == "model" else f"{kind}s/"
        return path, wanted, f"{self.endpoint}/{prefix}{owner}/{wanted['name']}"

    def _create(self, request: web.Request, body: bytes) -> web.Response:
        path, wanted, url = self._named(request, body)
        if path.exists():
            error = {"error": "You already created this repo", "url": url}
            return web.json_response(error, status=409)
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        if wanted.get("type") == "space":
            Repository.create(path, private, SPACE_TEMPLATE, {"sdk": wanted["sdk"]})
        else:
            Repository.create(path, private)
        return web.json_response({"url": url, "name": f"{path.parent.name}/{path.stem}"})

    def _delete(self, request: web.Request, body: bytes) -> web.Response:
        path, _, _ = self._named(request, body)
        if not path.exists():
            raise HubError(404, "Repository not found", "RepoNotFound")
        shutil.rmtree(path)
        self._repositories.pop(path, None)
        return web.Response()

    def _validate_yaml(self, _: web.Request, body: bytes) -> web.Response:
        parts = re.split(r"^---\s*$", json.loads(body)["content"], maxsplit=2, flags=re.MULTILINE)
        try:
            yaml.safe_load(parts[1] if len(parts) == 3 else "")
        except yaml.YAMLError as error:
            return web.json_response({"errors": [{"message": str(error)}], "warnings": []}, status=400)
        return web.json_response({"errors": [], "warnings": []})

    def _repository(self, request: web.Request, write: bool = False, content: bool = False) -> Repository:
        """The repo a request names, if whoever asks may do that."""
        kind, owner = request.match_info.get("kind", "models"), request.match_info["owner"]
        repository = self.repository(f"{owner}/{request.match_info['name']}", kind)
        user = self._user(request)
        if not repository.path.exists() or (repository.settings["private"] and user != owner):
            raise HubError(404 if user else 401, "Repository not found", "RepoNotFound")
        if content and repository.settings["gated"] and user != owner:
            raise HubError(403, "Access to this repository is restricted; ask for access", "GatedRepo")
        if write:
            self._may_write(request, owner)
        return repository

    def _collection(self, request: web.Request, _: bytes) -> web.Response:
        slug = f"{request.match_info['owner']}/{request.match_info['name']}"
        if slug not in self.collections:
            raise HubError(404, "Collection not found")
        items = [{"_id": str(number), "position": number} | item for number, item in enumerate(self.collections[slug])]
        owner = {"name": request.match_info["owner"]}
        facts: dict[str, Any] = {"slug": slug, "title": "Math", "owner": owner, "items": items, "upvotes": 0}
        facts |= {"lastUpdated": "2026-01-02T03:04:05.000Z", "private": False, "position": 0, "theme": "blue"}
        return web.json_response(facts)

    def _add_item(self, request: web.Request, body: bytes) -> web.Response:
        answer = self._collection(request, b"")
        self._may_write(request, request.match_info["owner"])
        item = json.loads(body)["item"]
        items = self.collections[f"{request.match_info['owner']}/{request.match_info['name']}"]
        if item in items:
            raise HubError(409, "This item is already in the collection")
        items.append(item)
        return answer

    def _settings(self, request: web.Request, body: bytes) -> web.Response:
        repository = self._repository(request, write=True)
        wanted = json.loads(body)
        if "visibility" in wanted:
            wanted["private"] = wanted["visibility"] == "private"
        repository.settings |= {key: wanted[key] for key in ("private", "gated") if key in wanted}
        return web.json_response(repository.settings)

    # Reading

    def _info(self, request: web.Request, _: bytes) -> web.Response:
        repository = self._repository(request)
        commit = repository.resolve(request.match_info.get("revision", "main"))
        date = repository.log(commit)[0]["date"]
        owner = request.match_info["owner"]
        facts = {
            "_id": commit[:24],
            "id": f"{owner}/{request.match_info['name']}",
            "author": owner,
            "sha": commit,
            "createdAt": date,
            "lastModified": date,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": [{"rfilename": path} for path in repository.files(commit)],
        }
        return web.json_response(facts | repository.settings)

    def _refs(self, request: web.Request, _: bytes) -> web.Response:
        repository = self._repository(request)
        branches, tags = (
            [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": c} for n, c in repository.refs(kind).items()]
            for kind in ("heads", "tags")
        )
        return web.json_response({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})

    def _commits(self, request: web.Request, _: bytes) -> web.Response:
        repository = self._repository(request)
        log = repository.log(request.match_info["revision"])
        commits = [commit | {"authors": [{"user": commit["author"]}]} for commit in log]
        return self._page(request, commits)

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        start = int(request.query.get("cursor", 0))
        end = start + self.page_size
        headers = {}
        if end < len(items):
            query = urlencode(dict(request.query) | {"cursor": end})
            headers["Link"] = f'<{self.endpoint}{request.rel_url.raw_path}?{query}>; rel="next"'
        return web.json_response(items[start:end], headers=headers)

    def _tree(self, request: web.Request, _: bytes) -> web.Response:
        repository = self._repository(request)
        commit = repository.resolve(request.match_info["revision"])
        folder = request.match_info.get("path", "")
        asked = {name: request.query.get(name, "").lower() in ("true", "1") for name in ("recursive", "expand")}
        entries = repository.tree(commit, folder, asked["recursive"])
        return self._page(request, self._described(repository, commit, entries, asked["expand"]))

    def _paths_info(self, request: web.Request, body: bytes) -> web.Response:
        repository = self._repository(request)
        commit = repository.resolve(request.match_info["revision"])
        asked = self._form(request, body)
        wanted = {path.rstrip("/") for path in asked["paths"]}
        entries = [entry for entry in repository.tree(commit) if entry.path in wanted]
        return web.json_response(self._described(repository, commit, entries, asked["expand"]))

    @staticmethod
    def _form(request: web.Request, body: bytes) -> dict[str, Any]:
        """Paths come as a form or as JSON."""
        if request.content_type == "application/json":
            asked: dict[str, Any] = json.loads(body)
            return {"expand": False} | asked
        pairs = parse_qsl(body.decode())
        return {
            "paths": [value for name, value in pairs if name == "paths"],
            "expand": ("expand", "true") in [(name, value.lower()) for name, value in pairs],
        }

    def _described(
        self, repository: Repository, commit: str, entries: list[Entry], expand: bool
    ) -> list[dict[str, Any]]:
        return [self._describe(repository, commit, entry, expand) for entry in entries]

    def _describe(self, repository: Repository, commit: str, entry: Entry, expand: bool) -> dict[str, Any]:
        kind = "directory" if entry.is_folder else "file"
        facts: dict[str, Any] = {"type": kind, "oid": entry.oid, "size": entry.size, "path": entry.path}
        if pointer := entry.pointer:
            facts["size"] = pointer.size
            facts["lfs"] = {"oid": pointer.sha256, "size": pointer.size, "pointerSize": entry.size}
            if self.xet and (xet_hash := self._xet.hash_of(pointer.sha256)):
                facts["xetHash"] = xet_hash
        if expand:
            last = repository.log(commit, entry.path)[0]
            facts["lastCommit"] = {"id": last["id"], "title": last["title"], "date": last["date"]}
        return facts

    def _file(self, request: web.Request, _: bytes) -> web.Response:
        repository = self._repository(request, content=True)
        commit = repository.resolve(request.match_info["revision"])
        headers = {"X-Repo-Commit": commit}
        entry = repository.files(commit).get(request.match_info["path"])
        if not entry:
            error = HubError(404, "Entry not found", "EntryNotFound").response()
            error.headers.update(headers)
            return error
        if not entry.pointer:
            return _content(request, repository.blob(entry.oid), headers | {"ETag": f'"{entry.oid}"'})
        pointer = entry.pointer
        headers |= {"X-Linked-Etag": f'"{pointer.sha256}"', "X-Linked-Size": str(pointer.size)}
        if self.xet and (xet_hash := self._xet.hash_of(pointer.sha256)):
            repo = f"/api/{request.match_info.get('kind', 'models')}/{request.match_info['owner']}"
            route = f"{self.endpoint}{repo}/{request.match_info['name']}/xet-read-token/{commit}"
            headers |= {"X-Xet-Hash": xet_hash, "Link": f'<{route}>; rel="xet-auth"'}
        # Another host, as the Hub's storage is: clients keep the token to themselves and follow with what they know.
        storage = self.endpoint.replace("127.0.0.1", "localhost")
        headers["Location"] = f"{storage}/lfs/{self._signature}/{pointer.sha256}"
        return web.Response(status=302, headers=headers)

    def _get_object(self, request: web.Request, _: bytes) -> web.Response:
        if self._token(request):
            raise HubError(400, "the token was sent to the storage, whose addresses are signed")
        sha256 = request.match_info["sha256"]
        return _content(request, self.objects.read(sha256), {"ETag": f'"{sha256}"'})

    # Writing

    def _preupload(self, request: web.Request, body: bytes) -> web.Response:
        repository = self._repository(request, write=True)
        there = repository.files(repository.resolve(request.match_info["revision"]))
        answers = []
        for file in json.loads(body)["files"]:
            large = file["path"].endswith(LFS_SUFFIXES) or file["size"] > LARGEST_REGULAR_FILE
            answer = {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if old := there.get(file["path"]):
                answer["oid"] = old.pointer.sha256 if old.pointer else old.oid
            answers.append(answer)
        return web.json_response({"files": answers})

    def _lfs_batch(self, request: web.Request, body: bytes) -> web.Response:
        self._repository(request, write=True)
        asked = json.loads(body)["objects"]
        return web.json_response({"transfer": "basic", "objects": [self._upload(wanted) for wanted in asked]})

    def _upload(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """How to upload an object that is not there yet."""
        sha256, size = str(wanted["oid"]), int(wanted["size"])
        lfs = f"{self.endpoint}/lfs/{self._signature}"
        if sha256 in self.objects:
            return wanted
        upload: dict[str, Any] = {"href": f"{lfs}/{sha256}"}
        if self.part_size:
            parts = range(1, -(-size // self.part_size) + 1)
            urls = {str(part): f"{lfs}/parts/{sha256}/{part}" for part in parts}
            upload = {"href": f"{lfs}/parts/{sha256}", "header": {"chunk_size": str(self.part_size)} | urls}
        return wanted | {"actions": {"upload": upload, "verify": {"href": f"{lfs}/verify"}}}

    def _put_object(self, request: web.Request, body: bytes) -> web.Response:
        if self.objects.add(body) != request.match_info["sha256"]:
            raise HubError(400, "the content is not what its name says")
        return web.Response()

    def _put_part(self, request: web.Request, body: bytes) -> web.Response:
        folder = self.root / "parts" / request.match_info["sha256"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / request.match_info["part"]).write_bytes(body)
        return web.Response(headers={"ETag": hashlib.md5(body).hexdigest()})

    def _join_parts(self, request: web.Request, body: bytes) -> web.Response:
        sha256 = request.match_info["sha256"]
        folder = self.root / "parts" / sha256
        parts = [str(part["partNumber"]) for part in json.loads(body)["parts"]]
        if self.objects.add(b"".join((folder / part).read_bytes() for part in parts)) != sha256:
            raise HubError(400, "the content is not what its name says")
        shutil.rmtree(folder)
        return web.Response()

    def _verify_object(self, _: web.Request, body: bytes) -> web.Response:
        if json.loads(body)["oid"] not in self.objects:
            raise HubError(404, "object not found")
        return web.Response()

    def _commit(self, request: web.Request, body: bytes) -> web.Response:
        repository = self._repository(request, write=True)
        if request.match_info["revision"] != "main":
            raise HubError(404, "only main can be committed to", "RevisionNotFound")
        head = repository.resolve("main")
        added: list[tuple[str, bytes]] = []
        deleted: list[str] = []
        header, *operations = map(json.loads, body.splitlines())
        if header["value"].get("parentCommit", head) != head:
            raise HubError(412, "A commit has happened since. Please refresh and try again.")
        for operation in operations:
            value = operation["value"]
            match operation["key"]:
                case "file" | "lfsFile" if value["path"] in self.left_out:
                    self.left_out.discard(value["path"])
                case "file":
                    added.append((value["path"], base64.b64decode(value["content"])))
                case "lfsFile":
                    added.append((value["path"], self._pointer(value).text()))
                case "deletedFile" | "deletedFolder":
                    deleted += self._deleted(repository, head, value["path"])
        message = f"{header['value']['summary']}\n\n{header['value'].get('description', '')}"
        commit = repository.commit(head, added, deleted, message, str(self._user(request)))
        path = request.path.removeprefix("/api/").removeprefix("models/").removesuffix("/commit/main")
        url = f"{self.endpoint}/{path}/commit/{commit}"
        return web.json_response({"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""})

    def _pointer(self, value: dict[str, Any]) -> Pointer:
        if value["oid"] not in self.objects:
            raise HubError(400, "LFS pointer pointed to a file that does not exist")
        return Pointer(value["oid"], len(self.objects.read(value["oid"])))

    @staticmethod
    def _deleted(repository: Repository, head: str, path: str) -> list[str]:
        """The file of this name, or all files of the folder of this name."""
        deleted = [file for file in repository.files(head) if file == path or file.startswith(path.rstrip("/") + "/")]
        if not deleted:
            raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
        return deleted

    def _create_tag(self, request: web.Request, body: bytes) -> web.Response:
        repository = self._repository(request, write=True)
        commit = repository.resolve(request.match_info["revision"])
        try:
            repository.git("update-ref", f"refs/tags/{json.loads(body)['tag']}", commit, NO_OBJECT)
        except subprocess.CalledProcessError:
            raise HubError(409, "Tag reference exists already") from None
        return web.Response()

    def _delete_tag(self, request: web.Request, _: bytes) -> web.Response:
        repository = self._repository(request, write=True)
        tag = request.match_info["revision"]
        if tag not in repository.refs("tags"):
            raise HubError(404, "Tag not found", "RevisionNotFound")
        repository.git("update-ref", "-d", f"refs/tags/{tag}")
        return web.Response()

    # Xet

    def _xet_token(self, request: web.Request, _: bytes) -> web.Response:
        self._repository(request, write=request.match_info["access"] == "write", content=True)
        if not self.xet:
            raise HubError(404, "this Hub has no xet storage")
        expires = int(time.time()) + 3600
        facts = {"casUrl": f"{self.endpoint}/xet/{self._signature}", "exp": expires, "accessToken": "xet"}
        headers = {"X-Xet-Cas-Url": facts["casUrl"], "X-Xet-Access-Token": "xet", "X-Xet-Token-Expiration": expires}
        return web.json_response(facts, headers={name: str(value) for name, value in headers.items()})

    def _put_xorb(self, request: web.Request, body: bytes) -> web.Response:
        self._xet.add_xorb(request.match_info["xorb"], body)
        return web.json_response({"was_inserted": True})

    def _put_shard(self, _: web.Request, body: bytes) -> web.Response:
        self._xet.add_shard(body)
        return web.json_response({"result": 1})

    def _reconstruction(self, request: web.Request, _: bytes) -> web.Response:
        address = f"{self.endpoint}/xet/{self._signature}"
        name = request.match_info["file"]
        return web.json_response(self._xet.reconstruction(name, request.http_range, address))

    def _get_xorb(self, request: web.Request, _: bytes) -> web.Response:
        return _content(request, self._xet.xorb(request.match_info["xorb"]), {})


def _content(request: web.Request, content: bytes, headers: dict[str, str]) -> web.Response:
    """The content, or the range of it that was asked for."""
    headers = headers | {"Accept-Ranges": "bytes"}
    asked = request.http_range
    if asked.start is None and asked.stop is None:
        return web.Response(body=content, headers=headers)
    start, stop, _ = asked.indices(len(content))
    if start >= len(content):
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return web.Response(status=206, body=content[start:stop], headers=headers)


async def _serve(hub: LocalHub, port: int, ready: Callable[[], object], stop: asyncio.Event) -> None:
    runner = web.AppRunner(hub.application(), access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        hub.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready()
        await stop.wait()
    finally:
        await runner.cleanup()


@contextmanager
def local_hub(root: Path, **options: Any) -> Iterator[LocalHub]:
    """A local Hub in a thread, for as long as the context lasts."""
    hub = LocalHub(root, **options)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def serve() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(_serve(hub, 0, started.set, stop))

    thread = threading.Thread(target=serve, name="local-hub")
    thread.start()
    assert started.wait(60), "the local Hub does not start"
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def _pair(text: str) -> tuple[str, str]:
    token, _, user = text.partition("=")
    return token, user


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", type=_pair, action="append", help="TOKEN=USER")
    parser.add_argument("--no-xet", action="store_true", help="then clients need HF_HUB_DISABLE_XET=1")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument(
        "--fault",
        nargs=4,
        action="append",
        default=[],
        metavar=("METHOD", "PATH", "STATUS", "TIMES"),
        help="answer the next TIMES requests that match with STATUS; `lose` and `cut` are statuses, too",
    )
    options = parser.parse_args()
    hub = LocalHub(options.root, dict(options.token) if options.token else None, xet=not options.no_xet)
    hub.latency_s = options.latency
    for method, path, status, times in options.fault:
        if status in ("lose", "cut"):
            getattr(hub, status)(method, path, int(times))
        else:
            hub.answer(method, path, int(status), int(times))
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(hub, options.port, lambda: print(hub.endpoint, flush=True), asyncio.Event()))
