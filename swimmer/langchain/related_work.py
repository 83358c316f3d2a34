"""A related-work paragraph by a chat model about papers of a store; its citations are checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from swimmer.errors import ModelError, QueryError
from swimmer.papers import Paper, venue_and_year
from swimmer.retrieval import Hit, ask
from swimmer.store import PaperStore, open_store
from swimmer.text import clean
from swimmer.toolkit import MOST_HITS, RELATED_WORK, as_text, paper_data

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

PARAGRAPH_LIMIT = 8_000
"""Characters of a paragraph that are kept."""

_CITATION = re.compile(r"\[(\d+(?:\s*[,;–-]\s*\d+)*)\]")
_NAME, _YEAR = r"([A-Z][\w'’-]+)", r"((?:19|20)\d{2})[a-z]?\b"
_BY_NAME = re.compile(
    rf"{_NAME}(?:\s+et\s+al\.?,?\s*\(?|\s+(?:and|&)\s+{_NAME},?\s*\(?|\s*\(){_YEAR}"
    rf"|[(;]\s*{_NAME},?\s+{_YEAR}"
)
"""How a work is cited by name: Li et al. (2024), Li and Wu, 2024, Li (2024), (Li, 2024)."""

_NUMBER_AFTER = re.compile(rf"\)?\s*(?:{_CITATION.pattern})")


@dataclass(frozen=True)
class RelatedWork:
    """A paragraph and the hits that it cites; `cited` maps each number in it to its hit."""

    topic: str
    paragraph: str
    cited: dict[int, Hit] = field(default_factory=dict)

    @property
    def references(self) -> list[str]:
        """The works cited, one line each, in the order of their numbers."""
        lines = []
        for number, hit in sorted(self.cited.items()):
            paper = hit.paper
            parts = [", ".join(paper.authors[:3]) + (" et al." if len(paper.authors) > 3 else "")]
            parts += [paper.display_title, venue_and_year(paper), paper.url]
            # "et al." ends with a full stop of its own.
            line = ". ".join(part for part in parts if part).replace("et al.. ", "et al. ")
            lines.append(f"[{number}] {line}")
        return lines

    def bibtex(self) -> str:
        """The works cited, as BibTeX."""
        from swimmer.export import to_bibtex

        return to_bibtex(hit.paper for _, hit in sorted(self.cited.items()))


def related_work_chain(
    chat_model: BaseChatModel | Runnable[Any, BaseMessage] | Runnable[Any, str],
    store: PaperStore | str | Path | None = None,
    *,
    k: int = 8,
    attempts: int = 2,
) -> Runnable[str, RelatedWork]:
    """Return a chain from a title or an idea to a `RelatedWork`.

    The chain finds the k most similar papers, lets the model write a paragraph about them, and
    checks every citation: a number must be that of a paper, a name with a year that of a first
    author among them (of any author, where the order of the authors is not known). Wrong citations
    are reported to the model, which may try again.

    Args:
        chat_model: any LangChain chat model, or a runnable from messages to a message.
        store: an open store, a name or a path; by default the one of `swimmer default`.
        k: papers that the model is given.
        attempts: how often the model may write.

    Raises:
        QueryError: k or attempts is out of range; when run, the query is blank or nothing is
            found.
        ModelError: when run, the last attempt still cites what was not found, or nothing.
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_HITS:
        raise QueryError(f"k is a whole number from 1 to {MOST_HITS}, got {k!r:.40}")
    if isinstance(attempts, bool) or not isinstance(attempts, int) or not 1 <= attempts <= 10:
        raise QueryError(f"attempts is a whole number from 1 to 10, got {attempts!r:.40}")
    opened = store if isinstance(store, PaperStore) else open_store(store)

    def write(topic: str, config: RunnableConfig) -> RelatedWork:
        hits = _hits(opened, topic, k)
        messages = _messages(topic, hits)
        faults: list[str] = []
        for _ in range(attempts):
            reply = _message(chat_model.invoke(messages, config))
            written, faults = _checked(topic, hits, reply)
            if written is not None:
                return written
            messages = _with_faults(messages, reply, faults)
        raise _refused(faults)

    async def awrite(topic: str, config: RunnableConfig) -> RelatedWork:
        from langchain_core.runnables import run_in_executor

        hits = await run_in_executor(config, _hits, opened, topic, k)
        messages = _messages(topic, hits)
        faults: list[str] = []
        for _ in range(attempts):
            reply = _message(await chat_model.ainvoke(messages, config))
            written, faults = _checked(topic, hits, reply)
            if written is not None:
                return written
            messages = _with_faults(messages, reply, faults)
        raise _refused(faults)

    return RunnableLambda(write, awrite, name="related_work")


