from __future__ import annotations

import pytest

from hive.errors import DeclarationError
from hive.tools import Approver, Effect, Judgement, ProposedCall, allow, ask, by_tool, deny


def proposed(tool: str = "mail", effect: Effect = "egress", role: str = "coder") -> ProposedCall:
    return ProposedCall(tool, effect, {}, role)


@pytest.mark.asyncio
async def test_the_first_rule_that_fits_decides() -> None:
    approver: Approver = by_tool(mail="ask") | deny(effect="egress") | allow(role="coder") | deny()
    assert await approver.judge(proposed()) == Judgement(
        "ask", "mail has effect egress", "by_tool(mail='ask')"
    )
    denied = await approver.judge(proposed("fetch"))
    assert (denied.decision, denied.by) == ("deny", "deny(effect='egress')")
    assert (await approver.judge(proposed("edit", "write"))).decision == "allow"
    last = await approver.judge(proposed("edit", "write", "critic"))
    assert (last.decision, last.by) == ("deny", "deny()")


@pytest.mark.asyncio
async def test_what_no_rule_fits_is_allowed_and_says_so() -> None:
    judgement = await ask(effect="irreversible").judge(proposed())
    assert judgement == Judgement("allow", "no rule fits", "default")


def test_a_ruling_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DeclarationError, match="say 'allow', 'deny' or 'ask'"):
        by_tool(shell="perhaps")  # type: ignore[arg-type]
