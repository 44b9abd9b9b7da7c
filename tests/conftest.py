"""How the suite draws its examples: the same ones every time, so that a red test stays red.

`pytest --hypothesis-profile=search` looks for new ones, long and at random.
"""

from hypothesis import settings

settings.register_profile("hive", deadline=None, max_examples=100, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=5000, database=None)
settings.load_profile("hive")
