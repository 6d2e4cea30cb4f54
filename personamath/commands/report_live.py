"""`personamath report --live`: serve the report of a run while it goes on."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from personamath.commands.report import Writer, read_data
from personamath.errors import BadInput
from personamath.files import local_path
from personamath.journal.run_folder import is_url
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.unfinished import NoRowsYet, read_so_far
from personamath.report.live import Site, follow, serving, write_waiting
from personamath.runs.unfinished import UnfinishedRun, is_unfinished, mark

# Where the cores are busy, the run is served first.
NICE = 10


def serve(source: str, port: int, writer: Writer, show: Callable[[Mapping[str, Any]], None]) -> int:
    """Serve the page until Ctrl-C; return the exit status. `show` prints the address for programs."""
    directory = local_path(source)
    if is_url(source) or not directory.is_dir():
        raise BadInput(f"{source}: --live shows a run directory on this machine")
    os.nice(NICE)
    with _ended_by_signals(), tempfile.TemporaryDirectory(prefix="personamath-live-") as scratch:
        live = _Live(source, writer, Site(Path(scratch)))
        with serving(live.site, port) as address:
            print(f"{address} shows {source}; Ctrl-C ends this command, and not the run", flush=True)
            show({"page": address, "finished": not is_unfinished(directory)})
            sys.stdout.flush()
            follow(lambda: mark(directory), live.refresh)
    return 0


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End the block on SIGINT and SIGTERM, which is how it is meant to end."""
    # Also on SIGINT, which a shell has its background jobs ignore.
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        print("\nThe page is not served any more.", file=sys.stderr)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Live:
    """The page of a run that may end, stop and go on while it is shown."""

    def __init__(self, source: str, writer: Writer, site: Site) -> None:
        self.site = site
        self._source = source
        self._directory = local_path(source)
        self._writer = writer
        self._run: UnfinishedRun | None = None

    def refresh(self) -> None:
        """Make the page of what is there now."""
        if is_unfinished(self._directory):
            self._run = self._run or UnfinishedRun(self._directory)
            try:
                data = read_so_far(self._run, self._source)
            except NoRowsYet as error:
                why = str(error)
                self.site.show(lambda folder: write_waiting(folder, why))
                self._say(why)
                return
            self._show(data)
            self._say(f"{len(data.rows):,} rows. {data.unfinished}")
        else:
            self._run = None
            data = read_data(self._source)
            self._show(data)
            self._say(
                f"The run has ended with {len(data.rows):,} rows, and the page shows them all. "
                f"`personamath report {self._source}` writes it as a file."
            )

    def _show(self, data: RunData) -> None:
        self.site.show(lambda folder: self._writer.write(data, folder, live=True))

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
