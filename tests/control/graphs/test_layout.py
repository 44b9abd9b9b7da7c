from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from hive.control.graphs.layout import Point, Size, Wire, arrange

NAMES = "abcdef"
SIZES = st.builds(Size, st.floats(60, 300), st.floats(5, 90), st.sampled_from([0.0, 80.0]))
LABELS = st.builds(Size, st.floats(0, 250), st.floats(0, 40), st.just(0.0))
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1])


@st.composite
def drawings(draw: st.DrawFn) -> tuple[dict[str, Size], list[Wire]]:
    boxes = {name: draw(SIZES) for name in NAMES[: draw(st.integers(1, len(NAMES)))]}
    pairs = draw(st.lists(PAIRS, max_size=12))
    wires = [Wire(*pair, draw(LABELS)) for pair in pairs if set(pair) <= set(boxes)]
    return boxes, wires


def frame(at: Point, size: Size) -> tuple[float, float, float, float]:
    half = size.width / 2
    return at.x - half, at.y - size.height / 2, at.x + half + size.aside, at.y + size.height / 2


def apart(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]


@given(drawings())
def test_boxes_and_labels_never_meet(drawing: tuple[dict[str, Size], list[Wire]]) -> None:
    boxes, wires = drawing
    plan = arrange(boxes, wires)
    frames = [frame(plan.boxes[name], size) for name, size in boxes.items()]
    frames += [frame(at, wire.label) for at, wire in zip(plan.labels, wires, strict=True)]
    for one, two in combinations(frames, 2):
        assert apart(one, two)
    for left, top, right, bottom in frames:
        assert left >= -0.01
        assert top >= -0.01
        assert right <= plan.width + 0.01
        assert bottom <= plan.height + 0.01


@given(drawings())
def test_wires_join_their_boxes_and_cross_no_other(
    drawing: tuple[dict[str, Size], list[Wire]],
) -> None:
    boxes, wires = drawing
    plan = arrange(boxes, wires)
    frames = {name: frame(plan.boxes[name], size) for name, size in boxes.items()}
    for wire, points, back in zip(wires, plan.routes, plan.backward, strict=True):
        first, last = frames[wire.source], frames[wire.target]
        assert abs(points[0].y - first[1 if back else 3]) < 0.01
        assert abs(points[-1].y - last[3 if back else 1]) < 0.01
        assert first[0] <= points[0].x <= first[2]
        assert last[0] <= points[-1].x <= last[2]
        for one, two in zip(points[::2], points[1::2], strict=True):
            assert one.x == two.x
            for left, top, right, bottom in frames.values():
                within = left < one.x < right
                assert (
                    not within
                    or max(one.y, two.y) <= top + 0.01
                    or bottom - 0.01 <= min(one.y, two.y)
                )
        for one, two in zip(points[1:-1:2], points[2:-1:2], strict=True):
            for _, top, _, bottom in frames.values():
                assert max(one.y, two.y) <= top + 0.01 or bottom - 0.01 <= min(one.y, two.y)


@given(drawings())
def test_forward_wires_lead_down_and_a_walk_without_rings_has_no_others(
    drawing: tuple[dict[str, Size], list[Wire]],
) -> None:
    boxes, wires = drawing
    plan = arrange(boxes, wires)
    for wire, back in zip(wires, plan.backward, strict=True):
        one, two = plan.boxes[wire.source], plan.boxes[wire.target]
        assert (one.y > two.y) == back
    downhill = [wire for wire in wires if wire.source < wire.target]
    assert not any(arrange(boxes, downhill).backward)


def test_a_chain_is_a_straight_line() -> None:
    boxes = {name: Size(width, 30) for name, width in zip("abcd", (80, 200, 60, 120), strict=True)}
    plan = arrange(boxes, [Wire("a", "b"), Wire("b", "c", Size(90, 12)), Wire("c", "d")])
    assert {round(at.x) for at in plan.boxes.values()} == {100}
    assert [at.y for at in plan.boxes.values()] == sorted(at.y for at in plan.boxes.values())
