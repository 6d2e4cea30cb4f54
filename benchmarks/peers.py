"""PersonaMath beside curator, Data Designer, datatrove and the plain script of semaphore and SDK, on one teacher.

    python benchmarks/peers.py --problems gsm8k:train.jsonl --limit 2000

Each asks for the solution of the same problems, three times: undisturbed, killed with -9 in the middle and started
again, and under faults. Environments are made below `--environments` by the first run and used again by the next.
Everything that a client starts counts: CPU is that of its process group, memory the proportional set size summed.
"Answered again" are answers that the teacher had sent, and was asked for a second time. It is killed at the same moment
as the client, so that what was merely in flight is not among them; the moment is a random one, hence `--kills`.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from augment import REPO, Peak

from personamath.methods.prompts import INFERENCE
from personamath.records import Problem
from personamath.sources.problems import ProblemSource
from personamath.sources.seed_problems import read_problems

# A name that curator knows the limits of; the teacher is the scripted one all the same.
MODEL = "gpt-4o-mini"
PEERS = {
    "curator": ("bespokelabs-curator==0.1.31", "curator_peer.py"),
    "Data Designer": ("data-designer==0.9.7 litellm", "data_designer_peer.py"),
    # Its extra `inference` would bring vLLM and SGLang, which an endpoint does not need.
    "datatrove": ("datatrove==0.10.1 aiofiles aiosqlite httpx openai==3.52.0 orjson xxhash", "datatrove_peer.py"),
    "semaphore + SDK": ("openai==3.52.0", "sdk_peer.py"),
}
CURATOR_SETTINGS = {"CURATOR_DISABLE_RICH_DISPLAY": "1", "TELEMETRY_ENABLED": "false"}
OURS = "PersonaMath"
FAULTS = ("http_429=0.05", "http_500=0.02", "reset=0.01", "truncated_json=0.01", "hang=0.005")
# Per request, for every client; a run that takes many times as long has hung.
TIMEOUT_S = 20
GIVEN_UP_AFTER_S = 400
SHA256_BYTES = 32


class Ran(NamedTuple):
    """One run of a client to its end, or to where it was given up."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    ended: bool


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", required=True, help="gsm8k:PATH or math:PATH")
    parser.add_argument("--limit", type=int, default=2_000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument(
        "--kills", type=int, default=5, help="how often to kill each; the median and the most are shown"
    )
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "personamath-benchmarks")
    parser.add_argument("--only", action="append", choices=[OURS, *PEERS])
    options = parser.parse_args()
    kind, _, path = options.problems.partition(":")
    options.problems = f"{kind}:{Path(path).resolve()}"  # clients run in a directory of their own
    columns = ["client", "requests/s", "CPU s / 1,000", "peak memory", "answered again after kill -9", "good rows"]
    print(f"| {' | '.join(columns)} | under faults: good rows | wall |\n|---|{'---:|' * (len(columns) + 1)}")
    for name in options.only or [OURS, *PEERS]:
        print(f"| {name} | {' | '.join(Client(name, options).figures())} |", flush=True)


class Server(NamedTuple):
    """The scripted teacher."""

    url: str
    process: subprocess.Popen[str]


