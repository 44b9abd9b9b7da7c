"""How runs write: at once on the board, in groups in the journal, and never silently not at all."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from hive import Note, Role, Workflow
from hive.board.entry import Address
from hive.board.records import Fault, FaultCode
from hive.errors import Divergence, JournalError
from hive.journal.journal import Batch, Commit, new_run_id
from hive.journal.memory import MemoryJournal
from hive.journal.sqlite import Busy, SQLiteJournal
from hive.journal.writer import Committer, Writer
from hive.message import Request
from hive.testing import FunctionModel, Gate, GatedModel, ManualClock
from tests.board.boards import board

PATIENCE = 10


class Watched(MemoryJournal):
    """A journal whose appends are noted, and fail where the test says so."""

    def __init__(self, commit: Commit = "instant", failing: Callable[[int], None] | None = None):
        super().__init__()
        self.commit = commit
        self.failing = failing
        self.appends: list[list[str]] = []
        self.threads: list[threading.Thread] = []

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        self.appends.append([batch.run for batch in batches])
        self.threads.append(threading.current_thread())
        if self.failing is not None:
            self.failing(len(self.appends))
        super().append(batches, wait=wait)


def writer(committer: Committer) -> Writer:
    return Writer(new_run_id(), board(), committer, ManualClock())


def write(to: Writer, text: str) -> None:
    to.post(Address(0, "", (len(to.board.entries),)), "user", Note(text=text), origin="user")


@pytest.mark.asyncio
@pytest.mark.parametrize("synchronous", ["normal", "full"])
async def test_what_is_durable_is_seen_through_another_connection(
    synchronous: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    own = SQLiteJournal(path, synchronous="full" if synchronous == "full" else "normal")
    with closing(own), closing(SQLiteJournal(path)) as other:
        committer = Committer(own)
        run = writer(committer)
        for text in ("a", "b"):
            write(run, text)
            commitment = run.keep(text.encode())
            write(run, text * 2)
            await run.durable()
            assert [stored.body for stored in other.read(run.run)] == [
                entry.body for entry in run.board.entries
            ]
            content = other.content(run.run, commitment)
            assert content is not None
            assert content.body == text.encode()
        committer.close()


@pytest.mark.asyncio
async def test_runs_that_write_in_the_same_tick_share_a_commit() -> None:
    journal = Watched("inline")
    committer = Committer(journal)
    runs = [writer(committer) for _ in range(5)]

    async def two_rounds(run: Writer) -> None:
        for text in ("a", "b"):
            write(run, text)
            write(run, text)
            await run.durable()

    for run in runs:
        run.opened()
    await asyncio.gather(*map(two_rounds, runs))
    assert journal.appends == [[run.run for run in runs]] * 2


@pytest.mark.asyncio
async def test_what_nobody_waits_for_is_written_at_the_end_of_the_tick() -> None:
    journal = Watched("inline")
    committer = Committer(journal)
    run = writer(committer)
    write(run, "a")
    write(run, "b")
    assert journal.appends == []
    await asyncio.sleep(0)
    assert journal.appends == [[run.run]]
    assert len(list(journal.read(run.run))) == 2


@pytest.mark.asyncio
async def test_a_slow_commit_runs_on_one_thread_and_the_loop_goes_on() -> None:
    on_thread, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        on_thread.set()
        assert go_on.wait(PATIENCE)

    journal = Watched("threaded", failing=hold)
    committer = Committer(journal)
    run, late = writer(committer), writer(committer)
    write(run, "a")
    waiting = asyncio.create_task(run.durable())
    await asyncio.to_thread(on_thread.wait)  # the loop turns while the writer's thread is held
    assert not waiting.done()
    write(run, "b")
    write(late, "c")
    go_on.set()
    await asyncio.gather(waiting, run.durable(), late.durable())
    committer.close()
    assert len(list(journal.read(run.run))) == 2
    assert len(list(journal.read(late.run))) == 1
    assert threading.main_thread() not in journal.threads
    assert len(set(journal.threads)) == 1


@pytest.mark.asyncio
async def test_a_busy_file_is_waited_for_on_the_thread() -> None:
    def busy_at_first(number: int) -> None:
        if number == 1:
            raise Busy("busy")

    journal = Watched("inline", failing=busy_at_first)
    committer = Committer(journal)
    run = writer(committer)
    write(run, "a")
    await run.durable()
    committer.close()
    assert len(list(journal.read(run.run))) == 1
    assert journal.threads[0] is threading.main_thread()
    assert journal.threads[1] is not threading.main_thread()


def fail_at(when: int, error: Exception) -> Callable[[int], None]:
    def fail(number: int) -> None:
        if number >= when:
            raise error

    return fail


@pytest.mark.asyncio
@pytest.mark.parametrize("commit", ["instant", "inline", "threaded"])
@pytest.mark.parametrize("error", [JournalError("disk full"), OSError("no space")])
async def test_an_append_that_fails_breaks_its_runs_and_nobody_waits_for_ever(
    commit: Commit, error: Exception
) -> None:
    journal = Watched(commit, failing=fail_at(2, error))
    committer = Committer(journal)
    one, other = writer(committer), writer(committer)
    for run in (one, other):
        run.opened()
        write(run, "kept")
    await asyncio.gather(one.durable(), other.durable())
    write(one, "lost")
    write(other, "lost too")
    async with asyncio.timeout(PATIENCE):
        ends = await asyncio.gather(one.durable(), other.durable(), return_exceptions=True)
    assert [type(end) for end in ends] == [JournalError, JournalError]
    assert all(str(error) in str(end) for end in ends)
    for run in (one, other):
        with pytest.raises(JournalError, match=f"run {run.run} can no longer be recorded"):
            write(run, "never")
        assert [stored.body for stored in journal.read(run.run)] == [b'{"text":"kept"}']
    committer.close()


@pytest.mark.asyncio
async def test_what_was_recorded_is_given_back_and_anything_else_diverges() -> None:
    run = writer(Committer(MemoryJournal()))
    place = Address(1, "a", (0, 2))
    known = run.post(place, "a", Note(text="x"), origin="a")
    run.recorded = {(place, 0): known}
    assert run.post(place, "a", Note(text="x"), origin="a") is known
    assert run.board.entries == [known]
    run.recorded = {(place, 0): known}
    with pytest.raises(Divergence, match=r"1/a/0.2: the record holds Note .*x.*Note .*y") as caught:
        run.post(place, "a", Note(text="y"), origin="a")
    assert caught.value.address == "1/a/0.2"
    run.recorded = {(place, 0): known}
    with pytest.raises(Divergence):
        run.post(place, "a", Fault(code="timeout", message="late"), origin="a")


@pytest.mark.asyncio
@pytest.mark.parametrize("code", ["cancelled", "interrupted"])
async def test_what_follows_a_call_that_was_cut_off_is_a_later_attempt(code: FaultCode) -> None:
    run = writer(Committer(MemoryJournal()))
    place = Address(1, "a", (0, 1))
    cut = run.post(place, "a", Fault(code=code, message="cut off"), origin="a")
    run.recorded = {(place, 0): cut}
    entry = run.post(place, "a", Note(text="at last"), origin="a")
    assert (entry.attempt, entry.payload) == (1, Note(text="at last"))


class Witness(SQLiteJournal):
    """What a second connection sees of the file."""

    def kinds(self, run: str) -> list[str]:
        return [
            stored.row.header.decode().split('"kind":"')[1].split('"')[0]
            for stored in self.read(run)
        ]


@pytest.mark.asyncio
@pytest.mark.parametrize("synchronous", ["normal", "full"])
async def test_many_runs_are_each_on_record_before_their_models_are_asked(
    synchronous: str, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    own = SQLiteJournal(path, synchronous="full" if synchronous == "full" else "normal")
    with closing(own), closing(Witness(path)) as witness:
        gate = Gate()
        seen: list[list[str]] = []

        def answer(request: Request) -> str:
            seen.extend(witness.kinds(run) for run in witness.runs())
            return "done"

        workflow = Workflow(
            Role("a") >> Role("b"), model=GatedModel(FunctionModel(answer), gate, "m")
        )
        tasks = [asyncio.create_task(workflow.run("g", journal=own)) for _ in range(8)]
        await gate.arrived(*["m"] * 8)
        assert all(witness.kinds(run)[-1] == "Request" for run in witness.runs())
        gate.open()
        results = await asyncio.gather(*tasks)
    assert all(result.finished for result in results)
    assert all(kinds.count("Request") >= kinds.count("Inference") for kinds in seen)
    assert len(seen) == 8 * 16
