"""provenance.json: what a folder came from, the same for the same journal, and nothing of the machine."""

import asyncio
import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import datasets
import pytest

from personamath.commands.demo_data import simulate
from personamath.errors import BadInput
from personamath.folder.layout import Layout
from personamath.folder.provenance import Origins, journal_digest, provenance, published_recipe
from personamath.journal.file_format import answer_sha256
from personamath.journal.store import Journal
from personamath.methods import PersonaMath
from personamath.methods.prompts import INFERENCE, REFLECTION
from personamath.recipe import Recipe
from personamath.records import Completion, Request
from personamath.sources.named import Sources
from personamath.sources.personas import read_personas
from personamath.teachers.simulated import bundled_problems
from tests.conftest import REPO
from tests.support import programs
from tests.support.folders import LAYOUT, RECIPE, funnel_of
from tests.support.local_hub import local_hub
from tests.support.local_hub.storage import Repository


def read(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "dataset" / "provenance.json").read_text()))


def test_a_run_is_described_by_what_it_read_and_what_it_was_answered(demo_run: Path) -> None:
    facts = read(demo_run)
    run = json.loads((demo_run / "run.json").read_text())
    assert facts["simulated"] is True
    assert facts["packages"] == run["versions"]
    assert {"python", "personamath", "aiohttp", "datasets", "huggingface_hub", "math-verify"} <= set(facts["packages"])
    assert facts["funnel"] == {name: run[name] for name in ("problems", "requests", "rows", "tokens", "answered_by")}
    assert facts["recipe"] | {"problems": 0} == run["recipe"] | {"problems": 0}
    assert facts["recipe"]["problems"] == ["gsm8k:gsm8k-demo.jsonl", "math:math-demo.jsonl"]
    for source, path in zip(facts["problems"], run["recipe"]["problems"], strict=True):
        content = Path(path.partition(":")[2]).read_bytes()
        assert (source["bytes"], source["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert source["package"].startswith("personamath ")
    for name, prompt in (("inference", INFERENCE), ("reflection", REFLECTION)):
        assert facts["prompts"][name]["sha256"] == hashlib.sha256(prompt.template.encode()).hexdigest()


def test_the_journals_digest_can_be_computed_from_its_file_alone(demo_run: Path) -> None:
    with closing(sqlite3.connect(demo_run / "journal.sqlite")) as connection:
        answers = connection.execute("select digest, finish_reason, text from answers").fetchall()
    expected = hashlib.sha256()
    for answer in sorted(answers):
        expected.update(hashlib.sha256("\n".join(answer).encode()).digest())
    assert read(demo_run)["journal"] == {"answers": len(answers), "sha256": expected.hexdigest()}


def test_answers_that_were_not_used_leave_no_trace_in_the_folder(demo_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(demo_run, run)
    with Journal(run) as journal:
        opinion = Request("Is this solution correct?", "another-teacher", 0.0, 100)
        asyncio.run(journal.put(opinion, Completion("Yes.", "stop")))
    simulate(run, bundled_problems(), PersonaMath())
    files = [path.relative_to(demo_run) for path in (demo_run / "dataset").rglob("*") if path.is_file()]
    assert all((run / file).read_bytes() == (demo_run / file).read_bytes() for file in files)
    with closing(sqlite3.connect(run / "journal.sqlite")) as connection:
        (held,) = connection.execute("select count(*) from answers").fetchone()
    assert read(run)["journal"]["answers"] == held - 1


def test_rows_are_counted_by_the_occupation_of_their_persona(demo_run: Path) -> None:
    occupations = {persona.description: persona.occupation for persona in read_personas("bundled")}
    counts: dict[str, int] = {}
    for row in datasets.load_dataset(str(demo_run / "dataset"), split="train"):
        if row["persona"]:
            occupation = str(occupations[row["persona"]])
            counts[occupation] = counts.get(occupation, 0) + 1
    assert read(demo_run)["personas"]["rows_by_occupation"] == counts


def test_nothing_tells_of_the_machine(demo_run: Path) -> None:
    for path in (demo_run / "dataset").rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            content = path.read_bytes()
            for secret in (str(demo_run), str(REPO), str(Path.home()) + "/"):
                assert secret.encode() not in content, path


def test_a_recipe_is_published_with_file_names_only() -> None:
    recipe = Recipe(
        problems=("gsm8k", "math:/home/me/mine.jsonl"), teacher="t", method=PersonaMath(personas="/home/me/people.txt")
    )
    published = published_recipe(recipe)
    assert published["problems"] == ["gsm8k", "math:mine.jsonl"]
    assert published["personas"] == "people.txt"
    pinned = {
        "personas": "owner/name@v1:config",
        "problems": ["gsm8k@v2", "me/sums@v3:q:a"],
        "benchmark": ["me/t@v4:q"],
    }
    on_hub = Recipe(
        problems=tuple(pinned["problems"]),
        teacher="t",
        method=PersonaMath(personas=str(pinned["personas"])),
        benchmark=tuple(pinned["benchmark"]),
    )
    assert {key: published_recipe(on_hub)[key] for key in pinned} == pinned


ANSWERS = [(f"question {number}", Completion(f"answer {number}", "stop", number, 2)) for number in range(20)]


def digest(answers: Sequence[tuple[str, Completion]]) -> dict[str, Any]:
    """The digest of the answers to these prompts."""

    def used() -> Iterator[tuple[str, bytes]]:
        for prompt, completion in answers:
            request = Request(prompt, "teacher-1", 0.7, 100).digest
            yield request, answer_sha256(request, completion.finish_reason, completion.text)

    return journal_digest(used())


def test_the_journals_digest_depends_on_every_answer_and_on_no_order_or_clock() -> None:
    one = digest(ANSWERS)
    assert one == digest(ANSWERS[::-1])
    assert one["answers"] == 20
    # Equal requests are asked, and so counted, once.
    assert one == digest([*ANSWERS, *ANSWERS[:7]])
    later = [(prompt, replace(completion, prompt_tokens=None)) for prompt, completion in ANSWERS]
    assert one == digest(later)
    others = [
        ANSWERS[:-1],
        [*ANSWERS[:-1], (ANSWERS[-1][0], Completion("answer 20", "stop"))],
        [*ANSWERS[:-1], (ANSWERS[-1][0], Completion("answer 19", "length"))],
        [*ANSWERS[:-1], ("another question", Completion("answer 19", "stop"))],
    ]
    digests = {digest(other)["sha256"] for other in others}
    assert len(digests | {one["sha256"]}) == 5


def test_a_folder_is_known_by_the_digest_of_its_files(tmp_path: Path) -> None:
    rows = [{"question": "1 + 1?", "answer": "2"}]
    found = []
    for name, saved in {"a": rows, "b": rows, "c": [*rows, *rows]}.items():
        datasets.Dataset.from_list(saved).save_to_disk(tmp_path / name / "train")
        (tmp_path / name / "train" / "state.json").write_text("{}")  # it holds a random fingerprint
        sources = Sources.parse([f"shop:{tmp_path / name / 'train'}:question:answer"], None, ())
        (origin,) = Origins.found(sources, ()).problems
        assert origin["source"] == "shop:train" and origin["bytes"] > 0
        found.append(origin["sha256"])
    assert found[0] == found[1] != found[2]


def test_a_file_is_known_by_its_digest_and_a_missing_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("A cook\n")
    recipe = Recipe(problems=(f"gsm8k:{tmp_path / 'gone.jsonl'}",), teacher="t", method=PersonaMath(personas=str(file)))
    with pytest.raises(BadInput, match=r"gone\.jsonl: No such file"):
        Origins.found(recipe.sources, [])
    recipe = replace(recipe, problems=(f"math:{file}",))
    origins = Origins.found(recipe.sources, [])
    known = {"sha256": hashlib.sha256(b"A cook\n").hexdigest(), "bytes": 7}
    assert origins.problems == [
        {"source": "math:mine.txt", "name": "math", "columns": ["problem", "solution"], "published_as": None} | known
    ]
    assert origins.personas == {"source": "mine.txt", "name": "mine.txt", "columns": ["persona"], "local": True} | known


def test_without_a_run_the_sources_are_named_and_nothing_is_claimed() -> None:
    recipe = Recipe(problems=("gsm8k", "math"), teacher="t", method=PersonaMath(personas="owner/name"))
    facts = provenance(recipe, funnel_of([]).as_dict(LAYOUT.outline), Origins.named(recipe), None, {})
    assert facts["problems"] == [
        {"source": "gsm8k", "name": "gsm8k", "columns": ["question", "answer"]},
        {"source": "math", "name": "math", "columns": ["problem", "solution"]},
    ]
    named = {"source": "owner/name", "name": "owner/name", "columns": ["persona"]}
    assert facts["personas"] == named | {"local": False, "rows_by_occupation": {}}
    assert facts["journal"] is None


ORIGINS = """
import json
from personamath.recipe import Recipe
from personamath.folder.provenance import Origins
from personamath.methods import PersonaMath
recipe = Recipe(problems=("gsm8k",), teacher="t", method=PersonaMath(personas="me/people"))
sources, _ = recipe.sources.resolved()
assert list(sources.problems[0].rows())
origins = Origins.found(sources, sources.personas.read())
print(json.dumps([origins.problems[0]["hub"], origins.personas["hub"], origins.benchmarks[0]["hub"]]))
assert origins.test_problems.overlap("2  + 2?") == "equal"
"""


@pytest.mark.slow
def test_a_source_on_the_hub_is_known_by_the_commit_that_was_read(tmp_path: Path) -> None:
    def origins(**environment: str) -> Any:
        done = programs.run(ORIGINS, environment=os.environ | environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    with local_hub(tmp_path / "hub") as hub:
        commits = {}
        for repo, config, row in (
            ("openai/gsm8k", "main", {"question": "1 + 1?", "answer": "#### 2"}),
            ("me/people", "default", {"persona": "A cook"}),
        ):
            repository = Repository.create(hub.root / "datasets" / f"{repo}.git", private=False)
            splits = "".join(f"  - split: {split}\n    path: {split}.jsonl\n" for split in ("train", "test"))
            card = f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{splits}---\n"
            tested = json.dumps(row).replace("1 + 1", "2 + 2").encode()
            files = [
                ("README.md", card.encode()),
                ("train.jsonl", json.dumps(row).encode()),
                ("test.jsonl", tested),
            ]
            commits[repo] = repository.commit(repository.resolve("main"), files, [], "data", "me")
        found = origins(HF_ENDPOINT=hub.endpoint, HF_HUB_OFFLINE="0")
        assert found == [
            [{"repo": "openai/gsm8k", "config": "main", "split": "train", "commit": commits["openai/gsm8k"]}],
            [{"repo": "me/people", "config": None, "split": "train", "commit": commits["me/people"]}],
            [{"repo": "openai/gsm8k", "config": "main", "split": "test", "commit": commits["openai/gsm8k"]}],
        ]
        # The Hub moves on; without the network the copy that is at hand is read, and its commit told.
        repository.commit(commits["me/people"], [("more.txt", b"more")], [], "more", "me")
        assert origins() == found


def test_a_file_of_test_problems_is_known_by_its_digest_and_not_by_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"problem": "What is 2 + 2?", "solution": "4"}) + "\n")
    problems = tmp_path / "math-mine.jsonl"
    problems.write_text(json.dumps({"problem": "What is 3 + 3?", "solution": r"\boxed{6}"}) + "\n")
    recipe = Recipe(problems=(f"math:{problems}",), teacher="t", benchmark=(f"math:{path}",))
    origins = Origins.found(recipe.sources, [])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    named = {"source": "math:test.jsonl", "name": "math", "columns": ["problem"], "column": "problem"}
    expected = named | {"sha256": digest, "bytes": path.stat().st_size}
    assert list(origins.benchmarks) == [expected]
    assert origins.test_problems and origins.test_problems.overlap("What is 3 + 3?") == "masked"
    assert published_recipe(recipe)["benchmark"] == ["math:test.jsonl"]
    assert Origins.found(replace(recipe, benchmark=()).sources, []).test_problems is None


def test_every_row_can_be_derived_again_as_the_documentation_tells(demo_run: Path) -> None:
    facts = read(demo_run)
    sources = {}
    for path in json.loads((demo_run / "run.json").read_text())["recipe"]["problems"]:
        lines = Path(path.partition(":")[2]).read_text().splitlines()
        sources[path.partition(":")[0]] = [json.loads(line) for line in lines]
    personas = (resources("personamath.sources.bundled") / "personas.jsonl").read_text(encoding="utf-8").splitlines()
    with closing(sqlite3.connect(demo_run / "journal.sqlite")) as connection:
        journal = {
            digest: answer
            for digest, *answer in connection.execute("select digest, request, sample, text from answers").fetchall()
        }
    rows = datasets.load_dataset(str(demo_run / "dataset"), split="train")
    assert len(rows) > 200
    for row in rows:
        seed = sources[row["source"]][int(row["seed_id"].rpartition("-")[2])]
        assert row["seed_problem"] == seed["question" if row["source"] == "gsm8k" else "problem"].strip()
        if row["persona"]:
            assert row["persona"] == json.loads(personas[int(row["id"].rpartition("/p")[2])])["persona"]
        request, sample, text = journal[row["request"]]
        assert row["request"] == hashlib.sha256(f"{request}\n{sample}".encode()).hexdigest()[:32]
        template = facts["prompts"]["inference" if row["stage"] == 1 else "reflection"]["text"]
        prompt = json.loads(request)["messages"][0]["content"]
        assert prompt.startswith(template.partition("{problem}")[0] + row["problem"])
        assert row["response"] in text and (row["review"] or "") in text


def test_the_documentation_names_every_column_and_config() -> None:
    text = (REPO / "docs" / "data.md").read_text()
    columns = [
        name
        for line in re.findall(r"^\| (`.*?) \| (?:string|int32)", text, re.M)
        for name in re.findall("`(.*?)`", line)
    ]
    assert columns == list(Layout(replace(RECIPE, keep_reasoning=True, preference=True).outline).columns)
    assert all(f"`{config}`" in text for config in LAYOUT.configs)
