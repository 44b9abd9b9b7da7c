from bitcount import bitcount


def test_zero_has_no_ones():
    assert bitcount(0) == 0


def test_one():
    assert bitcount(1) == 1


def test_a_power_of_two_has_one():
    assert bitcount(1 << 12) == 1


def test_all_ones():
    assert bitcount(0xFF) == 8


def test_alternating():
    assert bitcount(0b1010101) == 4


def test_seven():
    assert bitcount(7) == 3


def test_agrees_with_the_binary_text():
    for number in range(200):
        assert bitcount(number) == bin(number).count("1")
