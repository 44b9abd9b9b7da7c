"""Boards for tests: made, written to a journal by hand, and read back."""

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import NamedTuple

from hive.board.ballots import Critique, Proposal, Vote
from hive.board.board import Board
from hive.board.contributions import (
    Answer,
    Artifact,
    Attachment,
    Finding,
    Goal,
    Note,
    Plan,
    Question,
    Review,
    Task,
    TaskChange,
    TestReport,
    Verdict,
)
from hive.board.entry import Address, Entry, named_content
from hive.board.payload import Payload, Vocabulary
from hive.board.records import RECORDS
from hive.board.state import Folding
from hive.journal.journal import Batch, Journal, new_run_id
from hive.journal.reading import close_before, restore
from tests.board.values import OWN_KINDS

CONTRIBUTIONS: tuple[type[Payload], ...] = (
    Goal, Attachment, Note, Task, Plan, Finding, Artifact, Review, Verdict, Question, Answer,
    TaskChange, TestReport, Proposal, Critique, Vote,
)  # fmt: skip
KINDS: tuple[type[Payload], ...] = (*CONTRIBUTIONS, *RECORDS, *OWN_KINDS)
VOCABULARY = Vocabulary(KINDS)

ticks = count(1_000_000_000_000_000, 1000)


def board(
    *,
    writers: Mapping[str, frozenset[str]] | None = None,
    folding: Folding | None = None,
    readable: Iterable[str] = (),
    vocabulary: Vocabulary = VOCABULARY,
    salts: Callable[[int], bytes] = os.urandom,
) -> Board:
    return Board(vocabulary, salts=salts, writers=writers, folding=folding, readable=readable)


def post(
    board: Board,
    payload: Payload,
    address: str = "0//0",
    author: str = "user",
    causes: tuple[str, ...] = (),
) -> Entry:
    """Post at an address that is given as text."""
    return board.post(Address.parse(address), author, payload, next(ticks), author, causes)


def close(board: Board, *payloads: Payload, author: str = "user") -> None:
    """One turn of the author's with some payloads."""
    turn = board.state.turn + 1
    for place, payload in enumerate(payloads):
        post(board, payload, f"{turn}/{author}/{place}", author)
    board.close_turn((author,))


class Kept(NamedTuple):
    """What a journal keeps of one entry, as bytes."""

    header: bytes
    digest: bytes
    commitment: bytes
    salt: bytes
    body: bytes


def sealed(board: Board) -> list[Kept]:
    """What goes to the journal of the entries posted since the last call; all of them small."""
    headers, digests, salts, bodies = board.seal()
    return [
        Kept(header, digest, bytes.fromhex(named_content(header)), salt, body)
        for header, digest, salt, body in zip(headers, digests, salts, bodies, strict=True)
        if salt is not None and body is not None
    ]


def store(board: Board, journal: Journal, run: str | None = None, expected: int = 0) -> str:
    """Append what the board has not sealed yet; the run's id."""
    run = run or new_run_id()
    journal.append([Batch(run, expected, board.seal(), board.kept())], wait=True)
    return run


def reread(
    journal: Journal,
    run: str,
    *,
    folding: Folding | None = None,
    readable: Iterable[str] = (),
    vocabulary: Vocabulary = VOCABULARY,
) -> Board:
    """The run as another process would read it, its last turn closed."""
    again = board(folding=folding, readable=readable, vocabulary=vocabulary)
    opened = restore(again, journal, run)
    if opened:
        close_before(again, opened, opened[-1].address.turn + 1)
    return again
