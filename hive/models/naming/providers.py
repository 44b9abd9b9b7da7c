"""Providers (models floor): who serves models, where, and which key goes there."""

import os
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["OWN_KEY", "PROVIDERS", "SPEAKS", "VARIABLE", "Named", "Provider", "parted"]

OWN_KEY = "HIVE_API_KEY"
"""The variable of the key for an address that a name gives and that is not its provider's own."""

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
"""What an environment variable for a key is called; keys themselves look otherwise."""

CHAT = "hive.models.openai_chat.backend:Compatible"
LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class Named(NamedTuple):
    """The parts of a model's name: `provider:model@address#KEY_VARIABLE`, the last two optional."""

    provider: str
    model: str
    address: str | None = None
    key: str | None = None


def parted(name: str) -> Named:
    """Part a model's name.

    >>> parted("compatible:qwen3@https://models.example/v1#LAB_KEY")
    Named(provider='compatible', model='qwen3', address='https://models.example/v1', key='LAB_KEY')
    """
    provider, _, rest = name.partition(":")
    for scheme in ("@http://", "@https://"):
        model, found, host = rest.partition(scheme)
        if found:
            host, marked, key = host.partition("#")
            return Named(provider, model, scheme[1:] + host, key if marked else None)
    return Named(provider, rest)


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to reach models: `backend` is the class that does it, as "module:class".

    `key` names the environment variable of its key, and `homes` are the places that the key may be
    sent to, as "scheme://host", their subdomains included; without any it may go wherever the
    user's own server stands. `address` is where the server is found, `address_variable` the
    environment variable that says it otherwise. A `keyless` server does without a key. `vendor`
    says that it is the company that made the SDK, which then finds more in the environment by
    itself, such as an organization.
    """

    name: str
    backend: str
    key: str
    says: str
    address: str | None = None
    address_variable: str | None = None
    homes: tuple[str, ...] = ()
    keyless: bool = False
    vendor: bool = False

    def found_at(self) -> str | None:
        """Where its server is, as the environment says or by default; None where nobody knows."""
        said = os.environ.get(self.address_variable or "", "").strip()
        return said or self.address

    def at_home(self, address: str) -> bool:
        """Whether its own key may be sent to an address."""
        parts = urlsplit(address)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return not self.homes or any(
            home.startswith(f"{parts.scheme}://")
            and f".{host}".endswith(f".{home.partition('://')[2]}")
            for home in self.homes
        )


PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "openai",
            "hive.models.openai_responses.backend:OpenAIResponses",
            "OPENAI_API_KEY",
            "OpenAI's Responses API",
            address="https://api.openai.com/v1",
            address_variable="OPENAI_BASE_URL",
            homes=("https://api.openai.com",),
            vendor=True,
        ),
        Provider(
            "openai-chat",
            "hive.models.openai_chat.backend:OpenAIChat",
            "OPENAI_API_KEY",
            "OpenAI's Chat Completions API",
            address="https://api.openai.com/v1",
            address_variable="OPENAI_BASE_URL",
            homes=("https://api.openai.com",),
            vendor=True,
        ),
        Provider(
            "anthropic",
            "hive.models.anthropic_messages.backend:AnthropicMessages",
            "ANTHROPIC_API_KEY",
            "Anthropic's Messages API",
            address="https://api.anthropic.com",
            address_variable="ANTHROPIC_BASE_URL",
            homes=("https://api.anthropic.com",),
            vendor=True,
        ),
        Provider(
            "azure",
            "hive.models.openai_responses.backend:OpenAIResponses",
            "AZURE_OPENAI_API_KEY",
            "a deployment on Azure, over the Responses API",
            address_variable="AZURE_OPENAI_BASE_URL",
            homes=(
                "https://openai.azure.com",
                "https://services.ai.azure.com",
                "https://cognitiveservices.azure.com",
            ),
        ),
        Provider(
            "openrouter",
            CHAT,
            "OPENROUTER_API_KEY",
            "OpenRouter, over Chat Completions",
            address="https://openrouter.ai/api/v1",
            homes=("https://openrouter.ai",),
        ),
        Provider(
            "ollama",
            CHAT,
            "OLLAMA_API_KEY",
            "Ollama, over Chat Completions",
            address="http://127.0.0.1:11434/v1",
            homes=("https://ollama.com", *LOOPBACK),
            keyless=True,
        ),
        Provider(
            "lmstudio",
            CHAT,
            "LM_API_TOKEN",
            "LM Studio, over Chat Completions",
            address="http://127.0.0.1:1234/v1",
            keyless=True,
        ),
        Provider(
            "llamacpp",
            CHAT,
            "LLAMA_API_KEY",
            "llama.cpp's server, over Chat Completions",
            address="http://127.0.0.1:8080/v1",
            keyless=True,
        ),
        Provider(
            "vllm",
            CHAT,
            "VLLM_API_KEY",
            "vLLM, over Chat Completions",
            address="http://127.0.0.1:8000/v1",
            keyless=True,
        ),
        Provider(
            "compatible",
            CHAT,
            OWN_KEY,
            "any server that speaks Chat Completions",
            address_variable="HIVE_BASE_URL",
            keyless=True,
        ),
    )
}

SPEAKS: dict[str, str] = {"chat": "compatible", "responses": "openai", "messages": "anthropic"}
"""The protocols that a server of one's own may speak, and the provider that speaks each."""
