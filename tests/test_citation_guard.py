"""The citation guard in a real agent loop, with a scripted model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain.agents", reason="needs langchain")

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver

from swimmer import Paper, build_store, paper_tools
from swimmer.errors import QueryError
from swimmer.langchain import CitationGuard

from .models import HashEmbeddings
from .test_tools import TITLE, ScriptedModel, calling

SEARCH = calling("find_similar_papers", title=TITLE, k=2)


def agent(
    papers: list[Paper], folder: Path, script: Sequence[BaseMessage], attempts: int = 2
) -> Any:
    tools = paper_tools(build_store(papers, folder / "small", model=HashEmbeddings()))
    return create_agent(
        ScriptedModel(script=list(script)),
        tools,
        middleware=[CitationGuard(attempts)],
        checkpointer=InMemorySaver(),
    )


def ask(one: Any, text: str = "What is like it?") -> list[BaseMessage]:
    config = {"configurable": {"thread_id": "1"}}
    messages: list[BaseMessage] = one.invoke({"messages": [("user", text)]}, config)["messages"]
    return messages


@pytest.mark.parametrize("wrong", ["As in [9].", "As Vaswani et al. (2017) say, and [1]."])
def test_an_answer_that_cites_what_no_tool_returned_is_sent_back(
    papers: list[Paper], tmp_path: Path, wrong: str
) -> None:
    messages = ask(agent(papers, tmp_path, [SEARCH, AIMessage(wrong), AIMessage("As in [1].")]))
    assert messages[-1].text == "As in [1]."
    assert "not among the papers that the tools returned" in messages[-2].text
    assert "[9]" in messages[-2].text or "Vaswani et al. (2017" in messages[-2].text


def test_a_right_answer_is_left_alone(papers: list[Paper], tmp_path: Path) -> None:
    one = agent(papers, tmp_path, [SEARCH, AIMessage("See [1, 2]."), AIMessage("Hello.")])
    assert [message.type for message in ask(one)] == ["human", "ai", "tool", "ai"]
    assert ask(one, "Hi")[-1].text == "Hello."


def test_papers_of_an_earlier_turn_are_not_those_of_this_one(
    papers: list[Paper], tmp_path: Path
) -> None:
    script = [SEARCH, AIMessage("See [1]."), AIMessage("And [2]."), AIMessage("None.")]
    one = agent(papers, tmp_path, script)
    ask(one)
    assert ask(one, "More?")[-1].text == "None."


def test_the_attempts_end(papers: list[Paper], tmp_path: Path) -> None:
    bad: list[BaseMessage] = [AIMessage("As in [9].") for _ in range(3)]
    messages = ask(agent(papers, tmp_path, [SEARCH, *bad], attempts=1))
    assert messages[-1].additional_kwargs["wrong_citations"] == ["[9]"]
    assert sum(message.type == "human" for message in messages) == 2
    for attempts in (-1, 11, True, "2"):
        with pytest.raises(QueryError, match="attempts"):
            CitationGuard(attempts)  # type: ignore[arg-type]


async def test_the_guard_works_asynchronously(papers: list[Paper], tmp_path: Path) -> None:
    one = agent(papers, tmp_path, [SEARCH, AIMessage("As in [9]."), AIMessage("As in [2].")])
    config = {"configurable": {"thread_id": "1"}}
    result = await one.ainvoke({"messages": [("user", "x")]}, config)
    assert result["messages"][-1].text == "As in [2]."
