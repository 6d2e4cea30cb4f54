"""Asking through Ray Data: actors that work on blocks, and the desk that they report to."""

import asyncio
import contextlib
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

from personamath.errors import PersonaMathError
from personamath.runs.ray.blocks import Block
from personamath.runs.ray.cluster import CPUS_OF_AN_ACTOR, ClusterSetup, connect, failure, start_desk, wanted_actors
from personamath.runs.ray.desk import Look
from personamath.runs.ray.worker import BlockWorker, Job, as_table
from personamath.teachers.prices import Bill

# So that an actor has work while the last problems of a block are waited for.
BLOCKS_AT_ONCE = 2


class Asked(NamedTuple):
    """How many requests the actors answered, and from where."""

    asked: int
    """By the endpoints."""
    replayed: int
    """From what the run directory holds."""


class ActorPool:
    """Actors that work on blocks, and the desk that they report to; made once the cluster is joined."""

    def __init__(self, ray: Any, setup: ClusterSetup, home: Path, begun: Bill, blocks: int) -> None:
        """`home` and `begun` are the desk's; at most `blocks` actors are started."""
        connect(ray, setup.address)
        self._ray = ray
        self.size = min(wanted_actors(ray, setup.concurrency), blocks)
        self.desk = start_desk(ray, home, begun, setup.caps, self.size)

    async def look(self) -> Look:
        """How far the actors are; a `PersonaMathError` if the cluster failed."""
        try:
            return cast(Look, await self.desk.look.remote())
        except self._ray.exceptions.RayError as error:
            raise failure(error) from None

    def stop(self, reason: PersonaMathError) -> None:
        """Have every actor stop asking."""
        self.desk.stop.remote(PersonaMathError(str(reason)))  # not every error can be sent

    async def work(self, todo: Iterable[Block], job: Job) -> Asked:
        """Work on blocks in a thread, which a run that stops leaves behind."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[list[dict[str, int]]] = loop.create_future()

        def tell(reports: list[dict[str, int]], error: PersonaMathError | None) -> None:
            if ended.cancelled():
                return
            if error:
                ended.set_exception(error)
            else:
                ended.set_result(reports)

        def consume() -> None:
            reports, error = [], None
            try:
                reports = list(self._dataset(todo, job).iter_rows())
            except Exception as cause:  # of Ray, or of an actor's code: Ray wraps them all alike
                error = failure(cause)
            with contextlib.suppress(RuntimeError):  # the run has ended without us
                loop.call_soon_threadsafe(tell, reports, error)

        threading.Thread(target=consume, name="ray-data", daemon=True).start()
        reports = await ended
        return Asked(*(sum(report[name] for report in reports) for name in Asked._fields))

    def _dataset(self, todo: Iterable[Block], job: Job) -> Any:
        """Ray Data over the blocks, each of them one of Ray's blocks too: its unit of work and of retry."""
        from ray.data import ActorPoolStrategy, DataContext, from_arrow_refs

        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        # One reference at a time: neither this process nor Ray's memory holds all problems, Ray puts them on disk.
        return from_arrow_refs([self._ray.put(as_table(block)) for block in todo]).map_batches(
            BlockWorker,
            fn_constructor_args=(job,),
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=CPUS_OF_AN_ACTOR,
            compute=ActorPoolStrategy(
                size=self.size,
                max_tasks_in_flight_per_actor=BLOCKS_AT_ONCE,
                max_concurrent_calls_per_actor=BLOCKS_AT_ONCE,
            ),
        )
