"""The peers of the suite, each started once, when a test asks for it."""

from collections.abc import Iterator

import pytest

from tests.peers import places


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need a peer, so none is run by `make test`."""
    for item in items:
        if places.HERE in item.path.parents:
            item.add_marker(pytest.mark.peers)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an inference engine with a model that babbles."""
    places.need("engine", places.PYTHON)
    folder = tmp_path_factory.mktemp("engine")
    with places.running(
        (places.PYTHON, places.HERE / "noise.py", folder), "http://", folder / "log"
    ) as address:
        assert places.got(f"{address}/health") == {"status": "ok"}
        yield address


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a mock server that others wrote."""
    places.need("aimock", places.AIMOCK, "node")
    folder = tmp_path_factory.mktemp("aimock")
    (folder / "aimock.json").write_text('{"llm": {"logLevel": "warn"}}')
    with places.running(
        ("node", places.AIMOCK, "--config", folder / "aimock.json"), "http://", folder / "log"
    ) as address:
        assert places.got(f"{address}/__aimock/health") == {"status": "ok"}
        yield address
