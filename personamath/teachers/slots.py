"""Slots for requests in flight, or for seed problems in progress: a semaphore whose size may change."""

import asyncio
from collections import deque
from collections.abc import Callable


class Slots:
    """Slots are given in order of arrival while fewer than `size` are taken. `async with` takes one."""

    def __init__(self, size: Callable[[], int]) -> None:
        self._size = size
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._larger: list[Slots] = []

    @classmethod
    def fixed(cls, size: int) -> "Slots":
        """A fixed number of slots."""
        return cls(lambda: size)

    def and_spare(self, spare: int) -> "Slots":
        """Other slots, always this many more than these."""
        larger = Slots(lambda: self._size() + spare)
        self._larger.append(larger)
        return larger

    async def __aenter__(self) -> None:
        await self.take()

    async def __aexit__(self, *_: object) -> None:
        self.give_back()

    async def take(self) -> None:
        """Wait for a place."""
        if not self._waiting and self._taken < self._size():
            self._taken += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give_back()  # the place came at the same moment
            raise

    def give_back(self) -> None:
        """Leave a place to others."""
        self._taken -= 1
        self._let_in()

    def _let_in(self) -> None:
        """Give the free places to those who wait."""
        size = self._size()
        while self._waiting and self._taken < size:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._taken += 1
        for larger in self._larger:
            larger._let_in()
