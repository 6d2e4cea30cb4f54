"""The local Hub as the Hub's own clients see it: huggingface_hub and hf_xet in this process, datasets in another."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile, RepoFolder

from tests.support import programs
from tests.support.hub_process import runner
from tests.support.local_hub import LocalHub

# The client's own LFS upload does not speak its HTTP library's newest dialect.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning")

CARD = b"---\nlicense: mit\nconfigs:\n- config_name: tiny\n  data_files: tiny/*.parquet\n---\n# Tiny\n"
# Longer than several xet chunks, and compressible here and there.
LARGE = b"".join(b"%d " % (n * n) for n in range(80_000)) + bytes(200_000)


@pytest.fixture
def repo(api: HfApi, request: pytest.FixtureRequest) -> Iterator[str]:
    """A dataset with a regular file, a large one and one in a folder."""
    repo_id = "alice/tiny"
    api.create_repo(repo_id, repo_type="dataset")
    files = {"README.md": CARD, "large.bin": LARGE, "folder/notes.txt": b"notes"}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(repo_id, operations, commit_message="first", repo_type="dataset")
    yield repo_id
    api.delete_repo(repo_id, repo_type="dataset")


def fsck(hub: LocalHub, repo_id: str, kind: str = "datasets") -> str:
    return hub.repository(repo_id, kind).git("fsck", "--full", "--strict", "--no-dangling").decode()


def test_a_repository_is_made_seen_and_deleted(hub: LocalHub, api: HfApi) -> None:
    for repo_type in ("model", "dataset"):
        url = api.create_repo("alice/new", repo_type=repo_type)
        assert url.repo_id == "alice/new" and url.repo_type == repo_type
        assert api.create_repo("alice/new", repo_type=repo_type, exist_ok=True) == url
        with pytest.raises(HfHubHTTPError, match="409"):
            api.create_repo("alice/new", repo_type=repo_type)
        assert api.repo_info("alice/new", repo_type=repo_type).id == "alice/new"
        assert api.list_repo_files("alice/new", repo_type=repo_type) == [".gitattributes"]
        api.delete_repo("alice/new", repo_type=repo_type)
        assert not api.repo_exists("alice/new", repo_type=repo_type)


@pytest.mark.parametrize("disable_xet", [True, False], ids=["lfs", "xet"])
@pytest.mark.parametrize("part_size", [None, 100_000])
def test_what_is_committed_comes_back(
    hub: LocalHub, api: HfApi, disable_xet: bool, part_size: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", disable_xet)
    hub.part_size = part_size
    content = LARGE + str((disable_xet, part_size)).encode()
    api.create_repo("alice/back")
    commit = api.create_commit(
        "alice/back",
        [CommitOperationAdd("a/large.bin", content), CommitOperationAdd("b.txt", b"small")],
        commit_message="first",
        commit_description="of two",
    )
    assert commit.commit_url == f"{hub.endpoint}/alice/back/commit/{commit.oid}"
    folder = api.snapshot_download("alice/back", revision=commit.oid, cache_dir=tmp_path)
    assert (Path(folder) / "a/large.bin").read_bytes() == content
    assert (Path(folder) / "b.txt").read_bytes() == b"small"
    used = {"lfs": hub.asked("PUT", "/lfs/"), "xet": hub.asked("POST", "/xet/.*/xorbs/")}
    assert bool(used["lfs"]) is disable_xet and bool(used["xet"]) is not disable_xet
    assert (hub.asked("PUT", "/parts/") > 5) is bool(disable_xet and part_size)
    assert not fsck(hub, "alice/back", "models")
    api.delete_repo("alice/back")


def test_a_part_of_a_file_that_came_by_xet_is_read_by_xet(
    hub: LocalHub, api: HfApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    api.create_repo("alice/xet")
    shuffled = LARGE[::-1]
    api.upload_file(path_or_fileobj=LARGE, path_in_repo="one.bin", repo_id="alice/xet")
    # Half of the chunks are there already, so the second file consists of terms of two xorbs.
    api.upload_file(path_or_fileobj=LARGE[:300_000] + shuffled, path_in_repo="two.bin", repo_id="alice/xet")
    file = api.hf_hub_download("alice/xet", "two.bin", cache_dir=tmp_path)
    assert Path(file).read_bytes() == LARGE[:300_000] + shuffled
    assert hub.asked("GET", "/v1/reconstructions/") and hub.asked("GET", "/xorb-bytes/")
    assert not hub.asked("GET", "/lfs/")
    api.delete_repo("alice/xet")


def test_trees_are_listed_by_level_by_page_and_with_commits(hub: LocalHub, api: HfApi, repo: str) -> None:
    top = {entry.path: entry for entry in api.list_repo_tree(repo, repo_type="dataset")}
    assert set(top) == {".gitattributes", "README.md", "folder", "large.bin"}
    assert isinstance(top["folder"], RepoFolder)
    large = top["large.bin"]
    assert isinstance(large, RepoFile) and large.lfs and large.size == large.lfs.size == len(LARGE)
    deep = api.list_repo_tree(repo, "folder", repo_type="dataset", expand=True)
    notes = next(iter(deep))
    assert isinstance(notes, RepoFile) and notes.path == "folder/notes.txt"
    assert notes.last_commit and notes.last_commit.title == "first"
    hub.page_size = 2
    assert len(list(api.list_repo_tree(repo, repo_type="dataset", recursive=True))) == 5
    assert hub.asked("GET", "/tree/main$") == 1 + 3
    infos = api.get_paths_info(repo, ["large.bin", "folder", "nothing"], repo_type="dataset")
    assert [info.path for info in infos] == ["folder", "large.bin"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(repo, "nothing", repo_type="dataset"))


def test_files_are_deleted_and_replaced_in_one_commit(hub: LocalHub, api: HfApi, repo: str) -> None:
    before = api.repo_info(repo, repo_type="dataset").sha
    deletions = [CommitOperationDelete("folder/", is_folder=True), CommitOperationDelete("large.bin")]
    additions = [CommitOperationAdd("folder", b"now a file"), CommitOperationAdd("large.bin/part", b"now a folder")]
    late = CommitOperationAdd("late", b"late")
    operations: list[CommitOperationAdd | CommitOperationDelete] = [*deletions, *additions]
    api.create_commit(repo, operations, commit_message="second", repo_type="dataset", parent_commit=before)
    paths = {".gitattributes", "README.md", "folder", "large.bin/part"}
    assert set(api.list_repo_files(repo, repo_type="dataset")) == paths
    assert [commit.title for commit in api.list_repo_commits(repo, repo_type="dataset")] == [
        "second",
        "first",
        "initial commit",
    ]
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit(repo, [late], commit_message="late", repo_type="dataset", parent_commit=before)
    with pytest.raises(EntryNotFoundError):
        api.delete_file("nothing", repo, repo_type="dataset")
    assert not fsck(hub, repo)


def test_tags_stay_where_they_are(hub: LocalHub, api: HfApi, repo: str) -> None:
    first = api.repo_info(repo, repo_type="dataset").sha
    api.create_tag(repo, tag="v1.0.0", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"more", path_in_repo="more.txt", repo_id=repo, repo_type="dataset")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(repo, tag="v1.0.0", repo_type="dataset")
    refs = api.list_repo_refs(repo, repo_type="dataset")
    assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1.0.0", first)]
    assert refs.branches[0].target_commit == api.repo_info(repo, repo_type="dataset").sha != first
    assert api.repo_info(repo, repo_type="dataset", revision="v1.0.0").sha == first
    assert "more.txt" not in api.list_repo_files(repo, repo_type="dataset", revision="v1.0.0")
    api.delete_tag(repo, tag="v1.0.0", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info(repo, repo_type="dataset", revision="v1.0.0")
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(repo, tag="v1.0.0", repo_type="dataset")


def test_files_are_served_whole_in_ranges_and_by_etag(hub: LocalHub, api: HfApi, repo: str, tmp_path: Path) -> None:
    base = f"{hub.endpoint}/datasets/{repo}/resolve/main"
    head = httpx2.head(f"{base}/large.bin")
    sha256 = hub.repository(repo).files("main")["large.bin"].pointer
    assert sha256 and head.status_code == 302
    assert head.headers["X-Linked-Etag"] == f'"{sha256.sha256}"'
    assert head.headers["X-Linked-Size"] == str(len(LARGE))
    assert head.headers["X-Repo-Commit"] == api.repo_info(repo, repo_type="dataset").sha
    for asked, status, expected in (
        ("bytes=0-9", 206, LARGE[:10]),
        (f"bytes={len(LARGE) - 5}-", 206, LARGE[-5:]),
        ("bytes=-7", 206, LARGE[-7:]),
        (f"bytes={len(LARGE)}-", 416, b""),
    ):
        answer = httpx2.get(f"{base}/large.bin", headers={"Range": asked}, follow_redirects=True)
        assert (answer.status_code, answer.content) == (status, expected)
    small = httpx2.get(f"{base}/README.md")
    assert small.content == CARD and small.headers["ETag"] == f'"{hub.repository(repo).files("main")["README.md"].oid}"'
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(repo, "nothing", repo_type="dataset", cache_dir=tmp_path)


def test_who_may_do_what(hub: LocalHub, api: HfApi, bob: HfApi, repo: str, tmp_path: Path) -> None:
    assert (api.whoami()["name"], bob.whoami()["name"]) == ("alice", "bob")
    stranger = HfApi(endpoint=hub.endpoint, token="hf_stranger")
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        stranger.whoami()
    with pytest.raises(HfHubHTTPError, match="401"):
        stranger.list_repo_refs(repo, repo_type="dataset")
    reader = HfApi(endpoint=hub.endpoint, token="hf_alice_read")
    for other in (bob, reader):
        assert other.list_repo_refs(repo, repo_type="dataset").tags == []
        with pytest.raises(HfHubHTTPError, match="403"):
            other.create_repo("alice/bobs")
        with pytest.raises(HfHubHTTPError, match="403"):
            other.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo, repo_type="dataset")
    api.update_repo_settings(repo, repo_type="dataset", private=True)
    with pytest.raises(RepositoryNotFoundError):
        bob.repo_info(repo, repo_type="dataset")
    api.update_repo_settings(repo, repo_type="dataset", private=False, gated="manual")
    assert bob.repo_info(repo, repo_type="dataset").gated == "manual"
    with pytest.raises(GatedRepoError):
        bob.hf_hub_download(repo, "README.md", repo_type="dataset", cache_dir=tmp_path)


def test_a_card_whose_yaml_is_broken_is_refused(api: HfApi, repo: str) -> None:
    broken = CommitOperationAdd("README.md", b"---\nlicense: [mit\n---\n")
    with pytest.raises(ValueError, match="Invalid metadata in README"):
        api.create_commit(repo, [broken], commit_message="broken", repo_type="dataset")


def test_a_commit_cannot_name_a_large_file_that_is_not_there(hub: LocalHub, api: HfApi, repo: str) -> None:
    hub.before("POST", "/commit/", lambda _: hub.lose_objects())
    lost = CommitOperationAdd("lost.bin", b"lost")
    with pytest.raises(HfHubHTTPError, match="LFS pointer pointed to a file that does not exist"):
        api.create_commit(repo, [lost], commit_message="lost", repo_type="dataset")


def test_of_two_commits_on_one_parent_one_is_made(hub: LocalHub, api: HfApi, repo: str) -> None:
    repository = hub.repository(repo)
    head = repository.resolve("main")
    outcomes: list[str] = []

    def commit(path: str) -> None:
        try:
            outcomes.append(repository.commit(head, [(path, b"x")], [], path, "alice"))
        except Exception as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=commit, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(1 for outcome in outcomes if outcome.startswith("A commit has happened since")) == 3
    assert repository.resolve("main") in outcomes and not fsck(hub, repo)


def test_faults_strike_as_often_as_they_were_set(hub: LocalHub, api: HfApi, repo: str) -> None:
    def ask() -> int:
        try:
            return httpx2.get(f"{hub.endpoint}/api/datasets/{repo}/refs").status_code
        except httpx2.RemoteProtocolError:
            return 0

    seen: list[str] = []
    hub.answer("GET", "/refs", 429, times=2, Retry_After="3")
    hub.lose("GET", "/refs")
    hub.cut("GET", "/refs")
    hub.before("GET", "/refs", seen.append)
    assert [ask() for _ in range(6)] == [429, 429, 0, 0, 200, 200]
    assert seen == [f"GET /api/datasets/{repo}/refs"]
    assert hub.asked("GET", "/refs$") == 6


READER = """
import sys, warnings
from datasets import get_dataset_config_names, load_dataset
warnings.simplefilter("error")
repo, cache = sys.argv[1:]
for revision, rows in (("v1.0.0", 3), ("v1.1.0", 5), ("main", 5)):
    assert get_dataset_config_names(repo, revision=revision) == ["tiny"]
    dataset = load_dataset(repo, "tiny", split="train", revision=revision, cache_dir=cache)
    assert dataset["n"] == list(range(rows)), dataset["n"]
    stream = load_dataset(repo, "tiny", split="train", revision=revision, streaming=True)
    assert [row["n"] for row in stream] == list(range(rows))
