from possible_change import possible_change


def test_nothing_to_pay():
    assert possible_change([1, 5], 0) == 1


def test_overpaid():
    assert possible_change([1, 5], -3) == 0


def test_pennies_and_nickels():
    assert possible_change([1, 5, 10, 25], 11) == 4


def test_no_coins():
    assert possible_change([], 7) == 0


def test_one_coin_that_divides():
    assert possible_change([3], 9) == 1


def test_one_coin_that_does_not():
    assert possible_change([4], 6) == 0


def test_all_orders_count_once():
    assert possible_change([2, 3], 6) == 2


def test_larger():
    assert possible_change([1, 4, 2], 20) == 36
