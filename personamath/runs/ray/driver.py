"""A run on a Ray cluster: which blocks are left, actors for them, and their rows in the order of the problems."""

import asyncio
import contextlib
import dataclasses
import logging
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import Any, Self, cast

from personamath.errors import BadInput, PersonaMathError, RunDirectoryError
from personamath.runs.funnel import Funnel
from personamath.journal.store import Journal
from personamath.journal.file_format import BLOCKS, FILE_NAME
from personamath.journal.journaled import DRAIN_S
from personamath.teachers.prices import Bill, Caps, Price
from personamath.runs.ray import blocks
from personamath.runs.ray.desk import Desk, Look, remembers
from personamath.runs.ray.folder import RunFolder
from personamath.runs.ray.worker import BlockWorker, Job, Secret, as_table
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Row
from personamath.journal.salvage import Answer
from personamath.teachers.patience import Patience

# One event loop feeds several thousand requests a second: at the seconds that a model takes, more than this in flight.
IN_FLIGHT_OF_AN_ACTOR = 1_000
# So that an actor has work while the last problems of a block are waited for.
BLOCKS_AT_ONCE = 2
# Actors wait more than they compute; two that ask for a whole CPU each hang on two CPUs, without an error.
CPUS_OF_AN_ACTOR = 0.25
# Of a cluster that is started here: what travels through Ray's own store are seed problems and counts.
OBJECT_STORE_BYTES = 256 * 2**20
LOOK_EVERY_S = 0.5
# More than the actors take themselves to let answers arrive.
GIVE_UP_S = DRAIN_S + 10.0
# Looking at what there is of each block: an object store answers within tens of milliseconds.
LOOKING_THREADS = 32
# Enough of one of Ray's messages to name the cause.
SHOWN_OF_AN_ERROR = 300
# Before Ray is imported; what the user has set, stays. Ray calls home otherwise, and its C++ part writes to the screen.
RAY_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSetup:
    """Where a run is worked on, and how the teacher is reached from there."""

    address: str | None
    """Of a running cluster; None: RAY_ADDRESS, else one that is started on this machine for this run."""
    block: int
    """Seed problems in a block."""
    concurrency: int
    """Requests in flight, of all actors together; likewise the two that follow."""
    rpm: float | None
    tpm: float | None
    base_url: Sequence[str]
    key: str | None
    patience: Patience
    price: Price | None
    caps: Caps


