"""`personamath opinion`: rewrites solved again, blindly, and what the report makes of it."""

import json
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import personamath
from personamath.commands.cli import main
from personamath.errors import BadInput
from personamath.methods.method import Kind, Method, Outline, Step
from personamath.methods.prompts import INFERENCE, REWRITING, Prompt
from personamath.methods.work import USABLE, Work
from personamath.records import Dropped, Problem, Solution
from personamath.report.analysis.catalogue import analyses
from personamath.report.analysis.quality import second_opinion
from personamath.report.analysis.result import Analysis, LeftOut
from personamath.report.analysis.rows import read_run
from personamath.runs.opinions import FILE_NAME, Opinion, read_opinions, tally
from personamath.teachers.simulated import MODEL
from tests.commands.test_augment import PROBLEMS, command
from tests.conftest import ScriptedTeacher
from tests.support import programs
from tests.support.analysed import run_data

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedTeacher]
SOME_WRONG = ("--k1", "1", "--k2", "15", "--rng-seed", "4")
"""A run of a few rewrites, of which the teacher solves three wrongly when it is asked again."""


@pytest.fixture(scope="module")
def made(shared_teacher: ScriptedTeacher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("made") / "run"
    assert main(command(shared_teacher, output, *SOME_WRONG)) == 0
    return output


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A finished run of every step, to be changed."""
    return shutil.copytree(made, tmp_path / "run")


def ask(run: Path, teacher: ScriptedTeacher, *flags: str) -> int:
    return main(["opinion", str(run), "--base-url", teacher.base_url, *flags])


def written(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / FILE_NAME).read_text()))


def test_each_rewrite_is_solved_so_many_times_and_paid_once(
    start_teacher: Start, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS)
    rewrites = [row for row in read_run(run / "dataset", "run").rows if row.step.endswith("rewrite")]
    assert ask(run, teacher, "--all", "--solves", "2") == 0
    found = written(run)
    assert list(found) == [row.id for row in rewrites]
    assert teacher.stats()["requests"] == 2 * len(rewrites)
    # The same teacher gives the same prompt the same answer: what it solved in stage 1 it solves again.
    assert all(found[row.id]["right"] == 2 for row in rewrites if row.step == "stage1_rewrite")
    wrong = [row.id for row in rewrites if found[row.id]["right"] == 0]
    assert wrong and all(found[id]["solves"] == 2 for id in found)
    assert f"{len(rewrites) - len(wrong):,} reach the seed problem's answer in most" in capsys.readouterr().out

    before = (run / FILE_NAME).read_bytes()
    assert ask(run, teacher, "--all", "--solves", "2") == 0
    assert teacher.stats()["requests"] == 2 * len(rewrites)
    assert (run / FILE_NAME).read_bytes() == before
    assert ask(run, teacher, "--all", "--solves", "3") == 0
    assert teacher.stats()["requests"] == 3 * len(rewrites)

    data = read_run(run / "dataset", "run", run)
    analysis = next(one for one in analyses(data).made if one.name == "second-opinion")
    assert sum(int(cells[1] or 0) for cells in analysis.table.rows) == len(rewrites)
    assert sum(int(cells[6] or 0) for cells in analysis.table.rows) == len(wrong)


@dataclass(frozen=True, kw_only=True)
class ForACook(Method):
    """Rewrites each problem for a cook, and solves that."""

    spices: int = 2
    prompts: ClassVar[Mapping[str, Prompt]] = {"rewriting": REWRITING, "inference": INFERENCE}
    outline: ClassVar[Outline] = Outline(
        method="for-a-cook",
        title="for a cook",
        how="It rewrites.",
        cite="",
        steps=(Step("cooked", "cooked", "rewrites, solved", rewrites=True),),
        kinds=(
            Kind("cooked: rewrite", "Rewrite", "cooked", "rewrite"),
            Kind("cooked: solve", "Solve", "cooked", "solve", after="cooked: rewrite"),
        ),
    )

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        request = work.requests.make("cooked: rewrite", "rewriting", problem=seed.question, persona="A cook")
        completion = await work.ask(request, seed.id)
        if isinstance(completion, Dropped):
            return []
        work.count("cooked: rewrite", USABLE)
        cooked = replace(seed, id=f"{seed.id}/cook", question=completion.text, parent=seed.id)
        return work.correct([await work.solve(cooked, "cooked: solve")])


def test_the_rewrites_of_a_method_of_ones_own_are_solved_again(start_teacher: Start, tmp_path: Path) -> None:
    teacher, output = start_teacher(*PROBLEMS), tmp_path / "run"
    sources = [source for source in PROBLEMS if source != "--problems"]
    rows = personamath.augment(
        sources, method=ForACook(), teacher=MODEL, base_url=teacher.base_url, output=output, limit=4, max_tokens=999
    )
    asked = teacher.stats()["requests"]
    assert ask(output, teacher, "--all", "--solves", "2") == 0
    assert list(written(output)) == rows["id"] and {one["solves"] for one in written(output).values()} == {2}
    assert teacher.stats()["requests"] == asked + 2 * len(rows)


def test_without_all_only_flagged_rewrites_are_asked_about(
    start_teacher: Start, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = start_teacher(*PROBLEMS)
    assert ask(run, teacher) == 0
    assert "no rewrite is flagged; use --all" in capsys.readouterr().out
    assert not any(teacher.stats().values())
    file = min((run / "dataset" / "stage2_rewrite").glob("*.parquet"))
    table = pq.read_table(file)
    flags = ["new 15" if number % 2 else None for number in range(len(table))]
    at = table.column_names.index("flag")
    pq.write_table(table.set_column(at, "flag", pa.array(flags, pa.string())), file)
    assert ask(run, teacher, "--solves", "1") == 0
    assert teacher.stats()["requests"] == len(table) // 2
    assert list(written(run)) == table["id"].to_pylist()[1::2]
    assert {one["flag"] for one in written(run).values()} == {"new 15"}


def test_failed_requests_are_counted_and_tried_again(
    start_teacher: Start, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ill = start_teacher(*PROBLEMS, "--fault", "http_400=0.3")
    assert ask(run, ill, "--all", "--solves", "2") == 3
    assert "Incomplete" in capsys.readouterr().out
    partly = sum(one["solves"] for one in written(run).values())
    well = start_teacher(*PROBLEMS)
    assert ask(run, well, "--all", "--solves", "2") == 0
    assert well.stats()["requests"] == 2 * len(written(run)) - partly > 0


def test_solves_that_were_cut_short_do_not_count(start_teacher: Start, run: Path) -> None:
    assert ask(run, start_teacher(*PROBLEMS, "--fault", "length=0.3"), "--all", "--solves", "1") == 0
    assert {one["solves"] for one in written(run).values()} == {0, 1}
    assert not any(one["right"] > one["solves"] for one in written(run).values())


def test_an_interrupted_command_goes_on_from_there(start_teacher: Start, run: Path) -> None:
    teacher = start_teacher(*PROBLEMS, "--latency", "0.1")
    flags = ["opinion", str(run), "--base-url", teacher.base_url, "--all", "--solves", "2"]
    with programs.start(programs.CLI, *flags, "--concurrency", "2", stderr=programs.PIPE) as process:
        until = time.monotonic() + 60
        while teacher.stats().get("requests", 0) < 4 and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert "every answer is journaled" in process.communicate(timeout=60)[1]
        assert process.returncode == 130
    assert not (run / FILE_NAME).exists()
    assert main(flags) == 0
    assert teacher.stats()["requests"] == 2 * len(written(run))


def test_the_named_key_is_sent(start_teacher: Start, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHERS_KEY", "sk-very-secret-key")
    teacher = start_teacher(*PROBLEMS, "--key", "sk-very-secret-key")
    assert ask(run, teacher, "--all", "--solves", "1") == 1
    assert ask(run, teacher, "--all", "--solves", "1", "--api-key-env", "TEACHERS_KEY") == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--solves", "0"], "at least 1"), (["--concurrency", "0"], "more than 0"), ([], "OPENAI_API_KEY")],
)
def test_what_cannot_be_asked_is_said_in_a_line(
    made: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["opinion", str(made), "--all", *flags]) == 1
    assert message in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["opinion", str(tmp_path)]) == 1
    assert "run.json: no such file" in capsys.readouterr().err


def test_opinions_are_counted_by_flag() -> None:
    data = run_data()
    flagged, other, stale, cut = (row for row in data.rows if row.step == "stage1_rewrite")
    data = replace(
        data,
        rows=tuple(replace(row, flag="missing 12") if row is flagged else row for row in data.rows),
        opinions={
            flagged.id: Opinion(flagged.request, 3, 1),
            other.id: Opinion(other.request, 3, 2),
            stale.id: Opinion("of another row", 3, 3),
            cut.id: Opinion(cut.request, 0, 0),
        },
    )
    found = second_opinion(data)
    assert isinstance(found, Analysis)
    assert [(cells[0], cells[1], cells[2], cells[6]) for cells in found.table.rows] == [
        ("flagged", 1, 0, 0),
        ("not flagged", 1, 1, 0),
    ]


def test_half_of_the_solves_are_not_most() -> None:
    assert tally([Opinion("", 2, 1), Opinion("", 3, 2), Opinion("", 3, 0), Opinion("", 0, 0)]) == (3, 1, 1)


def test_where_nobody_asked_it_is_left_out_with_the_command(made: Path) -> None:
    found = second_opinion(read_run(made / "dataset", "run", made))
    assert isinstance(found, LeftOut) and "`personamath opinion RUN`" in found.why


@pytest.mark.parametrize("content", ["[1]", "{", '{"a": {"solves": 1}}', '{"a": 3}'])
def test_a_file_that_is_not_ours_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(BadInput, match=FILE_NAME):
        read_opinions(tmp_path)
