from sieve import primes_up_to


def test_below_two():
    assert primes_up_to(1) == []


def test_two():
    assert primes_up_to(2) == [2]


def test_small():
    assert primes_up_to(4) == [2, 3]


def test_limit_is_included():
    assert primes_up_to(7) == [2, 3, 5, 7]


def test_twenty():
    assert primes_up_to(20) == [2, 3, 5, 7, 11, 13, 17, 19]


def test_how_many_below_a_hundred():
    assert len(primes_up_to(100)) == 25


def test_nothing_negative():
    assert primes_up_to(-5) == []
