import subprocess
import sys

import pytest

from hive.errors import DeclarationError, MissingKey, UnknownModel
from hive.models import PROVIDERS, ModelCard, Prices, card_of, check, resolve
from hive.models.naming.names import place_of
from hive.models.naming.providers import parted


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("openai:gpt-5-mini", ("openai", "gpt-5-mini", None, None)),
        ("compatible:a/b:c@http://h:1/v1", ("compatible", "a/b:c", "http://h:1/v1", None)),
        ("compatible:@cf/x@https://h", ("compatible", "@cf/x", "https://h", None)),
        ("compatible:x@https://h/v1#A_KEY", ("compatible", "x", "https://h/v1", "A_KEY")),
        ("compatible:x#1", ("compatible", "x#1", None, None)),
        ("gpt-5", ("gpt-5", "", None, None)),
    ],
)
def test_names_are_parted(name: str, parts: tuple[str, str, str | None, str | None]) -> None:
    assert parted(name) == parts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt-5-mini", "did you mean openai:gpt-5-mini?"),
        ("claude-opus-5", "did you mean anthropic:claude-opus-5?"),
        ("opnai:gpt-5", "did you mean openai:gpt-5?"),
        ("OpenAI:gpt-5", "did you mean openai:gpt-5?"),
        ("mistral:large", "there are openai:MODEL, openai-chat:MODEL, anthropic:MODEL"),
        ("olama:qwen3", "did you mean ollama:qwen3?"),
        ("azure:mine", "azure:mine@http://HOST:PORT/v1, pass base_url=, or set AZURE_OPENAI_BASE"),
        ("", "no provider answers to ''"),
        ("openai:", "say openai:MODEL"),
        ("ollama", "names a provider but no model; say ollama:MODEL"),
        ("ollama:qwen3@10.0.0.7:11434", "say ollama:qwen3@http://10.0.0.7:11434"),
        ("vllm:Qwen/Q@rack:8000/v1", "say vllm:Qwen/Q@http://rack:8000/v1"),
        ("compatible:x@models.example/v1", "say compatible:x@http://models.example/v1"),
        ("openai:@http://h/v1", "say openai:MODEL"),
        ("script:coder", "ScriptedModel, which lives in Python; pass the object"),
        ("program:planner", "FunctionModel, which lives in Python; pass the object"),
        (
            "compatible:qwen3",
            "say compatible:qwen3@http://HOST:PORT/v1, pass base_url=, or set HIVE",
        ),
    ],
)
def test_a_name_that_cannot_be_resolved_says_what_would_be_right(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HIVE_BASE_URL", "AZURE_OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UnknownModel) as caught:
        resolve(name)
    assert words in str(caught.value)
    assert isinstance(caught.value, DeclarationError)


@pytest.mark.parametrize("name", ["ollama:qwen3:8b", "openrouter:a/b:free", "vllm:a@20250101"])
def test_a_model_may_be_called_what_its_server_calls_it(name: str) -> None:
    assert resolve(name).name == name


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8000", "ftp://h/v1", "http://", "h", "http://h:99999/v1", "http://[::1/v1"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UnknownModel, match="is no server's address"):
        resolve("openai:x", base_url=address)


