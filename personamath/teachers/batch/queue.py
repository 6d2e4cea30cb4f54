"""The provider's queue: how many prompt tokens are in it, and when more may be submitted."""

import asyncio
import re
import time

from personamath.teachers.batch.record import Submitted

# With an allowance, batches of a quarter of it: as one ends, the others keep the provider busy.
SHARE_OF_ALLOWANCE = 4
# The one error of a whole batch that only asks to wait.
QUEUE_FULL = "token_limit_exceeded"
_ANNOUNCED = re.compile(r"[Ll]imit: ([\d,]+)")


class ProviderQueue:
    """The batches that have not ended; `allowance` is the most tokens that may be enqueued, None if it is not known."""

    def __init__(self, allowance: int | None, hold_s: float) -> None:
        """`hold_s` is how long to submit nothing after the queue was full."""
        self._allowance = allowance
        self._hold_s = hold_s
        self._held_until = 0.0
        self._tokens: dict[int, int] = {}
        """Estimated, by the number of the batch."""
        self._freed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._tokens)

    @property
    def tokens_per_batch(self) -> int | None:
        """The most tokens to put into one batch."""
        return self._allowance and self._allowance // SHARE_OF_ALLOWANCE

    def add(self, batch: Submitted) -> None:
        """A batch was submitted."""
        self._tokens[batch.number] = batch.tokens

    def remove(self, batch: Submitted) -> None:
        """A batch has ended."""
        self._tokens.pop(batch.number, None)
        self._freed.set()

    async def room_for(self, tokens: int) -> None:
        """Wait until the allowance admits this many more tokens; if the queue is empty, any batch may try."""
        while True:
            full = self._allowance and self._tokens and sum(self._tokens.values()) + tokens > self._allowance
            held_s = self._held_until - time.monotonic()
            if not full and held_s <= 0:
                return
            self._freed.clear()
            if full:
                await self._freed.wait()
            else:
                await asyncio.sleep(held_s)

    def was_full(self, message: str) -> bool:
        """Lower the allowance to the limit that the provider's message announces, else to what is out and was let in.

        False if neither is there, and the allowance stays as it is.
        """
        announced = _ANNOUNCED.search(message)
        limit = int(announced[1].replace(",", "")) if announced else sum(self._tokens.values())
        if not limit:
            return False
        self._allowance = min(self._allowance or limit, limit)
        self._held_until = time.monotonic() + self._hold_s
        return True
