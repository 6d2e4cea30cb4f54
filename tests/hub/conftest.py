"""A repository of its own for each test, and folders to publish there."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

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
