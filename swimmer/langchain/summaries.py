"""Papers in one sentence, written by a chat model and kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable

from swimmer.errors import MissingExtraError, ModelError, QueryError
from swimmer.library import Summaries, Summary
from swimmer.papers import Paper
from swimmer.text import clean, is_spaceless, sentences, singular_words, stop_words
from swimmer.toolkit import ONE_SENTENCE, as_text, bounded

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from swimmer.progress import Progress

AT_ONCE = 4
"""Papers that a model is asked about at the same time."""

ABSTRACT = 4_000
"""Characters of the abstract that a model is given."""

ANSWER_LIMIT = 4_000
"""Characters of an answer that are looked at."""

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_LINK = re.compile(
    r"!?\[([^\]]*)\]\([^)]*\)|</?[a-z][^<>]{0,200}>|\b(?:https?://|www\.)\S+", re.IGNORECASE
)
_LEAD = re.compile(
    r"^(?:[-*•#>]+\s+|\d+[.)]\s+|here(?:'s| is)[^:]{1,60}:\s*|"
    r"\W{0,3}(?:one[- ]sentence )?(?:summary|tl;?dr|answer)\W{0,3}:\W{0,3}\s*)+",
    re.IGNORECASE,
)
"""What may stand before the sentence of an answer."""

_QUOTED = re.compile('["“](.+?)["”](?:\\s|$)')
_MARKS = "\"'`*_“”‘’«» "


@dataclass(frozen=True)
class SummaryReport:
    """What `summarize` did.

    Attributes:
        summaries: the sentence of each paper, None where there is none.
        written: how many of them the model wrote now.
        refused: papers whose answers could not be used, with the reason.
        without_abstract: papers that were passed over, since they have no abstract.
    """

    summaries: list[Summary | None]
    written: int = 0
    refused: list[tuple[Paper, str]] = field(default_factory=list)
    without_abstract: int = 0


def load_chat_model(name: str) -> BaseChatModel:
    """Return the chat model of a name such as `ollama:llama3.2` or `openai:gpt-4o-mini`.

    Raises:
        MissingExtraError: the package `langchain` is not installed.
        ModelError: LangChain knows no such model, or its package or key is missing.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise MissingExtraError("a chat model by name", "agents") from None
    if not name.strip():
        raise ModelError("the name of the chat model is blank", hint="give PROVIDER:MODEL")
    try:
        model: BaseChatModel = init_chat_model(name, temperature=0)
    # What is raised is each provider's own: for a key that is missing, or a wrong address.
    except Exception as error:  # noqa: BLE001
        raise ModelError(
            f"the chat model {name[:100]!r} cannot be loaded: {_reason(error)}",
            hint="give PROVIDER:MODEL as LangChain names it, install the provider's package "
            "(such as langchain-openai) and set its key",
        ) from None
    return model


