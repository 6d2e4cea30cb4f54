"""The server of a run's own teacher: a child process that is started, watched, started once more, and ended.

What is covered: a server that dies before it is ready, or while it answers; its last log lines; a run that ends in any
way, `kill -9` included (`guard.py`). What is not: a server that hangs without ending, which the time-outs of its
requests find, and engines on other machines.
"""

import asyncio
import os
import re
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from personamath.errors import NotAsked, TeacherMisconfigured
from personamath.files import in_one_line
from personamath.teachers.serve import guard
from personamath.teachers.serve.command import HOST

# How often to ask a server that starts whether it is ready, and how long to wait for its answer.
LOOK_S = 0.5
LOOK_TIMEOUT_S = 5.0
# After SIGTERM, a server frees its GPUs and ends its engine within seconds; one that does not is killed.
GRACE_S = 15.0
# Beyond the grace, for the guard to notice and to end.
GUARD_S = 2.0
# vLLM's own watchdog looks every 5 s whether its engine is dead, and answers with errors until then.
DEATH_SHOWS_S = 8.0
# Enough of a log to show the end of a traceback; a line of it may hold a whole configuration.
SHOWN_LINES = 12
SHOWN_CHARACTERS = 200
# Enough to find the first of the tracebacks that a death leaves, one for each process of the server.
READ_BYTES = 65_536
_CAUSE = re.compile(r"\b[A-Za-z]\w*(?:Error|Exception): ")
# On the progress line, which has the counts after it.
SHOWN_STATUS = 70
# With this variable set, the server would demand a key from the run that started it.
NOT_FOR_THE_SERVER = {"VLLM_API_KEY"}
# `(APIServer pid=7) INFO 11-28 21:53:42 [model.py:733] `, and colours.
_LOG_PREFIX = re.compile(r"\x1b\[[\d;]*m|^(?:\(\w+[^)]*\) )?[A-Z]+ [\d: -]+ \[[^\]]*\] ")


