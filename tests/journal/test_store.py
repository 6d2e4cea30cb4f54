"""The journal: durable, keyed by the request, for one writer; and the teacher that remembers by it."""

import asyncio
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from personamath.errors import (
    Interrupted,
    NotAsked,
    PersonaMathError,
    RequestFailed,
    RunDirectoryError,
    TeacherMisconfigured,
)
from personamath.journal.file_format import FILE_NAME, PAID, open_for_reading, open_for_writing
from personamath.journal.journaled import JournaledTeacher
from personamath.journal.salvage import Answer
from personamath.journal.store import DISK_RESERVE_BYTES, LOOK_FOR_ROOM_EVERY_S, Journal
from personamath.records import Completion, Request
from personamath.teachers.prices import Caps, Paid, Price, Prices
from tests.support import programs


def request(number: int = 0) -> Request:
    return Request(f"What is {number}?", "teacher-1", 0.7, 2048)


ANSWER = Completion("It is $\\boxed{2}$ — “naïve”, \x00 and 𝟚.", "stop", 5, None)


def put(journal: Journal, *requests: Request) -> None:
    async def run() -> None:
        await asyncio.gather(*(journal.put(one, ANSWER) for one in requests))

    asyncio.run(run())


class SlowTeacher:
    """Answers after a moment; counts."""

    def __init__(self, seconds: float = 0.0, failure: PersonaMathError | None = None) -> None:
        self.seconds = seconds
        self.failure = failure
        self.asked = self.most_in_flight = self.in_flight = 0

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.seconds)
        self.in_flight -= 1
        if self.failure:
            raise self.failure
        return ANSWER


def test_what_was_put_is_there_after_reopening(tmp_path: Path) -> None:
    with Journal(tmp_path / "runs" / "v1") as journal:
        put(journal, request(1), request(2))
        assert journal.get(request(1).digest) == ANSWER
    with Journal(tmp_path / "runs" / "v1") as journal:
        assert journal.get(request(2).digest) == ANSWER
        assert journal.get(request(3).digest) is None


