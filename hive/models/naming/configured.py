"""What `hive.toml` and the environment say of models (models floor).

Nothing here happens by itself: the command asks for it, and so may a program.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hive.errors import DeclarationError, UnknownModel
from hive.models.catalog import ABILITIES, ModelCard, Prices
from hive.models.naming.chain import chained, members
from hive.models.naming.names import check_address, check_name
from hive.models.naming.providers import PROVIDERS, SPEAKS, VARIABLE
from hive.models.naming.toml import TomlFile, near

__all__ = ["ENVIRONMENT", "FILE", "Configured", "Given", "configured", "variable_of"]

FILE = "hive.toml"
ENVIRONMENT = "HIVE_MODEL"
ANYONE = "*"
USD = ("input_usd", "output_usd", "cached_read_usd", "cache_write_usd")
ON_A_CARD = ("window", "max_output", *USD, "abilities", "tier")


class Given(NamedTuple):
    """A model for a role, a tier or everyone ("*"), and who says so: "hive.toml", or a variable."""

    key: str
    model: str
    source: str


@dataclass(frozen=True)
class Configured:
    """What a file and the environment say: the models, what counts for more in front; the user's
    cards; and the beginnings of names for the user's own providers."""

    models: tuple[Given, ...] = ()
    cards: tuple[ModelCard, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None

    def named(self, name: str) -> str:
        """A name with the user's own providers written out, of a chain each of its members:
        "mine:qwen3" as "compatible:qwen3@http://rack:8000/v1". Raises UnknownModel."""
        return chained([self.written_out(member) for member in members(name)])

    def written_out(self, name: str) -> str:
        first, colon, model = name.partition(":")
        form = self.providers.get(first)
        return name if form is None or not colon else form.replace(":@", f":{model}@", 1)

    def for_roles(self, *roles: str, tiers: tuple[str, ...] = ("small", "large")) -> dict[str, str]:
        """The `models` of a Workflow with these roles and tiers; what is meant for others is left
        out."""
        offered = self.offers((*roles, *tiers, ANYONE), roles)
        return {key: given.model for key, given in offered.items()}

    def offers(
        self, keys: Iterable[str], roles: Collection[str], above: Collection[str] = ()
    ) -> dict[str, Given]:
        """What counts for each of these keys, some of which are `roles`, where sources that count
        for more have named those `above`. What a source says of everyone it says of every tier."""
        offered: dict[str, Given] = {}
        for of_file in (True, False):
            named = {*above, *offered}
            for given in self.models:
                if (given.source == FILE) is not of_file:
                    continue
                for key in keys:
                    shadowed = ANYONE in named and key not in roles
                    if means(given, key) and key not in named and not shadowed:
                        offered[key] = given
        return offered


def means(given: Given, key: str) -> bool:
    """Whether something is said of a key; a variable cannot tell - from _."""
    if given.source == FILE or given.key == ANYONE:
        return given.key == key
    return variable_of(key) == given.source


def variable_of(key: str) -> str:
    """The environment variable for a role, a tier or everyone.

    >>> variable_of("code-reviewer")
    'HIVE_MODEL_CODE_REVIEWER'
    """
    return ENVIRONMENT if key == ANYONE else f"{ENVIRONMENT}_{key.upper().replace('-', '_')}"


def configured(path: str | Path | None = None) -> Configured:
    """What a `hive.toml` and the environment say; without a path, the nearest file from the current
    directory upwards, if there is one.

    Pass what it says on: `Workflow(a >> b, models=found.for_roles("a", "b"), cards=found.cards)`.
    Raises DeclarationError for what is wrong, with the file, the line and the key.
    """
    place = nearest(Path.cwd()) if path is None else Path(path)
    if place is None:
        return Configured(models=from_environment(Configured()))
    file = TomlFile(place)
    file.table(known=("models", "providers", "cards"))
    own = Configured(providers={name: provider(file, name) for name in file.table("providers")})
    from_file = tuple(model(file, own, key) for key in file.table("models"))
    return Configured(
        models=(*from_file, *from_environment(own)),
        cards=tuple(card(file, own, name) for name in file.table("cards")),
        providers=own.providers,
        path=place,
    )


def nearest(folder: Path) -> Path | None:
    """The nearest file of that name from a folder upwards; a folder that may not be looked into has
    none."""
    return next((f / FILE for f in (folder, *folder.parents) if os.path.isfile(f / FILE)), None)


def from_environment(own: Configured) -> tuple[Given, ...]:
    found = []
    for variable, value in sorted(os.environ.items()):
        key = variable.removeprefix(ENVIRONMENT).removeprefix("_").lower()
        if variable == variable_of(key or ANYONE) and value.strip():
            try:
                name = own.named(value.strip())
                check_members(name)
            except UnknownModel as error:
                raise DeclarationError(f"{variable}: {error}") from error
            found.append(Given(key or ANYONE, name, variable))
    return tuple(found)


def model(file: TomlFile, own: Configured, key: str) -> Given:
    """A line of [models]."""
    try:
        name = own.named(file.word("models", key) or "")
        check_members(name)
    except UnknownModel as error:
        file.wrong(("models", key), f"cannot be used: {error}")
    return Given(key, name, FILE)


def check_members(name: str) -> None:
    for member in members(name):
        check_name(member)


def provider(file: TomlFile, name: str) -> str:
    """A table of [providers], as the name of a model of it without the model."""
    here = ("providers", name)
    file.table(*here, known=("base_url", "key", "speaks"))
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or name in (*PROVIDERS, "script", "program"):
        file.wrong(here, "cannot be called that: take a name of its own, in lower case")
    speaks = file.word(*here, "speaks") or "chat"
    if speaks not in SPEAKS:
        file.wrong((*here, "speaks"), f"is {speaks!r}; {near(speaks, SPEAKS)}")
    address = file.word(*here, "base_url")
    if address is None:
        file.wrong(here, 'needs base_url = "http://HOST:PORT/v1", where its server is')
    variable = file.word(*here, "key")
    if variable is not None and not VARIABLE.fullmatch(variable):
        file.wrong(
            (*here, "key"),
            "must be the name of an environment variable, such as MY_KEY; what stands there is not"
            " shown, for it may be a key: no secret belongs into this file",
        )
    form = f"{SPEAKS[speaks]}:@{address}{'' if variable is None else f'#{variable}'}"
    try:
        check_address(f"{name}:MODEL", address)
        check_name(form.replace(":@", ":MODEL@", 1))
    except UnknownModel as error:
        file.wrong(here, f"cannot be used: {error}")
    return form


def card(file: TomlFile, own: Configured, name: str) -> ModelCard:
    """A table of [cards]."""
    here = ("cards", name)
    file.table(*here, known=ON_A_CARD)
    try:
        known_as = own.named(name)
        check_members(known_as)
    except UnknownModel as error:
        file.wrong(here, f"is for no model: {error}")
    tokens = {key: file.number(*here, key, least=1) for key in ("window", "max_output")}
    usd = {key: file.number(*here, key, least=0, whole=False) for key in USD}
    input, output, read, write = usd.values()
    prices = None
    if input is not None and output is not None:
        prices = Prices.usd(input, output, read, write)
    elif any(price is not None for price in usd.values()):
        file.wrong(here, "needs both input_usd and output_usd, in dollars per million tokens")
    abilities = file.words(*here, "abilities", known=ABILITIES)
    return ModelCard(
        known_as,
        **{key: None if number is None else int(number) for key, number in tokens.items()},
        prices=prices,
        abilities=None if abilities is None else frozenset(a for a in ABILITIES if a in abilities),
        tier=file.word(*here, "tier"),
    )
