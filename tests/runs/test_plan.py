"""Plans: what they say of a run before it is paid for, and how near that comes to the bill."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.methods import PersonaMath
from personamath.methods.method import Usage
from personamath.records import Persona, Problem
from personamath.runs.plan import Plan, chosen, from_expectation, shares, survey, wall_s
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import Skipped, read_problems
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher

Start = Callable[..., ScriptedTeacher]
BUNDLED = [flag for source in bundled_problems() for flag in ("--problems", source)]
PRICE = ("--price-in", "1000", "--price-out", "2000")
PERSONAS = [Persona(index, "A beekeeper who counts") for index in range(20)]


def problem(number: int, source: str = "math", level: int | None = 3, length: int = 20) -> Problem:
    return Problem(f"{source}-{number}", source, "x" * length, "1", level)


def test_a_pilot_is_spread_over_the_sources_and_over_their_levels_and_lengths() -> None:
    problems: list[Problem | Skipped] = []
    for number in range(300):
        problems += [
            problem(number, level=number // 60 + 1, length=20 + number * 7 % 100),
            problem(number, "gsm8k", None),
        ]
        problems.append(Skipped(f"skipped-{number}", "no answer in column answer"))
    found = survey(problems, 60)
    assert {of.source: (of.count, len(found.pilot[of.source])) for of in found.seeds} == {
        "math": (300, 30),
        "gsm8k": (300, 30),
    }
    pilot = chosen(problems, found)
    levels = [one.level for one in pilot if one.source == "math"]
    assert {level: levels.count(level) for level in set(levels)} == {1: 6, 2: 6, 3: 6, 4: 6, 5: 6}
    mean = sum(len(one.question) for one in pilot if one.source == "math") / 30
    assert mean == pytest.approx(found.seeds[0].question_characters, rel=0.05)
    assert len(chosen(problems, survey(problems, 10_000))) == 600


SHARES = [
    # wanted, counts, expected
    (1, {"a": 300, "b": 300}, {"a": 1, "b": 1}),
    (3, {"a": 300, "b": 300}, {"a": 2, "b": 1}),
    (10, {"a": 7_473, "b": 7_500}, {"a": 5, "b": 5}),
    (10, {"a": 9_999, "b": 1}, {"a": 9, "b": 1}),
    (7, {"a": 10, "b": 20, "c": 30}, {"a": 1, "b": 2, "c": 4}),
    (100, {"a": 5, "b": 3}, {"a": 5, "b": 3}),
    (0, {"a": 5}, {"a": 0}),
]


@pytest.mark.parametrize(("wanted", "counts", "expected"), SHARES)
def test_a_pilot_is_shared_by_largest_remainder_with_one_problem_of_each_source_at_least(
    wanted: int, counts: dict[str, int], expected: dict[str, int]
) -> None:
    assert shares(wanted, counts) == expected


def test_without_a_pilot_the_papers_rates_give_the_papers_requests() -> None:
    problems = [problem(n, "gsm8k", None) for n in range(7_473)] + [problem(n) for n in range(7_500)]
    plan = from_expectation(PersonaMath(), survey(problems).seeds, PERSONAS)
    requests = {purpose: round(usage.requests) for purpose, usage in plan.usage.items()}
    assert requests["stage1_inference"] == 14_973
    assert requests["stage1_rewrite: rewrite"] == requests["stage1_rewrite: solve"] == 5 * 12_000
    assert requests["stage2_reflection"] == 2_973  # what is not kept of the inference
    assert requests["stage2_rewrite: rewrite"] == pytest.approx(297.3 * 15, abs=1)
    assert plan.error is None and plan.disk_bytes > 1e8


def test_the_time_follows_from_what_is_in_flight_and_from_the_pace() -> None:
    plan = Plan({"math": 1}, {"stage1_inference": Usage(6_000.0, 300_000.0, 900_000.0)})
    assert wall_s(plan, concurrency=100, answer_s=2.0) == 120
    assert wall_s(plan, concurrency=100, answer_s=2.0, rpm=600) == 600
    assert wall_s(plan, concurrency=100, answer_s=2.0, rpm=600, tpm=60_000) == 1_200
    assert wall_s(plan, concurrency=100, answer_s=None) == 300
    # Requests of one problem that wait for one another take their time, however many may be in flight.
    assert wall_s(plan, concurrency=100_000, answer_s=2.0, waves=4) == 8
    assert wall_s(plan, concurrency=100, answer_s=2.0, waves=4) == 120


def figures(output: str) -> dict[str, list[float]]:
    """The table of a plan: numbers by line."""
    rows = re.findall(r"^(\S[^\n]*?)\s{2,}(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)$", output, re.MULTILINE)
    return {
        name: [float(cell.replace(",", "")) if cell != "?" else -1 for cell in cells]
        for name, *cells in rows
        if cells[0] != "requests"
    }


def many_problems(folder: Path, count: int) -> list[str]:
    """Problems of two sources that the scripted teacher can solve, of many lengths."""
    gsm8k, math = folder / "many.jsonl", folder / "long.jsonl"
    rows = [
        {
            "question": f"What is {n} + {n}? " + "Take your time. " * (n % 13),
            "answer": f"{'Add. ' * (n % 29)}#### {2 * n}",
        }
        for n in range(count)
    ]
    gsm8k.write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [
        {
            "problem": f"Find {n} - 1. " + "It is hard. " * (n % 17),
            "level": f"Level {n % 5 + 1}",
            "type": "Algebra",
            "solution": f"{'We think. ' * (n % 5 * 9)}It is $\\boxed{{{n - 1}}}$.",
        }
        for n in range(count)
    ]
    math.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--problems", f"gsm8k:{gsm8k}", "--problems", f"math:{math}"]


def test_the_bill_is_what_the_plan_said_and_the_pilot_is_not_paid_twice(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = many_problems(tmp_path, 150)
    teacher = start_teacher(*problems)
    flags = [*problems, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(tmp_path / "run"), *PRICE]
    assert main(["plan", *flags, "--pilot", "100"]) == 0
    said = capsys.readouterr().out
    asked = teacher.stats()["requests"]
    requests, prompt, completion, usd, in_batches = figures(said)["all"]
    assert in_batches == -1 and f"{asked:,} answers are in the run directory" in said
    spread = re.search(r"a pilot of 100 seed problems, ± (\d+)%", said)
    assert spread and int(spread[1]) <= 12

    assert main(["plan", *flags, "--pilot", "100"]) == 0  # once more, from the journal
    assert figures(capsys.readouterr().out)["all"] == [requests, prompt, completion, usd, in_batches]
    assert teacher.stats()["requests"] == asked

    assert main(["augment", *flags]) == 0
    run: dict[str, Any] = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["paid"]["usd"] == pytest.approx(usd, rel=0.05)
    assert run["paid"]["answers"] == pytest.approx(requests, rel=0.05)
    assert run["answers"]["from the journal"] >= asked
    assert teacher.stats()["again"] == 0


def test_a_plan_without_a_pilot_asks_nobody_and_needs_neither_key_nor_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan", *BUNDLED, "--teacher", "gpt-4o-mini-2024-07-18", "--rpm", "60"]) == 0
    said = capsys.readouterr().out
    table = figures(said)
    assert table["Stage 1: inference"][0] == 48
    assert table["all"][4] == pytest.approx(table["all"][3] / 2, abs=0.01)  # a batch costs half
    assert sum(line[3] for name, line in table.items() if name != "all") == pytest.approx(table["all"][3], abs=0.03)
    assert "from       the rates of the paper's table 2, and assumed lengths" in said and "--rpm 60" in said
    assert not list(tmp_path.iterdir())


def test_a_teacher_without_a_price_is_planned_without_money_and_told_how_to_give_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", *BUNDLED, "--teacher", "my-own-7b"]) == 0
    said = capsys.readouterr().out
    assert figures(said)["all"][3:] == [-1, -1]
    assert "no price known for my-own-7b: give --price-in and --price-out" in said
    assert main(["plan", *BUNDLED, "--teacher", "my-own-7b", "--price-in", "0", "--price-out", "0"]) == 0
    assert figures(capsys.readouterr().out)["all"][3] == 0


def test_a_pilot_that_lost_requests_says_that_the_plan_is_too_low(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*BUNDLED, "--fault", "http_400=0.1")
    flags = ["--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(tmp_path / "run")]
    assert main(["plan", *BUNDLED, *flags, "--pilot", "10"]) == 0
    assert re.search(
        r"warning: \d+ of the pilot's requests got no answer, so the plan is too low", capsys.readouterr().err
    )


BAD_USE = [
    (["--pilot", "-1", "--output", "o"], "pilot is -1"),
    (["--pilot", "5", "--output", "s3://bucket/run", "--engine", "ray"], "--pilot needs a local output directory"),
    (["--pilot", "5", "--output", "o"], "OPENAI_API_KEY is not set"),
    (["--benchmark", "nonsense"], "'nonsense': write gsm8k or math"),
    (["--benchmark", "nowhere.jsonl:question"], "nowhere.jsonl: no such file"),
    (["--max-usd", "5"], "no price known for t: give --price-in and --price-out"),
    (["--serve", "vllm", "--teacher", "{default: t, rewrite: u}"], "--serve vllm runs one model, and the roles name t"),
    (
        ["--batch", "--teacher", "{default: t, rewrite: {base_url: 'http://there/v1'}}"],
        "--batch works with one endpoint, and the roles name",
    ),
    (["--vllm-args", "{max_model_len: 8192}"], "--vllm-args is for --serve vllm"),
]


@pytest.mark.parametrize(("flags", "message"), BAD_USE)
def test_bad_use_is_told_in_one_line(flags: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *BUNDLED, "--teacher", "t", *flags]) == 1
    assert message in capsys.readouterr().err


def test_the_real_problems_are_all_planned(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = [f"gsm8k:{data / 'gsm8k' / 'train.jsonl'}", f"math:{data / 'math' / 'train.jsonl'}"]
    found = survey(read_problems([ProblemSource.parse(source) for source in sources], None), 50)
    assert sum(map(len, found.pilot.values())) == 50
    assert 14_900 < sum(of.count for of in found.seeds) <= 14_973
