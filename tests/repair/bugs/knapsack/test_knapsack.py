from knapsack import best_value


def test_no_items():
    assert best_value(10, []) == 0


def test_no_room():
    assert best_value(0, [(1, 5)]) == 0


def test_exact_fit():
    assert best_value(5, [(5, 9)]) == 9


def test_nothing_fits():
    assert best_value(3, [(4, 10), (5, 11)]) == 0


def test_room_to_spare():
    assert best_value(9, [(3, 4)]) == 4


def test_choice():
    assert best_value(10, [(5, 10), (4, 40), (6, 30), (3, 50)]) == 90


def test_all_of_them():
    assert best_value(6, [(1, 1), (2, 2), (3, 3)]) == 6


def test_larger():
    items = [(12, 4), (2, 2), (1, 1), (4, 10), (1, 2)]
    assert best_value(15, items) == 15
