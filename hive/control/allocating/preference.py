"""Preferences (control floor): what the user wants of models, as a frozen value.

Nothing that a model, a message or a tool says is looked at when it is acted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from hive.control.allocating.figures import MEASURES, Figure, Measure, exact, is_number
from hive.errors import DeclarationError

__all__ = ["PROFILES", "Preference"]

WEIGHTS: tuple[Measure, ...] = MEASURES
WRITTEN = "write a profile, weights and limits such as 'cost=3,accuracy=1,most_usd=0.02', or an"
WRITTEN += " order such as 'accuracy:0.02>cost'"


@dataclass(frozen=True)
class Preference:
    """Weights on `accuracy`, `cost` and `latency`, of which only the ratios matter, and limits.

    Of the models within the limits, the one is taken whose worst weighted distance to the best in
    each measure is least. `min_accuracy` must be reached with 95 % confidence, `most_usd` and
    `most_seconds` are per strand. With a `spread` above 1 the choice is drawn for each strand: the
    weights of accuracy and cost are tilted against each other, half of the draws each by less than
    this factor, so that no setting jumps. Instead of weights, `order` takes the best in one
    measure, then among its equals the best in the next; ("accuracy", 0.02) counts as equal what is
    so close to the best, in the measure's own unit. Raises DeclarationError for what makes no
    sense.
    """

    accuracy: float = 0
    cost: float = 0
    latency: float = 0
    min_accuracy: float | None = None
    most_usd: Decimal | float | None = None
    most_seconds: float | None = None
    spread: float = 1
    order: tuple[Measure | tuple[Measure, float], ...] = ()

    def __post_init__(self) -> None:
        for name in (*WEIGHTS, "min_accuracy", "most_usd", "most_seconds"):
            value = getattr(self, name)
            if value is None and name not in WEIGHTS:
                continue
            if not is_number(value) or value < 0:
                raise DeclarationError(f"Preference: {name}={value!r} is no number from 0 on")
        if self.min_accuracy is not None and self.min_accuracy > 1:
            raise DeclarationError(
                f"Preference: min_accuracy={self.min_accuracy!r} is a share; give a number from 0"
                " to 1"
            )
        if not is_number(self.spread) or self.spread < 1:
            raise DeclarationError(
                f"Preference: spread={self.spread!r} is a factor; give a number from 1 on"
            )
        if bool(self.order) == any(self.weights.values()):
            raise DeclarationError(
                "Preference: give a weight above 0 on accuracy, cost or latency, or else an order,"
                " and not both"
            )
        if self.order:
            self._check_order()

    @classmethod
    def of(cls, given: "Preference | str") -> "Preference":
        """A preference as it is, or from text: a profile ("thrifty"), weights and limits
        ("cost=3,accuracy=1,most_usd=0.02"), a profile and what it is changed by
        ("quality,most_usd=0.5"), or an order ("accuracy:0.02>cost").

        Raises DeclarationError for anything else.
        """
        if isinstance(given, Preference):
            return given
        text = given.strip()
        if ">" in text:
            return cls(order=tuple([ranked(part) for part in text.split(">")]))
        first, *rest = text.split(",")
        if first.strip() in PROFILES:
            return replace(PROFILES[first.strip()], **changes(given, rest))
        return cls(**changes(given, [first, *rest]))

    @property
    def weights(self) -> Mapping[Measure, float]:
        """The weight of each measure."""
        return {measure: getattr(self, measure) for measure in WEIGHTS}

    @property
    def ranks(self) -> tuple[tuple[Measure, float], ...]:
        """The order, with how far from the best each measure may be."""
        return tuple([(one, 0.0) if isinstance(one, str) else one for one in self.order])

    @property
    def counted(self) -> frozenset[Measure]:
        """The measures by which models are compared."""
        return frozenset([m for m, weight in self.weights.items() if weight]) | {
            measure for measure, _ in self.ranks
        }

    @property
    def limited(self) -> frozenset[Measure]:
        """The measures on which there is a limit."""
        limits: dict[Measure, object] = {
            "accuracy": self.min_accuracy,
            "cost": self.most_usd,
            "latency": self.most_seconds,
        }
        return frozenset([measure for measure, limit in limits.items() if limit is not None])

    def broken(self, figure: Figure) -> str:
        """The limits that a model does not keep, as they read; "" if it keeps them all."""
        found = []
        surely, usd, seconds = figure.surely, figure.usd, figure.seconds
        if self.min_accuracy is not None and (surely is None or surely < self.min_accuracy):
            found.append(f"min_accuracy={self.min_accuracy}")
        if self.most_usd is not None and (usd is None or exact(usd) > exact(self.most_usd)):
            found.append(f"most_usd={self.most_usd}")
        if self.most_seconds is not None and (seconds is None or seconds > self.most_seconds):
            found.append(f"most_seconds={self.most_seconds}")
        return ", ".join(found)

    def _check_order(self) -> None:
        names = [name for name, _ in self.ranks]
        if len({*names}) < len(names) or not {*names} <= {*MEASURES}:
            raise DeclarationError(
                f"Preference: order={self.order!r}; name each of {', '.join(MEASURES)} at most once"
            )
        if any(not is_number(slack) or slack < 0 for _, slack in self.ranks):
            raise DeclarationError(
                f"Preference: order={self.order!r}; how close to the best counts as equal is a"
                " number from 0 on"
            )
        if self.spread != 1:
            raise DeclarationError("Preference: an order is never drawn; leave the spread away")


PROFILES: Mapping[str, Preference] = {
    "quality": Preference(accuracy=9, cost=1),
    "balanced": Preference(accuracy=1, cost=1),
    "thrifty": Preference(accuracy=1, cost=9),
    "fast": Preference(accuracy=1, cost=1, latency=9),
}
"""Preferences by name."""


def changes(given: str, parts: list[str]) -> dict[str, Any]:
    """Weights and limits from `name=number` texts."""
    known = [each.name for each in fields(Preference) if each.name != "order"]
    found: dict[str, Any] = {}
    for part in parts:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals and name not in known:
            raise DeclarationError(
                f"preference {given!r}: there is no profile {name!r}; there are"
                f" {', '.join(PROFILES)}; {WRITTEN}"
            )
        if name not in known:
            raise DeclarationError(
                f"preference {given!r}: {name!r} is none of {', '.join(known)}; {WRITTEN}"
            )
        if name in found:
            raise DeclarationError(f"preference {given!r} says {name} twice; say it once")
        found[name] = number(value, given)
    return found


def ranked(part: str) -> Any:
    """One measure of an order from text; what it is, is checked where it is used."""
    name, colon, slack = (piece.strip() for piece in part.partition(":"))
    return (name, number(slack, part)) if colon else name


def number(text: str, given: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DeclarationError(f"preference {given!r}: {text!r} is no number; {WRITTEN}") from None
    return int(value) if value.is_integer() else value
