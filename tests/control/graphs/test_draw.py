from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from hive.board.contributions import Artifact, Plan, Review, Task, Verdict
from hive.control import (
    Graph,
    approved,
    chain_graph,
    cost,
    finish,
    guard,
    handoff,
    posted,
    rejected,
    start,
    stop,
    turns,
)
from hive.control.graphs.draw import LINE, NAME_WIDTH, WIDTH, mermaid, svg
from hive.errors import GraphError
from hive.role import Role

planner = Role("planner", "Plan the work.\nIn tasks.", writes=(Plan,))
scout = Role("scout", per=Task)
coder = Role("coder", reads=(Task,), writes=(Artifact, Task, Plan, Review), tier="large")
reviewer = Role("reviewer", writes=(Review,))
arbiter = Role("arbiter", writes=(Verdict,))
odd = guard('a "quoted" <name> & #more that is much longer than any line of a picture should be')

TEAM = Graph(
    start(planner),
    handoff(planner, (scout, coder)),
    handoff((scout, coder), reviewer),
    handoff(reviewer, coder, when=rejected & ~turns(20)),
    handoff(coder, (reviewer, arbiter), samples=2),
    handoff(coder, coder, when=~turns(5)),
    handoff((reviewer, arbiter), (scout, coder), when=~turns(9)),
    handoff(reviewer, arbiter, when=odd(lambda state: True)),
    finish(arbiter, when=posted(Verdict) | approved),
    stop(when=turns(40) | cost(usd=2) | posted(Verdict)),
)
CHAIN = chain_graph(Role("writer") >> Role("critic"), turns(40))
ONE = Graph(start(planner), finish(planner))
NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=[TEAM, CHAIN, ONE], ids=["team", "chain", "one"])
def graph(request: pytest.FixtureRequest) -> Graph:
    drawn: Graph = request.param
    return drawn


def drawn_texts(document: str) -> list[str]:
    root = ElementTree.fromstring(document)
    return ["".join(text.itertext()) for text in root.iter(f"{NAMESPACE}text")]


def test_a_picture_shows_every_role_guard_and_end(graph: Graph) -> None:
    texts = drawn_texts(svg(graph))
    for name in ("start", "finish", *graph.roles):
        assert texts.count(name) == 1
    flat = " ".join(texts)
    for edge in graph.edges:
        if edge.when is not None and edge.kind != "stop":
            assert str(edge.when) in flat
    assert ("stop, whoever acted last, when" in texts) == any(e.kind == "stop" for e in graph.edges)


def test_what_stops_is_listed_one_by_one() -> None:
    texts = drawn_texts(svg(TEAM))
    first = texts.index("stop, whoever acted last, when")
    assert texts[first + 1 :] == ["turns(40)", "cost(usd=2)", "posted(Verdict)"]


def test_no_text_leaves_its_box_or_the_page(graph: Graph) -> None:
    root = ElementTree.fromstring(svg(graph))
    width, height = (float(root.attrib[side]) for side in ("width", "height"))
    for group in root.findall(f"{NAMESPACE}g"):
        moved = re.findall(r"-?[\d.]+", group.attrib["transform"])
        for text in group.iter(f"{NAMESPACE}text"):
            x = float(text.attrib["x"]) + float(moved[0])
            y = float(text.attrib["y"]) + float(moved[1])
            each = NAME_WIDTH if text.attrib["class"] == "name" else WIDTH
            half = len("".join(text.itertext())) * each / 2
            assert x - half >= 0
            assert x + half <= width
            assert LINE <= y <= height
        for role in group.findall(f"{NAMESPACE}g"):
            box = role.find(f"{NAMESPACE}rect")
            assert box is not None
            top = float(box.attrib["y"])
            for text in role.findall(f"{NAMESPACE}text"):
                each = NAME_WIDTH if text.attrib["class"] == "name" else WIDTH
                assert len("".join(text.itertext())) * each < float(box.attrib["width"])
                assert top + LINE <= float(text.attrib["y"])
                assert float(text.attrib["y"]) <= top + float(box.attrib["height"]) - 4


