"""Patterns: functions that give the edges of a way of working together."""
