"""Hive coordinates a team of agents over a shared, append-only blackboard."""
