"""Pictures of handoff graphs (control floor): Mermaid text, and SVG."""

import textwrap
from collections.abc import Collection, Iterator, Sequence
from html import escape

from hive.control.graphs.graph import Graph
from hive.control.graphs.layout import Layout, Point, Size, Wire, arrange
from hive.control.graphs.picture import FINISH, START, Link, Picture, features_of, picture, tooltip
from hive.errors import Flaw
from hive.role import Role

__all__ = ["mermaid", "svg"]

WIDEST = 36
"""Characters of one line of text in a picture."""
WIDTH, LINE = 6.63, 15.0
"""Of one character and one line of small text, in pixels; all text is of fixed width."""
NAME_WIDTH, NAME_LINE = 8.43, 18.0
LOOP = 26.0
MARGIN = 24.0


# --- Mermaid ---------------------------------------------------------------------------------


def mermaid(graph: Graph, flaws: Collection[Flaw] = ()) -> str:
    """The graph as the text of a Mermaid flowchart, which many pages show as a picture.

    What proves its flaws is marked.
    """
    drawn = picture(graph, flaws)
    keys = {START: "start", FINISH: "finish"}
    keys |= {role.name: f"role{place}" for place, role in enumerate(drawn.roles)}
    keys |= {bar: f"bar{place}" for place, bar in enumerate(drawn.bars)}
    lines = ["flowchart TD", "    start((start))"]
    for role in drawn.roles:
        text = "<br/>".join([f"<b>{role.name}</b>", *map(quoted, features_of(role))])
        lines.append(f'    {keys[role.name]}["{text}"]')
    lines += [f'    {keys[bar]}[" "]:::bar' for bar in drawn.bars]
    lines.append("    finish(((finish)))")
    for source, target, label, _ in drawn.links:
        arrow = "---" if target in drawn.bars else "-->"
        said = f'|"{quoted(label)}"|' if label else ""
        lines.append(f"    {keys[source]} {arrow}{said} {keys[target]}")
    if drawn.stops:
        text = "<br/>".join(["<b>stop</b> when", *map(quoted, drawn.stops)])
        lines.append(f'    stop["{text}"]:::stop')
    if drawn.flaws:
        lines += marked(drawn, keys)
    lines.append("    classDef bar fill:#57606a,stroke:#57606a")
    lines.append("    classDef stop stroke:#cf222e,stroke-dasharray:4 3")
    return "\n".join(lines) + "\n"


def marked(drawn: Picture, keys: dict[str, str]) -> Iterator[str]:
    """What is wrong, and the marks on what proves it."""
    yield f'    flaws["{"<br/>".join(["<b>flaws</b>", *map(quoted, drawn.flaws)])}"]:::flaw'
    roles = [keys[role.name] for role in drawn.roles if role.name in drawn.proving]
    if roles:
        yield f"    class {','.join(roles)} flaw"
    links = [str(number) for number, link in enumerate(drawn.links) if link.proves]
    if links:
        yield f"    linkStyle {','.join(links)} stroke:#cf222e,stroke-width:3px"
    yield "    classDef flaw stroke:#cf222e,stroke-width:3px"


def quoted(text: str) -> str:
    """Text as it may stand within quotation marks in Mermaid, which has its own entities."""
    for char, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(char, entity)
    return text


# --- SVG -------------------------------------------------------------------------------------


STYLE = """
text { font: 11px ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace;
  text-anchor: middle; fill: #57606a }
.page { fill: #ffffff }
.name { font-size: 14px; font-weight: 600; fill: #1f2328 }
.role { fill: #f3f6fa; stroke: #7d8896 }
.end { fill: #dafbe1; stroke: #1a7f37 }
.end-text { fill: #116329; font-weight: 600 }
.stop { fill: none; stroke: #cf222e; stroke-dasharray: 4 3 }
.stop-text { fill: #a40e26 }
.bar { fill: #57606a }
.line { fill: none; stroke: #57606a; stroke-width: 1.3 }
.back { stroke: #8250df }
.tip { fill: #57606a }
.back-tip { fill: #8250df }
.guard { fill: #7d4e00 }
.patch { fill: #ffffff }
.flaw { stroke: #cf222e; stroke-width: 2.6 }
.flaw-tip { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #9aa6b2 }
  .page, .patch { fill: #0d1117 }
  .name { fill: #e6edf3 }
  .role { fill: #171d26; stroke: #6e7b8a }
  .end { fill: #0f2d18; stroke: #3fb950 }
  .end-text { fill: #56d364 }
  .stop { stroke: #f85149 }
  .stop-text { fill: #ff7b72 }
  .bar, .tip { fill: #9aa6b2 }
  .line { stroke: #9aa6b2 }
  .back { stroke: #bc8cff }
  .back-tip { fill: #bc8cff }
  .guard { fill: #e3b341 }
  .flaw { stroke: #f85149 }
  .flaw-tip { fill: #f85149 }
}
"""


