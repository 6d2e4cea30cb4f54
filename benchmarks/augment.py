"""How long, how large and how costly a whole augmentation is, against a scripted teacher on this machine.

    python benchmarks/augment.py --problems gsm8k:train.jsonl --problems math:train.jsonl --limits 2500 7500

One run for each limit (problems of each source), each against a fresh teacher that answers after `--latency` seconds.
Prints a Markdown table for docs/BENCHMARKS.md. Memory is the proportional set size of the client and its workers,
summed; CPU is that of the client and its workers, start and dataset writing included; the server's is shown beside it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).parent.parent
SERVERS = {False: "tests.support.scripted_teacher", True: "tests.support.batch_server"}
SAMPLE_EVERY_S = 0.25


class Measured(NamedTuple):
    """One run."""

    problems: int
    requests: int
    rows: int
    wall_s: float
    client_cpu_s: float
    server_cpu_s: float
    peak_mb: float


class Server(NamedTuple):
    """A server that runs."""

    url: str
    pid: int


class Ran(NamedTuple):
    """One client, from its start to its end."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", action="append", required=True, help="gsm8k:PATH or math:PATH")
    parser.add_argument("--limits", type=int, nargs="+", default=[2_500, 7_500], help="problems of each source")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, help="requests in flight; by default the run finds out")
    parser.add_argument("--engine", choices=["local", "ray"], default="local", help="ray: on a cluster of this machine")
    parser.add_argument("--batch", action="store_true", help="through the Batch API, whose batches take --latency")
    options = parser.parse_args()

    how = "in batches" if options.batch else f"{options.concurrency or 'as many as it finds'} in flight"
    print(f"{options.latency * 1000:.0f} ms latency, {how}, {os.cpu_count()} cores\n")
    columns = ["seed problems", "requests", "rows", "wall", "requests/s"]
    columns += ["client CPU s / 1,000", "server CPU s / 1,000", "peak memory"]
    print(f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}")
    for limit in options.limits:
        run = measure(options.problems, limit, options.latency, options.concurrency, options.batch, options.engine)
        cells = [f"{run.problems:,}", f"{run.requests:,}", f"{run.rows:,}", f"{run.wall_s:.0f} s"]
        cells += [f"{run.requests / run.wall_s:,.0f}"]
        cells += [f"{cpu / run.requests * 1000:.2f}" for cpu in (run.client_cpu_s, run.server_cpu_s)]
        print(f"| {' | '.join(cells)} | {run.peak_mb:.0f} MB |", flush=True)


def measure(
    problems: list[str], limit: int, latency: float, concurrency: int | None, batch: bool = False, engine: str = "local"
) -> Measured:
    """One run of the command line against a fresh server, in a fresh directory."""
    flags = [flag for source in problems for flag in ("--problems", source)]
    output = Path(tempfile.mkdtemp(prefix="personamath-benchmark-"))
    try:
        with serving(SERVERS[batch], *flags, "--delay" if batch else "--latency", str(latency)) as server:
            started = cpu_s(server.pid)
            command = [sys.executable, "-m", "personamath.commands.cli", "augment", *flags, "--base-url", server.url]
            command += ["--teacher", "simulated-teacher", "--limit", str(limit)]
            command += ["--concurrency", str(concurrency)] if concurrency else []
            command += ["--engine", engine] + ["--batch"] * batch
            ran = run_client([*command, "--output", str(output / "run")])
            server_cpu_s = cpu_s(server.pid) - started
        run = json.loads((output / "run" / "run.json").read_text())
        return Measured(
            problems=sum(run["problems"]["seed_problems"].values()),
            requests=run["answers"]["asked this time"],
            rows=sum(sum(counts.values()) for counts in run["rows"].values()),
            wall_s=ran.wall_s,
            client_cpu_s=ran.cpu_s,
            server_cpu_s=server_cpu_s,
            peak_mb=ran.peak_mb,
        )
    finally:
        shutil.rmtree(output)


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[Server]:
    """A fresh server of the tests, by its module."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield Server(process.stdout.readline().strip(), process.pid)
    finally:
        process.kill()
        process.wait()


def run_client(command: list[str]) -> Ran:
    """Run a client to its end."""
    start = time.monotonic()
    client = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = Peak(client.pid)
    peak.start()
    _, status, usage = os.wait4(client.pid, 0)
    wall = time.monotonic() - start
    client.returncode = os.waitstatus_to_exitcode(status)
    assert client.returncode == 0, f"the client ended with {client.returncode}"
    peak.join()
    # Ray's processes are not waited for by the one that started them.
    cpu = max(usage.ru_utime + usage.ru_stime, sum(peak.cpu_s.values()))
    return Ran(wall, cpu, peak.bytes / 2**20)


class Peak(threading.Thread):
    """Samples the memory and the CPU time of a process and its children until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.bytes = 0
        self.cpu_s: dict[int, float] = {}

    def run(self) -> None:
        while (now := sum(map(_pss_bytes, family := _family(self.pid)))) or Path(f"/proc/{self.pid}/exe").exists():
            self.bytes = max(self.bytes, now)
            for member in family:
                with suppress(OSError):  # it has just ended
                    self.cpu_s[member] = cpu_s(member)
            time.sleep(SAMPLE_EVERY_S)


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                members += map(int, children.read_text().split())
            except OSError:
                continue
    return members


def _pss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
