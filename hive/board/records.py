"""The records (floor 1): the control level of the board, what the run did and why.

Money is in nano-dollars, time in microseconds. Roles do not read these by default; policies do.
"""

from typing import ClassVar, Literal

from pydantic import Field

from hive.board.payload import Level, Payload
from hive.board.pieces import (
    Allotted,
    Candidate,
    Change,
    Complexity,
    Conclusion,
    Drawn,
    FaultCode,
    Level5,
    Option,
    Outcome,
    Reason,
    ReviewDepth,
    StrandPlan,
)
from hive.message import Attempt, JsonObject, Media, Part, Settings, StopReason, Usage

__all__ = [
    "RECORDS",
    "STUCK",
    "Admission",
    "Allotted",
    "Approval",
    "Candidate",
    "Change",
    "Complexity",
    "Conclusion",
    "Decision",
    "Fault",
    "FaultCode",
    "Handoff",
    "Inference",
    "Level5",
    "Observation",
    "Option",
    "Outcome",
    "Overrun",
    "Paused",
    "Reason",
    "Record",
    "Redaction",
    "Request",
    "Resumed",
    "ReviewDepth",
    "RunStarted",
    "Shortage",
    "Spoken",
    "StrandPlan",
    "Suspension",
    "Synthesis",
    "Termination",
    "ToolCall",
]


class Record(Payload):
    """Base of the control level."""

    level: ClassVar[Level] = "control"


class RunStarted(Record):
    """The first entry of every run: who it is, where it came from, and the words it speaks."""

    run: str
    hive: str
    schema_version: int
    workflow: str
    overrides: JsonObject = Field(default_factory=dict)
    fingerprint: str
    """Commitment of the manifest of the workflow, part by part."""
    vocabulary: str
    """Commitment of the kinds it speaks: version, level and JSON Schema of each."""
    session: str | None = None
    parent: str | None = None
    """The run whose first `cut` entries this one shares, but for their very first."""
    cut: int | None = None
    cut_digest: str = ""
    """Digest (hex) of the last entry shared."""
    elapsed: int = 0
    """Microseconds that the shared part took."""
    tags: tuple[str, ...] = ()
    workspace: str | None = None
    snapshot: str | None = None
    """Commitment of the manifest of the workspace as it was found."""
    seed: int = 0
    pool: Drawn | None = None
    """The pool it draws on, with its caps when the run began."""


class Decision(Record):
    """Who acts next and with which model, chosen from what and with which probability."""

    policy: str
    chosen: int
    candidates: tuple[Candidate, ...]
    strands: tuple[StrandPlan, ...]
    deterministic: bool
    complexity: Complexity
    features: JsonObject = Field(default_factory=dict)
    signature: str = ""
    """What kind of task this is, for grouping logged decisions."""
    reason: str
    advisors: tuple[str, ...] = ()
    """Strands that were consulted before this decision."""
    allotted: Allotted | None = None
    """What the class of the work was allotted."""
    nudge: str = ""
    """What its roles are told beside what they see, since the run got no further."""
    ending: Conclusion | None = None
    """How the run is about to end, where this decision is that somebody writes its answer."""


class Request(Record):
    """A model is about to be asked; durable before the call is made.

    The entries shown are its causes, in order. `system`, `tools` and `output` are commitments of
    stored contents; `digest` identifies the whole request before `max_output` was lowered.
    """

    model: str
    system: str
    tools: str | None = None
    output: str | None = None
    max_output: int
    settings: Settings | None = None
    """None where everything is left to the model."""
    sample: int = 0
    grant: int = 0
    grant_tokens: int = 0
    digest: str
    form: int = 1
    """Version of the way in which entries are shown."""


class Inference(Record):
    """What the model answered, what it used and what it cost."""

    model: str
    parts: tuple[Part, ...]
    stop: StopReason
    usage: Usage
    cost: int = 0
    latency: int = 0
    waited: int = 0
    """Of the latency, what was spent on waiting for a limit or for another attempt."""
    attempts: tuple[Attempt, ...] = ()
    left_out: tuple[str, ...] = ()
    """What of the request this model was not shown, or shown in another form."""
    admitted: int = 0
    """What was reserved for further attempts beyond the request's grant, in nano-dollars."""
    admitted_tokens: int = 0
    digest: str
    """The digest of the request it answers."""
    served: bool = False
    """Whether it was taken over from another run, and not paid for in this one."""

    @property
    def tokens(self) -> int:
        """All that count: the answer's, input and output, and those of the attempts before it."""
        usage = self.usage
        return usage.input + usage.output + sum(attempt.tokens for attempt in self.attempts)


class ToolCall(Record):
    """A tool is about to be called; durable before it is."""

    id: str
    tool: str
    arguments: JsonObject
    effect: Literal["read", "write", "egress", "irreversible"]
    repeat: Literal["safe", "keyed", "never"]
    key: str


class Approval(Record):
    """Whether a call may be made, and who said so."""

    decision: Literal["allow", "deny", "ask"]
    by: str
    reason: str = ""
    item: int = 0
    """The inbox's item by which a person ruled."""


