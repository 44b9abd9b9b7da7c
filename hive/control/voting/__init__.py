"""Deciding rules: from what several said to one Verdict."""
