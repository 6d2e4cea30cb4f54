"""The engine for many machines: whole runs on a real Ray cluster on this machine, whose parts are killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from personamath.commands.cli import main
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.commands.test_augment import FEW
from tests.conftest import ScriptedTeacher, scripted_teacher
from tests.support import programs

Start = Callable[..., ScriptedTeacher]
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]
BLOCK = 8
# At most: with K1 = 2, a problem that is solved takes 1 + 2 * 2, and most are.
REQUESTS_OF_A_BLOCK = BLOCK * 5
# What a dead driver leaves to Ray to clear away, and what a machine under load needs: generous, as nothing is timed.
PATIENCE_S = 180.0
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


class RayCluster:
    """A cluster that runs, see tests/support/ray_cluster.py."""

    def __init__(self, process: programs.Program, address: str) -> None:
        self._process = process
        self.address = address

    def do(self, line: str) -> str:
        """Have it kill an actor or a machine, or add one."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    with programs.start(
        "tests.support.ray_cluster",
        environment=environment,
        kind="ray",
        stdin=programs.PIPE,
        stdout=programs.PIPE,
        stderr=programs.DEVNULL,
    ) as process:
        assert process.stdin and process.stdout
        yield RayCluster(process, process.stdout.readline().strip())
        process.stdin.close()


def command(teacher: ScriptedTeacher, output: Path | str, *flags: str) -> list[str]:
    to_teacher = ("--teacher", MODEL, "--base-url", teacher.base_url)
    return ["augment", *PROBLEMS, *to_teacher, "--output", str(output), "--preference", *FEW, *flags]


def on_ray(cluster: RayCluster, *flags: str) -> list[str]:
    return ["--engine", "ray", "--ray-address", cluster.address, "--block", str(BLOCK), *flags]


