"""Guards: what opens the edges of a graph, what ends a run, what sees that it is stuck."""
