"""Rationing (floor 6): what the budget still has room for, told before a decision is made.

Where calls are capped, nobody is asked for whom not even a short call fits: a cheaper model is
taken for them, a move of them alone is no candidate, and what the strands of a turn need at least
is kept back from their siblings. What was found stands on record, so that a run which is resumed or
replayed decides as it did.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from hive.board.board import COORDINATOR, Board
from hive.board.entry import Address, Entry
from hive.board.media import MARK, media_in
from hive.board.records import Decision, Shortage, StrandPlan
from hive.board.tape import SHORT
from hive.board.view import LONGEST_SHOWN, View
from hive.control.budgets.scope import NOTHING, Grant
from hive.control.graphs.graph import Ending
from hive.control.graphs.move import Line, Move
from hive.errors import BudgetExceeded
from hive.message import Media, Request
from hive.models.bound import input_bound, parts_bound
from hive.phases.assemble import Talk, assemble
from hive.phases.granting import LEAST_OUTPUT, least
from hive.phases.strand import Desk, Strand
from hive.team import Team

__all__ = [
    "Rations",
    "affordable",
    "first_request",
    "rations_for",
    "reserved",
    "shown_bound",
    "starved",
]

HEADING = 160
"""Bytes of an entry's first line beside its names, and what its part of a request counts."""
MOST_SHOWN = 4 * LONGEST_SHOWN + 200
"""Bytes of the longest entry as it is shown."""
WORDS = 2_048
"""Bytes of the last words of a request: whose turn it is, and what they are told."""
TILED = "gpt-4o-mini"
"""A model for which pictures count the most."""

Replan = Callable[[Line, Mapping[str, str]], StrandPlan]
"""Allots a model to a strand once more, without those under some keys, for which it says why."""


def rations_for(team: Team, desk: Desk) -> "Rations | None":
    """Who looks after the budget of a run; None where nothing that calls use is capped."""
    return Rations(team, desk) if desk.books.capped else None


class Anchor(NamedTuple):
    """What a role's first request came to at most, and how much the board had grown by then."""

    bound: int
    grown: int


