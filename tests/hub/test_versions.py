"""A folder becomes a version: against a real server with real git."""

import random
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from personamath_hub.versions.publish import PublishedVersion, plan_version
from personamath_hub.versions.revisions import PublishError, resolve, versions
from personamath_hub.versions.tree import Difference
from tests.support.local_hub import LocalHub
from tests.support.versions import FIRST, SECOND, Kind, Write, content, publish, titles

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]


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
    assert done.describe(folder) == "Nothing would be uploaded."
    following = plan_version(write(SECOND), repo, "v1.1.0", repo_type="dataset", api=api)
    assert following.tagged is None and following.head == published.commit
    assert following.difference.removed == ("provenance.json", "stage2/train-00000-of-00001.parquet")
    assert not [request for request in hub.requests if not request.startswith("GET ")]


def test_versions_are_ordered_by_number(hub: LocalHub, api: HfApi, repo: str, write: Write) -> None:
    for version in ("v1.10.0", "v1.9.0", "v0.1.0", "v2.0.0"):
        publish(write(FIRST), repo, version, api)
    api.create_tag(repo, tag="draft", repo_type="dataset")
    assert versions(repo, repo_type="dataset", api=api) == ["v0.1.0", "v1.9.0", "v1.10.0", "v2.0.0"]


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
