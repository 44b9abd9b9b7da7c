import subprocess
import sys

import pytest

from hive.errors import DeclarationError, UnknownModel
from hive.models import ModelCard, Prices, card_of, resolve
from hive.models.model import split_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("openai:gpt-5-mini", ("openai", "gpt-5-mini", None)),
        ("compatible:a/b:c@http://h:1/v1", ("compatible", "a/b:c", "http://h:1/v1")),
        ("compatible:@cf/x@https://h", ("compatible", "@cf/x", "https://h")),
        ("gpt-5", ("gpt-5", "", None)),
    ],
)
def test_names_are_parted(name: str, parts: tuple[str, str, str | None]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt-5-mini", "did you mean openai:gpt-5-mini?"),
        ("claude-opus-5", "did you mean anthropic:claude-opus-5?"),
        ("opnai:gpt-5", "did you mean openai:gpt-5?"),
        ("OpenAI:gpt-5", "did you mean openai:gpt-5?"),
        ("mistral:large", "there are openai:MODEL"),
        ("", "no provider answers to ''"),
        ("openai:", "say openai:MODEL"),
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
    monkeypatch.delenv("HIVE_BASE_URL", raising=False)
    with pytest.raises(UnknownModel) as caught:
        resolve(name)
    assert words in str(caught.value)
    assert isinstance(caught.value, DeclarationError)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8000", "ftp://h/v1", "http://", "h", "http://h:99999/v1", "http://[::1/v1"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UnknownModel, match="is no server's address"):
        resolve("openai:x", base_url=address)


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
