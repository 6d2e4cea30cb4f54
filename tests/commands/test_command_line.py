"""The command line itself: help that fits, errors of two lines that name the remedy, results for programs."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from personamath.commands import terminal
from personamath.commands.augment import next_commands
from personamath.commands.cli import COMMANDS, main
from personamath.commands.report import read_source
from personamath.teachers.simulated import bundled_problems
from tests.commands.test_augment import PROBLEMS, command, run_file
from tests.commands.test_run_directories import Start


def usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "error", "see"),
    [
        (["augmnt"], "no command 'augmnt'; the nearest known one is 'augment'", "personamath --help"),
        (["--verison"], "unknown option --verison; the nearest known one is --version", "personamath --help"),
        (["augment", "--concurency", "3"], "unknown option --concurency; the nearest known one is --concurrency", ""),
        (["augment", "--concurency=3"], "unknown option --concurency; the nearest known one is --concurrency", ""),
        (["augment", "--conc", "3"], "unknown option --conc; the nearest known one is --concurrency", ""),  # no prefix
        (["augment", "--k1", "5", "12"], "unexpected argument '12'", ""),
        (["augment", "--teacher", "t", "--output", "o"], "--problems is required (or set `problems` in", ""),
        (["report", "--outptu", "x", "y"], "unknown option --outptu; the nearest known one is --output", ""),
        (["report"], "the following arguments are required: RUN_OR_REPO", ""),
    ],
)
def test_a_usage_error_is_two_lines(
    arguments: list[str], error: str, see: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = usage_error(arguments, capsys)
    assert first.startswith(f"personamath: {error}")
    assert second == f"See `{see or f'personamath {arguments[0]} --help'}`."


def test_a_call_without_a_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    said = "\n".join(usage_error([], capsys))
    assert said.startswith("usage: personamath") and all(f"\n  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_fits_a_terminal(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([name, "--help"])
    lines = capsys.readouterr().out.splitlines()
    # Indented blocks are commands to copy and tables, which keep their lines; so does a word that no line can hold.
    assert [line for line in lines if len(line) > 80 and not line.startswith((" ", "usage", "writes"))] == []
    assert sum(line.startswith("usage") for line in lines) == 1 and lines[1].strip() == ""


def test_the_module_runs() -> None:
    ran = subprocess.run([sys.executable, "-m", "personamath", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("personamath ")


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "stream", "coloured"),
    [
        ({"TERM": "xterm"}, Terminal(), True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Terminal(), False),
        ({"TERM": "dumb"}, Terminal(), False),
        ({"TERM": "xterm"}, io.StringIO(), False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    environment: dict[str, str], stream: io.StringIO, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with redirect_stderr(stream):
        terminal.say_error("no room")
    assert ("\x1b[" in stream.getvalue()) == coloured and stream.getvalue().endswith(" no room\n")


def test_json_is_all_that_the_standard_output_gets(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "3", "--json")) == 0
    shown, said = capsys.readouterr()
    assert json.loads(shown) == {"dataset": f"{output}/dataset", "run": run_file(output)}
    assert f"The dataset is in {output}/dataset" in said

    assert main(["report", str(output), "--json"]) == 0
    shown, _ = capsys.readouterr()
    # In the run, if nobody says where.
    assert json.loads(shown) == {"page": (output / "report" / "index.html").as_uri(), "finished": True}


def test_the_plan_as_json_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    teacher = ["--teacher", "gpt-4o-mini-2024-07-18", "--base-url", "http://127.0.0.1:1/v1", "--price-in", "1"]
    problems = [part for problem in bundled_problems() for part in ("--problems", problem)]
    assert main(["plan", *problems, "--personas", "bundled", *teacher, "--price-out", "2", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    for name in ("requests", "prompt_tokens", "completion_tokens", "usd"):
        assert sum(kind[name] for kind in plan["kinds"].values()) == pytest.approx(plan["all"][name])
    tokens = plan["all"]
    assert tokens["usd"] == pytest.approx((tokens["prompt_tokens"] + 2 * tokens["completion_tokens"]) / 1e6)


def test_a_run_ends_with_the_next_commands() -> None:
    assert next_commands("runs/my run", simulated=False).splitlines()[2:] == [
        "  personamath report 'runs/my run'",
        "  personamath train --config sft-qwen2.5-7b --dataset_name 'runs/my run/dataset' --dataset_revision null",
        "  personamath publish 'runs/my run' --repo-id OWNER/NAME --version v1.0.0 --dry-run",
    ]
    assert "publish" not in next_commands("runs/x", simulated=True)


def test_an_unfinished_run_is_shown_and_other_commands_say_how_to_make_its_dataset(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    assert main(command(teacher, output, "--limit", "3")) == 0
    (output / "dataset").rename(tmp_path / "elsewhere")  # as a run that ended before it wrote one
    (output / "run.json").unlink()
    asked = teacher.stats()["requests"]
    assert "The run stopped before its end" in (read_source(str(output)).unfinished or "")
    capsys.readouterr()
    assert main(["diff", str(output), str(output)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "the run is not finished" in error and "--max-requests 1" in error
    main(command(teacher, output, "--limit", "3", "--max-requests", "1"))
    assert teacher.stats()["requests"] == asked and (output / "dataset").is_dir()
