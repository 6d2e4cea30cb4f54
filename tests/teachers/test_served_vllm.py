"""A served teacher as a user runs it, with a stand-in for `vllm`: it starts, dies and ends, and leaves nothing."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from personamath.errors import BadInput, RunDirectoryError, TeacherMisconfigured
from personamath.journal.file_format import open_for_reading
from personamath.runs.setup import Setup
from personamath.teachers.serve import guard
from personamath.teachers.serve.command import HOST, serve_command
from personamath.teachers.serve.server import Server, free_port
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.commands.test_augment import FEW, PROBLEMS, dataset_bytes, run_file
from tests.conftest import REPO
from tests.support import programs
from tests.support.vllm_command import write_command
from tests.teachers.test_batch import direct, wait_for

pytestmark = pytest.mark.slow

__all__ = ["direct"]  # a fixture


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def command(run: Path, *flags: str, problems: tuple[str, ...] = (*PROBLEMS,), **arguments: Any) -> list[str]:
    """`augment --serve vllm`, whose stand-in knows the bundled problems and is told what to do by its arguments."""
    arguments |= {"problems": [*bundled_problems()]}
    served = ["--teacher", MODEL, "--serve", "vllm", "--vllm-args", yaml.safe_dump(arguments, default_flow_style=True)]
    return ["augment", *problems, *served, "--output", str(run), *FEW, *flags]


def environment(run: Path, **changes: str) -> dict[str, str]:
    folder = write_command(run.parent / "bin")
    return os.environ | {"PYTHONPATH": str(REPO), "PATH": f"{folder}:{os.environ['PATH']}"} | changes


def ended(arguments: list[str], run: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    return programs.run(programs.CLI, *arguments, environment=environment(run, **changes))


def pids(run: Path) -> list[int]:
    """The processes of the servers and of their engines, as they themselves wrote them down."""
    path = run / "vllm.log"
    return [int(pid) for pid in re.findall(r"^(?:server|engine) pid=(\d+)$", path.read_text(), re.MULTILINE)]


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def all_gone(run: Path, starts: int = 1) -> bool:
    found = pids(run)
    assert len(found) == 2 * starts
    return not any(map(lives, found))


def test_the_rows_are_those_of_asking_an_endpoint(run: Path, direct: dict[str, str]) -> None:
    secrets = {"OPENAI_API_KEY": "sk-another-provider", "VLLM_API_KEY": "of-another-server"}
    done = ended(command(run), run, HTTP_PROXY="http://127.0.0.1:1", OPENAI_BASE_URL="http://127.0.0.1:1/v1", **secrets)
    assert done.returncode == 0, done.stderr
    assert dataset_bytes(run) == direct
    assert all_gone(run)
    assert run_file(run)["endpoints"] == ["vllm serve"]
    paid = run_file(run)["paid"]
    assert "$0.00" in done.stdout and paid["usd"] == 0
    assert "sk-another-provider" not in (run / "vllm.log").read_text()


def test_a_finished_run_starts_no_server(run: Path) -> None:
    assert ended(command(run, "--limit", "3"), run).returncode == 0
    again = ended(command(run, "--limit", "3", fail=True), run)
    assert again.returncode == 0 and "0 answers asked" in again.stdout
    assert len(pids(run)) == 2


def test_a_pilot_measures_the_served_teacher_at_no_cost(run: Path) -> None:
    flags = [flag if flag != "augment" else "plan" for flag in command(run, "--pilot", "4")]
    done = ended(flags, run)
    assert done.returncode == 0, done.stderr
    assert "price      0 / 0 USD per million tokens (--serve vllm)" in done.stdout and "s (measured)" in done.stdout
    assert all_gone(run)


def test_a_server_that_dies_before_it_is_ready_is_shown(run: Path) -> None:
    done = ended(command(run, fail=True), run)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        f"personamath: vllm serve ended before it was ready (exit status 1); {run}/vllm.log ends with:" in done.stderr
    )
    assert "ValueError: the model does not fit\n  ...\n" in done.stderr
    assert done.stderr.endswith("\n  RuntimeError: Engine core initialization failed. See root cause above.\n")
    assert all_gone(run)
    assert ended(command(run, "--limit", "3"), run).returncode == 0


def test_an_argument_that_vllm_does_not_know_is_shown_in_its_words(run: Path) -> None:
    done = ended(command(run, nonsense=1), run)
    assert done.returncode == 1 and "unrecognized arguments: --nonsense 1" in done.stderr


def test_a_server_that_dies_once_is_started_again(run: Path, direct: dict[str, str]) -> None:
    done = ended(command(run, die_after=40, once=str(run.parent / "died"), latency=0.01), run)
    assert done.returncode == 0, done.stderr
    assert "vllm serve ended (SIGKILL, perhaps out of memory); starting it again" in done.stderr
    assert "out of memory after 41 answers" in done.stderr
    assert "vllm serve ended (" in next(line for line in done.stdout.splitlines() if line.startswith("Retries after "))
    assert dataset_bytes(run) == direct
    assert all_gone(run, starts=2)


def test_a_server_that_dies_before_its_first_answer_is_started_again(run: Path) -> None:
    """Its endpoint was never reached, which ends a run where the server is not ours."""
    done = ended(command(run, "--limit", "3", die_after=-1, once=str(run.parent / "died")), run)
    assert done.returncode == 0, done.stderr


def test_a_server_that_dies_twice_ends_the_run_and_every_answer_is_kept(run: Path, direct: dict[str, str]) -> None:
    done = ended(command(run, die_after=40, latency=0.01), run)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "personamath: vllm serve ended again" in done.stderr
    assert "every answer is journaled, and the same command continues from here" in done.stderr
    assert all_gone(run, starts=2)
    go_on = ended(command(run), run)
    assert go_on.returncode == 0 and dataset_bytes(run) == direct
    assert int(re.findall(r"([\d,]+) from the journal", go_on.stdout)[0]) >= 40


def started(run: Path, *flags: str, **arguments: Any) -> programs.Program:
    words = command(run, *flags, **arguments)
    return programs.start(programs.CLI, *words, stderr=programs.PIPE, environment=environment(run))


def answers(run: Path) -> int | None:
    """How many the journal has; None before there is one."""
    with contextlib.suppress(RunDirectoryError), contextlib.closing(open_for_reading(run)) as journal:
        return int(journal.execute("select count(*) from answers").fetchall()[0][0])
    return None


def is_up(run: Path) -> bool:
    return (run / "vllm.log").exists() and len(pids(run)) == 2


@pytest.mark.parametrize(
    ("number", "starting"),
    [
        (signal.SIGINT, True),
        (signal.SIGKILL, True),
        (signal.SIGINT, False),
        (signal.SIGTERM, False),
        (signal.SIGKILL, False),
    ],
)
def test_whatever_ends_the_run_ends_the_server_and_its_engine(
    run: Path, number: signal.Signals, starting: bool
) -> None:
    pace: dict[str, Any] = {"start_s": 60} if starting else {"latency": 0.5}
    with started(run, **pace) as process:
        wait_for(lambda: is_up(run) and (starting or bool(answers(run))))
        process.send_signal(number)
        assert process.stderr
        errors = process.stderr.read()
    wait_for(lambda: all_gone(run))
    if number in (signal.SIGINT, signal.SIGTERM):
        assert process.returncode == 128 + number
        assert "the same command continues from here" in errors and "Traceback" not in errors
    else:
        assert process.returncode == -number


def test_what_ignores_sigterm_is_killed(run: Path) -> None:
    """By the guard alone, which a run gives a longer time: that a run's end reaches the guard is shown above."""
    run.mkdir()
    vllm = serve_command(str(write_command(run.parent / "bin") / "vllm"), MODEL, 0, {"deaf": True})
    grace_s = 1.0
    with (run / "vllm.log").open("w") as log:
        guarding = [sys.executable, guard.__file__, str(os.getpid()), str(grace_s), *vllm]
        process = subprocess.Popen(guarding, stdout=log, start_new_session=True)
    wait_for(lambda: is_up(run))
    began = time.monotonic()
    process.terminate()
    assert process.wait(60) == -signal.SIGKILL and time.monotonic() - began >= grace_s
    wait_for(lambda: all_gone(run))