def svg(graph: Graph, flaws: Collection[Flaw] = ()) -> str:
    """The graph as an SVG document, readable on light and dark pages.

    Lines that run back to an earlier role have a colour of their own, and so has what proves its
    flaws.
    """
    drawn = picture(graph, flaws)
    loops: dict[str, list[str]] = {}
    proving: set[str] = set()
    for link in drawn.links:
        if link.source == link.target:
            loops.setdefault(link.source, []).extend(wrapped(link.label))
            proving |= {link.source} if link.proves else set()
    links = [link for link in drawn.links if link.source != link.target]
    texts = {role.name: box_lines(role) for role in drawn.roles}
    sizes = {START: Size(64, 28)}
    for name, lines in texts.items():
        aside = LOOP + text_size(loops[name]).width if name in loops else 0.0
        sizes[name] = role_size(name, lines)._replace(aside=aside)
    sizes |= dict.fromkeys(drawn.bars, Size(56, 5))
    sizes[FINISH] = Size(72, 28)
    labels = [wrapped(link.label) for link in links]
    wires = [
        Wire(link.source, link.target, text_size(lines))
        for link, lines in zip(links, labels, strict=True)
    ]
    plan = arrange(sizes, wires)
    shapes = [
        *(line(plan, n, link, link.target in drawn.bars) for n, link in enumerate(links)),
        *(guard_text(lines, at) for lines, at in zip(labels, plan.labels, strict=True) if lines),
        *(
            loop(plan.boxes[name], sizes[name], lines, name in proving)
            for name, lines in loops.items()
        ),
        *(
            role_box(role, plan.boxes[role.name], sizes[role.name], texts, drawn)
            for role in drawn.roles
        ),
        *(box(plan.boxes[bar], sizes[bar], "bar", 2) for bar in drawn.bars),
        *end(plan.boxes[START], sizes[START], "start"),
        *end(plan.boxes[FINISH], sizes[FINISH], "finish"),
    ]
    return page(plan, shapes, drawn)


def page(plan: Layout, shapes: Sequence[str], drawn: Picture) -> str:
    """The document: the drawing, under it the stops, as they hold everywhere, and the flaws."""
    width, height = plan.width, plan.height
    below: list[str] = []
    for head, said in (
        ("stop, whoever acted last, when", drawn.stops),
        ("what is wrong, and what proves it", drawn.flaws),
    ):
        if not said:
            continue
        lines = [head, *(part for text in said for part in wrapped(text))]
        size = Size(max(map(len, lines)) * WIDTH + 24, len(lines) * LINE + 14)
        width = max(width, size.width)
        at = Point(width / 2, height + 26 + size.height / 2)
        below += [box(at, size, "stop", 8), *text_lines(lines, at, "stop-text")]
        height += 26 + size.height
    left = (width - plan.width) / 2
    full = Size(width + 2 * MARGIN, height + 2 * MARGIN)
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
            f' viewBox="0 0 {full.width:.0f} {full.height:.0f}"'
            f' width="{full.width:.0f}" height="{full.height:.0f}">',
            "<title>Handoff graph</title>",
            f"<style>{STYLE}</style>",
            '<rect class="page" width="100%" height="100%"/>',
            f'<g transform="translate({MARGIN + left:.1f} {MARGIN})">',
            *shapes,
            "</g>",
            f'<g transform="translate({MARGIN} {MARGIN})">',
            *below,
            "</g>",
            "</svg>\n",
        ]
    )


def wrapped(text: str) -> list[str]:
    """Text in lines that fit, broken at spaces, and within a word only where it must be."""
    return textwrap.wrap(text, WIDEST, break_on_hyphens=False)


def text_size(lines: Sequence[str]) -> Size:
    if not lines:
        return Size()
    return Size(max(map(len, lines)) * WIDTH + 10, len(lines) * LINE + 2)


