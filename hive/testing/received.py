"""What a server of the tests was asked (rim): the JSON that came, and what is in it."""

from typing import Any

from hive.testing.dialects import Endpoint

__all__ = ["Received"]


class Received(dict[str, Any]):
    """The JSON that was sent, with a look at it in provider-neutral words."""

    endpoint: Endpoint
    headers: dict[str, str]

    @property
    def system(self) -> str:
        """The instructions: the system prompt."""
        if self.endpoint == "chat":
            said = [m["content"] for m in self["messages"] if m["role"] == "system"]
            return "\n".join(said)
        said = self.get("instructions" if self.endpoint == "responses" else "system", "")
        return said if isinstance(said, str) else "\n".join(texts(said))

    @property
    def tools(self) -> list[str]:
        """The names of the tools offered."""
        return [tool.get("function", tool)["name"] for tool in self.get("tools", [])]

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The conversation as it was sent, without the instructions."""
        sent = self["input"] if self.endpoint == "responses" else self["messages"]
        return [turn for turn in sent if turn.get("role") != "system"]

    @property
    def text(self) -> str:
        """All that was said in the conversation, tool results included, as one text."""
        return "\n".join(texts(self.turns))

    @property
    def results(self) -> list[str]:
        """The results of tools that were sent along, in order."""
        found: list[str] = []
        for turn in self.turns:
            if turn.get("type") == "function_call_output":
                found.append(turn["output"])
            elif turn.get("role") == "tool" and "parts" in turn:
                found += [part["text"] for part in turn["parts"]]
            elif turn.get("role") == "tool":
                found.append(turn["content"])
            elif isinstance(turn.get("content"), list):
                blocks = turn["content"]
                found += [b["content"] for b in blocks if b.get("type") == "tool_result"]
        return found

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema that the final answer must follow; None when it is free text."""
        found: dict[str, Any] | None
        match self.endpoint:
            case "responses":
                found = self.get("text", {}).get("format", {}).get("schema")
            case "chat":
                found = self.get("response_format", {}).get("json_schema", {}).get("schema")
            case "messages":
                found = self.get("output_config", {}).get("format", {}).get("schema")
            case "reply":
                found = (self["output"] or {}).get("schema")
        if found is None and "tool_choice" in self:
            tool = self["tools"][-1]
            tool = tool.get("function", tool)
            found = tool.get("input_schema", tool.get("parameters"))
        return found

    @property
    def forced(self) -> str | None:
        """The name of the tool through which a typed answer is asked for, where it is."""
        return self.tools[-1] if "tool_choice" in self else None


def texts(value: object) -> list[str]:
    """Every text anywhere in a conversation, whatever its dialect."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    if isinstance(value, dict):
        wanted = (
            "content",
            "parts",
            "text",
            "output",
            "arguments",
            "input",
            "function",
            "tool_calls",
        )
        return [text for name in wanted if name in value for text in texts(value[name])]
    return []
