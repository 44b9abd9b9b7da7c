"""A layered layout for small directed graphs (control floor), for pictures of handoff graphs.

After Sugiyama, Tagawa and Toda (1981): wires that close a cycle are turned, every box gets a layer,
layers are ordered so that few wires cross, then everything is placed. Boxes stand in even layers
and labels in odd ones, so no label meets a box; wires keep to lanes of their own and bend only
between layers. Lengths are pixels, y grows downwards.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NamedTuple

__all__ = ["Layout", "Point", "Size", "Wire", "arrange"]

SPACE = 26.0
"""Between two neighbours of a layer."""
GAP = 18.0
"""Between two layers; boxes are at least twice as far apart."""
PORT = 22.0
"""Between two wires at one side of a box."""
SWEEPS = 24


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


class Size(NamedTuple):
    """How large something is; `aside` is further room that it needs at its right."""

    width: float = 0.0
    height: float = 0.0
    aside: float = 0.0


class Wire(NamedTuple):
    """A line from one box to another, and the size of its label."""

    source: str
    target: str
    label: Size = Size()


class Layout(NamedTuple):
    """Centres of boxes by name, and for each wire its points from source to target (each pair of
    them is a straight piece), the centre of its label, and whether it runs backwards."""

    boxes: dict[str, Point]
    routes: list[list[Point]]
    labels: list[Point]
    backward: list[bool]
    width: float
    height: float


@dataclass(eq=False)
class Item:
    """What stands in a layer: a box, or a place that a wire passes, with or without its label."""

    layer: int
    size: Size
    box: bool = False
    x: float = 0.0
    y: float = 0.0
    rank: float = 0.0
    above: "list[Item]" = field(default_factory=list)
    below: "list[Item]" = field(default_factory=list)


def arrange(boxes: Mapping[str, Size], wires: Sequence[Wire]) -> Layout:
    """Place boxes and wires, the first box on top. No wire may join a box to itself."""
    backward, depths = layered(list(boxes), wires)
    items = {name: Item(depths[name], size, box=True) for name, size in boxes.items()}
    lanes = [lane(items, wire, back) for wire, back in zip(wires, backward, strict=True)]
    every = [*items.values(), *(item for row in lanes for item in row if not item.box)]
    layers: list[list[Item]] = [[] for _ in range(1 + max(item.layer for item in every))]
    for item in every:
        layers[item.layer].append(item)
    order(layers)
    place(layers, lanes)
    heights = [max((item.size.height for item in layer), default=0.0) for layer in layers]
    tops = list(accumulate((height + GAP for height in heights), initial=0.0))
    for item in every:
        item.y = tops[item.layer] + heights[item.layer] / 2
    paths = [path(row, heights) for row in lanes]
    routes = [
        points[::-1] if back else points for points, back in zip(paths, backward, strict=True)
    ]
    labels = [row[-2 if back else 1] for row, back in zip(lanes, backward, strict=True)]
    return Layout(
        {name: Point(item.x, item.y) for name, item in items.items()},
        routes,
        [Point(item.x, item.y) for item in labels],
        backward,
        max(item.x + item.size.width / 2 + item.size.aside for item in every),
        tops[-1] - GAP,
    )


def layered(names: Sequence[str], wires: Sequence[Wire]) -> tuple[list[bool], dict[str, int]]:
    """Which wires lead back in a depth-first walk, and every box's layer when those are turned: two
    below the lowest of the boxes that lead to it."""
    backward = [False] * len(wires)
    leaving = {name: [n for n, wire in enumerate(wires) if wire.source == name] for name in names}
    stack: list[tuple[str, Iterator[int]]] = []
    seen: set[str] = set()
    done: list[str] = []
    for root in names:
        if root not in seen:
            stack.append((root, iter(leaving[root])))
        while stack:
            name, rest = stack[-1]
            seen.add(name)
            number = next(rest, None)
            if number is None:
                done.append(stack.pop()[0])
                continue
            target = wires[number].target
            backward[number] = target in [open_ for open_, _ in stack]
            if target not in seen:
                stack.append((target, iter(leaving[target])))
    return backward, depths(done[::-1], wires, backward)


def depths(names: Sequence[str], wires: Sequence[Wire], backward: Sequence[bool]) -> dict[str, int]:
    found = dict.fromkeys(names, 0)
    for name in names:
        for (one, two, _), back in zip(wires, backward, strict=True):
            upper, lower = (two, one) if back else (one, two)
            if upper == name:
                found[lower] = max(found[lower], found[upper] + 2)
    return found


def lane(items: Mapping[str, Item], wire: Wire, back: bool) -> list[Item]:
    """What a wire passes from its upper box to its lower; the label stands next to its source."""
    upper, lower = items[wire.source], items[wire.target]
    if back:
        upper, lower = lower, upper
    row = [Item(layer, Size()) for layer in range(upper.layer + 1, lower.layer)]
    row[-1 if back else 0].size = wire.label
    row = [upper, *row, lower]
    for one, two in pairwise(row):
        one.below.append(two)
        two.above.append(one)
    return row


def order(layers: list[list[Item]]) -> None:
    """Order layers by the mean rank of neighbours, down and up, and keep the best order found."""
    best, fewest = [list(layer) for layer in layers], -1
    for sweep in range(SWEEPS):
        for layer in layers:
            for rank, item in enumerate(layer):
                item.rank = rank
        now = crossings(layers)
        if fewest < 0 or now < fewest:
            best, fewest = [list(layer) for layer in layers], now
        for layer in layers if sweep % 2 else layers[::-1]:
            for item in layer:
                near = item.above if sweep % 2 else item.below
                if near:
                    item.rank = sum(other.rank for other in near) / len(near)
            layer.sort(key=lambda item: item.rank)
            for rank, item in enumerate(layer):
                item.rank = rank
    layers[:] = best


def crossings(layers: Sequence[Sequence[Item]]) -> int:
    """How many pairs of wires cross."""
    total = 0
    for layer in layers:
        ends = [rank for item in layer for rank in sorted(other.rank for other in item.below)]
        total += sum(one > two for n, one in enumerate(ends) for two in ends[n + 1 :])
    return total


def place(layers: Sequence[Sequence[Item]], lanes: Sequence[Sequence[Item]]) -> None:
    """Give every item an x near the mean of its neighbours, in the order and with the space due."""
    for sweep in range(3 * SWEEPS):
        for layer in layers if sweep % 2 else layers[::-1]:
            settle(layer)
    for _ in range(3):
        for row in sorted(lanes, key=len, reverse=True):
            straighten(row[1:-1], layers)
    left = min(item.x - item.size.width / 2 for layer in layers for item in layer)
    for layer in layers:
        for item in layer:
            item.x -= left


def straighten(row: Sequence[Item], layers: Sequence[Sequence[Item]]) -> None:
    """Bring a whole lane to one x, where its neighbours leave room for that."""
    least, most = -math.inf, math.inf
    for item in row:
        layer = layers[item.layer]
        at = layer.index(item)
        if at:
            least = max(least, layer[at - 1].x + apart(layer[at - 1], item))
        if at + 1 < len(layer):
            most = min(most, layer[at + 1].x - apart(item, layer[at + 1]))
    if least <= most:
        x = min(max(sum(item.x for item in row) / len(row), least), most)
        for item in row:
            item.x = x


def apart(one: Item, two: Item) -> float:
    """How far the middles of two neighbours stand apart at least."""
    return one.size.width / 2 + one.size.aside + SPACE + two.size.width / 2


def settle(layer: Sequence[Item]) -> None:
    """The nearest lawful places to the wished ones: isotonic regression by pooling violators."""
    offsets = list(accumulate((apart(one, two) for one, two in pairwise(layer)), initial=0.0))
    pools: list[tuple[float, float, int]] = []
    for item, offset in zip(layer, offsets, strict=True):
        wish, weight = wished(item)
        pool = (wish - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            value, heft, number = pools.pop()
            both = heft + pool[1]
            pool = ((value * heft + pool[0] * pool[1]) / both, both, number + pool[2])
        pools.append(pool)
    values = [value for value, _, number in pools for _ in range(number)]
    for item, offset, value in zip(layer, offsets, values, strict=True):
        item.x = value + offset


def wished(item: Item) -> tuple[float, float]:
    """Where an item wants to stand, and how much: lanes want to be straight above all."""
    pulls = [(near.x, 1.0 if item.box or near.box else 6.0) for near in (*item.above, *item.below)]
    weight = sum(pull for _, pull in pulls)
    if not weight:
        return item.x, 1.0
    return sum(x * pull for x, pull in pulls) / weight, weight


def path(row: Sequence[Item], heights: Sequence[float]) -> list[Point]:
    """The points of a wire from its upper box to its lower; each pair is a straight piece."""
    upper, lower = row[0], row[-1]
    x = upper.x + port(upper, upper.below, row[1])
    half = heights[upper.layer] / 2
    points = [Point(x, upper.y + upper.size.height / 2), Point(x, upper.y + half)]
    for item in row[1:-1]:
        half = heights[item.layer] / 2
        points += [Point(item.x, item.y - half), Point(item.x, item.y + half)]
    x = lower.x + port(lower, lower.above, row[-2])
    half = heights[lower.layer] / 2
    return [*points, Point(x, lower.y - half), Point(x, lower.y - lower.size.height / 2)]


def port(box: Item, wires: Sequence[Item], own: Item) -> float:
    """How far from its middle a wire leaves a box: wires of one side keep their order."""
    ordered = sorted(wires, key=lambda item: item.x)
    between = min(PORT, (box.size.width - 16) / len(ordered))
    return (ordered.index(own) - (len(ordered) - 1) / 2) * between
