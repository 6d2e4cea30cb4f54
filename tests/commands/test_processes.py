"""Modules that run beside each other: their progress on a terminal, and the end of the log of one that fails."""

import io
from pathlib import Path

import pytest

from personamath.commands.processes import Process, run_together
from personamath.errors import BadInput

BAR = " 12%|#2        | 72/600 [00:03<00:25, 21.0it/s]"
SHOWS = f"import sys, time; print('Making examples: {BAR}', flush=True); time.sleep(1)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def module(folder: Path, name: str, source: str) -> Process:
    (folder / f"{name}.py").write_text(source)
    return Process(name, (name,), folder / f"{name}.log")


@pytest.mark.slow
def test_a_terminal_shows_how_far_each_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    terminal, pipe = Terminal(), io.StringIO()
    both = [module(tmp_path, "one", SHOWS), module(tmp_path, "other", "import time; time.sleep(1)")]
    run_together(both, terminal)
    assert "one 72/600, other starts · " in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")
    run_together(both, pipe)
    assert pipe.getvalue() == ""


def test_a_process_that_fails_ends_the_others_and_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fails = module(tmp_path, "fails", "raise SystemExit('no such model')")
    waits = module(tmp_path, "waits", "import time; time.sleep(600)")
    with pytest.raises(BadInput, match=r"(?s)fails ended with status 1; .*no such model"):
        run_together([waits, fails], io.StringIO())
