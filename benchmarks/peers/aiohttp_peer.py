"""Answers of a file of request bodies with nothing but aiohttp: BODIES OUTPUT URL IN_FLIGHT."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import aiohttp


async def main(bodies: Path, output: Path, url: str, in_flight: int) -> None:
    """Ask all requests, a fixed number at a time, and append each answer to the file when it arrives."""
    connector = aiohttp.TCPConnector(limit=0)
    with bodies.open("rb") as asked, output.open("ab") as answers:
        async with aiohttp.ClientSession(connector=connector) as session:
            lines = iter(asked)
            await asyncio.gather(
                *(ask_each(session, f"{url}/chat/completions", lines, answers) for _ in range(in_flight))
            )


async def ask_each(session: aiohttp.ClientSession, url: str, lines: Iterator[bytes], answers: BinaryIO) -> None:
    """Ask one request after another, until there are no more."""
    for line in lines:
        async with session.post(url, data=line, headers={"Content-Type": "application/json"}) as response:
            response.raise_for_status()
            answers.write(await response.read() + b"\n")
            answers.flush()


if __name__ == "__main__":
    bodies, output, url, in_flight = sys.argv[1:]
    asyncio.run(main(Path(bodies), Path(output), url, int(in_flight)))
