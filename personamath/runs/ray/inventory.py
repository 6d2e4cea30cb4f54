"""The blocks of a run: which are done, which are left, and what the run directory holds of them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from personamath.errors import RunDirectoryError
from personamath.journal.block_files import adopt_answers, paid_in
from personamath.journal.file_format import BLOCKS
from personamath.journal.run_folder import RunFolder
from personamath.journal.store import Journal
from personamath.records import Row
from personamath.runs.funnel import Funnel
from personamath.runs.ray.blocks import Worked, read_rows, read_used, read_worked
from personamath.teachers.prices import Bill, Paid, Prices

# Looking at what there is of each block: an object store answers within tens of milliseconds.
LOOKING_THREADS = 32


class Inventory:
    """The blocks of a run, in the order of the seed problems."""

    def __init__(self, folder: RunFolder, journal: Journal, prices: Prices, names: Sequence[str]) -> None:
        self._folder = folder
        self._journal = journal
        self._prices = prices
        self._names = names
        self.there: frozenset[str] = frozenset()
        """The names of the blocks that were begun before this command."""
        self.done = Funnel()
        """The counts of the blocks that were done before this command."""
        self.begun = Bill(prices)
        """All answers of the run directory before this command."""

    def left(self, made_by: str) -> set[int]:
        """The numbers of the blocks that are left; counts the others, and adopts the answers of all other blocks.

        `made_by` is the `fingerprint` of this run: a block that was made by another is left.
        """
        self.there = frozenset(self._folder.names(BLOCKS))
        adopt_answers(self._journal, self._folder, sorted(self.there.difference(self._names)))
        self.begun.merge(self._journal.paid())
        left = set[int]()

        def look(name: str) -> Worked | list[Paid]:
            if name not in self.there:
                return []
            worked = read_worked(self._folder, name)
            done = worked and worked.made_by == made_by and worked.funnel.complete
            return worked if worked and done else list(paid_in(self._folder, name))

        with ThreadPoolExecutor(LOOKING_THREADS) as threads:
            for number, found in enumerate(threads.map(look, self._names)):
                if isinstance(found, Worked):
                    self.done.merge(found.funnel)
                    self.begun.merge(found.paid)
                else:
                    left.add(number)
                    self.begun.merge(found)
        return left

    def count(self, funnel: Funnel) -> Bill:
        """Count all blocks into `funnel`, once they are done, and return the bill of the run directory."""
        bill = Bill.so_far(self._prices, self._journal.paid())
        for name in self._names:
            worked = read_worked(self._folder, name)
            if worked is None:
                raise RunDirectoryError(f"{self._folder.name}: the rows of block {name} are gone; run the same command")
            funnel.merge(worked.funnel)
            bill.merge(worked.paid)
        return bill

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of the seed problems."""
        for name in self._names:
            yield from read_rows(self._folder, name)

    def answers(self) -> Iterator[tuple[str, bytes]]:
        """Request digest and SHA-256 of every answer that was used; one may come twice."""
        for name in self._names:
            yield from read_used(self._folder, name)
