"""Verifying a run (floor 7): the chain of its entries, their contents, and what it shares.

Nothing but the journal is needed: no workflow, no classes of a user, no network. Whoever can write
the journal can also write a chain of their own from some entry on; only a digest that is kept
elsewhere (`hive.audit.signing`) shows that, and shows entries cut off at the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hive.audit.heads import Head
from hive.audit.walking import Finding, Origin, Walk, origin_of, walk
from hive.board.entry import Content
from hive.errors import RunNotFound
from hive.journal.journal import Journal

__all__ = ["Claim", "Verification", "verify"]


class Claim(NamedTuple):
    """The digest (hex) that the entry of a number must have: said by a fork that shares it, `by`
    its id, or by a head that was exported."""

    number: int
    digest: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying a run has shown.

    So many `entries` hold, counted from the first; `shared` of all stand in the runs it was forked
    from. `head` is the digest (hex) of the last that follows from the one before. `erased` contents
    are gone, each named by a Redaction; those in `unfinished` (commitments) are named by one and
    still there. `finding` is the first entry that does not fit.
    """

    run: str
    entries: int
    shared: int
    head: str
    erased: int
    unfinished: tuple[str, ...] = ()
    finding: Finding | None = None

    @property
    def holds(self) -> bool:
        """Whether everything fits."""
        return self.finding is None

    def as_json(self) -> dict[str, Any]:
        """The documented keys of `hive verify --json`."""
        return {
            "run": self.run,
            "holds": self.holds,
            "entries": self.entries,
            "shared": self.shared,
            "head": self.head,
            "erased": self.erased,
            "unfinished": list(self.unfinished),
            "finding": None if self.finding is None else self.finding._asdict(),
        }


def verify(
    journal: Journal,
    run: str,
    *,
    head: Head | None = None,
    beat: Callable[[int], None] = lambda entries: None,
) -> Verification:
    """Check every entry of a run, and those it shares with the runs it was forked from.

    With a `head` that was exported the run must still have all its entries, the same. `beat` is
    told now and then how many entries have been gone through. Raises RunNotFound, and JournalError
    for a journal that cannot be read at all.
    """
    line = Line(journal, beat)
    own = line.follow(run, [] if head is None else [Claim(head.entries - 1, head.head)], None)
    found = line.finding() or foreign(journal, own)
    if head is not None and head.run != run:
        found = Finding(run, None, "", "", "", f"the head is that of run {head.run}")
    return Verification(
        run=run,
        entries=own.entries if found is None or found.number is None else found.number,
        shared=0 if own.origin is None else own.origin.cut,
        head=own.head.hex(),
        erased=len(line.erased),
        unfinished=() if found else tuple(sorted(own.named - line.gone)),
        finding=found,
    )


def foreign(journal: Journal, own: Walk) -> Finding | None:
    """A finding about what is stored, and belongs to no entry."""
    strange = [
        *(f"the shared content {each} is named by no entry" for each in sorted(own.unclaimed)),
        *journal.strays(own.run),
        *(["it has no entries"] if not own.rows else []),
    ]
    return Finding(own.run, None, "", "", "", strange[0]) if strange else None


class Line:
    """A run and those it was forked from, each gone through once.

    All of them number alike what they share, but for the first entry, which each has of its own.
    """

    def __init__(self, journal: Journal, beat: Callable[[int], None]) -> None:
        self.named: set[str] = set()
        self.gone: set[str] = set()
        self.erased: dict[str, Finding] = {}
        self._found: list[Finding] = []
        self._journal = journal
        self._beat = beat
        self._walks: dict[str, Walk] = {}

    def finding(self) -> Finding | None:
        """The first that does not fit."""
        silent = [gone for each, gone in self.erased.items() if each not in self.named]
        return min((*self._found, *silent), key=lambda each: each.number or 0, default=None)

    def follow(self, run: str, claims: Sequence[Claim], needed: int | None) -> Walk:
        """Go through a run of which the first entries are `needed`, or all, and then through the
        one that it was forked from. Raises RunNotFound."""
        done = sum(each.rows for each in self._walks.values())
        result = self._walks[run] = walk(
            self._journal,
            run,
            wanted=[claim.number for claim in claims],
            search=lambda commitment: inherited(self._journal, run, commitment),
            beat=lambda rows: self._beat(done + rows),
        )
        self.named |= result.named
        self.gone |= result.erased.keys()
        wrong = self._wrong(result, claims, needed)
        if wrong is None:
            within = {c: f for c, f in result.erased.items() if is_within(f, needed)}
            self.erased = {**within, **self.erased}
        else:
            self._found.append(wrong)
        if result.origin is not None and (wrong is None or wrong.number):
            self._descend(result, result.origin, claims, needed)
        return result

    def _wrong(self, walk: Walk, claims: Sequence[Claim], needed: int | None) -> Finding | None:
        """The first that does not fit of what is needed of a run."""
        if walk.finding is not None and is_within(walk.finding, needed):
            return walk.finding
        for claim in claims:
            known = walk.digests.get(claim.number)
            inherits = walk.origin is not None and 0 < claim.number < walk.origin.cut
            if not inherits and known != claim.digest:
                return refuted(walk, claim, known)
        return None

    def _descend(
        self, walk: Walk, origin: Origin, claims: Sequence[Claim], needed: int | None
    ) -> None:
        """Go through what a fork shares."""
        deeper = [claim for claim in claims if 0 < claim.number < origin.cut]
        if needed is None or needed >= origin.cut:
            deeper.append(Claim(origin.cut - 1, origin.digest, walk.run))
        if origin.parent in self._walks:
            what = f"it says that it is a fork of run {origin.parent}, which is a fork of it"
            self._found.append(about_first(walk.run, what))
        elif deeper:
            try:
                self.follow(origin.parent, deeper, min(needed or origin.cut, origin.cut))
            except RunNotFound:
                what = f"run {origin.parent}, whose entries it shares, is not in this journal"
                self._found.append(about_first(walk.run, what))


def is_within(finding: Finding, needed: int | None) -> bool:
    return needed is None or (finding.number or 0) < needed


def refuted(walk: Walk, claim: Claim, known: str | None) -> Finding:
    """The finding about an entry that is not there, or not as somebody says."""
    if claim.by:
        has = f"entry {claim.number} has another digest" if known else f"there are {walk.entries}"
        what = f"it says that it shares {claim.number + 1} entries of run {walk.run}, where {has}"
        return about_first(claim.by, what)
    if known is None:
        what = f"it is missing; the head was exported with {claim.number + 1} entries"
        return Finding(walk.run, walk.entries, "", "", "", what)
    what = "its digest is not the one that was exported; it or one before it was written anew"
    return Finding(walk.run, claim.number, "", "", "", what)


def about_first(run: str, what: str) -> Finding:
    return Finding(run, 0, "0//0", "RunStarted", "coordinator", what)


def inherited(journal: Journal, run: str, commitment: str) -> Content | None:
    """A shared content that is stored with one of the runs that a run was forked from."""
    seen = {run}
    try:
        while (origin := origin_of(journal, run)) is not None and origin.parent not in seen:
            run = origin.parent
            seen.add(run)
            content = journal.content(run, commitment)
            if content is not None:
                return content
    except RunNotFound:
        pass
    return None
