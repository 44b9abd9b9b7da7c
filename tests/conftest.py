"""How the suite draws its examples: the same ones every time, so that a red test stays red.

`pytest --hypothesis-profile=search` looks for new ones, long and at random. No test knows what
another learned of a server: ports are used again.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from hive.models.limits import endpoint

settings.register_profile("hive", deadline=None, max_examples=100, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=5000, database=None)
settings.load_profile("hive")


@pytest.fixture(scope="session", autouse=True)
def nobody_trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clients, of processes that are started here too, trust no authority: nobody is asked for any,
    and a client that reads them all when it is opened takes longer than several calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield


@pytest.fixture(autouse=True)
def strangers() -> None:
    """Every server is a new one."""
    endpoint.KNOWN.clear()
