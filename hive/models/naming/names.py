"""From a name to a model (models floor): which provider answers to "provider:name"."""

import difflib
import importlib
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from hive.errors import UnknownModel
from hive.models.catalog import ModelCard
from hive.models.model import Model
from hive.models.naming.chain import is_chain
from hive.models.naming.providers import OWN_KEY, PROVIDERS, VARIABLE, Provider, parted

__all__ = ["Place", "check_name", "place_of", "resolve"]


BARE_ADDRESS = re.compile(r"(.*)@([^@/]*:\d+(?:/.*)?|[^@/]+/v\d+/?)")
"""What ends like an address, but for its scheme."""


def resolve(
    name: str,
    *,
    base_url: str | None = None,
    key: str | None = None,
    card: ModelCard | None = None,
) -> Model:
    """The model that answers to `name`: "provider:model", "provider:model@http://host:port/v1", or
    that with "#VARIABLE" behind it, the environment variable that holds the server's key.

    The providers are those of `PROVIDERS`. `base_url` is the server's address where the name has
    none. `key` is the API key, otherwise looked for in the environment when the model is first
    used, or checked with `hive.models.check`: in the variable that the name gives; in the
    provider's own at the provider's own address; in HIVE_API_KEY at any other. `card` replaces the
    catalog's.

    No connection is made. Close the model with `hive.models.close` when it is done with.

    Raises: `UnknownModel`, with what there is and what may have been meant.
    """
    if is_chain(name):
        raise UnknownModel(
            f"{name!r} is a chain of models and not one; steady({name!r}) makes it, as workflows do"
        )
    place = place_of(name, base_url)
    return backend(name, place.provider)(
        parted(name).model,
        name=name,
        base_url=place.address,
        key=key,
        key_variable=place.key,
        keyless=place.keyless,
        vendor=place.key == place.provider.key and place.provider.vendor,
        card=card,
    )


class Place(NamedTuple):
    """Where a model is asked, and the environment variable of the key that goes there; where it is
    `keyless`, none has to."""

    provider: Provider
    address: str
    key: str
    keyless: bool


def place_of(name: str, base_url: str | None = None) -> Place:
    """Where the model of a name is asked. Raises `UnknownModel`."""
    provider = check_name(name)
    named = parted(name)
    given = named.address or base_url
    address = given or provider.found_at()
    if address is None:
        raise UnknownModel(
            f"{name!r} does not say where its server is; say {name}@http://HOST:PORT/v1, "
            f"pass base_url=, or set {provider.address_variable}"
        )
    check_address(name, address)
    if named.key is not None:
        return Place(provider, address, named.key, keyless=False)
    if given is None or provider.at_home(address):
        return Place(provider, address, provider.key, provider.keyless)
    return Place(provider, address, OWN_KEY, keyless=True)


def check_name(name: str) -> Provider:
    """The provider of a name that is well formed, wherever its server may be. Raises
    `UnknownModel`."""
    provider = provider_of(name)
    named = parted(name)
    bare = BARE_ADDRESS.fullmatch(named.model)
    if bare and named.address is None:
        raise UnknownModel(
            f"the address in {name!r} does not begin with http:// or https://; "
            f"say {provider.name}:{bare[1]}@http://{bare[2]}"
        )
    if not named.model:
        raise UnknownModel(f"{name!r} names a provider but no model; say {provider.name}:MODEL")
    if named.address is None and "#" in name:
        raise UnknownModel(
            f"{name.partition('#')[0]!r} has no address, and what stands behind the # (and is not "
            "shown, for it may be a key) names the variable of the key for one: say "
            f"{name.partition('#')[0]}@https://HOST/v1#MY_KEY"
        )
    if named.address is not None:
        check_address(name, named.address)
        if named.key is not None:
            check_key(name, named.key, named.address)
    return provider


def provider_of(name: str) -> Provider:
    first, colon, _ = name.partition(":")
    if colon and first in PROVIDERS:
        return PROVIDERS[first]
    if first in PROVIDERS:
        raise UnknownModel(f"{name!r} names a provider but no model; say {name}:MODEL")
    if colon and first in ("script", "program"):
        kind = "ScriptedModel" if first == "script" else "FunctionModel"
        raise UnknownModel(
            f"{name!r} is a {kind}, which lives in Python; pass the object itself where you "
            "passed its name"
        )
    own = ""
    if first and colon:
        own = (
            f"; a server of your own may be [providers.{first}] in hive.toml, which the command "
            f"reads, and configured().named({name!r}) in Python"
        )
    raise UnknownModel(f"no provider answers to {name!r}; {meant(name)}there are {listing()}{own}")


def meant(name: str) -> str:
    """What may have been meant by a name without a known provider; empty if nobody can tell."""
    first, colon, rest = name.partition(":")
    near = difflib.get_close_matches(first.lower(), PROVIDERS, 1, 0.6)
    if colon and near:
        return f"did you mean {near[0]}:{rest}? "
    if first.lower().startswith("claude"):
        return f"did you mean anthropic:{name}? "
    if first.lower().startswith(("gpt", "o1", "o3", "o4")):
        return f"did you mean openai:{name}? "
    return ""


def listing() -> str:
    return ", ".join(f"{provider}:MODEL" for provider in PROVIDERS)


def check_address(name: str, address: str) -> None:
    """Raise `UnknownModel` unless the address is scheme, host, port and path, and nothing else."""
    if "@" in address or "?" in address or "#" in address:
        raise UnknownModel(
            f"the address given for the model {parted(name).model!r} holds a user, a password or "
            "a query, which would be written down with the model's name; right would be "
            "http://127.0.0.1:8000/v1, and the key in the environment"
        )
    try:
        parts = urlsplit(address)
        found = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        found = None
    if not found:
        raise UnknownModel(
            f"{address!r}, given for {name!r}, is no server's address; "
            "right would be http://127.0.0.1:8000/v1"
        )


def check_key(name: str, variable: str, address: str) -> None:
    """Raise `UnknownModel` for what is no variable's name, and for that of an account's key which
    would be sent elsewhere."""
    who = f"{name.partition('#')[0]!r}"
    if not VARIABLE.fullmatch(variable):
        raise UnknownModel(
            f"what stands behind the # of {who} is no name of an environment variable (and is not "
            "shown, for it may be a key); right would be #MY_KEY, and the key in that variable"
        )
    owners = [provider for provider in PROVIDERS.values() if provider.key == variable]
    if owners and not any(provider.at_home(address) for provider in owners):
        raise UnknownModel(
            f"{who} would send {variable}, the key for {owners[0].homes[0]}, to another address; "
            "give the key for that server a variable of its own"
        )


def backend(name: str, provider: Provider) -> Callable[..., Model]:
    module, _, kind = provider.backend.partition(":")
    try:
        made: Callable[..., Model] = getattr(importlib.import_module(module), kind)
    except ModuleNotFoundError as error:
        missing = error.name or "its SDK"
        raise UnknownModel(
            f"{name!r} needs the package {missing!r}, which is not installed; "
            f"pip install 'hive-blackboard[{missing}]'"
        ) from error
    return made
