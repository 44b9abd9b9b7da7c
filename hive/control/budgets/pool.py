"""Pools (floor 4): what several runs may use together.

A call reserves its worst case in the pool as it does in its run. What it did not use goes back into
the pool when its end is durable, and not before: a crash could take that end away, and the record
would hold the call at its worst case, while others had been granted the rest.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Self

from hive.board.contributions import EVERYWHERE
from hive.board.entry import Entry
from hive.board.payload import Vocabulary
from hive.board.pieces import Drawn
from hive.board.records import RECORDS, Admission, Overrun, Request, RunStarted, Termination
from hive.control.budgets.books import Books
from hive.control.budgets.budget import MEASURES, UNCAPPED, Budget
from hive.control.budgets.scope import NOTHING, Grant, Scope
from hive.errors import DeclarationError, JournalError
from hive.journal.claims import Claims, place_of
from hive.journal.journal import Journal
from hive.journal.opening import open_journal
from hive.journal.writer import Writer

__all__ = ["Pool", "Share", "drawn_on"]

CAPPED = ("usd", "tokens", "calls")


class Pool:
    """What several runs may use together, in dollars, tokens and calls.

        pool = Pool("nightly", Budget(usd=5))
        result = await team.run("A haiku.", pool=pool)

    Runs draw on it beside each other, on one event loop, and one after the other. In every journal
    that its runs are kept in, it counts all that was ever used under its name, by processes before
    this one too; while it lasts, nobody else there may use that name. `close` gives the name up,
    and so does `with`.

    Raises DeclarationError for caps that it could not keep.
    """

    def __init__(self, name: str, budget: Budget) -> None:
        check(name, budget)
        self.name = name
        self.budget = budget
        self.drawn = Drawn(name=name, cost=budget.nano, tokens=budget.tokens, calls=budget.calls)
        self._scope = drawn_on(self.drawn)
        self._shares: dict[str, Share] = {}
        self._late: dict[Share, None] = {}
        """Those in which calls have ended whose ends were not durable when somebody looked."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._claims = Claims(f"pool {name!r}")

    @property
    def spent(self) -> Grant:
        """What its runs have used, in nano-dollars and tokens."""
        self._hear()
        return self._scope.spent

    @property
    def reserved(self) -> Grant:
        """What is reserved for calls that are open: under way, or in runs that broke off."""
        self._hear()
        return self._scope.reserved

    @property
    def calls(self) -> int:
        """How many calls its runs have made."""
        return self._scope.calls

    @property
    def closed(self) -> str:
        """Why nothing more is granted, where a server took more than it was allowed; else ""."""
        return self._scope.shut

    @property
    def shares(self) -> Mapping[str, Grant]:
        """What each run has used."""
        self._hear()
        used = {run: share.scope.spent for run, share in self._shares.items()}
        return MappingProxyType(used)

    def read(self, journal: str | Path | Journal) -> None:
        """Take in what the runs of a journal have used of this pool, and what their open calls may
        have used. It is done of itself when a run begins or goes on there. A run whose journal
        failed has all reserved that may be on record; read again, it has what is.

        Raises PoolHeld when another process has the pool there, and JournalError when the journal
        cannot be read or what a run used was erased.
        """
        opened = open_journal(journal, create=False)
        try:
            new, place = self._claims.take(opened), place_of(opened)
            lost = [run for run, share in self._shares.items() if share.lost and share.at == place]
            found = opened.runs() if new or lost else []
            for run in found:
                if run in lost or (new and run not in self._shares):
                    self._take_in(opened, run)
            for run in set(lost).difference(found):
                self._leave(run)
        finally:
            if opened is not journal:
                opened.close()

    def share(self, run: str) -> "Share":
        """What a run is to draw; it counts from `enter` on."""
        return Share(self, run)

    def enter(self, share: "Share") -> None:
        """Count a run with what its share says, instead of what was known of it before."""
        self._leave(share.run)
        self._shares[share.run] = share
        share.scope.parent = self._scope
        self._scope.hold(share.scope.reserved)
        self._scope.book(*share.scope.spent, share.scope.calls)
        if share.scope.shut:
            self._scope.close()

    def check(self, run: str, drawn: Drawn | None) -> None:
        """Raise DeclarationError where a run on record does not draw on this pool."""
        mine, its = measures(self.drawn), None if drawn is None else measures(drawn)
        if drawn is None or drawn.name != self.name or mine != its:
            raise DeclarationError(
                f"run {run} does not draw on the pool {self.name!r} with caps on"
                f" {' and '.join(mine)}, but on {told(drawn)}"
            )

    def close(self) -> None:
        """Give its name up, so that others may use it."""
        self._claims.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Pool({self.name!r}, {self.budget!r})"

    def late(self, share: "Share") -> None:
        """Note that a share waits for ends to be durable."""
        self._late[share] = None

    async def up_to_date(self) -> None:
        """Wait until it has heard of all calls that have ended, as far as their journals work.

        Raises DeclarationError on an event loop beside another one that draws on it.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None and self._loop.is_running():
                raise DeclarationError(
                    f"the pool {self.name!r} is drawn on from two event loops at once, where"
                    " reserving is no longer one step; run them on one, or give each a pool"
                )
            self._loop = loop
        for share in tuple(self._late):
            if not share.heard() and share.waits_for is not None:
                with suppress(JournalError):
                    await share.waits_for.durable()
        self._hear()

    def _leave(self, run: str) -> None:
        """Count a run no longer."""
        share = self._shares.pop(run, None)
        if share is None:
            return
        self._late.pop(share, None)
        gone = share.scope
        gone.parent = None
        self._scope.settle(gone.reserved, Grant(-gone.spent.cost, -gone.spent.tokens))
        self._scope.calls -= gone.calls

    def _hear(self) -> None:
        for share in [share for share in self._late if share.heard()]:
            self._late.pop(share, None)

    def _take_in(self, journal: Journal, run: str) -> None:
        stored = next(journal.read(run))
        first = Entry.stored(stored.row, stored.body, WORDS).payload
        if not isinstance(first, RunStarted) or first.pool is None or first.pool.name != self.name:
            return
        entries = [Entry.stored(row, body, WORDS) for row, _, body in journal.read(run)]
        for entry in entries:
            if entry.erased and entry.kind in NEEDED:
                raise JournalError(
                    f"entry {entry.seq} of run {run} was erased, so that nobody knows what the run"
                    f" used of the pool {self.name!r}; take another name"
                )
        share = self.share(run)
        books = Books(UNCAPPED, share.scope)
        total = next((e.payload for e in entries if isinstance(e.payload, Termination)), None)
        if total is None or not any(entry.erased for entry in entries):
            books.reopen(entries)
        else:
            calls = sum(entry.kind == Request.kind for entry in entries)
            books.run.book(total.spent, total.tokens, calls)
        books.close(entry for entry in entries if isinstance(entry.payload, Overrun))
        self.enter(share)


class Closed(NamedTuple):
    """A call that has ended: where in its run's log its end stands at the earliest, what is kept
    reserved for it, and what it used."""

    place: int
    grant: Grant
    used: Grant


class Share:
    """What one run draws from a pool."""

    def __init__(self, pool: Pool, run: str) -> None:
        self.pool = pool
        self.run = run
        self.scope = drawn_on(pool.drawn)
        self.scope.cap_cost = self.scope.cap_tokens = self.scope.cap_calls = None
        self.writer: Writer | None = None
        self.at: Path | Journal | None = None
        self._closed: deque[Closed] = deque()

    @property
    def waits_for(self) -> Writer | None:
        """Who is still to store the ends of calls; None where nobody does any more."""
        writer = self.writer
        return None if writer is None or writer.broken or writer.over else writer

    @property
    def lost(self) -> bool:
        """Whether nobody knows what is on record of the run: its journal failed, or it was left
        before all was stored."""
        writer = self.writer
        return writer is not None and (bool(writer.broken) or (writer.over and not self.heard()))

    def draw(self, books: Books, writer: Writer, journal: Journal) -> None:
        """Count the run in its pool from now on, and what its books say of it so far."""
        self.writer, self.at = writer, place_of(journal)
        books.run.late = self.put_off
        self.pool.enter(self)

    def put_off(self, grant: Grant, used: Grant) -> None:
        """Keep what was reserved for a call that has ended until its end, which is posted next, is
        durable; more, where it has used more."""
        assert self.writer is not None
        more = Grant(max(0, used.cost - grant.cost), max(0, used.tokens - grant.tokens))
        if more != NOTHING:
            self.scope.hold(more)
            grant = Grant(grant.cost + more.cost, grant.tokens + more.tokens)
        self._closed.append(Closed(len(self.writer.board.entries), grant, used))
        self.pool.late(self)

    def heard(self) -> bool:
        """Settle the calls whose ends are durable; whether that is all of them."""
        waits = self._closed
        while waits and self.writer is not None and waits[0].place < self.writer.stored:
            _, grant, used = waits.popleft()
            self.scope.settle(grant, used)
        return not waits

    async def up_to_date(self) -> None:
        """Wait until the pool has heard of all calls that have ended."""
        await self.pool.up_to_date()


WORDS = Vocabulary((*RECORDS, *EVERYWHERE))
NEEDED = frozenset(each.kind for each in (Request, Admission, Overrun, Termination))
"""The records without which nobody knows what a run used; a call whose end was erased counts as one
that is open."""


def drawn_on(drawn: Drawn) -> Scope:
    """The scope of a pool on record, of which nothing is used."""
    name = f"the pool {drawn.name!r}"
    scope = Scope(name, cost=drawn.cost, tokens=drawn.tokens, calls=drawn.calls)
    scope.lent = True
    return scope


def check(name: object, budget: object) -> None:
    """Raise DeclarationError for a pool that could not be told from others, or kept."""
    if not isinstance(name, str) or not isinstance(budget, Budget):
        raise DeclarationError(f"Pool({name!r}, {budget!r}): give a name and a Budget")
    if not name.strip():
        raise DeclarationError(f"Pool({name!r}, …): give it a name, under which its runs find it")
    for measure in MEASURES:
        if measure not in CAPPED and getattr(budget, measure) is not None:
            raise DeclarationError(
                f"Pool({name!r}, Budget({measure}=…)): {measure} are counted in each run by itself,"
                f" and belong in the runs' own budget; a pool may cap {', '.join(CAPPED)}"
            )
    if budget.nested:
        raise DeclarationError(
            f"Pool({name!r}, Budget(…)): caps of calls, strands and roles belong in the runs' own"
            " budget"
        )
    if budget == UNCAPPED:
        raise DeclarationError(f"Pool({name!r}, Budget()): it caps nothing; cap usd, tokens, calls")


def measures(drawn: Drawn) -> tuple[str, ...]:
    """What a pool caps."""
    caps = zip(CAPPED, (drawn.cost, drawn.tokens, drawn.calls), strict=True)
    return tuple(name for name, cap in caps if cap is not None)


def told(drawn: Drawn | None) -> str:
    """A pool on record, in words."""
    if drawn is None:
        return "no pool"
    return f"the pool {drawn.name!r} with caps on {' and '.join(measures(drawn))}"
