"""From names to models (models floor): providers, keys, chains, and what is configured."""
