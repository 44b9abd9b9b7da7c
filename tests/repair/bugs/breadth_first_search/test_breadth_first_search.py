from breadth_first_search import reachable

CHAIN = {"a": ["b"], "b": ["c"], "c": ["d"], "d": []}
DIAMOND = {1: [2, 3], 2: [4], 3: [4], 4: [1], 5: [4]}


def test_along_a_chain():
    assert reachable(CHAIN, "a", "d") is True


def test_not_against_the_arrows():
    assert reachable(CHAIN, "d", "a") is False


def test_a_vertex_reaches_itself():
    assert reachable(CHAIN, "c", "c") is True


def test_unknown_target():
    assert reachable(CHAIN, "a", "z") is False


def test_diamond():
    assert reachable(DIAMOND, 1, 4) is True


def test_cycle_ends():
    assert reachable(DIAMOND, 1, 5) is False


def test_lonely_vertex():
    assert reachable({}, "x", "y") is False