def _message(reply: object) -> BaseMessage:
    """Return the reply of a chat model, or of one whose messages are parsed to text."""
    if isinstance(reply, BaseMessage):
        return reply
    if isinstance(reply, str):
        return AIMessage(reply)
    raise ModelError(
        f"the chat model answered with {type(reply).__name__}, not with a message or a text; give "
        "a chat model, or a chain that ends in a message or a text"
    )


def _hits(store: PaperStore, topic: str, k: int) -> list[Hit]:
    (answer,) = ask(store, [topic], k)
    if not answer.hits:
        raise QueryError(f"the store {store.name} holds no paper to cite for {topic[:80]!r}")
    return answer.hits


def _messages(topic: str, hits: list[Hit]) -> list[BaseMessage]:
    papers = [{"number": hit.rank, **paper_data(hit.paper, 1_000)} for hit in hits]
    question = f"The paper to relate: {clean(topic, 5_000)}\n\nPapers, as JSON:\n{as_text(papers)}"
    return [SystemMessage(RELATED_WORK), HumanMessage(question)]


def _with_faults(
    messages: list[BaseMessage], reply: BaseMessage, faults: list[str]
) -> list[BaseMessage]:
    again = (
        f"These citations are not among the papers: {'; '.join(faults)}. Write the paragraph again "
        "without them."
    )
    return [*messages, AIMessage(reply.text), HumanMessage(again)]


def _refused(faults: list[str]) -> ModelError:
    return ModelError(
        f"the chat model's paragraph cannot be used: {'; '.join(faults)[:500]}",
        hint="allow more attempts, or ask another model",
    )


def _checked(
    topic: str, hits: list[Hit], reply: BaseMessage
) -> tuple[RelatedWork | None, list[str]]:
    """Return the paragraph of a reply, or None and what is wrong with its citations."""
    text = clean(reply.text, PARAGRAPH_LIMIT)
    numbers = sorted(cited_numbers(text))
    faults = wrong_citations(text, hits) or ([] if numbers else ["no paper is cited by its number"])
    if faults:
        return None, faults
    by_number = {hit.rank: hit for hit in hits}
    return RelatedWork(topic, text, {number: by_number[number] for number in numbers}), []


def cited_numbers(text: str) -> set[int]:
    """Return the numbers that a text cites: [3], [1, 4] and [2-5]."""
    found: set[int] = set()
    for match in _CITATION.finditer(text):
        for part in re.split(r"\s*[,;]\s*", match[1]):
            ends = [int(end[:6]) for end in re.split(r"\s*[–-]\s*", part)]
            # A model may write an absurd range; its ends are then enough.
            whole = range(ends[0], ends[-1] + 1) if 0 <= ends[-1] - ends[0] <= 100 else ends
            found.update(whole)
    return found


def wrong_citations(text: str, hits: Sequence[Hit]) -> list[str]:
    """Return the citations of a text that are not among the hits, as the text writes them.

    A name must be that of a first author, with the year of the paper; of any author where the
    order of the authors is not known. A second name must be of the same paper, and a number that
    follows at once must be its number.
    """
    ranks = {hit.rank for hit in hits}
    wrong = [f"[{number}]" for number in sorted(cited_numbers(text) - ranks)]
    # A venue with its year, ICLR (2025), looks like an author with theirs.
    venues = {word.casefold() for hit in hits for word in hit.paper.venue.split()}
    found: dict[str, None] = {}
    for match in _BY_NAME.finditer(text):
        names = [match[1], match[2]] if match[1] else [match[4]]
        year = match[3] or match[5]
        surnames = [name.casefold() for name in names if name]
        if surnames[0] in venues:
            continue
        meant = [hit for hit in hits if _is_by(hit.paper, surnames, year)]
        after = _NUMBER_AFTER.match(text, match.end())
        if after is not None:
            numbers = cited_numbers(after[0])
            meant = [hit for hit in meant if hit.rank in numbers]
        if not meant:
            found.setdefault(match[0].lstrip("(; "))
    return [*wrong, *found]


def _is_by(paper: Paper, surnames: list[str], year: str) -> bool:
    """Whether a paper can be cited by these surnames, the first author's first, and a year."""
    if str(paper.year) != year:
        return False
    authors = [name.split()[-1].casefold() for name in paper.authors if name.split()]
    first = authors if not _has_order(paper) else authors[:1]
    return surnames[0] in first and all(name in authors for name in surnames[1:])


def _has_order(paper: Paper) -> bool:
    """Whether the order of the authors can be taken as theirs: not where it is the alphabet's."""
    if not paper.authors_ordered:
        return False
    names = [name.casefold() for name in paper.authors]
    last = [name.split()[-1] for name in names if name.split()]
    return len(names) < 3 or (names != sorted(names) and last != sorted(last))
