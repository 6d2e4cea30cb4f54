"""Places whose number may change."""

import asyncio

from personamath.teachers.slots import Slots


def test_places_are_given_in_the_order_of_arrival_and_again_when_there_are_more() -> None:
    size, order = [1], list[int]()

    async def run() -> None:
        slots = Slots(lambda: size[0])

        async def work(number: int) -> None:
            async with slots:
                order.append(number)
                await asyncio.sleep(0.01 if number else 0.05)

        working = [asyncio.create_task(work(number)) for number in range(6)]
        await asyncio.sleep(0.01)
        assert order == [0]
        size[0] = 3
        await asyncio.sleep(0.045)
        assert order == [0, 1, 2, 3]
        await asyncio.gather(*working)

    asyncio.run(run())
    assert order == list(range(6))


def test_who_leaves_takes_no_place() -> None:
    async def run() -> None:
        slots = Slots.fixed(1)
        await slots.take()
        waiting = [asyncio.create_task(slots.take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        slots.give_back()  # the second has the place before it runs
        waiting[1].cancel()
        await asyncio.wait_for(waiting[2], 1)

    asyncio.run(run())


def test_places_beside_others_grow_with_them() -> None:
    async def run() -> None:
        size = [1]
        slots = Slots(lambda: size[0])
        beside = slots.and_spare(1)
        for _ in range(2):
            await beside.take()
        third = asyncio.create_task(beside.take())
        async with slots:
            await asyncio.sleep(0)
            assert not third.done()
            size[0] = 2
        await asyncio.wait_for(third, 1)

    asyncio.run(run())
