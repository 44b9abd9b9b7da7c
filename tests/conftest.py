"""How the suite draws its examples: the same ones every time, so that a red test stays red.

`pytest --hypothesis-profile=search` looks for new ones, long and at random. No test knows what
another learned of a server: ports are used again.
"""

import pytest
from hypothesis import settings

from hive.models import endpoint

settings.register_profile("hive", deadline=None, max_examples=100, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=5000, database=None)
settings.load_profile("hive")


@pytest.fixture(autouse=True)
def strangers() -> None:
    """Every server is a new one."""
    endpoint.KNOWN.clear()
