"""The same team on three providers, and one conversation that two of them share.

Run it: `python examples/swap_backends.py`. It needs no key: the providers' addresses are those of a
server on this machine that speaks their wire formats and answers from a script. Without the
lines that say so, and with keys in the environment, the same program asks the real ones.
"""

import asyncio
import os

from hive import Payload, Role, Workflow, tool
from hive.message import ToolUse
from hive.testing import Received, faults, loopback

MODELS = ("openai:gpt-5-mini", "anthropic:claude-opus-5", "compatible:qwen3")


@tool(effect="read")
def thermometer(room: str) -> float:
    """Read the temperature of a room, in degrees Celsius."""
    return {"cellar": 4.5}[room]


class Measurement(Payload):
    """One number that someone else could check."""

    what: str
    value: float
    unit: str


surveyor = Role("surveyor", "Measure.", writes=(Measurement,), tools=(thermometer,))
critic = Role("critic", "Say what the number means.")


def script(request: Received) -> faults.Line:
    """What any model answers here, whichever way it is asked."""
    if "'critic'" in request.system:
        return "Cold enough for butter."
    if not request.results:
        return ToolUse(id="first", name="thermometer", arguments={"room": "cellar"})
    if request.endpoint == "responses" and failing.is_set():
        return faults.error(401, "this key was withdrawn")
    return {"what": "cellar", "value": float(request.results[0]), "unit": "°C"}


failing = asyncio.Event()


async def main() -> None:
    """Run the team on each provider, then on a chain whose first one fails in mid-conversation."""
    print("The models are scripts, behind a server that speaks three wire formats.\n")
    async with loopback(script) as server:
        for provider in ("OPENAI", "ANTHROPIC", "HIVE"):
            os.environ[f"{provider}_BASE_URL"] = server.base_url
            os.environ[f"{provider}_API_KEY"] = "the-script-asks-for-none"

        for word in MODELS:
            result = await Workflow(surveyor >> critic, model=word).run("Is the cellar cold?")
            spoke = server.requests[-1].endpoint
            print(f"{word}, over {spoke}: {result.text}")

        failing.set()
        begun = len(server.requests)
        chain = "openai:gpt-5-mini > anthropic:claude-opus-5"
        result = await Workflow(surveyor >> critic, model=chain).run("Is the cellar cold?")
        print(f"\n{chain}: {result.text}")
        for request in server.requests[begun:]:
            print(f"  {request.endpoint} was shown the results {request.results}")
        for entry in result.entries:
            if entry.kind == "Inference":
                reply = entry.as_json()["payload"]
                failed = [attempt["reason"] for attempt in reply["attempts"]]
                print(f"  [{entry.address}] by {reply['model']}, after {failed or 'nothing'}")


if __name__ == "__main__":
    asyncio.run(main())
