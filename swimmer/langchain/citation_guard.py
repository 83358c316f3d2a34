"""Middleware for `create_agent`: an answer that cites what no tool has returned is sent back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from swimmer.errors import MissingExtraError, QueryError
from swimmer.langchain.related_work import wrong_citations
from swimmer.papers import AUTHORS_ORDER, Paper
from swimmer.retrieval import Hit

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
except ImportError:
    raise MissingExtraError("the citation guard", "agents") from None

_REPORTED = "swimmer_citation_guard"


class CitationGuard(AgentMiddleware):
    """Sends an answer back to the model that cites papers which no tool of swimmer has returned.

    A number in square brackets must be the rank of a paper that a tool returned since the user's
    last message; a name with a year must be that of an author of one of them.

    Args:
        attempts: how often an answer is sent back; the next one is taken as it is, with what is
            wrong in its `additional_kwargs["wrong_citations"]`.

    Raises:
        QueryError: `attempts` is not a whole number from 0 to 10.
    """

    def __init__(self, attempts: int = 2) -> None:
        super().__init__()
        if isinstance(attempts, bool) or not isinstance(attempts, int) or not 0 <= attempts <= 10:
            raise QueryError(f"attempts is a whole number from 0 to 10, got {attempts!r:.40}")
        self.attempts = attempts

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """Check the citations of a message that ends the turn."""
        turn = _turn(state["messages"])
        last = turn[-1] if turn else None
        if not isinstance(last, AIMessage) or last.tool_calls:
            return None
        wrong = wrong_citations(last.text, _hits(turn))
        if not wrong:
            return None
        reported = sum(bool(message.additional_kwargs.get(_REPORTED)) for message in turn)
        if reported >= self.attempts:
            kwargs = last.additional_kwargs | {"wrong_citations": wrong}
            return {"messages": [last.model_copy(update={"additional_kwargs": kwargs})]}
        report = (
            f"These citations are not among the papers that the tools returned: "
            f"{'; '.join(wrong)[:1_000]}. Write the answer again without them, or find the papers."
        )
        message = HumanMessage(report, additional_kwargs={_REPORTED: True})
        return {"messages": [message], "jump_to": "model"}

    @hook_config(can_jump_to=["model"])
    async def aafter_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """Check what `after_model` does."""
        return self.after_model(state, runtime)


def _turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return the messages since the user's last one; reports of the guard are none of the user."""
    turn: list[AnyMessage] = []
    for message in reversed(messages):
        if isinstance(message, HumanMessage) and not message.additional_kwargs.get(_REPORTED):
            break
        turn.append(message)
    return turn[::-1]


def _hits(messages: Sequence[AnyMessage]) -> list[Hit]:
    """Return the papers in the texts of tool messages, which a checkpoint keeps as they were."""
    found: list[Hit] = []
    for message in messages:
        if not isinstance(message, ToolMessage) or message.status == "error":
            continue
        try:
            data = json.loads(message.text)
        except ValueError:
            continue
        if isinstance(data, dict):
            records = data.get("papers", [data])
            found += [hit for record in records if (hit := _hit(record)) is not None]
    return found


def _hit(record: Any) -> Hit | None:
    try:
        paper = Paper(
            record["title"],
            id=record["id"],
            authors=tuple(record["authors"]),
            venue=record["venue"],
            year=record["year"],
            # The text for the model does not say whether the order of the authors is known.
            extra={AUTHORS_ORDER: "unknown"},
        )
    except (KeyError, TypeError, ValueError):
        # A tool of somebody else answers with other fields.
        return None
    return Hit(paper, float(record.get("score", 0.0)), int(record.get("rank", 0)))
