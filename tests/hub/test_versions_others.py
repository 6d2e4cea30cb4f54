"""What others put on main is named and kept."""

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from personamath_hub.versions.publish import plan_version, publish_version
from personamath_hub.versions.revisions import PublishError
from tests.support.local_hub import LocalHub
from tests.support.versions import CARD, FIRST, SECOND, Files, Write, content, publish

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]


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
