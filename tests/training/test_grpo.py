"""Reinforcement learning, part by part: keys, problems, pass rates, order."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.training.batching import EpochOrder
from personamath.training.curve import LOSSES, REWARD, write_curve
from personamath.training.examples import Example, make_examples
from personamath.training.grpo.pass_rates import AT_ONCE, keep, measure, read
from personamath.training.grpo.problems import Problem, load_problems, make_problems
from personamath.training.prompts import alpaca
from personamath.training.record import RowCounts
from tests.conftest import REPO
from tests.support.sums import write_problems
from tests.support.tiny_models import KINDS, TokenizerKind, make_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")

TINY = str(REPO / "recipes/grpo-tiny.yaml")
PROBLEM, SOLUTION = "What is 2 + 3?", "5"
ROW = {"prompt": [{"role": "user", "content": PROBLEM}], "solution": SOLUTION, "source": "mine"}


def write_rows(path: Path, rows: Sequence[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


# --- keys


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--gradient_accumulation_steps", "2"], "gradient_accumulation_steps is derived"),
        (["--steps_per_generation", "2"], "steps_per_generation is derived"),
        (["--generation_batch_size", "16"], "is derived: state effective_batch_size"),
        (["--effective_batch_size", "20"], r"effective_batch_size \(20\) must be divisible by the global batch size"),
        (["--effective_batch_size", "8", "--num_generations", "16"], r"effective_batch_size \(8\) must be divisible"),
        (["--num_iterations", "2"], "num_iterations is 2: each step generates its own completions"),
        (["--sync_ref_model", "true"], "sync_ref_model is True: a checkpoint does not hold the reference model"),
        (["--reward_weights", "2.0"], r"reward_weights is \[2.0\]: there is one reward"),
        (["--auto_find_batch_size", "true"], "auto_find_batch_size is"),
        (["--resume_from_checkpoint", "x"], "resumes by itself from the last complete checkpoint"),
        (["--generation_kwargs", '{"eos_token_id": 7}'], "generation_kwargs sets eos_token_id: every response ends"),
        (["--generation_kwargs", '{"max_new_tokens": 7}'], "sets max_new_tokens: use the key max_completion_length"),
        (["--chat_template_kwargs", '{"enable_thinking": false}'], "prompts are the trained ones"),
        (["--model_init_kwargs", '{"dtype": "bfloat16"}'], "model_init_kwargs sets dtype: use the key dtype"),
        (["--push_to_hub", "true"], "push_to_hub is True: it would publish without scores"),
        (["--min_pass_rate", "0.9"], "min_pass_rate 0.9 and max_pass_rate 0.8 are not a range"),
        (["--pass_rate_samples", "-1"], "pass_rate_samples is -1; it must be 0 or more"),
        (["--learning_rat", "1"], "recipe: .*learning_rat"),
    ],
)
def test_a_recipe_that_cannot_be_run_is_one_line(options: list[str], error: str) -> None:
    from personamath.training.grpo.arguments import read_arguments

    with pytest.raises(BadInput, match=error) as caught:
        read_arguments(["--config", TINY, *options])
    assert "\n" not in str(caught.value)


def test_one_number_states_the_completions_of_a_step() -> None:
    from personamath.training.grpo.arguments import read_arguments

    sizes = ["--effective_batch_size", "24", "--per_device_train_batch_size", "4", "--num_generations", "8"]
    options = read_arguments(["--config", TINY, *sizes]).trainer
    derived = ("gradient_accumulation_steps", "steps_per_generation", "generation_batch_size", "problems_per_step")
    assert [getattr(options, name) for name in derived] == [6, 6, 24, 3]


@pytest.mark.parametrize("path", sorted((REPO / "recipes").glob("grpo-*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_can_be_read(path: Path) -> None:
    from personamath.training.grpo.arguments import read_arguments

    on_cpu = ["--use_cpu", "true", "--bf16", "false", "--use_vllm", "false"]
    arguments = read_arguments(["--config", str(path), *on_cpu])
    assert arguments.ours.dataset_config == "rl"
    assert arguments.recipe["num_generations"] == arguments.trainer.num_generations


# --- problems


@pytest.mark.parametrize("kind", KINDS)
def test_the_prompt_has_the_tokens_of_fine_tuning(kind: TokenizerKind) -> None:
    from personamath.training.examples import tokenize

    tokenizer = make_tokenizer(kind, [alpaca(PROBLEM), "It is 5."] * 20)
    (problem,), counts = make_problems([(PROBLEM, SOLUTION)], tokenizer, 512)
    (example,) = make_examples([PROBLEM], ["It is 5."], tokenizer, "clean", 512)
    assert isinstance(example, Example)
    assert problem == Problem(alpaca(PROBLEM), SOLUTION)
    (ids,) = tokenize([problem.prompt], tokenizer)
    assert ids == example.input_ids[: len(ids)]
    assert counts.tokens == len(ids) == example.labels.count(-100)


def test_rows_that_cannot_be_trained_on_are_dropped_and_counted() -> None:
    tokenizer = make_tokenizer("metaspace BPE", [alpaca(PROBLEM)] * 20)
    rows = [
        (PROBLEM, SOLUTION),
        (PROBLEM, None),
        (PROBLEM, r"\boxed{"),
        (" ", "5"),
        ("What is </s> 2?", "5"),
        ("How? " * 500, "5"),
        ("What is 3 + 3?", 6),
    ]
    used, counts = make_problems(rows, tokenizer, 200)
    assert [problem.solution for problem in used] == ["5", "6"]
    assert (counts.read, counts.used) == (7, 2)
    assert counts.dropped == {
        "no readable solution": 2,
        "empty": 1,
        "special token in the text": 1,
        "longer than max_prompt_length": 1,
    }


def test_files_and_folders_of_the_layout_are_read(tmp_path: Path) -> None:
    import datasets

    rows = [(PROBLEM, SOLUTION), ("What is 3 + 3?", "6")]
    table = [{**ROW, "prompt": [{"role": "user", "content": problem}], "solution": answer} for problem, answer in rows]
    lines = write_rows(tmp_path / "rl.jsonl", table)
    parquet = tmp_path / "rl.parquet"
    datasets.Dataset.from_list(table).to_parquet(parquet)
    folder = tmp_path / "dataset"
    (folder / "rl").mkdir(parents=True)
    (folder / "rl" / "train.parquet").write_bytes(parquet.read_bytes())
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: rl\n  data_files:\n  - split: train\n    path: rl/train.parquet\n---\n"
    )
    for name in (lines, str(parquet), str(folder)):
        found, data = load_problems(name, "rl", None, allow_simulated=False)
        assert found == rows
        assert (data.local, data.simulated, data.name) == (True, False, Path(name).name)


def test_a_file_of_another_type_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "rl.csv").write_text("prompt,solution\n")
    with pytest.raises(BadInput, match=r"rl.csv: a dataset in one file must end in .parquet or .jsonl"):
        load_problems(str(tmp_path / "rl.csv"), "rl", None, allow_simulated=False)


def test_a_folder_of_simulated_rows_is_refused_by_its_provenance(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.jsonl", [ROW])
    (tmp_path / "provenance.json").write_text('{"simulated": true}')
    (tmp_path / "README.md").write_text("---\nconfigs:\n- config_name: rl\n  data_files: train.jsonl\n---\n")
    with pytest.raises(BadInput, match="its rows are simulated"):
        load_problems(str(tmp_path), "rl", None, allow_simulated=False)
    _, data = load_problems(str(tmp_path), "rl", None, allow_simulated=True)
    assert data.simulated


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([{"prompt": PROBLEM, "solution": "5"}], r"row 0: prompt is 'What is 2 \+ 3\?'; it must be \[\{"),
        ([{**ROW, "prompt": [{"role": "system", "content": "x"}, *ROW["prompt"]]}], "row 0: prompt is .*; it must be"),
        ([{**ROW, "prompt": [{"role": "assistant", "content": "x"}]}], "row 0: prompt is .*; it must be"),
        ([{"problem": PROBLEM, "response": "5"}], "column 'prompt' is missing; it has problem, response"),
        ([{"prompt": ROW["prompt"], "answer": "5"}], "column 'solution' is missing"),
    ],
)
def test_rows_of_another_layout_are_one_line(rows: list[Any], error: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=error):
        load_problems(write_rows(tmp_path / "rl.jsonl", rows), "rl", None, allow_simulated=False)


# --- pass rates

COUNTS = RowCounts(read=4, used=4, dropped={"empty": 1}, truncated=0, tokens=9, label_tokens=0)


def problems_of(number: int) -> list[Problem]:
    return [Problem(f"problem {place}", str(place)) for place in range(number)]


def test_pass_rates_are_measured_once_and_resume_where_they_stopped(tmp_path: Path) -> None:
    path, problems = tmp_path / "pass_rates.jsonl", problems_of(2 * AT_ONCE + 10)
    asked: list[tuple[int, int, int]] = []

    def count(part: Sequence[Problem], samples: int, rng_seed: int) -> list[int]:
        if len(asked) == 1 and rng_seed == 7 + AT_ONCE:
            asked.append((0, 0, 0))
            raise KeyboardInterrupt
        asked.append((len(part), samples, rng_seed))
        return [int(problem.solution) % 9 for problem in part]

    with pytest.raises(KeyboardInterrupt):
        measure(problems, 8, 7, count, path, writes=True)
    assert len(read(path)) == AT_ONCE
    solved = measure(problems, 8, 7, count, path, writes=True)
    assert solved == [place % 9 for place in range(len(problems))] == read(path)
    assert asked == [(AT_ONCE, 8, 7), (0, 0, 0), (AT_ONCE, 8, 7 + AT_ONCE), (10, 8, 7 + 2 * AT_ONCE)]
    assert measure(problems, 8, 7, count, path, writes=True) == solved
    assert len(asked) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["pass_rates.jsonl"]


def test_problems_solved_always_or_never_are_dropped() -> None:
    problems = problems_of(6)
    kept = keep(problems, [0, 1, 2, 8, 9, 10], 10, 0.2, 0.8, COUNTS)
    assert kept.problems == problems[2:4]
    assert kept.pass_rate == 0.5
    assert kept.counts == replace(
        COUNTS,
        used=2,
        dropped={"empty": 1, "solved in less than 20% of samples": 2, "solved in more than 80% of samples": 2},
    )


# --- order and curve


def test_a_step_takes_each_problem_as_often_as_it_has_completions() -> None:
    from personamath.training.grpo.trainer import ProblemOrder

    order = ProblemOrder(EpochOrder(7, 2, 42), generations=3, batches=2)
    order.set_epoch(1)
    plain = EpochOrder(7, 2, 42, epoch=1)
    first, second, *_ = list(plain)
    entries = list(order)
    assert len(entries) == len(order) == 6 * 3 * 2
    assert entries[:12] == [first, first, first, second, second, second] * 2
    order.set_epoch(0)
    assert list(order) != entries


def test_the_curve_shows_the_reward(tmp_path: Path) -> None:
    log = [{"step": 1, "epoch": 0.1, "loss": 0.0, "learning_rate": 1e-6, "reward": 0.25, "kl": 1.0}]
    write_curve(log, tmp_path, REWARD)
    assert (tmp_path / LOSSES).read_text() == "step,epoch,loss,learning_rate,reward\n1,0.1,0.0,1e-06,0.25\n"


def test_the_sums_have_the_layout(tmp_path: Path) -> None:
    found, _ = load_problems(str(write_problems(tmp_path / "rl.jsonl")), "rl", None, allow_simulated=False)
    assert found[-1] == ("What is 2 + 2?", "4")
