"""Reports as static Spaces: what is put there, what of others stays, and what is refused in one line."""

import itertools
import json
from pathlib import Path

import pytest
import yaml
from huggingface_hub import CommitOperationAdd, HfApi

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath_hub.spaces import plan_space, publish_space, space_card
from personamath_hub.versions.revisions import PublishError
from tests.support.folders import row
from tests.support.folders import write as write_dataset
from tests.support.local_hub import LocalHub
from tests.support.versions import SOON_S, Files, Write, content

# The client's own LFS upload does not speak its HTTP library's newest dialect.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning")

CARD = space_card("Report on data", "alice/data").encode()
FIRST: Files = {"README.md": CARD, "index.html": b"<p>one", "figures/a.png": b"\x89PNG a", "figures/b.csv": b"b"}
SECOND: Files = {"README.md": CARD, "index.html": b"<p>two", "figures/a.png": b"\x89PNG a"}
_names = itertools.count()


@pytest.fixture
def space() -> str:
    return f"alice/report-{next(_names)}"


def publish(folder: Path, space: str, api: HfApi, private: bool = False) -> bool:
    return publish_space(folder, space, name="data", private=private, api=api, first_wait_s=SOON_S).changed


def test_a_report_becomes_a_static_space_and_a_newer_one_takes_its_place(
    hub: LocalHub, api: HfApi, space: str, write: Write
) -> None:
    assert plan_space(write(FIRST), space, api).head is None and not hub.asked("POST", "/api/repos/create")
    assert publish(write(FIRST), space, api) and api.space_info(space).sdk == "static"
    assert content(hub, space, "main", "spaces") == FIRST, "the Hub's own example is gone"
    assert not publish(write(FIRST), space, api), "the same again changes nothing"
    plan = plan_space(write(SECOND), space, api)
    assert plan.difference.changed == ("index.html",) and plan.difference.removed == ("figures/b.csv",)
    assert publish(write(SECOND), space, api) and content(hub, space, "main", "spaces") == SECOND
    titles = [commit["title"] for commit in hub.repository(space, "spaces").log("main")]
    assert titles == ["PersonaMath report: data"] * 2 + ["initial commit"]


def by_hand(api: HfApi, space: str, files: Files) -> None:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(space, operations, commit_message="Edit", repo_type="space")


def test_files_of_others_stay(hub: LocalHub, api: HfApi, space: str, write: Write) -> None:
    publish(write(FIRST), space, api)
    theirs = {"README.md": CARD + b"Read this first.", "LICENSE": b"MIT"}
    by_hand(api, space, theirs)
    for files in (SECOND, FIRST, SECOND):
        folder = write(files)
        plan = plan_space(folder, space, api)
        assert plan.left == ("LICENSE", "README.md")
        assert "By others, and kept: LICENSE, README.md" in plan.describe(folder)
        assert publish(folder, space, api) and content(hub, space, "main", "spaces") == files | theirs
    by_hand(api, space, {"index.html": b"<p>mine"})
    with pytest.raises(PublishError, match=r"others changed index\.html there: name another Space"):
        publish(write(FIRST), space, api)


def test_what_is_refused(hub: LocalHub, api: HfApi, bob: HfApi, space: str, write: Write) -> None:
    publish(write(FIRST), space, api)
    with pytest.raises(PublishError, match="the Space is public: make it private in its settings"):
        publish(write(FIRST), space, api, private=True)
    with pytest.raises(PublishError, match="this token may not write for alice"):
        publish(write(SECOND), space, bob)
    gradio = f"{space}-app"
    api.create_repo(gradio, repo_type="space", space_sdk="gradio")
    with pytest.raises(PublishError, match="with the SDK 'gradio', and a report needs a static one"):
        publish(write(FIRST), gradio, api)
    with pytest.raises(BadInput, match="write it as OWNER/NAME"):
        publish(write(FIRST), "report", api)
    hub.answer("POST", "/commit/main", 500)
    assert publish(write(SECOND), space, api), "an outage that ends is waited for"


def test_a_private_space_is_made_private(api: HfApi, space: str, write: Write) -> None:
    assert publish(write(FIRST), space, api, private=True) and api.space_info(space).private


def test_the_card_names_the_dataset_and_any_title_is_yaml() -> None:
    for title, dataset in (("Report on a: b # c", "me/a"), ("x" * 200, None)):
        front = space_card(title, dataset).split("---\n")[1]
        facts = yaml.safe_load(front)
        assert facts["sdk"] == "static" and facts["app_file"] == "index.html" and len(facts["title"]) <= 60
        assert facts.get("datasets") == ([dataset] if dataset else None)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(
        tmp_path_factory.mktemp("data") / "v1", [row("stage1_inference", number) for number in range(3)]
    )


@pytest.mark.slow
def test_the_command_publishes_the_page(
    hub: LocalHub,
    api: HfApi,
    space: str,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["report", str(dataset), "--space", space, "--dataset", "alice/data"]
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.endpoint)
    assert main(command) == 1
    error = capsys.readouterr().err.splitlines()
    assert error[-1].endswith(f"there is no token: set HF_TOKEN to a write token from {hub.endpoint}/settings/tokens")
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    assert main([*command, "--dry-run"]) == 0
    assert "index.html" in capsys.readouterr().out and not api.repo_exists(space, repo_type="space")
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["page"] == f"{hub.endpoint}/spaces/{space}" and result["finished"] and result["changed"]
    there = content(hub, space, "main", "spaces")
    assert {"README.md", "index.html", "report.md", "figures/funnel.csv"} <= set(there)
    assert b"- alice/data" in there["README.md"] and b"<h1>v1</h1>" in there["index.html"]
    assert str(dataset.parent).encode() not in there["index.html"] + there["report.md"]


TOGETHER = [
    (["x", "--private"], "--private is for --space"),
    (["x", "--dry-run"], "--dry-run is for --space"),
    (["x", "--space", "me/x", "--live"], "leave --live and --output out"),
]


@pytest.mark.parametrize(("arguments", "message"), TOGETHER)
def test_options_that_do_not_go_together(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *arguments]) == 1
    assert message in capsys.readouterr().err
