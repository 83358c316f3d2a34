"""Topics by year: how many papers of several stores are on each topic in each year."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.progress import Progress
from swimmer.store import PaperStore, phrase_rows, stems
from swimmer.text import WORD, is_topic_word

FIELDS = ("area", "primary_area", "topic", "keywords")
"""The fields with topics; the first that a store has is used, else the words of its titles."""

TITLES = "titles"
CLUSTERS = "topics"

FEWEST = 60
"""Papers that must be there for topics to be found; fewer are counted by field or word."""

EXAMPLES = 3
"""Papers that show what a topic is."""

APPEARED = 0.1
"""The share of its later size below which a topic has appeared, rather than grown."""

_SURE = 1.96
"""Two-sided 95 % of the normal distribution."""

Period: TypeAlias = int | str
"""A year, or the name of a store where the stores are of one year or none."""


@dataclass
class Trend:
    """A topic: its papers by period, and by how many percentage points its share has changed.

    The change is between the first and the last period that any store covers. `kind` says it in a
    word: grew, shrank, appeared, disappeared, or "" for no change. `examples` are papers in the
    middle of the topic, of the period where it is larger.
    """

    topic: str
    counts: dict[Period, int] = field(default_factory=dict)
    change: float = 0.0
    kind: str = ""
    examples: tuple[Paper, ...] = ()


@dataclass
class Trends:
    """Topics, the papers of each period, and how many papers have no year.

    `field` says what was counted; `steady` is the number of topics left out because their share
    changed by no more than chance would change it.
    """

    topics: list[Trend]
    papers: dict[Period, int]
    undated: int = 0
    field: str = TITLES
    steady: int = 0

    def share(self, trend: Trend, period: Period) -> float:
        """Return the share of a period's papers that are on a topic, in percent."""
        papers = self.papers.get(period, 0)
        return 100 * trend.counts.get(period, 0) / papers if papers else 0.0


def trends(
    stores: Sequence[PaperStore],
    topics: Sequence[str] = (),
    *,
    field: str | None = None,
    k: int = 20,
    progress: Progress | None = None,
) -> Trends:
    """Return how often each topic occurs in each year, over several stores as one.

    Without topics and field, the topics are found: clusters of the papers of all stores, named by
    phrases of their titles. Of these, the k whose share changed most between the first and the last
    year are returned, those left out whose change chance explains (two-proportion z-test, 95 %).
    Stores of one year, or without years, are compared store by store. Where there is nothing to
    compare, or fewer than FEWEST papers, the topics are those of a field.

    Args:
        stores: open stores.
        topics: words or phrases, counted where title, abstract or keywords have them.
        field: a field that names topics, such as `area`, or `titles` for the words of titles.
        k: number of topics.
        progress: called while topics are found.

    Raises:
        QueryError: no store is given, none has the field, or a topic is blank.
        ModelMismatchError: topics are to be found in stores of different models.
    """
    if not stores:
        raise QueryError("no store is given", hint="name at least one store")
    for store in stores:
        store.check_in_folder("topics to count")
    if field is not None and field != TITLES:
        _check_field(stores, field)
    periods = _periods(stores)
    papers = _counted(chain.from_iterable(periods))
    undated = sum(map(len, periods)) - papers.total()
    order = sorted(papers, key=_place(stores))
    if not topics and field is None and len(order) > 1 and papers.total() >= FEWEST:
        found = Trends([], {period: papers[period] for period in order}, undated, CLUSTERS)
        return _of_clusters(stores, periods, found, k, progress)
    chosen = field or _field_of(stores, topics)
    counts: dict[str, Counter[Period]] = {}
    title_topics = _title_topics(stores) if chosen == TITLES and not topics else {}
    for store, of_store in zip(stores, periods, strict=True):
        if topics:
            rows_of = _matching_rows(store, topics)
        elif chosen == TITLES:
            rows_of = _rows_by_title_topic(store, title_topics)
        else:
            rows_of = _rows_by_topic(store, chosen)
        for topic, rows in rows_of.items():
            counts.setdefault(topic, Counter()).update(_counted(of_store[row] for row in rows))
    where = "words of title, abstract and keywords" if topics else chosen
    result = Trends([], {period: papers[period] for period in order}, undated, where)
    result.topics = [_trend(topic, c, result) for topic, c in counts.items()]
    if not topics:
        result.topics = _most_changed(result.topics, k)
    return result