@contextmanager
def started(arguments: list[str]) -> Iterator[programs.Program]:
    """The command line in a process of its own, as Ray wants it; killed at the end if it has not ended."""
    with programs.start(programs.CLI, *arguments, kind="ray", stdout=programs.PIPE, stderr=programs.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    with started(arguments) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def wait_for_requests(teacher: ScriptedTeacher, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while teacher.stats().get("requests", 0) < count:
        assert time.monotonic() < deadline, "the run does not ask"
        time.sleep(0.02)


def dataset_bytes(output: Path) -> dict[str, bytes]:
    folder = output / "dataset"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run_file(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "run.json").read_text()))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of a whole run on the local engine."""
    output = tmp_path_factory.mktemp("undisturbed") / "run"
    with scripted_teacher(*PROBLEMS) as teacher:
        assert main(command(teacher, output)) == 0
    return output


@needs_ray
def test_the_ray_engine_makes_the_local_engines_bytes_and_asks_everything_once(
    cluster: RayCluster,
    undisturbed: Path,
    start_teacher: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    teacher = start_teacher(*PROBLEMS)
    arguments = command(teacher, tmp_path / "run", *on_ray(cluster))
    # Started afresh: Python's hashes have another seed here, and what Ray says depends on when it is imported.
    first = subprocess.run([sys.executable, "-m", programs.CLI, *arguments], capture_output=True, text=True, check=True)
    assert all(" in flight · " in line for line in first.stderr.splitlines())  # progress, and nothing of Ray's
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(undisturbed)
    ours, theirs = run_file(tmp_path / "run"), run_file(undisturbed)
    assert ours["engine"] == "ray" and ours["answers"]["asked this time"] == teacher.stats()["requests"]
    # Each actor finds out by itself how many requests to have in flight.
    assert ours == theirs | {name: ours[name] for name in ("engine", "endpoints", "concurrency")}
    blocks = sorted(path.name for path in (tmp_path / "run" / "blocks").iterdir())
    assert [name.partition("-")[0] for name in blocks] == [f"{number:06}" for number in range(48 // BLOCK)]

    assert main(["journal", str(tmp_path / "run"), "--export", str(tmp_path / "answers.parquet")]) == 0
    assert f"{teacher.stats()['requests']:,} answers written" in capsys.readouterr().out

    # the same command again, and then the local engine over what the blocks hold
    assert finish(arguments).returncode == 0
    again = run_file(tmp_path / "run")["answers"]
    asked = ours["answers"]["asked this time"]
    assert again == {"asked this time": 0, "from the journal": asked, "from other runs": 0}
    assert main(command(teacher, tmp_path / "run")) == 0
    assert run_file(tmp_path / "run")["answers"] == again
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(undisturbed)
    assert teacher.stats()["again"] == 0


@needs_ray
def test_each_role_has_its_teacher_on_a_cluster_too_and_metamath_makes_the_same_bytes_there(
    cluster: RayCluster, start_teacher: Start, tmp_path: Path
) -> None:
    rewriter_model = f"{MODEL}-that-rewrites"
    solver, rewriter = start_teacher(*PROBLEMS), start_teacher(*PROBLEMS, "--model", rewriter_model)
    rewrite = {"model": rewriter_model, "base_url": rewriter.base_url, "price_in": 1, "price_out": 2}
    teachers = {"default": MODEL, "rewrite": rewrite}
    recipe = {"method": "metamath", "limit": 1, "teacher": teachers, "base_url": solver.base_url}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))  # JSON is YAML, too
    arguments = ["augment", "--config", str(tmp_path / "recipe.json"), *PROBLEMS, "--output"]
    assert main([*arguments, str(tmp_path / "here")]) == 0
    asked = [teacher.stats()["requests"] for teacher in (solver, rewriter)]
    assert all(asked)
    run = finish([*arguments, str(tmp_path / "there"), *on_ray(cluster)])
    assert run.returncode == 0, run.stderr
    assert [teacher.stats()["requests"] for teacher in (solver, rewriter)] == [2 * count for count in asked]
    here, there = (run_file(tmp_path / name) for name in ("here", "there"))
    assert there == here | {name: there[name] for name in ("engine", "concurrency")}
    assert set(there["paid"]["by_model"]) == {MODEL, rewriter_model}
    assert dataset_bytes(tmp_path / "there") == dataset_bytes(tmp_path / "here")


@needs_ray
def test_seed_problems_that_moved_or_changed_are_said_before_anything_is_asked(
    cluster: RayCluster, start_teacher: Start, tmp_path: Path
) -> None:
    rows = Path(bundled_problems()[0].partition(":")[2]).read_text(encoding="utf-8").splitlines(keepends=True)
    file, teacher = tmp_path / "few.jsonl", start_teacher(*PROBLEMS)
    file.write_text("".join(rows[:12]), encoding="utf-8")
    sources = ["augment", "--problems", f"gsm8k:{file}", "--output", str(tmp_path / "run"), "--k1", "1", "--k2", "2"]
    arguments = [*sources, "--teacher", MODEL, "--base-url", teacher.base_url, *on_ray(cluster)]
    assert finish(arguments).returncode == 0
    file.write_text("".join([*rows[:9], *rows[10:12]]), encoding="utf-8")
    changed = finish(arguments)
    assert changed.returncode == 1 and "another recipe (the problems have changed)" in changed.stderr
    moved = finish([*arguments, "--replace"])
    assert moved.returncode == 0
    assert "warning: 2 of 11 problems that this run has asked about have another id now" in moved.stderr


@needs_ray
def test_a_killed_actor_and_a_killed_machine_leave_every_row_there_once(
    cluster: RayCluster, undisturbed: Path, start_teacher: Start, tmp_path: Path
) -> None:
    total = run_file(undisturbed)["answers"]["asked this time"]
    teacher = start_teacher(*PROBLEMS, "--latency", "0.4")
    with started(command(teacher, tmp_path / "run", *on_ray(cluster, "--concurrency", "16"))) as run:
        wait_for_requests(teacher, total // 5)
        assert cluster.do("kill actor").startswith("actor ")
        wait_for_requests(teacher, total // 2)
        assert cluster.do("kill machine") == "machine"
        _, errors = run.communicate()
    cluster.do("add machine")
    assert run.returncode == 0, errors
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(undisturbed)
    # each death costs an actor's blocks at most, of which it works on two
    assert teacher.stats()["again"] <= 2 * 2 * REQUESTS_OF_A_BLOCK


@needs_ray
def test_a_killed_driver_is_taken_up_by_the_same_command(
    cluster: RayCluster, undisturbed: Path, start_teacher: Start, tmp_path: Path
) -> None:
    total = run_file(undisturbed)["answers"]["asked this time"]
    teacher = start_teacher(*PROBLEMS, "--latency", "0.4")
    arguments = command(teacher, tmp_path / "run", *on_ray(cluster, "--concurrency", "16"))
    with started(arguments) as run:
        wait_for_requests(teacher, total // 2)
        run.kill()
    assert finish(arguments).returncode == 0
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(undisturbed)
    # two actors with two blocks each; what they still did before Ray ended them is kept, too
    assert teacher.stats()["again"] <= 2 * 2 * REQUESTS_OF_A_BLOCK
    assert run_file(tmp_path / "run")["answers"]["from the journal"] > 0


@needs_ray
def test_a_run_that_was_begun_on_one_machine_is_finished_on_the_cluster_and_ends_at_its_caps(
    cluster: RayCluster, undisturbed: Path, start_teacher: Start, tmp_path: Path
) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.02")
    assert main(command(teacher, tmp_path / "run", "--max-requests", "100")) == 3
    capped = finish(command(teacher, tmp_path / "run", *on_ray(cluster, "--max-requests", "180")))
    assert capped.returncode == 3 and "Stopped at --max-requests 180" in capped.stdout
    assert teacher.stats()["requests"] == run_file(tmp_path / "run")["paid"]["answers"] <= 180
    assert teacher.stats()["requests"] > 130
    whole = finish(command(teacher, tmp_path / "run", *on_ray(cluster)))
    assert whole.returncode == 0, whole.stderr
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(undisturbed)
    assert run_file(tmp_path / "run")["paid"] == run_file(undisturbed)["paid"]
    assert teacher.stats()["again"] == 0


@needs_ray
def test_an_interrupted_run_waits_for_its_answers_and_the_local_engine_takes_them_up(
    cluster: RayCluster, undisturbed: Path, start_teacher: Start, tmp_path: Path
) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.1")
    with started(command(teacher, tmp_path / "run", *on_ray(cluster, "--concurrency", "16"))) as run:
        wait_for_requests(teacher, 60)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate()
    assert run.returncode == 128 + signal.SIGINT
    assert "answers in flight" in errors and "the same command continues" in errors and "Traceback" not in errors
    assert not (tmp_path / "run" / "dataset").exists()
    assert main(command(teacher, tmp_path / "run")) == 0
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(undisturbed)
    assert teacher.stats()["again"] == 0


@needs_ray
def test_a_misconfigured_teacher_ends_the_run_with_the_same_line_as_elsewhere(
    cluster: RayCluster, start_teacher: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-very-secret-key"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    teacher = start_teacher(*PROBLEMS, "--key", "another")
    named = ("--api-key-env", "OPENAI_API_KEY")
    here = finish(command(teacher, tmp_path / "here", *named))
    there = finish(command(teacher, tmp_path / "there", *named, *on_ray(cluster)))
    assert here.returncode == there.returncode == 1
    # Before it, where the machine is slow, a line of progress.
    assert here.stderr.splitlines()[-1] == there.stderr.splitlines()[-1]
    assert re.fullmatch(r"personamath: .* answered 401 .*", there.stderr.splitlines()[-1])
    assert not any(key.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
