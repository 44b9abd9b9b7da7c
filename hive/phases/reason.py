"""Phase two (floor 5): ask the mind, under a grant, with the request on record beforehand."""

from collections.abc import Awaitable, Sequence
from typing import NamedTuple

import anyio
import orjson

from hive.board.entry import Entry
from hive.board.parent import Answered
from hive.board.payload import Payload
from hive.board.records import Admission, Fault, FaultCode, Inference
from hive.board.records import Request as RequestRecord
from hive.board.tape import Asked
from hive.control.budgets.scope import NOTHING, Allowance, Grant
from hive.diagnostics import log
from hive.errors import BudgetExceeded, ModelError, PayloadError
from hive.message import DEFAULTS, Attempt, Reply, Request, ToolUse
from hive.phases.brief import post_name
from hive.phases.granting import admitted, fits, granted, overrun, reserve, settle, widen
from hive.phases.strand import Strand

__all__ = ["Thought", "reason"]


class Thought(NamedTuple):
    """An answered request: the Inference on the board."""

    entry: Entry
    inference: Inference


async def reason(
    strand: Strand, request: Request, causes: tuple[str, ...], step: int
) -> Thought | None:
    """Ask, and record what came of it; None when the call failed, which is a Fault on the board.

    Cancellation closes the call with a Fault at its worst cost and goes on.
    """
    tape, asking = strand.desk.tape, strand.address(step, 0)
    attempt, because = 0, (str(asking),)
    if strand.scope.kept is not None:
        strand.scope.claim()
    try:
        for asked in tape.asked(asking, request.digest) if tape else ():
            if not asked.passed:
                return serve(strand, request, asked, causes, step)
            pass_over(strand, request, asked, causes, step)
            attempt = asked.attempt + 1
        known = inherited(strand, request, step) if not attempt else None
        if known is not None and known.asked is None:
            strand.post((step, 1), known.answer, causes=causes, origin="coordinator")
            return None
        if known is not None and known.bound is not None:
            grant, most = granted(strand, request, known.bound)
            post_request(strand, request, causes, step, grant, most, attempt)
            strand.scope.book(*used_by(known.answer), calls=1)
            return take_over(strand, known.answer, grant, because, step)
        allowance, most = reserve(strand, request)
        post_request(strand, request, causes, step, allowance.grant, most, attempt)
        if known is not None and fits(known, allowance, most):
            allowance.scope.settle(allowance.close(), used_by(known.answer))
            return take_over(strand, known.answer, allowance.grant, because, step)
    except BudgetExceeded as error:
        refused = Fault(
            code="budget_exhausted", message=str(error), final=True, digest=request.digest
        )
        strand.post((step, 1), refused, causes=causes, origin="coordinator", attempt=attempt)
        return None
    if strand.desk.parent is not None:
        strand.desk.parent.asks()
    place = Place(step, attempt, because)
    try:
        await strand.desk.writer.durable()
    except anyio.get_cancelled_exc_class():
        failed(strand, allowance, place, request, "withdrawn", "cancelled before it was asked")
        raise
    return await call(strand, request, allowance, most, place)


def inherited(strand: Strand, request: Request, step: int) -> Answered | None:
    """What a fork's parent was answered; what it was not is asked by the fork itself."""
    parent = strand.desk.parent
    if parent is None:
        return None
    return parent.answered(strand.address(step, 1), request.digest)


def used_by(answer: Inference | Fault) -> Grant:
    """What is booked for a call by how it was closed."""
    return Grant(answer.cost, answer.tokens)


def take_over(
    strand: Strand, known: Inference | Fault, grant: Grant, because: tuple[str, ...], step: int
) -> Thought | None:
    """Go on with what a fork's parent was answered: it counts as if it had been paid again."""
    answer = known.model_copy(update={"served": True})
    if isinstance(answer, Inference):
        overrun(strand, widen(grant, answer), used_by(answer), step, because)
        return Thought(strand.post((step, 1), answer, causes=because), answer)
    strand.post((step, 1), answer, causes=because, origin="coordinator")
    return None


class Place(NamedTuple):
    """Where the answer to a request goes."""

    step: int
    attempt: int
    because: tuple[str, ...]