def test_a_role_tells_more_when_pointed_at() -> None:
    root = ElementTree.fromstring(svg(TEAM))
    tips = [tip.text for tip in root.iter(f"{NAMESPACE}title")]
    assert "planner\nPlan the work.\nreads all contributions\nwrites Plan" in tips
    assert any(tip and "reads Task" in tip and "tier large" in tip for tip in tips)


def test_light_and_dark_pages_have_colours_of_their_own() -> None:
    style = re.search(r"<style>(.*?)</style>", svg(ONE), re.DOTALL)
    assert style is not None
    light, _, dark = style.group(1).partition("@media (prefers-color-scheme: dark)")
    for kind in ("page", "name", "role", "end", "end-text", "stop", "stop-text", "line", "guard"):
        assert f".{kind}" in light
        assert f".{kind}" in dark


def test_mermaid_names_the_same_things(graph: Graph) -> None:
    text = mermaid(graph)
    assert text.startswith("flowchart TD\n    start((start))\n")
    for name in graph.roles:
        assert text.count(f"<b>{name}</b>") == 1
    assert text.count(" --> ") + text.count(" -->|") >= len(graph.roles)


def test_mermaid_of_a_chain() -> None:
    assert mermaid(CHAIN) == (
        "flowchart TD\n"
        "    start((start))\n"
        '    role0["<b>writer</b><br/>writes Note"]\n'
        '    role1["<b>critic</b><br/>writes Note"]\n'
        "    finish(((finish)))\n"
        "    start --> role0\n"
        '    role0 -->|"~failed(writer)"| role1\n'
        "    role1 --> finish\n"
        '    stop["<b>stop</b> when<br/>turns(40)"]:::stop\n'
        "    classDef bar fill:#57606a,stroke:#57606a\n"
        "    classDef stop stroke:#cf222e,stroke-dasharray:4 3\n"
    )


def test_mermaid_keeps_odd_characters_apart_from_its_own() -> None:
    assert "a #quot;quoted#quot; #lt;name#gt; & #35;more" in mermaid(TEAM)
    assert '---|"~turns(9)"|' not in mermaid(TEAM)
    assert '-->|"~turns(9)"| role1' in mermaid(TEAM)


def refused() -> GraphError:
    with pytest.raises(GraphError) as caught:
        Graph(
            *(start(planner), handoff(planner, (scout, coder))),
            *(handoff((scout, coder), planner), handoff(planner, reviewer), finish(reviewer)),
        )
    return caught.value


def test_what_proves_a_flaw_is_marked_and_nothing_else() -> None:
    error = refused()
    assert isinstance(error.graph, Graph)
    assert [flaw.path for flaw in error.flaws] == [("planner", "(scout, coder)", "planner")]
    text = mermaid(error.graph, error.flaws)
    assert "unbounded_cycle: planner → (scout, coder) → planner" in text
    assert re.search(r"class (.*) flaw", text)[1].split(",") == ["role0", "role1", "role2"]  # type: ignore[index]
    numbers = re.search(r"linkStyle (\S+) stroke:#cf222e", text)
    assert numbers is not None
    links = re.findall(r"^    \w+ (?:---|-->)(?:\|.*\|)? \w+$", text, re.MULTILINE)
    marked = [links[int(number)].split() for number in numbers[1].split(",")]
    assert [(one, two) for one, *_, two in marked] == [
        ("start", "role0"), ("role0", "bar0"), ("bar0", "role1"), ("bar0", "role2"),
        ("role1", "bar1"), ("role2", "bar1"), ("bar1", "role0"),
    ]  # fmt: skip
    document = svg(error.graph, error.flaws)
    ElementTree.fromstring(document)
    assert document.count('class="role flaw"') == 3
    assert document.count("flaw-tip") - document.count(".flaw-tip") == 4
    assert "what is wrong, and what proves it" in document


def test_a_graph_without_flaws_has_no_marks(graph: Graph) -> None:
    assert "flaw" not in mermaid(graph)
    assert 'flaw"' not in svg(graph)
