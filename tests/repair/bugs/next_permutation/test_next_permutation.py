from itertools import permutations

from next_permutation import next_permutation


def test_last_one_has_no_successor():
    assert next_permutation([3, 2, 1]) is None


def test_empty():
    assert next_permutation([]) is None


def test_pair():
    assert next_permutation([1, 2]) == [2, 1]


def test_last_two_swap():
    assert next_permutation([3, 2, 4, 1]) == [3, 4, 1, 2]


def test_tail_is_reversed():
    assert next_permutation([1, 4, 3, 2]) == [2, 1, 3, 4]


def test_characters():
    assert next_permutation(list("abdc")) == list("acbd")


def test_input_untouched():
    items = [1, 2, 3]
    next_permutation(items)
    assert items == [1, 2, 3]


def test_walks_through_all_in_order():
    every = [list(p) for p in permutations(range(4))]
    for earlier, later in zip(every, every[1:], strict=False):
        assert next_permutation(earlier) == later