def free_port() -> int:
    """A free port on the loopback address."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


@contextmanager
def _held(port: int) -> Iterator[None]:
    """Keep the port for the server until it listens there, which takes it a quarter of a minute.

    Linux lets two programs bind a port that nobody listens on, if both reuse addresses, as servers do, and gives it to
    nobody who asks for any port. Elsewhere nothing is held.
    Raises `OSError` if another program took the port since it was chosen: its answers would pass for the model's.
    """
    with socket.socket() as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            mine.bind((HOST, port))
        except OSError as error:
            raise OSError(
                f"port {port} was taken by another program ({error.strerror}): run the same command"
            ) from None
        if sys.platform != "linux":
            mine.close()
        yield


class Server:
    """A server at `port`, started by `command` when somebody first waits for it; its output is appended to `log`.

    It belongs to the event loop that first waits for it, and `close` ends it.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._command = command
        self._log = log
        self._log_from = 0
        """Where the output of the present process begins in the log."""
        self._started_at = 0.0
        self._life: asyncio.Task[NoReturn] | None = None
        """Starts and watches the server, and raises why it is down for good; None until somebody waits for it."""
        self._starts = 0
        self._settled = asyncio.Event()
        """Set while nobody has to wait: the server is ready, or never will be."""
        self._stopping = False
        self._asking: set[asyncio.Timeout] = set()

    async def ready(self) -> int:
        """Wait until the server can be asked; return how often it has been started.

        Raises `TeacherMisconfigured`, with the last lines of the log, if it died before it was ready, or twice.
        """
        if not self._life and not self._stopping:
            self._life = asyncio.create_task(self._live(), name="vllm serve")
        await self._settled.wait()
        if self._stopping or not self._life:
            raise NotAsked("the run is ending")
        if self._life.done():
            self._life.result()
        return self._starts

    def stop(self) -> None:
        """Stop making callers wait; the server can still answer what it was sent."""
        self._stopping = True
        self._settled.set()

    @contextmanager
    def cut_short_by_death(self, asking: asyncio.Timeout) -> Iterator[None]:
        """Let a time-out expire when the server dies."""
        self._asking.add(asking)
        try:
            yield
        finally:
            self._asking.discard(asking)

    async def is_dying(self) -> bool:
        """Whether the server is down, or goes down within the time that a dying one needs."""
        until = time.monotonic() + DEATH_SHOWS_S
        while self._is_up and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
        return not self._is_up

    def waiting_for(self) -> str:
        """For the progress line: how long the start has taken, and the last line of output; empty once it is up."""
        if not self._life or self._settled.is_set():
            return ""
        minutes, seconds = divmod(round(time.monotonic() - self._started_at), 60)
        starts = f"vllm serve starts, {minutes}:{seconds:02}"
        lines = self._last_lines()
        return f"{starts}: {in_one_line(_LOG_PREFIX.sub('', lines[-1]), SHOWN_STATUS)}" if lines else starts

    async def close(self) -> None:
        """End the server and everything that it started."""
        self.stop()
        if self._life:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)

    @property
    def _is_up(self) -> bool:
        return self._settled.is_set() and self._life is not None and not self._life.done()

    async def _live(self) -> NoReturn:
        try:
            was_ready, how = await self._live_once()
            if not was_ready:
                raise TeacherMisconfigured(f"vllm serve ended before it was ready ({how}); {self._log_ends()}")
            print(f"\nvllm serve ended ({how}); starting it again; {self._log_ends()}", file=sys.stderr)
            _, how = await self._live_once()
            raise TeacherMisconfigured(
                f"vllm serve ended again ({how}); every answer is journaled, and the same command continues from here; "
                + self._log_ends()
            )
        except OSError as error:
            raise TeacherMisconfigured(f"cannot start vllm serve: {in_one_line(error)}") from None
        finally:
            self._settled.set()

    async def _live_once(self) -> tuple[bool, str]:
        """Start the server and wait until it ends; return whether it was ready, and how it ended."""
        with _held(self._port):
            process = await self._start()
            try:
                was_ready = await self._became_ready(process)
                if was_ready:
                    self._settled.set()
                status = await process.wait()
            finally:
                await _end(process)
        if not self._stopping:
            self._settled.clear()
        for asking in self._asking:
            asking.reschedule(0)
        return was_ready, _in_words(status)

    async def _start(self) -> Process:
        self._starts += 1
        self._started_at = time.monotonic()
        with self._log.open("ab") as log:
            self._log_from = log.tell()
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(GRACE_S), *self._command),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env={name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_SERVER},
                start_new_session=True,  # so that Ctrl-C on the terminal does not reach it
            )

    async def _became_ready(self, process: Process) -> bool:
        """Wait until it answers, however long a large model takes to load; False if it ended before."""
        import aiohttp

        ended = asyncio.create_task(process.wait())
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(LOOK_TIMEOUT_S)) as session:
                while not ended.done():
                    with suppress(aiohttp.ClientError, OSError):
                        async with session.get(f"{self.url}/health") as response:
                            if response.status == 200:
                                return True
                    await asyncio.wait({ended}, timeout=LOOK_S)
            return False
        finally:
            ended.cancel()

    def _log_ends(self) -> str:
        """The end of the log, after the first error, which is the engine's own: those that wait for it fail later."""
        lines = self._last_lines()
        shown, before = lines[-SHOWN_LINES:], lines[:-SHOWN_LINES]
        if cause := next(filter(_CAUSE.search, before), None):
            shown = [cause, "...", *shown]
        ends = "".join(f"\n  {in_one_line(line, SHOWN_CHARACTERS)}" for line in shown)
        return f"{self._log} ends with:{ends}" if ends else f"{self._log} is empty"

    def _last_lines(self) -> list[str]:
        """The last lines of the present process; a progress bar counts as the line that it shows now."""
        with self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_from, size - READ_BYTES))
            text = log.read().decode(errors="replace")
        return [line for line in re.split(r"[\r\n]+", text) if line.strip()]


async def _end(process: Process) -> None:
    """End a server that may have ended already, and whatever is left of its process group."""
    try:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S + GUARD_S):
                await process.wait()
    finally:
        with suppress(ProcessLookupError, PermissionError):  # of a group that is gone
            os.killpg(process.pid, signal.SIGKILL)


def _in_words(status: int) -> str:
    """How a process ended, from the status that a shell would give."""
    number = -status if status < 0 else status - 128
    if number not in set(signal.Signals):
        return f"exit status {status}"
    return signal.Signals(number).name + (", perhaps out of memory" if number == signal.SIGKILL else "")