class Client:
    """One of the clients, and how it is run."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        self._name, self._options = name, options
        self._python = Path(sys.executable) if name == OURS else _environment(options.environments, name)
        self._directory = Path(tempfile.mkdtemp(prefix="personamath-benchmark-"))
        problems = read_problems([ProblemSource.parse(options.problems)], options.limit)
        asked = [INFERENCE.fill(problem=problem.question) for problem in problems if isinstance(problem, Problem)]
        self._prompts = self._directory / "prompts.jsonl"
        self._prompts.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in asked))
        self._asked = set(asked)

    def figures(self) -> list[str]:
        """The cells of the table."""
        try:
            return [*self._undisturbed(), *self._killed(), *self._under_faults()]
        finally:
            shutil.rmtree(self._directory)

    def _undisturbed(self) -> list[str]:
        with _server(self._options) as server:
            ran = self._run(server, "calm")
            answered = _stats(server.url).get("answered", 0)
        assert answered, (self._directory / "errors").read_text()[-2000:]
        return [
            f"{answered / ran.wall_s:,.0f}",
            f"{ran.cpu_s / answered * 1000:.2f}",
            f"{ran.peak_mb:.0f} MB",
        ]

    def _killed(self) -> list[str]:
        again, good, hung = [], [], False
        for number in range(self._options.kills):
            output, logs = f"killed-{number}", [self._directory / f"{number}-{part}.log" for part in ("one", "two")]
            with _server(self._options, log=logs[0]) as server:
                killed = self._run(server, output, kill_at=len(self._asked) // 2)
                assert not killed.ended and server.process.wait() < 0, (self._directory / "errors").read_text()[-2000:]
            # At the same address, which clients may take for a part of what they asked.
            with _server(self._options, log=logs[1], port=urlsplit(server.url).port or 0) as server:
                hung |= not self._run(server, output).ended
            before, after = map(_answered, logs)
            again.append(len(before & after))
            good.append(self._good(output))
        shown = f"{statistics.median(again):,.0f} (at most {max(again):,})"
        return [shown + (", then hung" if hung else ""), f"{min(good):,}"]

    def _under_faults(self) -> list[str]:
        with _server(self._options, FAULTS) as server:
            ran = self._run(server, "faulty")
        return [f"{self._good('faulty'):,}", f"{ran.wall_s:.0f} s" + ("" if ran.ended else ", given up")]

    def _run(self, server: Server, output: str, kill_at: int | None = None) -> Ran:
        """Run the client to its end, or kill it, and with it the server, soon after so many answers."""
        start, cpu = time.monotonic(), _reaped_cpu_s()
        process = subprocess.Popen(
            self._command(server.url, output),
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            stderr=(self._directory / "errors").open("a"),
            start_new_session=True,
            env=os.environ | {"CURATOR_CACHE_DIR": str(self._directory / output), **CURATOR_SETTINGS},
        )
        peak = Peak(process.pid)
        peak.start()
        while process.poll() is None and time.monotonic() - start < GIVEN_UP_AFTER_S:
            if kill_at is not None and _stats(server.url).get("answered", 0) >= kill_at:
                time.sleep(random.uniform(0, self._options.latency))  # anywhere between two waves of answers
                server.process.kill()
                break
            time.sleep(0.02 if kill_at is not None else 0.1)
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wall = time.monotonic() - start
        peak.join()
        return Ran(wall, _reaped_cpu_s() - cpu, peak.bytes / 2**20, ended)

    def _command(self, url: str, output: str) -> list[str]:
        options = self._options
        if self._name == OURS:
            command = ["-m", "personamath.commands.cli", "augment", "--problems", options.problems, "--teacher", MODEL]
            command += ["--limit", str(options.limit), "--k1", "0", "--k2", "0", "--base-url", url]
            command += ["--concurrency", str(options.concurrency), "--timeout", str(TIMEOUT_S), "--output", output]
            return [str(self._python), *command]
        script = REPO / "benchmarks" / "peers" / PEERS[self._name][1]
        arguments = [str(self._prompts), f"{output}.jsonl", url, str(options.concurrency), str(TIMEOUT_S)]
        return [str(self._python), str(script), *arguments]

    def _good(self, output: str) -> int:
        """Prompts that have an answer in what the client wrote."""
        if self._name == OURS:
            with sqlite3.connect(self._directory / output / "journal.sqlite") as journal:
                requests = journal.execute("select request from answers where text != ''").fetchall()
            return len(self._asked & {json.loads(request)["messages"][0]["content"] for (request,) in requests})
        file = self._directory / f"{output}.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return len(self._asked & {row["prompt"] for row in rows if row["text"]})


@contextmanager
def _server(
    options: argparse.Namespace, faults: tuple[str, ...] = (), log: Path | None = None, port: int = 0
) -> Iterator[Server]:
    command = [sys.executable, str(REPO / "tests" / "support" / "scripted_teacher.py"), "--problems", options.problems]
    command += ["--model", MODEL, "--latency", str(options.latency), "--port", str(port)]
    command += [flag for fault in faults for flag in ("--fault", fault)]
    command += ["--log", str(log)] if log else []
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        yield Server(server.stdout.readline().strip(), server)
    finally:
        server.kill()
        server.wait()


def _reaped_cpu_s() -> float:
    """Of the children that have ended, and of theirs."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _stats(url: str) -> dict[str, int]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=60) as response:
        return {name: int(count) for name, count in json.load(response).items()}


def _answered(log: Path) -> set[bytes]:
    """The digests of the requests that a server has answered."""
    digests = log.read_bytes()
    return {digests[start : start + SHA256_BYTES] for start in range(0, len(digests), SHA256_BYTES)}


def _environment(folder: Path, name: str) -> Path:
    """The Python of a peer's environment, made where there is none."""
    requirements, _ = PEERS[name]
    place = folder / requirements.partition(" ")[0].replace("==", "-")
    if not (place / "installed").exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin" / "pip", "install", "--quiet", *requirements.split()], check=True)
        (place / "installed").touch()
    return place / "bin" / "python"


if __name__ == "__main__":
    main()