def _check_field(stores: Sequence[PaperStore], field: str) -> None:
    if not any(field in store.fields() for store in stores):
        known = sorted({name for store in stores for name in store.fields()})
        raise QueryError(
            f"no store has the field {field!r:.60}", hint=f"choose one of {', '.join(known)}"
        )


def _field_of(stores: Sequence[PaperStore], topics: Sequence[str]) -> str:
    for name in FIELDS:
        if any(name in store.fields() for store in stores):
            return name if topics or _filled(stores, name) else TITLES
    return TITLES


def _periods(stores: Sequence[PaperStore]) -> list[list[Period | None]]:
    """Return the period of every paper of every store."""
    years: list[list[Period | None]] = [
        [year for _, year in sorted(store.database.values("year"))] for store in stores
    ]
    different = {year for of_store in years for year in of_store if year is not None}
    if len(different) < 2 <= len({store.name for store in stores}):
        return [[store.name] * len(store) for store in stores]
    return years


def _counted(periods: Iterable[Period | None]) -> Counter[Period]:
    return Counter(period for period in periods if period is not None)


def _place(stores: Sequence[PaperStore]) -> Callable[[Period], tuple[int, int]]:
    """Return the order of periods: years by their number, stores as they were given."""
    given = {store.name: place for place, store in enumerate(stores)}
    return lambda period: (0, period) if isinstance(period, int) else (1, given[period])


def _of_clusters(
    stores: Sequence[PaperStore],
    periods: Sequence[Sequence[Period | None]],
    found: Trends,
    k: int,
    progress: Progress | None,
) -> Trends:
    from swimmer.analysis.topic_clusters import topic_clusters

    clusters = topic_clusters(stores, progress=progress)
    joined = [period for of_store in periods for period in of_store]
    members: dict[int, list[int]] = {}
    for number, label in enumerate(clusters.labels.tolist()):
        if joined[number] is not None:
            members.setdefault(label, []).append(number)
    changed, numbers_of = [], {}
    for label, numbers in members.items():
        name = clusters.names[label]
        trend = _trend(name, _counted(joined[number] for number in numbers), found)
        if _sure(trend, found):
            changed.append(trend)
            numbers_of[name] = numbers
    found.steady = len(members) - len(changed)
    found.topics = _most_changed(changed, k)
    first, *_, last = found.papers
    for trend in found.topics:
        larger = last if trend.change > 0 else first
        there = [number for number in numbers_of[trend.topic] if joined[number] == larger]
        there.sort(key=lambda number: (-float(clusters.nearness[number]), number))
        trend.examples = tuple(_papers(stores, there[:EXAMPLES]))
    return found


def _papers(stores: Sequence[PaperStore], numbers: Sequence[int]) -> list[Paper]:
    papers = []
    for number in numbers:
        for store in stores:
            if number < len(store):
                papers += store.papers([number])
                break
            number -= len(store)
    return papers


def _trend(topic: str, counts: Counter[Period], found: Trends) -> Trend:
    trend = Trend(topic, {period: counts[period] for period in found.papers if counts[period]})
    if len(found.papers) > 1:
        first, *_, last = found.papers
        before, after = found.share(trend, first), found.share(trend, last)
        trend.change = round(after - before, 2)
        if after > before:
            trend.kind = "appeared" if before < APPEARED * after else "grew"
        elif after < before:
            trend.kind = "disappeared" if after < APPEARED * before else "shrank"
    return trend


def _sure(trend: Trend, found: Trends) -> bool:
    """Whether the change of a share is larger than chance explains (two-proportion z-test)."""
    first, *_, last = found.papers
    before, after = found.papers[first], found.papers[last]
    both = trend.counts.get(first, 0) + trend.counts.get(last, 0)
    share = both / (before + after)
    error = math.sqrt(share * (1 - share) * (1 / before + 1 / after))
    return error > 0 and abs(trend.change) / 100 > _SURE * error


def _most_changed(found: list[Trend], k: int) -> list[Trend]:
    found = sorted(found, key=lambda one: (-abs(one.change), -sum(one.counts.values()), one.topic))
    return found[:k]


def _filled(stores: Sequence[PaperStore], name: str) -> bool:
    return any(_rows_by_topic(store, name) for store in stores)


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
