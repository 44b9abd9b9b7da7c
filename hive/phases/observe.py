"""Phase five (floor 5): put what came of an action on the board, and say it back to its author."""

import hashlib
from collections.abc import Sequence

from hive.board.contributions import Verdict
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.board.records import Change, Fault, Handoff, Observation, ToolCall
from hive.board.view import excerpt
from hive.control.patterns.plan import objection
from hive.errors import PayloadError
from hive.message import MOST_BYTES, Media, Message, Text, ToolResult, ToolUse
from hive.phases.select import Contribute, HandOff, Invalid
from hive.phases.strand import Strand
from hive.tools.call import ToolOutput
from hive.tools.workspace import FileChange

__all__ = ["contributed", "correction", "handed", "observed", "refusal", "said", "unobserved"]


def contributed(
    strand: Strand, place: tuple[int, ...], action: Contribute, because: tuple[str, ...]
) -> Entry | Invalid:
    """Post a contribution and what it unfolds into; what the board refuses becomes an Invalid."""
    parts = tuple(action.payload.unfold())
    try:
        wrong = refusal(strand, action, parts)
        if wrong is not None:
            return wrong
        entry = strand.post(place, action.payload, causes=because)
        for index, part in enumerate(parts):
            strand.post((*place, 2 + index), part, causes=(str(entry.address),))
    except PayloadError as error:
        return Invalid("write_refused", str(error), action.use)
    return entry


def refusal(strand: Strand, action: Contribute, parts: Sequence[Payload]) -> Invalid | None:
    """What keeps a contribution from being posted with what it unfolds into. Raises PayloadError
    for a part that the role may not write, or nobody can."""
    board = strand.desk.writer.board
    for part in parts:  # all of it or nothing
        board.check(strand.role.name, part)
        part.body()
    wrong = objection(action.payload, board) or unknown_choice(strand, action.payload)
    return Invalid("invalid_output", wrong, action.use) if wrong else None


def unknown_choice(strand: Strand, payload: Payload) -> str:
    """What is wrong with a Verdict for something that is not there; "" if nothing. What others
    post in the same turn is not there yet, in whichever order they do."""
    if not isinstance(payload, Verdict) or payload.chosen is None:
        return ""
    found = strand.desk.writer.board.at(payload.chosen)
    if (
        found is not None
        and found.level == "domain"
        and (found.turn < strand.turn or found.strand == strand.name)
    ):
        return ""
    return (
        f"there is no contribution at chosen={payload.chosen!r}; give the address of what is"
        " accepted as it is shown, such as 1/author/0.2, or leave it out where nothing was to be"
        " chosen"
    )


def handed(
    strand: Strand, place: tuple[int, ...], action: HandOff, because: tuple[str, ...]
) -> Entry:
    """Record that a role asks another one to go on."""
    return strand.post(place, Handoff(to=action.to, reason=action.reason), causes=because)


def correction(
    strand: Strand,
    place: tuple[int, ...],
    action: Invalid,
    because: tuple[str, ...],
    final: bool,
) -> Entry:
    """Record what was wrong with a reply."""
    fault = Fault(code=action.code, message=action.message, final=final)
    return strand.post(place, fault, causes=because, origin="coordinator")


def observed(
    strand: Strand, call: Entry, output: ToolOutput, latency: int
) -> tuple[Entry, list[Entry]]:
    """Record a tool's result, the files it changed with their contents, and what the tool posts."""
    payload = call.payload
    assert isinstance(payload, ToolCall)
    output = writable(output)
    workspace = strand.desk.workspace
    changes = tuple(recorded_change(strand, change) for change in output.changes)
    digest = workspace.digest() if changes and workspace is not None else None
    observation = Observation(
        id=payload.id,
        tool=payload.tool,
        text=output.text,
        media=output.media,
        error=output.error,
        changes=changes,
        workspace=digest,
        latency=latency,
    )
    origin = f"tool:{payload.tool}"
    because = (str(call.address),)
    place = call.address.place
    entry = strand.post((*place, 1), observation, causes=because, origin=origin, label="outside")
    posted = [
        strand.desk.writer.post(
            call.address._replace(place=(*place, 2 + index)),
            origin,
            extra,
            origin=origin,
            causes=(str(entry.address),),
            label="outside",
        )
        for index, extra in enumerate(output.posts)
    ]
    return entry, posted


def unobserved(
    strand: Strand, call: Entry, text: str, origin: str, *, error: bool = False
) -> Entry:
    """Record what somebody else than the tool says came of a call."""
    payload = call.payload
    assert isinstance(payload, ToolCall)
    observation = Observation(id=payload.id, tool=payload.tool, text=text, error=error)
    place = (*call.address.place, 1)
    return strand.post(place, observation, causes=(str(call.address),), origin=origin)


def writable(output: ToolOutput) -> ToolOutput:
    """The output, if the board can take what it posts, else the error that says why not."""
    try:
        for post in output.posts:
            post.body()
    except PayloadError as error:
        return ToolOutput(f"what it posts is refused: {error}", output.changes, error=True)
    if sum(media.size for media in output.media) > MOST_BYTES:
        text = f"what it gave back is larger than {MOST_BYTES:,} bytes; ask for a smaller piece"
        return ToolOutput(text, output.changes, error=True)
    return output


def recorded_change(strand: Strand, change: FileChange) -> Change:
    """A changed file, its contents stored beside the record."""
    keep = strand.desk.writer.keep
    return Change(
        path=change.path,
        before=digest_of(change.before),
        after=digest_of(change.after),
        before_content=None if change.before is None else keep(change.before),
        after_content=None if change.after is None else keep(change.after),
    )


def digest_of(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def said(
    strand: Strand,
    use: ToolUse | None,
    text: str,
    *,
    error: bool = False,
    source: str | None = None,
    media: tuple[Media, ...] = (),
) -> ToolResult | Text:
    """What a role is told about its action, with the source, long texts trimmed visibly."""
    longest = strand.desk.limits.observation_chars
    short = excerpt(text, longest, "ask for a smaller piece to read the rest")
    if use is None:
        return Text(text=short, source=source)
    return ToolResult(id=use.id, name=use.name, text=short, media=media, error=error, source=source)


def messages(parts: Sequence[object], outcomes: Sequence[ToolResult | Text]) -> tuple[Message, ...]:
    """The two messages by which a conversation grows: what was said, and what came of it."""
    tools = tuple(part for part in outcomes if isinstance(part, ToolResult))
    texts = tuple(part for part in outcomes if isinstance(part, Text))
    grown = [Message("assistant", tuple(parts))]  # type: ignore[arg-type]  # parts of a reply
    if tools:
        grown.append(Message("tool", tools))
    if texts:
        grown.append(Message("user", texts))
    return tuple(grown)