def test_answers_are_summed_by_the_model_and_the_purpose_of_their_requests(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        asked = (("1?", "teacher-1", "solve"), ("2?", "teacher-1", "solve"), ("3?", "teacher-2", "reflect"))
        put(journal, *(Request(prompt, model, 0.7, 2048, purpose=purpose) for prompt, model, purpose in asked))
        sums = [Paid("teacher-1", "solve", 2, 10, 0, 2), Paid("teacher-2", "reflect", 1, 5, 0, 1)]
        assert sorted(journal.paid()) == sums
    # As earlier versions left it: an index by purpose alone.
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript("drop index paid_by_origin; create index paid on answers (purpose)")
    with Journal(tmp_path) as journal:
        assert sorted(journal.paid()) == sums
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        assert "paid_by_origin" in str(connection.execute(f"explain query plan {PAID}").fetchall())
        connection.execute("update answers set request = 'damaged' where request like '%teacher-2%'")
    with Journal(tmp_path) as journal:  # a sum is no place to find damage: the others still count
        assert sorted(journal.paid()) == [sums[1]._replace(model=""), sums[0]]


def test_an_answer_is_on_the_disk_and_not_in_its_cache_when_put_returns(tmp_path: Path) -> None:
    """A power cut cannot be played here; SQLite's documentation says what these settings mean for one."""
    with closing(open_for_writing(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("pragma synchronous").fetchone() == (2,)  # full: fsync after each transaction
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_an_answer_is_durable_soon_and_many_share_a_commit(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, closing(open_for_reading(tmp_path)) as reader:
        put(journal, *(request(number) for number in range(1_000)))
        assert reader.execute("select count(*) from answers").fetchone() == (1_000,)


WRITER = """
import asyncio, sys
from pathlib import Path
from personamath.journal.store import Journal
from personamath.records import Completion, Request

async def main():
    with Journal(Path(sys.argv[1])) as journal:
        for number in range(1_000_000):
            request = Request(f"What is {number}?", "teacher-1", 0.7, 2048)
            await journal.put(request, Completion("2", "stop"))
            print(number, flush=True)

asyncio.run(main())
"""


def test_what_put_returned_for_survives_kill_9(tmp_path: Path) -> None:
    with programs.start(WRITER, tmp_path / "run", stdout=programs.PIPE) as process:
        assert process.stdout
        while int(process.stdout.readline()) < 50:
            pass
        process.send_signal(signal.SIGKILL)
        last = [50, *(int(line) for line in process.stdout)][-1]
    with Journal(tmp_path / "run") as journal:
        assert all(journal.get(request(number).digest) for number in range(last + 1))


def test_a_second_process_is_refused_and_the_lock_dies_with_the_first(tmp_path: Path) -> None:
    with programs.start(WRITER, tmp_path, stdout=programs.PIPE, stderr=programs.DEVNULL) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(RunDirectoryError, match="another process is working on this run"):
            Journal(tmp_path)
        process.kill()
        process.wait()
        with Journal(tmp_path):
            pass


def _foreign(folder: Path) -> None:
    (folder / "thesis.tex").write_text("")


def _sqlite(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute("create table other (x)")


def _garbage(folder: Path) -> None:
    (folder / FILE_NAME).write_bytes(b"no database at all, for longer than its header" * 100)


def _later(folder: Path) -> None:
    with Journal(folder):
        pass
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute("pragma user_version = 99")


def _directory(folder: Path) -> None:
    (folder / FILE_NAME).mkdir()


UNUSABLE = [
    (_directory, "cannot be used as a journal .* check its disk"),
    (_foreign, "is not a run"),
    (_sqlite, "not a PersonaMath journal"),
    (_garbage, "cannot be used as a journal"),
    (_later, "written in journal format 99"),
]


@pytest.mark.parametrize(("spoil", "message"), UNUSABLE)
def test_a_folder_that_is_no_run_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(tmp_path)
    with pytest.raises(RunDirectoryError, match=message):
        Journal(tmp_path)


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot be used"):
        Journal(tmp_path / "run")


def _nothing(path: Path) -> None:
    path.touch()


def _its_first_page(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")


@pytest.mark.parametrize("made", [_nothing, _its_first_page])
def test_a_run_killed_before_its_journal_was_made_starts_anew(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / FILE_NAME)
    with Journal(tmp_path) as journal:
        put(journal, request())


def test_an_answer_that_no_file_can_hold_ends_in_one_line(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        with pytest.raises(RunDirectoryError, match=r"cannot write the journal \(.*too large.*\)"):
            asyncio.run(journal.put(request(1), Completion("2", "stop", 2**70, 1)))
        put(journal, request(2))
        assert journal.get(request(2).digest) == ANSWER


FILLER = """
import asyncio, resource, sys
from pathlib import Path
from personamath.errors import RunDirectoryError
from personamath.journal.store import Journal
from personamath.records import Completion, Request

async def main():
    with Journal(Path(sys.argv[1])) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # a disk that is full from here on
        for number in range(1_000):
            request = Request(f"What is {number}?", "teacher-1", 0.7, 2048)
            try:
                await journal.put(request, Completion("2" * 1_000, "stop"))
            except RunDirectoryError as error:
                print(number, error)
                return

asyncio.run(main())
"""


def test_a_disk_that_refuses_is_an_error_and_what_was_written_stays(tmp_path: Path) -> None:
    filled = programs.run(FILLER, tmp_path)
    assert filled.returncode == 0, filled.stderr
    number, _, message = filled.stdout.partition(" ")
    assert "make room" in message
    with Journal(tmp_path) as journal:
        assert int(number) > 10
        assert all(journal.get(request(n).digest) for n in range(int(number)))


def ask(teacher: JournaledTeacher, *requests: Request) -> list[Completion | BaseException]:
    async def run() -> list[Completion | BaseException]:
        return await asyncio.gather(*(teacher.complete(one) for one in requests), return_exceptions=True)

    return asyncio.run(run())


def test_what_the_journal_knows_is_not_asked_again(tmp_path: Path) -> None:
    slow = SlowTeacher()
    with Journal(tmp_path) as journal:
        ask(JournaledTeacher(journal, slow, 4), request(1))
        teacher = JournaledTeacher(journal, slow, 4)
        assert ask(teacher, request(1), request(2)) == [ANSWER, ANSWER]
        assert (slow.asked, teacher.asked, teacher.replayed) == (2, 1, 1)


def test_equal_requests_that_meet_in_flight_are_asked_once(tmp_path: Path) -> None:
    slow = SlowTeacher(0.05)
    with Journal(tmp_path) as journal:
        assert ask(JournaledTeacher(journal, slow, 4), *[request()] * 10) == [ANSWER] * 10
    assert slow.asked == 1


def test_no_more_are_in_flight_than_was_said(tmp_path: Path) -> None:
    slow = SlowTeacher(0.01)
    with Journal(tmp_path) as journal:
        ask(JournaledTeacher(journal, slow, 7), *(request(number) for number in range(50)))
    assert slow.most_in_flight == 7


def test_failures_are_not_written_so_they_are_asked_again(tmp_path: Path) -> None:
    failing = SlowTeacher(failure=RequestFailed("timeout", "no answer"))
    with Journal(tmp_path) as journal:
        (failure,) = ask(JournaledTeacher(journal, failing, 4), request())
        assert isinstance(failure, RequestFailed)
        assert ask(JournaledTeacher(journal, SlowTeacher(), 4), request()) == [ANSWER]


def test_an_error_that_ends_the_run_lets_the_others_in_flight_arrive_first(tmp_path: Path) -> None:
    class OneIsMisconfigured(SlowTeacher):
        async def complete(self, request: Request) -> Completion:
            if request.prompt == "What is 0?":
                await asyncio.sleep(0.02)
                raise TeacherMisconfigured("the key was revoked")
            return await super().complete(request)

    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, OneIsMisconfigured(0.1), 5)
        answers = ask(teacher, *(request(number) for number in range(20)))
        assert [isinstance(answer, TeacherMisconfigured) for answer in answers[:5]] == [True] + [False] * 4
        assert all(isinstance(answer, TeacherMisconfigured) for answer in answers[5:])
        assert all(journal.get(request(number).digest) for number in range(1, 5))


def test_what_replies_cost_that_were_no_answers_is_kept_and_counts_for_the_caps(tmp_path: Path) -> None:
    paid = Paid("teacher-1", "solve", 0, 5, 7, 0)
    prices = Prices("teacher-1", Price(1_000_000, 1_000_000))
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, SlowTeacher(), 4, prices, Caps(usd=20))
        asyncio.run(teacher.pay_for(paid))
        assert (teacher.bill.usd, teacher.bill.answers, teacher.bill.tokens) == (12, 0, 12)
        with pytest.raises(NotAsked):
            asyncio.run(teacher.pay_for(paid))
        assert isinstance(ask(teacher, request())[0], NotAsked)
    with Journal(tmp_path) as journal:
        assert journal.paid() == [Paid("teacher-1", "solve", 0, 10, 14, 0)]
        assert len(journal) == 0


def test_a_stopped_teacher_asks_nothing_more(tmp_path: Path) -> None:
    slow = SlowTeacher()
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, slow, 4)
        teacher.stop(Interrupted(signal.SIGINT, "stopped"))
        (answer,) = ask(teacher, request())
    assert isinstance(answer, Interrupted) and slow.asked == 0


@pytest.mark.parametrize("requests", [4, 20])  # of which 4 hang, and the others wait for their slots
def test_an_endpoint_that_hangs_does_not_keep_a_run_from_ending(tmp_path: Path, requests: int) -> None:
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, SlowTeacher(3600), 4, drain_s=0.2)

        async def interrupted() -> list[Completion | BaseException]:
            asyncio.get_running_loop().call_later(0.1, teacher.stop, Interrupted(signal.SIGINT, "stopped"))
            asked = (teacher.complete(request(number)) for number in range(requests))
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = asyncio.run(asyncio.wait_for(interrupted(), 60))
        assert [type(answer) for answer in answers] == [Interrupted] * requests and teacher.in_flight == 0


def test_what_arrives_while_a_run_ends_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        teacher = JournaledTeacher(journal, SlowTeacher(0.3), 4)

        async def interrupted() -> list[Completion | BaseException]:
            asyncio.get_running_loop().call_later(0.1, teacher.stop, Interrupted(signal.SIGINT, "stopped"))
            return await asyncio.gather(*(teacher.complete(request(number)) for number in range(3)))

        assert asyncio.run(interrupted()) == [ANSWER] * 3 and len(journal) == 3


def test_asking_stops_while_the_disk_still_holds_what_is_in_flight(tmp_path: Path) -> None:
    free = [DISK_RESERVE_BYTES + 1]
    with Journal(tmp_path, free_bytes=lambda _: free[0]) as journal:
        teacher = JournaledTeacher(journal, SlowTeacher(), 10)
        assert ask(teacher, *(request(number) for number in range(3))) == [ANSWER] * 3
        free[0] -= 1
        time.sleep(LOOK_FOR_ROOM_EVERY_S)
        answers = ask(teacher, *(request(number) for number in range(10)))
        assert answers[:3] == [ANSWER] * 3
        assert all(isinstance(answer, RunDirectoryError) and "make room" in str(answer) for answer in answers[3:])


def test_reading_does_not_disturb_a_run_that_goes_on(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, closing(open_for_reading(tmp_path)) as reader:
        put(journal, request(1))
        assert reader.execute("select count(*) from answers").fetchone() == (1,)
        put(journal, request(2))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("delete from answers")


def test_a_log_that_is_read_all_the_time_does_not_grow_for_ever(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for start in range(0, 3_000, 300):
            put(journal, *(request(number) for number in range(start, start + 300)))
            journal.get(request(start).digest)
        assert Path(f"{journal.path}-wal").stat().st_size < 8 * 2**20


def test_a_new_journal_finds_each_of_its_answers_and_no_other(tmp_path: Path) -> None:
    """It looks up only what it may have; a journal that had answers looks up everything."""
    asked, others = [request(number) for number in range(2_000)], [request(-number) for number in range(1, 2_000)]
    with Journal(tmp_path) as journal:
        put(journal, *asked)
        assert all(journal.has(one.digest) and journal.get(one.digest) == ANSWER for one in asked)
        assert not any(journal.has(one.digest) or journal.get(one.digest) for one in others)
    with Journal(tmp_path) as journal:
        assert all(journal.has(one.digest) for one in asked)
        assert not any(journal.has(one.digest) for one in others)


def test_the_answers_that_a_journal_adopts_are_found(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.adopt([Answer.of(request(1), ANSWER)])
        assert journal.get(request(1).digest) == ANSWER
