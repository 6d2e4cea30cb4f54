"""`personamath publish` and `personamath diff` as a user runs them, against a local Hub."""

import csv
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from personamath.commands.cli import main
from personamath.folder.marks import fingerprint
from personamath.folder.reading import read_rows
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import scripted_teacher
from tests.support.folders import write_format_1
from tests.support.hub_process import Run, runner
from tests.support.local_hub import LocalHub, local_hub

pytestmark = pytest.mark.slow

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
    for model, name, method, k1 in (
        ("teacher-1", "few", "persona", 2),
        ("teacher-1", "more", "persona", 3),
        ("teacher-1", "direct", "direct", 2),
        ("teacher-1", "own", "direct", 1),
        (MODEL, "simulated", "persona", 2),
    ):
        problems = ["--problems", own_problems(folder)] if name == "own" else PROBLEMS
        with scripted_teacher(*PROBLEMS, "--model", model) as teacher:
            flags = ["--teacher", model, "--base-url", teacher.base_url]
            flags += ["--method", method, "--k1", str(k1), "--k2", "4"]
            assert main(["augment", *problems, *flags, "--output", str(folder / name)]) == 0
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with local_hub(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def run(hub: LocalHub, tmp_path: Path) -> Run:
    return runner(hub, tmp_path)


def publish(run: Run, source: Path, version: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = ("-m", "personamath.commands.cli", "publish", source, "--repo-id", REPO, "--version", version, *flags)
    return run(*arguments, **environment)


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
    """A Hub with versions on it, which tests only look at and fail to change."""

    hub: LocalHub
    run: Run
    said: list[str]
    """What the command printed, by version."""


@contextmanager
def published(folder: Path, runs: Path, **versions: str) -> Iterator[Published]:
    """A Hub with `few` as v1.0.0, in a collection, and with the run of each further version."""
    with local_hub(folder / "hub") as hub:
        hub.collections["alice/math-0123"] = []
        run, said = runner(hub, folder), []
        for version, name in ({"v1.0.0": "few"} | versions).items():
            done = publish(run, runs / name, version, *(["--collection", "alice/math-0123"] * (version == "v1.0.0")))
            assert done.returncode == 0, done.stderr
            said.append(done.stdout)
        yield Published(hub, run, said)


@pytest.fixture(scope="module")
def one_version(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with published(tmp_path_factory.mktemp("one"), runs) as there:
        yield there


@pytest.fixture(scope="module")
def two_versions(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with published(tmp_path_factory.mktemp("two"), runs, **{"v1.1.0": "more"}) as there:
        yield there


@pytest.fixture(scope="module")
def loaded(two_versions: Published, runs: Path) -> list[Rows]:
    """What `datasets` loads of the two versions."""
    return load(two_versions.run, (REPO, "v1.0.0"), (REPO, "v1.1.0"))


def test_a_version_is_what_its_run_made_and_stays_so(two_versions: Published, loaded: list[Rows], runs: Path) -> None:
    assert "v1.0.0 is published" in two_versions.said[0]
    assert two_versions.hub.collections["alice/math-0123"] == [{"id": REPO, "type": "dataset"}]
    assert loaded == load(two_versions.run, *((runs / name / "dataset", "main") for name in ("few", "more")))
    for there in loaded:
        assert len(there) == 10 and all(there.values())
    # The Hub's own first commit, and one for each version.
    assert len(two_versions.hub.repository(REPO).log("main")) == 1 + 2


def test_the_same_command_again_does_nothing_and_other_content_is_refused(two_versions: Published, runs: Path) -> None:
    hub, run = two_versions.hub, two_versions.run
    commits = hub.repository(REPO).log("main")
    hub.requests.clear()
    again = publish(run, runs / "few", "v1.0.0")
    assert again.returncode == 0 and "was already published" in again.stdout
    other = publish(run, runs / "more", "v1.0.0")
    assert other.returncode == 1
    assert "with other content" in other.stderr and "6 changed (README.md" in other.stderr
    assert hub.repository(REPO).log("main") == commits
    assert hub.asked("POST", "/commit") == hub.asked("POST", "/lfs") == 0


def test_the_card_on_the_hub_names_its_version_and_what_changed(two_versions: Published, loaded: list[Rows]) -> None:
    repository = two_versions.hub.repository(REPO)
    first, second = (repository.blob(f"{version}:README.md").decode() for version in ("v1.0.0", "v1.1.0"))
    assert f'load_dataset("{REPO}", "default", revision="v1.0.0"' in first and "This is the first version" in first
    assert "`v1.1.0` against `v1.0.0`" in second
    less, more = loaded
    added = len(more["stage1_rewrite"]) - len(less["stage1_rewrite"])
    assert f"| {added} | 0 | 0 |" in " ".join(second.split())
    assert yaml.safe_load(second.split("---")[1])["license"] == "apache-2.0"


def test_a_dry_run_shows_what_would_change_and_uploads_nothing(one_version: Published, runs: Path) -> None:
    hub = one_version.hub
    hub.requests.clear()
    dry = publish(one_version.run, runs / "more", "v1.1.0", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "`v1.1.0` against `v1.0.0`" in dry.stdout and "bytes  README.md" in dry.stdout
    assert not hub.asked("POST", "/(commit|preupload|create)")


def test_only_rows_marked_good_are_published(run: Run, runs: Path, tmp_path: Path) -> None:
    rows = read_rows(runs / "few" / "dataset")
    marks = tmp_path / "marks.jsonl"
    good = {row.id for row in rows[:-1:2]}
    lines = [{"id": row.id, "mark": "good" if row.id in good else "bad", "row": fingerprint(row)} for row in rows[:-1]]
    marks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    published = publish(run, runs / "few", "v1.0.0", "--only-marked", str(marks))
    assert published.returncode == 0, published.stderr
    assert f"only rows marked good: {len(good)} of {len(rows)}; left out by hand:" in published.stdout
    (there,) = load(run, (REPO, "v1.0.0"), only_default=True)
    assert {row["id"] for row in there["default"]} == good
    marks.write_text(json.dumps({"id": "gsm8k-train-99999", "mark": "good", "row": ""}))
    refused = publish(run, runs / "few", "v1.1.0", "--only-marked", str(marks), "--dry-run")
    assert refused.returncode == 1 and "line 1: the dataset has no row 'gsm8k-train-99999'" in refused.stderr


def test_a_dry_run_refuses_what_publishing_would(one_version: Published, runs: Path) -> None:
    refused = publish(one_version.run, runs / "more", "v1.0.0", "--dry-run")
    assert refused.returncode == 1 and "choose another version" in refused.stderr


def test_versions_only_grow_so_that_a_published_one_stays_the_same(two_versions: Published, runs: Path) -> None:
    between = publish(two_versions.run, runs / "few", "v1.0.1")
    assert between.returncode == 1 and "choose a higher version" in between.stderr
    assert "was already published" in publish(two_versions.run, runs / "more", "v1.1.0").stdout


def test_diff_compares_versions_and_folders(one_version: Published, runs: Path) -> None:
    run = one_version.run
    found = run("-m", "personamath.commands.cli", "diff", f"{REPO}@v1.0.0", runs / "more")
    assert found.returncode == 0, found.stderr
    same = run("-m", "personamath.commands.cli", "diff", f"{REPO}@v1.0.0", runs / "few" / "dataset")
    assert "The composition is the same." in same.stdout and "The composition is the same." not in found.stdout


def test_a_private_repository_is_private(run: Run, hub: LocalHub, runs: Path) -> None:
    assert publish(run, runs / "few", "v1.0.0", "--private").returncode == 0
    assert publish(run, runs / "few", "v1.0.0", HF_TOKEN="hf_bob").returncode == 1
    (there,) = load(run, (REPO, "v1.0.0"), only_default=True)
    assert there["default"]


REFUSED = [
    (["few", "v1.0.0"], {"HF_TOKEN": ""}, "there is no token: set HF_TOKEN"),
    (["few", "v1.0.0"], {"HF_TOKEN": "hf_nobody"}, "does not accept the token"),
    (["few", "v1.0.0"], {"HF_TOKEN": "hf_bob"}, "may not write for alice"),
    (["few", "v1.0.0"], {"HF_ENDPOINT": "http://127.0.0.1:9"}, "check the network and HF_ENDPOINT"),
    (["few", "1.0"], {}, "write it as vMAJOR.MINOR.PATCH"),
    (["few", "v1.0.0", "--license", "mit"], {}, "contradicts the personas' licence, apache-2.0"),
    (["own", "v1.0.0"], {}, "the licence of the problems shop (the file mine.csv) is unknown: state the dataset's"),
    (["simulated", "v1.0.0"], {}, "--allow-simulated"),
    (["nowhere", "v1.0.0"], {}, "not a run directory or a dataset folder"),
    (["nowhere", "1.0"], {}, "write it as vMAJOR.MINOR.PATCH"),
    (["nowhere", "v1.0.0", "--repo-id", "x"], {}, "'x': write it as OWNER/NAME"),
    (["nowhere", "v1.0.0", "--repo-id", "me/a b"], {}, "'me/a b': write it as OWNER/NAME"),
]


@pytest.fixture(scope="module")
def empty_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with local_hub(tmp_path_factory.mktemp("empty")) as hub:
        yield hub


@pytest.mark.parametrize(("arguments", "environment", "message"), REFUSED)
def test_what_cannot_be_published_is_refused_in_one_line(
    empty_hub: LocalHub,
    runs: Path,
    tmp_path: Path,
    arguments: list[str],
    environment: dict[str, str],
    message: str,
) -> None:
    source, version, *flags = arguments
    refused = publish(runner(empty_hub, tmp_path), runs / source, version, *flags, **environment)
    assert refused.returncode == 1
    assert message in refused.stderr and len(refused.stderr.splitlines()) == 1, refused.stderr
    assert not empty_hub.asked("POST", "/commit")


def test_simulated_data_is_published_on_request_and_says_so(run: Run, hub: LocalHub, runs: Path) -> None:
    assert publish(run, runs / "simulated", "v1.0.0", "--allow-simulated").returncode == 0
    assert "do not train on this" in hub.repository(REPO).blob("v1.0.0:README.md").decode()


def test_without_personas_the_publisher_may_choose_the_licence(run: Run, hub: LocalHub, runs: Path) -> None:
    done = publish(run, runs / "direct", "v1.0.0", "--license", "CC-BY-4.0")
    assert done.returncode == 0, done.stderr
    there, here = load(run, (REPO, "v1.0.0"), (runs / "direct" / "dataset", "main"))
    assert there == here
    assert {row["method"] for row in there["default"]} == {"direct"} and "persona" not in there["default"][0]
    card = hub.repository(REPO).blob("v1.0.0:README.md").decode()
    assert yaml.safe_load(card.split("---")[1])["license"] == "cc-by-4.0"
    assert "under **cc-by-4.0**, as its publisher states" in card


def test_problems_of_ones_own_are_published_as_what_they_are(run: Run, hub: LocalHub, runs: Path) -> None:
    done = publish(run, runs / "own", "v1.0.0", "--license", "CC-BY-4.0")
    assert done.returncode == 0, done.stderr
    card = hub.repository(REPO).blob("v1.0.0:README.md").decode()
    metadata = yaml.safe_load(card.split("---")[1])
    assert metadata["license"] == "cc-by-4.0" and metadata["source_datasets"] == ["original"]
    assert "made from problems of `shop` (the file `mine.csv`)\n" in card
    assert "as its publisher states. PersonaMath does not know the licence of the problems `shop`." in card
    assert not re.search("GSM8K|MATH", card.replace("PersonaMath", ""))
    rows = load(run, (REPO, "v1.0.0"), only_default=True)[0]["default"]
    assert {(row["source"], row["subject"]) for row in rows} == {("shop", "Shopping")}
    assert {row["seed_id"] for row in rows} <= {f"shop-mine-{number:05}" for number in range(10)}


def test_a_dataset_of_version_0_1_0_is_published_and_compared_with_todays(
    run: Run, hub: LocalHub, runs: Path, tmp_path: Path
) -> None:
    old = write_format_1(tmp_path / "old")
    done = publish(run, old, "v1.0.0", "--allow-simulated")
    assert done.returncode == 0, done.stderr
    there, here = load(run, (REPO, "v1.0.0"), (old, "main"))
    assert there == here
    new = publish(run, runs / "simulated", "v1.1.0", "--allow-simulated")
    assert new.returncode == 0, new.stderr
    # The first problems of both are the same ones, asked of the same teacher with the same K1.
    (changed,) = re.findall(r"^\| `stage1_inference` .*\| +(\d+) \|$", new.stdout, re.MULTILINE)
    assert changed == "0"


def test_a_folder_that_was_tampered_with_is_refused(run: Run, hub: LocalHub, runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    subprocess.run(["cp", "-r", runs / "few" / "dataset", folder], check=True)
    notes = folder / "notes.txt"
    notes.write_text("not for the Hub")
    refused = publish(run, folder, "v1.0.0")
    assert refused.returncode == 1 and "notes.txt" in refused.stderr
    notes.unlink()
    for name in ("stage1_inference/train-sound.parquet", "provenance.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
        refused = publish(run, folder, "v1.0.0")
        assert refused.returncode == 1 and name in refused.stderr and len(refused.stderr.splitlines()) == 1
        (folder / name).write_bytes(whole)
    assert not hub.asked("POST", "/commit")