def test_the_progress_line_says_how_long_the_start_takes_and_what_it_does(run: Path) -> None:
    """On a terminal: the line of a log without its prefix."""
    import pty

    parent, child = pty.openpty()
    words = command(run, "--limit", "2", start_s=3)
    with programs.start(
        programs.CLI, *words, stdout=programs.DEVNULL, stderr=child, environment=environment(run)
    ) as process:
        os.close(child)
        said = b""
        with contextlib.suppress(OSError):  # at the end, when the other side is closed
            while part := os.read(parent, 4096):
                said += part
        os.close(parent)
    assert process.returncode == 0
    assert re.search(rb"vllm serve starts, 0:\d\d: Loading the model \xc2\xb7 \$0.00 \xc2\xb7 0 answers", said), said


def test_a_port_that_another_program_took_meanwhile_is_not_asked(tmp_path: Path) -> None:
    async def wait() -> None:
        taken = await asyncio.start_server(lambda *_: None, HOST, 0)
        port = taken.sockets[0].getsockname()[1]
        async with taken:
            server = Server(["true"], port, tmp_path / "vllm.log")
            try:
                await server.ready()
            finally:
                await server.close()

    with pytest.raises(TeacherMisconfigured, match=r"cannot start vllm serve: port \d+ was taken by another program"):
        asyncio.run(wait())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be held for another program")
