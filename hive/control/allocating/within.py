"""What allocators that stand around another one share (control floor)."""

from collections.abc import Collection, Iterable, Mapping

from hive.control.allocating.allocation import Allocator, listed
from hive.control.allocating.preferring import ByPreference
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["check_within", "is_pinned", "reached_within", "tiers_within"]


def is_pinned(role: Role, models: Collection[str]) -> bool:
    """Whether a role says itself which model it gets: one is named for it, or it has a tier."""
    return role.tier is not None or role.name in models


def reached_within(
    within: Allocator, roles: Iterable[Role], models: Collection[str]
) -> frozenset[str]:
    """The keys that an allocator may give to some roles; all, where only it knows that."""
    reached = getattr(within, "reached", None)
    return frozenset(models) if reached is None else frozenset(reached(tuple(roles), models))


def tiers_within(within: Allocator, roles: Iterable[Role], keys: Iterable[str]) -> tuple[str, ...]:
    """Some keys, and the tiers that an allocator may take for the work of some roles."""
    roles = tuple(roles)
    tiers = getattr(within, "tiers", None)
    own = [role.tier for role in roles if role.tier] if tiers is None else tiers(roles)
    return tuple(dict.fromkeys([*keys, *own]))


def check_within(
    what: str,
    within: Allocator,
    keys: Collection[str],
    roles: tuple[Role, ...],
    models: Mapping[str, str],
) -> None:
    """Raise DeclarationError where `models` lacks one of the keys that an allocator gives of its
    own, or one breaks a limit of the preference within, and whatever the allocator within finds
    wrong with those that only it could give."""
    named = {role.name for role in roles}
    open_to_all = tuple(name for key, name in models.items() if key in keys or key not in named)
    for key in keys:
        if key not in models:
            raise DeclarationError(
                f"{what} wants a model under {key!r}, and models has {listed(models)}"
            )
        broken = ""
        if isinstance(within, ByPreference):
            broken = within.broken(models[key], open_to_all)
        if broken:
            raise DeclarationError(
                f"{what} gives {key!r}, and {models[key]} breaks {broken} of the preference within;"
                " take it away, or let the limit go"
            )
    check = getattr(within, "check", None)
    if check is not None:
        own = reached_within(within, roles, models)
        check(roles, {k: name for k, name in models.items() if k in own or k not in keys})
