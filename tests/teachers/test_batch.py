"""The Batch API as a user runs it: whole runs against a provider in its own process, with faults and kills."""

import asyncio
import re
import signal
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from personamath.commands.cli import main
from personamath.errors import PersonaMathError, RequestFailed, TeacherMisconfigured
from personamath.records import AnsweredBy, Completion, Request
from personamath.teachers.batch import BatchTeacher
from personamath.teachers.batch.lines import BYTES_PER_BATCH, LINES_PER_BATCH, cut
from personamath.teachers.batch.record import FILE_NAME
from personamath.teachers.batch.teacher import Timing
from personamath.teachers.keys import Access
from personamath.teachers.prices import Price
from personamath.teachers.rates import Rates
from personamath.teachers.simulated import MODEL
from personamath.teachers.waves import Waiting
from tests.commands.test_augment import FEW, PROBLEMS, dataset_bytes, run_file
from tests.conftest import ScriptedTeacher, scripted_teacher
from tests.support import programs

pytestmark = pytest.mark.slow

Start = Callable[..., ScriptedTeacher]
QUICK = Timing(first_poll_s=0.02, longest_poll_s=0.2, settle_s=0.2, hold_s=0.2)
KEY = "sk-very-secret-key"


@pytest.fixture
def start_provider() -> Iterator[Start]:
    """Start providers, with the flags of tests/support/batch_server.py, that end with the test."""
    with ExitStack() as providers:

        def start(*flags: str) -> ScriptedTeacher:
            flags = (*PROBLEMS, *flags)
            process = providers.enter_context(
                programs.start("tests.support.batch_server", *flags, stdin=programs.PIPE, stdout=programs.PIPE)
            )
            providers.callback(process.kill)
            assert process.stdout
            return ScriptedTeacher(process.stdout.readline().strip(), process)

        yield start


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The dataset that asking directly makes, as digests of its files."""
    output = tmp_path_factory.mktemp("direct") / "run"
    with scripted_teacher(*PROBLEMS) as teacher:
        arguments = ["augment", *PROBLEMS, "--teacher", MODEL, "--base-url", teacher.base_url]
        assert main([*arguments, *FEW, "--output", str(output)]) == 0
    return dataset_bytes(output)


def command(provider: ScriptedTeacher, output: Path, *flags: str) -> list[str]:
    arguments = ["augment", *PROBLEMS, "--teacher", MODEL, "--base-url", provider.base_url, "--batch"]
    return [*arguments, *FEW, "--output", str(output), *flags]


def in_background(arguments: list[str]) -> programs.Program:
    return programs.start(programs.CLI, *arguments, stderr=programs.PIPE)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def question(number: int) -> Request:
    return Request(f"What is {number} + {number}?", MODEL, 0.7, 2048)


def ask(
    provider: ScriptedTeacher, directory: Path, count: int, **options: int | None
) -> tuple[list[Completion | BaseException], BatchTeacher]:
    """Ask so many questions in-process; gives what became of each."""
    directory.mkdir(exist_ok=True)
    teacher = BatchTeacher(directory, provider.base_url, Access(KEY), timing=QUICK, **options)  # type: ignore[arg-type]

    async def run() -> list[Completion | BaseException]:
        async with teacher:
            asked = [teacher.complete(question(number)) for number in range(count)]
            return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(run()), teacher


def test_the_rows_are_those_of_asking_directly(
    start_provider: Start, tmp_path: Path, direct: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    provider = start_provider()
    assert main(command(provider, tmp_path / "run")) == 0
    assert dataset_bytes(tmp_path / "run") == direct
    stats = provider.stats()
    # What the stages let wait together goes out together: inference; rewrites and reflections; solving; reflecting.
    assert stats["batches"] == 4
    assert stats["lines"] == stats["different"] == run_file(tmp_path / "run")["answers"]["asked this time"]
    assert main(command(provider, tmp_path / "run")) == 0
    assert provider.stats() == stats
    assert "from the journal" in capsys.readouterr().out


LINE_FAULTS = (
    "http_500",
    "http_429",
    "status_0",
    "empty",
    "abort",
    "wrong_types",
    "expired",
    "timeout",
    "missing",
    "illegible",
)


def test_lines_and_batches_that_fail_are_asked_again_and_leave_no_trace(
    start_provider: Start, tmp_path: Path, direct: dict[str, str]
) -> None:
    faults = [flag for name in LINE_FAULTS for flag in ("--fault", f"{name}=0.01")]
    provider = start_provider(*faults, "--at", "expire@1", "--at", "cancel@2", "--at", "cut@3")
    # Three tries are not enough for all, with so many faults; the same command tries the others again.
    assert [main(command(provider, tmp_path / "run")) for _ in range(2)] == [3, 0]
    stats = provider.stats()
    assert all(stats[name] > 0 for name in LINE_FAULTS)
    assert stats["again"] == 0
    assert dataset_bytes(tmp_path / "run") == direct


def test_a_creation_whose_answer_is_lost_is_found_in_the_list(start_provider: Start, tmp_path: Path) -> None:
    provider = start_provider("--at", "lose@1", "--at", "unmade@2", "--at", "lose@4")
    for run in range(2):
        answers, _ = ask(provider, tmp_path / str(run), 30)
        assert all(isinstance(answer, Completion) for answer in answers)
    # Four creations were asked for; one was never made.
    assert provider.stats()["batches"] == 2
    assert (provider.stats()["lines"], provider.stats()["different"]) == (60, 30)


def test_kill_9_at_any_point_submits_nothing_twice(
    start_provider: Start, tmp_path: Path, direct: dict[str, str]
) -> None:
    provider = start_provider("--delay", "0.4", "--at", "lose@2")
    arguments = command(provider, tmp_path / "run")
    kills: tuple[Callable[[dict[str, int]], bool], ...] = (
        lambda stats: stats.get("files", 0) == 1,  # about when the first batch is made
        lambda stats: stats.get("batches", 0) == 2,  # made, and its answer lost
        lambda stats: stats["different"] > 48,  # answered, about when it is read
        lambda stats: stats.get("batches", 0) == 3,
    )
    for reached in kills:
        with in_background(arguments) as process:
            wait_for(lambda reached=reached: reached(provider.stats()))  # type: ignore[misc]
            process.kill()
    assert main(arguments) == 0
    stats = provider.stats()
    assert stats["lines"] == stats["different"] and stats["again"] == 0
    assert dataset_bytes(tmp_path / "run") == direct


def test_what_is_at_the_provider_need_not_be_asked_again(
    start_provider: Start, tmp_path: Path, direct: dict[str, str]
) -> None:
    provider = start_provider()
    # So many batches that the provider's list has pages.
    arguments = command(provider, tmp_path / "run", "--batch-queue-tokens", "3000")
    assert main(arguments) == 0
    before = provider.stats()
    assert before["batches"] > 20
    for path in (tmp_path / "run").glob("journal.sqlite*"):
        path.unlink()
    with sqlite3.connect(tmp_path / "run" / FILE_NAME) as record:
        record.execute("update batches set batch_id = null, ended = 0 where number % 2")
    record.close()
    assert main(arguments) == 0
    assert provider.stats() == before
    assert run_file(tmp_path / "run")["answers"]["from the journal"] == 0
    assert dataset_bytes(tmp_path / "run") == direct


def test_an_upload_that_never_became_a_batch_is_submitted(start_provider: Start, tmp_path: Path) -> None:
    provider, other = start_provider(), start_provider()
    ask(provider, tmp_path, 3)
    with sqlite3.connect(tmp_path / FILE_NAME) as record:
        record.execute("update batches set batch_id = null, ended = 0, base_url = ?", (other.base_url,))
    record.close()
    answers, _ = ask(other, tmp_path, 3)
    assert all(isinstance(answer, Completion) for answer in answers)
    assert other.stats()["lines"] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_its_batches_and_picks_them_up(
    start_provider: Start, tmp_path: Path, number: signal.Signals
) -> None:
    provider = start_provider("--delay", "0.7")
    arguments = command(provider, tmp_path / "run", "--limit", "5")
    with in_background(arguments) as process:
        wait_for(lambda: provider.stats().get("batches", 0) == 1)
        wait_for(lambda: bool(out(tmp_path / "run")))
        process.send_signal(number)
        assert process.stderr
        errors = process.stderr.read()
    assert process.returncode == 128 + number
    assert re.fullmatch(
        rf"personamath: {number.name}: every answer is journaled; 1 batch goes on at {provider.base_url}; "
        r"the same command picks it up\n",
        errors,
    )
    assert main(arguments) == 0
    stats = provider.stats()
    assert stats["lines"] == stats["different"]


def out(run: Path) -> list[str]:
    """Batches that the run knows to be out."""
    with sqlite3.connect(f"file:{run / FILE_NAME}?mode=ro", uri=True) as record:
        found = [
            id for (id,) in record.execute("select batch_id from batches where not ended and batch_id is not null")
        ]
    record.close()
    return found


def test_the_allowance_of_enqueued_tokens_is_kept(start_provider: Start, tmp_path: Path) -> None:
    provider = start_provider("--queue-limit", "6000", "--delay", "0.3")
    assert main(command(provider, tmp_path / "run", "--batch-queue-tokens", "6000", "--limit", "10")) == 0
    stats = provider.stats()
    assert stats.get("queue_full", 0) == 0 and 3000 < stats["most_enqueued"] <= 6000


def test_a_queue_that_is_full_announces_its_limit_and_is_tried_again(start_provider: Start, tmp_path: Path) -> None:
    provider = start_provider("--queue-limit", "60")
    answers, _ = ask(provider, tmp_path, 40, attempts=1)
    assert all(isinstance(answer, Completion) for answer in answers)
    stats = provider.stats()
    assert stats["queue_full"] == 1 and stats["lines"] == stats["different"] == 40


def test_a_queue_whose_limit_is_not_announced_is_asked_of_the_user(start_provider: Start, tmp_path: Path) -> None:
    provider = start_provider("--queue-limit", "60", "--secretive")
    (first, *_), _ = ask(provider, tmp_path, 40)
    assert isinstance(first, TeacherMisconfigured) and "give your limit as --batch-queue-tokens" in str(first)
    answers, _ = ask(provider, tmp_path, 40, queue_tokens=60)
    assert all(isinstance(answer, Completion) for answer in answers)


OUTCOMES = [
    ("content_filter=1", Completion("", "content_filter", answered_by=AnsweredBy(processing="batch"))),
    ("http_500=0.5", "http 500: batch_0002 answered 500 (scripted 500)"),
    ("expired=0.5", "batch_expired: batch_0002: scripted"),
    ("missing=0.5", "batch completed: batch_0002 ended without a word on it"),
    ("http_400=0.3", "http 400: batch_0001 answered 400 (too long)"),
]


@pytest.mark.parametrize(("fault", "outcome"), OUTCOMES, ids=lambda value: str(value)[:20])
def test_a_line_that_keeps_failing_is_given_up_by_name(
    start_provider: Start, tmp_path: Path, fault: str, outcome: Completion | str
) -> None:
    provider = start_provider("--fault", fault)
    answers, _ = ask(provider, tmp_path, 40, attempts=2)
    failures = [answer for answer in answers if isinstance(answer, RequestFailed)]
    if isinstance(outcome, Completion):
        assert answers == [outcome] * 40
    else:
        assert 0 < len(failures) < 30 and {str(failure) for failure in failures} == {outcome}
    stats = provider.stats()
    assert stats["batches"] == (2 if isinstance(outcome, str) and "0002" in outcome else 1)
    # The next run asks for just those again.
    ask(provider, tmp_path, 40, attempts=1)
    assert provider.stats()["lines"] == stats["lines"] + len(failures)


def test_lines_that_all_meet_the_same_refusal_end_the_run_and_are_asked_once_it_is_mended(
    start_provider: Start, tmp_path: Path
) -> None:
    faults = (
        ("no_credit=0.5", "no credit left"),
        ("not_asked_no_credit=0.5", "batch_0001: scripted (insufficient_quota): the account has no credit left"),
        ("http_400", "as to every request so far"),
    )
    for number, (fault, words) in enumerate(faults):
        provider = start_provider("--fault", fault)
        answers, _ = ask(provider, tmp_path / str(number), 40)
        errors = [answer for answer in answers if isinstance(answer, TeacherMisconfigured)]
        assert errors and words in str(errors[0])
        assert provider.stats()["lines"] == 40
        ask(provider, tmp_path / str(number), 40)
        assert provider.stats()["lines"] == 40 + len(errors)


def test_a_batch_that_is_refused_as_a_whole_ends_the_run_and_is_not_remembered(
    start_provider: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = start_provider("--at", "refuse@1")
    arguments = command(provider, tmp_path / "run", "--limit", "2")
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error == (
        f"personamath: {provider.base_url} refused batch_0001 of 4 requests: "
        "line 1: scripted refusal (invalid_request)\n"
    )
    assert main(arguments) == 0


def test_a_batch_that_is_refused_for_want_of_credit_says_what_to_do(start_provider: Start, tmp_path: Path) -> None:
    answers, _ = ask(start_provider("--at", "unpaid@1"), tmp_path, 3)
    assert all(isinstance(answer, TeacherMisconfigured) for answer in answers)
    assert "Billing hard limit (billing_hard_limit_reached): the account has no credit left" in str(answers[0])


BAD_USE: list[tuple[str, list[str], str]] = [
    ("provider", [], r"answered 401 \(wrong key Bearer \[key\]\): check the key in OPENAI_API_KEY"),
    (
        "direct",
        [],
        r"answered 404 .*: check --base-url; an endpoint without the Batch API can be asked without --batch",
    ),
    ("nobody", [], r"cannot reach http://127.0.0.1:1/v1: check --base-url"),
    ("nobody", ["--base-url", "http://127.0.0.1:2/v1"], r"--batch works with one endpoint"),
    ("nobody", ["--batch-queue-tokens", "0"], r"batch_queue_tokens is 0: it must be more than 0"),
]


@pytest.mark.parametrize(("where", "flags", "message"), BAD_USE)
def test_bad_use_is_told_in_one_line(
    start_provider: Start,
    start_teacher: Start,
    tmp_path: Path,
    where: str,
    flags: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    servers: dict[str, Callable[[], ScriptedTeacher]] = {
        "provider": lambda: start_provider("--key", "sk-another"),
        "direct": start_teacher,
        "nobody": lambda: ScriptedTeacher("http://127.0.0.1:1/v1", None),  # type: ignore[arg-type]
    }
    named = ["--api-key-env", "OPENAI_API_KEY", *flags]
    assert main(command(servers[where](), tmp_path / "run", *named)) == 1
    assert re.fullmatch(rf"personamath: .*{message}.*\n", capsys.readouterr().err)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_batches_of_another_account_are_not_paid_again_unasked(start_provider: Start, tmp_path: Path) -> None:
    provider = start_provider()
    ask(provider, tmp_path, 3)
    with sqlite3.connect(tmp_path / FILE_NAME) as record:
        record.execute("update batches set batch_id = 'batch_of_another'")
    record.close()
    (first, *_), _ = ask(provider, tmp_path, 3)
    assert isinstance(first, TeacherMisconfigured) and "does not know batch_of_another" in str(first)
    assert provider.stats()["lines"] == 3


def test_a_provider_that_goes_away_for_good_ends_the_run(start_provider: Start, tmp_path: Path) -> None:
    provider = start_provider("--delay", "3600")
    teacher = BatchTeacher(tmp_path, provider.base_url, Access(KEY), gone_s=0.1, timing=QUICK)

    async def run() -> str:
        async with teacher:
            answer = asyncio.create_task(teacher.complete(question(1)))
            while "batch_0001: 0/1 lines" not in teacher.waiting_for():
                await asyncio.sleep(0.01)
            assert teacher.waiting_for() == "wave 1 · batch_0001: 0/1 lines"
            await asyncio.to_thread(provider.kill)
            with pytest.raises(PersonaMathError) as error:
                await answer
            return str(error.value)

    assert re.fullmatch(
        r"http.*: \w+, for 0 s; 1 batch goes on at .*; the same command picks it up", asyncio.run(run())
    )


def test_a_batch_holds_what_the_api_takes() -> None:
    async def run() -> None:
        many = deque(Waiting(question(number)) for number in range(LINES_PER_BATCH + 1))
        assert [len(cut(many, None)), len(cut(many, None))] == [LINES_PER_BATCH, 1]
        long = "x" * (BYTES_PER_BATCH // 3)
        large = deque(Waiting(Request(long, MODEL, 0.7, 2048)) for _ in range(3))
        assert [len(cut(large, None)), len(cut(large, None))] == [2, 1]
        few = deque(Waiting(question(number)) for number in range(5))
        assert [len(cut(few, 10)), len(cut(few, 1))] == [2, 1]  # five tokens each, as estimated
        models = deque(Waiting(replace(question(0), model=name)) for name in "aabbb")
        assert [len(cut(models, None)), len(cut(models, None))] == [2, 3]

    asyncio.run(run())


def test_batches_are_charged_at_their_share() -> None:
    price = Price(0.15, 0.60, tiers={"batch": Rates(0.075, 0.30)})
    assert price.sent_as("batch").usd(10**6, 10**6) == price.usd(10**6, 10**6) / 2
    unlisted = Price(0.15, 0.60)
    assert unlisted.sent_as("batch").usd(10**6, 10**6) == price.usd(10**6, 10**6)
