import math

from gcd import gcd


def test_with_zero():
    assert gcd(17, 0) == 17


def test_coprime():
    assert gcd(13, 8) == 1


def test_common_factor():
    assert gcd(37, 600) == 1
    assert gcd(20, 100) == 20


def test_order_does_not_matter():
    assert gcd(624129, 2061517) == gcd(2061517, 624129) == 18913


def test_equal_numbers():
    assert gcd(9, 9) == 9


def test_agrees_with_the_library():
    for a in range(1, 25):
        for b in range(1, 25):
            assert gcd(a, b) == math.gcd(a, b)
