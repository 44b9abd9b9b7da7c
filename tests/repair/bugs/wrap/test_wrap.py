from wrap import wrap

SENTENCE = "the quick brown fox jumps over the lazy dog"


def test_short_text_is_one_line():
    assert wrap("hello", 10) == ["hello"]


def test_exact_width():
    assert wrap("hello", 5) == ["hello"]


def test_long_word_is_cut():
    assert wrap("abcdef", 3) == ["abc", "def"]


def test_at_a_blank():
    assert wrap("one two", 5) == ["one", " two"]


def test_nothing_is_lost():
    assert "".join(wrap(SENTENCE, 12)) == SENTENCE


def test_no_line_is_too_long():
    assert all(len(line) <= 9 for line in wrap(SENTENCE, 9))


def test_sentence():
    assert wrap(SENTENCE, 20) == ["the quick brown fox", " jumps over the", " lazy dog"]
