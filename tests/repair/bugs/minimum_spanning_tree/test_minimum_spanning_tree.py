from minimum_spanning_tree import minimum_spanning_tree


def test_no_edges():
    assert minimum_spanning_tree({}) == set()


def test_single_edge():
    assert minimum_spanning_tree({(1, 2): 5}) == {(1, 2)}


def test_triangle():
    assert minimum_spanning_tree({(1, 2): 1, (2, 3): 2, (3, 1): 3}) == {(1, 2), (2, 3)}


def test_two_islands():
    assert minimum_spanning_tree({(1, 2): 6, (3, 4): 9}) == {(1, 2), (3, 4)}


def test_square_with_a_diagonal():
    weights = {(1, 2): 10, (2, 3): 15, (3, 4): 10, (1, 4): 10}
    assert minimum_spanning_tree(weights) == {(1, 2), (3, 4), (1, 4)}


def test_islands_joined_late():
    weights = {("a", "b"): 1, ("c", "d"): 2, ("b", "c"): 3, ("a", "d"): 4}
    assert minimum_spanning_tree(weights) == {("a", "b"), ("c", "d"), ("b", "c")}


def test_chain_of_joins():
    weights = {(1, 2): 1, (3, 4): 2, (5, 6): 3, (2, 3): 4, (4, 5): 5, (1, 6): 6, (2, 5): 7}
    assert minimum_spanning_tree(weights) == {(1, 2), (3, 4), (5, 6), (2, 3), (4, 5)}
