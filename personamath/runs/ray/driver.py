"""A run on a Ray cluster: which blocks are left, actors for them, and their rows in the order of the problems."""

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

from personamath.errors import PersonaMathError
from personamath.journal.file_format import JOURNAL_FILES
from personamath.journal.journaled import DRAIN_S
from personamath.journal.run_folder import DATASET, LAST_OF_DATASET, RUN_FILE, RunFolder
from personamath.journal.store import Journal
from personamath.recipe import Recipe
from personamath.records import Persona, Row
from personamath.runs import input_record, seed_ids
from personamath.runs.dataset import Inputs
from personamath.runs.funnel import Funnel
from personamath.runs.ray.actors import ActorPool
from personamath.runs.ray.blocks import Block, fingerprint, split
from personamath.runs.ray.cluster import ClusterSetup, import_ray
from personamath.runs.ray.desk import Look, remembers
from personamath.runs.ray.inventory import Inventory
from personamath.runs.ray.worker import Job
from personamath.teachers.prices import Bill

LOOK_EVERY_S = 0.5
# More than the actors take themselves to let answers arrive.
GIVE_UP_S = DRAIN_S + 10.0


class RayRun:
    """One run on a cluster. `with` holds the run directory; after `work` the `rows` can be read."""

    def __init__(self, output: str, recipe: Recipe, personas: Sequence[Persona], setup: ClusterSetup) -> None:
        self._ray = import_ray()
        self.folder = RunFolder(output)
        self.asked = 0
        """Requests answered by the endpoints, this time."""
        self.replayed = 0
        """Requests answered from what the run directory holds."""
        self.reused = 0
        """Requests answered from other run directories; on a cluster there are none."""
        self.in_flight = 0
        self.bill = Bill(setup.prices)
        """All answers of the run directory."""
        self.retries: Counter[str] = Counter()
        """Retries by their reason."""
        self.shown = Funnel()
        """How far the run is, for the screen."""
        self._recipe = recipe
        self._personas = personas
        self._setup = setup
        self._made_by = fingerprint(recipe, personas)
        self._pool: ActorPool | None = None
        self._reason_to_stop: PersonaMathError | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="personamath-")))
            self.home = self.folder.path or scratch
            """The run directory; a scratch copy of its journal and run.json, if it is in an object store."""
            if not self.folder.path:
                for name in (*JOURNAL_FILES, RUN_FILE, input_record.FILE_NAME, seed_ids.FILE_NAME):
                    self.folder.fetch(name, self.home / name)
            self._journal = stack.enter_context(Journal(self.home))
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()
        self._held.close()

    async def work(self, inputs: Inputs) -> None:
        """Work on every block that is not done, and count all blocks into the funnel of `inputs`.

        Raises the `PersonaMathError` that ends a run.
        """
        self.shown.seed_problems = inputs.funnel.seed_problems
        names = [block.name for block in split(inputs.problems(), self._setup.block)]
        self._inventory = Inventory(self.folder, self._journal, self._setup.prices, names)
        left = await asyncio.to_thread(self._inventory.left, self._made_by)
        self._show(Look(bill=self._inventory.begun))
        await asyncio.to_thread(self._warn_of_moved, inputs)
        if left:
            todo = (block for block in split(inputs.problems(), self._setup.block) if block.number in left)
            await self._ask(todo, len(left))
        await asyncio.to_thread(self._settle, inputs)
        self.replayed += self._inventory.done.counts.total()
        self.bill = await asyncio.to_thread(self._inventory.count, inputs.funnel)

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of the seed problems."""
        return self._inventory.rows()

    def answers(self) -> Iterator[tuple[str, bytes]]:
        """Request digest and SHA-256 of every answer that was used; one may come twice."""
        return self._inventory.answers()

    def upload(self) -> None:
        """Copy what was written to `home` into the run directory, where that is in an object store."""
        if not self.folder.path:
            self.folder.upload(self.home / DATASET, DATASET, last=LAST_OF_DATASET)
            self.folder.write(RUN_FILE, (self.home / RUN_FILE).read_bytes())

    def stop(self, reason: PersonaMathError) -> None:
        """Have every actor stop asking; `work` raises `reason` once what is in flight has arrived, or is given up."""
        if not self._reason_to_stop:
            self._reason_to_stop = reason
            self._give_up_at = time.monotonic() + GIVE_UP_S
            if self._pool:
                self._pool.stop(reason)

    def _warn_of_moved(self, inputs: Inputs) -> None:
        in_blocks = {
            inputs.first_digest(seed)
            for block in split(inputs.problems(), self._setup.block)
            if block.name in self._inventory.there
            for seed in block.problems
        }
        has = self._journal.has
        inputs.warn_of_moved([seed_ids.Run(self.home, lambda digest: digest in in_blocks or has(digest))])
        self._keep_known()

    def _settle(self, inputs: Inputs) -> None:
        inputs.settle(self.home)
        self._keep_known()

    def _keep_known(self) -> None:
        known = self.home / seed_ids.FILE_NAME
        if not self.folder.path and known.exists():
            self.folder.write(seed_ids.FILE_NAME, known.read_bytes())

    async def _ask(self, todo: Iterable[Block], count: int) -> None:
        """Work on the blocks that are left."""
        begun = self._inventory.begun
        pool = await asyncio.to_thread(ActorPool, self._ray, self._setup, self.home, begun, count)
        self._pool = pool
        working = asyncio.create_task(pool.work(todo, self._job(pool)))
        try:
            while True:
                await asyncio.wait([working], timeout=LOOK_EVERY_S)
                look = await pool.look()
                self._show(look)
                if look.reason_to_stop:
                    self.stop(look.reason_to_stop)
                if self._reason_to_stop and (working.done() or not look.working or time.monotonic() > self._give_up_at):
                    raise self._reason_to_stop
                if working.done():
                    self.asked, self.replayed = working.result()
                    return
        finally:
            working.cancel()

    def _job(self, pool: ActorPool) -> Job:
        """What each actor has to know, its slice of the pace among it."""
        return Job(
            output=self.folder.output,
            recipe=self._recipe,
            personas=self._personas,
            made_by=self._made_by,
            routes=self._setup.routes,
            access=self._setup.access,
            patience=self._setup.patience,
            concurrency=self._setup.concurrency and max(1, self._setup.concurrency // pool.size),
            actors=pool.size,
            hedge=self._setup.hedge,
            rpm=self._setup.rpm and self._setup.rpm / pool.size,
            tpm=self._setup.tpm and self._setup.tpm / pool.size,
            prices=self._setup.prices,
            caps=self._setup.caps,
            desk=pool.desk,
            desk_remembers=remembers(self.home),
        )

    def _show(self, look: Look) -> None:
        """Update what the screen shows."""
        self.asked, self.in_flight, self.retries = look.asked, look.in_flight, look.retries
        total = Funnel()
        total.merge(self._inventory.done)
        total.merge(look.funnel)
        self.bill = look.bill
        self.shown.done, self.shown.rows, self.shown.tokens = total.done, total.rows, total.tokens
