"""The fault suite: whatever goes wrong on the way, the dataset is that of an undisturbed run.

docs/reliability.md is its table. Every case runs the real command against a server in a process of its own, looks for
the words and the exit status that the document promises, and compares the bytes of the dataset folder.
"""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from personamath.journal.file_format import FILE_NAME
from personamath.journal.salvage import USUAL_PAGE_SIZE
from tests.commands import test_augment
from tests.commands.test_augment import PROBLEMS, dataset_bytes, run_file, run_process
from tests.conftest import REPO, ScriptedTeacher, scripted_teacher
from tests.support import programs

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedTeacher]
Bytes = dict[str, str]

CLI = [sys.executable, "-m", "personamath.commands.cli"]
# All steps on 48 problems, in 140 requests.
FEW_PERSONAS = ("--k1", "1", "--k2", "3")
RUNS_AT_ONCE = 4
# Long enough for a machine that does other things; a wait that is over is over at once.
LONGEST_S = 120.0


def command(teacher: ScriptedTeacher, output: Path, *flags: str) -> list[str]:
    return test_augment.command(teacher, output, *FEW_PERSONAS, *flags)


class Promise(NamedTuple):
    """A line of the document."""

    phrases: list[str]
    status: int


def promises() -> dict[str, Promise]:
    """What the document says of each fault, but for those of a served teacher: tests/teachers/test_served_vllm.py."""
    text = (REPO / "docs" / "reliability.md").read_text(encoding="utf-8")
    sections = [section for section in text.split("\n## ") if not section.startswith("A served teacher")]
    lines = "\n".join(sections).splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    found = {}
    for fault, seen, status, _ in (row for row in rows if len(row) == 4):
        if fault != "fault":
            phrases = [phrase for phrase in re.findall(r"`([^`]+)`", seen) if not phrase.startswith("--")]
            found[fault] = Promise(phrases, int(status))
    return found


class Line(NamedTuple):
    """Faults of single requests, as the scripted teacher plays them."""

    faults: tuple[str, ...]
    flags: tuple[str, ...] = ()


LINE = {
    "a storm of 429s": Line(("http_429=0.4",)),
    "server errors, 500 and 503": Line(("http_500=0.15", "http_503=0.15")),
    "connections reset, before or in an answer": Line(("reset=0.15", "cut=0.15")),
    "answers that never come": Line(("hang=0.08",), ("--timeout", "2")),
    "answers that come slowly": Line(("drip=0.3",)),
    "truncated JSON": Line(("truncated_json=0.2",)),
    "JSON of wrong types": Line(("wrong_types=0.2",)),
    "an error that calls itself 200": Line(("error_in_200=0.2",)),
    "empty content": Line(("empty=0.2",)),
    "null content": Line(("null=0.15",)),
    "answers that break off": Line(("abort=0.2",)),
    "a reply that is not JSON: HTML, a cut stream, brotli": Line(("html=0.1", "cut_sse=0.1", "br=0.1")),
    "a stream of events, padding, unannounced gzip": Line(("sse=0.3", "padded=0.3", "gzip=0.3")),
    "an absurdly long `Retry-After`": Line(("absurd_wait=0.2",)),
    "text in parts, with reasoning": Line(("parts=0.3", "reasoned=0.3")),
}
ENDINGS = {
    "an answer stopped by a content filter": "content_filter",
    "an answer cut at the length limit": "length",
    "an answer that repeats itself": "repetition",
    "an answer whose reasoning used up the limit": "max_tokens",
    "a prompt refused by moderation": "moderated",
    "a prompt without a choice, but with filter results": "no_choice",
}
SIGNALS = {"Ctrl-C (SIGINT)": signal.SIGINT, "SIGTERM": signal.SIGTERM}
# Cases with a test of their own, which names them.
OTHERS = (
    "a few requests that are always refused",
    "the account runs out of credit",
    "the endpoint asks to wait longer than `--patience`",
    "the endpoint dies and comes back",
    "one of two endpoints dies",
    "every endpoint dies for good",
    "Ctrl-C twice",
    "kill -9, at 20 random points",
    "the disk refuses writes",
    "the disk fills up",
    "a page of the journal is damaged",
    "the clock jumps",
)


def kept_promise(fault: str, status: int, output: str) -> None:
    """What happened is what the document says."""
    promise = promises()[fault]
    assert status == promise.status, output
    assert all(phrase in output for phrase in promise.phrases), (promise.phrases, output)
    assert "Traceback" not in output


