"""Waves: all that waits goes together, nothing waits for what cannot come, and everybody can be let go."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from personamath.errors import BadInput
from personamath.records import Completion, Request
from personamath.teachers.waves import Waves

T = TypeVar("T")
YES = Completion("yes", "stop")


def run(main: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(main, 30))


def question(number: int) -> Request:
    return Request(f"What is {number}?", "m", 0.7, 64)


async def chain(waves: Waves, number: int, steps: int) -> int:
    """Ask one thing after another, with turns of the event loop between them."""
    for step in range(steps):
        await waves.ask(question(100 * step + number))
        for _ in range(number % 7):
            await asyncio.sleep(0)
    return number


def test_what_can_be_asked_together_is_one_wave() -> None:
    async def main() -> list[int]:
        waves = Waves()
        chains = asyncio.gather(*(chain(waves, number, 3) for number in range(40)))
        sizes = []
        for _ in range(3):
            wave = await waves.next()
            sizes.append(len(wave))
            for waiting in wave:
                waiting.give(YES)
        assert await chains == list(range(40)) and waves.waiting == 0
        return sizes

    assert run(main()) == [40, 40, 40]


def test_a_wave_waits_for_what_runs_elsewhere() -> None:
    async def main() -> int:
        waves, running = Waves(), [1]
        waves.watch(running=lambda: running[0], steps=lambda: 0)

        async def slow() -> None:
            await asyncio.sleep(0.5)  # a grade that takes its time
            running[0] = 0
            await waves.ask(question(2))

        asked = [asyncio.create_task(waves.ask(question(1))), asyncio.create_task(slow())]
        wave = await waves.next()
        waves.stop(BadInput("enough"))
        await asyncio.gather(*asked, return_exceptions=True)
        return len(wave)

    assert run(main()) == 2


def test_a_wave_waits_for_answers_from_the_journal() -> None:
    async def main() -> int:
        waves, steps = Waves(), [0]
        waves.watch(running=lambda: 0, steps=lambda: steps[0])

        async def replayed() -> None:
            for _ in range(100):  # more turns in all than a wave waits without a step
                await asyncio.sleep(0)
                steps[0] += 1
            await waves.ask(question(2))

        asked = [asyncio.create_task(waves.ask(question(1))), asyncio.create_task(replayed())]
        wave = await waves.next()
        waves.stop(BadInput("enough"))
        await asyncio.gather(*asked, return_exceptions=True)
        return len(wave)

    assert run(main()) == 2


def test_stop_ends_all_that_wait_and_all_that_come_later() -> None:
    async def main() -> None:
        waves = Waves()
        asked = [asyncio.create_task(waves.ask(question(number))) for number in range(3)]
        await waves.next()
        asked[0].cancel()
        waves.stop(BadInput("over"))
        waves.stop(BadInput("and over"))
        ends = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(ends[0], asyncio.CancelledError) and [str(end) for end in ends[1:]] == ["over"] * 2
        with pytest.raises(BadInput, match=r"^over$"):
            await waves.ask(question(4))

    run(main())


def test_a_request_put_back_goes_with_the_next_wave() -> None:
    async def main() -> Completion:
        waves = Waves()
        asked = asyncio.create_task(waves.ask(question(1)))
        (first,) = await waves.next()
        waves.put(first)
        (again,) = await waves.next()
        assert again is first and waves.count == 2
        again.give(YES)
        return await asked

    assert run(main()) == YES
