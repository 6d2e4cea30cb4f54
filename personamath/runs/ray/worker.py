"""The actor: runs the recipe on blocks of seed problems, several at once in one event loop."""

import asyncio
import dataclasses
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pyarrow as pa

from personamath.answers import Grader
from personamath.errors import PersonaMathError, RunDirectoryError
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.run_folder import RunFolder
from personamath.methods.work import Outcome
from personamath.recipe import Recipe
from personamath.records import Completion, Persona, Problem, Request, Teacher
from personamath.runs.funnel import Funnel
from personamath.runs.pipeline import digests
from personamath.runs.ray import blocks
from personamath.runs.ray.answers import BlockAnswers
from personamath.runs.ray.blocks import Block
from personamath.runs.ray.desk import Status
from personamath.runs.ray.gate import Allowance, Gate
from personamath.runs.run import run
from personamath.runs.setup import limits_for
from personamath.teachers.http import HttpTeacher
from personamath.teachers.keys import Access
from personamath.teachers.pace import Pace
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Caps, Paid, Prices
from personamath.teachers.routed import Route, Routes, connections, over_http
from personamath.teachers.slots import Slots

REPORT_EVERY_S = 0.5
_PROBLEM_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        *(
            (name, pa.int32() if name == "level" else pa.string())
            for name in (f.name for f in dataclasses.fields(Problem))
        ),
    ]
)
_REPORT_SCHEMA = pa.schema([("number", pa.int64()), ("asked", pa.int64()), ("replayed", pa.int64())])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an actor has to know."""

    output: str
    recipe: Recipe
    personas: Sequence[Persona]
    made_by: str
    """See `blocks.fingerprint`."""
    routes: Routes
    access: Mapping[str, Access]
    """The access to each endpoint; printing or logging a job shows no keys."""
    patience: Patience
    concurrency: int | None
    """This actor's slice, like the two that follow; None if the actor finds the number."""
    rpm: float | None
    tpm: float | None
    actors: int
    """The number of actors that ask the same endpoints."""
    hedge: bool
    prices: Prices
    caps: Caps
    """Of the whole run: a block alone may reach them, too."""
    desk: Any
    """Handle of the `Desk`."""
    desk_remembers: bool
    """Whether answers may be known there."""


def as_table(block: Block) -> pa.Table:
    """A block as it travels: its problems, each with the block's number."""
    columns = [[getattr(problem, name) for problem in block.problems] for name in _PROBLEM_SCHEMA.names[1:]]
    return pa.table([[block.number] * len(block.problems), *columns], schema=_PROBLEM_SCHEMA)


def as_block(table: pa.Table) -> Block:
    """A block that arrived."""
    rows = table.to_pylist()
    numbers = {row.pop("number") for row in rows}
    assert len(numbers) == 1, "Ray Data has joined or cut a block"
    return Block(numbers.pop(), [Problem(**row) for row in rows])


