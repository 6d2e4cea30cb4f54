"""Problems, personas and test problems from a Hub that changes between the beginning of a run and its end."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher
from tests.support import programs
from tests.support.hub_data import commit, dataset
from tests.support.local_hub import LocalHub, local_hub

Start = Callable[..., ScriptedTeacher]
GSM8K = bundled_problems()[0]
ROWS = [json.loads(line) for line in Path(GSM8K.partition(":")[2]).read_text(encoding="utf-8").splitlines()[:4]]
PROBLEMS, PEOPLE, TESTS = "me/sums:task:result", "me/people", "me/tests:task"


def lines(*rows: Mapping[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def both_splits(*rows: Mapping[str, Any]) -> dict[str, str]:
    return {f"default-{split}.jsonl": lines(*rows) for split in ("train", "test")}


def sums(*numbers: int) -> dict[str, str]:
    """The files of the problems with these numbers, in columns of their own."""
    return both_splits(*({"task": ROWS[number]["question"], "result": ROWS[number]["answer"]} for number in numbers))


def people(*names: str) -> dict[str, str]:
    return both_splits(*({"persona": f"A {name}"} for name in names))


class Run:
    """A run directory, and the command that fills it from a local Hub."""

    def __init__(self, hub: LocalHub, teacher: ScriptedTeacher, folder: Path) -> None:
        self.hub = hub
        self.folder = folder
        self._teacher = teacher
        self.first = {
            repo: dataset(hub, repo, {"default": ["1 + 1?"]}) for repo in ("me/sums", "me/people", "me/tests")
        }
        self.first["me/sums"] = commit(hub, "me/sums", sums(0, 1, 2))
        self.first["me/people"] = commit(hub, "me/people", people("cook", "pilot", "baker"))

    def __call__(self, *flags: str, problems: str = PROBLEMS, personas: str = PEOPLE, command: str = "augment") -> str:
        """Run to the end and return what was said, or the error."""
        named = ["--problems", problems, "--personas", personas, "--benchmark", TESTS, "--k1", "1", "--k2", "2"]
        asked = ["--teacher", MODEL, "--base-url", self._teacher.base_url, "--output", str(self.folder)]
        env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
        arguments = (command, *named, *asked, *flags)
        done = programs.run(programs.CLI, *arguments, environment=env | {"HF_ENDPOINT": self.hub.endpoint})
        assert done.returncode == 0 or "--replace" in done.stderr, done.stderr
        return done.stderr.splitlines()[-1] if done.returncode else done.stderr

    def change(self, repo: str, files: Mapping[str, str]) -> str:
        return commit(self.hub, repo, files)

    def cut(self) -> None:
        """Leave what a run leaves that was killed while it asked."""
        (self.folder / "run.json").unlink()
        shutil.rmtree(self.folder / "dataset")

    def provenance(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "dataset" / "provenance.json").read_text()))

    def commits(self) -> list[str]:
        """The commits of its problems, personas and benchmarks."""
        facts = self.provenance()
        return [one["hub"][0]["commit"] for one in (*facts["problems"], facts["personas"], *facts["benchmarks"])]


@pytest.fixture
def run(start_teacher: Start, tmp_path: Path) -> Iterator[Run]:
    with local_hub(tmp_path / "hub") as hub:
        yield Run(hub, start_teacher("--problems", GSM8K), tmp_path / "run")


def test_a_run_records_the_commits_and_is_the_same_with_pins(run: Run) -> None:
    said = run()
    assert f"note: me/sums: main is commit {run.first['me/sums']}\n" in said
    assert run.commits() == list(run.first.values())
    facts = run.provenance()
    assert facts["problems"][0]["name"] == "sums" and facts["problems"][0]["columns"] == ["task", "result"]
    assert set(facts["used"]) == {"problems", "personas", "benchmarks"}
    assert facts["recipe"]["problems"] == [PROBLEMS]
    # The Hub moves on in every way; the run at its pins is the same recipe, and asks for nothing.
    run.change("me/sums", sums(1, 3))
    run.change("me/people", people("sailor", "nurse"))
    pinned = {"problems": f"me/sums@{run.first['me/sums']}:task:result", "personas": f"{PEOPLE}@{run.first[PEOPLE]}"}
    assert "note: me/sums" not in run(**pinned)
    assert run.commits() == list(run.first.values())
    assert run.provenance()["recipe"]["problems"] == [pinned["problems"]]
    assert run.provenance()["recipe"]["personas"] == pinned["personas"]
    assert run.provenance()["journal"] == facts["journal"] and run.provenance()["used"] == facts["used"]


def test_a_new_commit_that_changes_no_row_that_is_used_is_no_change(run: Run) -> None:
    run()
    repository = run.hub.repository("me/sums")
    readme = repository.blob(repository.files("main")["README.md"].oid).decode()
    newest = run.change("me/sums", {"README.md": readme + "\nMore words.\n"})
    run()
    assert run.commits()[0] == newest
    run.cut()
    newest = run.change("me/sums", {"README.md": readme + "\nEven more words.\n"})
    run()
    assert run.commits()[0] == newest


def test_a_run_that_goes_on_refuses_other_rows_and_names_the_pin(run: Run) -> None:
    run()
    changes = [
        ("me/sums", sums(0, 1, 3), sums(0, 1, 2), "problems", "me/sums@{}:task:result"),
        ("me/people", people("cook", "pilot", "sailor"), people("cook", "pilot", "baker"), "personas", "me/people@{}"),
        (
            "me/tests",
            both_splits({"task": "2 + 2?"}),
            both_splits({"task": "1 + 1?"}),
            "benchmarks",
            "me/tests@{}:task",
        ),
    ]
    before = run.first
    for repo, files, same, kind, pin in changes:
        old, new = before[repo], run.change(repo, files)
        changed, pinned = f"{repo} was at commit {old}, is at {new}", pin.format(old)
        assert (
            f"contains the dataset of another recipe (the {kind} have changed; {changed}): to keep it, name {pinned}; "
            "or use another output, or replace that dataset with --replace"
        ) in run()
        run.change(repo, same)
    run.cut()
    for repo, files, same, _, pin in changes:
        old, new = before[repo], run.change(repo, files)
        changed, pinned = f"{repo} was at commit {old}, is at {new}", pin.format(old)
        assert (
            f"the Hub has other data than when this run began: {changed}; to go on with what the run began with, name "
            f"{pinned}; to use what is there now, give --replace"
        ) in run()
        run.change(repo, same)
    newest = [run.change(repo, files) for repo, files, *_ in changes]
    run("--replace")
    assert run.commits() == newest


def test_a_pilot_begins_a_run_and_a_tag_or_a_commit_of_the_same_rows_goes_on_with_it(run: Run) -> None:
    run("--pilot", "1", command="plan")
    old, repository = run.first["me/sums"], run.hub.repository("me/sums")
    repository.git("update-ref", "refs/tags/v1", old)
    run.change("me/sums", sums(0, 3))
    assert "the Hub has other data than when this run began: me/sums was at commit" in run()
    run(problems="me/sums@v1:task:result")
    assert run.commits()[0] == old
    run(problems=f"me/sums@{old}:task:result")
    # A tag that moves is a change, too.
    new = run.change("me/sums", sums(3))
    repository.git("update-ref", "refs/tags/v1", new)
    assert f"me/sums was at commit {old}, is at {new}" in run(problems="me/sums@v1:task:result")


def test_another_recipe_in_a_directory_without_a_dataset_is_no_change(run: Run) -> None:
    run("--limit", "1")
    run.cut()
    run.change("me/sums", sums(3, 2))
    run("--limit", "2")
    run.cut()
    run("--limit", "2", problems=f"shop:{PROBLEMS}")
    assert run.provenance()["problems"][0]["name"] == "shop"
