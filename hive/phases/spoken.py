"""What a person's words come to (floor 5): contributions of their role, or what is wrong with them.

yes, but watch the pump                      a Review; so is "no, because …"
The cold room is at 4 °C.                    a Note, or whatever plain text can fill
{"summary": "…", "tasks": […], …}            the one kind of the role that it fits
{"Plan": {…}}                                the kind that is named
[{…}, {"Review": {…}}]                       several contributions
"""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import JsonValue, ValidationError

from hive.board.contributions import Answer, Question
from hive.board.entry import Entry
from hive.board.payload import Payload
from hive.errors import PayloadError
from hive.phases.brief import is_text
from hive.phases.select import Invalid
from hive.role import Role

__all__ = ["question_of", "read", "ways"]


class Unfit(Exception):
    """Words that are nothing the role may write; the message says why, to who said them."""


def read(role: Role, words: str, question: str | None = None) -> tuple[Payload, ...] | Invalid:
    """The contributions that a person's words come to, all of them or none; `question` is the
    address of what an Answer answers."""
    words = words.strip()
    try:
        found = tuple(contributions(role, words, question))
        for payload in found:
            for part in (payload, *payload.unfold()):
                part.body()
    except (Unfit, PayloadError) as error:
        return Invalid("invalid_output", str(error))
    return found


def contributions(role: Role, words: str, question: str | None) -> Iterator[Payload]:
    if not words:
        raise Unfit("nothing was said.")
    if words[0] not in "{[" or all(takes_words(cls) for cls in role.said):
        yield in_words(role, words, question)
        return
    try:
        data = json.loads(words)
    except (ValueError, RecursionError) as error:
        payload = by_a_kind(role, words)  # an address in brackets, as it is shown
        if payload is None:
            raise Unfit(f"this is no JSON: {error}.") from None
        yield payload
        return
    if data == []:
        raise Unfit("nothing was said.")
    for each in data if isinstance(data, list) else [data]:
        said = isinstance(each, str)
        yield in_words(role, each.strip(), question) if said else fitting(role, each)


def in_words(role: Role, words: str, question: str | None) -> Payload:
    """The one contribution that a person's own words come to. Raises Unfit."""
    payload = by_a_kind(role, words)
    if payload is not None:
        return payload
    for cls in role.said if words else ():
        if cls is Answer and question is not None:
            return Answer(text=words, question=question)
        if is_text(cls):
            return cls.model_validate({"text": words})
    raise Unfit(f"{role.name!r} cannot say that in words.")


def by_a_kind(role: Role, words: str) -> Payload | None:
    """What a kind of the role itself makes of some words; None where none knows them."""
    return next((p for cls in role.said if (p := cls.in_words(words)) is not None), None)


def fitting(role: Role, data: JsonValue) -> Payload:
    """The one contribution that some data can be. Raises Unfit."""
    kinds = {cls.kind: cls for cls in role.said}
    if isinstance(data, dict) and len(data) == 1 and next(iter(data)) in kinds:
        [(kind, data)] = data.items()
        kinds = {kind: kinds[kind]}
    fits: list[Payload] = []
    problems: list[str] = []
    for kind, cls in kinds.items():
        try:
            fits.append(cls.model_validate_json(json.dumps(data)))
        except ValidationError as error:
            problems.append(f"no {kind}: {told(error)}")
    if len(fits) == 1:
        return fits[0]
    if fits:
        names = " and ".join(payload.kind for payload in fits)
        raise Unfit(f'this may be {names}; say which, as in {{"{fits[0].kind}": {{…}}}}.')
    raise Unfit(f"this is {'; '.join(problems)}.")


def told(error: ValidationError) -> str:
    """What is wrong, field by field."""
    return ", ".join(
        f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
        for each in error.errors()
    )


def takes_words(cls: type[Payload]) -> bool:
    """Whether plain text can fill a kind; for an Answer, with the question it is given to."""
    return cls is Answer or is_text(cls)


def ways(role: Role) -> str:
    """How the role's turn may be answered, in a sentence."""
    found: list[str] = []
    for cls in role.said:
        if cls.said_as:
            found.append(cls.said_as)
        elif takes_words(cls):
            found.append(f"your own words, a{'n' if cls.kind[0] in 'AEIO' else ''} {cls.kind}")
        else:
            found.append(f"the JSON of a {cls.kind}")
    return f"Say {'; or '.join(dict.fromkeys(found))}."


def question_of(cause: Entry | None, open_questions: tuple[str, ...]) -> str | None:
    """The address of the question that an Answer answers: the one that the strand was opened for,
    else the newest without an answer."""
    payload: Any = None if cause is None else cause.payload
    if cause is not None and isinstance(payload, Question):
        return str(cause.address)
    return open_questions[-1] if open_questions else None
