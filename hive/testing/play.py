"""One role alone, for one turn (rim)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hive.beginning import SCHEMA_VERSION, desk_for
from hive.board.board import USER
from hive.board.contributions import Goal, Note
from hive.board.entry import Address, Entry
from hive.board.payload import Payload
from hive.board.records import RunStarted
from hive.board.tape import Tape
from hive.board.view import View
from hive.clock import SystemClock
from hive.control import Graph, finish, handoff, start
from hive.coordinator import Coordinator
from hive.journal.journal import new_run_id
from hive.journal.memory import MemoryJournal
from hive.models import Model
from hive.phases.strand import Desk, Limits
from hive.role import TOOLS_POST, USERS, Role
from hive.tools.approval import Approver
from hive.tools.call import Call
from hive.tools.tool import Tool
from hive.tools.workspace import Workspace
from hive.workflow import Workflow

__all__ = ["play"]


class Prepared(Coordinator):
    """A run whose board holds some contributions of the user beside the goal."""

    payloads: Sequence[Payload] = ()
    giver = ""
    """The role that leads to the one that plays."""

    def begin(self, first: RunStarted) -> None:
        self.post((0,), first)
        for place, payload in enumerate(self.payloads, 1):
            self.desk.writer.post(Address(0, "", (place,)), USER, payload, origin=USER)
        self.board.close_turn()
        # As if the giver had acted: what waits for its payloads may come next.
        self.board.state = self.board.state._replace(frontier=(self.giver,))


async def play(
    role: Role,
    model: str | Model | None = None,
    payloads: Iterable[Payload] = (),
    *,
    goal: str = "Do your part.",
    workspace: str | Path | None = None,
    approvals: Approver | None = None,
    limits: Limits | None = None,
) -> list[Entry]:
    """Give one role one turn over a board with a goal and some payloads of the user; its entries,
    in address order: requests, replies, tool calls, faults and what it posted.

        entries = await play(surveyor, ScriptedModel(["…"]), [Task(id="T1", title="Measure.")])
        posted = [entry.payload for entry in entries if entry.level == "domain"]

    Raises DeclarationError for a role that could not work.
    """
    given = tuple(payloads)
    giver = giver_of(role, given)
    graph = Graph(start(giver), handoff(giver, role), finish(role))
    workflow = Workflow(graph, model=model, limits=limits)
    place = None if workspace is None else Workspace(Path(workspace))
    desk = desk_for(
        workflow, new_run_id(), MemoryJournal(), SystemClock(), Tape(), place, approvals
    )
    coordinator = Prepared(workflow.team(), desk, goal, seed=0)
    coordinator.payloads = (Goal(text=goal), *given)
    coordinator.giver = giver.name
    try:
        await coordinator.run(opening(workflow, desk))
    finally:
        desk.close()
    entries = [entry for entry in desk.writer.board.entries if entry.address.role == role.name]
    return sorted(entries, key=lambda entry: (entry.address, entry.attempt))


def giver_of(role: Role, payloads: tuple[Payload, ...]) -> Role:
    """A role that declares the payloads' kinds and never acts, so that the graph is whole."""

    async def nothing(view: View) -> None:
        return None

    async def never(arguments: Mapping[str, object], call: Call) -> str:
        return ""

    named = [type(payload) for payload in payloads] + ([role.per] if role.per else [])
    kinds = tuple(dict.fromkeys(named))
    own = tuple(cls for cls in kinds if cls.kind not in TOOLS_POST | USERS)
    brought = tuple(cls for cls in kinds if cls.kind in TOOLS_POST)
    tools = (Tool("bring", "Bring it.", {}, never, posts=brought),) if brought else ()
    name = "given" if role.name != "given" else "giver"
    return Role(name, writes=own or (Note,), tools=tools, program=nothing)


def opening(workflow: Workflow, desk: Desk, seed: int = 0) -> RunStarted:
    """The first entry of a run made for a test."""
    return RunStarted(
        run=desk.writer.run,
        hive="test",
        schema_version=SCHEMA_VERSION,
        workflow=workflow.name,
        fingerprint=desk.writer.keep(workflow.manifest_bytes),
        vocabulary=desk.writer.keep(workflow.vocabulary_bytes),
        seed=seed,
    )
