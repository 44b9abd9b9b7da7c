"""What every journal promises, whichever keeps the bytes."""

import pytest

from hive.board.board import Board
from hive.board.contributions import Note
from hive.errors import RunHeld, RunNotFound, StaleWriter
from hive.journal.journal import Batch, new_run_id
from tests.board.boards import board, post, reread
from tests.journal.stores import LARGE, Store, batch, bodies, proven

ABSENT = new_run_id()


def test_what_was_appended_is_read_as_it_was(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    sealed: list[bytes] = []
    for words in (("a",), ("b", "c", "d"), ("e",)):
        journal.append([batch(written, run, *words)], wait=True)
        sealed += [entry.digest for entry in written.entries[len(sealed) :]]
    rows = [stored.row for stored in journal.read(run)]
    assert [row.seq for row in rows] == [0, 1, 2, 3, 4]
    assert [row.digest for row in rows] == sealed
    assert [row.header for row in rows] == [entry.header() for entry in written.entries]
    assert bodies(journal, run) == [entry.body for entry in written.entries]
    assert reread(journal, run).entries == written.entries


def test_a_run_is_as_long_as_what_was_appended(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    with pytest.raises(RunNotFound):
        journal.length(run)
    for number in (1, 2, 3):
        journal.append([batch(written, run, str(number))], wait=True)
        journal.append([batch(board(), new_run_id(), "another's")], wait=True)
        assert journal.length(run) == number


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4])
def test_reading_begins_at_any_position(store: Store, start: int) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    journal.append([batch(written, run, "a", "b", "c")], wait=True)
    assert bodies(journal, run, start) == [entry.body for entry in written.entries[start:]]


def test_a_run_that_is_not_there_is_not_found(store: Store) -> None:
    journal = store.open()
    with pytest.raises(RunNotFound, match=ABSENT):
        list(journal.read(ABSENT))
    assert journal.content(ABSENT, "00" * 32) is None
    assert journal.content(ABSENT, "no hex") is None
    assert journal.holder(ABSENT) is None
    journal.release(ABSENT)
    assert journal.runs() == []


