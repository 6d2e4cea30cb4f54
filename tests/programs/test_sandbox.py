"""Programs in the sandbox: what they print, and what hostile ones cannot do. None of these passes through the gate."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personamath.programs import jail
from personamath.programs.sandbox import ENVIRONMENT, Isolation, Result, isolation, run_program

SECRET = "sk-of-nobody-in-particular"

GOOD = [
    ("print(6 * 7)", "42"),
    ("print('so it is')\nprint(3)\nprint()", "3"),
    ("from math import *\nprint(sqrt(2))", "1.4142135623730951"),
    ("from fractions import Fraction\nprint(Fraction(1, 3) + 1)", "4/3"),
    ("import sympy\nprint(sympy.sqrt(8))", "2*sqrt(2)"),
    ("import numpy as np\nprint(int(np.linalg.det(np.eye(3))))", "1"),
    ("if __name__ == '__main__':\n    print(1)", "1"),
    ("def f(n):\n    return n * f(n - 1) if n else 1\nprint(f(5))", "120"),
    ("print('½', end='')", "½"),
    ("print(list({'one', 'two', 'three', 'four'}))", None),  # the same in every run
]


@pytest.mark.parametrize(("source", "line"), GOOD)
def test_a_program_is_read_by_the_last_line_that_it_prints(source: str, line: str | None) -> None:
    result = run_program(source)
    assert result.outcome == "ended" and result == run_program(source)
    assert line is None or result.line == line


BAD = [
    ("print(1)\nraise ValueError", "raised an error"),
    ("print(1)\nraise SystemExit(3)", "raised an error"),
    ("x = 1", "printed nothing"),
    ("print('   ')", "printed nothing"),
    ("print(input())", "raised an error"),  # stdin is closed
    ("x = 'a' * 2**31\nprint(1)", "raised an error"),
    ("x = []\nwhile True:\n    x.append('a' * 10**6 + str(len(x)))", "raised an error"),
    ("while True:\n    print('flood')", "printed too much"),
    ("print('a' * 5000)", "printed too much"),
]


@pytest.mark.parametrize(("source", "outcome"), BAD)
def test_a_program_without_an_answer_says_why(source: str, outcome: str) -> None:
    assert run_program(source) == Result(outcome)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    pass",
        "import time\nprint(1, flush=True)\ntime.sleep(60)",
        "import os, time\nos.close(1)\ntime.sleep(60)",  # its output has ended, it has not
        "import signal, time\nfor n in (2, 15, 24):\n    signal.signal(n, signal.SIG_IGN)\nwhile True:\n    pass",
        "print(10**10**10)",
    ],
    ids=["loop", "sleep", "closed output", "ignored signals", "one long operation"],
)
def test_time_is_limited(source: str) -> None:
    start = time.monotonic()
    result = run_program(source, cpu_s=1, wall_s=3.0)
    assert result.outcome in ("ran too long", "raised an error") and time.monotonic() - start < 30


# Each tries to do something, and prints `done` if it could; what it needs is put in as {folder}, {port}, {parent}.
HOSTILE = {
    "fork": "import os\nos.fork()\nprint('done')",
    "fork bomb": "import os\nwhile True:\n    os.fork()",
    "a daemon": "import os\nif os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(60)\nprint('done')",
    "another session": "import os\nos.setsid()\nprint('done')",
    "another program": "import os\nos.execv('/bin/echo', ['echo', 'done'])",
    "a shell": "import subprocess\nprint(subprocess.run('echo done', shell=True, capture_output=True).stdout)",
    "a socket": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\nprint('done')",
    "a pair of sockets": "import socket\nsocket.socketpair()\nprint('done')",
    "a listening socket": "import socket\nsocket.socket(socket.AF_UNIX).bind('s')\nprint('done')",
    "reading a file": "print(open('{folder}/secret').read(), 'done')",
    "listing a folder": "import os\nprint(os.listdir('{folder}'), 'done')",
    "reading accounts": "print(open('/etc/passwd').read()[:5], 'done')",
    "the parent's environment": "print(open('/proc/{parent}/environ').read(), 'done')",
    "processes": "import os\nprint(os.listdir('/proc'), 'done')",
    "writing a file": "open('{folder}/new', 'w')\nprint('done')",
    "writing here": "open('new', 'w').write('x')\nprint('done')",
    "a temporary file": "import tempfile\ntempfile.NamedTemporaryFile()\nprint('done')",
    "emptying a file": "import os\nos.open('{folder}/secret', os.O_RDONLY | os.O_TRUNC)\nprint('done')",
    "truncating a file": "import os\nos.truncate('{folder}/secret', 0)\nprint('done')",
    "removing a file": "import os\nos.remove('{folder}/secret')\nprint('done')",
    "renaming a file": "import os\nos.rename('{folder}/secret', '{folder}/other')\nprint('done')",
    "changing rights": "import os\nos.chmod('{folder}/secret', 0o777)\nprint('done')",
    "a link": "import os\nos.symlink('{folder}', 'here')\nprint('done')",
    "a folder": "import os\nos.mkdir('{folder}/new')\nprint('done')",
    "a signal to the parent": "import os\nos.kill({parent}, 15)\nprint('done')",
    "a signal to all": "import os\nos.kill(-1, 9)\nprint('done')",
    "a signal to its group": "import os\nos.killpg(0, 9)\nprint('done')",
    "a slower parent": "import os\nos.setpriority(os.PRIO_PROCESS, {parent}, 19)\nprint('done')",
    "limits of the parent": "import resource\nresource.prlimit({parent}, 7, (3, 3))\nprint('done')",
    "higher limits": "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))\nprint('done')",
    "memory beside the limit": "import os\nos.memfd_create('x')\nprint('done')",
    "the pipe of the jail": "import os\nos.write(int(__import__('sys').orig_argv[-1]), b'x')\nprint('done')",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET)
    return tmp_path


@pytest.mark.skipif(bool(isolation().open), reason=f"the kernel does not give {', '.join(isolation().open)}")
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_program_gets_nowhere(what: str, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        values = {"folder": folder, "port": server.getsockname()[1], "parent": os.getpid()}
        source = HOSTILE[what]
        for name, value in values.items():
            source = source.replace(f"{{{name}}}", str(value))
        before = {path.name: path.stat().st_mode for path in folder.iterdir()}
        result = run_program(source)
    assert result.outcome != "ended" and SECRET not in result.line
    assert {path.name: path.stat().st_mode for path in folder.iterdir()} == before
    assert (folder / "secret").read_text() == SECRET


def test_no_variable_of_this_process_reaches_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    result = run_program("import os\nprint(sorted(os.environ))")
    # Python itself sets LC_CTYPE.
    assert set(eval(result.line)) - {"LC_CTYPE"} == set(ENVIRONMENT)


def test_a_program_that_closes_its_output_and_ends_has_printed_what_it_has() -> None:
    assert run_program("import os\nprint(5, flush=True)\nos.close(1)\nos._exit(0)") == Result("ended", "5")


@pytest.mark.slow
def test_a_program_dies_with_the_process_that_runs_it(tmp_path: Path) -> None:
    runs = "from personamath.programs.sandbox import run_program\nrun_program('import time\\ntime.sleep(987.25)')"
    runner = subprocess.Popen([sys.executable, "-c", runs], env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        _wait_for(lambda: _jails(runner.pid) != [])
        jails = _jails(runner.pid)
        time.sleep(0.5)
    finally:
        runner.kill()
        runner.wait()
    _wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in jails))


def _jails(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in children.read_text().split()] if children.exists() else []


def _wait_for(condition) -> None:  # type: ignore[no-untyped-def]
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


WALLS = [
    (("namespaces", "landlock", "seccomp"), ()),
    (("landlock", "seccomp"), ()),
    (("namespaces", "seccomp"), ("reading files",)),
    (("namespaces", "landlock"), ("starting processes",)),
    ((), ("network", "reading files", "changing files", "starting processes", "signals to other processes")),
]


@pytest.mark.parametrize(("walls", "opened"), WALLS)
def test_what_no_wall_covers_is_named(walls: tuple[str, ...], opened: tuple[str, ...]) -> None:
    assert Isolation(walls).open == opened
    assert Isolation(walls).as_dict() == {"walls": list(walls), "not isolated": list(opened)}


def test_the_jail_imports_nothing_of_the_package() -> None:
    assert "personamath" not in Path(jail.__file__).read_text()
