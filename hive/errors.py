"""The error tree (floor 0): everything Hive raises on purpose.

    HiveError
    ├── DeclarationError          a declaration that cannot work, raised where it is written
    │   ├── GraphError            carries `path`, the roles that prove it, and all its `flaws`
    │   └── UnknownModel          a model name that no provider answers to
    ├── PayloadError              content that cannot be put on the board
    │   └── WriteRefused          an author posted a kind it did not declare
    ├── JournalError              the durable copy cannot be read or extended
    │   ├── JournalVersion        written by another, unreadable version
    │   ├── RunNotFound           no run, or more than one, by that id
    │   ├── RunHeld               somebody alive extends the run; carries `holder`
    │   ├── PoolHeld              somebody alive has the pool; carries `holder`
    │   ├── StaleWriter           somebody else has taken the run over, or extended it
    │   ├── WorkflowChanged       a run was made by another workflow; carries `changes`
    │   ├── WorkspaceDrift        a workspace is not as its run left it; carries `drift`
    │   └── WorkspaceLost         the record lacks files of a recorded state; carries `paths`
    ├── BudgetExceeded            a grant that does not fit under a cap
    ├── ModelError                a model call failed; carries `attempts` and `retryable`
    │   ├── MissingKey            no API key for the provider
    │   ├── RateLimited           the server asked to slow down
    │   ├── ServerFailed          the server or the network failed
    │   ├── RequestRefused        the server will not serve this request as it is
    │   │   └── ContextOverflow   the request is longer than the model's window
    │   └── BadReply              an answer that breaks the protocol
    ├── ToolError                 a tool call failed in a way its caller can read and mend
    │   └── ToolRefused           a call outside what the tool may touch
    ├── RedactionRefused          contents that must not be erased
    ├── SigningError              a key or a head of a run that cannot be used
    ├── ContentErased             a content is needed that was redacted; carries its `entry`
    └── Divergence                a replay met an entry that differs from the record

Nothing else is raised by design; any other exception is a programmer's mistake and passes through.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

__all__ = [
    "BadReply",
    "BudgetExceeded",
    "ContentErased",
    "ContextOverflow",
    "DeclarationError",
    "Divergence",
    "Flaw",
    "FlawCode",
    "GraphError",
    "HiveError",
    "JournalError",
    "JournalVersion",
    "MissingKey",
    "ModelError",
    "PayloadError",
    "PoolHeld",
    "RateLimited",
    "RedactionRefused",
    "RequestRefused",
    "RunHeld",
    "RunNotFound",
    "ServerFailed",
    "SigningError",
    "StaleWriter",
    "ToolError",
    "ToolRefused",
    "UnknownModel",
    "WorkflowChanged",
    "WorkspaceDrift",
    "WorkspaceLost",
    "WriteRefused",
]


class HiveError(Exception):
    """Base of every error that Hive raises on purpose."""


class DeclarationError(HiveError):
    """A declaration that cannot work: who, what is wrong, what would be right."""


FlawCode = Literal[
    "malformed", "no_start", "no_finish", "doubled_edge", "doubled_tally", "unreached_role",
    "untaken_edge", "unwritten_kind", "closed_edge", "waiting_roles", "no_way_to_finish",
    "unbounded_cycle", "broken_rule",
]  # fmt: skip
"""What can be wrong with a graph, in one word."""


class Flaw(NamedTuple):
    """Something that keeps a graph from being run, with the walk of roles that proves it."""

    code: FlawCode
    message: str
    path: tuple[str, ...] = ()


class GraphError(DeclarationError):
    """A handoff graph that cannot be run; `path` is the walk of roles that proves it.

    It tells the first of its `flaws`. `graph` is the refused Graph, to be drawn and not to be run;
    None where what was given is no graph at all.
    """

    def __init__(
        self,
        message: str,
        path: Sequence[str] = (),
        *,
        flaws: Sequence[Flaw] = (),
        graph: object = None,
    ) -> None:
        super().__init__(message)
        self.path = tuple(path)
        self.flaws = tuple(flaws) or (Flaw("malformed", message, self.path),)
        self.graph = graph


class UnknownModel(DeclarationError):
    """A model name that no provider answers to."""


class PayloadError(HiveError):
    """Content that cannot be put on the board, refused where it is posted."""


class WriteRefused(PayloadError):
    """An author posted a kind that it did not declare."""


class JournalError(HiveError):
    """The durable copy of the board cannot be read or extended."""


class JournalVersion(JournalError):
    """A journal that another, unreadable version of Hive wrote."""


class RunNotFound(JournalError):
    """No run, or more than one, answers to an id or prefix."""


class RunHeld(JournalError):
    """Somebody alive extends the run; `holder` is the `hive.journal.journal.Holder`."""

    def __init__(self, message: str, holder: Any) -> None:
        super().__init__(message)
        self.holder = holder


class PoolHeld(JournalError):
    """Somebody alive has the pool; `holder` is the `hive.journal.journal.Holder`."""

    def __init__(self, message: str, holder: Any) -> None:
        super().__init__(message)
        self.holder = holder


class StaleWriter(JournalError):
    """Another writer has taken the run over or extended it; this one must stop."""


class WorkflowChanged(JournalError):
    """A run was made by a workflow that differs from the one it is to go on under.

    `changes` says in what, part by part; `calls` are the calls of the open turn that must not be
    made again without more ado, where that turn would be begun anew. `found` is the message without
    what to do about it.
    """

    def __init__(self, found: str, changes: Sequence[str], calls: Sequence[str] = ()) -> None:
        wanted = "{'workflow', 'calls'}" if calls else "{'workflow'}"
        super().__init__(f"{found}\naccept={wanted} goes on under this one")
        self.found = found
        self.changes = tuple(changes)
        self.calls = tuple(calls)


class WorkspaceDrift(JournalError):
    """A workspace is not as its run left it; `drift` names each path and what was found there.
    `found` is the message without what to do about it."""

    def __init__(self, found: str, drift: Sequence[Any]) -> None:
        super().__init__(
            f"{found}\naccept={{'workspace'}} goes on with it as it stands, restore=True puts back"
            " what is on record"
        )
        self.found = found
        self.drift = tuple(drift)


class WorkspaceLost(JournalError):
    """A recorded state of a workspace cannot be rebuilt: `paths` are on record nowhere, as they
    were too large to be kept or have been erased, and stand nowhere any more as they were."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(
            "the record does not hold these files as they were, and the workspace has changed them:"
            f" {', '.join(map(repr, paths))}"
        )
        self.paths = tuple(paths)


