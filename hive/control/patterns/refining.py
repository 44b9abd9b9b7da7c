"""Iterative refinement (control floor): work goes back to its author until a critic has no more to
say against it, a bounded number of times.

Graph(start(author), *refinement(author, critic, rounds=3))

The pattern is that of Self-Refine (Madaan et al., NeurIPS 2023), with a critic of its own.
"""

from hive.board.contributions import Review, TestReport, Verdict
from hive.board.payload import Payload
from hive.board.state import State
from hive.control.graphs.algebra import Guard, Need
from hive.control.graphs.edge import Edge, finish, handoff, stop
from hive.control.guards.guard import failed
from hive.control.guards.rounds import acted, grown, rounds_left, rounds_used
from hive.control.guards.tested import tests_pass
from hive.errors import DeclarationError
from hive.role import Role

__all__ = ["refinement"]


def refinement(
    author: Role,
    critic: Role,
    *,
    rounds: int,
    until: Guard | None = None,
    growth: int | None = None,
    then: Role | None = None,
    otherwise: Role | None = None,
) -> tuple[Edge, ...]:
    """The edges by which work goes from its author to a critic and back, at most `rounds` times.

    The work is good when `until` holds. Left out, it is what the critic's own last turn said: a
    Review that approves or a Verdict that accepts; or `tests_pass`, for a critic who runs tests.
    What the critic found is on the board, where the author reads it. With `growth`, work does not
    go back either once what the author is sent has grown by so many tokens since its first turn.

    Good work goes to `then`, or the run is finished. What is not good after that goes to
    `otherwise`, as does the work of somebody who failed; without one the run is stopped. Where an
    edge leads to the author, in a larger graph, is up to that one; the rounds are those of the run.

    Raises DeclarationError where the author does not read what the critic writes, so that it would
    never hear of its errors, and where it is not known what the critic says of good work.
    """
    check_feedback(author, critic)
    good = said_by(critic) if until is None else until
    over: Guard = rounds_used(critic, rounds)
    again = ~good & ~failed(critic) & rounds_left(critic, rounds)
    if growth is not None:
        over = over | (acted(critic) & grown(author, tokens=growth))
        again = again & ~grown(author, tokens=growth)
    bad = ~good & over
    edges = [
        handoff(author, critic, when=~failed(author)),
        handoff(critic, author, when=again),
    ]
    if then is None:
        edges.append(finish(critic, when=good))
    elif then != otherwise:
        edges.append(handoff(critic, then, when=good & ~failed(critic)))
    if otherwise is None:
        return (*edges, stop(when=bad))
    over = failed(critic) | bad if then != otherwise else failed(critic) | good | bad
    return (
        *edges,
        handoff(author, otherwise, when=failed(author)),
        handoff(critic, otherwise, when=over),
    )


def check_feedback(author: Role, critic: Role) -> None:
    """Raise DeclarationError where one of the two would not see what the other has to say."""
    if author == critic:
        raise DeclarationError(
            f"refinement: role {author.name!r} cannot be its own critic; give another role, which"
            " may have the same model"
        )
    for reader, writer in ((author, critic), (critic, author)):
        kinds = {cls.kind for cls in reader.reads or ()}
        blind = reader.reads is not None and kinds.isdisjoint(writer.kinds_written)
        if blind and (reader is author or not reader.tools):
            raise DeclarationError(
                f"refinement: role {reader.name!r} reads {', '.join(sorted(kinds)) or 'nothing'},"
                f" and {writer.name!r} writes {', '.join(sorted(writer.kinds_written))}; let it"
                " read one of these, or it never sees what the other did"
            )


def said_by(critic: Role) -> Guard:
    """Whether the critic has found the work good in the last turn. Raises DeclarationError where
    it is not known how it would say so."""
    if TestReport.kind in critic.kinds_written:
        return tests_pass
    kinds: tuple[type[Payload], ...] = tuple(
        kind for kind in (Review, Verdict) if kind in critic.writes
    )
    if not kinds:
        raise DeclarationError(
            f"refinement: what role {critic.name!r} writes does not say whether work is good; let"
            " it write a Review or a Verdict, or give until="
        )

    def test(state: State) -> bool:
        entries = [state.newest.get(f"{critic.name}/{kind.kind}") for kind in kinds]
        said = [each for each in entries if each is not None and each.turn == state.turn]
        return bool(said) and all(is_good(entry.payload) for entry in said)

    return Guard(
        f"approved({critic.name})",
        test,
        needs=tuple(Need(kind, critic.name) for kind in kinds),
        strict=len(kinds) == 1,
        loose="it may never approve",
    )


def is_good(payload: Payload) -> bool:
    """Whether a judgement is in favour of the work."""
    if isinstance(payload, Review):
        return payload.approved
    return isinstance(payload, Verdict) and payload.ruling == "accept"
