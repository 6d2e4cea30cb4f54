"""`personamath publish` and `personamath diff` as a user runs them, against a local Hub."""

import csv
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from personamath.commands.cli import main
from personamath.folder.marks import fingerprint
from personamath.folder.reading import read_rows
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import scripted_teacher
from tests.support.folders import write_format_1
from tests.support.hub_process import Command, Ended, Run, runner
from tests.support.local_hub import LocalHub

pytestmark = [
    pytest.mark.slow,
    # The client's own LFS upload does not speak its HTTP library's newest dialect.
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
]

REPO = "alice/PersonaMathQA"
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]


def own_problems(folder: Path) -> str:
    """Ten problems in a file with columns of its own; bundled ones, so that the scripted teacher knows them."""
    bundled = Path(bundled_problems()[0].partition(":")[2]).read_text(encoding="utf-8").splitlines()[:10]
    path = folder / "mine.csv"
    with path.open("w", encoding="utf-16", newline="") as file:  # as Excel saves "Unicode text"
        table = csv.writer(file, delimiter="\t")
        table.writerow(["number", "text", "result", "subject"])
        for number, row in enumerate(map(json.loads, bundled), start=1):
            table.writerow([number, row["question"], row["answer"].rpartition("####")[2].strip(), "Shopping"])
    return f"shop:{path}:text:result"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of a teacher that is not marked as simulated: `few` with K1 = 2, `more` with K1 = 3, and `direct`, without
    personas; `own`, of a user's file; and one that is.
    """
    folder = tmp_path_factory.mktemp("runs")
    made = {"teacher-1": {"few": 2, "more": 3, "direct": 2, "own": 1}, MODEL: {"simulated": 2}}
    for model, names in made.items():
        with scripted_teacher(*PROBLEMS, "--model", model) as teacher:
            for name, k1 in names.items():
                problems = ["--problems", own_problems(folder)] if name == "own" else PROBLEMS
                method = "direct" if name in ("direct", "own") else "persona"
                flags = ["--teacher", model, "--base-url", teacher.base_url]
                flags += ["--method", method, "--k1", str(k1), "--k2", "4"]
                assert main(["augment", *problems, *flags, "--output", str(folder / name)]) == 0
    return folder


@pytest.fixture
def run(hub: LocalHub, tmp_path: Path) -> Run:
    return runner(hub, tmp_path)


class Publish(Protocol):
    """`personamath publish` in this process, as alice or with another token."""

    def __call__(self, source: Path, version: str, *flags: str, repo: str = ..., token: str = ...) -> Ended: ...


@pytest.fixture
def publish(command: Command, repo: str) -> Publish:
    def publish(source: Path, version: str, *flags: str, repo: str = repo, token: str = "hf_alice") -> Ended:
        return command("publish", source, "--repo-id", repo, "--version", version, *flags, token=token)

    return publish


def publish_as_a_user(run: Run, source: Path, version: str, *flags: str, **environment: str) -> Ended:
    """The same in a process of its own, which knows of the Hub and the token from its environment."""
    words = ("publish", source, "--repo-id", REPO, "--version", version, *flags)
    ended = run("-m", "personamath.commands.cli", *words, **environment)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


Rows = dict[str, list[dict[str, Any]]]
"""By configuration."""


def load(run: Run, *datasets: tuple[object, str], only_default: bool = False) -> list[Rows]:
    """What `datasets` loads in a process of its own: of each folder or repository, at a revision."""
    words = ["--default"] * only_default + [word for dataset in datasets for word in dataset]
    loaded = run("-m", "tests.support.load_datasets", *words)
    assert loaded.returncode == 0, loaded.stderr
    return [json.loads(line) for line in loaded.stdout.splitlines()[-len(datasets) :]]


@dataclass(frozen=True)
class Published:
    """Versions on the Hub, which tests only look at and fail to change."""

    run: Run
    said: list[str]
    """What the command printed, by version."""


@pytest.fixture(scope="module")
def two_versions(hub_server: LocalHub, runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """`few` as v1.0.0, in a collection, and `more` as v1.1.0."""
    hub_server.collections["alice/math-0123"] = []
    run, said = runner(hub_server, tmp_path_factory.mktemp("two")), []
    for version, name, flags in (("v1.0.0", "few", ["--collection", "alice/math-0123"]), ("v1.1.0", "more", [])):
        done = publish_as_a_user(run, runs / name, version, *flags)
        assert done.status == 0, done.stderr
        said.append(done.stdout)
    return Published(run, said)


@pytest.fixture(scope="module")
def loaded(two_versions: Published, runs: Path) -> list[Rows]:
    """What `datasets` loads of the two versions."""
    return load(two_versions.run, (REPO, "v1.0.0"), (REPO, "v1.1.0"))


def test_a_version_is_what_its_run_made_and_stays_so(
    two_versions: Published, loaded: list[Rows], hub: LocalHub, runs: Path
) -> None:
    assert "v1.0.0 is published" in two_versions.said[0]
    assert hub.collections["alice/math-0123"] == [{"id": REPO, "type": "dataset"}]
    assert loaded == load(two_versions.run, *((runs / name / "dataset", "main") for name in ("few", "more")))
    for there in loaded:
        assert len(there) == 10 and all(there.values())
    # The Hub's own first commit, and one for each version.
    assert len(hub.repository(REPO).log("main")) == 1 + 2


@pytest.mark.usefixtures("two_versions")
def test_the_same_command_again_does_nothing_and_other_content_is_refused(
    publish: Publish, hub: LocalHub, runs: Path
) -> None:
    commits = hub.repository(REPO).log("main")
    again = publish(runs / "few", "v1.0.0", repo=REPO)
    assert again.status == 0 and "was already published" in again.stdout
    other = publish(runs / "more", "v1.0.0", repo=REPO)
    assert other.status == 1
    assert "with other content" in other.stderr and "6 changed (README.md" in other.stderr
    assert hub.repository(REPO).log("main") == commits
    assert hub.asked("POST", "/commit") == hub.asked("POST", "/lfs") == 0


@pytest.mark.usefixtures("two_versions")
def test_the_card_on_the_hub_names_its_version_and_what_changed(loaded: list[Rows], hub: LocalHub) -> None:
    repository = hub.repository(REPO)
    first, second = (repository.blob(f"{version}:README.md").decode() for version in ("v1.0.0", "v1.1.0"))
    assert f'load_dataset("{REPO}", "default", revision="v1.0.0"' in first and "This is the first version" in first
    assert "`v1.1.0` against `v1.0.0`" in second
    less, more = loaded
    added = len(more["stage1_rewrite"]) - len(less["stage1_rewrite"])
    assert f"| {added} | 0 | 0 |" in " ".join(second.split())
    assert yaml.safe_load(second.split("---")[1])["license"] == "apache-2.0"


@pytest.mark.usefixtures("two_versions")
def test_a_dry_run_shows_what_would_change_and_uploads_nothing(publish: Publish, hub: LocalHub, runs: Path) -> None:
    dry = publish(runs / "few", "v1.2.0", "--dry-run", repo=REPO)
    assert dry.status == 0, dry.stderr
    assert "`v1.2.0` against `v1.1.0`" in dry.stdout and "bytes  README.md" in dry.stdout
    assert not hub.asked("POST", "/(commit|preupload|create)")


def test_only_rows_marked_good_are_published(publish: Publish, run: Run, repo: str, runs: Path, tmp_path: Path) -> None:
    rows = read_rows(runs / "few" / "dataset")
    marks = tmp_path / "marks.jsonl"
    good = {row.id for row in rows[:-1:2]}
    lines = [{"id": row.id, "mark": "good" if row.id in good else "bad", "row": fingerprint(row)} for row in rows[:-1]]
    marks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    published = publish(runs / "few", "v1.0.0", "--only-marked", str(marks))
    assert published.status == 0, published.stderr
    assert f"only rows marked good: {len(good)} of {len(rows)}; left out by hand:" in published.stdout
    (there,) = load(run, (repo, "v1.0.0"), only_default=True)
    assert {row["id"] for row in there["default"]} == good
    marks.write_text(json.dumps({"id": "gsm8k-train-99999", "mark": "good", "row": ""}))
    refused = publish(runs / "few", "v1.1.0", "--only-marked", str(marks), "--dry-run")
    assert refused.status == 1 and "line 1: the dataset has no row 'gsm8k-train-99999'" in refused.stderr


@pytest.mark.usefixtures("two_versions")
def test_a_dry_run_refuses_what_publishing_would(publish: Publish, runs: Path) -> None:
    refused = publish(runs / "more", "v1.0.0", "--dry-run", repo=REPO)
    assert refused.status == 1 and "choose another version" in refused.stderr


@pytest.mark.usefixtures("two_versions")
def test_versions_only_grow_so_that_a_published_one_stays_the_same(publish: Publish, runs: Path) -> None:
    between = publish(runs / "few", "v1.0.1", repo=REPO)
    assert between.status == 1 and "choose a higher version" in between.stderr
    assert "was already published" in publish(runs / "more", "v1.1.0", repo=REPO).stdout


@pytest.mark.usefixtures("two_versions")
def test_diff_compares_versions_and_folders(command: Command, runs: Path) -> None:
    found = command("diff", f"{REPO}@v1.0.0", runs / "more")
    assert found.status == 0, found.stderr
    same = command("diff", f"{REPO}@v1.0.0", runs / "few" / "dataset")
    assert "The composition is the same." in same.stdout and "The composition is the same." not in found.stdout


def test_a_private_repository_is_private(publish: Publish, run: Run, repo: str, runs: Path) -> None:
    assert publish(runs / "few", "v1.0.0", "--private").status == 0
    assert publish(runs / "few", "v1.0.0", token="hf_bob").status == 1
    (there,) = load(run, (repo, "v1.0.0"), only_default=True)
    assert there["default"]


REFUSED = [
    (["few", "v1.0.0"], "hf_nobody", "does not accept the token"),
    (["few", "v1.0.0"], "hf_bob", "may not write for alice"),
    (["few", "1.0"], "hf_alice", "write it as vMAJOR.MINOR.PATCH"),
    (["few", "v1.0.0", "--license", "mit"], "hf_alice", "contradicts the personas' licence, apache-2.0"),
    (
        ["own", "v1.0.0"],
        "hf_alice",
        "the licence of the problems shop (the file mine.csv) is unknown: state the dataset's",
    ),
    (["simulated", "v1.0.0"], "hf_alice", "--allow-simulated"),
    (["nowhere", "v1.0.0"], "hf_alice", "not a run directory or a dataset folder"),
    (["nowhere", "1.0"], "hf_alice", "write it as vMAJOR.MINOR.PATCH"),
    (["nowhere", "v1.0.0", "--repo-id", "x"], "hf_alice", "'x': write it as OWNER/NAME"),
    (["nowhere", "v1.0.0", "--repo-id", "me/a b"], "hf_alice", "'me/a b': write it as OWNER/NAME"),
]


@pytest.mark.parametrize(("arguments", "token", "message"), REFUSED)
def test_what_cannot_be_published_is_refused_in_one_line(
    publish: Publish, hub: LocalHub, runs: Path, arguments: list[str], token: str, message: str
) -> None:
    source, version, *flags = arguments
    refused = publish(runs / source, version, *flags, token=token)
    assert refused.status == 1
    assert message in refused.stderr and len(refused.stderr.splitlines()) == 1, refused.stderr
    assert not hub.asked("POST", "/commit")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HF_TOKEN": ""}, "there is no token: set HF_TOKEN"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "check the network and HF_ENDPOINT"),
    ],
    ids=str,
)
def test_endpoint_and_token_come_from_the_environment(
    run: Run, hub: LocalHub, runs: Path, environment: dict[str, str], message: str
) -> None:
    refused = publish_as_a_user(run, runs / "few", "v1.0.0", **environment)
    assert refused.status == 1 and not refused.stdout, "before anything is checked"
    assert message in refused.stderr and len(refused.stderr.splitlines()) == 1, refused.stderr
    assert not hub.asked("POST", "/commit")


def test_without_personas_the_publisher_may_choose_the_licence(
    publish: Publish, run: Run, repo: str, hub: LocalHub, runs: Path
) -> None:
    done = publish(runs / "direct", "v1.0.0", "--license", "CC-BY-4.0")
    assert done.status == 0, done.stderr
    there, here = load(run, (repo, "v1.0.0"), (runs / "direct" / "dataset", "main"))
    assert there == here
    assert {row["method"] for row in there["default"]} == {"direct"} and "persona" not in there["default"][0]
    card = hub.repository(repo).blob("v1.0.0:README.md").decode()
    assert yaml.safe_load(card.split("---")[1])["license"] == "cc-by-4.0"
    assert "under **cc-by-4.0**, as its publisher states" in card


def test_problems_of_ones_own_are_published_as_what_they_are(
    publish: Publish, run: Run, repo: str, hub: LocalHub, runs: Path
) -> None:
    done = publish(runs / "own", "v1.0.0", "--license", "CC-BY-4.0")
    assert done.status == 0, done.stderr
    card = hub.repository(repo).blob("v1.0.0:README.md").decode()
    metadata = yaml.safe_load(card.split("---")[1])
    assert metadata["license"] == "cc-by-4.0" and metadata["source_datasets"] == ["original"]
    assert "made from problems of `shop` (the file `mine.csv`)\n" in card
    assert "as its publisher states. PersonaMath does not know the licence of the problems `shop`." in card
    assert not re.search("GSM8K|MATH", card.replace("PersonaMath", ""))
    rows = load(run, (repo, "v1.0.0"), only_default=True)[0]["default"]
    assert {(row["source"], row["subject"]) for row in rows} == {("shop", "Shopping")}
    assert {row["seed_id"] for row in rows} <= {f"shop-mine-{number:05}" for number in range(10)}


def test_simulated_data_is_published_on_request_says_so_and_is_compared_with_that_of_version_0_1_0(
    publish: Publish, run: Run, repo: str, hub: LocalHub, runs: Path, tmp_path: Path
) -> None:
    old = write_format_1(tmp_path / "old")
    done = publish(old, "v1.0.0", "--allow-simulated")
    assert done.status == 0, done.stderr
    there, here = load(run, (repo, "v1.0.0"), (old, "main"))
    assert there == here
    new = publish(runs / "simulated", "v1.1.0", "--allow-simulated")
    assert new.status == 0, new.stderr
    # The first problems of both are the same ones, asked of the same teacher with the same K1.
    (changed,) = re.findall(r"^\| `stage1_inference` .*\| +(\d+) \|$", new.stdout, re.MULTILINE)
    assert changed == "0"
    assert "do not train on this" in hub.repository(repo).blob("v1.1.0:README.md").decode()


def test_a_folder_that_was_tampered_with_is_refused(
    publish: Publish, hub: LocalHub, runs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    shutil.copytree(runs / "few" / "dataset", folder)
    notes = folder / "notes.txt"
    notes.write_text("not for the Hub")
    refused = publish(folder, "v1.0.0")
    assert refused.status == 1 and "notes.txt" in refused.stderr
    notes.unlink()
    for name in ("stage1_inference/train-sound.parquet", "provenance.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
        refused = publish(folder, "v1.0.0")
        assert refused.status == 1 and name in refused.stderr and len(refused.stderr.splitlines()) == 1
        (folder / name).write_bytes(whole)
    assert not hub.asked("POST", "/commit")