class Rations:
    """Looks, before each decision, whose calls the budget has room for."""

    def __init__(self, team: Team, desk: Desk) -> None:
        self.team = team
        self.desk = desk
        self.board = desk.writer.board
        self.growth = Growth(self.board)
        self._anchors: dict[str, Anchor] = {}
        self._needs: dict[tuple[str, int], Grant] = {}
        self._plenty: tuple[int, Grant, Grant] | None = None
        """A turn for which there is plenty, and what was on the books when that was found."""

    def shortage(self, number: int, moves: tuple[Move, ...]) -> Shortage | None:
        """For whom the budget has no room before the decision of a turn, on record; None where
        everybody may be asked."""
        tape = self.desk.tape
        found = tape.shortage(number, 0)
        if found is None and not tape.begun(number):
            self.desk.books.let_go(number)
            if not self.plenty(number, moves):
                found = self.found(number, moves)
        if found is not None:
            self.post(number, 0, found)
        return found

    def post(self, number: int, place: int, found: Shortage) -> None:
        """Put on record what was found."""
        where = Address(number, "", (SHORT, place))
        self.desk.writer.post(where, COORDINATOR, found, origin=COORDINATOR)

    def found(self, number: int, moves: tuple[Move, ...]) -> Shortage | None:
        """Look, role by role, at the least call with each model that it may get."""
        lines: dict[str, Line] = {}
        for move in moves:
            for line in move.strands:
                known = lines.get(line.role)
                if known is None or self.weight(line) < self.weight(known):
                    lines[line.role] = line
        roles, left_out = {}, {}
        for role, line in lines.items():
            if not self.asks(role):
                continue
            unfit, cheapest = self.unfit(line, number)
            if unfit:
                roles[role] = unfit
            if cheapest:
                left_out[role] = cheapest
        return Shortage(roles=roles, left_out=left_out) if roles else None

    def unfit(self, line: Line, number: int) -> tuple[dict[str, str], str]:
        """The keys of the models that a strand may get whose least call does not fit, with why; and
        why the cheapest does not, where none is left."""
        unfit: dict[str, str] = {}
        needs: dict[str, Grant] = {}
        rested = self.desk.books.rested(line.role, number)
        while open_to := self.team.keys_for(line.role, unfit):
            needs |= {key: self.least(line, key) for key in open_to}
            wrong = {
                key: why
                for key in open_to
                if (why := rested or self.refused(line.role, needs[key]))
            }
            if not wrong:
                return unfit, ""
            unfit |= wrong
        return unfit, unfit[min(needs, key=lambda key: (needs[key], key))] if unfit else ""

    def refused(self, role: str, grant: Grant) -> str:
        """Why a call in a new strand of a role has no room; "" where it has."""
        try:
            self.desk.books.probe(role).judge(grant)
        except BudgetExceeded as error:
            return str(error)
        return ""

    def asks(self, role: str) -> bool:
        """Whether a role asks a model; a program and a person use no budget."""
        return role not in self.team.programs

    def weight(self, line: Line) -> int:
        """How much the entry adds to a request that a strand is opened for."""
        return 0 if line.cause is None else len(self.board.referenced(line.cause).body)

    def least(self, line: Line, key: str, task: str = "") -> Grant:
        """What the first call of a strand needs at least with the model under a key."""
        team = self.team
        view = self.board.view(team.reads[line.role], team.limits.view_tokens)
        if line.cause is not None:
            view = view._replace(cause=self.board.referenced(line.cause))
        bound = input_bound(first_request(team, self.desk, line, key, view, task))
        if line.cause is None:
            self._anchors[line.role] = Anchor(bound, self.growth.total)
        scope, card = self.desk.books.probe(line.role), team.minds[key].card
        return least(scope, card, bound, min(LEAST_OUTPUT, team.limits.output_tokens))

    def plenty(self, number: int, moves: tuple[Move, ...]) -> bool:
        """Whether there is room for a long first call of every strand of any of the moves, by what
        the board can have grown to since that was looked at closely."""
        books = self.desk.books
        now = (number, books.run.spent, books.run.reserved)
        if now == self._plenty:  # for this move and others
            return True
        self.growth.advance()
        roles = {line.role for move in moves for line in move.strands}
        most = max((len(move.strands) for move in moves), default=0)
        for role in roles:
            if not self.asks(role):
                continue
            need = self.need(role)
            if self.refused(role, need) or books.rested(role, number):
                return False
            around = books.around(role)
            cost, tokens = around.room()
            calls = around.calls_left()
            if (
                (cost is not None and cost < most * need.cost)
                or (tokens is not None and tokens < most * need.tokens)
                or (calls is not None and calls < most)
            ):
                return False
        self._plenty = now
        return True

    def need(self, role: str) -> Grant:
        """More than the first call of a role's strand needs with the longest answer."""
        anchor = self._anchors.get(role)
        if anchor is None:
            anchor = self._anchors[role] = Anchor(self.base(role), 0)
        bound = anchor.bound + self.growth.total - anchor.grown
        if self.team.role(role).per is not None:
            bound += MOST_SHOWN
        size = bound.bit_length()
        known = self._needs.get((role, size))
        if known is None:
            most, output = 1 << size, self.team.limits.output_tokens
            keys = self.team.keys_for(role, ()) or tuple(self.team.minds)
            cost = max((self.team.minds[key].card.worst(most, output) for key in keys), default=0)
            known = self._needs[role, size] = Grant(cost, most + output)
        return known

    def base(self, role: str) -> int:
        """What a role's first request comes to at most beside what it sees of the board."""
        told = self.team.briefings[role]
        request = Request("", told.system, (), told.tools, told.output)
        return input_bound(request) + WORDS

    def keep(self, number: int, move: Move, decision: Decision, replan: Replan) -> Decision:
        """The decision, with what is kept back for its strands, where the room is short; a cheaper
        model is taken where the models of all would not fit beside each other."""
        tape = self.desk.tape
        recorded = tape.decision(number)
        if recorded is None and tape.live:
            if self.plenty(number, (move,)):
                return decision
            plans, unfit = self.shared(number, move, decision, replan)
        else:
            short = tape.shortage(number, 1)
            unfit = {} if short is None else short.strands
            kept = {} if recorded is None else {plan.strand: plan for plan in recorded.strands}
            plans = [
                plan if line.strand not in unfit else replan(line, unfit[line.strand])
                for line, plan in zip(move.strands, decision.strands, strict=True)
            ]
            plans = [
                reserved(plan, Grant(kept[plan.strand].reserved, kept[plan.strand].reserved_tokens))
                if plan.strand in kept
                else plan
                for plan in plans
            ]
        if unfit:
            self.post(number, 1, Shortage(strands=unfit))
        return decision.model_copy(update={"strands": tuple(plans)})

    def shared(
        self, number: int, move: Move, decision: Decision, replan: Replan
    ) -> tuple[list[StrandPlan], dict[str, dict[str, str]]]:
        """Keep back what each strand needs at least: a strand's plan, and which models were too
        dear for it beside its siblings. The last strands are the first to take cheaper ones."""
        plans, unfit = list(decision.strands), dict[str, dict[str, str]]()
        lines, task = move.strands, decision.nudge
        leasts = [self.needed(line, plan, task) for line, plan in zip(lines, plans, strict=True)]
        while why := self.too_dear(number, plans, leasts):
            for place in reversed(range(len(plans))):
                line, plan, grant = lines[place], plans[place], leasts[place]
                if plan.key is None:
                    continue
                dear = {**unfit.get(line.strand, {}), plan.key: why}
                other = replan(line, dear)
                need = self.needed(line, other, task)
                if other.key in dear or need.cost >= grant.cost:
                    continue
                unfit[line.strand] = dear
                plans[place], leasts[place] = other, need
                break
            else:
                break
        for place, (plan, grant) in enumerate(zip(plans, leasts, strict=True)):
            if grant != NOTHING:
                with suppress(BudgetExceeded):
                    self.desk.books.keep(plan.role, plan.strand, number, grant)
                    plans[place] = reserved(plan, grant)
        return plans, unfit

    def needed(self, line: Line, plan: StrandPlan, task: str) -> Grant:
        """What a planned strand needs at least."""
        return NOTHING if plan.key is None else self.least(line, plan.key, task)

    def too_dear(
        self, number: int, plans: Sequence[StrandPlan], leasts: Sequence[Grant]
    ) -> str | None:
        """Why there is not money enough for the least calls of all strands beside each other; None
        where there is, and where something else is short, which cheaper models would not mend."""
        books = self.desk.books
        try:
            for plan, grant in zip(plans, leasts, strict=True):
                if grant == NOTHING:
                    continue
                try:
                    books.keep(plan.role, plan.strand, number, grant)
                except BudgetExceeded as error:
                    free = Grant(0, grant.tokens)
                    return None if self.refused(plan.role, free) else str(error)
        finally:
            books.let_go(number + 1)
        return None


