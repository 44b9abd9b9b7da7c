from get_factors import get_factors


def test_one_has_none():
    assert get_factors(1) == []


def test_prime():
    assert get_factors(101) == [101]


def test_two():
    assert get_factors(2) == [2]


def test_product_of_two_primes():
    assert get_factors(104) == [2, 2, 2, 13]


def test_square():
    assert get_factors(49) == [7, 7]


def test_product_gives_the_number_back():
    for number in range(1, 120):
        product = 1
        for factor in get_factors(number):
            product *= factor
        assert product == number
