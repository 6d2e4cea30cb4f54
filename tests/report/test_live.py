"""The report of a run that goes on: who may read it, when it is made anew, and what its page does then."""

import http.client
import itertools
import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.journal.store import Journal
from personamath.report.analysis.catalogue import analyses
from personamath.report.analysis.result import Analyses
from personamath.report.analysis.unfinished import read_so_far
from personamath.report.live import Site, follow, serving, write_waiting
from personamath.report.write import write_found
from personamath.runs.unfinished import SoFar, UnfinishedRun
from tests.support import programs
from tests.support.chromium import Page
from tests.support.reports import report_data
from tests.support.unfinished import begin, go_on, recipe_of


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one small report beside a file that is none of its own."""
    (tmp_path / "secret").write_text("secret")
    site = Site(tmp_path)

    def write(folder: Path) -> None:
        (folder / "figures").mkdir(parents=True)
        (folder / "index.html").write_text("<p>page")
        (folder / "figures" / "funnel.csv").write_text("a,b")

    site.show(write)
    return site


def ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    place = re.fullmatch(r"http://(127\.0\.0\.1):(\d+)/", address)
    assert place
    connection = http.client.HTTPConnection(place[1], int(place[2]), timeout=20)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


ASKED = [
    ("/", {}, 200),
    ("/figures/funnel.csv", {}, 200),
    ("/state", {}, 200),
    ("/?q=1", {"Host": "localhost:9000"}, 200),
    ("/", {"Host": "evil.example"}, 421),
    ("/state", {"Host": "127.0.0.1.evil.example:80"}, 421),
    ("/", {"Host": ""}, 421),
    ("/", {"Host": "[bad"}, 421),
    ("/figures/", {}, 404),
    ("/figures", {}, 404),
    ("/secret", {}, 404),
    ("/../secret", {}, 404),
    ("//secret", {}, 404),
    ("/%2e%2e/secret", {}, 404),
]


def test_only_the_files_of_the_report_are_served_and_only_to_this_machine(site: Site) -> None:
    with serving(site) as address:
        assert address.startswith("http://127.0.0.1:")
        for path, headers, status in ASKED:
            found, content, _ = ask(address, path, **headers)
            assert found == status and b"secret" not in content, (path, headers)
        assert ask(address, "/", "HEAD")[:2] == (200, b"") and ask(address, "/", "POST")[0] == 501
        status, content, headers = ask(address, "/")
        assert (content, headers["Content-Type"]) == (b"<p>page", "text/html; charset=utf-8")
        assert headers["Cache-Control"] == "no-store"
    with pytest.raises(ConnectionRefusedError):
        ask(address, "/")


def test_a_newer_report_takes_the_place_of_the_one_before(site: Site, tmp_path: Path) -> None:
    with serving(site) as address:
        assert json.loads(ask(address, "/state")[1]) == {"page": 1}
        site.show(lambda folder: write_waiting(folder, "no row & <b>"))
        assert json.loads(ask(address, "/state")[1]) == {"page": 2}
        assert b"no row &amp; &lt;b&gt;" in ask(address, "/")[1] and ask(address, "/figures/funnel.csv")[0] == 404
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "secret"]


def test_before_the_first_report_a_page_says_so(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert b"The first page is being made" in (site.read("/") or b"") and site.read("/state") is None


def test_a_taken_port_is_said_in_one_line(site: Site) -> None:
    with serving(site) as address:
        port = int(address.rpartition(":")[2].strip("/"))
        with pytest.raises(BadInput, match=f"--port {port}: Address already in use; name another"), serving(site, port):
            pass
    with pytest.raises(BadInput, match="--port 99999: 0 to 65535 are possible"), serving(site, 99999):
        pass


def test_the_report_is_made_anew_only_after_a_change_and_not_too_often() -> None:
    marks = itertools.chain([1, 1, 1], itertools.repeat(2, 10), itertools.count(3))
    times: list[float] = []

    def refresh() -> None:
        times.append(time.monotonic())
        if len(times) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(lambda: next(marks), refresh, every_s=0.05)
    assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(times))

    slow: list[float] = []

    def takes_long() -> None:
        slow.append(time.monotonic())
        if len(slow) == 2:
            raise KeyboardInterrupt
        time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt):
        follow(itertools.count().__next__, takes_long, every_s=0.01)
    assert slow[1] - slow[0] >= 0.5, "it takes a tenth of the time at most"


TOGETHER = [
    (["x", "--port", "8000"], "--port is for --live"),
    (["x", "--live", "--output", "y"], "leave --output out"),
    (["me/data@v1.0.0", "--live"], "me/data@v1.0.0: --live shows a run directory on this machine"),
]


@pytest.mark.parametrize(("arguments", "message"), TOGETHER)
def test_options_that_do_not_go_together(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_answers_that_arrive_in_between_wait_for_the_next_report(tmp_path: Path) -> None:
    inputs = begin(tmp_path / "run", recipe_of(tmp_path / "few.jsonl"), 10)

    class Growing(UnfinishedRun):
        def so_far(self, scratch: Path) -> SoFar:
            found = super().so_far(scratch)
            with Journal(self.directory) as journal:
                go_on(inputs, journal, None)
            return found

    run = Growing(tmp_path / "run")
    data, then = read_so_far(run, "run"), read_so_far(run, "run")
    assert data.seeds and then.seeds and len(data.seeds) < len(then.seeds) == 6
    assert data.wrong is not None and set(data.wrong) <= {seed.id for seed in data.seeds}
    analyses(data)


@pytest.mark.slow
def test_the_command_says_that_a_run_is_unfinished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    inputs = begin(run, recipe_of(tmp_path / "few.jsonl"), 0)
    with Journal(run) as journal:
        assert main(["report", str(run), "--json"]) == 1
        error = capsys.readouterr().err
        assert "no row is kept yet. The run is still running. So far 0 of 6" in error and error.count("\n") == 1
        go_on(inputs, journal, 20)
    assert main(["report", str(run), "--json"]) == 0
    printed = capsys.readouterr()
    page = run / "report" / "index.html"
    assert json.loads(printed.out) == {"page": page.as_uri(), "finished": False}
    says = re.compile(r"The run stopped before its end; .* So far \d of 6 seed problems are done")
    assert says.search(printed.err) and says.search(page.read_text().replace("<code>", "`").replace("</code>", "`"))
    assert says.search((run / "report" / "report.md").read_text())


@pytest.mark.slow
def test_a_run_is_followed_to_its_end_and_ctrl_c_ends_the_command(tmp_path: Path) -> None:
    run = tmp_path / "run"
    begin(run, recipe_of(tmp_path / "few.jsonl"), 20)
    command = ("report", str(run), "--live")
    with programs.start(programs.CLI, *command, stdout=programs.PIPE, stderr=programs.PIPE) as process:
        assert process.stdout and process.stderr
        address = process.stdout.readline().split()[0]
        assert "So far" in process.stdout.readline()
        html = ask(address, "/")[1].decode()
        assert "connect-src data: &#39;self&#39;" in html and "The run stopped before its end" in html
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stderr.read().strip().endswith("The page is not served any more.")


@pytest.fixture
def fast_browser(browser: Page) -> Iterator[Page]:
    """A browser whose pages look for a newer report ten times as often."""
    faster = "const every = setInterval; window.setInterval = (look, ms) => every(look, ms / 10);"
    added = browser.send("Page.addScriptToEvaluateOnNewDocument", source=faster)
    yield browser
    browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_a_page_loads_itself_again_and_keeps_its_place(fast_browser: Page, tmp_path: Path) -> None:
    browser, site = fast_browser, Site(tmp_path)

    def show(name: str) -> None:
        site.show(lambda folder: write_found(report_data(name=name), Analyses((), ()), folder, live=True))

    show("first")
    with serving(site) as address:
        browser.open(address)
        browser.size(1280, 300)
        browser.evaluate("scrollTo(0, 200)")
        show("second")
        browser.until("document.querySelector('h1')?.textContent === 'second'")
        browser.until("scrollY === 200")
        panes = "['list', 'detail'].map((name) => document.querySelector(`[data-part=${name}]`))"
        browser.evaluate("location.hash = '#rows?row=math-train-00002/p0000'")
        browser.until("document.querySelector('.ancestry')")
        browser.evaluate(f"{panes}.forEach((pane) => (pane.scrollTop = 50))")
        show("third")
        browser.until("document.querySelector('h1')?.textContent === 'third'")
        browser.until(f"{panes}.every((pane) => pane.scrollTop === 50)")
        asked = {problem.removeprefix(f"network: {address}") for problem in browser.problems}
        assert asked == {"", "state"}, "the page asks for itself and for its state, and its policy refuses nothing"
    browser.until("document.getElementById('ended')?.textContent.includes('not updated any more')")