class BudgetExceeded(HiveError):
    """A grant that does not fit under a cap; nothing was spent."""


class ModelError(HiveError):
    """A model call failed.

    `attempts` are the `hive.message.Attempt` values made before giving up; `retryable` says whether
    the same request may succeed later, and `retry_after` in how many seconds, where the server said
    so. `waited` are the microseconds for which the call was held back, and `ill` says whether the
    server is at fault, and not the request: what a circuit breaker counts.
    """

    retryable = False
    ill = False
    waited = 0

    def __init__(
        self, message: str, attempts: Sequence[Any] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.attempts = tuple(attempts)
        self.retry_after = retry_after


class MissingKey(ModelError):
    """No API key is set for the provider."""


class RateLimited(ModelError):
    """The server asked to slow down."""

    retryable = True


class ServerFailed(ModelError):
    """The server or the network between failed; the request itself may be fine."""

    retryable = True
    ill = True


class RequestRefused(ModelError):
    """The server will not serve this request as it is."""


class ContextOverflow(RequestRefused):
    """The request is longer than the model's window."""


class BadReply(ModelError):
    """An answer that breaks the protocol: truncated, malformed or empty."""

    retryable = True


class ToolError(HiveError):
    """A tool call failed; the text goes back to the caller, who may mend it."""


class ToolRefused(ToolError):
    """A call outside what the tool may touch."""


class RedactionRefused(HiveError):
    """Contents that must not be erased, for what would be lost with them."""


class SigningError(HiveError):
    """A key, or the exported head of a run, that cannot be used."""


class ContentErased(HiveError):
    """A content is needed to go on that was redacted; `entry` held it."""

    def __init__(self, entry: Any) -> None:
        super().__init__(
            f"the content of {entry.address} ({entry.kind} by {entry.author}) was erased, and what"
            " follows cannot be told without it"
        )
        self.entry = entry


class Divergence(HiveError):
    """What is done again is not what is on record; `address` says where.

    `recorded` is the entry there, None where there is none; `now` is the entry that it would be,
    None where none comes. `cause` says what has probably been changed, where somebody looked.
    """

    def __init__(
        self, message: str, address: str = "", recorded: Any = None, now: Any = None
    ) -> None:
        super().__init__(message)
        self.address = address
        self.recorded = recorded
        self.now = now
        self.cause = ""
