"""Handoff graphs: what they are made of, their verification, their worst case, their pictures."""
