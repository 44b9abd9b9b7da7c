from levenshtein import levenshtein


def test_both_empty():
    assert levenshtein("", "") == 0


def test_from_nothing():
    assert levenshtein("", "four") == 4


def test_same_word():
    assert levenshtein("same", "same") == 0


def test_one_substitution():
    assert levenshtein("cat", "cut") == 1


def test_one_insertion():
    assert levenshtein("lit", "list") == 1


def test_no_letter_shared():
    assert levenshtein("abc", "xyz") == 3


def test_kitten():
    assert levenshtein("kitten", "sitting") == 3


def test_symmetry():
    assert levenshtein("amok", "smoke") == levenshtein("smoke", "amok") == 2
