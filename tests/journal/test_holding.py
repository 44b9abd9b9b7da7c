"""Who extends a run, and what reaches it from outside: what every journal promises of that.

The tests of several processes run on every journal that several processes can use.
"""

import os
import socket

import pytest

from hive.errors import RunHeld, RunNotFound, StaleWriter
from hive.journal.journal import InboxItem, new_run_id, own_name
from tests.board.boards import board
from tests.journal.stores import Store, batch, bodies, processes

ABSENT = new_run_id()


def test_only_one_may_hold_a_run(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    assert one.holder(run) is None
    assert one.hold(run, "the first") == 1
    held = one.holder(run)
    assert held is not None
    assert held == other.holder(run)
    assert held.name == "the first"
    for journal in (one, other):
        with pytest.raises(RunHeld, match=f"run {run} is held by the first since 2") as caught:
            journal.hold(run, "another")
        assert caught.value.holder == held
    assert other.hold(ABSENT, "another") == 1
    assert one.runs() == []  # who holds a run has written nothing yet
    with pytest.raises(RunNotFound):
        list(one.read(run))
    one.release(run)
    assert other.holder(run) is None
    assert other.hold(run, "the second") == 2
    with pytest.raises(RunHeld, match="the second"):
        one.hold(run, "the first")


def test_tokens_only_grow(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    written, tokens = board(), []
    for journal in (one, other, one, one, other):
        tokens.append(lease := journal.hold(run, "me"))
        journal.append([batch(written, run, "a", lease=lease)], wait=True)
        journal.release(run)
    assert tokens == [1, 2, 3, 4, 5]
    journal.release(run)
    assert one.hold(run, "me") == 6


def test_a_writer_with_an_old_token_is_refused_though_nobody_has_written_since(
    store: Store,
) -> None:
    one, other, run, written = store.open(), store.open(), new_run_id(), board()
    lease = one.hold(run, "the first")
    one.append([batch(written, run, "a", "b", lease=lease)], wait=True)
    store.lose(one, run)
    newer = other.hold(run, "the second")
    assert newer > lease
    late = batch(written, run, "late", lease=lease)
    for _ in range(2):
        with pytest.raises(StaleWriter, match=f"run {run} has been taken over"):
            one.append([late], wait=True)
    assert len(bodies(other, run)) == 2
    other.append([late._replace(lease=newer)], wait=True)
    assert len(bodies(one, run)) == 3
    with pytest.raises(StaleWriter):
        other.append([batch(written, run, "from the future", lease=newer + 1)], wait=True)


def test_a_run_that_was_only_held_has_a_first_token_too(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    one.hold(run, "the first")
    store.lose(one, run)
    assert other.hold(run, "the second") == 2
    with pytest.raises(StaleWriter):
        one.append([batch(board(), run, "a", lease=1)], wait=True)
    other.append([batch(board(), run, "a", lease=2)], wait=True)


def test_the_inbox_gives_what_was_sent_after_an_item(store: Store) -> None:
    one, other, run, second = store.open(), store.open(), new_run_id(), new_run_id()
    assert one.inbox() == []
    one.append([batch(board(), run, "a"), batch(board(), second, "a")], wait=True)
    first = one.send(run, 7, "pid 1 on a", "say", text="Look at “é” first.")
    stop = other.send(second, 8, "pid 2 on b", "stop")
    answer = other.send(run, 9, "pid 2 on b", "answer", "1/a/0.2", "allow")
    assert first < stop < answer
    items = [
        InboxItem(first, run, 7, "pid 1 on a", "say", "", "Look at “é” first."),
        InboxItem(stop, second, 8, "pid 2 on b", "stop", "", ""),
        InboxItem(answer, run, 9, "pid 2 on b", "answer", "1/a/0.2", "allow"),
    ]
    for journal in (one, other):
        assert journal.inbox() == items
        assert journal.inbox(run=run) == [items[0], items[2]]
        assert journal.inbox(first) == items[1:]
        assert journal.inbox(first, run) == [items[2]]
        assert journal.inbox(answer) == journal.inbox(run=ABSENT) == []
    with pytest.raises(RunNotFound):
        one.send(ABSENT, 1, "me", "stop")
    one.forget(second)
    assert one.send(run, 10, "me", "go") > answer  # no id comes twice


def test_a_run_can_be_spoken_to_before_its_first_entry(store: Store) -> None:
    journal, run = store.open(), new_run_id()
    journal.hold(run, "me")
    item = journal.send(run, 1, "me", "stop")
    assert [said.id for said in journal.inbox(run=run)] == [item]


@pytest.mark.parametrize("fresh", [True, False])
def test_of_processes_that_race_for_a_run_one_wins_and_is_named(shared: Store, fresh: bool) -> None:
    journal, run = shared.open(), new_run_id()
    if not fresh:
        journal.append([batch(board(), run, "a")], wait=True)
    with processes(shared, run, 3) as racing:
        for process in racing:
            process.begin("journal.hold(run, own_name())")
        answers = [process.answer() for process in racing]
        [winner] = [n for n, answer in enumerate(answers) if answer.isdigit()]
        name = f"pid {racing[winner].process.pid} on {socket.gethostname()}"
        assert answers.pop(winner) == ("1" if fresh else "2")
        assert all(
            answer.startswith(f"RunHeld: run {run} is held by {name} since 2") for answer in answers
        )
        held = journal.holder(run)
        assert held is not None
        assert held.name == name
    assert journal.holder(run) is None


def test_a_dead_process_holds_nothing(shared: Store) -> None:
    journal, run = shared.open(), new_run_id()
    with processes(shared, run) as [holder]:
        assert holder.does("journal.hold(run, 'me')") == "1"
        assert holder.does("journal.append([batch(written, run, 'a', 'b')], wait=True)") == "None"
        with pytest.raises(RunHeld, match="is held by me since"):
            journal.hold(run, "another")
        assert journal.hold(new_run_id(), "another") == 1
        holder.kill()
        assert journal.holder(run) is None
        assert journal.hold(run, "another") == 2
        assert bodies(journal, run) == [b'{"text":"a"}', b'{"text":"b"}']


def test_a_process_that_lost_its_run_is_refused(shared: Store) -> None:
    journal, run = shared.open(), new_run_id()
    with processes(shared, run) as [holder]:
        assert holder.does("journal.hold(run, 'me')") == "1"
        assert holder.does("journal.append([batch(written, run, 'a')], wait=True)") == "None"
        shared.lose(journal, run)
        assert shared.open().hold(run, "another") == 2
        answer = holder.does("journal.append([batch(written, run, 'b')], wait=True)")
        assert answer.startswith(f"StaleWriter: run {run} has been taken over")
    assert bodies(journal, run) == [b'{"text":"a"}']


def test_the_inbox_takes_words_from_every_process(shared: Store) -> None:
    journal, run = shared.open(), new_run_id()
    journal.append([batch(board(), run, "a")], wait=True)
    with processes(shared, run, 3) as speaking:
        for process in speaking:
            process.begin("[journal.send(run, n, own_name(), 'say', '', str(n)) for n in range(9)]")
        answers = [eval(process.answer()) for process in speaking]
        assert speaking[0].does("journal.send('nobody', 1, 'me', 'stop')").startswith("RunNotFound")
    items = journal.inbox(run=run)
    assert [item.id for item in items] == sorted(id for ids in answers for id in ids)
    assert len({item.id for item in items}) == 27
    names = {f"pid {process.process.pid} on {socket.gethostname()}" for process in speaking}
    assert {item.by for item in items} == names
    assert all(answer == sorted(answer) for answer in answers)


def test_a_process_is_named_as_a_person_would_look_for_it() -> None:
    assert own_name() == f"pid {os.getpid()} on {socket.gethostname()}"


def test_what_was_erased_stands_in_no_file(shared: Store) -> None:
    journal, run = shared.open(), new_run_id()
    boards = {id: board() for id in (run, *(new_run_id() for _ in range(20)))}
    secret, large = "SECRET" * 30, "HIDDEN" * 2000
    for turn in range(40):  # interleaved: pages fill, split and are moved
        texts = (f"{turn} {secret}", large) if turn % 4 == 0 else (f"{turn}" * 100,)
        journal.append(
            [
                batch(written, id, *(texts if id == run else ["x" * 50 * turn]))
                for id, written in boards.items()
            ],
            wait=True,
        )
    kept = batch(boards[run], run, "more", keep=(secret.encode(),))
    journal.append([kept], wait=True)
    item = journal.send(run, 1, "me", "say", "", secret)
    assert shared.holds("SECRET")
    assert shared.holds("HIDDEN")
    seqs = [entry.seq for entry in boards[run].entries if secret[:6] in str(entry.payload)]
    seqs += [entry.seq for entry in boards[run].entries if large[:6] in str(entry.payload)]
    with processes(shared, run) as [beside]:
        assert beside.does("len(list(journal.read(run)))") == str(len(boards[run].entries))
        journal.erase(run, seqs, [kept.kept[0].commitment.hex()], [item])
        assert not shared.holds("SECRET")
        assert not shared.holds("HIDDEN")
        assert beside.does("sum(s.body is None for s in journal.read(run))") == str(len(seqs))
    assert not shared.holds("SECRETSECRET")
    journal.append([batch(boards[run], run, "and on")], wait=True)
    assert len(bodies(journal, run)) == len(boards[run].entries)
