from topological_ordering import Task, topological_ordering


def build(names, arrows):
    tasks = {name: Task(name) for name in names}
    for earlier, later in arrows:
        tasks[earlier].before(tasks[later])
    return list(tasks.values())


def names(tasks):
    return [task.name for task in topological_ordering(tasks)]


def test_nothing():
    assert topological_ordering([]) == []


def test_unrelated_tasks_keep_their_order():
    assert names(build("abc", [])) == ["a", "b", "c"]


def test_pair():
    assert names(build("ba", ["ab"])) == ["a", "b"]


def test_chain():
    assert names(build("abcd", ["ab", "bc", "cd"])) == ["a", "b", "c", "d"]


def test_diamond():
    assert names(build("abcd", ["ab", "ac", "bd", "cd"])) == ["a", "b", "c", "d"]


def test_waits_for_the_slow_branch():
    order = names(build("abcde", ["ae", "ab", "bc", "cd", "de"]))
    assert order == ["a", "b", "c", "d", "e"]


def test_every_arrow_is_respected():
    arrows = ["ad", "bd", "be", "ce", "df", "ef", "ag", "fg"]
    order = names(build("abcdefg", arrows))
    assert len(order) == 7
    assert all(order.index(earlier) < order.index(later) for earlier, later in arrows)
