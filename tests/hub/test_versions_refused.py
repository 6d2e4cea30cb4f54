"""Versions that cannot be published: one line with the remedy."""

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants

from personamath.errors import BadInput
from personamath_hub.versions.publish import plan_version, publish_version
from personamath_hub.versions.revisions import PublishError, resolve, versions
from tests.support.local_hub import LocalHub
from tests.support.versions import FIRST, SECOND, Write, content, publish, titles

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]


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


def test_a_missing_token_is_named(hub: LocalHub, repo: str, write: Write) -> None:
    with pytest.raises(PublishError) as refused:
        publish(write(FIRST), repo, "v1.0.0", HfApi(endpoint=hub.endpoint, token=""))
    remedy = f"there is no token: set HF_TOKEN to a write token from {hub.endpoint}/settings/tokens"
    assert str(refused.value) == f"{repo} v1.0.0 is not published: {remedy}" and not hub.requests


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
