"""The teacher whose endpoint is a server of the run's own."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from personamath.errors import TeacherMisconfigured
from personamath.records import Completion, Request
from personamath.teachers.concurrency import Limit
from personamath.teachers.http import HttpTeacher
from personamath.teachers.pace import Pace
from personamath.teachers.patience import Patience
from personamath.teachers.serve.command import find_vllm, serve_command
from personamath.teachers.serve.server import Server, free_port

SERVED = "vllm serve"
"""Its address in run.json."""
LOG = "vllm.log"
"""The file in the run directory with the server's output."""
DIED = "vllm serve ended"
"""Why a request that was in flight when the server died is asked again."""


class ServedTeacher(HttpTeacher):
    """A model in `vllm serve`, which runs while there is something to ask, as long as the context lasts.

    Requests that are in flight when the server dies are asked again once it is back.
    """

    def __init__(
        self,
        server: Server,
        patience: Patience | None = None,
        pace: Pace | None = None,
        *,
        hedge: bool = False,
        limits: Sequence[Limit] | None = None,
    ) -> None:
        super().__init__([f"{server.url}/v1"], patience=patience, pace=pace, hedge=hedge, limits=limits)
        self._server = server
        self._start_known = 0
        """The start after which the endpoint was last known to answer."""

    @classmethod
    def of(
        cls,
        model: str,
        arguments: Mapping[str, Any],
        directory: Path,
        patience: Patience,
        pace: Pace,
        *,
        hedge: bool = False,
        limits: Sequence[Limit] | None = None,
    ) -> "ServedTeacher":
        """Return the teacher of a model; raise `BadInput` if there is no vLLM here."""
        port = free_port()
        server = Server(serve_command(find_vllm(), model, port, arguments), port, directory / LOG)
        return cls(server, patience, pace, hedge=hedge, limits=limits)

    async def __aexit__(self, *error: object) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            await self._server.close()

    async def ready(self) -> None:
        """Wait until the model is loaded; raise `TeacherMisconfigured` if that fails."""
        start = await self._server.ready()
        if start != self._start_known:
            self._start_known = start
            self._endpoints.known_to_answer()

    async def complete(self, request: Request) -> Completion:
        """Ask as over HTTP, and once more if the server dies meanwhile and comes back."""
        while True:
            await self.ready()
            try:
                async with asyncio.timeout(None) as asking:
                    with self._server.cut_short_by_death(asking):
                        return await super().complete(request)
            except TimeoutError:
                self.retries[DIED] += 1
            except TeacherMisconfigured:
                # A server that dies refuses everything, and then connections.
                if not await self._server.is_dying():
                    raise

    def stop(self) -> None:
        """Send nothing more, and wait for no start."""
        super().stop()
        self._server.stop()

    @property
    def reached(self) -> dict[str, int]:
        """Like any endpoint's, but under a name that does not depend on the server's port."""
        return dict(zip([SERVED], super().reached.values(), strict=False))

    def waiting_for(self) -> str:
        """For the progress line: how the server starts, else why the run waits for the endpoint."""
        return self._server.waiting_for() or super().waiting_for()
