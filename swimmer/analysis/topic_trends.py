"""Topics by year: how many papers of several stores are on each topic in each year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from swimmer.errors import QueryError
from swimmer.store import PaperStore, phrase_rows, stems
from swimmer.text import WORD, is_topic_word

FIELDS = ("area", "primary_area", "topic", "keywords")
"""The fields with topics; the first that a store has is used, else the words of its titles."""

TITLES = "titles"


@dataclass
class Trend:
    """A topic: its papers by year, and by how many percentage points its share has changed.

    The change is between the first and the last year that any store covers.
    """

    topic: str
    counts: dict[int, int] = field(default_factory=dict)
    change: float = 0.0


@dataclass
class Trends:
    """Topics, the papers of each year, and how many papers have no year."""

    topics: list[Trend]
    papers: dict[int, int]
    undated: int = 0
    field: str = TITLES


def trends(
    stores: Sequence[PaperStore],
    topics: Sequence[str] = (),
    *,
    field: str | None = None,
    k: int = 20,
) -> Trends:
    """Return how often each topic occurs in each year, over several stores as one.

    Args:
        stores: open stores.
        topics: words or phrases, counted where title, abstract or keywords have them; without
            topics, the k topics that changed most.
        field: the field with the topics, or `titles` for the words of titles.
        k: number of topics.

    Raises:
        QueryError: no store is given, none has the field, or a topic is blank.
    """
    if not stores:
        raise QueryError("no store is given", hint="name at least one store")
    chosen = field or next((f for f in FIELDS if any(f in s.fields() for s in stores)), TITLES)
    if chosen != TITLES and not any(chosen in store.fields() for store in stores):
        known = sorted({name for store in stores for name in store.fields()})
        raise QueryError(
            f"no store has the field {chosen!r:.60}", hint=f"choose one of {', '.join(known)}"
        )
    if not topics and chosen != TITLES and not _filled(stores, chosen):
        chosen = TITLES
    papers: Counter[int] = Counter()
    counts: dict[str, Counter[int]] = {}
    undated = 0
    title_topics = _title_topics(stores) if chosen == TITLES and not topics else {}
    for store in stores:
        years = [year for _, year in sorted(store.database.values("year"))]
        papers.update(year for year in years if year is not None)
        undated += years.count(None)
        if topics:
            found = _matching_rows(store, topics)
        elif chosen == TITLES:
            found = _rows_by_title_topic(store, title_topics)
        else:
            found = _rows_by_topic(store, chosen)
        for topic, rows in found.items():
            dated = (years[row] for row in rows if years[row] is not None)
            counts.setdefault(topic, Counter()).update(dated)
    listed = [
        Trend(topic, dict(sorted(c.items())), _change(c, papers)) for topic, c in counts.items()
    ]
    if not topics:
        listed.sort(
            key=lambda trend: (-abs(trend.change), -sum(trend.counts.values()), trend.topic)
        )
        listed = listed[:k]
    where = "words of title, abstract and keywords" if topics else chosen
    return Trends(listed, dict(sorted(papers.items())), undated, where)


def _filled(stores: Sequence[PaperStore], name: str) -> bool:
    return any(_rows_by_topic(store, name) for store in stores)


def _change(counts: Counter[int], papers: Counter[int]) -> float:
    if not papers:
        return 0.0
    first, last = min(papers), max(papers)
    return round(100 * (counts[last] / papers[last] - counts[first] / papers[first]), 2)


def _matching_rows(store: PaperStore, topics: Sequence[str]) -> dict[str, list[int]]:
    return {topic: phrase_rows(store.database, topic) for topic in topics}


def _title_topics(stores: Sequence[PaperStore]) -> dict[str, str]:
    """Return, for each word of titles that may name a topic, the commonest word with its stem."""
    counts: Counter[str] = Counter()
    for store in stores:
        for _, title in store.database.titles():
            counts.update({word.casefold() for word in WORD.findall(title)})
    stem_of = stems(word for word in counts if is_topic_word(word))
    names: dict[str, str] = {}
    for word in sorted(stem_of, key=lambda word: (-counts[word], word)):
        names.setdefault(stem_of[word], word)
    return {word: names[stem] for word, stem in stem_of.items()}


def _rows_by_title_topic(store: PaperStore, topics: dict[str, str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, title in store.database.titles():
        words = {word.casefold() for word in WORD.findall(title)}
        for topic in {topics[word] for word in words if word in topics}:
            rows.setdefault(topic, []).append(row)
    return rows


def _rows_by_topic(store: PaperStore, name: str) -> dict[str, list[int]]:
    """Return the rows of each topic of a field."""
    rows: dict[str, list[int]] = {}
    for row, value in store.database.values(name):
        topic = str(value).strip().casefold()
        here = rows.setdefault(topic, []) if topic else [row]
        if here[-1:] != [row]:
            here.append(row)
    return rows
