"""Two runs, or two sets of runs, beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive import Graph, Role, Workflow, finish, handoff, start, stop, turns
from hive.audit import Record
from hive.audit.comparison import parting
from hive.audit.course import Summary
from hive.audit.diff import MEASURES, compare, compare_sets
from hive.journal.sqlite import SQLiteJournal
from hive.message import Request
from hive.models import FunctionModel
from hive.run import Result


def pair(words: str = "a word", most: int = 4) -> Workflow:
    def speaks(request: Request) -> str:
        return words if request.messages[0].text.count("Note by") == 2 else "the same"

    writer, critic = Role("writer"), Role("critic")
    graph = Graph(
        start(writer), handoff(writer, critic), handoff(critic, writer),
        finish(critic, when=turns(most)), stop(when=turns(9)),
    )  # fmt: skip
    return Workflow(graph, model=FunctionModel(speaks, "speaks"))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SQLiteJournal]:
    opened = SQLiteJournal(tmp_path / "journal.db")
    yield opened
    opened.close()


def run(workflow: Workflow, journal: SQLiteJournal, seed: int = 7) -> Record:
    result: Result = anyio.run(lambda: workflow.run("Go.", journal=journal, seed=seed))
    return Record(journal, result.run)


def test_two_runs_of_the_same_nowhere_part(journal: SQLiteJournal) -> None:
    one, other = run(pair(), journal), run(pair(), journal, seed=8)
    found = compare(one, other)
    assert (found.parting, found.changed) == (None, ())
    assert found.one.calls == found.other.calls == 4


def test_the_first_place_where_two_part_is_the_first_in_address_order(
    journal: SQLiteJournal,
) -> None:
    one, other = run(pair(), journal), run(pair("another word"), journal)
    found = compare(one, other).parting
    assert found is not None
    assert (str(found.address), found.fields) == ("3/writer/0.1", ("parts",))
    assert found.one is not None
    assert found.other is not None
    assert "another word" in str(found.other.payload)


def test_what_was_erased_is_not_told_as_changed(journal: SQLiteJournal) -> None:
    one, other = run(pair(), journal), run(pair("another"), journal)
    fingerprint = other.started.fingerprint
    assert fingerprint is not None
    journal.erase(other.id, [], [fingerprint], [])
    assert compare(one, other).changed == (
        f"how run {other.id} was set up was erased; nothing is compared",
    )


def test_a_run_that_goes_on_where_the_other_ends(journal: SQLiteJournal) -> None:
    one, other = run(pair(), journal), run(pair(most=6), journal)
    found = compare(one, other)
    assert found.parting is not None
    assert (str(found.parting.address), found.parting.fields) == ("5//0", ("kind",))
    assert found.changed != ()
    assert any(line.startswith("graph") for line in found.changed)
    assert [side.summary.turns for side in (found.one, found.other)] == [4, 6]


def test_a_record_without_an_end_parts_where_it_breaks_off(journal: SQLiteJournal) -> None:
    entries = run(pair(), journal).entries
    found = parting(entries[:9], entries)
    assert found is not None
    assert (found.one, found.other) == (None, entries[9])


def test_a_diff_is_plain_json(journal: SQLiteJournal) -> None:
    one, other = run(pair(), journal), run(pair("another word"), journal)
    found = json.loads(json.dumps(compare(one, other).as_json()))
    assert found["parting"]["address"] == "3/writer/0.1"
    assert (found["one"]["id"], found["other"]["model_calls"]) == (one.id, 4)
    sets = json.loads(json.dumps(compare_sets([one.summary], [other.summary]).as_json()))
    assert sets["pairs"] == [[one.id, other.id]]
    assert sets["measures"]["turns"]["mean"] == 0


@given(st.data())
def test_whatever_is_changed_in_a_run_the_first_change_is_found(data: st.DataObject) -> None:
    entries = RUN
    place = data.draw(st.sampled_from([e for e in entries if e.kind in ("Note", "Decision")]))
    later = [entry for entry in entries if entry.address > place.address]
    dropped = {
        place,
        *data.draw(st.lists(st.sampled_from(later), unique=True) if later else st.just([])),
    }
    found = parting(entries, [entry for entry in entries if entry not in dropped])
    assert found is not None
    assert (found.address, found.other) == (place.address, None)


def one_run() -> Record:
    from hive.journal.memory import MemoryJournal

    kept = MemoryJournal()
    result: Result = anyio.run(lambda: pair().run("Go.", journal=kept))
    return Record(kept, result.run)


RUN = one_run().entries


def summary(number: int, seed: int, goal: str = "g", turns: int = 3) -> Summary:
    made = one_run().summary
    return replace(made, id=f"r{number}", seed=seed, goal=goal, turns=turns)


def test_sets_pair_by_goal_and_seed_whatever_their_order() -> None:
    ones = [summary(n, seed=n, turns=n) for n in range(4)]
    others = [summary(10 + n, seed=n, turns=n + 2) for n in (3, 1, 0, 2)]
    found = compare_sets(ones, others)
    assert found.paired_by == "goal and seed"
    assert [(one.seed, other.seed) for one, other in found.pairs] == [(n, n) for n in range(4)]
    assert (found.measures["turns"].mean, found.alone) == (2.0, ())
    assert set(found.measures) == set(MEASURES)


def test_runs_of_one_goal_and_seed_pair_one_by_one_and_who_has_no_partner_is_named() -> None:
    ones = [summary(n, seed=1) for n in range(3)]
    others = [summary(10 + n, seed=1) for n in range(2)] + [summary(20, seed=2)]
    found = compare_sets(ones, others)
    assert [(one.id, other.id) for one, other in found.pairs] == [("r0", "r10"), ("r1", "r11")]
    assert found.alone == ("r2", "r20")


def test_sets_without_a_common_seed_pair_in_order_and_say_so() -> None:
    found = compare_sets([summary(n, seed=n) for n in range(3)], [summary(9, seed=99)])
    assert (found.paired_by, len(found.pairs), found.alone) == ("order", 1, ("r1", "r2"))
    other = compare_sets([summary(1, seed=1)], [summary(2, seed=2, goal="another")])
    assert other.paired_by == "order, though their goals differ"


def test_ten_pairs_get_an_interval_and_nine_do_not() -> None:
    ones = [summary(n, seed=n) for n in range(10)]
    others = [summary(20 + n, seed=n, turns=4 + n % 3) for n in range(10)]
    found = compare_sets(ones, others).measures["turns"]
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.mean <= found.high
    assert compare_sets(ones[:9], others).measures["turns"].note == "9 pairs are too few to tell"
