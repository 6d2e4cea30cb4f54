"""How long an answer takes from its arrival to the disk.

    python benchmarks/journal.py RUN_DIRECTORY_ON_THE_DISK_TO_MEASURE

Answers of 1.5 kB arrive at a steady rate; the time is that of `Journal.put`, which returns once the answer is durable.
"""

import argparse
import asyncio
import time
from pathlib import Path

from personamath.journal.store import Journal
from personamath.records import Completion, Request

ANSWERS = 10_000
PER_SECOND = 1_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="made anew; remove it afterwards")
    taken = sorted(asyncio.run(put_all(parser.parse_args().directory)))
    shares = {"median": 0.5, "99 %": 0.99, "longest": 1.0}
    found = ", ".join(f"{name} {taken[round(share * (ANSWERS - 1))] * 1000:.1f} ms" for name, share in shares.items())
    print(f"{ANSWERS:,} answers at {PER_SECOND:,}/s: {found}")


async def put_all(directory: Path) -> list[float]:
    """Seconds for each answer."""
    with Journal(directory) as journal:

        async def put(number: int) -> float:
            await asyncio.sleep(number / PER_SECOND)
            request = Request(f"What is {number}?", "teacher-1", 0.7, 2048)
            start = time.perf_counter()
            await journal.put(request, Completion("x" * 1_500, "stop"))
            return time.perf_counter() - start

        return await asyncio.gather(*(put(number) for number in range(ANSWERS)))


if __name__ == "__main__":
    main()
