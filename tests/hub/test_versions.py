"""Publishing against a real server with real git: the whole protocol, whatever goes wrong on the way."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants

from personamath.errors import BadInput
from personamath_hub.versions import failures
from personamath_hub.versions.publish import PublishedVersion, plan_version, publish_version
from personamath_hub.versions.revisions import PublishError, resolve, versions
from personamath_hub.versions.tree import Difference
from tests.support.local_hub import FOR_EVER, LocalHub

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]

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


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is well again at once."""
    monkeypatch.setattr(failures, "FIRST_WAIT_S", 0.02)


_names = itertools.count()


@pytest.fixture
def repo() -> str:
    return f"alice/data-{next(_names)}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Write a folder of its own for these files."""
    folders = itertools.count()

    def write(files: Files) -> Path:
        folder = tmp_path / f"folder-{next(folders)}"
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder

    return write


Write = Callable[[Files], Path]


def publish(
    folder: Path, repo: str, version: str, api: HfApi, kind: Kind = "dataset", private: bool = False
) -> PublishedVersion:
    return publish_version(folder, repo, version, repo_type=kind, message="math", private=private, api=api)


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


@pytest.mark.parametrize("disable_xet", [True, False], ids=["lfs", "xet"])
@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_a_folder_becomes_one_commit_and_one_tag(
    hub: LocalHub,
    api: HfApi,
    repo: str,
    write: Write,
    kind: Kind,
    disable_xet: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", disable_xet)
    large = {"large.bin": repo.encode() + random.Random(0).randbytes(300_000)}
    folder = write(FIRST | large)
    first = publish(folder, repo, "v1.0.0", api, kind)
    place = "datasets/" if kind == "dataset" else ""
    url = f"{hub.endpoint}/{place}{repo}/tree/v1.0.0"
    assert first == PublishedVersion(repo, "v1.0.0", hub.repository(repo, f"{kind}s").resolve("main"), url, True)
    assert bool(hub.asked("POST", "/xorbs/")) is not disable_xet and bool(hub.asked("PUT", "/lfs/")) is disable_xet

    second = publish(write(SECOND | large), repo, "v1.1.0", api, kind)
    assert titles(hub, repo, f"{kind}s") == ["v1.1.0: math", "v1.0.0: math", "initial commit"]
    assert content(hub, repo, "v1.0.0", f"{kind}s") == FIRST | large
    assert content(hub, repo, "v1.1.0", f"{kind}s") == content(hub, repo, "main", f"{kind}s") == SECOND | large
    dropped = api.hf_hub_download(
        repo, "stage2/train-00000-of-00001.parquet", repo_type=kind, revision="v1.0.0", cache_dir=tmp_path
    )
    assert Path(dropped).read_bytes() == FIRST["stage2/train-00000-of-00001.parquet"]

    hub.heal()
    assert publish(folder, repo, "v1.0.0", api, kind).created is False
    assert not [request for request in hub.requests if not request.startswith("GET ")]
    assert versions(repo, repo_type=kind, api=api) == ["v1.0.0", "v1.1.0"]
    assert resolve(repo, "v1.1.0", repo_type=kind, api=api).resolved == second.commit


def test_a_version_does_not_change(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    hub.heal()
    with pytest.raises(PublishError) as refused:
        publish(write(SECOND), repo, "v1.0.0", api)
    assert str(refused.value) == (
        f"{repo} v1.0.0 is not published: the Hub already has this version with other content, and versions do not "
        "change; the folder has 2 added (provenance.json/recipe.json, stage3/train-00000-of-00001.parquet); "
        "2 changed (README.md, stage1/train-00000-of-00001.parquet); "
        "2 removed (provenance.json, stage2/train-00000-of-00001.parquet): choose another version"
    )
    assert not [request for request in hub.requests if not request.startswith("GET ")]
    assert content(hub, repo, "main") == content(hub, repo, "v1.0.0") == FIRST


def test_the_same_content_under_a_new_version_needs_a_tag_only(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    first = publish(write(FIRST), repo, "v1.0.0", api)
    again = publish(write(FIRST), repo, "v1.0.1", api)
    assert again.created and again.commit == first.commit and hub.asked("POST", "/commit/") == 1


def test_going_back_to_earlier_content_is_a_commit_of_its_own(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    for version, files in (("v1.0.0", FIRST), ("v1.1.0", SECOND), ("v1.2.0", FIRST)):
        publish(write(files), repo, version, api)
    assert content(hub, repo, "main") == FIRST and len(titles(hub, repo)) == 4


def test_a_plan_says_what_would_happen_and_does_nothing(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    folder = write(FIRST)
    new = plan_version(folder, repo, "v1.0.0", repo_type="dataset", api=api)
    assert new.tagged is new.head is None and new.difference == Difference(tuple(sorted(FIRST)), (), ())
    assert versions(repo, repo_type="dataset", api=api) == []
    published = publish(folder, repo, "v1.0.0", api)
    hub.heal()
    done = plan_version(folder, repo, "v1.0.0", repo_type="dataset", api=api)
    assert done.tagged == done.head == published.commit and not done.difference and str(done.difference) == "nothing"
    following = plan_version(write(SECOND), repo, "v1.1.0", repo_type="dataset", api=api)
    assert following.tagged is None and following.head == published.commit
    assert following.difference.removed == ("provenance.json", "stage2/train-00000-of-00001.parquet")
    assert not [request for request in hub.requests if not request.startswith("GET ")]


def test_versions_are_ordered_by_number(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    for version in ("v1.10.0", "v1.9.0", "v0.1.0", "v2.0.0"):
        publish(write(FIRST), repo, version, api)
    api.create_tag(repo, tag="draft", repo_type="dataset")
    assert versions(repo, repo_type="dataset", api=api) == ["v0.1.0", "v1.9.0", "v1.10.0", "v2.0.0"]


# What strikes once, and is survived: method, path, what happens.
PASSING: list[tuple[str, str, str]] = [
    ("POST", "/repos/create", "409 500 503 cut lose"),
    ("GET", "/refs", "429 500 503 cut lose"),
    ("GET", "/tree/", "503 cut"),
    ("GET", "/commits/", "503 lose"),
    ("POST", "/validate-yaml", "502 cut"),
    ("POST", "/preupload/", "503"),
    ("POST", "/objects/batch", "500"),
    ("PUT", "/lfs/", "503 cut lose 403"),
    ("POST", "/verify", "404"),
    ("POST", "/commit/", "409 412 429 500 502 503 504 cut lose"),
    ("GET", "/resolve/", "429 503 404 lose"),
    ("POST", "/tag/", "409 429 500 503 cut lose"),
]


@pytest.mark.parametrize(
    ("method", "path", "fault"), [(method, path, fault) for method, path, many in PASSING for fault in many.split()]
)
def test_what_passes_is_survived_with_one_commit(
    hub: LocalHub, api: HfApi, repo: str, write: Write, method: str, path: str, fault: str
) -> None:
    if path == "/tree/":
        publish(write(SECOND), repo, "v0.1.0", api)  # of a new repository there is no tree to read before the commit
    before = len(titles(hub, repo)) if path == "/tree/" else 1
    if fault in ("cut", "lose"):
        getattr(hub, fault)(method, path)
    else:
        hub.answer(method, path, int(fault), Retry_After="0")
    published = publish(write(FIRST), repo, "v1.0.0", api)
    assert published.created
    assert len(titles(hub, repo)) == before + 1
    assert hub.repository(repo).refs("tags")["v1.0.0"] == published.commit
    assert content(hub, repo, "v1.0.0") == content(hub, repo, "main") == FIRST
    assert is_sound(hub, repo)


@pytest.mark.parametrize(
    ("moment", "method", "path", "disable_xet"),
    [
        ("after", "PUT", "/lfs/", True),
        ("before", "POST", "/commit/", True),
        ("after", "POST", "/commit/", True),
        ("before", "POST", "/commit/", False),
        ("after", "POST", "/commit/", False),
    ],
)
def test_a_large_file_that_the_hub_loses_is_sent_again(
    hub: LocalHub,
    api: HfApi,
    repo: str,
    write: Write,
    moment: str,
    method: str,
    path: str,
    disable_xet: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", disable_xet)
    getattr(hub, moment)(method, path, lambda _: hub.lose_objects())
    publish(write(FIRST), repo, "v1.0.0", api)
    assert content(hub, repo, "v1.0.0") == FIRST and len(titles(hub, repo)) == 2


@pytest.mark.parametrize("path", ["/xet-write-token/", "/v1/xorbs/", "/v1/shards"])
def test_an_upload_by_xet_that_fails_is_repeated(
    hub: LocalHub, api: HfApi, repo: str, write: Write, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub.answer("GET|POST", path, 400)
    files = FIRST | {"large.bin": repo.encode() * 10_000}
    publish(write(files), repo, "v1.0.0", api)
    assert content(hub, repo, "v1.0.0") == files and len(titles(hub, repo)) == 2


def test_a_large_file_lost_later_comes_back_with_the_same_command(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    hub.lose_objects()
    assert publish(write(FIRST), repo, "v1.0.0", api).created is False
    assert content(hub, repo, "v1.0.0") == FIRST and len(titles(hub, repo)) == 2


@pytest.mark.parametrize("headers", [{"Retry_After": "1"}, {"RateLimit": '"api";r=0;t=1'}], ids=str)
def test_the_pause_that_the_hub_asks_for_is_kept(
    hub: LocalHub, api: HfApi, repo: str, write: Write, headers: dict[str, str]
) -> None:
    hub.answer("POST", "/commit/", 429, 1, **headers)
    started = time.monotonic()
    publish(write(FIRST), repo, "v1.0.0", api)
    assert time.monotonic() - started > 1


# Two publishers


def test_another_version_published_meanwhile_stays_whole(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    other = write(SECOND)
    publish(write(FIRST), repo, "v1.0.0", api)
    third = {"README.md": CARD, "only.parquet": b"PAR1 only"}
    hub.before("POST", "/commit/", lambda _: publish(other, repo, "v1.1.0", api))
    publish(write(third), repo, "v1.2.0", api)
    assert content(hub, repo, "v1.1.0") == SECOND
    assert content(hub, repo, "v1.2.0") == content(hub, repo, "main") == third
    assert titles(hub, repo) == ["v1.2.0: math", "v1.1.0: math", "v1.0.0: math", "initial commit"]


@pytest.mark.parametrize("path", ["/commit/", "/tag/"])
def test_the_same_version_published_meanwhile(hub: LocalHub, api: HfApi, repo: str, write: Write, path: str) -> None:
    same, other = write(FIRST), write(SECOND)
    hub.before("POST", path, lambda _: publish(same, repo, "v1.0.0", api))
    published = publish(same, repo, "v1.0.0", api)
    assert hub.repository(repo).refs("tags") == {"v1.0.0": published.commit} and len(titles(hub, repo)) == 2

    hub.before("POST", path, lambda _: publish(other, repo, "v1.1.0", api))
    with pytest.raises(PublishError, match=r"v1.1.0 is not published: the Hub already has this version"):
        publish(write(FIRST | {"more.txt": b"more"}), repo, "v1.1.0", api)
    assert content(hub, repo, "v1.1.0") == SECOND and is_sound(hub, repo)


def test_a_lost_commit_is_found_under_somebody_elses(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    """The response is lost, and another version is on main when we look again."""
    folder, other = write(FIRST), write(SECOND)
    hub.lose("POST", "/commit/", after=lambda _: publish(other, repo, "v1.1.0", api))
    publish(folder, repo, "v1.0.0", api)
    assert titles(hub, repo) == ["v1.1.0: math", "v1.0.0: math", "initial commit"]
    assert (content(hub, repo, "v1.0.0"), content(hub, repo, "v1.1.0")) == (FIRST, SECOND)


@pytest.mark.parametrize(
    ("method", "path", "code"), [("POST", "/commit/", "EntryNotFound"), ("GET", "/tree/", "RevisionNotFound")]
)
def test_what_somebody_deleted_or_is_not_seen_yet_is_looked_for_again(
    hub: LocalHub, api: HfApi, repo: str, write: Write, method: str, path: str, code: str
) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    hub.answer(method, path, 404, X_Error_Code=code)
    publish(write(SECOND), repo, "v1.1.0", api)
    assert content(hub, repo, "main") == SECOND and len(titles(hub, repo)) == 3


def test_many_publishers_at_once_give_whole_versions(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    folders = {f"v1.{n}.0": write({"README.md": CARD, f"{n}.parquet": b"PAR1 %d" % n}) for n in range(4)}
    with ThreadPoolExecutor(4) as pool:
        published = list(pool.map(lambda version: publish(folders[version], repo, version, api), folders))
    for n, version in enumerate(folders):
        assert content(hub, repo, version) == {"README.md": CARD, f"{n}.parquet": b"PAR1 %d" % n}
    assert {version.commit for version in published} == set(hub.repository(repo).refs("tags").values())
    assert len(titles(hub, repo)) == 5 and is_sound(hub, repo)


def test_a_reader_never_sees_a_mixture(hub: LocalHub, api: HfApi, repo: str, write: Write, tmp_path: Path) -> None:
    known = [FIRST, SECOND, FIRST | {"more.parquet": b"PAR1 more"}, {"README.md": CARD}]
    publish(write(known[0]), repo, "v1.0.0", api)
    pinned, done, seen = hub.repository(repo).resolve("v1.0.0"), threading.Event(), list[int]()

    def read() -> None:
        while not done.is_set():
            folder = Path(api.snapshot_download(repo, repo_type="dataset", cache_dir=tmp_path / "cache"))
            files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
            files.pop(".gitattributes")
            seen.append(known.index({name: path.read_bytes() for name, path in files.items()}))
            assert api.repo_info(repo, repo_type="dataset", revision="v1.0.0").sha == pinned

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for n, files in enumerate(known[1:], start=1):
            publish(write(files), repo, f"v1.{n}.0", api)
        done.set()
        for reader in readers:
            reader.result()
    assert len(set(seen)) > 1


# Killed

PUBLISHER = """
import sys
from pathlib import Path
from personamath_hub.versions.publish import publish_version
folder, repo, version = sys.argv[1:]
print(publish_version(Path(folder), repo, version, repo_type="dataset", message="math").commit)
"""


def environment(hub: LocalHub, **more: str) -> dict[str, str]:
    """A publisher's own: all that it knows of the Hub and the token comes from here."""
    names = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_alice", "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    return os.environ | names | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"} | more


def publisher(hub: LocalHub, folder: Path, repo: str, version: str, **more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PUBLISHER, str(folder), repo, version]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(hub, **more), stdout=pipe, stderr=pipe, text=True)


def killed_at(hub: LocalHub, folder: Path, repo: str, moment: str, number: int) -> bool:
    """Kill a publisher right before or after the server does the work of its request of this number."""
    counter = itertools.count(1)
    started = threading.Event()
    process: subprocess.Popen[str]

    def strike(_: str) -> None:
        if next(counter) == number:
            started.wait(10)
            process.kill()
            process.wait()

    getattr(hub, moment)("GET|POST|PUT", "", strike, times=FOR_EVER)
    with publisher(hub, folder, repo, "v1.0.0") as process:
        started.set()
        process.communicate()
    hub.heal()
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_request_the_same_command_completes_it(
    hub: LocalHub, api: HfApi, write: Write, moment: str
) -> None:
    folder = write(FIRST)
    for number in itertools.count(1):
        repo = f"alice/killed-{moment}-{number}"
        was_killed = killed_at(hub, folder, repo, moment, number)
        if number % 3 == 0:
            hub.lose_objects()
        publish(folder, repo, "v1.0.0", api)
        assert titles(hub, repo) == ["v1.0.0: math", "initial commit"]
        assert content(hub, repo, "v1.0.0") == FIRST and is_sound(hub, repo)
        if not was_killed:
            break
    assert number > 12


def test_killed_at_random_moments_the_same_command_completes_it(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    """The second version, by xet, over and over until one of the publishers comes through."""
    publish(write(FIRST), repo, "v1.0.0", api)
    folder, rng = write(SECOND), random.Random(0)
    hub.latency_s = 0.01
    for patience in (rng.uniform(0.3, 0.8) for _ in range(6)):
        with publisher(hub, folder, repo, "v1.1.0", HF_HUB_DISABLE_XET="0") as process:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
    hub.heal()
    publish(folder, repo, "v1.1.0", api)
    assert titles(hub, repo) == ["v1.1.0: math", "v1.0.0: math", "initial commit"]
    assert (content(hub, repo, "v1.0.0"), content(hub, repo, "v1.1.0")) == (FIRST, SECOND)


# What others put on main

THEIRS: Files = {"LICENSE": b"MIT", "figures/own.png": b"\x89PNG theirs", "large.bin": b"theirs" * 2_000_000}


def by_hand(api: HfApi, repo: str, files: Files) -> None:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(repo, operations, commit_message="Add files", repo_type="dataset")


def test_files_of_others_are_named_and_kept_through_every_later_version(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    by_hand(api, repo, THEIRS)
    plan = plan_version(write(SECOND), repo, "v1.1.0", repo_type="dataset", api=api)
    assert plan.left == tuple(sorted(THEIRS)) and plan.replaced == ()
    assert plan.difference.removed == ("provenance.json", "stage2/train-00000-of-00001.parquet")
    assert "On main by others, and kept: LICENSE, figures/own.png, large.bin" in plan.describe(write(SECOND))

    second = write(SECOND)
    publish(second, repo, "v1.1.0", api)
    assert content(hub, repo, "v1.1.0") == content(hub, repo, "main") == SECOND | THEIRS
    hub.heal()
    assert publish(second, repo, "v1.1.0", api).created is False  # the same command again
    assert not [request for request in hub.requests if not request.startswith("GET ")]
    publish(write(FIRST), repo, "v1.2.0", api)
    assert content(hub, repo, "main") == FIRST | THEIRS
    api.delete_file("LICENSE", repo, repo_type="dataset")
    newer = {"figures/own.png": b"\x89PNG theirs, newer"}
    by_hand(api, repo, newer)
    later = {path: content for path, content in (THEIRS | newer).items() if path != "LICENSE"}
    same = publish(write(FIRST), repo, "v1.2.1", api)
    assert same.commit == hub.repository(repo).resolve("main") and hub.asked("POST", "/tag/") == 2
    assert publish(write(FIRST), repo, "v1.2.1", api).created is False
    publish(write(SECOND), repo, "v1.3.0", api)
    assert content(hub, repo, "main") == SECOND | later


@pytest.mark.parametrize("first", [True, False], ids=["a new repository", "after a version"])
def test_an_edited_card_is_not_replaced_unless_asked_for(
    hub: LocalHub, api: HfApi, repo: str, write: Write, first: bool
) -> None:
    if first:
        api.create_repo(repo, repo_type="dataset")
    else:
        publish(write(FIRST), repo, "v0.1.0", api)
    edited = {"README.md": CARD + b"How to use it.\n", "notes.txt": b"mine"}
    by_hand(api, repo, edited)
    folder = write(SECOND)
    plan = plan_version(folder, repo, "v1.0.0", repo_type="dataset", api=api)
    assert (plan.left, plan.replaced) == (("notes.txt",), ("README.md",))
    assert "On main by others, and lost with this version: README.md" in plan.describe(folder)
    before = content(hub, repo, "main")
    hub.heal()
    with pytest.raises(PublishError, match=r"others changed README.md on main, .* publish with --replace-others$"):
        publish(folder, repo, "v1.0.0", api)
    assert not [request for request in hub.requests if not request.startswith("GET ")]
    assert content(hub, repo, "main") == before

    named: list[list[str]] = []
    publish_version(
        *(folder, repo, "v1.0.0"),
        repo_type="dataset",
        message="math",
        api=api,
        replace_others=True,
        before_upload=lambda plan: named.append(plan.notes()),
    )
    assert named == [["On main by others, and lost with this version: README.md, notes.txt"]]
    assert content(hub, repo, "main") == content(hub, repo, "v1.0.0") == SECOND


def test_a_file_that_others_restored_as_we_had_it_is_ours(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    by_hand(api, repo, {"README.md": b"# Theirs"})
    by_hand(api, repo, {"README.md": FIRST["README.md"]})
    publish(write(SECOND), repo, "v1.1.0", api)
    assert content(hub, repo, "main") == SECOND


# Refusals


def test_endpoint_and_token_come_from_the_environment(hub: LocalHub, repo: str, write: Write) -> None:
    with publisher(hub, write(FIRST), repo, "v1.0.0") as process:
        commit, _ = process.communicate()
    assert hub.repository(repo).refs("tags") == {"v1.0.0": commit.strip()}
    with publisher(hub, write(FIRST), repo, "v1.0.0", HF_TOKEN="") as process:
        _, stderr = process.communicate()
    remedy = f"there is no token: set HF_TOKEN to a write token from {hub.endpoint}/settings/tokens"
    assert stderr.strip().endswith(f"{repo} v1.0.0 is not published: {remedy}")


REFUSED: list[tuple[str, str, str, str]] = [
    ("hf_stranger", "alice/x", "v1.0.0", "the Hub does not accept the token: set HF_TOKEN to a write token from"),
    ("hf_bob", "alice/new", "v1.0.0", "this token may not write for alice: use your own namespace"),
    ("hf_bob", "alice/public", "v1.1.0", "this token may not write for alice"),
    ("hf_bob", "alice/private", "v1.0.0", "this token may not write for alice"),
    ("hf_alice_read", "alice/public", "v1.1.0", "this token may not write for alice"),
    ("hf_alice", "alice/a--b", "v1.0.0", "Cannot have -- or .. in repo_id"),
]


@pytest.mark.parametrize(("token", "repo_id", "version", "reason"), REFUSED)
def test_refusals_are_one_line_with_the_remedy(
    hub: LocalHub, api: HfApi, write: Write, token: str, repo_id: str, version: str, reason: str
) -> None:
    for name, private in (("alice/public", False), ("alice/private", True)):
        publish(write(SECOND), name, "v1.0.0", api, private=private)
    with pytest.raises(PublishError) as refused:
        publish(write(FIRST), repo_id, version, HfApi(endpoint=hub.endpoint, token=token))
    line = str(refused.value)
    assert line.startswith(f"{repo_id} {version} is not published: {reason}") and "\n" not in line and token not in line
    assert content(hub, "alice/public", "main") == content(hub, "alice/private", "main") == SECOND


def test_a_private_version_is_private(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    bob = HfApi(endpoint=hub.endpoint, token="hf_bob")
    publish(write(FIRST), repo, "v1.0.0", api, private=True)
    assert versions(repo, repo_type="dataset", api=bob) == []
    with pytest.raises(PublishError, match="does not exist, or is private and hidden from this token"):
        resolve(repo, "v1.0.0", repo_type="dataset", api=bob)
    assert publish(write(SECOND), repo, "v1.1.0", api).created  # stays private
    api.update_repo_settings(repo, repo_type="dataset", private=False)
    with pytest.raises(PublishError, match="the repository is public: make it private in its settings"):
        publish(write(FIRST), repo, "v1.2.0", api, private=True)
    assert content(hub, repo, "main") == SECOND


def test_a_gated_repository_and_an_unknown_revision_are_named(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    with pytest.raises(PublishError, match=f"^cannot read {repo}: {repo} has no such revision$"):
        resolve(repo, "v9.9.9", repo_type="dataset", api=api)
    hub.answer("GET", "/refs", 403, X_Error_Code="GatedRepo")
    with pytest.raises(PublishError, match=f"access to {repo} is restricted: request it at {hub.endpoint}"):
        versions(repo, repo_type="dataset", api=api)


def test_an_endpoint_that_nobody_listens_at_is_said_at_once(repo: str, write: Write, hub: LocalHub) -> None:
    nowhere = HfApi(endpoint="http://127.0.0.1:9", token="hf_alice")
    with pytest.raises(PublishError, match=r"cannot reach http://127.0.0.1:9 \(.*refused\): check the network and HF_"):
        publish(write(FIRST), repo, "v1.0.0", nowhere)


def test_offline_mode_is_named(api: HfApi, repo: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match="unset HF_HUB_OFFLINE"):
        publish(write(FIRST), repo, "v1.0.0", api)


def test_a_hub_without_xet_is_named(
    hub: LocalHub, api: HfApi, repo: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """huggingface_hub 2.4 does not fall back on LFS by itself."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub.xet = False
    with pytest.raises(PublishError, match=f"{hub.endpoint} has no xet storage: set HF_HUB_DISABLE_XET=1"):
        publish(write(FIRST), repo, "v1.0.0", api)


def test_a_hub_that_goes_on_failing_is_given_up(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    folder = write(FIRST)
    hub.answer("POST", "/commit/", 503, times=FOR_EVER)
    with pytest.raises(PublishError, match="the Hub answered 503: run the same command again later"):
        publish(folder, repo, "v1.0.0", api)
    assert hub.asked("POST", "/commit/") == 8
    hub.heal()
    hub.answer("POST", "/commit/", 429, Retry_After="3600")
    with pytest.raises(PublishError, match="the Hub answered 429"):
        publish(folder, repo, "v1.0.0", api)
    assert hub.asked("POST", "/commit/") == 1
    publish(folder, repo, "v1.0.0", api)


@pytest.mark.parametrize("version", ["1.0.0", "v1.0", "v1.0.0-rc1", "v01.0.0", "main", "v1.0.0\n", ""])
def test_versions_have_one_form(version: str, write: Write) -> None:
    with pytest.raises(BadInput, match="is not a version: write it as vMAJOR"):
        publish_version(write(FIRST), "alice/x", version, repo_type="dataset", message="math")


@pytest.mark.parametrize("repo_id", ["x", "", "/x", "alice/", "alice/a b", "alice/x\n", "alice/a/b"])
def test_repositories_are_named_with_their_owner(repo_id: str, api: HfApi, write: Write) -> None:
    with pytest.raises(BadInput, match="write it as OWNER/NAME, "):
        publish_version(write(FIRST), repo_id, "v1.0.0", repo_type="dataset", message="math", api=api)
    with pytest.raises(BadInput, match="write it as OWNER/NAME"):
        plan_version(write(FIRST), repo_id, "v1.0.0", repo_type="dataset", api=api)


def test_folders_that_cannot_be_published(api: HfApi, repo: str, write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, reason in (
        (tmp_path / "empty", "contains no files"),
        (tmp_path / "missing", "cannot read .*missing: No such file"),
        (write({".git/HEAD": b"ref"}), r"\.git cannot be published: remove it"),
        (write({"a/.gitignore": b"*"}), r"\.gitignore cannot be published"),
    ):
        with pytest.raises(BadInput, match=reason):
            publish(folder, repo, "v1.0.0", api)


def test_a_gitignore_in_the_repository_is_refused(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    ignoring = CommitOperationAdd(".gitignore", b"*.parquet")
    api.create_commit(repo, [ignoring], commit_message="by hand", repo_type="dataset")
    with pytest.raises(PublishError, match=r"the repository has a .gitignore: delete it there first"):
        publish(write(SECOND), repo, "v1.1.0", api)


def test_a_card_that_the_hub_refuses_is_one_line(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    with pytest.raises(PublishError, match=r"Invalid metadata in README.md. - while parsing a flow sequence"):
        publish(write(FIRST | {"README.md": b"---\nlicense: [mit\n---\n"}), repo, "v1.0.0", api)
    assert not hub.asked("PUT", "/lfs/") and titles(hub, repo) == ["initial commit"]


def test_a_folder_that_changes_while_it_is_published_is_not_tagged(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    folder = write(FIRST)
    hub.before("POST", "/validate-yaml", lambda _: (folder / "provenance.json").write_bytes(b"changed"))
    with pytest.raises(PublishError, match="the folder changed while it was published: run the same command again"):
        publish(folder, repo, "v1.0.0", api)
    assert not hub.repository(repo).refs("tags")
    publish(folder, repo, "v1.0.0", api)
    assert content(hub, repo, "v1.0.0") == FIRST | {"provenance.json": b"changed"}
