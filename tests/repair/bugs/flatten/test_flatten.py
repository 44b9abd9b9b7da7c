from flatten import flatten


def test_empty():
    assert list(flatten([])) == []


def test_only_empty_lists():
    assert list(flatten([[], [[], []]])) == []


def test_already_flat():
    assert list(flatten([1, 2, 3])) == [1, 2, 3]


def test_two_levels():
    assert list(flatten([[1], [2, 3], 4])) == [1, 2, 3, 4]


def test_deep():
    assert list(flatten([[[["x"]]], "y"])) == ["x", "y"]


def test_strings_are_leaves():
    assert list(flatten(["ab", ["cd"]])) == ["ab", "cd"]
