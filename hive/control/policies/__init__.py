"""Policies: which of the moves that a graph allows is made."""