WHERE = (
    ("openai:x", "https://api.openai.com/v1", "OPENAI_API_KEY", False),
    ("openai-chat:x@https://eu.api.openai.com/v1", None, "OPENAI_API_KEY", False),
    ("anthropic:x", "https://api.anthropic.com", "ANTHROPIC_API_KEY", False),
    ("openrouter:a/b", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", False),
    ("azure:x@https://mine.openai.azure.com/openai/v1", None, "AZURE_OPENAI_API_KEY", False),
    ("ollama:qwen3", "http://127.0.0.1:11434/v1", "OLLAMA_API_KEY", True),
    ("ollama:qwen3@https://ollama.com/v1", None, "OLLAMA_API_KEY", True),
    ("lmstudio:qwen3", "http://127.0.0.1:1234/v1", "LM_API_TOKEN", True),
    ("llamacpp:qwen3", "http://127.0.0.1:8080/v1", "LLAMA_API_KEY", True),
    ("vllm:qwen3", "http://127.0.0.1:8000/v1", "VLLM_API_KEY", True),
    ("vllm:qwen3@http://rack:8000/v1", None, "VLLM_API_KEY", True),
    ("compatible:x@http://rack:8000/v1", None, "HIVE_API_KEY", True),
)


@pytest.mark.parametrize(("name", "address", "variable", "keyless"), WHERE)
def test_a_provider_has_an_address_and_a_key_of_its_own(
    name: str, address: str | None, variable: str, keyless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider in PROVIDERS.values():
        monkeypatch.delenv(provider.address_variable or "-", raising=False)
    place = place_of(name)
    assert place.address == (address or parted(name).address)
    assert (place.key, place.keyless) == (variable, keyless)


@pytest.mark.parametrize(
    "name",
    [
        "openai:x@http://127.0.0.1:1/v1",
        "openai:x@http://api.openai.com/v1",
        "openai:x@https://api.openai.com.evil.example/v1",
        "openai-chat:x@https://evilapi.openai.com.example",
        "anthropic:x@https://gateway.example",
        "azure:x@https://openai.azure.com.example/openai/v1",
        "openrouter:x@https://notopenrouter.ai/v1",
        "ollama:x@http://rack:11434/v1",
    ],
)
def test_an_accounts_key_does_not_leave_its_home(name: str) -> None:
    place = place_of(name)
    assert (place.key, place.keyless) == ("HIVE_API_KEY", True)
    variable = place.provider.key
    with pytest.raises(UnknownModel, match=f"would send {variable}, the key for https"):
        resolve(f"{name}#{variable}")


def test_a_name_may_say_which_key_its_server_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "openai:x@https://gateway.example/v1#GATEWAY_KEY"
    monkeypatch.delenv("GATEWAY_KEY", raising=False)
    with pytest.raises(MissingKey, match="set GATEWAY_KEY"):
        check(resolve(name))
    monkeypatch.setenv("GATEWAY_KEY", "any")
    check(resolve(name))


def test_what_is_no_variable_behind_a_name_is_not_shown() -> None:
    for planted in ("sk-planted", "planted", "9PLANTED", "", "A_KEY/planted"):
        with pytest.raises(UnknownModel, match="is no name of an environment variable") as caught:
            resolve(f"compatible:x@http://h/v1#{planted}")
        assert "planted" not in str(caught.value)
    with pytest.raises(UnknownModel, match="'openai:x' has no address") as caught:
        resolve("openai:x#sk-planted")
    assert "planted" not in str(caught.value)


def test_an_address_in_the_environment_is_as_good_as_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    place = place_of("openai:x")
    assert (place.address, place.key) == ("https://gateway.example/v1", "OPENAI_API_KEY")


@pytest.mark.parametrize(
    "address",
    ["http://me:planted@h/v1", "http://:planted@h", "https://p:planted@", "http://h/v1?k=planted"],
)
def test_an_address_with_a_password_is_refused_without_showing_it(address: str) -> None:
    for name, base_url in (("compatible:x", address), (f"compatible:x@{address}", None)):
        with pytest.raises(UnknownModel, match="a user, a password or a query") as caught:
            resolve(name, base_url=base_url)
        assert "planted" not in str(caught.value)


def test_the_address_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_BASE_URL", "http://127.0.0.1:9/v1")
    model = resolve("compatible:qwen3")
    assert model.name == "compatible:qwen3"
    assert repr(model) == "Compatible('compatible:qwen3')"


def test_a_name_resolves_to_a_model_of_that_name() -> None:
    for name in ("openai:a", "openai-chat:b", "anthropic:c", "compatible:d@http://127.0.0.1:1/v1"):
        assert resolve(name).name == name
        assert resolve(resolve(name).name).name == name


def test_a_card_can_be_given() -> None:
    card = ModelCard("x", prices=Prices.usd("0.1", "0.2"))
    assert card_of(resolve("compatible:x", base_url="http://h/v1", card=card)) is card


def test_a_missing_sdk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("anthropic", "hive.models.anthropic_messages.backend"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(UnknownModel, match=r"pip install 'hive-blackboard\[anthropic\]'"):
        resolve("anthropic:claude-opus-5")


def test_the_door_opens_without_any_sdk() -> None:
    code = (
        "import sys, hive.models as m; m.card('script:x'); "
        "found = {n.partition('.')[0] for n in sys.modules}; "
        "print(sorted(found & {'openai', 'anthropic', 'genai_prices', 'httpx2'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
