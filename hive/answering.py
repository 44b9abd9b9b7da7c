"""The answer that a role writes (floor 6): asked for when a run has ended, and paid for before."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from hive.board.board import COORDINATOR
from hive.board.canonical import decode, encode
from hive.board.contributions import Attachment, Goal
from hive.board.entry import Address
from hive.board.media import without_bytes
from hive.board.payload import Payload
from hive.board.records import Conclusion, Decision, Shortage, StrandPlan
from hive.board.tape import SHORT
from hive.board.view import Shown, excerpt, narrowed
from hive.control.allocating.complexity import judged
from hive.control.budgets.scope import NOTHING, Grant, Scope
from hive.control.graphs.graph import Ending
from hive.control.graphs.move import Line
from hive.decider import Decider
from hive.ending import Endings
from hive.errors import BudgetExceeded, DeclarationError
from hive.message import Request
from hive.models.bound import input_bound, parts_bound
from hive.phases.granting import least
from hive.phases.strand import Desk, Strand
from hive.rationing import WORDS, first_request, reserved, shown_bound
from hive.role import Role
from hive.team import Team

__all__ = ["Answering"]

LEAST_VIEW = 8_000
"""How much of the board who writes the answer can be shown for certain, beside the goal, as a bound
in tokens: as many bytes, with some for each entry."""
OUTPUT = 1_024
"""Tokens of an answer that are kept back."""
LONGEST_WHY = 300
"""Characters of an ending's message that are told who writes the answer."""

Planned = Callable[[Mapping[str, str]], StrandPlan]
"""Allots a model to who writes the answer, without those under some keys."""


class Answering:
    """Has the answer of a run written by a role, in the last turn before its Termination."""

    def __init__(self, team: Team, desk: Desk, decider: Decider, endings: Endings) -> None:
        self.team = team
        self.desk = desk
        self.board = desk.writer.board
        self.decider = decider
        self.endings = endings

    def prepare(self, goal: str, attachments: tuple[Attachment, ...]) -> None:
        """Keep back what the answer needs at least. Raises DeclarationError for a budget that could
        not even hold that, where the run begins."""
        writer, books = self.team.writer, self.desk.books
        if writer is None or not writer.asks_model or not self.desk.tape.live or not books.capped:
            return
        bound = self.briefed(writer) + LEAST_VIEW + self.given(goal, attachments)
        scope = books.probe(writer.name)
        cards = [self.team.minds[key].card for key in self.team.keys_for(writer.name)]
        needs = [(least(scope, card, bound, self.output), card.name) for card in cards]
        grant, name = min(needs)
        try:
            books.keep_ending(writer.name, grant)
        except BudgetExceeded as error:
            if self.board.entries:  # one that goes on ends as well as it can
                return
            raise DeclarationError(
                f"the budget cannot hold the answer that {writer.name!r} is to write: its one call"
                f" of {name} may need {grant.tokens} tokens; {error}. Raise that cap, or leave"
                " synthesis= out"
            ) from error

    @property
    def output(self) -> int:
        return min(OUTPUT, self.team.limits.output_tokens)

    def briefed(self, writer: Role) -> int:
        """What the request comes to at most beside what is shown of the board."""
        told = self.team.briefings[writer.name]
        return WORDS + input_bound(Request("", told.system, (), told.tools, told.output))

    def given(self, goal: str, attachments: tuple[Attachment, ...]) -> int:
        """What the goal, with what the user handed over with it, counts at most."""
        kinds = self.team.reads[self.team.writer.name] if self.team.writer else frozenset()
        payloads: Iterable[Payload] = (Goal(text=goal), *attachments)
        if self.board.entries:
            entries = (*self.board.of_kind(Goal), *self.board.of_kind(Attachment))
            payloads = [entry.payload for entry in entries if not entry.address.turn]
        return sum(given_bound(each) for each in payloads if each.kind in kinds)

    def decision(self, ending: Ending) -> Decision | None:
        """That the role writes the answer to a run which ends so; None where nobody is asked: there
        is no such role, it was asked already, somebody stopped the run, or its time is up."""
        state, tape = self.board.state, self.desk.tape
        writer, number = self.team.writer, state.turn + 1
        newest = state.latest(Decision)
        if writer is None or (newest is not None and newest.ending is not None):
            return None
        recorded = tape.decision(number)
        if recorded is None and (
            not tape.live or ending.reason == "cancelled" or self.endings.seconds_left() == 0
        ):
            return None
        if newest is None:
            complexity = judged(self.team.estimator, self.decider.goal, state)
        else:
            complexity = newest.complexity
        situation = self.decider.situation(state, (), None, number)
        line = Line(writer.name)
        planned = partial(self.decider.planned, line, situation, complexity)
        if recorded is not None:
            plan, view = self.as_before(recorded, number, planned)
        else:
            plan, view = self.afforded(ending, number, planned)
        return Decision(
            policy="synthesis",
            chosen=0,
            candidates=(),
            strands=(plan,),
            deterministic=True,
            complexity=complexity,
            features=dict(situation.features),
            signature=complexity.level,
            reason=f"the run has ended ({ending.reason}), and {writer.name} writes the answer",
            ending=Conclusion(
                outcome=ending.outcome,
                reason=ending.reason,
                guard=ending.guard,
                message=ending.message,
                view=view,
            ),
        )

    def afforded(
        self, ending: Ending, number: int, planned: Planned
    ) -> tuple[StrandPlan, int | None]:
        """The plan of who writes, with a model that what was kept back and what is left suffices
        for, and how much of the board they can be shown."""
        team, books = self.team, self.desk.books
        writer = team.writer
        assert writer is not None
        if not writer.asks_model or not books.capped:
            return planned({}), None
        books.begin_ending(writer.name, number)
        scope = books.strand(writer.name, writer.name, number)
        kept = scope.kept or NOTHING
        scope.claim()
        sizes = Sizes(self.team, self.desk, scope.of_call(), told(ending), self.output)
        unfit: dict[str, str] = {}
        while wrong := sizes.refused(team.keys_for(writer.name, unfit)):
            unfit |= wrong
        if unfit:
            self.post(number, Shortage(roles={writer.name: unfit}))
        plan = planned(unfit)
        view = sizes.view(plan.key or "")
        if kept == NOTHING or plan.key in unfit:  # as where a scope was closed meanwhile
            return plan, view
        scope.keep(kept)
        return reserved(plan, kept), view

    def as_before(
        self, recorded: Decision, number: int, planned: Planned
    ) -> tuple[StrandPlan, int | None]:
        """What is on record of that."""
        short = self.desk.tape.shortage(number, 1)
        if short is not None:
            self.post(number, short)
        self.desk.books.begin_ending(self.decider.roles[recorded.strands[0].role].name, number)
        unfit = {} if short is None else next(iter(short.roles.values()), {})
        plan, known = planned(unfit), recorded.ending
        for before in recorded.strands:
            plan = reserved(plan, Grant(before.reserved, before.reserved_tokens))
        return plan, None if known is None else known.view

    def post(self, number: int, found: Shortage) -> None:
        where = Address(number, "", (SHORT, 1))
        self.desk.writer.post(where, COORDINATOR, found, origin=COORDINATOR)

    def opened(self, strand: Strand, ending: Conclusion) -> Strand:
        """The strand in which the answer is written: what it is shown, and what it is told."""
        view = strand.view
        if ending.view is not None:
            view = narrowed(view, ending.view, partial(size, strand.plan.model))
        return strand._replace(view=view, task=told(ending))


