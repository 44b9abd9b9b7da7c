from depth_first_search import Node, connected


def test_direct_edge():
    end = Node("end")
    assert connected(Node("start", [end]), end)


def test_same_node():
    only = Node("only")
    assert connected(only, only)


def test_two_steps():
    end = Node("end")
    middle = Node("middle", [end])
    assert connected(Node("start", [Node("dead"), middle]), end)


def test_no_way():
    assert not connected(Node("start", [Node("other")]), Node("end"))


def test_cycle_without_the_goal():
    first = Node("first")
    second = Node("second", [first])
    first.successors.append(second)
    assert not connected(first, Node("end"))


def test_self_loop():
    loop = Node("loop")
    loop.successors.append(loop)
    assert not connected(loop, Node("end"))


def test_goal_behind_a_cycle():
    end = Node("end")
    first = Node("first")
    second = Node("second", [first, end])
    first.successors.append(second)
    assert connected(first, end)
