"""What a search returns: hits, and the answer to one query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from swimmer.papers import Paper


@dataclass(frozen=True)
class Reasons:
    """What a hit shares with the query.

    `terms` are the rarest first, as the hit writes them; `sentence` is the sentence of its
    abstract that shares most, "" without an abstract; `facet` is `problem`, `method` or `result`
    when both papers are about that there, else "".
    """

    terms: tuple[str, ...] = ()
    sentence: str = ""
    facet: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the reasons as JSON-able values."""
        return {"terms": list(self.terms), "sentence": self.sentence, "facet": self.facet}


@dataclass(frozen=True)
class Hit:
    """A paper that a search found; `rank` counts from 1.

    `score` is what orders the hits, in [-1, 1]: (c + w l) / (1 + w), with c the cosine similarity
    of the vectors, l that of the words (TF-IDF) and w the store's weight for papers or for texts;
    c alone in a store without such weights; in keyword mode the BM25 score. `cosine` is c, None in
    keyword mode. `percentile` is the share of the store's other papers, in percent, that are no
    nearer; None in keyword mode. `closeness` is a word for the score, one of
    `swimmer.store.CLOSENESS`, or "" for none. `relevance` is the rerank score, None without
    reranking.
    `copies` are further versions of the same work, `reasons` what it shares with the query.
    """

    paper: Paper
    score: float
    rank: int
    percentile: float | None = None
    relevance: float | None = None
    copies: tuple[Paper, ...] = ()
    reasons: Reasons | None = None
    cosine: float | None = None
    closeness: str = ""

    def facts(self) -> dict[str, Any]:
        """Return what the search adds to the paper, JSON-able: rank, scores, reasons, copies."""
        about: dict[str, Any] = {"rank": self.rank, "score": round(self.score, 6)}
        if self.cosine is not None:
            about["cosine"] = round(self.cosine, 6)
        if self.percentile is not None:
            about["percentile"] = round(self.percentile, 3)
        if self.closeness:
            about["closeness"] = self.closeness
        if self.relevance is not None:
            about["relevance"] = round(self.relevance, 6)
        if self.reasons is not None:
            about["reasons"] = self.reasons.to_dict()
        if self.copies:
            about["copies"] = [paper.to_dict() for paper in self.copies]
        return about

    def to_dict(self) -> dict[str, Any]:
        """Return the hit as JSON-able values: its `facts`, and the fields of its paper."""
        facts = self.facts()
        return facts | {k: v for k, v in self.paper.to_dict().items() if k not in facts}

    def _repr_html_(self) -> str:
        from swimmer.papers import paper_html

        return paper_html(self.paper)


@dataclass(frozen=True)
class Reading:
    """One interpretation of what was typed.

    `kind` is `title`, `address`, `name` (short, of a paper), `author`, `part` (of a title),
    `filter` (a filter alone) or `text`; `text` is what was typed or the author's name; `papers`
    says how many papers it names. `typed` is what was typed where misspelt words were
    corrected, else "".
    """

    kind: str
    text: str
    papers: int = 0
    typed: str = ""

    @property
    def lookup(self) -> str:
        """The value of `lookup` (`--as` at a terminal) that forces this reading."""
        return self.kind if self.kind in ("author", "text") else "title"

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 80 else f"{self.text[:80]}…"
        if self.kind == "filter":
            return f"a filter that {self.papers:,} papers meet"
        counted = f" ({self.papers} paper{'' if self.papers == 1 else 's'})"
        if self.kind == "author":
            return f"the author {shown}{counted}"
        if self.kind == "name":
            return f"the name {shown}{counted if self.papers > 1 else ''}"
        if self.kind == "part":
            return f"a part of {'a title' if self.papers == 1 else f'{self.papers} titles'}"
        return {"title": "a title", "address": "an address"}.get(self.kind, f"the words {shown}")

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON-able values."""
        values: dict[str, Any] = {"kind": self.kind, "text": self.text, "papers": self.papers}
        return values | ({"typed": self.typed} if self.typed else {})


@dataclass(frozen=True)
class Answer:
    """The result of one query.

    `matched` is the paper of the store that the query was taken as, or None for free text;
    `exact` whether its title is the query's but for case, punctuation, spacing and LaTeX.
    `related` is False when there is no close match: the hits are then the nearest papers.
    `warnings` are sentences for the user. `reading` is what the query was taken as, `others` what
    it may mean as well; `listed` says that the hits are what it names, not what is like it.
    """

    query: str
    store: str
    model: str
    matched: Paper | None
    exact: bool
    hits: list[Hit] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    related: bool = True
    reading: Reading | None = None
    others: tuple[Reading, ...] = ()
    listed: bool = False

    @property
    def heading(self) -> tuple[str, str]:
        """What the query was taken as, in two parts: the first words, and what they are about."""
        reading = self.reading
        if self.matched is not None:
            if reading is not None and reading.kind != "title":
                return f"taken as {reading}:", self.matched.display_title
            return "similar to" if self.exact else "taken as", self.matched.display_title
        if reading is None or (reading.kind == "text" and not reading.typed):
            return "text:", self.query
        if reading.kind == "text":
            return "searching for", f"{reading.text} (typed: {reading.typed})"
        if reading.kind == "filter":
            return "papers that match the filter:", f"{reading.papers:,}"
        return "taken as", str(reading)

    def _repr_html_(self) -> str:
        from swimmer.retrieval.notebook import answer_html

        return answer_html(self)
