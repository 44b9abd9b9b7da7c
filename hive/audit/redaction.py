"""Erasing contents for good (floor 7), so that the chain still verifies and says what was done.

A Redaction entry comes first and the erasing after it: a process that dies between the two leaves a
record that says what is to be erased, and doing it again finishes it.
"""

from contextlib import ExitStack
from typing import NamedTuple

import orjson

from hive.audit.archive import ancestry, unknown_beginnings
from hive.audit.whereabouts import Selection, Spot, spots
from hive.board.board import USER
from hive.board.records import Observation, Redaction, RunStarted, Termination, ToolCall
from hive.errors import JournalError, RedactionRefused, RunHeld
from hive.journal.appending import append_apart
from hive.journal.journal import Journal, own_name

__all__ = ["Plan", "Refusal", "Share", "Told", "plan", "redact"]

SLOT = 10
"""Redactions stand at (10, n) on the coordinator's strand."""
PASSED = frozenset({ToolCall.kind, Observation.kind})
"""Kinds that a run does not come back to once their turn is over, unless files were changed."""
GOES_ON = "the run can still go on (`hive stop` ends it), and"


class Share(NamedTuple):
    """What a run has of the contents that are to be erased: the entries that say them, and the
    commitments (hex) that its log names. `known` says whether Redactions of it name them all."""

    run: str
    entries: tuple[Spot, ...]
    contents: tuple[str, ...]
    known: bool


class Refusal(NamedTuple):
    """An entry of a run that says, or was the first to keep, what has to stay, and why."""

    run: str
    spot: Spot
    content: str
    why: str

    def __str__(self) -> str:
        spot = self.spot
        return (
            f"entry {spot.number} ({spot.address}, {spot.kind} by {spot.author}) of run {self.run}"
            f" cannot lose its content: {self.why}"
        )


class Plan(NamedTuple):
    """What an erasure comes to: the run itself and those that store contents first, then the others
    that share them; what cannot be erased; and the runs of which nobody can tell whether they share
    anything of it, for they cannot be read."""

    owners: tuple[Share, ...]
    others: tuple[Share, ...]
    refused: tuple[Refusal, ...]
    unread: tuple[str, ...] = ()


class Told(NamedTuple):
    """How a run was told: by an entry of its own, or through its inbox where somebody holds it."""

    run: str
    how: str


def plan(journal: Journal, selection: Selection) -> Plan:
    """What erasing some contents comes to, for all runs that have them."""
    owners = {*selection.contents.values(), *selection.items.values()}
    shares: list[Share] = []
    refused: list[Refusal] = []
    unread = set(unknown_beginnings(journal)) - owners
    for run in sorted(journal.runs()):
        if owners & {run, *ancestry(journal, run)}:
            try:
                share, against = share_of(journal, run, selection)
            except JournalError:
                if run in owners:
                    raise
                unread.add(run)
                continue
            refused += against
            if share.contents or run in owners:
                shares.append(share)
    return Plan(
        tuple(share for share in shares if share.run in owners),
        tuple(share for share in shares if share.run not in owners),
        tuple(refused),
        tuple(sorted(unread)),
    )


def redact(
    journal: Journal, selection: Selection, why: str, by: str, at: int
) -> tuple[Plan, list[Told]]:
    """Erase contents and say so in every run that has them; gives what was done.

    Raises RedactionRefused where something cannot be erased, RunHeld where a living process holds a
    run that stores it, and JournalError. Nothing is erased then, but where the last says so.
    """
    with ExitStack() as held:
        leases: dict[str, int] = {}
        for run in sorted({*selection.contents.values(), *selection.items.values()}):
            leases[run] = journal.hold(run, own_name())
            held.callback(journal.release, run)
        found = plan(journal, selection)
        for refusal in found.refused:
            raise RedactionRefused(str(refusal))
        told = [
            tell(journal, share, leases.get(share.run), why, by, at)
            for share in (*found.owners, *found.others)
            if share.contents and not share.known
        ]
        for share in found.owners:
            journal.erase(
                share.run,
                [spot.seq for spot in share.entries if spot.run == share.run],
                [each for each in share.contents if selection.contents[each] == share.run],
                [item for item, run in selection.items.items() if run == share.run],
            )
    return found, told


def share_of(journal: Journal, run: str, selection: Selection) -> tuple[Share, list[Refusal]]:
    """What a run has of the contents selected, and what of that cannot be erased."""
    wanted = selection.contents.keys()
    course = Standing()
    says: list[Spot] = []
    names: dict[str, Spot] = {}
    known: set[str] = set()
    for spot in spots(journal, run):
        course.take(spot)
        if spot.kind == Redaction.kind and "//" in spot.address:
            known.update(spot.data.get("contents", ()))
        for commitment in wanted & {spot.content, *spot.kept}:
            names.setdefault(commitment, spot)
        if spot.content in wanted:
            says.append(spot)
    spoken = {spot.content for spot in says}
    reasons = [
        *(Refusal(run, spot, spot.content, course.forbids(spot, says=True)) for spot in says),
        *(
            Refusal(run, spot, commitment, course.forbids(spot, says=False))
            for commitment, spot in names.items()
            if commitment not in spoken
        ),
    ]
    share = Share(run, tuple(says), tuple(sorted(names)), names.keys() <= known)
    return share, [each for each in reasons if each.why]


class Standing:
    """Where a run stands, as far as it bears on what it may lose: whether it has ended, its newest
    turn, and which entries that was shown."""

    def __init__(self) -> None:
        self.ended = False
        self.turn = 0
        self.shown: set[str] = set()

    def take(self, spot: Spot) -> None:
        """Take in one entry after the other."""
        if spot.turn > self.turn:
            self.turn = spot.turn
            self.shown.clear()
        self.shown.update(orjson.loads(spot.header)["causes"])
        self.ended = self.ended or (spot.kind == Termination.kind and "//" in spot.address)

    def forbids(self, spot: Spot, *, says: bool) -> str:
        """Why a content must stay: what an entry `says`, or else what it was the first to keep; ""
        where it need not."""
        if says and spot.kind == RunStarted.kind and not spot.number:
            return "it says which run this is, and without it nothing could be verified"
        if says and spot.kind == Redaction.kind:
            return "it says what was erased"
        if self.ended:
            return ""
        if spot.turn == self.turn:
            return f"{GOES_ON} is in the middle of that turn"
        if not spot.number:
            return f"{GOES_ON} is compared with it then"
        if says and (spot.kind not in PASSED or spot.data.get("changes")):
            return f"{GOES_ON} is taken up from what it says"
        return f"{GOES_ON} was shown it in its newest turn" if spot.address in self.shown else ""


def tell(journal: Journal, share: Share, lease: int | None, why: str, by: str, at: int) -> Told:
    """Have a run say what is erased: by an entry where it can be held, else through its inbox."""
    says = Redaction(
        why=why,
        by=by,
        entries=tuple(spot.address for spot in share.entries),
        contents=share.contents,
    )
    if lease is not None:
        append_apart(journal, share.run, lease, says, USER, SLOT, at)
        return Told(share.run, "entry")
    try:
        lease = journal.hold(share.run, own_name())
    except RunHeld:
        journal.send(share.run, at, by, "redacted", "", says.body().decode())
        return Told(share.run, "inbox")
    try:
        append_apart(journal, share.run, lease, says, USER, SLOT, at)
    finally:
        journal.release(share.run)
    return Told(share.run, "entry")
