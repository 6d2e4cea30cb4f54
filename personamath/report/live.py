"""A report that is served while its run goes on: on this machine only, and made anew when there are more answers.

The server answers GET and HEAD for the files of the newest report and for its state, and nothing else. It listens on
127.0.0.1, and it refuses requests that name another host, so that a web page elsewhere cannot read the report by
giving this address a name of its own (DNS rebinding).
"""

import json
import mimetypes
import shutil
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from personamath.errors import BadInput
from personamath.report.write import PAGE

ADDRESS = "127.0.0.1"
HOSTS = frozenset({ADDRESS, "localhost"})
"""Names of this machine in a request; the port may differ, because an SSH tunnel may have another one."""
STATE = "/state"
TEXT = "text/plain"
LOOK_EVERY_S = 1.0
"""How often to look for new answers: a few system calls."""
EVERY_S = 10.0
"""The report is not made more often than this, however small the run is."""
SHARE = 0.1
"""Most of the time that making the report may take, so that the run keeps its cores."""


WAITING_S = 5
WAITING = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="{seconds}"><title>PersonaMath report</title></head>
<body><p>{why}</p></body>
</html>
"""


class Shown(NamedTuple):
    """What a browser sees at one moment."""

    number: int
    """Counts the reports; a browser that has another one loads the page again."""
    folder: Path


class Site:
    """The newest report of a run."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.shown: Shown | None = None

    def show(self, write: Callable[[Path], object]) -> None:
        """Make a report by `write`, and show it in place of the one before."""
        before = self.shown
        number = before.number + 1 if before else 1
        folder = self._scratch / str(number)
        write(folder)
        self.shown = Shown(number, folder)
        if before:
            shutil.rmtree(before.folder, ignore_errors=True)

    def read(self, path: str) -> bytes | None:
        """Return the content of a file of the report, or of its state; None if there is no such file."""
        if not (shown := self.shown):
            first = WAITING.format(seconds=WAITING_S, why="The first page is being made.")
            return first.encode() if path == "/" else None
        if path == STATE:
            return json.dumps({"page": shown.number}).encode()
        name = PAGE if path == "/" else path[1:]
        # Only names that a listing gives: no path of a request ever reaches the file system.
        there = {file.relative_to(shown.folder).as_posix(): file for file in shown.folder.rglob("*") if file.is_file()}
        try:
            return there[name].read_bytes() if name in there else None
        except FileNotFoundError:  # a newer report has just taken its place
            return None


def write_waiting(folder: Path, why: str) -> None:
    """Write a page that says why there is no report yet, and that a browser loads again every few seconds."""
    folder.mkdir()
    (folder / PAGE).write_text(WAITING.format(seconds=WAITING_S, why=escape(why)), encoding="utf-8")


@contextmanager
def serving(site: Site, port: int = 0) -> Iterator[str]:
    """Serve a site in a thread while the context lasts, and yield its address; 0 takes a free port.

    Raises `BadInput` if the port is taken.
    """
    try:
        server = _Server((ADDRESS, port), _handler(site))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "0 to 65535 are possible"
        raise BadInput(f"--port {port}: {reason}; name another one, or leave it out for a free one") from None
    thread = threading.Thread(target=server.serve_forever, name="report", daemon=True)
    thread.start()
    try:
        yield f"http://{ADDRESS}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away, which it does whenever a page is loaded again."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if (self.headers.get("Host") or "").partition(":")[0] not in HOSTS:
                self._answer(HTTPStatus.MISDIRECTED_REQUEST, b"This server answers to 127.0.0.1 and localhost only.\n")
                return
            path = urlsplit(self.path).path
            content = site.read(path)
            if content is None:
                self._answer(HTTPStatus.NOT_FOUND, b"There is no such file.\n")
            else:
                name = "state.json" if path == STATE else PAGE if path == "/" else path
                self._answer(HTTPStatus.OK, content, mimetypes.guess_type(name)[0] or TEXT)

        do_HEAD = do_GET

        def _answer(self, status: HTTPStatus, content: bytes, kind: str = TEXT) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind if kind == "image/png" else f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing: the terminal shows the run."""

    return Handler


def follow(mark: Callable[[], Hashable], refresh: Callable[[], None], *, every_s: float = EVERY_S) -> None:
    """Call `refresh` now, and again whenever `mark` has changed, until an exception ends it.

    Between two calls at least `every_s` pass, and so much time that refreshing takes at most `SHARE` of it.
    """
    while True:
        started, seen = time.monotonic(), mark()
        refresh()
        rest_s = max(every_s, (time.monotonic() - started) / SHARE)
        while mark() == seen or time.monotonic() - started < rest_s:
            time.sleep(min(LOOK_EVERY_S, every_s))
