"""A search-based program repair engine: the coder's mind when no language model is at hand."""