async def call(
    strand: Strand, request: Request, allowance: Allowance, most: int, place: Place
) -> Thought | None:
    """Make the call and close it on the board, whatever happens."""
    clock = strand.desk.writer.clock
    begun = clock.elapsed()
    why: ModelError | str
    code: FaultCode = "model_error"
    try:
        reply = answer_of(await ask(strand, request, allowance, most, place))
    except ModelError as error:
        why = error
    except TimeoutError:
        code, why = "timeout", f"no answer within {strand.desk.limits.call_seconds:g} s"
    except anyio.get_cancelled_exc_class():
        failed(strand, allowance, place, request, "cancelled", "cancelled while it was asked")
        raise
    except Exception as error:  # noqa: BLE001  a mind that breaks must not break the run
        code = "program_error" if strand.mind is None else "model_error"
        why = f"{type(error).__name__}: {error}"
    else:
        return record(strand, request, reply, allowance, place, clock.elapsed() - begun)
    failed(strand, allowance, place, request, code, why)
    return None


def answer_of(given: object) -> Reply:
    """What a mind answered. Raises TypeError for what is no Reply, which a user's may give."""
    if not isinstance(given, Reply):
        raise TypeError(f"it answered with a {type(given).__name__} where a Reply is wanted")
    return given


def pass_over(
    strand: Strand, request: Request, asked: Asked, causes: tuple[str, ...], step: int
) -> None:
    """Put a recorded attempt on the board again that gave no answer and was made anew. One that was
    never closed is settled at its worst case."""
    grant, _ = begun_again(strand, request, asked, causes, step)
    if asked.closing is not None:
        strand.desk.writer.again(asked.closing)
        return
    strand.desk.tape.missing(strand.address(step, 1), "reply of a model to this request")
    strand.scope.settle(grant, grant)
    lost = Fault(
        code="interrupted",
        message="the process ended before the answer",
        cost=grant.cost,
        tokens=grant.tokens,
    )
    because = (str(strand.address(step, 0)),)
    strand.post((step, 1), lost, causes=because, origin="coordinator", attempt=asked.attempt)


def begun_again(
    strand: Strand, request: Request, asked: Asked, causes: tuple[str, ...], step: int
) -> tuple[Grant, Entry]:
    """Post a recorded request again, under its recorded grant, with what was admitted beyond it."""
    assert asked.request is not None
    further = strand.desk.tape.admitted(strand.address(step, 0), asked.attempt)
    first, most = granted(strand, request, asked.request)
    entry = post_request(strand, request, causes, step, first, most, asked.attempt)
    for admission in further:
        strand.desk.writer.again(admission)
    more = admitted(further)
    return Grant(first.cost + more.cost, first.tokens + more.tokens), entry


def post_request(
    strand: Strand,
    request: Request,
    causes: tuple[str, ...],
    step: int,
    grant: Grant,
    max_output: int,
    attempt: int,
) -> Entry:
    """Put the request on the board, its stable parts stored once."""
    keep, briefing = strand.desk.writer.keep, strand.briefing
    tools, output = briefing.tools_bytes, briefing.output_bytes
    payload = RequestRecord(
        model=request.model,
        system=keep(briefing.system_bytes, briefing.system_key),
        tools=None if tools is None else keep(tools),
        output=None if output is None else keep(output),
        max_output=max_output,
        settings=None if request.settings is DEFAULTS else request.settings,
        sample=request.sample,
        grant=grant.cost,
        grant_tokens=grant.tokens,
        digest=request.digest,
    )
    return strand.post((step, 0), payload, causes=causes, origin="coordinator", attempt=attempt)


def ask(
    strand: Strand, request: Request, allowance: Allowance, max_output: int, place: Place
) -> Awaitable[Reply]:
    """One call of the mind, under the call's deadline."""
    deadline = strand.desk.deadline
    if strand.mind is None:
        return deadline.limit(run_program(strand))
    listener, name, ends = strand.desk.listener, strand.name, deadline.end()
    request = request._replace(
        max_output=max_output,
        admit=lambda cost, tried=(): admit(strand, allowance, place, cost, tried),
        left=lambda: ends - anyio.current_time(),
        delta=None if listener is None else lambda text: listener(name, text),
    )
    return deadline.limit(strand.mind.complete(request))


def admit(
    strand: Strand, allowance: Allowance, place: Place, cost: int, tried: tuple[Attempt, ...]
) -> bool:
    """Reserve a further attempt, and put it on record before it is made."""
    known = len(allowance.tried)
    more = allowance.admit(cost, tried)
    if more is None:
        return False
    payload = Admission(cost=more.cost, tokens=more.tokens, attempts=tried[known:])
    where = (place.step, 0, 1 + place.attempt, allowance.times)
    strand.post(where, payload, causes=place.because, origin="coordinator")
    return strand.desk.writer.at_once()