class BlockWorker:
    """What `Dataset.map_batches` makes an actor of: a block's problems in, one row on what became of it out."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._folder = RunFolder(job.output)
        pace = Pace(job.rpm, job.tpm)

        def opened(route: Route) -> HttpTeacher:
            urls, count = route.base_urls, connections(job.routes)
            limits = None if job.concurrency else limits_for(urls, job.patience.timeout_s, {}, count, job.actors)
            access = [job.access[url] for url in urls]
            return HttpTeacher(urls, access, job.patience, pace, hedge=job.hedge, limits=limits)

        self._endpoints = over_http(job.routes, opened)
        self._endpoints.thrown_away = self._pay_for
        self._gate = Gate(self._endpoints)
        self._name = uuid.uuid4().hex
        self._slots = Slots.fixed(job.concurrency) if job.concurrency else self._endpoints.slots
        self._starting, self._reporting = asyncio.Lock(), asyncio.Lock()
        self._started = False
        self._working: dict[int, _Work] = {}
        self._finished: dict[int, Status] = {}

    async def _pay_for(self, paid: Paid) -> None:
        """Count what a reply cost that was no answer, on any block's bill: the run's is their sum."""
        for work in list(self._working.values())[:1]:
            await work.pay(paid)

    async def __call__(self, batch: pa.Table) -> pa.Table:
        """Work on one block. Report an end of the run to the desk instead of raising it, so that no block is lost."""
        block = as_block(batch)
        work = _Work(self._job, self._folder, block, self._gate, self._slots)
        try:
            await self._start()
            self._working[block.number] = work
            await self._report()  # before it asks: a driver that stops waits for every block it knows of
            await work.run(self._grader)
        except PersonaMathError as error:
            await self._job.desk.stop.remote(PersonaMathError(str(error)))
        finally:
            self._working.pop(block.number, None)
            self._finished[block.number] = work.status()
            await self._report()
        return pa.table([[block.number], [work.asked], [work.replayed]], schema=_REPORT_SCHEMA)

    async def _start(self) -> None:
        """Open what the blocks share, in the loop that they run in."""
        async with self._starting:
            if self._started:
                return
            if self._folder.path and not self._folder.path.is_dir():
                raise RunDirectoryError(
                    f"{self._folder.name}: not available on every machine of the cluster; give an --output on a file "
                    "system that all share, or in an object store"
                )
            import resource  # not on Windows, where the journal refuses to run

            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            await self._endpoints.__aenter__()
            self._grader = await Grader().__aenter__()
            self._reporter = asyncio.create_task(self._report_now_and_then())
            self._started = True

    async def close(self) -> None:
        """Close what the blocks shared. Ray does not: it ends the process."""
        self._reporter.cancel()
        await asyncio.gather(self._reporter, return_exceptions=True)
        await self._grader.__aexit__(None, None, None)
        await self._endpoints.__aexit__()

    async def _report_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            await self._report()

    async def _report(self) -> None:
        async with self._reporting:  # one at a time: an allowance takes the place of the one before
            finished, self._finished = self._finished, {}
            working = {number: work.status() for number, work in self._working.items()}
            retries = Counter(self._endpoints.retries)
            self._endpoints.retries.clear()
            self._gate.close()
            orders = await self._job.desk.report.remote(self._name, working, finished, retries, self._gate.in_flight)
            if orders.reason_to_stop:
                for work in self._working.values():
                    work.stop(orders.reason_to_stop)
                self._endpoints.stop()
                self._gate.open(Allowance(0, over=True))  # who waits there finds the reason
            else:
                self._gate.open(orders.allowance)


class _Work:
    """One block while it is worked on."""

    def __init__(self, job: Job, folder: RunFolder, block: Block, asked: Teacher, slots: Slots) -> None:
        self._job = job
        self._folder = folder
        self._block = block
        self._answers = BlockAnswers(folder, block.name)
        self._recalling = _Recalling(job.desk if job.desk_remembers else None, self._answers, asked)
        self._slots = slots
        self._asking: JournaledTeacher | None = None
        """None until it asks."""
        self._reason_to_stop: PersonaMathError | None = None
        self._funnel = Funnel()
        self._outcomes: dict[int, Outcome] = {}

    @property
    def asked(self) -> int:
        """Requests answered by the endpoints."""
        return self._asking.asked - self._recalling.recalled if self._asking else 0

    @property
    def replayed(self) -> int:
        """Requests answered from what was kept."""
        return self._asking.replayed + self._recalling.recalled if self._asking else 0

    def status(self) -> Status:
        """How far it is."""
        funnel = Funnel(done=self._funnel.done, rows=self._funnel.rows, tokens=self._funnel.tokens)
        return Status(self.asked, self._asking.in_flight if self._asking else 0, funnel, self._answers.asked)

    async def pay(self, paid: Paid) -> None:
        """Count what a reply cost that was no answer."""
        await self._answers.pay(paid)

    def stop(self, reason: PersonaMathError) -> None:
        """Ask nothing more, and end with `reason`."""
        self._reason_to_stop = reason
        if self._asking:
            self._asking.stop(reason)

    def add(self, position: int, outcome: Outcome) -> None:
        """Take the outcome of the seed problem at this position in the block."""
        self._outcomes[position] = outcome
        self._funnel.add(outcome)

    async def run(self, grader: Grader) -> None:
        """Run the recipe on the block's problems, and put the rows into the run directory."""
        async with self._answers:
            await run(
                self._job.recipe,
                enumerate(self._block.problems),
                self._recalling,
                self._answers,
                self,
                personas=self._job.personas,
                concurrency=self._slots,
                prices=self._job.prices,
                caps=self._job.caps,
                grader=grader,
                watch=self._watch,
            )
        await asyncio.to_thread(self._finish)

    @asynccontextmanager
    async def _watch(self, asking: JournaledTeacher) -> AsyncIterator[None]:
        self._asking = asking
        if self._reason_to_stop:
            asking.stop(self._reason_to_stop)
        yield

    def _finish(self) -> None:
        self._answers.gather()
        outcomes = [self._outcomes[position] for position in sorted(self._outcomes)]
        rows = [row for outcome in outcomes for row in outcome.rows]
        used = [used for outcome in outcomes for used in digests(outcome)]
        worked = blocks.Worked(self._job.made_by, self._funnel, self._answers.bill.paid())
        blocks.write_rows(self._folder, self._block.name, self._job.recipe.outline, rows, used, worked)


class _Recalling:
    """A teacher that first asks the desk, where a run that was begun elsewhere may have the answer."""

    def __init__(self, desk: Any | None, answers: BlockAnswers, teacher: Teacher) -> None:
        """Without a desk only the teacher is asked."""
        self._desk = desk
        self._answers = answers
        self._teacher = teacher
        self.recalled = 0

    async def complete(self, request: Request) -> Completion:
        known: Completion | None = await self._desk.known.remote(request.digest) if self._desk else None
        if known is None:
            return await self._teacher.complete(request)
        self.recalled += 1
        self._answers.recall(request.digest)
        return known