class Observation(Record):
    """What a tool call gave back."""

    id: str
    tool: str
    text: str
    media: tuple[Media, ...] = ()
    """Images and files that it gave back beside the text."""
    error: bool = False
    changes: tuple[Change, ...] = ()
    workspace: str | None = None
    """Digest of the workspace after the call, where the tool changed it."""
    latency: int = 0
    served: bool = False
    """Whether it was taken over from another run, and the tool not called in this one."""


class Handoff(Record):
    """A role asks that another one go on; the next Decision says whether it was granted."""

    to: str
    reason: str = ""


class Fault(Record):
    """Something went wrong in a strand; `final` when that ended it. Roles can read it."""

    code: FaultCode
    message: str
    final: bool = False
    attempts: tuple[Attempt, ...] = ()
    admitted: int = 0
    """What was reserved for further attempts beyond the request's grant, in nano-dollars."""
    admitted_tokens: int = 0
    cost: int = 0
    tokens: int = 0
    """Tokens that it is settled at: the most that it may have used, where nobody knows."""
    digest: str = ""
    """The digest of the request that failed, where one did."""
    served: bool = False
    """Whether the failure was taken over from another run."""


class Suspension(Record):
    """A strand waits for something outside the run; `subject` is the address of what is asked."""

    waits_for: Literal["approval", "answer", "in_doubt"]
    subject: str
    text: str = ""


class Spoken(Record):
    """What a person said in a turn of theirs, word for word; it answers a Suspension."""

    text: str
    by: str
    item: int = 0
    """The inbox's item that brought it."""
    digest: str = ""
    """Of what they were shown and asked."""
    served: bool = False
    """Whether it was taken over from another run."""


class Admission(Record):
    """A further attempt at a request may be made: its worst case is reserved beyond the grant.

    It stands at (step, 0, 1 + attempt at the request, number), before the attempt is made.
    """

    cost: int
    tokens: int
    attempts: tuple[Attempt, ...] = ()
    """Those that failed since the one before was admitted."""


class Shortage(Record):
    """There is no room in the budget for some calls, however short; found before a decision.

    What stands under a role (for all its strands) or a strand (beside its siblings) are the keys of
    the models whose least call does not fit, each with why: the scope, and its measure.
    """

    roles: dict[str, dict[str, str]] = Field(default_factory=dict)
    strands: dict[str, dict[str, str]] = Field(default_factory=dict)
    left_out: dict[str, str] = Field(default_factory=dict)
    """The roles that no model fits, with why not even the cheapest does; a move of nobody else is
    no candidate."""


class Overrun(Record):
    """A server used more than it was granted; the scopes that cap it are closed."""

    scope: str
    """The innermost of them."""
    granted: int
    used: int
    granted_tokens: int = 0
    used_tokens: int = 0
    closes: tuple[str, ...] = ()
    """All of them by name, from within outwards; where none is named, the run's own."""


class Paused(Record):
    """The run was interrupted and can be resumed; a lifecycle record."""

    reason: str
    by: str = ""
    item: int = 0
    """The inbox's item that asked for it."""


class Resumed(Record):
    """A paused or broken run goes on; a lifecycle record."""

    reason: str = ""
    by: str = ""
    item: int = 0
    idle: int = 0
    """Microseconds since its last entry, in which nothing was done."""
    accepted: tuple[str, ...] = ()
    """What differs from the record and was accepted by whoever resumed it, a line for each part."""
    changes: tuple[Change, ...] = ()
    """What was found changed in the workspace."""
    workspace: str | None = None
    """Digest of the workspace where that is another than the record has."""
    snapshot: str | None = None
    """Commitment of the manifest of the workspace as it was found then."""
    fingerprint: str | None = None
    """Commitment of the manifest of the workflow, where it goes on under another one."""
    vocabulary: str | None = None
    """Commitment of the kinds that this one speaks."""
    anew: bool = False
    """Whether the open turn is begun anew: of what it had done only the cost counts."""


class Redaction(Record):
    """Contents were erased: what is gone, by whose hand, and why; never what it said."""

    why: str
    by: str
    entries: tuple[str, ...] = ()
    """Addresses of the entries that lost their contents."""
    contents: tuple[str, ...] = ()
    """Commitments (hex) of all contents erased, those of entries included."""
    item: int = 0


STUCK: frozenset[Reason] = frozenset({"stalled", "looped", "repeated", "bloated"})
"""The reasons that say of a run that it got no further; no finish may rest on one."""


class Termination(Record):
    """The entry that ends a run."""

    outcome: Outcome
    reason: Reason
    guard: str
    """The guard that held, as it reads."""
    message: str
    turns: int = 0
    spent: int = 0
    paid: int = 0
    """What was spent anew, less than that in a fork."""
    tokens: int = 0
    elapsed: int = 0


class Synthesis(Record):
    """The final answer, made from the board."""

    text: str


RECORDS: tuple[type[Record], ...] = (
    RunStarted,
    Decision,
    Request,
    Admission,
    Inference,
    ToolCall,
    Approval,
    Observation,
    Handoff,
    Fault,
    Suspension,
    Spoken,
    Shortage,
    Overrun,
    Paused,
    Resumed,
    Redaction,
    Termination,
    Synthesis,
)