def test_the_document_names_every_case_and_no_other() -> None:
    assert sorted(promises()) == sorted([*LINE, *ENDINGS, *SIGNALS, *OTHERS])


class Undisturbed(NamedTuple):
    """What came of a run to which nothing happened."""

    dataset: Bytes
    requests: int


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    output = tmp_path_factory.mktemp("undisturbed") / "run"
    with scripted_teacher(*PROBLEMS) as teacher:
        # Started afresh: Python's hashes have another seed here than in the runs whose bytes are compared.
        subprocess.run([*CLI, *command(teacher, output)], check=True, capture_output=True)
        return Undisturbed(dataset_bytes(output), teacher.stats()["requests"])


@contextmanager
def running(arguments: list[str]) -> Iterator[programs.Program]:
    """The command, in a process that the test does something to."""
    with programs.start(programs.CLI, *arguments, stdout=programs.PIPE, stderr=programs.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()


def output_of(process: programs.Program) -> str:
    """Everything it writes until it ends."""
    return process.communicate(timeout=LONGEST_S)[0]


def wait_for(teacher: ScriptedTeacher, count: int, process: programs.Program, what: str = "answered") -> None:
    """Until the server has counted so many, or the process has ended."""
    until = time.monotonic() + LONGEST_S
    while teacher.stats().get(what, 0) < count and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.02)


def finished(arguments: list[str], output: Path, undisturbed: Undisturbed) -> str:
    """Run the same command to its end; gives what it said."""
    done = run_process(arguments)
    assert done.returncode == 0, done.stderr
    assert dataset_bytes(output) == undisturbed.dataset
    return done.stdout + done.stderr


class Struck(NamedTuple):
    """What came of a run whose single requests were struck by a fault."""

    status: int
    said: str
    stats: dict[str, int]
    dataset: Bytes


def struck(line: Line, output: Path) -> Struck:
    with scripted_teacher(*PROBLEMS, *(flag for fault in line.faults for flag in ("--fault", fault))) as teacher:
        # Many at a time: a limit that is found while asking would rightly shrink (tests/teachers/test_concurrency.py).
        done = run_process(command(teacher, output, "--concurrency", "256", *line.flags))
        return Struck(done.returncode, done.stdout + done.stderr, teacher.stats(), dataset_bytes(output))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Struck]]:
    """A run for each fault of `LINE`, a few at a time, because they mostly wait before they ask again."""
    folder = tmp_path_factory.mktemp("struck")
    with ThreadPoolExecutor(RUNS_AT_ONCE) as threads:
        return {fault: threads.submit(struck, line, folder / str(n)) for n, (fault, line) in enumerate(LINE.items())}


@pytest.mark.parametrize("fault", LINE)
def test_faults_of_single_requests_leave_no_trace(
    fault: str, undisturbed: Undisturbed, runs: dict[str, Future[Struck]]
) -> None:
    run = runs[fault].result()
    kept_promise(fault, run.status, run.said)
    assert all(run.stats[name.partition("=")[0]] > 5 for name in LINE[fault].faults)
    assert run.dataset == undisturbed.dataset


def test_endings_are_answers_and_leave_no_row(start_teacher: Start, tmp_path: Path) -> None:
    endings = [flag for name in ENDINGS.values() for flag in ("--fault", f"{name}=0.04")]
    more = ("--k1", "4")  # each ending takes what would come after it
    calm = start_teacher(*PROBLEMS, *endings)
    assert run_process(command(calm, tmp_path / "calm", *more)).returncode == 0
    faulty = start_teacher(*PROBLEMS, *endings, "--fault", "http_500=0.1")
    done = run_process(command(faulty, tmp_path / "faulty", *more))
    for fault in ENDINGS:
        kept_promise(fault, done.returncode, done.stdout + done.stderr)
    assert all(faulty.stats()[name] == calm.stats()[name] > 5 for name in ENDINGS.values())
    assert dataset_bytes(tmp_path / "faulty") == dataset_bytes(tmp_path / "calm")


def test_requests_that_are_always_refused_end_no_run(start_teacher: Start, tmp_path: Path) -> None:
    """The second run asks nothing but what is refused."""
    arguments = command(start_teacher(*PROBLEMS, "--fault", "refused=0.1"), tmp_path / "run")
    for _ in range(2):
        done = run_process(arguments)
        kept_promise("a few requests that are always refused", done.returncode, done.stdout + done.stderr)
    assert run_file(tmp_path / "run")["answers"]["asked this time"] == 0


