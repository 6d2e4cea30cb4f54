"""How much of a rate allowance is used, and how many requests are refused, against a server that counts both.

    python benchmarks/limits.py --seconds 120

The server keeps OpenAI's bucket: 600 requests a minute, filling steadily. Once full at the start and announced in
headers, once empty, once by tokens, once not announced but given as --rpm. The share is what it let in, of what it
could have let in: its stock at the start and what flowed in.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import aiohttp

from personamath.records import Request
from personamath.teachers.http import HttpTeacher
from personamath.teachers.pace import Pace
from personamath.teachers.simulated import MODEL

SERVER = Path(__file__).parent.parent / "tests" / "support" / "scripted_teacher.py"
RPM = 600
MAX_TOKENS = 100


class Case(NamedTuple):
    """A server, and how it is asked."""

    name: str
    flags: list[str]
    rpm: float | None
    stock: int


CASES = [
    Case("announced, full at the start", ["--allow", f"requests={RPM}"], None, RPM),
    Case("announced, empty at the start", ["--allow", f"requests={RPM}:0"], None, 0),
    # what OpenAI takes for a request: max_tokens, and its prompt, which is of eight characters here
    Case("announced, in tokens", ["--allow", f"tokens={RPM * (MAX_TOKENS + 2)}:0"], None, 0),
    Case(f"not announced, --rpm {RPM}", ["--allow", f"requests={RPM}:10", "--unannounced"], RPM, 10),
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--concurrency", type=int, default=256)
    options = parser.parse_args()
    print(f"{options.seconds:.0f} s each, {options.latency:g} s latency, {options.concurrency} in flight\n")
    print("| allowance | let in | of what could be | refused |\n|---|---:|---:|---:|")
    for case in CASES:
        took, let_in, refused = asyncio.run(measure(case, options.seconds, options.latency, options.concurrency))
        share = let_in / (case.stock + RPM / 60 * took)
        print(f"| {case.name} | {let_in:,} | {share:.1%} | {refused:,} ({refused / let_in:.2%}) |", flush=True)


async def measure(case: Case, seconds: float, latency: float, concurrency: int) -> tuple[float, int, int]:
    """Seconds, requests let in and requests refused while as much is asked as may be."""
    server = subprocess.Popen(
        [sys.executable, str(SERVER), *case.flags, "--latency", str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout
        url = server.stdout.readline().strip()
        async with HttpTeacher([url], pace=Pace(rpm=case.rpm)) as teacher, aiohttp.ClientSession() as session:

            async def ask(who: int) -> None:
                for turn in itertools.count():
                    await teacher.complete(Request(f"{who:03} {turn:04}", MODEL, 0.7, MAX_TOKENS))

            start = time.monotonic()
            asking = [asyncio.create_task(ask(who)) for who in range(concurrency)]
            await asyncio.sleep(seconds)
            async with session.get(url.removesuffix("/v1") + "/stats") as response:
                stats = await response.json()
            took = time.monotonic() - start
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        refused = stats.get("refused", 0)
        return took, stats["requests"] - refused, refused
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