def first_request(team: Team, desk: Desk, line: Line, key: str, view: View, task: str) -> Request:
    """What the first request of a strand would be with the model under a key."""
    role, mind = team.role(line.role), team.minds[key]
    plan = StrandPlan(
        strand=line.strand, role=role.name, sample=line.sample, model=mind.name, key=key
    )
    strand = Strand(
        desk, 0, plan, role, None, mind.card, desk.books.run, view, view.label, (),
        team.briefings[role.name], "", line.strand, "", task,
    )  # fmt: skip
    return assemble(strand, Talk([]))


def reserved(plan: StrandPlan, grant: Grant) -> StrandPlan:
    """A plan with what is kept back for its strand."""
    if grant == NOTHING:
        return plan
    return plan.model_copy(update={"reserved": grant.cost, "reserved_tokens": grant.tokens})


def starved(found: Shortage) -> Ending:
    """The end of a run in which nobody can be asked any more."""
    why = [f"{role}: {cheapest}" for role, cheapest in sorted(found.left_out.items())]
    return Ending(
        "stopped", "budget_exhausted", "", f"nobody can be asked any more; {'; '.join(why)}"
    )


def affordable(moves: tuple[Move, ...], found: Shortage) -> tuple[Move, ...]:
    """The moves in which somebody can be asked."""
    out = frozenset(found.left_out)
    return tuple(move for move in moves if not out.issuperset(move.roles))


class Growth:
    """How much more a board can show since it was begun, as a bound in tokens. Each entry is looked
    at once."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.total = 0
        self._position = 0

    def advance(self) -> None:
        """Take in what views can show since the last time."""
        visible = self.board.visible
        for entry in visible[self._position :]:
            self.total += weight(entry)
        self._position = len(visible)


def weight(entry: Entry) -> int:
    """How many tokens an entry counts at most where it is shown."""
    names = len(entry.author) + len(entry.kind) + len(entry.address.strand)
    media = media_in(entry) if MARK in entry.body else ()
    return names + shown_bound(entry.body, media)


def shown_bound(body: bytes, media: Iterable[Media] = ()) -> int:
    """How many tokens the data of an entry, with the images and files in it, count at most where
    they are shown."""
    longest = len(body) if body.isascii() else 3 * len(body)  # some line breaks are shown as six
    return HEADING + min(longest, MOST_SHOWN) + parts_bound(media, TILED)
