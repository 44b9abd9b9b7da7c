from longest_common_subsequence import longest_common_subsequence as lcs


def test_empty():
    assert lcs("", "abc") == ""


def test_nothing_shared():
    assert lcs("abc", "xyz") == ""


def test_identical():
    assert lcs("echo", "echo") == "echo"


def test_with_gaps():
    assert lcs("headache", "pentadac") == "eadac"


def test_repeated_letters_need_partners():
    assert lcs("aa", "a") == "a"


def test_repeats_in_both():
    assert lcs("ppp", "pp") == "pp"


def test_one_inside_the_other():
    assert lcs("ace", "abcde") == "ace"


def test_daenarys():
    assert lcs("daenarys", "targaryen") == "aary"
