from rpn_eval import rpn_eval


def test_number():
    assert rpn_eval([3.0]) == 3.0


def test_sum():
    assert rpn_eval([3.0, 5.0, "+"]) == 8.0


def test_difference():
    assert rpn_eval([7.0, 4.0, "-"]) == 3.0


def test_quotient():
    assert rpn_eval([1.0, 4.0, "/"]) == 0.25


def test_product_of_sums():
    assert rpn_eval([3.0, 5.0, "+", 2.0, "*"]) == 16.0


def test_chain():
    assert rpn_eval([3.0, 5.0, "+", 2.0, "/"]) == 4.0


def test_nested():
    assert rpn_eval([2.0, 2.0, "+", 1.0, "-", 3.0, "*"]) == 9.0
