"""What others put on main is named and kept."""

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from personamath_hub.versions.publish import plan_version, publish_version
from personamath_hub.versions.revisions import PublishError
from tests.support.local_hub import LocalHub
from tests.support.versions import CARD, FIRST, SECOND, Files, Kind, Write, content, publish

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


TITLES = ["v1.0.1: fix a typo", "v1.0.0: Initial release", "v2.0.0: data", "V1.0.1: math"]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("first", [True, False], ids=["another tool's repository", "after a version"])
@pytest.mark.parametrize("tagged", [True, False], ids=["tagged", "not tagged"])
def test_a_commit_of_others_is_theirs_whatever_its_title(
    hub: LocalHub, api: HfApi, repo: str, write: Write, title: str, first: bool, tagged: bool
) -> None:
    if first:
        api.create_repo(repo, repo_type="dataset")
    else:
        publish(write(FIRST), repo, "v0.1.0", api)
    theirs: Files = {
        "README.md": b"---\nlicense: mit\nconfigs: []\n---\n# Theirs\n",
        "data/train.parquet": b"PAR1 theirs",
    }
    operations = [CommitOperationAdd(path, content) for path, content in theirs.items()]
    api.create_commit(repo, operations, commit_message=title, repo_type="dataset")
    if tagged:
        api.create_tag(repo, tag=title.partition(":")[0], repo_type="dataset")
    before = content(hub, repo, "main")
    plan = plan_version(write(SECOND), repo, "v3.0.0", repo_type="dataset", api=api)
    assert (plan.left, plan.replaced) == (("data/train.parquet",), ("README.md",))
    with pytest.raises(PublishError, match=r"others changed README\.md on main"):
        publish(write(SECOND), repo, "v3.0.0", api)
    assert content(hub, repo, "main") == before


def test_a_version_of_an_earlier_personamath_is_known_by_its_whole_title(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    api.create_repo(repo, repo_type="dataset")
    operations = [CommitOperationAdd(path, content) for path, content in FIRST.items()]
    api.create_commit(
        repo,
        operations,
        commit_message="v1.0.0: math",
        commit_description="Left in place: LICENSE",
        repo_type="dataset",
    )
    publish(write(SECOND), repo, "v1.1.0", api)
    assert content(hub, repo, "main") == SECOND


MODEL: Files = {"README.md": b"# Model\n", "config.json": b"{}", "model.safetensors": b"ours " * 50}
IN_THE_WAY = [
    ("model", "adapter_config.json"),
    ("model", "adapter_model.bin"),
    ("model", "model-00001-of-00002.safetensors"),
    ("model", "model.safetensors.index.json"),
    ("model", "consolidated.safetensors"),
    ("model", "added_tokens.json"),
    ("model", "tokenizer.model"),
    ("model", "chat_template.json"),
    ("model", "additional_chat_templates/tool_use.jinja"),
    ("model", "config.json/old"),  # one path cannot be a file and a folder
    ("dataset", ".huggingface.yaml"),
    ("dataset", "stage3"),
]
HARMLESS = [
    ("model", "model-q4_k_m.gguf"),
    ("model", "onnx/model.onnx"),
    ("model", "original/adapter_config.json"),
    ("model", "eval.yaml"),
    ("dataset", "data/train.parquet"),  # the card names the files of its configs
    ("dataset", "adapter_config.json"),
]


@pytest.mark.parametrize(("kind", "path"), IN_THE_WAY + HARMLESS)
def test_a_file_of_others_that_would_be_loaded_with_a_version_is_refused(
    hub: LocalHub, api: HfApi, repo: str, write: Write, kind: Kind, path: str
) -> None:
    api.create_repo(repo, repo_type=kind)
    api.create_commit(repo, [CommitOperationAdd(path, b"theirs")], commit_message="Add", repo_type=kind)
    folder = write(MODEL if kind == "model" else SECOND)
    plan = plan_version(folder, repo, "v1.0.0", repo_type=kind, api=api)
    if (kind, path) in HARMLESS:
        assert (plan.left, plan.in_the_way) == ((path,), ())
        publish(folder, repo, "v1.0.0", api, kind)
        return
    assert (plan.left, plan.in_the_way) == ((), (path,))
    assert f"On main by others, and loaded together with this version: {path}" in plan.describe(folder)
    with pytest.raises(PublishError, match=r"others put .* on main, which would be loaded together with this version"):
        publish(folder, repo, "v1.0.0", api, kind)
    publish_version(folder, repo, "v1.0.0", repo_type=kind, message="math", api=api, replace_others=True)
    assert path not in content(hub, repo, "v1.0.0", f"{kind}s")


def test_a_file_in_the_way_is_refused_even_if_nothing_else_changes(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    folder = write(MODEL)
    publish(folder, repo, "v1.0.0", api, "model")
    api.create_commit(repo, [CommitOperationAdd("adapter_config.json", b"{}")], commit_message="Add", repo_type="model")
    with pytest.raises(PublishError, match=r"others put adapter_config\.json on main"):
        publish(folder, repo, "v1.0.1", api, "model")
    assert publish(folder, repo, "v1.0.0", api, "model").created is False
