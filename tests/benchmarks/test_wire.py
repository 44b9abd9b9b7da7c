"""The benchmark of calls runs, and all ways bring the same answer; its times are not tested."""

import gc
import resource
from collections.abc import Iterator

import pytest

from tests.benchmarks.canned import serving
from tests.benchmarks.crowd import crowd, room_for
from tests.benchmarks.ways import NAMES
from tests.benchmarks.wire import compared


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.asyncio
async def test_every_way_to_ask_brings_the_whole_answer(name: str, stream: bool) -> None:
    with serving() as server:
        figures = await compared(name, server, stream, blocks=2, size=1)
    assert min(figures[f"{way}_us"] for way in ("read", "bare", "hive", "steady")) > 0


@pytest.fixture
def alone() -> Iterator[None]:
    """What the whole suite holds is not gone through whenever the memory is read."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["bare", "steady"])
@pytest.mark.asyncio
async def test_streams_that_are_all_open_at_once_all_end(name: str, way: str) -> None:
    with serving() as server:
        assert (await crowd(name, way, server, 20))["streams"] == 20


def test_a_system_that_allows_too_few_files_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 512))
    with pytest.raises(SystemExit, match="1200 open files, and the system allows 512; raise the"):
        room_for(1000)
