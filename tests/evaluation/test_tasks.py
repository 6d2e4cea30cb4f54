"""The tasks without a model: their YAML, their datasets' own columns, their metrics and limits."""

import hashlib
import itertools
import json
import re
import subprocess
import sys
from math import comb
from pathlib import Path
from typing import Any

import datasets
import pytest
from huggingface_hub import constants
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml

from personamath.answers.symbolic import SymbolicWorker
from personamath.errors import BadInput
from personamath.evaluation.scores import ScoredModel
from personamath.evaluation.tasks import FOLDER, metrics, sources
from personamath.evaluation.tasks.data import HubData, fingerprint, load
from personamath.evaluation.tasks.model import Room, model_of, room_of
from personamath.sources.tables import read_file
from personamath.training.prompts import ALPACA, PAPER_EVALUATION, STOP
from tests.conftest import REPO
from tests.support import programs
from tests.support.model_folders import LOCAL
from tests.support.task_files import ROWS, write_files
from tests.support.tiny_eval import EOS, write_model

CONFIGS = {path.stem: load_yaml(path) for path in sorted(FOLDER.glob("*.yaml"))}
TASKS = {name: config for name, config in CONFIGS.items() if "group" not in config}
GROUPS = {name: config for name, config in CONFIGS.items() if "group" in config}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_stops_at_eos_and_the_next_instruction_only(name: str) -> None:
    settings = TASKS[name]["generation_kwargs"]
    sampled = {"do_sample": True, "temperature": 0.7}
    how = sampled if name.endswith("_maj8") else {"do_sample": False, "temperature": 0.0}
    assert settings == {"until": [STOP], "max_gen_toks": 4096, **how}
    assert TASKS[name]["num_fewshot"] == 0


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_version_pinned_data_and_a_line_in_the_documentation(name: str) -> None:
    config = TASKS[name]
    assert re.fullmatch(r"[0-9a-f]{40}", config["dataset_kwargs"]["revision"])
    assert config["metadata"]["version"] >= 1 and config["task"] == f"personamath_{name}"
    documented = (REPO / "docs/evaluation.md").read_text()
    assert f"| `{config['task']}` |" in documented and config["dataset_path"] in documented
    assert config["dataset_kwargs"]["revision"] in documented


@pytest.mark.slow
def test_lm_eval_finds_and_validates_every_task() -> None:
    names = ",".join(config.get("group") or config["task"] for config in CONFIGS.values())
    done = programs.run("lm_eval", "validate", "--tasks", names, "--include_path", FOLDER, kind="training")
    assert done.returncode == 0 and "All tasks found and valid" in done.stdout, done.stdout + done.stderr[-2000:]


def test_every_task_is_in_a_group_or_a_variant_of_one_that_is() -> None:
    members = [member for group in GROUPS.values() for member in group["task"]]
    variants = [config["task"] for name, config in TASKS.items() if name.endswith(("_paper", "_maj8", "_pot"))]
    assert {config["metadata"]["data_set"] for config in TASKS.values()} == set(sources.DATA_SETS)
    assert sorted(members + variants) == sorted(config["task"] for config in TASKS.values())


@pytest.mark.parametrize("name", TASKS)
def test_rows_in_a_data_sets_own_columns_become_problems(name: str) -> None:
    rows, expected = ROWS[TASKS[name]["metadata"]["data_set"]]
    assert TASKS[name]["process_docs"](rows) == expected


@pytest.mark.parametrize(
    ("value", "written"),
    [("1,234", "1234"), ("025", "25"), ("-0.50", "-0.5"), ("1000", "1000"), ("0", "0"), ("000", "0"), ("0.0", "0"),
     (7.0, "7"), (1e20, "1" + 20 * "0"), (-3.25, "-3.25"), (1e-5, "0.00001"), ("10.", "10"), ("3/4", "3/4"),
     (5, "5"), (" 12 ", "12")],
)  # fmt: skip
def test_references_are_written_as_numbers_are(value: str | float, written: str) -> None:
    assert sources.number(value) == written


@pytest.mark.parametrize("name", ["gsm8k", "math"])
def test_the_real_test_sets_are_those_the_tasks_are_for(data: Path, name: str) -> None:
    metadata = TASKS[name]["metadata"]
    docs = TASKS[name]["process_docs"]([row.values for row in read_file(data / name / "test.jsonl")])
    assert len(docs) == metadata["problems"]
    assert fingerprint(docs) == metadata["fingerprint"] == fingerprint(docs[::-1])
    assert all(doc["question"] and doc["answer"] for doc in docs)
    changed = [{**docs[0], "answer": "0"}, *docs[1:]]
    assert fingerprint(changed) != metadata["fingerprint"]


