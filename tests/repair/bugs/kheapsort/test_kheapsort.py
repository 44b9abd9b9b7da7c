from kheapsort import kheapsort


def test_nothing():
    assert list(kheapsort([], 3)) == []


def test_sorted_with_zero_distance():
    assert list(kheapsort([1, 2, 3], 0)) == [1, 2, 3]


def test_neighbours_swapped():
    assert list(kheapsort([2, 1, 4, 3], 1)) == [1, 2, 3, 4]


def test_distance_two():
    assert list(kheapsort([3, 2, 1, 5, 4], 2)) == [1, 2, 3, 4, 5]


def test_heap_as_large_as_the_list():
    assert list(kheapsort([5, 4, 3, 2, 1], 5)) == [1, 2, 3, 4, 5]


def test_repeated_values():
    assert list(kheapsort([2, 1, 2, 1, 3, 2], 3)) == [1, 1, 2, 2, 2, 3]


def test_the_input_stays_as_it_was():
    values = [1, 3, 2]
    list(kheapsort(values, 1))
    assert values == [1, 3, 2]