# What a provider says in the middle of a run, by the flag of the scripted teacher.
MIDDLE = {
    "the account runs out of credit": "no_credit",
    "the endpoint asks to wait longer than `--patience`": "wait_a_day",
}


@pytest.mark.parametrize("fault", MIDDLE)
def test_a_provider_that_will_not_go_on(
    fault: str, start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.02", "--fault", f"{MIDDLE[fault]}=0.03")
    done = run_process(command(teacher, tmp_path / "run", "--concurrency", "8"))
    kept_promise(fault, done.returncode, done.stdout + done.stderr)
    answered = teacher.stats()["answered"]
    finished(command(start_teacher(*PROBLEMS), tmp_path / "run"), tmp_path / "run", undisturbed)
    assert run_file(tmp_path / "run")["answers"]["from the journal"] == answered > 0


def test_an_endpoint_that_dies_and_comes_back_is_waited_for(
    start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    mortal = start_teacher(*PROBLEMS, "--latency", "0.05")
    with running(command(mortal, tmp_path / "run", "--concurrency", "16")) as process:
        wait_for(mortal, 60, process)
        mortal.kill()
        time.sleep(1)
        start_teacher(*PROBLEMS, "--port", mortal.base_url.removesuffix("/v1").rpartition(":")[2])
        output = output_of(process)
    kept_promise("the endpoint dies and comes back", process.returncode, output)
    assert dataset_bytes(tmp_path / "run") == undisturbed.dataset


def test_two_endpoints_of_which_one_dies(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    mortal, steady = (start_teacher(*PROBLEMS, "--latency", "0.05") for _ in range(2))
    with running(command(mortal, tmp_path / "run", "--base-url", steady.base_url, "--concurrency", "16")) as process:
        wait_for(mortal, 30, process)
        mortal.kill()
        output = output_of(process)
    kept_promise("one of two endpoints dies", process.returncode, output)
    assert dataset_bytes(tmp_path / "run") == undisturbed.dataset


def test_endpoints_that_die_for_good(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    mortal = start_teacher(*PROBLEMS, "--latency", "0.05")
    flags = ("--concurrency", "8", "--patience", "1", "--attempts", "2")
    with running(command(mortal, tmp_path / "run", *flags)) as process:
        wait_for(mortal, 60, process)
        mortal.kill()
        output = output_of(process)
    kept_promise("every endpoint dies for good", process.returncode, output)
    finished(command(start_teacher(*PROBLEMS), tmp_path / "run"), tmp_path / "run", undisturbed)
    run = run_file(tmp_path / "run")
    assert run["complete"] and run["answers"]["from the journal"] >= 50


@pytest.mark.parametrize("fault", SIGNALS)
def test_a_signal_lets_the_answers_in_flight_arrive(
    fault: str, start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.2")
    arguments = command(teacher, tmp_path / "run", "--concurrency", "16")
    with running(arguments) as process:
        wait_for(teacher, 40, process, "requests")
        process.send_signal(SIGNALS[fault])
        output = output_of(process)
    kept_promise(fault, process.returncode, output)
    assert not (tmp_path / "run" / "dataset").exists()
    finished(arguments, tmp_path / "run", undisturbed)
    assert teacher.stats()["again"] == 0


def test_a_second_signal_leaves_them(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    teacher = start_teacher(*PROBLEMS, "--fault", "hang=0.2")
    arguments = command(teacher, tmp_path / "run", "--concurrency", "16")
    with running(arguments) as process:
        wait_for(teacher, 5, process, "hang")
        process.send_signal(signal.SIGINT)
        assert process.stdout
        said = "".join(iter(lambda: process.stdout.readline() if process.stdout else "", "\n"))  # the line before it
        said += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said += output_of(process)
    kept_promise("Ctrl-C twice", process.returncode, said)
    finished(command(start_teacher(*PROBLEMS), tmp_path / "run"), tmp_path / "run", undisturbed)


def written_since(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime > moment
    except FileNotFoundError:
        return False


def test_kill_9_at_random_points(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    """Sixteen of the points lie in the asking, some soon after a start; four in the writing of the dataset."""
    rng = random.Random(9)
    in_flight, points, writing = 16, 20, 4
    teacher = start_teacher(*PROBLEMS, "--latency", "0.05")
    arguments = command(teacher, tmp_path / "run", "--concurrency", str(in_flight))
    asking = sorted(rng.randrange(1, undisturbed.requests) for _ in range(points - writing))
    partial = tmp_path / "run" / "dataset.partial"
    for goal in [*asking, *[undisturbed.requests] * writing]:
        started = time.time()
        with running(arguments) as process:
            wait_for(teacher, goal, process, "different")
            while goal == undisturbed.requests and process.poll() is None and not written_since(partial, started):
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.1))
            process.kill()
            output = output_of(process)
        kept_promise("kill -9, at 20 random points", process.returncode, output)
    finished(arguments, tmp_path / "run", undisturbed)
    assert teacher.stats()["again"] <= points * in_flight


def test_a_disk_that_refuses(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    teacher = start_teacher(*PROBLEMS)
    arguments = command(teacher, tmp_path / "run", "--concurrency", "16")
    done = subprocess.run(
        [*CLI, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    kept_promise("the disk refuses writes", done.returncode, done.stdout + done.stderr)
    answered = teacher.stats()["answered"]
    finished(arguments, tmp_path / "run", undisturbed)
    assert run_file(tmp_path / "run")["answers"]["from the journal"] >= answered - 2 * 16 > 0


# A file system of 64.3 MiB, of which 64 are the reserve, mounted for the command alone; what it leaves is copied out.
SMALL_DISK = """
mkdir -p "$1" && mount -t tmpfs -o size=65840k tmpfs "$1" || exit 99
output=$1; kept=$2; shift 2
"$@"; status=$?
cp -a "$output" "$kept"
exit $status
"""


def test_a_disk_that_fills_up(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.02")
    arguments = command(teacher, tmp_path / "run", "--concurrency", "16")
    small = ["sh", "-c", SMALL_DISK, "sh", str(tmp_path / "run"), str(tmp_path / "kept")]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *small, *CLI, *arguments], capture_output=True, text=True, check=False
    )
    if not (tmp_path / "kept").exists():
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    kept_promise("the disk fills up", done.returncode, done.stdout + done.stderr)
    answered = teacher.stats()["answered"]
    finished(command(teacher, tmp_path / "kept"), tmp_path / "kept", undisturbed)
    assert run_file(tmp_path / "kept")["answers"]["from the journal"] == answered > 0


def test_a_journal_damaged_in_one_page(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    teacher = start_teacher(*PROBLEMS)
    arguments = command(teacher, tmp_path / "run")
    finished(arguments, tmp_path / "run", undisturbed)
    journal = tmp_path / "run" / FILE_NAME
    content = bytearray(journal.read_bytes())
    leaves = [place for place in range(0, len(content), USUAL_PAGE_SIZE) if content[place] == 13]
    place = leaves[len(leaves) // 2]
    content[place : place + USUAL_PAGE_SIZE] = random.Random(1).randbytes(USUAL_PAGE_SIZE)
    journal.write_bytes(content)
    done = run_process(arguments)
    again = finished(arguments, tmp_path / "run", undisturbed)
    kept_promise("a page of the journal is damaged", done.returncode, done.stdout + done.stderr + again)
    assert (tmp_path / "run" / "journal.damaged-1.sqlite").read_bytes() == content
    assert 0 < teacher.stats()["again"] <= 12


LOOK_AT_THE_CLOCK = """
import time
times = [time.time() for _ in range(20) if not time.sleep(0.05)]
print(max(times) - min(times))
"""


def test_a_clock_that_jumps(start_teacher: Start, tmp_path: Path, undisturbed: Undisturbed) -> None:
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler here")
    clock = tmp_path / "clock.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", clock, REPO / "tests" / "support" / "jumping_clock.c"], check=True
    )
    jumps = subprocess.run(
        [sys.executable, "-c", LOOK_AT_THE_CLOCK],
        env=os.environ | {"LD_PRELOAD": str(clock)},
        capture_output=True,
        check=True,
    )
    assert float(jumps.stdout) > 80_000
    teacher = start_teacher(*PROBLEMS, "--latency", "0.05", "--fault", "http_429=0.1", "--fault", "http_500=0.1")
    done = subprocess.run(
        [*CLI, *command(teacher, tmp_path / "run", "--concurrency", "64")],
        env=os.environ | {"LD_PRELOAD": str(clock)},
        capture_output=True,
        text=True,
        check=False,
    )
    kept_promise("the clock jumps", done.returncode, done.stdout + done.stderr)
    assert dataset_bytes(tmp_path / "run") == undisturbed.dataset
