"""A person at hand who says what a script says."""

from collections.abc import Iterable

from hive.tools.person import Enquiry, Word

__all__ = ["ScriptedPerson"]


class ScriptedPerson:
    """Answers the turns of people one after the other; None leaves one for later, as does the end
    of the script. `asked` are the enquiries in the order in which they came.

        run.attend(ScriptedPerson(["no, it says nothing about winter", "yes"]))
    """

    def __init__(self, answers: Iterable[str | None], by: str = "user:script") -> None:
        self.by = by
        self.asked: list[Enquiry] = []
        self._answers = iter(answers)

    async def answer(self, enquiry: Enquiry) -> Word | None:
        """The next answer."""
        self.asked.append(enquiry)
        words = next(self._answers, None)
        return None if words is None else Word("says", self.by, words)