"""


@pytest.mark.slow
@pytest.mark.parametrize("disable_xet", ["1", "0"], ids=["lfs", "xet"])
def test_datasets_loads_and_streams_each_version(
    hub: LocalHub, api: HfApi, disable_xet: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", disable_xet == "1")
    repo_id = f"alice/loaded-{disable_xet}"
    api.create_repo(repo_id, repo_type="dataset", private=True)
    for version, rows in (("v1.0.0", 3), ("v1.1.0", 5)):
        table = pa.table({"n": list(range(rows))}, metadata={"repo": repo_id})  # so that it is uploaded for both
        pq.write_table(table, tmp_path / "rows.parquet")
        operations = [
            CommitOperationAdd("README.md", CARD),
            CommitOperationAdd("tiny/train-00000-of-00001.parquet", tmp_path / "rows.parquet"),
        ]
        api.create_commit(repo_id, operations, commit_message=version, repo_type="dataset")
        api.create_tag(repo_id, tag=version, repo_type="dataset")
    hub.heal()
    ended = runner(hub, tmp_path)("-c", READER, repo_id, tmp_path, HF_HUB_DISABLE_XET=disable_xet)
    assert ended.returncode == 0, ended.stderr
    assert bool(hub.asked("GET", "/reconstructions/")) is (disable_xet == "0")


def test_it_runs_by_hand(tmp_path: Path) -> None:
    flags = ["--root", str(tmp_path), "--token", "hf_carol=carol", "--fault", "POST", "/repos/create", "503", "1"]
    with programs.start("tests.support.local_hub", *flags, stdout=programs.PIPE) as process:
        try:
            assert process.stdout
            carol = HfApi(endpoint=process.stdout.readline().strip(), token="hf_carol")
            with pytest.raises(HfHubHTTPError, match="503"):
                carol.create_repo("carol/model")
            assert carol.create_repo("carol/model").repo_id == "carol/model"
        finally:
            process.kill()
    assert (tmp_path / "models/carol/model.git/HEAD").is_file()
