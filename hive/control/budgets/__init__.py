"""Budgets: caps, the scopes that hold them, and the books of a run."""
