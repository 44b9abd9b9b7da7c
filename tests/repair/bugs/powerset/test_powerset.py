from powerset import powerset


def test_empty_list_has_one_subset():
    assert powerset([]) == [[]]


def test_one_item():
    assert powerset(["a"]) == [[], ["a"]]


def test_two_items():
    assert powerset([1, 2]) == [[], [2], [1], [1, 2]]


def test_size_doubles():
    assert [len(powerset(list(range(n)))) for n in range(6)] == [1, 2, 4, 8, 16, 32]


def test_order():
    assert powerset(["x", "y", "z"]) == [
        [],
        ["z"],
        ["y"],
        ["y", "z"],
        ["x"],
        ["x", "z"],
        ["x", "y"],
        ["x", "y", "z"],
    ]


def test_no_subset_twice():
    subsets = [tuple(subset) for subset in powerset([3, 1, 4, 5])]
    assert len(set(subsets)) == len(subsets) == 16
