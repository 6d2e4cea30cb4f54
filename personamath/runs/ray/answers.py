"""The answers of one block while it is worked on: kept in memory and, soon after, in its folder."""

import asyncio
from contextlib import suppress
from pathlib import Path

from personamath.errors import RunDirectoryError
from personamath.journal.block_files import answer_files, model_of, read_answers, wasted_in, write_answers, write_wasted
from personamath.journal.file_format import BLOCKS
from personamath.journal.run_folder import RunFolder
from personamath.journal.salvage import Answer, as_completion
from personamath.journal.store import DiskRoom
from personamath.records import Completion, Request
from personamath.teachers.prices import Bill, Paid

# What a killed actor has to ask again: so many seconds of a block, or so many answers of it, whichever comes first.
FLUSH_EVERY_S = 1.0
FLUSH_ANSWERS = 2_000
# Asking the disk costs a system call, or a round trip on a network.
LOOK_FOR_ROOM_EVERY_S = 1.0
_KNOWN = ("digest", "request", "purpose", "text", "finish_reason", "prompt_tokens", "completion_tokens", "answered_by")


class BlockAnswers:
    """The answers of one block, journal-like: `async with` reads what is there and, at the end, writes what is not.

    `put` returns before the answer is in the run directory, which may be an object store: a killed actor asks again for
    what it was answered in its last `FLUSH_EVERY_S` seconds, and for what was in flight.
    """

    def __init__(self, folder: RunFolder, block: str) -> None:
        self._folder = folder
        self._block = block
        self.path = Path(folder.name) / BLOCKS / block
        self.bill = Bill(None)
        """The answers in its folder, and the cost of useless replies, without prices."""
        self.asked = Bill(None)
        """Those of them that were asked this time."""
        self._known: dict[str, Completion] = {}
        self._recalled: set[str] = set()
        self._fresh: list[Answer] = []
        self._wasted: list[Paid] = []
        self._failure: RunDirectoryError | None = None
        self._full = asyncio.Event()
        self._closing = False
        self._room = DiskRoom(folder.free_bytes, LOOK_FOR_ROOM_EVERY_S)

    async def __aenter__(self) -> "BlockAnswers":
        await asyncio.to_thread(self._load)
        self._flusher = asyncio.create_task(self._flush_now_and_then())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._full.set()
        await self._flusher
        await self._flush()  # what came while the flusher wrote
        if self._failure:
            raise self._failure

    def get(self, digest: str) -> Completion | None:
        """The answer to the request with this digest, or None."""
        return self._known.get(digest)

    async def put(self, request: Request, completion: Completion) -> None:
        """Keep one answer; `RunDirectoryError` if an earlier one could not be written."""
        if self._failure:
            raise self._failure
        self._known[request.digest] = completion
        if request.digest in self._recalled:
            return
        for bill in (self.bill, self.asked):
            bill.add(Paid.of(request.model, request.purpose, completion))
        self._fresh.append(Answer.of(request, completion))
        if len(self._fresh) >= FLUSH_ANSWERS:
            self._full.set()

    async def pay(self, paid: Paid) -> None:
        """Keep what a useless reply cost, as `put` keeps answers."""
        for bill in (self.bill, self.asked):
            bill.add(paid)
        self._wasted.append(paid)

    def recall(self, digest: str) -> None:
        """Say that the answer to come is kept in another place of the run directory already."""
        self._recalled.add(digest)

    def paid(self) -> list[Paid]:
        """Nothing: a run's bill is made of those of its blocks."""
        return []

    def has_room(self) -> bool:
        """Whether the disk still holds the reserve that the answers in flight may need."""
        return self._room.is_left()

    def gather(self) -> None:
        """Merge the block's files into one; call it when nothing is asked any more."""
        files = answer_files(self._folder, self._block)
        if len(files) < 2:
            return
        with suppress(FileNotFoundError):  # an actor that was given up for dead may be doing the same
            answers = [Answer(*answer) for file in files for answer in read_answers(self._folder, file, Answer._fields)]
            first = {answer.digest: answer for answer in reversed(answers)}
            write_answers(self._folder, self._block, list(first.values()))
            for file in files:
                self._folder.remove(file)

    def _load(self) -> None:
        self.bill.merge(wasted_in(self._folder, self._block))
        for file in answer_files(self._folder, self._block):
            with suppress(FileNotFoundError):  # another actor gathers them, as above
                for digest, request, purpose, *columns in read_answers(self._folder, file, _KNOWN):
                    if digest not in self._known:
                        self._known[digest] = as_completion(*columns)
                        self.bill.add(Paid.of(model_of(request), purpose, self._known[digest]))

    async def _flush_now_and_then(self) -> None:
        while not self._closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), FLUSH_EVERY_S)
            self._full.clear()
            await self._flush()

    async def _flush(self) -> None:
        answers, self._fresh = self._fresh, []
        wasted, self._wasted = self._wasted, []
        try:
            if answers:
                await asyncio.to_thread(write_answers, self._folder, self._block, answers)
            if wasted:
                await asyncio.to_thread(write_wasted, self._folder, self._block, wasted)
        except RunDirectoryError as error:
            self._failure = error
