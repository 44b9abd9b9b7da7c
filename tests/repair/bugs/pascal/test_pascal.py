from pascal import pascal


def test_one_row():
    assert pascal(1) == [[1]]


def test_two_rows():
    assert pascal(2) == [[1], [1, 1]]


def test_four_rows():
    assert pascal(4) == [[1], [1, 1], [1, 2, 1], [1, 3, 3, 1]]


def test_row_lengths():
    assert [len(row) for row in pascal(6)] == [1, 2, 3, 4, 5, 6]


def test_rows_add_up_to_powers_of_two():
    assert [sum(row) for row in pascal(7)] == [1, 2, 4, 8, 16, 32, 64]


def test_rows_read_the_same_backwards():
    assert all(row == row[::-1] for row in pascal(8))
