"""`personamath augment` as a user runs it: whole runs against a scripted teacher in its own process."""

import contextlib
import hashlib
import json
import os
import pty
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from personamath.commands.cli import main
from personamath.completion import mark_in
from personamath.teachers.simulated import MODEL, bundled_problems
from tests.conftest import ScriptedTeacher
from tests.support import programs

Start = Callable[..., ScriptedTeacher]
PROBLEMS = [flag for source in bundled_problems() for flag in ("--problems", source)]
FEW = ("--k1", "2", "--k2", "3")
"""A quarter of the requests, and every step."""
KEY = "sk-very-secret-key"


def command(teacher: ScriptedTeacher, output: Path, *flags: str) -> list[str]:
    return [
        *("augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url, "--output", str(output)),
        *flags,
    ]


def run_process(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return programs.run(programs.CLI, *arguments, environment=os.environ | environment)


def dataset_bytes(output: Path) -> dict[str, str]:
    folder = output / "dataset"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run_file(output: Path) -> dict[str, Any]:
    return dict(json.loads((output / "run.json").read_text()))


def test_a_run_writes_its_dataset_its_counts_and_its_journal(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS)
    assert main(command(teacher, tmp_path / "run", *FEW)) == 0
    run = run_file(tmp_path / "run")
    asked = sum(sum(outcomes.values()) for outcomes in run["requests"].values())
    assert run["complete"] and run["simulated"]
    assert asked == run["answers"]["asked this time"] == teacher.stats()["requests"]
    assert run["problems"] == {"read": 48, "skipped": {}, "seed_problems": {"gsm8k": 20, "math": 28}}
    for step in ("stage1_inference", "stage2_reflection"):
        assert run["requests"][step]["kept"] == sum(run["rows"][step].values())
    assert run["requests"]["stage1_rewrite: solve"]["kept"] == sum(run["rows"]["stage1_rewrite"].values())
    assert run["requests"]["stage2_rewrite: reflect"]["kept"] == sum(run["rows"]["stage2_rewrite"].values())
    # what goes out of one step comes into the next
    assert (
        sum(run["requests"]["stage1_rewrite: solve"].values()) == run["requests"]["stage1_rewrite: rewrite"]["usable"]
    )
    assert sum(run["requests"]["stage1_rewrite: rewrite"].values()) == 2 * run["requests"]["stage1_inference"]["kept"]
    assert all(run["tokens"]["stage1_inference"].values())
    output = capsys.readouterr().out
    assert "SIMULATED" in output and f"{sum(map(sum, (c.values() for c in run['rows'].values()))):,}" in output


def test_the_same_command_again_asks_nothing_and_writes_the_same_bytes(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS)
    arguments = command(teacher, tmp_path / "run", *FEW)
    assert main(arguments) == 0
    before = dataset_bytes(tmp_path / "run")
    assert main(arguments) == 0
    assert dataset_bytes(tmp_path / "run") == before
    assert teacher.stats()["again"] == 0
    assert run_file(tmp_path / "run")["answers"]["asked this time"] == 0


def test_concurrency_leaves_no_trace_in_the_bytes(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS)
    assert main(command(teacher, tmp_path / "one", "--concurrency", "1", *FEW)) == 0
    assert main(command(teacher, tmp_path / "many", "--concurrency", "500", *FEW)) == 0
    assert dataset_bytes(tmp_path / "one") == dataset_bytes(tmp_path / "many")


def test_failed_requests_are_counted_and_named_and_the_same_command_tries_just_them(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty = start_teacher(*PROBLEMS, "--fault", "http_500=0.1")
    assert main(command(faulty, tmp_path / "run", "--attempts", "1", *FEW)) == 3
    run = run_file(tmp_path / "run")
    failed = sum(outcomes.get("failed", 0) for outcomes in run["requests"].values())
    assert not run["complete"] and failed == len(run["failed"]) == faulty.stats()["http_500"] > 0
    assert run["failed"][0]["problem_id"] in capsys.readouterr().out
    assert (tmp_path / "run" / "dataset" / "README.md").is_file()

    calm = start_teacher(*PROBLEMS)
    assert main(command(calm, tmp_path / "run", *FEW)) == 0
    assert main(command(calm, tmp_path / "whole", *FEW)) == 0
    assert dataset_bytes(tmp_path / "run") == dataset_bytes(tmp_path / "whole")
    assert faulty.stats()["answered"] + calm.stats()["requests"] == 2 * calm.stats()["different"]


def test_endings_other_than_stop_are_counted_under_their_names_and_paid_once(
    start_teacher: Start, tmp_path: Path
) -> None:
    faults = ("--fault", "length=0.05", "--fault", "content_filter=0.05", "--fault", "refusal=0.05")
    teacher = start_teacher(*PROBLEMS, *faults)
    arguments = command(teacher, tmp_path / "run", *FEW)
    assert main(arguments) == main(arguments) == 0
    run = run_file(tmp_path / "run")
    counts: dict[str, int] = {}
    for outcomes in run["requests"].values():
        for reason, count in outcomes.items():
            counts[reason] = counts.get(reason, 0) + count
    stats = teacher.stats()
    assert stats["again"] == 0
    assert (counts["truncated"], counts["filtered"], counts["refused"]) == (
        stats["length"],
        stats["content_filter"],
        stats["refusal"],
    )


def test_a_teacher_that_thinks_aloud_gives_the_rows_of_one_that_does_not(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aloud, silent = start_teacher(*PROBLEMS, "--fault", "thinks=1"), start_teacher(*PROBLEMS)
    assert main(command(silent, tmp_path / "silent", *FEW)) == 0
    assert "Taken off" not in capsys.readouterr().out
    assert main(command(aloud, tmp_path / "aloud", *FEW)) == 0
    run = run_file(tmp_path / "aloud")
    asked = run["answers"]["asked this time"]
    assert run["taken off"] == {"reasoning": asked, "marks of a chat template": asked}
    assert run["requests"] == run_file(tmp_path / "silent")["requests"]
    shown = f"reasoning ({asked:,}), marks of a chat template ({asked:,})."
    assert f"Taken off completions before they were read: {shown}" in capsys.readouterr().out
    files = [dataset_bytes(tmp_path / name) for name in ("aloud", "silent")]
    rows, expected = ({name: sha for name, sha in one.items() if name.endswith(".parquet")} for one in files)
    assert rows == expected and rows
    for name in rows:
        for row in pq.read_table(tmp_path / "aloud" / "dataset" / name).to_pylist():
            assert not any(mark_in(value) for value in row.values() if isinstance(value, str))
    # the journal keeps what was answered
    with contextlib.closing(sqlite3.connect(tmp_path / "aloud" / "journal.sqlite")) as journal:
        assert all(text.startswith("<think>") for (text,) in journal.execute("select text from answers"))


def test_a_source_of_which_nothing_is_ever_right_is_named(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(12)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "shifted.jsonl").write_text(
        "".join(json.dumps(row | {"answer": f"about {row['answer']}7"}) + "\n" for row in rows)
    )
    teacher = start_teacher("--problems", f"sums:{tmp_path}/sums.jsonl:question:answer", *PROBLEMS)
    shifted = f"shifted:{tmp_path}/shifted.jsonl:question:answer"
    arguments = command(teacher, tmp_path / "run", "--problems", shifted, *FEW)
    assert main(arguments) == 0
    shown = capsys.readouterr().err
    assert re.search(r"warning: none of \d+ first answers to shifted problems is right, e\.g\. '.*' where the ", shown)
    assert "GSM8K" not in shown and "MATH" not in shown


def test_the_key_comes_from_the_environment_and_appears_nowhere(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS, "--key", KEY)
    named = ("--api-key-env", "TEACHERS_KEY")
    let_in = run_process(command(teacher, tmp_path / "run", "--limit", "5", *named), TEACHERS_KEY=KEY)
    assert let_in.returncode == 0
    wrong = run_process(command(teacher, tmp_path / "wrong", *named), TEACHERS_KEY=KEY + "-not")
    assert wrong.returncode == 1
    assert re.fullmatch(r"personamath: .* answered 401 .*: check the key in TEACHERS_KEY\n", wrong.stderr)
    kept = run_process(command(teacher, tmp_path / "kept"), OPENAI_API_KEY=KEY)
    assert kept.returncode == 1
    assert re.fullmatch(r"personamath: .* answered 401 .*: no key was sent; .* sends it here, too\)\n", kept.stderr)
    shown = let_in.stdout + let_in.stderr + wrong.stdout + wrong.stderr + kept.stdout + kept.stderr
    assert KEY not in shown
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_secret_header_comes_from_the_environment_and_appears_nowhere(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS, "--key", KEY)
    flags = ("--limit", "5", "--header", "Authorization=env:MINE", "--header", "X-Title=PersonaMath")
    let_in = run_process(command(teacher, tmp_path / "run", *flags), MINE=f"Bearer {KEY}")
    assert let_in.returncode == 0, let_in.stderr
    wrong = run_process(command(teacher, tmp_path / "wrong", *flags), MINE=f"Bearer {KEY}-not")
    assert re.fullmatch(r"personamath: .* answered 401 .*: check the value of --header Authorization\n", wrong.stderr)
    literal = run_process(command(teacher, tmp_path / "literal", "--header", f"Authorization=Bearer {KEY}"))
    assert literal.returncode == 1 and "write Authorization=env:VARIABLE" in literal.stderr
    shown = "".join(one.stdout + one.stderr for one in (let_in, wrong, literal))
    assert KEY not in shown
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


BAD_USE = [
    (["augment", "--teacher", "t", "--output", "o"], 2, "--problems is required"),
    (["augment", "--problems", "gsm8k", "--output", "o"], 2, "--teacher is required"),
    (["augment", "--k1", "many"], 2, "invalid int value"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o"], 1, "OPENAI_API_KEY is not set"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--base-url", "nowhere"], 1, "write it as http"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--api-key-env", "NO_KEY"], 1, "NO_KEY is not set"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--api-key-env", "sk-x"], 1, "not the key"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--header", "X-Title"], 1, "a header has no `=`"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--request", "{stream: true}"], 1, "must stay off"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--request", "{n: 2}"], 1, "must stay 1"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--vllm-args", "{a: 1}"], 1, "is for --serve vllm"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--batch-queue-tokens", "9"], 1, "is for --batch"),
    (["augment", *PROBLEMS, "--teacher", "t", "--output", "o", "--ray-address", "auto"], 1, "is for --engine ray"),
    (["augment", "--config", "no.yaml"], 1, "no.yaml: No such file"),
    (["journal", "nowhere"], 1, "is not a run"),
    (["diff", "nowhere", "nowhere"], 1, "nowhere: no such folder; write a dataset on the Hub as OWNER/NAME@v1.0.0"),
    (["plan", *PROBLEMS, "--teacher", "t", "--pilot", "-1"], 1, "pilot is -1: it must not be negative"),
    (["journal", "nowhere", "--export", "answers.csv"], 1, "answers.csv: answers are exported as parquet"),
    (["journal", "nowhere", "--export", "no/answers.parquet"], 1, "no/answers.parquet: its folder does not exist"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), BAD_USE)
def test_bad_use_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        ended: object = main(arguments)
    except SystemExit as exit:  # argparse's
        ended = exit.code
    assert ended == status
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert said.splitlines()[-1 if status == 1 else -2].startswith("personamath")
    assert not list(tmp_path.rglob("*.sqlite"))


def test_bad_input_is_met_before_anything_is_asked(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS)
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"question": "1 + 1?", "answer": "#### 2"}\n' * 50 + '{"question": "1 +')
    (tmp_path / "few.txt").write_text("A cook\nA pilot\n")
    for flags, message in (
        (["--problems", f"gsm8k:{torn}"], "torn.jsonl:51"),
        (["--personas", str(tmp_path / "few.txt")], "15 rewrites need 15 personas, but there are only 2"),
    ):
        assert main(command(teacher, tmp_path / "run", *flags)) == 1
        assert message in capsys.readouterr().err
    assert teacher.stats().get("requests", 0) == 0


def test_what_a_run_paid_is_shown_with_how_to_continue(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = ("--price-in", "1000", "--price-out", "1000")
    arguments = command(start_teacher(*PROBLEMS), tmp_path / "run", *FEW, *prices, "--budget", "rows:3")
    assert main([*arguments, "--max-requests", "2"]) == 3
    shown = capsys.readouterr().out
    assert "Stopped at --max-requests 2. Run the same command with a higher limit to continue" in shown
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    paid = run_file(tmp_path / "run")["paid"]["usd"]
    assert f"All answers in the run directory together: ${paid:,.2f}." in shown and paid > 0.01
    assert "Budget rows:3: used 3 for 1 of 48 seed problems" in shown and "Stopped" not in shown


def test_k2_not_above_k1_is_warned_of(start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = start_teacher(*PROBLEMS)
    assert main(command(teacher, tmp_path / "run", "--limit", "2", "--k1", "3", "--k2", "3")) == 0
    assert "the paper has K2 > K1" in capsys.readouterr().err


def test_skipped_problems_are_counted_and_named(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS)
    rows = [{"question": "1 + 1?", "answer": "#### 2"}, {"question": "1 + 1?", "answer": "#### 2"}]
    rows += [{"question": "1 + 3?", "answer": "unknown"}]
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(command(teacher, tmp_path / "run", "--problems", f"gsm8k:{file}", *FEW)) == 0
    said = capsys.readouterr().out
    assert "1 skipped: repeats an earlier question (gsm8k-mine-00001)" in said
    assert "1 skipped: no `####` in column answer (gsm8k-mine-00002)" in said
    assert run_file(tmp_path / "run")["problems"]["skipped"]["no `####` in column answer"] == ["gsm8k-mine-00002"]


def test_the_journal_is_counted_and_exported(
    start_teacher: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow.parquet as pq

    teacher = start_teacher(*PROBLEMS)
    assert main(command(teacher, tmp_path / "run", *FEW)) == 0
    capsys.readouterr()
    assert main(["journal", str(tmp_path / "run"), "--export", str(tmp_path / "answers.parquet")]) == 0
    output = capsys.readouterr().out
    table = pq.read_table(tmp_path / "answers.parquet")
    assert table.num_rows == teacher.stats()["requests"]
    assert f"{table.num_rows:,} answers written" in output and "stage2_rewrite: reflect" in output
    digests = set(table["digest"].to_pylist())
    for row in pq.read_table(tmp_path / "run" / "dataset" / "stage1_inference").to_pylist():
        assert row["request"] in digests


def test_a_terminal_shows_one_live_line_and_a_pipe_none_of_its_codes(start_teacher: Start, tmp_path: Path) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.1")
    arguments = command(teacher, tmp_path / "run", "--concurrency", "16", *FEW)
    screen, terminal = pty.openpty()
    environment = os.environ | {"COLUMNS": "200"}
    with programs.start(programs.CLI, *arguments, environment=environment, stderr=terminal, stdout=programs.DEVNULL):
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says when the other end is closed
            while piece := os.read(screen, 4096):
                shown += piece
    os.close(screen)
    lines = shown.decode().split("\r\x1b[2K")
    figures = r"ETA \S+ · \d+ in flight · [\d,]+/48 problems · [\d,.]+ requests/s · \S+ tokens"
    assert re.fullmatch(r"[\d,]+ (rows kept|answers) · " + figures, lines[1])
    assert "\n" not in shown.decode() and lines[-1] == ""
    piped = run_process(command(teacher, tmp_path / "piped", "--limit", "3"))
    assert "\x1b" not in piped.stderr + piped.stdout