def box_lines(role: Role) -> list[str]:
    return [part for feature in features_of(role) for part in wrapped(feature)]


def role_size(name: str, lines: Sequence[str]) -> Size:
    width = max(len(name) * NAME_WIDTH, max(map(len, lines)) * WIDTH) + 28
    return Size(max(width, 110.0), NAME_LINE + len(lines) * LINE + 16)


def role_box(role: Role, at: Point, size: Size, texts: dict[str, list[str]], drawn: Picture) -> str:
    top = at.y - size.height / 2
    middle = Point(at.x, at.y + NAME_LINE / 2 - 1)
    return "\n".join(
        [
            "<g>",
            f"<title>{escape(tooltip(role))}</title>",
            box(at, size, "role flaw" if role.name in drawn.proving else "role", 8),
            f'<text class="name" x="{at.x:.1f}" y="{top + 22:.1f}">{escape(role.name)}</text>',
            *text_lines(texts[role.name], middle, "role-text"),
            "</g>",
        ]
    )


def box(at: Point, size: Size, kind: str, corner: float) -> str:
    x, y = at.x - size.width / 2, at.y - size.height / 2
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{size.width:.1f}"'
        f' height="{size.height:.1f}" rx="{corner}"/>'
    )


def end(at: Point, size: Size, name: str) -> list[str]:
    return [box(at, size, "end", size.height / 2), *text_lines([name], at, "end-text")]


def text_lines(lines: Sequence[str], at: Point, kind: str) -> Iterator[str]:
    first = at.y - (len(lines) - 1) * LINE / 2 + 4
    for n, text in enumerate(lines):
        y = first + n * LINE
        yield f'<text class="{kind}" x="{at.x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def guard_text(lines: Sequence[str], at: Point) -> str:
    """A label on its line; the patch behind it keeps the line from running through the text."""
    return "\n".join([box(at, text_size(lines), "patch", 3), *text_lines(lines, at, "guard")])


def line(plan: Layout, number: int, link: Link, blunt: bool) -> str:
    """A wire: straight pieces, bent between them, with a tip at its target unless that is a bar."""
    points, back = plan.routes[number], plan.backward[number]
    drawn = [f"M{points[0].x:.1f} {points[0].y:.1f}"]
    for place in range(1, len(points)):
        one, two = points[place - 1], points[place]
        if place % 2:
            drawn.append(f"L{two.x:.1f} {two.y:.1f}")
        else:
            half = (one.y + two.y) / 2
            drawn.append(f"C{one.x:.1f} {half:.1f} {two.x:.1f} {half:.1f} {two.x:.1f} {two.y:.1f}")
    return f'<path class="{line_kind(back, link.proves)}" d="{" ".join(drawn)}"/>' + (
        "" if blunt else tip(points[-1], back, link.proves)
    )


def line_kind(back: bool, proves: bool) -> str:
    return "line" + (" back" if back else "") + (" flaw" if proves else "")


def tip(at: Point, back: bool, proves: bool, *, aside: bool = False) -> str:
    """An arrowhead that points down, up where a wire runs back, or to the left."""
    if aside:
        points = [(0, 0), (8, -4), (8, 4)]
    else:
        points = [(0, 0), (-4, 8), (4, 8)] if back else [(0, 0), (-4, -8), (4, -8)]
    text = " ".join(f"{at.x + x:.1f},{at.y + y:.1f}" for x, y in points)
    kind = "flaw-tip" if proves else "back-tip" if back else "tip"
    return f'<polygon class="{kind}" points="{text}"/>'


def loop(at: Point, size: Size, lines: Sequence[str], proves: bool) -> str:
    """A handoff from a role to itself, at the right of its box."""
    x, out = at.x + size.width / 2, at.x + size.width / 2 + LOOP - 6
    curve = (
        f"M{x:.1f} {at.y - 10:.1f} C{out:.1f} {at.y - 14:.1f} {out:.1f} {at.y + 14:.1f}"
        f" {x:.1f} {at.y + 10:.1f}"
    )
    label = Point(x + LOOP - 6 + text_size(lines).width / 2, at.y)
    kind, end = line_kind(True, proves), Point(x, at.y + 10)
    shape = f'<path class="{kind}" d="{curve}"/>' + tip(end, True, proves, aside=True)
    return "\n".join([shape, *text_lines(lines, label, "guard")])
