"""The 0/1 knapsack by dynamic programming."""


def best_value(capacity, items):
    """The most value that fits; items are (weight, value) pairs."""
    table = [[0] * (capacity + 1) for _ in range(len(items) + 1)]
    for row, (weight, value) in enumerate(items, start=1):
        for room in range(1, capacity + 1):
            without = table[row - 1][room]
            table[row][room] = without
            if weight < room:
                table[row][room] = max(without, value + table[row - 1][room - weight])
    return table[len(items)][capacity]