def test_no_other_program_gets_the_port_while_the_server_starts(tmp_path: Path) -> None:
    port, listens = free_port(), tmp_path / "listens"
    listening = f"""
import pathlib, socket, time
time.sleep(0.5)
server = socket.create_server(("{HOST}", {port}))
pathlib.Path({str(listens)!r}).touch()
time.sleep(60)
"""

    async def start() -> None:
        server = Server([sys.executable, "-c", listening], port, tmp_path / "vllm.log")
        waiting = asyncio.create_task(server.ready())
        await asyncio.sleep(0.1)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((HOST, port))
        async with asyncio.timeout(30):
            while not listens.exists():
                await asyncio.sleep(0.05)
        await server.close()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(start())


def test_an_opinion_is_asked_of_a_served_teacher_too(run: Path) -> None:
    assert ended(command(run), run).returncode == 0
    served = command(run)[command(run).index("--serve") :]
    opinion = ["opinion", str(run), "--all", "--solves", "1"]
    done = ended([*opinion, *served[: served.index("--output")]], run)
    assert done.returncode == 0, done.stderr
    assert "rewrites solved again, 1 times each" in done.stdout and all_gone(run, starts=2)


def test_without_vllm_one_line_says_how_to_get_it(run: Path) -> None:
    done = ended(command(run), run, PATH="/usr/bin:/bin")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "--serve vllm: there is no command `vllm` here: pip install vllm" in done.stderr
    assert not run.exists()


def test_the_command_line_is_vllms() -> None:
    given = {"tensor_parallel_size": 2, "max-model-len": 8192, "enforce_eager": True, "enable_prefix_caching": False}
    nested = {"speculative_config": {"method": "ngram"}, "lora_modules": ["a=b", "c=d"]}
    assert serve_command("/bin/vllm", "me/model", 8123, given | nested) == [
        *("/bin/vllm", "serve", "me/model", "--host", "127.0.0.1", "--port", "8123"),
        *("--generation-config", "vllm", "--disable-uvicorn-access-log"),
        *("--tensor-parallel-size", "2", "--max-model-len", "8192", "--enforce-eager", "--no-enable-prefix-caching"),
        *("--speculative-config", '{"method": "ngram"}', "--lora-modules", "a=b", "c=d"),
    ]
    assert "auto" in serve_command("vllm", "m", 1, {"generation-config": "auto"})


BAD_USE: list[tuple[dict[str, Any], str]] = [
    ({"serve": "vllm", "vllm_args": {"port": 8000}}, "vllm_args: remove port: the run chooses a free port"),
    ({"serve": "vllm", "vllm_args": {"api-key": "k"}}, "vllm_args: remove api-key: the run sends no key"),
    ({"serve": "vllm", "vllm_args": {"model": "other"}}, "vllm_args: remove model: the model is --teacher"),
    ({"serve": "vllm", "vllm_args": {"a b": 1}}, "vllm_args: 'a b': write the name of an argument"),
    ({"serve": "vllm", "vllm_args": {"enforce_eager": None}}, "vllm_args: enforce_eager has no value"),
    ({"vllm_args": {"max_model_len": 1}}, "--vllm-args is for --serve vllm"),
    ({"serve": "vllm", "batch": True}, "--batch asks a provider and --serve this machine"),
    ({"serve": "vllm", "engine": "ray"}, "start `vllm serve` yourself and give its address with --base-url"),
]


@pytest.mark.parametrize(("given", "message"), BAD_USE)
def test_bad_use_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        Setup(output="o", **given)