async def run_program(strand: Strand) -> Reply:
    """A role that is a program: what it returns is a reply, recorded and served like any other."""
    program = strand.role.program
    assert program is not None
    returned = await program(strand.view)
    payloads: Sequence[Payload]
    if returned is None:
        payloads = ()
    else:
        payloads = (returned,) if isinstance(returned, Payload) else tuple(returned)
    for payload in payloads:
        if not isinstance(payload, Payload):
            raise TypeError(f"it returned a {type(payload).__name__} where a Payload is wanted")
    return Reply(
        parts=tuple(
            ToolUse(id=str(i), name=post_name(type(p)), arguments=orjson.loads(p.body()))
            for i, p in enumerate(payloads)
        )
    )


def record(
    strand: Strand,
    request: Request,
    reply: Reply,
    allowance: Allowance,
    place: Place,
    latency: int,
) -> Thought | None:
    """Put the answer on the board and settle what it cost."""
    wasted = sum(attempt.cost for attempt in reply.attempts)
    cost = strand.card.cost(reply.usage) if reply.cost is None else reply.cost
    inference = Inference(
        model=reply.model or request.model,
        parts=reply.parts,
        stop=reply.stop,
        usage=reply.usage,
        cost=cost + wasted,
        latency=latency,
        waited=reply.waited,
        attempts=reply.attempts,
        left_out=reply.left_out,
        admitted=allowance.more.cost,
        admitted_tokens=allowance.more.tokens,
        digest=request.digest,
    )
    settle(strand, allowance, inference, place.step, place.because)
    where = (place.step, 1)
    try:
        entry = strand.post(where, inference, causes=place.because, attempt=place.attempt)
    except PayloadError as error:
        unwritable = Fault(
            code="program_error" if strand.mind is None else "model_error",
            message=f"the reply cannot be put on the board: {error}",
            final=True,
            cost=inference.cost,
            tokens=inference.tokens,
            digest=request.digest,
        )
        strand.post(
            where, unwritable, causes=place.because, origin="coordinator", attempt=place.attempt
        )
        return None
    return Thought(entry, inference)


def serve(
    strand: Strand, request: Request, asked: Asked, causes: tuple[str, ...], step: int
) -> Thought | None:
    """Go on with an answer from the tape."""
    closing = asked.closing
    assert closing is not None
    if asked.request is None:  # refused, so that nothing was asked
        strand.desk.writer.again(closing)
        return None
    grant, begun = begun_again(strand, request, asked, causes, step)
    answer = closing.payload
    if isinstance(answer, Inference):
        if answer.served:
            grant = widen(grant, answer)
        overrun(strand, grant, used_by(answer), step, (str(begun.address),))
        return Thought(strand.desk.writer.again(closing), answer)
    strand.desk.writer.again(closing)
    return None


def failed(
    strand: Strand,
    allowance: Allowance,
    place: Place,
    request: Request,
    code: FaultCode,
    why: ModelError | str,
) -> None:
    """Close a call that gave no answer: what it may have cost is settled at its worst case."""
    attempts = why.attempts if isinstance(why, ModelError) else allowance.tried
    grant = allowance.close()
    # What broke within a wrapper does not tell what the attempts before it cost.
    untold = isinstance(why, str) and allowance.more != NOTHING
    unanswered = untold or code in ("timeout", "cancelled")
    cost = sum(attempt.cost for attempt in attempts)
    tokens = sum(attempt.tokens for attempt in attempts)
    if unanswered:  # a model without prices may have been granted nothing, and has told more
        cost, tokens = max(cost, grant.cost), max(tokens, grant.tokens)
    allowance.scope.settle(grant, Grant(cost, tokens))
    closing = Fault(
        code=code,
        message=why if isinstance(why, str) else f"{type(why).__name__}: {why}",
        final=code not in ("cancelled", "withdrawn"),
        attempts=attempts,
        admitted=allowance.more.cost,
        admitted_tokens=allowance.more.tokens,
        cost=cost,
        tokens=tokens,
        digest=request.digest,
    )
    log(
        "call failed",
        run=strand.desk.writer.run,
        turn=strand.turn,
        role=strand.role.name,
        code=code,
    )
    strand.post(
        (place.step, 1), closing, causes=place.because, origin="coordinator", attempt=place.attempt
    )


def fault(
    strand: Strand,
    place: tuple[int, ...],
    code: FaultCode,
    message: str,
    causes: tuple[str, ...],
) -> Entry:
    """Post a fault that ends the strand."""
    payload = Fault(code=code, message=message, final=True)
    return strand.post(place, payload, causes=causes, origin="coordinator")
