import math

from shortest_path_length import shortest_path_length

LINE = {("a", "b"): 2, ("b", "c"): 3, ("c", "d"): 4}
SHORTCUT = {(0, 1): 10, (1, 2): 10, (0, 3): 1, (3, 4): 1, (4, 2): 12}
DETOUR = {("s", "x"): 5, ("s", "y"): 1, ("y", "z"): 1, ("z", "x"): 1, ("x", "t"): 2}


def test_same_place():
    assert shortest_path_length(LINE, "a", "a") == 0


def test_one_edge():
    assert shortest_path_length(LINE, "a", "b") == 2


def test_whole_line():
    assert shortest_path_length(LINE, "a", "d") == 9


def test_no_way_back():
    assert shortest_path_length(LINE, "d", "a") == math.inf


def test_more_edges_may_be_shorter():
    assert shortest_path_length(SHORTCUT, 0, 2) == 14


def test_detour():
    assert shortest_path_length(DETOUR, "s", "t") == 5


def test_improved_later():
    assert shortest_path_length(DETOUR, "s", "x") == 3
