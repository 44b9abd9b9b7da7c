"""What a call may use (floor 5): granted before it is made, settled after it has ended."""

from collections.abc import Iterable

from hive.board.entry import Entry
from hive.board.parent import Answered
from hive.board.records import Admission, Fault, Inference, Overrun
from hive.board.records import Request as RequestRecord
from hive.control.budget import NOTHING, Grant
from hive.message import Request
from hive.models.bound import input_bound
from hive.phases.strand import Strand

__all__ = ["admitted", "fits", "reserve", "settle", "widened"]

LEAST_OUTPUT = 256
"""Tokens of output below which a call is not worth making when the budget is short."""


def admitted(entries: Iterable[Entry]) -> Grant:
    """All that some admissions add to the grant of their request."""
    found = [entry.payload for entry in entries if isinstance(entry.payload, Admission)]
    return Grant(sum(one.cost for one in found), sum(one.tokens for one in found))


def reserve(
    strand: Strand, request: Request, recorded: RequestRecord | None, more: Grant = NOTHING
) -> tuple[Grant, int]:
    """The grant for a call and the output it leaves room for. Raises BudgetExceeded.

    The output limit is lowered to fit; when even a short answer does not fit, nothing is reserved.
    A recorded request brings its grant along, and what is on record as admitted beyond it.
    """
    scope, card, most = strand.scope, strand.card, request.max_output
    priced = card.prices is not None and bool(card.prices.input or card.prices.output)
    if recorded is not None:
        grant = Grant(recorded.grant + more.cost, recorded.grant_tokens + more.tokens)
        scope.take(grant)
        capped = scope.counts_money or scope.counts_tokens
        return grant, min(most, recorded.max_output) if capped else most
    if strand.mind is None or not (priced or scope.counts_tokens):
        grant = NOTHING
    else:
        bound = input_bound(request)
        cost_left, tokens_left = scope.room()
        if tokens_left is not None:
            most = min(most, tokens_left - bound)
        while cost_left is not None and most > LEAST_OUTPUT and card.worst(bound, most) > cost_left:
            most = most * 3 // 4
        most = max(most, min(LEAST_OUTPUT, request.max_output))
        grant = Grant(card.worst(bound, most), bound + most)
    scope.reserve(grant)
    return grant, most


def fits(strand: Strand, known: Answered, grant: Grant, most: int) -> bool:
    """Whether an answer is one that could have come under another grant."""
    answer, scope = known.answer, strand.scope
    more = Grant(answer.admitted, answer.admitted_tokens)
    cost_left, tokens_left = scope.room()
    if (cost_left is not None and more.cost > cost_left) or (
        tokens_left is not None and more.tokens > tokens_left
    ):
        return False
    tokens = 0
    if isinstance(answer, Inference):
        tokens = answer.tokens
        cut_off = answer.stop == "length" and known.asked and most > known.asked.max_output
        if cut_off or answer.usage.output > most:
            return False
    return not (
        (scope.counts_money and answer.cost > grant.cost + more.cost)
        or (scope.counts_tokens and tokens > grant.tokens + more.tokens)
    )


def widened(strand: Strand, grant: Grant, answer: Inference | Fault) -> Grant:
    """The grant under which an answer is taken over that was given to another run, with what was
    admitted there for further attempts."""
    if not answer.admitted and not answer.admitted_tokens:
        return grant
    strand.scope.hold(Grant(answer.admitted, answer.admitted_tokens))
    return Grant(grant.cost + answer.admitted, grant.tokens + answer.admitted_tokens)


def settle(
    strand: Strand, grant: Grant, inference: Inference, step: int, because: tuple[str, ...]
) -> None:
    """Book what was used; more than was granted closes the run's budget and is recorded."""
    used = Grant(inference.cost, inference.tokens)
    scope = strand.scope
    scope.settle(grant, used)
    if (scope.counts_money and used.cost > grant.cost) or (
        scope.counts_tokens and used.tokens > grant.tokens
    ):
        strand.desk.scope.closed = True
        overrun = Overrun(scope=strand.desk.scope.name, granted=grant.cost, used=used.cost)
        strand.post((step, 1, 0), overrun, causes=because, origin="coordinator")
