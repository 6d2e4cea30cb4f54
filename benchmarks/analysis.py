"""Time and memory of checking and analysing a dataset of PersonaMathQA's size, as Markdown.

    python -m benchmarks.analysis --math MATH_FOLDER --gsm8k GSM8K_FOLDER [--rows 70300]

The folders hold train.jsonl and test.jsonl. The rows are the real training problems and rewrites of them, made by a
program (`tests/support/planted_rewrites.py`); nobody solved the rewrites. Each part runs in a process of its own: CPU
seconds and seconds from start to end, reading the rows left out, and the most memory that process ever held.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from personamath.folder.flags import describe_drift
from personamath.folder.overlap import TestProblems, strongest
from personamath.folder.writing import write_folder
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Problem, Row
from personamath.report.analysis.duplicates import duplicates
from personamath.report.analysis.result import Analysis
from personamath.report.analysis.rows import RunData, read_run
from personamath.report.analysis.texts import question_lengths, vocabulary
from personamath.runs.funnel import Funnel
from personamath.sources.problems import ProblemSource
from personamath.sources.questions import QuestionSource
from personamath.sources.seed_problems import read_problems
from tests.support.planted_rewrites import soundly

PARTS = ("contamination", "fidelity", "near duplicates", "vocabulary", "lengths")


def made_up(problems: list[Problem], count: int) -> Iterator[Row]:
    """Rows with real questions."""
    rng = random.Random(0)
    for number, problem in zip(range(count), cycle(problems), strict=False):
        rewritten = number >= len(problems)
        yield Row(
            id=f"{problem.id}/p{number:05}" if rewritten else problem.id,
            problem=soundly(problem.question, rng) if rewritten else problem.question,
            response="It follows step by step. " * 40 + f"$\\boxed{{{problem.answer}}}$",
            answer=problem.answer,
            source=problem.source,
            method="persona",
            step="stage1_rewrite" if rewritten else "stage1_inference",
            seed_id=problem.id,
            seed_problem=problem.question,
            level=problem.level,
            subject=problem.subject,
            teacher="none",
            request="0" * 32,
            columns={"stage": 1, "persona": "A cook" if rewritten else None},
        )


def write(folder: Path, math: Path, gsm8k: Path, count: int) -> None:
    names = (f"gsm8k:{gsm8k}/train.jsonl", f"math:{math}/train.jsonl")
    found = [item for item in read_problems(list(map(ProblemSource.parse, names))) if isinstance(item, Problem)]
    rows = sorted(made_up(found, count), key=lambda row: row.id)
    funnel = Funnel.survey(found)
    funnel.add(Outcome(rows=rows))
    recipe = Recipe(problems=names, teacher="none")
    write_folder(folder, rows, recipe, funnel.as_dict(recipe.method.outline))


def run_part(part: str, data: RunData, tests: list[str]) -> str:
    """Do one part; gives what it found."""
    if part == "contamination":
        tested = TestProblems(question for test in tests for question in QuestionSource.parse(test, "test").read())
        overlaps = [strongest(tested.overlap(row.seed_problem), tested.overlap(row.problem)) for row in data.rows]
        return f"{sum(overlap is not None for overlap in overlaps):,} rows overlap"
    if part == "fidelity":
        flags = [describe_drift(row.seed_problem, row.problem) for row in data.rows if row.step in data.rewriting]
        return f"{sum(flag is not None for flag in flags):,} of {len(flags):,} rewrites flagged"
    if part == "near duplicates":
        return duplicates(data).finding
    found = vocabulary(data, ()) if part == "vocabulary" else question_lengths(data, ())
    return found.finding if isinstance(found, Analysis) else found.why


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--math", type=Path, required=True)
    parser.add_argument("--gsm8k", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=70_300)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    tests = [f"math:{options.math}/test.jsonl", f"gsm8k:{options.gsm8k}/test.jsonl"]
    if options.part:
        part, folder = options.part
        data = read_run(Path(folder), "made up")
        began, cpu = time.perf_counter(), time.process_time()
        found = run_part(part, data, tests)
        mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([time.process_time() - cpu, time.perf_counter() - began, mib, found]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        write(Path(scratch) / "dataset", options.math, options.gsm8k, options.rows)
        print(f"{options.rows:,} rows, made up and written in {time.perf_counter() - began:.0f} s\n")
        print("| part | CPU s | s | most memory, MiB | found |\n|---|---:|---:|---:|---|")
        for part in PARTS:
            again = [sys.executable, "-m", "benchmarks.analysis", *sys.argv[1:], "--part", part, f"{scratch}/dataset"]
            done = subprocess.run(again, check=True, capture_output=True, text=True)
            cpu_seconds, seconds, mib, found = json.loads(done.stdout)
            print(f"| {part} | {cpu_seconds:.1f} | {seconds:.1f} | {mib:,.0f} | {found} |", flush=True)


if __name__ == "__main__":
    main()