def summarize(
    papers: Sequence[Paper],
    chat_model: BaseChatModel | Runnable[Any, BaseMessage] | Runnable[Any, str],
    *,
    name: str = "",
    kept: Summaries | None = None,
    again: bool = False,
    at_once: int = AT_ONCE,
    progress: Progress | None = None,
) -> SummaryReport:
    """Let a chat model write one sentence about each paper, and keep it.

    A paper that has such a sentence already is not asked about again, so that work which was
    interrupted is resumed. Title and abstract are data of third parties: the model is told so, and
    its answer is cut to one line of plain text without links. An answer that shares no word with
    the paper is not used.

    Args:
        papers: the papers; those without an abstract are passed over.
        chat_model: any LangChain chat model, or a runnable from messages to a message or a text.
        name: the name of the model that is kept with the sentences; by default what it says.
        kept: where sentences are kept; by default the user's file.
        again: write anew what is kept already.
        at_once: papers that the model is asked about at the same time.
        progress: told how many papers are done.

    Raises:
        QueryError: `at_once` is not between 1 and 100.
        ModelError: the model fails; what was written before is kept.
        StoreError: the file cannot be read or written.
    """
    if isinstance(at_once, bool) or not isinstance(at_once, int) or not 1 <= at_once <= 100:
        raise QueryError(f"at_once is a whole number from 1 to 100, got {at_once!r:.40}")
    kept = kept or Summaries()
    name = name or _name_of(chat_model)
    todo = [
        paper for paper in _once(papers) if paper.abstract and (again or not kept.written(paper))
    ]
    refused: list[tuple[Paper, str]] = []
    written = 0
    for start in range(0, len(todo), at_once):
        if progress is not None:
            progress("summarizing", start, len(todo))
        asked = todo[start : start + at_once]
        failed: list[tuple[Paper, Exception]] = []
        for paper, answer in zip(asked, _answers(chat_model, asked), strict=True):
            if isinstance(answer, Exception):
                failed.append((paper, answer))
                continue
            text, fault = _checked(answer, paper)
            if fault:
                refused.append((paper, fault))
                continue
            kept.add(paper, text, name)
            written += 1
        if failed:
            raise _failed(*failed[0], written, len(todo))
    if progress is not None and todo:
        progress("summarizing", len(todo), len(todo))
    without = sum(not paper.abstract for paper in papers)
    summaries = [kept.written(paper) for paper in papers]
    return SummaryReport(summaries, written, refused, without)


def _once(papers: Sequence[Paper]) -> Sequence[Paper]:
    """Return papers, each text of them once: a list may hold a paper of several stores."""
    return list({(paper.key, paper.abstract): paper for paper in papers}.values())


def _answers(chat_model: Any, papers: Sequence[Paper]) -> list[Any]:
    """Return the answers of the model, an exception where it failed."""
    asked = [_messages(paper) for paper in papers]
    found: list[Any] = chat_model.batch(
        asked, config={"max_concurrency": len(asked)}, return_exceptions=True
    )
    return found


def _messages(paper: Paper) -> list[BaseMessage]:
    about = {"title": bounded(paper.title, 500), "abstract": bounded(paper.abstract, ABSTRACT)}
    return [SystemMessage(ONE_SENTENCE), HumanMessage(as_text(about))]


def _checked(answer: object, paper: Paper) -> tuple[str, str]:
    """Return the sentence of an answer, and why it cannot be used, "" when it can."""
    text = sentence_of(answer.text if isinstance(answer, BaseMessage) else str(answer))
    if not text:
        return "", "the answer holds no sentence"
    own = singular_words(f"{paper.title} {paper.abstract}") - stop_words()
    if not is_spaceless(text) and not own & singular_words(text):
        return "", f"the answer shares no word with the paper: {text[:100]}"
    return text, ""


def sentence_of(answer: str) -> str:
    """Return the first sentence of a model's answer as plain text of one line, "" for none."""
    text = _ESCAPE.sub("", _THOUGHT.sub(" ", answer[: 10 * ANSWER_LIMIT])[:ANSWER_LIMIT])
    text = _LINK.sub(lambda match: match[1] or " ", text)
    for line in text.splitlines():
        if line.strip().startswith("```"):
            continue
        line = _LEAD.sub("", clean(line).lstrip(_MARKS))
        if (quoted := _QUOTED.match(line)) is not None:
            line = quoted[1]
        line = line.strip(_MARKS)
        if any(char.isalpha() for char in line) and not line.endswith(":"):
            return sentences(line)[0]
    return ""


def _name_of(chat_model: Any) -> str:
    for attribute in ("model_name", "model", "name"):
        found = getattr(chat_model, attribute, None)
        if isinstance(found, str) and found:
            return found
    return type(chat_model).__name__


def _failed(paper: Paper, error: Exception, written: int, of: int) -> ModelError:
    return ModelError(
        f"the chat model failed at {paper.display_title[:80]!r}: {_reason(error)}; "
        f"{written:,} of {of:,} sentences were written and are kept",
        hint="see that the model is running and may be used, then run it again: it resumes",
    )


def _reason(error: Exception) -> str:
    # A provider's message may be a page of JSON.
    return f"{type(error).__name__}: {clean(str(error))[:300]}"
