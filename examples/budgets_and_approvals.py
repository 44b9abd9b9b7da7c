"""Budgets and approvals: a tool that needs a person's yes, and a run that may not spend more.

The clerk wants to pay a bill. Paying cannot be undone, so the run waits for a person, and the
process may end meanwhile. Later the person allows it, and the run goes on from its journal:
nothing that was asked before is asked again. At the end a budget of one model call shows what
happens when there is no room for the next.
"""

import asyncio
import tempfile
from pathlib import Path

from hive import Budget, Graph, Role, Workflow, finish, start, stop, tool, turns
from hive.message import Request, ToolUse
from hive.models import FunctionModel
from hive.tools import Call, allow, ask

PAID: dict[str, float] = {}


@tool(effect="irreversible", repeat="keyed")  # a crash may repeat it: the bank knows the key
async def pay(to: str, amount: float, call: Call) -> str:
    """Pay an amount in euros to somebody."""
    PAID[call.key] = amount
    return f"paid {amount:.2f} euros to {to}"


def settle(request: Request) -> str | ToolUse:
    """The clerk's mind, a program: pay, then report."""
    last = request.messages[-1]
    if last.role == "user":
        return ToolUse(id="bill", name="pay", arguments={"to": "the plumber", "amount": 180.0})
    return " ".join(part.text for part in last.parts if part.type == "tool_result")


clerk = Role("clerk", "Pay the open bills and report.", tools=(pay,))
office = Workflow(
    Graph(start(clerk), finish(clerk), stop(when=turns(5))),
    model=FunctionModel(settle),
    budget=Budget(usd=1, calls=10, seconds=60),
    approvals=ask(effect="irreversible"),
    name="office",
)


async def main(journal: Path) -> None:
    """Pay a bill with a person's yes, and see what no room in the budget looks like."""
    print("The clerk's mind is a program.\n")
    waiting = await office.run("Pay the plumber.", journal=journal)
    print(f"{waiting.outcome} on {waiting.message}; paid so far: {list(PAID.values())}")

    # Any later process may do this: it takes the journal, the run's id and the same workflow.
    paid = await office.resume(waiting.run, journal=journal, approvals=allow()).result()
    print(f"{paid.outcome}: {paid.text}; paid so far: {list(PAID.values())}")

    poor = office.with_(budget=Budget(calls=1), approvals=allow())
    stopped = await poor.run("Pay the plumber again.")
    faults = [entry for entry in stopped.entries if entry.kind == "Fault"]
    print(f"\n{stopped.outcome}: {stopped.message}")
    print(f"[{faults[-1].address}] Fault: {faults[-1].as_json()['payload']['message']}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder) / "journal.db"))
