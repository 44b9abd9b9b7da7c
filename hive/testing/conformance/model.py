"""All scenarios of the conformance suite in one test class (rim)."""

from hive.testing.conformance.answers import Answers
from hive.testing.conformance.asked import Asked
from hive.testing.conformance.calls import Calls
from hive.testing.conformance.errors import Errors
from hive.testing.conformance.streams import Streams

__all__ = ["ModelConformance"]


class ModelConformance(Answers, Asked, Calls, Errors, Streams):
    """The tests that every model backend should pass: subclass it in a file that pytest collects.

    `model(base_url)` makes the model; that is all it needs. Each test is a scenario: a server on
    127.0.0.1 that speaks OpenAI Responses, Chat Completions and Anthropic Messages, whichever it is
    asked for, answers as a script says, soundly or not, and what the model makes of it is judged.
    Nothing is timed, nothing leaves the machine, and no plugin of pytest is needed.

    `lacks` names what the backend cannot do, of `ABILITIES`, each with the reason; the tests that
    need it are skipped and show the reason. A model that asks no such server lacks "server" and
    replaces `serving`. `patience` is how many seconds a test may stand still before it fails.

    Raises `DeclarationError` where `lacks` names something else.
    """