def test_a_writer_that_is_behind_or_ahead_is_refused_and_nothing_is_stored(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    first = batch(written, run, "a", "b")
    journal.append([first], wait=True)
    following = batch(written, run, "c")
    for wrong in (0, 1, 3, 7):
        with pytest.raises(StaleWriter, match=run):
            journal.append([following._replace(expected=wrong)], wait=True)
    assert len(bodies(journal, run)) == 2
    journal.append([following], wait=True)
    assert len(bodies(journal, run)) == 3


def test_a_second_writer_of_a_run_is_refused(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    mine, theirs = board(), board()
    one.append([batch(mine, run, "a")], wait=True)
    with pytest.raises(StaleWriter):
        other.append([batch(theirs, run, "b")], wait=True)
    other.append([batch(mine, run, "c")], wait=True)
    with pytest.raises(StaleWriter):
        one.append([Batch(run, 1, board_with("d").seal())], wait=True)
    assert bodies(one, run) == bodies(other, run) == [b'{"text":"a"}', b'{"text":"c"}']


def test_a_run_that_others_have_extended_can_be_taken_up_again(store: Store) -> None:
    one, other, run = store.open(), store.open(), new_run_id()
    written = board()
    one.append([batch(written, run, "a")], wait=True)
    other.append([batch(written, run, "b")], wait=True)
    one.append([batch(written, run, "c")], wait=True)
    assert len(bodies(one, run)) == 3


def board_with(text: str) -> Board:
    written = board()
    post(written, Note(text=text))
    return written


def test_batches_of_several_runs_are_stored_together_or_not_at_all(store: Store) -> None:
    journal = store.open()
    runs = sorted(new_run_id() for _ in range(4))
    boards = [board() for _ in runs]
    journal.append([batch(boards[0], runs[0], "a", keep=(b"kept",))], wait=True)
    fresh, stale = batch(boards[1], runs[1], "b", keep=(b"lost",)), batch(board(), runs[0], "x")
    with pytest.raises(StaleWriter, match=runs[0]):
        journal.append([fresh, batch(boards[2], runs[2], "c"), stale], wait=True)
    assert journal.runs() == [runs[0]]
    for run in runs[1:3]:
        with pytest.raises(RunNotFound):
            list(journal.read(run))
    # What was refused left nothing behind that a later run could be mixed up with.
    journal.append([batch(boards[3], runs[3], "d")], wait=True)
    journal.append([fresh], wait=True)
    assert journal.runs() == [runs[3], runs[1], runs[0]]
    assert [bodies(journal, run) for run in journal.runs()] == [
        [b'{"text":"d"}'],
        [b'{"text":"b"}'],
        [b'{"text":"a"}'],
    ]
    assert [bodies(store.open(), run) for run in runs[:2]] == [[b'{"text":"a"}'], [b'{"text":"b"}']]


def test_shared_contents_are_found_by_their_commitment_in_their_own_run(store: Store) -> None:
    journal, written, run, other = store.open(), board(), new_run_id(), new_run_id()
    kept = batch(written, run, "a", keep=(b"the prompt", b"the tools"))
    journal.append([kept, batch(board(), other, "b")], wait=True)
    commitments = [content.commitment.hex() for content in kept.kept]
    assert [journal.content(run, each) for each in commitments] == list(kept.kept)
    assert [content.body for content in kept.kept] == [b"the prompt", b"the tools"]
    assert journal.content(other, commitments[0]) is None
    assert journal.content(run, "ab" * 32) is None
    journal.append([batch(written, run, "c", keep=(b"the prompt", b"more"))], wait=True)
    more = journal.content(run, written.store(b"more"))
    assert more is not None
    assert list(journal.kept(run)) == [*kept.kept, more]
    assert more.body == b"more"
    assert list(journal.kept(ABSENT)) == []


def test_runs_are_listed_newest_first(store: Store) -> None:
    journal = store.open()
    runs = [new_run_id() for _ in range(3)]
    runs.sort()
    for run in (runs[1], runs[0], runs[2]):
        journal.append([batch(board(), run, "a")], wait=True)
    assert journal.runs() == store.open().runs() == runs[::-1]


def test_a_run_can_be_read_while_it_is_written(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    journal.append([batch(written, run, "a", "b")], wait=True)
    reading = journal.read(run)
    assert next(reading).body == b'{"text":"a"}'
    store.open().append([batch(written, run, "c")], wait=True)
    assert next(reading).body == b'{"text":"b"}'
    assert bodies(journal, run)[-1] == b'{"text":"c"}'


def test_many_entries_are_read_in_order(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    journal.append([batch(written, run, *map(str, range(1234)))], wait=True)
    journal.append([batch(board(), new_run_id(), "another run's")], wait=True)
    assert [stored.row.seq for stored in journal.read(run)] == list(range(1234))
    assert [stored.row.seq for stored in journal.read(run, 1200)] == list(range(1200, 1234))
    assert bodies(journal, run, 1234) == []
    assert proven(list(journal.read(run)))


def test_a_large_content_is_stored_once_however_often_it_is_said(store: Store) -> None:
    journal, written, run = store.open(), board(), new_run_id()
    large, other = "x" * LARGE, "y" * LARGE
    journal.append([batch(written, run, large, "small", large, keep=(b"the prompt",))], wait=True)
    journal.append([batch(written, run, large, other)], wait=True)
    assert bodies(journal, run) == [entry.body for entry in written.entries]
    assert proven(list(journal.read(run)))
    kept = [content.body for content in journal.kept(run)]
    assert kept == [b"the prompt", written.entries[0].body, written.entries[4].body]
    assert reread(journal, run).entries == written.entries
    for stored in (0, 2, 3):
        content = journal.content(run, written.entries[stored].commitment.hex())
        assert content is not None
        assert content.body == written.entries[0].body


def test_what_was_erased_is_gone_and_everything_else_is_as_it_was(store: Store) -> None:
    journal, other = store.open(), store.open()
    run, beside, written = new_run_id(), new_run_id(), board()
    large = "secret " + "x" * LARGE
    first = batch(written, run, "secret a", large, "said", large, keep=(b"secret b", b"prompt"))
    journal.append([first], wait=True)
    journal.append([batch(board(), beside, "said", large)], wait=True)
    item = journal.send(run, 1, "me", "say", "0//1", "secret c")
    spared = journal.send(run, 2, "me", "say", "0//1", "word")
    rows = [stored.row for stored in journal.read(run)]
    secret, prompt = (content.commitment.hex() for content in first.kept[:2])
    journal.erase(run, [0, 1], [secret], [item])
    for seen in (journal, other):
        assert bodies(seen, run) == [None, None, b'{"text":"said"}', None]
        assert [stored.salt is None for stored in seen.read(run)] == [True, True, False, True]
        assert [stored.row for stored in seen.read(run)] == rows
        assert proven(list(seen.read(run)))
        gone, kept = seen.content(run, secret), seen.content(run, prompt)
        assert gone is not None
        assert (gone.salt, gone.body) == (None, None)
        assert kept is not None
        assert kept.body == b"prompt"
        assert [content.body for content in seen.kept(run)] == [None, b"prompt", None]
        assert bodies(seen, beside)[1] is not None
        assert [(said.id, said.subject, said.text) for said in seen.inbox(run=run)] == [
            (item, "", ""),
            (spared, "0//1", "word"),
        ]
    journal.append([batch(written, run, "and on")], wait=True)
    journal.erase(run, [])
    with pytest.raises(RunNotFound):
        journal.erase(ABSENT, [0])


def test_a_run_that_is_forgotten_leaves_nothing(store: Store) -> None:
    journal, other = store.open(), store.open()
    runs = sorted(new_run_id() for _ in range(3))
    large = "x" * LARGE
    for run in runs:
        journal.append([batch(board(), run, "a", large, keep=(b"kept",))], wait=True)
        journal.send(run, 1, "me", "say", "", run)
    other.hold(runs[1], "the other")
    with pytest.raises(RunHeld, match="is held by the other"):
        journal.forget(runs[1])
    other.release(runs[1])
    for _ in range(2):
        journal.forget(runs[1])
        for seen in (journal, other):
            assert seen.runs() == [runs[2], runs[0]]
            with pytest.raises(RunNotFound):
                list(seen.read(runs[1]))
            assert list(seen.kept(runs[1])) == []
            assert [item.text for item in seen.inbox()] == [runs[0], runs[2]]
            assert len(bodies(seen, runs[0])) == len(bodies(seen, runs[2])) == 2
    # A run that takes its place finds nothing of it, also where it was written before.
    journal.append([batch(board(), runs[1], "b")], wait=True)
    assert bodies(other, runs[1]) == [b'{"text":"b"}']
    assert other.hold(runs[1], "the other") == 2


def test_the_room_of_what_was_removed_is_given_back(store: Store) -> None:
    journal, other, written = store.open(), store.open(), board()
    gone, left = new_run_id(), new_run_id()
    for turn in range(20):
        journal.append([batch(board(), f"{gone}{turn}", "REMOVED" * 90, "x" * LARGE)], wait=True)
        journal.append([batch(written, left, "said")], wait=True)
    for turn in range(20):
        journal.forget(f"{gone}{turn}")
    before = sum(path.stat().st_size for path in store.files())
    given = journal.compact()
    if store.files():
        assert given > 50_000
        assert not store.holds("REMOVED")
        assert sum(path.stat().st_size for path in store.files()) < before - 50_000
    assert journal.compact() == 0
    for seen in (journal, other):
        assert bodies(seen, left) == [entry.body for entry in written.entries]
        assert seen.runs() == [left]
    other.append([batch(written, left, "and on")], wait=True)
    assert len(bodies(journal, left)) == 21


def test_ids_of_runs_sort_by_the_time_they_were_made() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert [run[:10] for run in ids] == sorted(run[:10] for run in ids)
    assert all(len(run) == 26 and run == run.lower() and run.isalnum() for run in ids)


def test_ids_of_one_process_sort_by_when_they_were_made() -> None:
    made = [new_run_id() for _ in range(5_000)]
    assert made == sorted(set(made))
    assert {len(run) for run in made} == {26}
