"""What runs inside the test process: pytest, watched by a plugin, in forked children.

This package is imported by its bare name in a process of its own, without the rest of Hive, so its
modules import each other relatively and nothing else but the standard library, pytest and
coverage.
"""
