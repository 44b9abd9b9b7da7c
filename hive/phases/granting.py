"""What a call may use (floor 5): granted before it is made, settled after it has ended."""

from collections.abc import Iterable

from hive.board.entry import Entry
from hive.board.parent import Answered
from hive.board.records import Admission, Fault, Inference, Overrun
from hive.board.records import Request as RequestRecord
from hive.control.budgets.scope import NOTHING, Allowance, Grant, Scope
from hive.message import Request
from hive.models.bound import input_bound
from hive.models.catalog import FREE, ModelCard
from hive.phases.strand import Strand

__all__ = [
    "LEAST_OUTPUT",
    "admitted",
    "fits",
    "granted",
    "least",
    "overrun",
    "reserve",
    "settle",
    "widen",
]

LEAST_OUTPUT = 256
"""Tokens of output below which a call is not worth making when the budget is short."""


def admitted(entries: Iterable[Entry]) -> Grant:
    """All that some admissions add to the grant of their request."""
    found = [entry.payload for entry in entries if isinstance(entry.payload, Admission)]
    return Grant(sum(one.cost for one in found), sum(one.tokens for one in found))


def reserve(strand: Strand, request: Request) -> tuple[Allowance, int]:
    """What a call may use, and the output that leaves it. Raises BudgetExceeded.

    The output limit is lowered to fit; when even a short answer does not fit, nothing is reserved.
    """
    scope, card, most = strand.scope.of_call(), strand.card, request.max_output
    if strand.mind is None or not counts(scope, card):
        grant = NOTHING
    else:
        bound = input_bound(request)
        if scope.counts_money or scope.counts_tokens:
            most = lowered(scope, card, bound, most)
        grant = Grant(card.worst(bound, most), bound + most)
    scope.reserve(grant)
    return Allowance(scope, grant), most


def counts(scope: Scope, card: ModelCard) -> bool:
    """Whether what a call of a model may use is to be reserved."""
    return card.prices not in (None, FREE) or scope.counts_tokens


def least(scope: Scope, card: ModelCard, bound: int, output: int) -> Grant:
    """What has to be reserved for a call with so much input before it is worth making, with as
    much output."""
    return Grant(card.worst(bound, output), bound + output) if counts(scope, card) else NOTHING


def lowered(scope: Scope, card: ModelCard, bound: int, most: int) -> int:
    """The most output that fits into a scope after so much input; a short one where none does."""
    least = min(LEAST_OUTPUT, most)
    cost_left, tokens_left = scope.room()
    if tokens_left is not None:
        most = max(least, min(most, tokens_left - bound))
    if cost_left is None or card.worst(bound, most) <= cost_left:
        return most
    while least < most:  # the price never falls with the output, so halving finds the limit
        middle = (least + most + 1) // 2
        if card.worst(bound, middle) <= cost_left:
            least = middle
        else:
            most = middle - 1
    return least


def granted(strand: Strand, request: Request, recorded: RequestRecord) -> tuple[Grant, int]:
    """The grant of a request on record, and the output that it left. It is on the books already, as
    what a record says is."""
    capped = strand.scope.counts_money or strand.scope.counts_tokens
    most = min(request.max_output, recorded.max_output) if capped else request.max_output
    return Grant(recorded.grant, recorded.grant_tokens), most


def fits(known: Answered, allowance: Allowance, most: int) -> bool:
    """Whether an answer is one that could have come under another grant."""
    answer, scope, grant = known.answer, allowance.scope, allowance.grant
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


def widen(grant: Grant, answer: Inference | Fault) -> Grant:
    """A grant with what was admitted for further attempts at what an answer is to."""
    return Grant(grant.cost + answer.admitted, grant.tokens + answer.admitted_tokens)


def settle(
    strand: Strand, allowance: Allowance, inference: Inference, step: int, because: tuple[str, ...]
) -> None:
    """Book what was used. More than was granted is recorded, and closes what it was granted in."""
    grant, used = allowance.close(), Grant(inference.cost, inference.tokens)
    allowance.scope.settle(grant, used)
    overrun(strand, grant, used, step, because)


def overrun(strand: Strand, grant: Grant, used: Grant, step: int, because: tuple[str, ...]) -> None:
    """Record that more was used than was granted, where that is capped: every scope that caps it is
    closed, however much room it has left."""
    if used.cost <= grant.cost and used.tokens <= grant.tokens:
        return
    closes = strand.scope.of_call().overrun(grant, used)
    if closes:
        payload = Overrun(
            scope=closes[0],
            granted=grant.cost,
            used=used.cost,
            granted_tokens=grant.tokens,
            used_tokens=used.tokens,
            closes=closes,
        )
        strand.post((step, 1, 0), payload, causes=because, origin="coordinator")
