"""The desk: one actor beside the driver that counts how far the blocks are, stops all actors, and looks up answers."""

from collections import Counter
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from personamath.errors import PersonaMathError
from personamath.journal.file_format import FIND, open_for_reading
from personamath.journal.salvage import as_completion
from personamath.records import Completion
from personamath.runs.funnel import Funnel
from personamath.runs.ray.gate import Allowance, Allowances
from personamath.teachers.prices import Bill, Caps


class Status(NamedTuple):
    """How far a block is."""

    asked: int
    in_flight: int
    funnel: Funnel
    bill: Bill
    """Of what was asked this time, without prices."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far the run is, this time."""

    asked: int = 0
    in_flight: int = 0
    funnel: Funnel = field(default_factory=Funnel)
    """Sums over the blocks that were begun."""
    bill: Bill = field(default_factory=lambda: Bill(None))
    """All answers of the run directory."""
    retries: Counter[str] = field(default_factory=Counter)
    """Retries by their reason."""
    working: int = 0
    """Blocks that are being worked on."""
    reason_to_stop: PersonaMathError | None = None


class Orders(NamedTuple):
    """What an actor gets back for its report."""

    reason_to_stop: PersonaMathError | None
    allowance: Allowance


class Desk:
    """What the driver and the actors know of each other.

    `home` is the directory of a journal whose answers the actors may ask for. It is opened here, on the driver's
    machine and by nobody else: SQLite on a network file system is not to be shared.
    """

    def __init__(self, home: Path, begun: Bill, caps: Caps, actors: int) -> None:
        self._begun = begun
        """All answers of the run directory before this command."""
        self._allowances = Allowances(caps, actors)
        self._journal = open_for_reading(home)
        self._past = Status(0, 0, Funnel(), Bill(None))
        self._working: dict[int, Status] = {}
        self._retries: Counter[str] = Counter()
        self._reason_to_stop: PersonaMathError | None = None

    def known(self, digest: str) -> Completion | None:
        """The journal's answer to the request with this digest, or None."""
        found = self._journal.execute(FIND, (digest,)).fetchall()
        return as_completion(*found[0][:-1]) if found else None

    def report(
        self, actor: str, working: dict[int, Status], finished: dict[int, Status], retries: Counter[str], in_flight: int
    ) -> Orders:
        """Take an actor's report: its blocks, its retries since the last report, and its requests in flight."""
        self._retries.update(retries)
        self._working.update(working)
        for number, status in finished.items():
            self._working.pop(number, None)
            self._past.funnel.merge(status.funnel)
            self._past.bill.merge(status.bill.paid())
            self._past = self._past._replace(asked=self._past.asked + status.asked)
        allowance = self._allowances.hand_out(actor, in_flight, self.look().bill, idle=not working)
        return Orders(self._reason_to_stop, allowance)

    def stop(self, reason: PersonaMathError) -> None:
        """Have every actor stop, for the first reason given."""
        self._reason_to_stop = self._reason_to_stop or reason

    def look(self) -> Look:
        """How far all actors are."""
        statuses = [self._past, *self._working.values()]
        funnel, bill = deepcopy((self._past.funnel, self._begun))
        bill.merge(self._past.bill.paid())
        for status in self._working.values():
            funnel.merge(status.funnel)
            bill.merge(status.bill.paid())
        asked, in_flight = (sum(getattr(status, name) for status in statuses) for name in ("asked", "in_flight"))
        return Look(asked, in_flight, funnel, bill, self._retries, len(self._working), self._reason_to_stop)


def remembers(home: Path) -> bool:
    """Whether the journal in this directory has any answers, so that it is worth asking."""
    with closing(open_for_reading(home)) as journal:
        return bool(journal.execute("select 1 from answers limit 1").fetchall())
