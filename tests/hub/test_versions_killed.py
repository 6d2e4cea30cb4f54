"""A publisher in a process of its own, killed at any moment, and the same command again."""

import itertools
import os
import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from tests.support import programs
from tests.support.local_hub import FOR_EVER, LocalHub
from tests.support.versions import FIRST, SECOND, Write, content, is_sound, publish, titles

# The client's own LFS upload does not speak its HTTP library's newest dialect; models may bring parquet files.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:It seems that you are about to commit a data file:UserWarning"),
]


PUBLISHER = """
import sys
from pathlib import Path
from personamath_hub.versions.publish import publish_version
folder, repo, version = sys.argv[1:]
print(publish_version(Path(folder), repo, version, repo_type="dataset", message="math").commit)
"""


def environment(hub: LocalHub, **more: str) -> dict[str, str]:
    """A publisher's own: all that it knows of the Hub and the token comes from here."""
    names = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": "hf_alice", "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    return os.environ | names | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"} | more


def publisher(hub: LocalHub, folder: Path, repo: str, version: str, **more: str) -> programs.Program:
    own, pipe = environment(hub, **more), programs.PIPE
    return programs.start(PUBLISHER, folder, repo, version, environment=own, stdout=pipe, stderr=pipe)


def killed_at(hub: LocalHub, folder: Path, repo: str, moment: str, number: int) -> bool:
    """Kill a publisher right before or after the server does the work of its request of this number."""
    counter = itertools.count(1)
    started, ended = threading.Event(), threading.Event()
    process: programs.Program

    def strike(_: str) -> None:
        if next(counter) == number:
            started.wait(10)
            process.kill()
            ended.wait(10)

    getattr(hub, moment)("GET|POST|PUT", "", strike, times=FOR_EVER)
    with publisher(hub, folder, repo, "v1.0.0") as process:
        started.set()
        process.communicate()
        ended.set()
    hub.heal()
    return process.returncode == -signal.SIGKILL


def test_endpoint_and_token_come_from_the_environment(hub: LocalHub, repo: str, write: Write) -> None:
    with publisher(hub, write(FIRST), repo, "v1.0.0") as process:
        commit, _ = process.communicate()
    assert hub.repository(repo).refs("tags") == {"v1.0.0": commit.strip()}
    with publisher(hub, write(FIRST), repo, "v1.0.0", HF_TOKEN="") as process:
        _, stderr = process.communicate()
    remedy = f"there is no token: set HF_TOKEN to a write token from {hub.endpoint}/settings/tokens"
    assert stderr.strip().endswith(f"{repo} v1.0.0 is not published: {remedy}")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_request_the_same_command_completes_it(
    hub: LocalHub, api: HfApi, write: Write, moment: str
) -> None:
    folder = write(FIRST)
    for number in itertools.count(1):
        repo = f"alice/killed-{moment}-{number}"
        was_killed = killed_at(hub, folder, repo, moment, number)
        if number % 3 == 0:
            hub.lose_objects()
        publish(folder, repo, "v1.0.0", api)
        assert titles(hub, repo) == ["v1.0.0: math", "initial commit"]
        assert content(hub, repo, "v1.0.0") == FIRST and is_sound(hub, repo)
        if not was_killed:
            break
    assert number > 12


def test_killed_at_random_moments_the_same_command_completes_it(
    hub: LocalHub, api: HfApi, repo: str, write: Write
) -> None:
    """The second version, by xet, over and over until one of the publishers comes through."""
    publish(write(FIRST), repo, "v1.0.0", api)
    folder, rng = write(SECOND), random.Random(0)
    hub.latency_s = 0.01
    for patience in (rng.uniform(0.3, 0.8) for _ in range(6)):
        with publisher(hub, folder, repo, "v1.1.0", HF_HUB_DISABLE_XET="0") as process:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
    hub.heal()
    publish(folder, repo, "v1.1.0", api)
    assert titles(hub, repo) == ["v1.1.0: math", "v1.0.0: math", "initial commit"]
    assert (content(hub, repo, "v1.0.0"), content(hub, repo, "v1.1.0")) == (FIRST, SECOND)
