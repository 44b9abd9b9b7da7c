import math

from shortest_path_lengths import shortest_path_lengths


def test_no_edges():
    assert shortest_path_lengths(2, {})[0, 1] == math.inf


def test_one_edge_is_one_way():
    distance = shortest_path_lengths(2, {(0, 1): 3})
    assert distance[0, 1] == 3
    assert distance[1, 0] == math.inf


def test_two_legs():
    assert shortest_path_lengths(3, {(0, 1): 3, (1, 2): 4})[0, 2] == 7


def test_detour_is_shorter():
    lengths = {(0, 2): 10, (0, 1): 2, (1, 2): 3}
    assert shortest_path_lengths(3, lengths)[0, 2] == 5


def test_cycle():
    lengths = {(0, 1): 1, (1, 2): 1, (2, 0): 1}
    distance = shortest_path_lengths(3, lengths)
    assert distance[2, 1] == 2
    assert distance[0, 2] == 2


def test_zero_to_itself():
    distance = shortest_path_lengths(3, {(0, 1): 1})
    assert [distance[n, n] for n in range(3)] == [0, 0, 0]


def test_four_vertices():
    lengths = {(0, 2): 3, (0, 5): 5, (2, 1): -2, (2, 3): 7, (3, 4): 8, (4, 5): 2}
    distance = shortest_path_lengths(6, lengths)
    assert distance[0, 1] == 1
    assert distance[0, 4] == 18
    assert distance[2, 5] == 17
