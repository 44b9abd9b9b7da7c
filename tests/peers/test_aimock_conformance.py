"""The conformance suite once more, over a mock server that others wrote, as far as it goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, cast

import pytest

from hive.models import Model, close, resolve
from hive.testing import ModelConformance
from hive.testing.loopback import Answering, Newline, Script, Server
from tests.peers.asking import KEY
from tests.peers.mock import Mock, Unscriptable

UNTOLD = "aimock does not tell this of a request, whose journal is in words of Chat Completions"
BREAKS = {"test_the_connection_is_reset_in_mid_answer": "aimock breaks off streams only"}


class OverAimock(ModelConformance):
    """A scenario whose script aimock cannot play is skipped, and one where it strays from the
    provider's specification, which `strays` says why."""

    name: str
    mock: Mock
    strays: ClassVar[dict[str, str]] = BREAKS

    @pytest.fixture(autouse=True)
    def at(self, aimock: str, request: pytest.FixtureRequest) -> None:
        assert all(hasattr(self, scenario) for scenario in self.strays)
        name = request.node.originalname
        if name in self.strays:
            pytest.skip(self.strays[name])
        self.mock = Mock(aimock)

    def model(self, base_url: str) -> Model:
        return resolve(self.name, base_url=base_url, key=KEY)

    @asynccontextmanager
    async def serving(
        self,
        script: Script | Answering,
        *,
        chop: int | None = None,
        newline: Newline = "\n",
        comments: bool = False,
    ) -> AsyncIterator[tuple[Model, Server]]:
        if chop is not None or newline != "\n" or comments:
            pytest.skip("aimock writes its event streams in one way only")
        try:
            self.mock.serve(script)
        except Unscriptable as reason:
            pytest.skip(str(reason))
        model = self.model(self.mock.base_url)
        try:
            yield model, cast(Any, self.mock)
        finally:
            await close(model)


class TestResponses(OverAimock):
    name = "openai:gpt-5-mini"
    strays: ClassVar[dict[str, str]] = {
        **BREAKS,
        "test_an_answer_at_its_limit_says_so": "no incomplete_details; see test_aimock",
        "test_an_answer_that_was_filtered_says_so": "`failed`, of no error; see test_aimock",
        "test_the_schema_of_an_answer_is_sent": UNTOLD,
        "test_thinking_is_sent_back_unchanged": UNTOLD,
        "test_an_image_is_shown": UNTOLD,
        "test_a_file_is_shown": UNTOLD,
    }


class TestChat(OverAimock):
    name = "openai-chat:gpt-5-mini"


class TestMessages(OverAimock):
    name = "anthropic:claude-opus-5"
    strays: ClassVar[dict[str, str]] = {
        **BREAKS,
        "test_an_answer_that_was_filtered_says_so": "a stop reason that Anthropic has not",
        "test_the_schema_of_an_answer_is_sent": UNTOLD,
        "test_thinking_is_sent_back_unchanged": UNTOLD,
        "test_an_image_is_shown": UNTOLD,
        "test_an_image_that_a_tool_returned_is_shown": UNTOLD,
        "test_a_file_is_shown": UNTOLD,
    }