class RayRun:
    """One run on a cluster. `with` holds the run directory; after `work` the `rows` can be read."""

    def __init__(self, output: str, recipe: Recipe, personas: Sequence[Persona], setup: ClusterSetup) -> None:
        self._ray = _import_ray()
        self.folder = RunFolder(output)
        self.asked = 0
        """Requests answered by the endpoints, this time."""
        self.replayed = 0
        """Requests answered from what the run directory holds."""
        self.in_flight = 0
        self.bill = Bill(setup.price)
        """What the run directory came to."""
        self.retries: Counter[str] = Counter()
        """What was asked again, by reason."""
        self.shown = Funnel()
        """How far the run is, for the screen."""
        self._recipe = recipe
        self._personas = personas
        self._setup = setup
        self._made_by = blocks.fingerprint(recipe, personas)
        self._names: list[str] = []
        self._done = Funnel()
        """What the blocks came to that were done before."""
        self._reason_to_stop: PersonaMathError | None = None
        self._desk: Any = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="personamath-")))
            self.home = self.folder.path or scratch
            """A directory of this machine with a journal: the run directory, unless that is in an object store."""
            if not self.folder.path:
                self.folder.fetch(FILE_NAME, self.home / FILE_NAME)
            self._journal = stack.enter_context(Journal(self.home))
            self._held = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()
        self._held.close()

    async def work(self, read: Callable[[], Iterable[Problem]], funnel: Funnel) -> None:
        """Work on every block that is not done, and count all blocks into `funnel`.

        `read` gives the seed problems each time it is called. Raises the `PersonaMathError` that ends a run.
        """
        self.shown.seed_problems = funnel.seed_problems
        self._names = [block.name for block in blocks.split(read(), self._setup.block)]
        left = await asyncio.to_thread(self._look_at_blocks)
        self._show(Look(bill=self._begun))
        if left:
            todo = (block for block in blocks.split(read(), self._setup.block) if block.number in left)
            await self._ask(todo, len(left))
        self.replayed += self._done.counts.total()
        await asyncio.to_thread(self._count, funnel)

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of the seed problems."""
        for name in self._names:
            yield from blocks.read_rows(self.folder, name)

    def upload(self) -> None:
        """Put what was written to `home` where it belongs."""
        if not self.folder.path:
            self.folder.upload(self.home / "dataset", "dataset", last="README.md")
            self.folder.write("run.json", (self.home / "run.json").read_bytes())

    def hashes(self) -> Iterator[tuple[str, bytes]]:
        """Request digest and SHA-256 of every answer in the blocks' files."""
        for name in self._names:
            for file in blocks.answer_files(self.folder, name):
                yield from blocks.read_answers(self.folder, file, ("digest", "sha256"))

    def stop(self, reason: PersonaMathError) -> None:
        """Have every actor stop asking; `work` raises `reason` once what is in flight has arrived, or is given up."""
        if not self._reason_to_stop:
            self._reason_to_stop = reason
            self._give_up_at = time.monotonic() + GIVE_UP_S
            if self._desk:
                self._desk.stop.remote(PersonaMathError(str(reason)))  # not every error can be sent

    def _look_at_blocks(self) -> set[int]:
        """The numbers of the blocks that are left; counts the others, and adopts the answers of foreign ones."""
        there = set(self.folder.names(BLOCKS))
        adopt_answers(self._journal, self.folder, sorted(there.difference(self._names)))
        self._begun = Bill.so_far(self._setup.price, self._journal.paid())
        left = set[int]()

        def look(name: str) -> blocks.Worked | Bill:
            worked = blocks.read_worked(self.folder, name) if name in there else None
            if worked and worked.made_by == self._made_by and worked.funnel.complete:
                return worked
            return blocks.bill_of(self.folder, name) if name in there else Bill(None)

        with ThreadPoolExecutor(LOOKING_THREADS) as threads:
            for number, found in enumerate(threads.map(look, self._names)):
                if isinstance(found, Bill):
                    left.add(number)
                    self._begun.merge(found)
                else:
                    self._done.merge(found.funnel)
                    self._begun.merge(found.bill)
        return left

    async def _ask(self, todo: Iterable[blocks.Block], count: int) -> None:
        """Work on the blocks that are left."""
        await asyncio.to_thread(_connect, self._ray, self._setup.address)
        actors = min(_actors(self._ray, self._setup.concurrency), count)
        self._desk = _start_desk(self._ray, self.home, self._begun, self._setup.caps, actors)
        working = asyncio.create_task(self._consume(todo, actors))
        try:
            while True:
                await asyncio.wait([working], timeout=LOOK_EVERY_S)
                look = await self._look()
                self._show(look)
                if look.reason_to_stop:
                    self.stop(look.reason_to_stop)
                if self._reason_to_stop and (working.done() or not look.working or time.monotonic() > self._give_up_at):
                    raise self._reason_to_stop
                if working.done():
                    return working.result()
        finally:
            working.cancel()

    async def _look(self) -> Look:
        try:
            return cast(Look, await self._desk.look.remote())
        except self._ray.exceptions.RayError as error:
            raise _failure(error) from None

    def _dataset(self, todo: Iterable[blocks.Block], actors: int) -> Any:
        """Ray Data over the blocks, each of them a block of Ray's, too: its unit of work and of retry."""
        from ray.data import ActorPoolStrategy, DataContext, from_arrow_refs

        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        job = Job(
            output=self.folder.output,
            recipe=self._recipe,
            personas=self._personas,
            made_by=self._made_by,
            base_url=self._setup.base_url,
            key=Secret(self._setup.key),
            patience=self._setup.patience,
            concurrency=max(1, self._setup.concurrency // actors),
            rpm=self._setup.rpm and self._setup.rpm / actors,
            tpm=self._setup.tpm and self._setup.tpm / actors,
            price=self._setup.price,
            caps=self._setup.caps,
            desk=self._desk,
            desk_remembers=remembers(self.home),
        )
        # One reference at a time: neither this process nor Ray's memory holds all problems, Ray puts them on disk.
        return from_arrow_refs([self._ray.put(as_table(block)) for block in todo]).map_batches(
            BlockWorker,
            fn_constructor_args=(job,),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=CPUS_OF_AN_ACTOR,
            compute=ActorPoolStrategy(
                size=actors,
                max_tasks_in_flight_per_actor=BLOCKS_AT_ONCE,
                max_concurrent_calls_per_actor=BLOCKS_AT_ONCE,
            ),
        )

    async def _consume(self, todo: Iterable[blocks.Block], actors: int) -> None:
        """Make the dataset and run it to its end in a thread, which a run that stops leaves behind."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[list[dict[str, int]]] = loop.create_future()

        def tell(reports: list[dict[str, int]], failure: PersonaMathError | None) -> None:
            if ended.cancelled():
                return
            if failure:
                ended.set_exception(failure)
            else:
                ended.set_result(reports)

        def consume() -> None:
            reports, failure = [], None
            try:
                reports = list(self._dataset(todo, actors).iter_rows())
            except Exception as error:  # of Ray, or of an actor's code: Ray wraps them all alike
                failure = _failure(error)
            with contextlib.suppress(RuntimeError):  # the run has ended without us
                loop.call_soon_threadsafe(tell, reports, failure)

        threading.Thread(target=consume, name="ray-data", daemon=True).start()
        reports = await ended
        self.asked, self.replayed = (sum(report[name] for report in reports) for name in ("asked", "replayed"))

    def _show(self, look: Look) -> None:
        """Bring what the screen shows up to date."""
        self.asked, self.in_flight, self.retries = look.asked, look.in_flight, look.retries
        total = Funnel()
        total.merge(self._done)
        total.merge(look.funnel)
        self.bill = look.bill
        self.shown.done, self.shown.rows, self.shown.tokens = total.done, total.rows, total.tokens

    def _count(self, funnel: Funnel) -> None:
        self.bill = Bill.so_far(self._setup.price, self._journal.paid())
        for name in self._names:
            worked = blocks.read_worked(self.folder, name)
            if worked is None:
                raise RunDirectoryError(f"{self.folder.name}: the rows of block {name} are gone; run the same command")
            funnel.merge(worked.funnel)
            self.bill.merge(worked.bill)


def adopt_answers(journal: Journal, folder: RunFolder, names: Iterable[str] | None = None) -> None:
    """Move the answers of blocks, of all of them without `names`, into a journal, so that each is in one place.

    In an object store, for which the journal is but a scratch copy, they stay.
    """
    for name in folder.names(BLOCKS) if names is None else names:
        if folder.path:  # before the answers: it counts them
            folder.remove(f"{BLOCKS}/{name}/{blocks.ROWS}")
        for file in blocks.answer_files(folder, name):
            with contextlib.suppress(FileNotFoundError):  # an actor of a killed driver has just put it into another
                journal.adopt(Answer(*values) for values in blocks.read_answers(folder, file, Answer._fields))
            if folder.path:
                folder.remove(file)
        if folder.path:
            with contextlib.suppress(OSError):  # not empty: such an actor still writes, and the next run will adopt it
                (folder.path / BLOCKS / name).rmdir()


def _import_ray() -> Any:
    for name, value in RAY_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError:
        raise BadInput("--engine ray needs Ray: pip install -e '.[ray]', on every machine") from None
    return ray


def _connect(ray: Any, address: str | None) -> None:
    """Join the cluster, or start one."""
    address = address or os.environ.get("RAY_ADDRESS")
    of_a_new_one = {} if address else {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    try:
        with _silent():
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **of_a_new_one)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            f"no Ray cluster at {address or 'this machine'} ({reason[:SHOWN_OF_AN_ERROR]}); check --ray-address, and "
            "that this machine is part of it"
        ) from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep off the screen what Ray's C++ part says about its own log level."""
    screen = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nothing)


def _start_desk(ray: Any, *arguments: object) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(Desk).options(num_cpus=0, scheduling_strategy=here).remote(*arguments)


def _actors(ray: Any, concurrency: int) -> int:
    """How many actors share the requests in flight: one on every machine, more where one could not keep up."""
    machines = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    room = int(ray.cluster_resources().get("CPU", 1) / CPUS_OF_AN_ACTOR)
    return max(1, min(max(len(machines), ceil(concurrency / IN_FLIGHT_OF_AN_ACTOR)), room, concurrency))


def _failure(error: Exception) -> PersonaMathError:
    """What Ray says, in a line: its own messages are pages long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[-1] if lines else type(error).__name__
    return PersonaMathError(
        f"the cluster failed ({type(error).__name__}: {reason[:SHOWN_OF_AN_ERROR]}); see its logs. Everything in "
        "the run directory is kept: the same command goes on"
    )
