"""When a run is over (floor 6): by its graph, its budget, its time, or somebody's word."""

from hive.board.entry import Address
from hive.board.records import Decision, Fault, Resumed
from hive.board.state import State
from hive.concluding import cancelled
from hive.control.graphs.graph import Ending
from hive.control.guards.guard import has_failed
from hive.control.guards.watch import stop_due
from hive.phases.strand import Desk
from hive.team import Team

__all__ = ["Endings"]


class Endings:
    """Looks, between two turns, whether there is to be another one."""

    def __init__(self, team: Team, desk: Desk) -> None:
        self.team = team
        self.desk = desk
        self.board = desk.writer.board
        self.stopping: str | None = None
        """Why somebody stopped the run, if anybody did."""

    def due(self) -> Ending | None:
        """Whether the run is over: by its graph, or because its budget leaves no room."""
        state = self.board.state
        stopped = (written(state) if self.may_be_written(state) else None) or self.stopped()
        if stopped is not None:
            return stopped
        if not state.turn and self.team.budget.turns != 0:
            return None
        ending = self.team.graph.termination(state)
        if ending is None and self.team.watches:
            ending = stop_due(self.team.watches, state)
        if ending is not None:
            return ending
        if self.desk.books.uncapped:
            return None
        budget = self.team.budget
        cap = budget.exhausted(state)
        if cap is None:
            return starved(state)
        return Ending("stopped", "budget_exhausted", cap, f"the {cap} is used up")

    def may_be_written(self, state: State) -> bool:
        """Whether the last turn may have been that of who writes the answer: its decision would
        have to be read from its bytes to see that, which costs as much as a fifth of a turn."""
        return self.team.writer is not None or not self.team.graph.roles.keys() >= {*state.frontier}

    def seconds_left(self) -> float | None:
        """Seconds until the run's deadline, by the record's own clock."""
        cap = self.team.budget.seconds
        if cap is None:
            return None
        state = self.board.state
        idle = state.idle + sum(
            entry.payload.idle
            for entry in self.board.of_kind(Resumed)
            if entry.address.turn > state.turn and isinstance(entry.payload, Resumed)
        )
        used = self.desk.writer.clock.now() - state.started - idle
        return max(0.0, cap - used / 1_000_000)

    def stopped(self) -> Ending | None:
        """The ending of a run that was stopped, or was on record; None while it may go on."""
        return self.on_record() if self.stopping is None else cancelled(self.stopping)

    def on_record(self) -> Ending | None:
        """The ending that is on record here, where neither board nor workflow decides it."""
        told = self.desk.tape.cut_short(self.board.state.turn + 1)
        if told is None:
            return None
        return Ending(told.outcome, told.reason, told.guard, told.message)

    def out_of_time(self) -> Ending:
        """The ending of a run whose open turn was cut off."""
        stopped = self.stopped()
        if stopped is not None:
            return stopped
        self.desk.tape.missing(Address(self.board.state.turn + 1, "", (0,)), "ending")
        cap = f"budget(seconds={self.team.budget.seconds})"
        return Ending("stopped", "time_exhausted", cap, f"the {cap} is used up")


def written(state: State) -> Ending | None:
    """The ending of a run whose answer was asked for in the turn before."""
    newest = state.latest(Decision)
    if newest is None or newest.ending is None:
        return None
    told = newest.ending
    return Ending(told.outcome, told.reason, told.guard, told.message)


def starved(state: State) -> Ending | None:
    """The end of a run in whose last turn nobody could be asked for want of budget."""
    faults = [state.newest.get(f"{role}/{Fault.kind}") for role in state.frontier]
    messages = [
        fault.payload.message
        for fault in faults
        if fault is not None
        and isinstance(fault.payload, Fault)
        and fault.payload.code == "budget_exhausted"
    ]
    if len(messages) < len(faults) or not all(has_failed(state, r) for r in state.frontier):
        return None
    return Ending("stopped", "budget_exhausted", "", messages[0]) if messages else None
