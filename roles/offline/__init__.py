"""Minds that are programs: they need no key and no network, and say so."""
