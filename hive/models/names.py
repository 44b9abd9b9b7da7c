"""From a name to a model (models floor): which provider answers to "provider:name"."""

import difflib
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from hive.errors import UnknownModel
from hive.models.catalog import ModelCard
from hive.models.chain import is_chain
from hive.models.model import Model, split_name

__all__ = ["PROVIDERS", "Provider", "resolve"]

BASE_URL = "HIVE_BASE_URL"


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to reach models: `backend` is the class that does it, as "module:class".

    `key` names the environment variable of the API key; `own_server` says that the name does not
    mean one company's server, so the address must be given.
    """

    name: str
    backend: str
    key: str
    says: str
    own_server: bool = False


PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "openai",
            "hive.models.openai_responses.backend:OpenAIResponses",
            "OPENAI_API_KEY",
            "OpenAI's Responses API",
        ),
        Provider(
            "openai-chat",
            "hive.models.openai_chat.backend:OpenAIChat",
            "OPENAI_API_KEY",
            "OpenAI's Chat Completions API",
        ),
        Provider(
            "anthropic",
            "hive.models.anthropic_messages.backend:AnthropicMessages",
            "ANTHROPIC_API_KEY",
            "Anthropic's Messages API",
        ),
        Provider(
            "compatible",
            "hive.models.openai_chat.backend:Compatible",
            "HIVE_API_KEY",
            "a server that speaks Chat Completions: llama.cpp, vLLM, Ollama, LM Studio, OpenRouter",
            own_server=True,
        ),
    )
}


def resolve(
    name: str,
    *,
    base_url: str | None = None,
    key: str | None = None,
    card: ModelCard | None = None,
) -> Model:
    """The model that answers to `name`, "provider:model" or "provider:model@http://host:port/v1".

    The providers are `openai`, `openai-chat`, `anthropic` and `compatible`. `base_url` is the
    server's address where the name has none; a compatible server's may also stand in
    HIVE_BASE_URL. `key` is the API key, otherwise looked for in the provider's environment
    variable when the model is first used, or checked with `hive.models.check`; a server with an
    address of its own may do without. `card` replaces the catalog's.

    No connection is made. Close the model with `hive.models.close` when it is done with.

    Raises: `UnknownModel`, with what there is and what may have been meant.
    """
    if is_chain(name):
        raise UnknownModel(
            f"{name!r} is a chain of models and not one; steady({name!r}) makes it, as workflows do"
        )
    provider = provider_of(name)
    _, model, in_name = split_name(name)
    if not model:
        raise UnknownModel(f"{name!r} names a provider but no model; say {provider.name}:MODEL")
    address = in_name or base_url or (os.environ.get(BASE_URL) if provider.own_server else None)
    if address is None and provider.own_server:
        raise UnknownModel(
            f"{name!r} does not say where its server is; say {name}@http://HOST:PORT/v1, "
            f"pass base_url=, or set {BASE_URL}"
        )
    if address is not None:
        check_address(name, address)
    return backend(name, provider)(
        model,
        name=name,
        base_url=address,
        key=key,
        key_variable=provider.key,
        keyless=address is not None,
        card=card,
    )


def provider_of(name: str) -> Provider:
    first, colon, _ = name.partition(":")
    if colon and first in PROVIDERS:
        return PROVIDERS[first]
    if colon and first in ("script", "program"):
        kind = "ScriptedModel" if first == "script" else "FunctionModel"
        raise UnknownModel(
            f"{name!r} is a {kind}, which lives in Python; pass the object itself where you "
            "passed its name"
        )
    raise UnknownModel(f"no provider answers to {name!r}; {meant(name)}there are {listing()}")


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
    return "; ".join(f"{p.name}:MODEL ({p.says})" for p in PROVIDERS.values())


def check_address(name: str, address: str) -> None:
    """Raise `UnknownModel` unless the address is scheme, host, port and path, and nothing else."""
    if "@" in address or "?" in address or "#" in address:
        raise UnknownModel(
            f"the address given for the model {split_name(name)[1]!r} holds a user, a password or "
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
