from mergesort import merge, mergesort


def test_empty():
    assert mergesort([]) == []


def test_single():
    assert mergesort([4]) == [4]


def test_pair():
    assert mergesort([2, 1]) == [1, 2]


def test_reversed():
    assert mergesort([5, 4, 3, 2, 1]) == [1, 2, 3, 4, 5]


def test_duplicates():
    assert mergesort([3, 1, 3, 2, 1]) == [1, 1, 2, 3, 3]


def test_merge():
    assert merge([1, 4], [2, 3]) == [1, 2, 3, 4]


def test_merge_with_nothing():
    assert merge([], [1, 2]) == [1, 2]


def test_long():
    values = [(7 * n) % 31 for n in range(31)]
    assert mergesort(values) == list(range(31))
