from lcs_length import lcs_length


def test_nothing_in_common():
    assert lcs_length("abc", "xyz") == 0


def test_empty():
    assert lcs_length("", "abc") == 0


def test_one_letter():
    assert lcs_length("meow", "homeomorphic") == 3


def test_equal_texts():
    assert lcs_length("board", "board") == 5


def test_in_the_middle():
    assert lcs_length("witch", "sandwich") == 2


def test_single_shared_character():
    assert lcs_length("ab", "bc") == 1


def test_repeats_do_not_count_twice():
    assert lcs_length("aaa", "a") == 1


def test_mississippi():
    assert lcs_length("mississippi", "missing") == 5
