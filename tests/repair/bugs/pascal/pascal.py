"""Pascal's triangle."""


def pascal(height):
    """The first rows of the triangle, as lists."""
    rows = [[1]]
    for depth in range(1, height):
        row = []
        for column in range(0, depth):
            upper_left = rows[depth - 1][column - 1] if column > 0 else 0
            upper_right = rows[depth - 1][column] if column < depth else 0
            row.append(upper_left + upper_right)
        rows.append(row)
    return rows
