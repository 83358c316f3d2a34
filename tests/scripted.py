"""A chat model that follows a script: it asks a tool, then answers from what the tool said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field


class ScriptedChat(BaseChatModel):
    """Each call takes the next line of the script: a message, or a function of the messages."""

    script: list[Any]
    tools: list[Any] = Field(default_factory=list)
    seen: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ScriptedChat:
        self.tools = list(tools)
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        line: AIMessage | Callable[[list[BaseMessage]], str] = self.script[len(self.seen)]
        self.seen = [*self.seen, messages]
        message = line if isinstance(line, AIMessage) else AIMessage(line(messages))
        return ChatResult(generations=[ChatGeneration(message=message)])


def calling(tool: str, **arguments: Any) -> AIMessage:
    """Return the message by which a model calls a tool."""
    return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": "call-1"}])
