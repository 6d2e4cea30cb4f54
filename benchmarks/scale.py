"""What a row costs as the data grows, and how soon a large run that was stopped asks again.

    python benchmarks/scale.py --problems 2200 22000 220000

Everything is the real run (method, grader, journal, dataset folder) but the endpoint: a teacher in the same process
answers at once, so that a million rows take minutes. What the HTTP client costs is measured by benchmarks/augment.py.
Problems are generated. Memory is the proportional set size of the run and its grading worker. CPU is that of both,
without what a run of a single problem takes, which is the start and the same for any size.

After the largest run the problems file gets a few more problems, and the real command is started on the same run
directory, against a scripted teacher: the time until that teacher is asked for the first time is the last figure.
"""

import argparse
import asyncio
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from augment import REPO, Peak, cpu_s

from personamath.folder.provenance import Origins
from personamath.journal.store import Journal
from personamath.methods.prompts import REWRITING
from personamath.recipe import Recipe
from personamath.records import Completion, Request
from personamath.runs.dataset import Counted, Inputs, write_dataset
from personamath.runs.pipeline import Spool
from personamath.runs.run import run as run_recipe
from personamath.runs.setup import Setup, ready_process
from personamath.teachers.simulated import MODEL

SERVER = REPO / "tests" / "support" / "scripted_teacher.py"
MORE_PROBLEMS = 50
IN_FLIGHT = 256


def main() -> None:
    """Measure and print; a run of its own process for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, nargs="+", default=[2_200, 22_000])
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        asyncio.run(run(options.run))
        return
    start_cpu_s = measured(1).cpu_s
    print(f"A run of one problem takes {start_cpu_s:.1f} CPU s.\n")
    columns = ["problems", "rows", "answers", "wall", "CPU s / 1,000 rows", "peak memory", "journal"]
    print(f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}")
    for count in sorted(options.problems):
        ran = measured(count, then_again=count == max(options.problems))
        cells = [f"{count:,}", f"{ran.rows:,}", f"{ran.answers:,}", f"{ran.wall_s:,.0f} s"]
        cells += [f"{(ran.cpu_s - start_cpu_s) / ran.rows * 1000:.2f}", f"{ran.peak_mb:.0f} MB"]
        print(f"| {' | '.join(cells)} | {ran.journal_mb:,.0f} MB |", flush=True)
    assert ran.again
    print(f"\nStarted again, with more problems: asks after {ran.again[0]:.1f} s, {ran.again[1]:.1f} of them CPU")


class Measured(NamedTuple):
    """One run."""

    rows: int
    answers: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    journal_mb: float
    again: tuple[float, float] | None
    """Seconds, and CPU seconds, until it asks when it is started again with more problems."""


def measured(count: int, then_again: bool = False) -> Measured:
    """A run of so many problems, in a process of its own."""
    directory = Path(tempfile.mkdtemp(prefix="personamath-benchmark-"))
    try:
        write_problems(directory, count)
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, __file__, "--run", str(directory)], stdout=subprocess.PIPE, text=True
        )
        peak = Peak(process.pid)
        peak.start()
        said = process.communicate()[0]
        assert process.returncode == 0
        wall = time.monotonic() - start
        peak.join()
        rows, answers, cpu = said.split()
        size = (directory / "run" / "journal.sqlite").stat().st_size
        again = until_first_request(directory, count) if then_again else None
        return Measured(int(rows), int(answers), wall, float(cpu), peak.bytes / 2**20, size / 2**20, again)
    finally:
        shutil.rmtree(directory)


def write_problems(directory: Path, count: int) -> None:
    """Sums in GSM8K's columns, all different."""
    with (directory / "sums.jsonl").open("w", encoding="utf-8") as file:
        for n in range(count):
            a, b = n % 997 + 2, n // 997 + 2
            story = (
                "A market opens at nine. Its first stall sells fruit by the crate, and its second sells only honey. "
            )
            file.write(f'{{"question": "{story}It has {a} crates and {b} jars. How many are there in all?", ')
            file.write(f'"answer": "There are {a} crates and {b} jars, so {a} + {b}.\\n#### {a + b}"}}\n')


class Sums:
    """Answers at once; wrong in a fifth of the problems, so that both stages have work."""

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(0)
        (found,) = re.findall(r"has (\d+) crates and (\d+) jars", request.prompt)[:1]
        a, b = map(int, found)
        if request.prompt.startswith(REWRITING_START):
            text = (
                f"For {zlib.crc32(request.prompt.encode())} reasons. It has {a} crates and {b} jars. How many in all?"
            )
        else:
            right = a % 5 or "reasons" in request.prompt
            steps = "First the crates are counted, and then the jars, and both are added. " * 8
            text = f"{steps}\nThe final answer is $\\boxed{{{a + b if right else a}}}$."
        return Completion(text, "stop", len(request.prompt) // 4, len(text) // 4)


REWRITING_START = REWRITING.template.partition("{")[0]


async def run(directory: Path) -> None:
    """One run in this process; prints its rows, its answers and its CPU seconds."""
    recipe = Recipe(problems=(f"gsm8k:{directory / 'sums.jsonl'}",), teacher=MODEL)
    inputs = Inputs.read(recipe)
    output = directory / "run"
    ready_process(Setup(output=str(output), concurrency=IN_FLIGHT))
    with Journal(output) as journal, Spool(output) as spool:
        asked = await run_recipe(
            recipe,
            enumerate(inputs.problems()),
            Sums(),
            journal,
            Counted(spool, inputs.funnel),
            personas=inputs.personas,
            concurrency=IN_FLIGHT,
        )
        write_dataset(output, inputs, Origins.named(recipe), spool.rows(), spool.answers())
    cpu = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(inputs.funnel.rows.total(), asked.asked, cpu)


def until_first_request(directory: Path, count: int) -> tuple[float, float]:
    """Seconds, and CPU seconds, from the start of the command to the first request that an endpoint sees."""
    write_problems(directory, count + MORE_PROBLEMS)
    server = subprocess.Popen(
        [sys.executable, str(SERVER)], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    url = server.stdout.readline().strip()
    command = [
        sys.executable,
        "-m",
        "personamath.commands.cli",
        "augment",
        "--problems",
        f"gsm8k:{directory / 'sums.jsonl'}",
    ]
    command += ["--teacher", MODEL, "--base-url", url, "--output", str(directory / "run")]
    start = time.monotonic()
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL) as client:
        try:
            while b'"requests": ' not in urlopen(url.removesuffix("/v1") + "/stats").read():
                assert client.poll() is None
                time.sleep(0.05)
            return time.monotonic() - start, cpu_s(client.pid)
        finally:
            client.kill()
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
