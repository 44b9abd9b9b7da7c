"""What every model backend is held to (rim), as a test class to be subclassed in a test file.

from hive.testing import ModelConformance

class TestMine(ModelConformance):
    lacks = {"images": "the server takes text only"}

    def model(self, base_url: str) -> Model:
        return Mine(base_url)
"""

from hive.testing.conformance.model import ModelConformance
from hive.testing.conformance.suite import ABILITIES

__all__ = ["ABILITIES", "ModelConformance"]
