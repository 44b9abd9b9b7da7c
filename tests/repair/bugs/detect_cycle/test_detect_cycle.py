from detect_cycle import Cell, has_cycle


def chain(length):
    head = None
    for value in range(length, 0, -1):
        head = Cell(value, head)
    return head


def last(head):
    while head.following is not None:
        head = head.following
    return head


def test_single_cell():
    assert has_cycle(chain(1)) is False


def test_two_cells():
    assert has_cycle(chain(2)) is False


def test_three_cells():
    assert has_cycle(chain(3)) is False


def test_six_cells():
    assert has_cycle(chain(6)) is False


def test_nothing_at_all():
    assert has_cycle(None) is False


def test_ring():
    ring = chain(5)
    last(ring).following = ring
    assert has_cycle(ring) is True


def test_tail_then_ring():
    head = chain(7)
    last(head).following = head.following.following
    assert has_cycle(head) is True


def test_self_link():
    cell = Cell(0)
    cell.following = cell
    assert has_cycle(cell) is True