def test_every_task_loads_from_local_files_wherever_lm_eval_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    manager = TaskManager(
        include_path=str(FOLDER), include_defaults=False, metadata={"files": write_files(tmp_path / "data")}
    )
    names = [config["task"] for config in TASKS.values()]
    loaded = manager.load(names)["tasks"]
    assert sorted(loaded) == sorted(names)
    for name, task in loaded.items():
        facts = task.dump_config()["metadata"]["personamath"]
        assert facts["data"]["local"] and len(task.eval_docs) > 0
        assert facts["prompt"] == (PAPER_EVALUATION if name.endswith("_paper") else ALPACA)
        assert task.doc_to_text(task.eval_docs[0]).endswith(facts["prompt"].rpartition("}")[2])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ('{"question": "?"}\n', "not the columns of gsm8k"),
        ('{"question": null, "answer": "#### 1"}\n', "not the columns of gsm8k"),
        ('{"question"', "not a complete line"),
        ("\n", "contains no rows"),
    ],
)
def test_a_file_that_cannot_be_scored_on_ends_lm_eval_with_one_line(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "mine.jsonl"
    if content is not None:
        file.write_text(content)
    manager = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata={"files": {"gsm8k": str(file)}})
    with pytest.raises(SystemExit) as ended:
        manager.load(["personamath_gsm8k"])
    message = str(ended.value)
    assert message.startswith(f"personamath: {file}") and said in message and "\n" not in message


@pytest.mark.parametrize("files", [{"gsm8": "test.jsonl"}, "test.jsonl"])
def test_a_name_that_is_no_data_set_is_said(files: Any) -> None:
    with pytest.raises(BadInput, match="one of gsm8k, gsm8k_platinum, math, "):
        load("gsm8k", sources.gsm8k, HubData("openai/gsm8k", ["main"], "test", "0" * 40), files)


def test_a_question_without_its_four_choices_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mmlu.jsonl"
    row = ROWS["mmlu_stem"][0][0]
    for wrong in ({"choices": ["1", "2"]}, {"answer": 7}):
        file.write_text(json.dumps(row | wrong))
        with pytest.raises(BadInput, match="not the columns of mmlu_stem"):
            load("mmlu_stem", sources.mmlu_stem, HubData("cais/mmlu", ["all"], "test", ""), {"mmlu_stem": str(file)})


def test_without_network_and_file_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadInput) as error:
        load("gsm8k", sources.gsm8k, HubData("openai/gsm8k", ["main"], "test", "0" * 40), {})
    message = str(error.value)
    assert """--metadata '{"files": {"gsm8k": "PATH"}}'""" in message and "\n" not in message


