"""Budgets (floor 4): the caps that are declared for a run, and for what goes on within it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal, InvalidOperation

from hive.board.state import State
from hive.errors import DeclarationError

__all__ = ["UNCAPPED", "Budget", "nano_dollars", "usd"]

NANO = 10**9
MEASURES = ("usd", "tokens", "calls", "turns", "seconds")
WHOLE = ("tokens", "calls", "turns")
WITHIN = {
    "call": ("usd", "tokens"),
    "strand": ("usd", "tokens", "calls"),
    "role": ("usd", "tokens", "calls", "turns"),
}
"""What can be capped in the scopes within a run."""


def nano_dollars(amount: Decimal | int | float | str) -> int:
    """US dollars as integer nano-dollars, rounded down: a cap is never stretched."""
    return int((Decimal(str(amount)) * NANO).to_integral_value(ROUND_FLOOR))


def usd(nano: int) -> Decimal:
    """Nano-dollars as US dollars."""
    return Decimal(nano) / NANO


@dataclass(frozen=True, repr=False)
class Budget:
    """What a run may use at most; None leaves a measure uncapped.

    `usd` in US dollars, `tokens` input and output together, `calls` to models, `turns`, and
    `seconds` of wall time, after which what still runs is cancelled.

    Within it, every call has the caps of `call` (usd, tokens; with all its attempts), every strand
    those of `strand` (usd, tokens, calls), and the roles named in `roles` what they may use in the
    whole run (usd, tokens, calls, turns); a role's own `call` and `strand` replace those for all.

        Budget(usd=2, strand=Budget(usd="0.10"), roles={"coder": Budget(usd=1, turns=5)})

    Raises DeclarationError for a cap that could not be kept.
    """

    usd: Decimal | int | float | str | None = None
    tokens: int | None = None
    calls: int | None = None
    turns: int | None = None
    seconds: float | None = None
    call: "Budget | None" = None
    strand: "Budget | None" = None
    roles: "Mapping[str, Budget]" = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in MEASURES:
            check_cap(name, getattr(self, name))
        for level in ("call", "strand"):
            check_within(level, level, getattr(self, level))
        if not isinstance(self.roles, Mapping):
            raise DeclarationError(
                f"Budget(roles={self.roles!r}): give Budgets by the names of roles"
            )
        for role, own in self.roles.items():
            check_within("role", f"roles[{role!r}]", own)
        if self.strand is not None and self.strand.call is not None:
            raise DeclarationError(
                "Budget(strand=Budget(call=…)): say it beside strand, as in"
                " Budget(strand=…, call=…)"
            )

    @property
    def nano(self) -> int | None:
        """The cap on money in nano-dollars."""
        return None if self.usd is None else nano_dollars(self.usd)

    @property
    def nested(self) -> bool:
        """Whether there are caps within the run."""
        return bool(self.roles) or self.call is not None or self.strand is not None

    def caps_money(self, role: str | None = None) -> bool:
        """Whether what a role does, or what anybody does, is under a cap on money."""
        own = self.roles.get(role or "")
        around = (self, self.call, self.strand)
        within = () if own is None else (own, own.call, own.strand)
        return any(each is not None and each.usd is not None for each in (*around, *within))

    def exhausted(self, state: State) -> str | None:
        """The cap that leaves no room for another turn, as it reads; None when there is room."""
        caps = (
            ("usd", self.nano, state.spent),
            ("tokens", self.tokens, state.tokens),
            ("calls", self.calls, state.calls),
            ("turns", self.turns, state.turn),
            ("seconds", self.seconds, state.elapsed / 1_000_000),
        )
        for name, cap, used in caps:
            if cap is not None and used >= cap:
                return f"budget({name}={getattr(self, name)})"
        return None

    def __repr__(self) -> str:
        """As it is declared; the scopes within only where they have caps."""
        said = [f"{name}={getattr(self, name)!r}" for name in MEASURES]
        within = [(name, getattr(self, name)) for name in ("call", "strand")]
        said += [f"{name}={value!r}" for name, value in within if value is not None]
        said += [f"roles={dict(sorted(self.roles.items()))!r}"] if self.roles else []
        return f"Budget({', '.join(said)})"


def check_cap(name: str, value: object) -> None:
    """Raise DeclarationError for what is no cap on a measure."""
    if value is None:
        return
    if name in WHOLE and (isinstance(value, bool) or not isinstance(value, int)):
        raise DeclarationError(f"Budget({name}={value!r}) is no whole number")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or (name == "seconds" and not isinstance(value, int | float)):
        raise DeclarationError(f"Budget({name}={value!r}) is no finite number")
    if amount < 0:
        raise DeclarationError(f"Budget({name}={value!r}) is below zero")


def check_within(level: str, where: str, budget: Budget | None) -> None:
    """Raise DeclarationError for caps that a scope within a run does not have."""
    if budget is None:
        return
    if not isinstance(budget, Budget):
        raise DeclarationError(f"Budget({where}={budget!r}): give a Budget")
    for name in MEASURES:
        if getattr(budget, name) is not None and name not in WITHIN[level]:
            raise DeclarationError(
                f"Budget({where}=Budget({name}=…)): a {level} has no cap on {name}; it may have"
                f" {', '.join(WITHIN[level])}"
            )
    if budget.roles or (level != "role" and budget.strand is not None):
        raise DeclarationError(
            f"Budget({where}=…): a {level} holds no such scopes; say them in the run's own Budget"
        )


UNCAPPED = Budget()