class Sizes:
    """What the request for the answer comes to, and what the budget has room for."""

    def __init__(self, team: Team, desk: Desk, scope: Scope, task: str, output: int) -> None:
        self.team = team
        self.desk = desk
        self.scope = scope
        self.task = task
        self.output = output
        writer = team.writer
        assert writer is not None
        self.line = Line(writer.name)
        board = desk.writer.board
        self.seen = board.view(team.reads[writer.name], team.limits.view_tokens)

    def bounds(self, key: str) -> tuple[int, int]:
        """Bounds of its input, with the whole view and with nothing but what was given."""
        model = self.team.minds[key].name
        bare = narrowed(self.seen, 0, partial(size, model))
        whole, least_of_all = (
            input_bound(first_request(self.team, self.desk, self.line, key, view, self.task))
            for view in (self.seen, bare)
        )
        return whole, least_of_all

    def need(self, key: str, bound: int) -> Grant:
        return least(self.scope, self.team.minds[key].card, bound, self.output)

    def refused(self, keys: Iterable[str]) -> dict[str, str]:
        """The models for whose least call there is no room, with why."""
        wrong = {}
        for key in keys:
            whole, bare = self.bounds(key)
            try:
                self.scope.judge(self.need(key, min(whole, bare + LEAST_VIEW)))
            except BudgetExceeded as error:
                wrong[key] = str(error)
        return wrong

    def view(self, key: str) -> int | None:
        """How much of the board there is room for, as a bound in tokens; None for all of it."""
        whole, bare = self.bounds(key)
        if self.fits(key, whole):
            return None
        low, high = 0, max(0, whole - bare)
        while low < high:  # the price never falls with the input, so halving finds the limit
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.fits(key, bare + middle) else (low, middle - 1)
        return low

    def fits(self, key: str, bound: int) -> bool:
        cost, tokens = self.scope.room()
        need = self.need(key, bound)
        return (cost is None or need.cost <= cost) and (tokens is None or need.tokens <= tokens)


def size(model: str, shown: Shown) -> int:
    """What an entry counts at most in a request to a model."""
    return parts_bound(shown.parts, model)


def told(ending: Ending | Conclusion) -> str:
    """What who writes the answer is told of how the run ended."""
    why = excerpt(" ".join(ending.message.split()), LONGEST_WHY, "it is on record")
    lines = [f"The run has ended, and nobody acts after you: {ending.outcome} ({ending.reason})."]
    lines += [f"{why}."] if why else []
    lines.append(
        "Write the answer to the goal from what is on the board."
        if ending.outcome == "finished"
        else "The goal was not reached. Write what was found out all the same, as an answer to it,"
        " and say what is missing; claim nothing that the board does not show."
    )
    return "\n".join(lines)


def given_bound(payload: Payload) -> int:
    """What an entry of turn 0 counts at most where it is shown."""
    body = payload.written()[0]
    if not isinstance(payload, Attachment):
        return shown_bound(body)
    return shown_bound(encode(without_bytes(decode(body))), (payload.media,))
