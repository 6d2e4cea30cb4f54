"""A repository of its own for each test, folders to publish there, and the command line on the local Hub."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from personamath.commands.cli import main
from tests.support.hub_process import Command, Ended
from tests.support.local_hub import LocalHub
from tests.support.versions import Files

_names = itertools.count()


@pytest.fixture
def repo() -> str:
    return f"alice/data-{next(_names)}"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Write a folder of its own for these files."""
    folders = itertools.count()

    def write(files: Files) -> Path:
        folder = tmp_path / f"folder-{next(folders)}"
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder

    return write


@pytest.fixture
def alice(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line of this process knows of the Hub and the token."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HF_TOKEN", "hf_alice")


@pytest.fixture
def command(alice: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line in this process, as alice or with another token: quicker than in one of its own."""

    def command(*words: object, token: str = "hf_alice") -> Ended:
        monkeypatch.setenv("HF_TOKEN", token)
        status = main([str(word) for word in words])
        return Ended(status, *capsys.readouterr())

    return command
