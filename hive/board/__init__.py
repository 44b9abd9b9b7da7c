"""The board and everything that stands on it (floor 1)."""
