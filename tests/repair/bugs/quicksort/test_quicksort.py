from quicksort import quicksort


def test_empty():
    assert quicksort([]) == []


def test_single():
    assert quicksort([1]) == [1]


def test_distinct():
    assert quicksort([3, 1, 2]) == [1, 2, 3]


def test_descending():
    assert quicksort([5, 4, 3, 2, 1]) == [1, 2, 3, 4, 5]


def test_duplicates_stay():
    assert quicksort([1, 2, 4, 5, 6, 4]) == [1, 2, 4, 4, 5, 6]


def test_all_equal():
    assert quicksort([7, 7, 7]) == [7, 7, 7]


def test_negative():
    assert quicksort([0, -3, 2, -1]) == [-3, -1, 0, 2]
