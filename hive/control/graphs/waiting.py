"""Edges that never open, and roles that wait for each other (control floor)."""

from collections.abc import Iterator

from hive.control.graphs.algebra import Need
from hive.control.graphs.edge import Edge
from hive.control.graphs.frontier import Frontiers, Node, labels
from hive.control.graphs.needs import Writers
from hive.control.graphs.opening import Course, Opening
from hive.errors import Flaw, FlawCode

__all__ = ["closed_edges"]


def closed_edges(
    frontiers: Frontiers, writers: Writers, opening: Opening, course: Course
) -> Iterator[Flaw]:
    """Edges that are reached and open nowhere, because nobody before them writes what they need.

    Edges behind them are not told of, nor is a circle of roles twice.
    """
    waiting = Waiting(frontiers, writers, opening, course)
    told: set[frozenset[str]] = set()
    for edge in frontiers.graph.edges:
        need = waiting.need(edge)
        if need is None or edge.kind == "stop":
            continue
        said, chain = waiting.chain(edge, need)
        circle = chain[chain.index(chain[-1]) :] if chain else ()
        if len(circle) > 1:
            if frozenset(circle) in told:
                continue
            told.add(frozenset(circle))
        walk = (*labels(course.walk(waiting.at(edge)[0])), *chain)
        code: FlawCode = "waiting_roles" if len(circle) > 1 else "closed_edge"
        yield Flaw(code, f"{edge} can never be taken: {said}", walk)


class Waiting:
    """Follows who waits for whom."""

    def __init__(
        self, frontiers: Frontiers, writers: Writers, opening: Opening, course: Course
    ) -> None:
        self.frontiers = frontiers
        self.writers = writers
        self.opening = opening
        self.course = course
        self.acting = {name for node in course.written for name in node}

    def at(self, edge: Edge) -> list[Node]:
        """The frontiers that some walk reaches and that an edge leaves from."""
        return [node for node in self.frontiers.leaving(edge) if node in self.course.written]

    def need(self, edge: Edge) -> Need | None:
        """What keeps an edge closed wherever it is reached; None when nothing does, or when nobody
        at all could write it."""
        lacking = [self.opening.lacks(edge, self.course.written[node]) for node in self.at(edge)]
        if not lacking or not all(lacking):
            return None
        needs = [need for need in min(lacking, key=len) if not self.writers.missing(need)]
        return needs[0] if needs else None

    def chain(self, edge: Edge, need: Need) -> tuple[str, tuple[str, ...]]:
        """For whom an edge waits, and those in turn: in words, and by name until one is named again
        or what would come next is another flaw."""
        who = edge.targets[0].name if edge.targets else "the finish"
        chain = [edge.targets[0].name] if edge.targets else []
        said: list[str] = []
        step: Need | str = need
        while True:
            if isinstance(step, str):
                said.append(f"{who} acts only after {step}")
                who = step
            else:
                wanted = self.writers.of(step)
                said.append(f"{who} waits for {step.kind.kind}, which {written_by(wanted, who)}")
                late = [name for name in wanted if name not in self.acting]
                if not late:
                    said.append("and nobody who writes it acts before that")
                    break
                who = late[0]
            again = who in chain
            chain.append(who)
            after = None if again else self.blocked(who)
            if after is None:
                break
            step = after
        return "; ".join(said), tuple(chain)

    def blocked(self, role: str) -> Need | str | None:
        """Why a role never acts: what an edge to it waits for, or a role before it that never acts
        either. None when something else is wrong."""
        for edge in self.frontiers.graph.edges:
            if role in edge.target_names:
                absent = sorted(edge.source_names - self.acting)
                found = absent[0] if absent else self.need(edge)
                if found is not None:
                    return found
        return None


def written_by(writers: tuple[str, ...], who: str) -> str:
    if writers == (who,):
        return f"only {who} itself writes"
    return f"only {' and '.join(writers)} {'write' if len(writers) > 1 else 'writes'}"