@pytest.mark.slow
def test_the_tasks_and_the_scores_need_neither_torch_nor_lm_eval() -> None:
    modules = [f"personamath.evaluation.tasks.{path.stem}" for path in FOLDER.glob("*.py") if path.stem != "harness"]
    script = (
        f"import sys, {', '.join(modules)}, personamath.evaluation.scores, personamath.commands.scores\n"
        "print({'torch', 'lm_eval', 'transformers', 'datasets', 'personamath.teachers.http'} & set(sys.modules))\n"
        "import personamath.evaluation.tasks.harness\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["set()", "False"]


def test_the_paper_metric_gives_the_released_graders_verdicts(data: Path) -> None:
    of = {"gsm8k": metrics.word_problem, "math": metrics.competition_problem}
    # tests/answers/test_paper.py has the grader itself give all of them.
    rows = [row.values for row in read_file(data / "answers/paper_verdicts.jsonl")][::3]
    found = [of[row["dataset"]]({"answer": row["gold"]}, [row["output"]])["paper"] for row in rows]
    assert found == [float(row["original_correct"]) for row in rows]


DOC = {"answer": r"\frac{1}{2}"}


@pytest.mark.parametrize(
    ("completion", "right", "verified", "paper", "boxed"),
    [
        (r"So it is $\boxed{\frac{1}{2}}$.", 1, 1, 1, 1),
        (r"So it is $\boxed{0.50}$.", 1, 1, 0, 1),
        (r"So it is $\frac{1}{2}$.", 0, 1, 0, 0),  # math-verify takes an answer without a box
        ("So it is 0.5", 0, 1, 0, 0),
        (r"So it is $\boxed{2}$.", 0, 0, 0, 1),
        (r"So it is $\boxed{\frac{1}{2}", 0, 0, 0, 0),
        ("", 0, 0, 0, 0),
    ],
)
def test_what_a_completion_gets(completion: str, right: int, verified: int, paper: int, boxed: int) -> None:
    expected = {"exact_match": right, "math_verify": verified, "paper": paper, "boxed": boxed}
    found = metrics.competition_problem(DOC, [completion])
    if completion.endswith("2}"):  # what math-verify reads out of an open box is its own affair
        found["math_verify"] = verified
    assert found == expected


@pytest.mark.slow
def test_math_verify_is_stopped_where_it_would_not_end() -> None:
    worker = SymbolicWorker(task="completion")
    try:
        assert worker.compare("6", r"$\boxed{6}$") == "equal"
        assert worker.compare("6", r"$\boxed{\sum_{k=1}^{3} \sinh(10^{10})}$") == "timed out"
        assert worker.compare("6", r"It is $\boxed{6}$.") == "equal"
    finally:
        worker.close()


CHOICES = ["2", r"\frac{1}{2}", "0.5", "no solution"]


@pytest.mark.parametrize(
    ("boxed", "letter"),
    [("B", "B"), ("(D)", "D"), (r"\text{A}", "A"), ("2", "A"), (r"\text{no solution}", "D"), ("7", None), ("", None),
     (r"\frac12", None)],
)  # fmt: skip
def test_a_choice_is_picked_by_its_letter_or_by_its_text_alone(boxed: str, letter: str | None) -> None:
    assert metrics.picked(boxed, CHOICES) == letter
    doc = {"answer": letter or "A", "choices": CHOICES}
    assert metrics.multiple_choice(doc, [rf"It is \boxed{{{boxed}}}"])["exact_match"] == (letter is not None)


def boxes(*answers: str | None) -> list[str]:
    return ["no answer" if answer is None else rf"\boxed{{{answer}}}" for answer in answers]


@pytest.mark.parametrize(
    ("answers", "maj", "right"),
    [
        (("1", "2", "1", "2", "1", "3", "4", "5"), 0, 0),
        (("0.5", r"\frac12", "1", "1", "50\\%", "3", "4", "5"), 1, 3),  # one answer in three forms outvotes two
        (("1", "1", "0.5", "0.5", None, None, None, None), 0, 2),  # of equal votes the first; none is no vote
        (("0.5", "1", None, None, None, None, None, None), 1, 1),
        ((None,) * 8, 0, 0),
    ],
)
def test_a_majority_is_of_equivalent_answers(answers: tuple[str | None, ...], maj: int, right: int) -> None:
    found = metrics.vote(DOC, boxes(*answers))
    boxed = sum(answer is not None for answer in answers)
    assert found == {"maj@8": maj, "pass@8": float(right > 0), "pass@1": right / 8, "boxed": boxed / 8}


@pytest.mark.parametrize(("k", "right", "of"), [(1, 3, 8), (2, 3, 8), (8, 1, 8), (4, 0, 9), (3, 7, 8), (2, 2, 5)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(k: int, right: int, of: int) -> None:
    draws = list(itertools.combinations([True] * right + [False] * (of - right), k))
    assert len(draws) == comb(of, k)
    assert metrics.pass_at(k, right=right, of=of) == pytest.approx(sum(map(any, draws)) / len(draws))


@pytest.mark.parametrize(
    ("context", "prompt", "limit"),
    [(8192, 300, 4096), (4096, 300, 3584), (4096, 700, 3072), (2048, 300, 1536), (512, 100, 384), (512, 505, 64)],
)
def test_a_completion_is_given_what_the_context_leaves(context: int, prompt: int, limit: int) -> None:
    room = Room(context, len)
    assert room.limit("x" * prompt, 4096) == limit
    assert limit < context and (prompt + limit < context or limit == context // 8)
    assert room.limit("x" * prompt, 32) == 32


def test_where_nothing_is_known_of_the_model_nothing_is_fitted_or_guessed() -> None:
    address = "http://127.0.0.1:1/v1/completions"
    room = room_of({"model": "gpt-unknown", "base_url": address, "tokenizer_backend": "none"})
    assert (room.context, room.count) == (2047, None)
    assert room.limit("x" * 9000, 4096) == 4096 and room.stopped("x", 4096) is None


def test_a_completion_that_fills_its_limit_did_not_stop() -> None:
    room = Room(512, len)
    assert room.stopped("x" * 60, 64) is True
    assert room.stopped("x" * 64, 64) is False and room.stopped("x" * 63, 64) is False


def test_the_room_of_a_model_is_its_own_and_no_more_than_was_asked_for(tmp_path: Path) -> None:
    folder = str(write_model(tmp_path, {":": ["yes"]}, context=777))
    arguments: dict[str, Any] = {"pretrained": folder}
    room = room_of(arguments)
    assert room.context == 777 and room.count is not None and room.count("yes:") == 2
    assert room_of(arguments | {"max_length": 300}).context == 300
    assert room_of(arguments | {"max_model_len": 200}).context == 200
    served = {"model": folder, "base_url": "http://127.0.0.1:1/v1/completions"}
    assert room_of(served).context == 2047 and room_of(served | {"max_length": 777}).context == 776
    assert room.count(EOS) == 1


def test_the_model_is_named_and_a_folder_known_by_its_training(tmp_path: Path) -> None:
    folder = tmp_path / "PersonaMath-tiny"
    folder.mkdir()
    assert model_of({"pretrained": str(folder)}) == ScoredModel("PersonaMath-tiny", None, None, local=True)
    LOCAL.write(folder)
    digest = hashlib.sha256((folder / "training.json").read_bytes()).hexdigest()
    assert model_of({"pretrained": "base/model", "peft": str(folder)}).training_record == digest
    hub = {"pretrained": "me/Model", "revision": "v1.0.0"}
    assert model_of(hub) == ScoredModel("me/Model", "v1.0.0", None, local=False)
    assert model_of({}).name == "unknown"


def test_the_command_prints_the_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "personamath.commands.cli", "tasks"], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == FOLDER
