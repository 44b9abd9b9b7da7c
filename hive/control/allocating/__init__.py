"""Allocation: how hard the work is, and which model each strand gets for it."""
