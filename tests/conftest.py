"""Fixtures: a clean environment, the real datasets where they are at hand, and scripted teachers to talk to."""

import fcntl
import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

# Before anything reads them. Tiny models gain nothing by threads, which wait for one another, at full speed.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import hypothesis
import pytest
from huggingface_hub import HfApi, close_session, constants
from huggingface_hub.utils.tqdm import disable_progress_bars

from personamath.commands import cli
from personamath.teachers.simulated import bundled_problems
from tests.support import programs
from tests.support.local_hub import LocalHub, local_hub

REPO = programs.REPO
DATA = REPO.parent / "shared" / "data"
SCRIPTED_TEACHER = "tests.support.scripted_teacher"

# What a test is marked with for a fixture that it uses; see CONTRIBUTING.md.
MARKS = {
    "browser": "browser",
    "cluster": "ray",
    **dict.fromkeys(("start_teacher", "shared_teacher", "start_provider", "data", "tokenizer"), "slow"),
    # Whole runs.
    **dict.fromkeys(("demo_run", "replayed", "persona_run", "direct_run"), "slow"),
}
# The files that take longest, which start first: the others fill the cores until the last of these has ended.
LONGEST = (
    *("test_real_vllm.py", "test_faults.py", "runs/test_ray_engine.py", "training/test_sft.py"),
    *("training/test_grpo_runs.py", "teachers/test_served_vllm.py", "hub/test_publish.py", "teachers/test_batch.py"),
    *("teachers/test_http.py", "hub/test_versions_outages.py", "answers/test_grader.py", "programs/test_sandbox.py"),
    *("commands/test_augment.py", "test_readme.py", "evaluation/test_tasks_lm_eval.py"),
)


# A busy machine is no fault.
hypothesis.settings.register_profile("without deadlines", deadline=None)
hypothesis.settings.load_profile("without deadlines")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their fixtures, before `-m` chooses; begin with the files that take longest."""
    for item in items:
        for fixture in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[fixture])
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    order = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (order.get(item.path, len(order)), item.path not in slow))


HOMES = count()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No key, no token, no network and no cache of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "HF_", "HUGGING", "PERSONAMATH_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    # Made by those that use it: to make `tmp_path` for every test would take a third of the time of small ones.
    home = tmp_path_factory.getbasetemp() / f"hf-home-{next(HOMES)}"
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # Read when the module is imported, which may have been before.
    if config := sys.modules.get("datasets.config"):
        monkeypatch.setattr(config, "HF_DATASETS_CACHE", home / "datasets")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real GSM8K and MATH."""
    if not DATA.is_dir():
        pytest.skip("the real GSM8K and MATH are not at hand")
    return DATA


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the bundled problems, simulated, which all workers share: copy it to change it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    run = folder / "demo" / "run"
    run.parent.mkdir(exist_ok=True)
    with (run.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "run.json").exists():
            assert cli.main(["demo", "--simulated", "--data-only", "--output", str(run)]) == 0
    return run


@dataclass(frozen=True)
class ScriptedTeacher:
    """A scripted teacher that runs."""

    base_url: str
    process: programs.Program

    def stats(self) -> dict[str, int]:
        """What it has done so far; `again` counts requests beyond the first of each kind."""
        url = self.base_url.removesuffix("/v1") + "/stats"
        with urllib.request.urlopen(url, timeout=10) as response:
            return {name: int(count) for name, count in json.load(response).items()}

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def scripted_teacher(*flags: str) -> Iterator[ScriptedTeacher]:
    """Start one, with the flags of tests/support/scripted_teacher.py."""
    with programs.start(SCRIPTED_TEACHER, *flags, stdin=programs.PIPE, stdout=programs.PIPE) as process:
        assert process.stdout
        try:
            yield ScriptedTeacher(process.stdout.readline().strip(), process)
        finally:
            process.kill()


@pytest.fixture
def start_teacher() -> Iterator[Callable[..., ScriptedTeacher]]:
    """Start scripted teachers that end with the test."""
    with ExitStack() as teachers:
        yield lambda *flags: teachers.enter_context(scripted_teacher(*flags))


@pytest.fixture(scope="module")
def shared_teacher() -> Iterator[ScriptedTeacher]:
    """A scripted teacher of the bundled problems, for the tests of a module that do not count what it is asked."""
    with scripted_teacher(*(flag for source in bundled_problems() for flag in ("--problems", source))) as teacher:
        yield teacher


@pytest.fixture(scope="module")
def hub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A local Hub that lasts for the tests of a module."""
    with local_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub
    close_session()


@pytest.fixture
def hub(hub_server: LocalHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """It, well and without faults, for clients in this process; they use LFS unless the test says xet."""
    disable_progress_bars()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    yield hub_server
    hub_server.heal()
    hub_server.page_size, hub_server.part_size, hub_server.xet = 1000, None, True


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    """Alice's client."""
    return HfApi(endpoint=hub.endpoint, token="hf_alice")


@pytest.fixture
def bob(hub: LocalHub) -> HfApi:
    """Bob's client."""
    return HfApi(endpoint=hub.endpoint, token="hf_bob")
