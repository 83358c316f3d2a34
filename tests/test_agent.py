"""The retriever in the hands of an agent and in a RAG chain, to the final answer."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain", reason='needs pip install "swimmer[test]"')

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import create_retriever_tool

from swimmer import load_retriever

from .scripted import ScriptedChat, calling

TITLE = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"


def summary(messages: list[BaseMessage]) -> str:
    told = messages[-1]
    assert isinstance(told, ToolMessage)
    return f"The nearest is: {str(told.content).splitlines()[0]}"


def agent_with(chat: ScriptedChat, k: int = 3) -> Any:
    tool = create_retriever_tool(
        load_retriever("sample", k=k),
        "similar_papers",
        "Papers most like the title given.",
        response_format="content_and_artifact",
    )
    return create_agent(chat, [tool])


def test_an_agent_asks_the_retriever_and_answers_from_it() -> None:
    chat = ScriptedChat(script=[calling("similar_papers", query=TITLE), summary])
    state = agent_with(chat).invoke({"messages": [HumanMessage(f"What is like {TITLE!r}?")]})
    documents = load_retriever("sample", k=3).invoke(TITLE)
    assert [tool.name for tool in chat.tools] == ["similar_papers"]
    assert state["messages"][-1].content == f"The nearest is: {documents[0].metadata['title']}"
    told = state["messages"][-2]
    assert all(document.page_content in told.content for document in documents)
    assert [d.id for d in told.artifact] == [d.id for d in documents]
    assert [d.metadata["rank"] for d in told.artifact] == [1, 2, 3]


async def test_the_same_asynchronously() -> None:
    chat = ScriptedChat(script=[calling("similar_papers", query=TITLE), summary])
    state = await agent_with(chat).ainvoke({"messages": [HumanMessage("What is like it?")]})
    best = load_retriever("sample", k=1).invoke(TITLE)[0]
    assert state["messages"][-1].content == f"The nearest is: {best.metadata['title']}"


def test_a_chain_answers_from_what_the_retriever_found() -> None:
    retriever = load_retriever("sample", k=2)
    prompt = ChatPromptTemplate.from_template("{papers}\n\nQuestion: {question}")
    chat = ScriptedChat(
        script=[lambda messages: f"read {len(str(messages[0].content))} characters"]
    )
    chain = (
        {
            "papers": retriever | (lambda found: "\n\n".join(d.page_content for d in found)),
            "question": RunnablePassthrough(),
        }
        | prompt
        | chat
        | StrOutputParser()
    )
    answer = chain.invoke(TITLE)
    asked = str(chat.seen[0][0].content)
    assert answer == f"read {len(asked)} characters"
    for document in retriever.invoke(TITLE):
        assert document.page_content in asked
