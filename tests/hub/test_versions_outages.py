"""What the Hub and the network do wrong, and what is survived."""

import json
import time

import httpx2
import pytest
from huggingface_hub import HfApi, constants

from personamath_hub.versions.failures import Incomplete, explain
from personamath_hub.versions.revisions import PublishError
from tests.support.local_hub import FOR_EVER, LocalHub
from tests.support.versions import FIRST, SECOND, Write, content, is_sound, publish, titles

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]


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
    files = FIRST | {"own.bin": repo.encode()}  # no other test has uploaded it
    published = publish(write(files), repo, "v1.0.0", api)
    assert published.created and not hub.pending
    assert len(titles(hub, repo)) == before + 1
    assert hub.repository(repo).refs("tags")["v1.0.0"] == published.commit
    assert content(hub, repo, "v1.0.0") == content(hub, repo, "main") == files
    assert is_sound(hub, repo)


def test_a_new_repository_that_cannot_be_read_yet_is_waited_for(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    hub.answer("GET", "/refs", 404, times=3, X_Error_Code="RepoNotFound")
    publish(write(FIRST), repo, "v1.0.0", api)
    assert not hub.pending and hub.asked("POST", "/repos/create") == 2
    assert content(hub, repo, "v1.0.0") == FIRST and len(titles(hub, repo)) == 2


@pytest.mark.parametrize("path", ["provenance.json", "stage1/train-00000-of-00001.parquet"])
def test_a_file_that_a_commit_lacks_comes_with_another(
    hub: LocalHub, api: HfApi, repo: str, write: Write, path: str
) -> None:
    hub.left_out.add(path)
    published = publish(write(FIRST), repo, "v1.0.0", api)
    assert titles(hub, repo) == ["v1.0.0: math", "v1.0.0: math", "initial commit"]
    assert published.commit == hub.repository(repo).resolve("main") and content(hub, repo, "v1.0.0") == FIRST


def test_large_files_that_the_hub_does_not_return_yet_are_waited_for(
    hub: LocalHub, api: HfApi, repo: str, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    large = [path for path in FIRST if path.endswith(".parquet")]
    # Each of them, before and after it is uploaded once more.
    hub.answer("GET", "/resolve/", 404, times=2 * len(large), X_Error_Code="EntryNotFound")
    publish(write(FIRST), repo, "v1.0.0", api)
    assert not hub.pending and "Incomplete; trying again" in caplog.text
    assert content(hub, repo, "v1.0.0") == FIRST and len(titles(hub, repo)) == 2


ENDPOINT = "https://hub.example"
EXPLAINED: list[tuple[Exception, str]] = [
    (
        ConnectionError("CAS error\nat byte 7"),
        "the upload by xet failed (CAS error at byte 7): try again, or without xet: HF_HUB_DISABLE_XET=1",
    ),
    (json.JSONDecodeError("no value", "<html>", 0), f"{ENDPOINT} did not answer with JSON: check HF_ENDPOINT"),
    (Incomplete("the Hub does not return a.bin"), "the Hub does not return a.bin: run the same command again later"),
    (
        httpx2.ReadTimeout("Authorization: hf_x"),
        f"cannot reach {ENDPOINT} (ReadTimeout): check the network and HF_ENDPOINT, then run the same command again",
    ),
]


@pytest.mark.parametrize(("error", "line"), EXPLAINED, ids=str)
def test_a_failure_that_stays_is_one_line_with_the_remedy(error: Exception, line: str) -> None:
    assert explain(error, "alice/data", ENDPOINT) == line


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
    files = FIRST | {"own.bin": repo.encode()}
    publish(write(files), repo, "v1.0.0", api)
    assert not hub.pending and content(hub, repo, "v1.0.0") == files and len(titles(hub, repo)) == 2


@pytest.mark.parametrize("path", ["/xet-write-token/", "/v1/xorbs/", "/v1/shards"])
def test_an_upload_by_xet_that_fails_is_repeated(
    hub: LocalHub, api: HfApi, repo: str, write: Write, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub.answer("GET|POST", path, 400)
    files = FIRST | {"large.bin": repo.encode() * 10_000}
    publish(write(files), repo, "v1.0.0", api)
    assert not hub.pending and content(hub, repo, "v1.0.0") == files and len(titles(hub, repo)) == 2


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


@pytest.mark.parametrize(
    ("method", "path", "code"), [("POST", "/commit/", "EntryNotFound"), ("GET", "/tree/", "RevisionNotFound")]
)
def test_what_somebody_deleted_or_is_not_seen_yet_is_looked_for_again(
    hub: LocalHub, api: HfApi, repo: str, write: Write, method: str, path: str, code: str
) -> None:
    publish(write(FIRST), repo, "v1.0.0", api)
    hub.answer(method, path, 404, X_Error_Code=code)
    publish(write(SECOND), repo, "v1.1.0", api)
    assert not hub.pending and content(hub, repo, "main") == SECOND and len(titles(hub, repo)) == 3


@pytest.mark.slow
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
