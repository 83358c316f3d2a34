"""Filters: every operator against a brute-force evaluation in Python; hostile and wrong ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from swimmer.errors import QueryError
from swimmer.papers.paper import Paper
from swimmer.retrieval.conditions import parse_where
from swimmer.retrieval.query import search
from swimmer.store import PaperStore
from swimmer.store.facets import admitted, why_empty
from swimmer.store.filters import COMPARISONS, compile_filter
from tests.query_fixtures import RandomEmbeddings, small_papers, store_of

PAPERS = small_papers()
STORE: PaperStore


@pytest.fixture(scope="module", autouse=True)
def _store() -> None:
    """Make the store of this module's tests; none is made while tests are collected."""
    global STORE
    STORE = store_of(PAPERS, RandomEmbeddings())


NAMED = ("id", "title", "abstract", "url", "venue", "year", "status", "authors", "keywords")


def values_of(paper: Paper, field: str) -> list[Any]:
    """What a filter sees of a field: the elements of a list, nothing when there is none."""
    value = getattr(paper, field) if field in NAMED else paper.extra.get(field)
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def comparable(a: Any, b: Any) -> bool:
    return isinstance(a, str) == isinstance(b, str)


def equal(a: Any, b: Any) -> bool:
    return comparable(a, b) and a == b


ORDER = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}


def holds(paper: Paper, field: str, operator: str, value: Any) -> bool:
    have = values_of(paper, field)
    if operator == "$eq":
        return (not have) if value is None else any(equal(a, value) for a in have)
    if operator == "$ne":
        return not holds(paper, field, "$eq", value)
    if operator == "$in":
        return any(holds(paper, field, "$eq", item) for item in value)
    if operator == "$nin":
        return not holds(paper, field, "$in", value)
    if operator == "$contains":
        return any(isinstance(a, str) and value.casefold() in a.casefold() for a in have)
    if operator == "$not":
        return not all(holds(paper, field, op, v) for op, v in value.items())
    if value is None:
        return False
    return any(comparable(a, value) and ORDER[operator](a, value) for a in have)


def meets(paper: Paper, filter: Mapping[str, Any]) -> bool:
    for name, value in filter.items():
        if name == "$and":
            held = all(meets(paper, part) for part in value)
        elif name == "$or":
            held = any(meets(paper, part) for part in value)
        elif name == "$not":
            held = not meets(paper, value)
        elif isinstance(value, Mapping):
            held = all(holds(paper, name, op, v) for op, v in value.items())
        else:
            held = holds(paper, name, "$in" if isinstance(value, list) else "$eq", value)
        if not held:
            return False
    return True


FIELDS = [*NAMED, "area", "score", "oral", "tags"]
SEEN = sorted({str(v) for p in PAPERS for f in FIELDS for v in values_of(p, f)})
scalars = st.one_of(
    st.sampled_from(SEEN),
    st.integers(2015, 2028),
    st.integers(-1, 9),
    st.sampled_from([0.5, 1.5, 3.0]),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
)
parts = st.sampled_from(["a", "LEARN", "Ada", "graph", "2", "'", "%", "_", "ß", "PART"])
operations = st.one_of(
    st.tuples(st.sampled_from(sorted(COMPARISONS)), scalars),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(scalars, max_size=4)),
    st.tuples(st.just("$contains"), parts),
)
ranges = st.lists(operations, min_size=1, max_size=2).map(dict)
fields = st.sampled_from(FIELDS)
leaves = st.one_of(
    st.dictionaries(fields, scalars, min_size=1, max_size=2),
    st.dictionaries(fields, st.lists(scalars, max_size=3), min_size=1, max_size=1),
    st.dictionaries(fields, ranges, min_size=1, max_size=2),
    st.dictionaries(fields, ranges.map(lambda r: {"$not": r}), min_size=1, max_size=1),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$or": parts}),
        inner.map(lambda part: {"$not": part}),
    ),
    max_leaves=5,
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(filters)
def test_every_filter_admits_what_python_says(filter: dict[str, Any]) -> None:
    expected = [meets(paper, filter) for paper in PAPERS]
    assert admitted(STORE.database, filter).tolist() == expected


@settings(max_examples=150, deadline=None)
@given(filters, st.integers(1, 40))
def test_k_answers_come_back_whenever_k_match(filter: dict[str, Any], k: int) -> None:
    hits = search(STORE, "policy gradients for graphs", k, filter=filter)
    matching = {paper.id for paper in PAPERS if meets(paper, filter)}
    assert len(hits) == min(k, len(matching))
    assert {hit.paper.id for hit in hits} <= matching
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@settings(max_examples=100, deadline=None)
@given(leaves)
def test_a_changed_store_is_filtered_as_it_is_now(filter: dict[str, Any]) -> None:
    store = store_of(small_papers()[:6], RandomEmbeddings())
    admitted(store.database, filter)
    store.delete([small_papers()[2].id])
    store.add(small_papers()[8:10])
    assert admitted(store.database, filter).tolist() == [meets(paper, filter) for paper in store]


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"yaer": 2024}, "this store has abstract, area, authors"),
        ({"year": {"$regex": "x"}}, "use one of $eq, $ne"),
        ({"$nor": []}, "unknown operator '$nor'"),
        ({"year": {"$in": 2024}}, "takes a list"),
        ({"year": {"$gt": [1]}}, "cannot compare"),
        ({"year": 2**70}, "too large"),
        ({"year": float("nan")}, "finite"),
        ({"title": "\ud800"}, "unpaired surrogate"),
        ({"title": {"$contains": "\udfff"}}, "unpaired surrogate"),
        ({"title": {"$contains": 3}}, "takes a text"),
        ({"$and": []}, "takes a list of conditions"),
        ({"$not": 3}, "a filter is a mapping"),
        ("year = 2024", "a filter is a mapping"),
        ({"$or": [{"year": {"$eq": i}} for i in range(1001)]}, "1000 conditions"),
    ],
)
def test_wrong_filters_are_refused_with_what_there_is(filter: Any, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        search(STORE, "graphs", filter=filter)
    assert said in caught.value.full_text


def test_nesting_has_an_end() -> None:
    deep: dict[str, Any] = {"year": 2024}
    for _ in range(100):
        deep = {"$not": deep}
    with pytest.raises(QueryError, match="nested"):
        compile_filter(deep, ["year"])


@pytest.mark.parametrize("field", ["title", "venue", "authors", "tags"])
def test_sql_in_a_value_is_a_value(field: str) -> None:
    hostile = "x' OR '1'='1'; DROP TABLE papers; --"
    for operator in ("$eq", "$contains", "$gt"):
        expected = [meets(paper, {field: {operator: hostile}}) for paper in PAPERS]
        assert admitted(STORE.database, {field: {operator: hostile}}).tolist() == expected
    assert len(STORE.database) == len(PAPERS)


def test_a_field_name_from_outside_is_never_sql() -> None:
    name = "a') FROM papers; --"
    store = store_of([Paper("One", extra={name: 3}), Paper("Two")], RandomEmbeddings())
    assert admitted(store.database, {name: 3}).tolist() == [True, False]


def test_a_text_with_a_nul_character_is_not_the_empty_one() -> None:
    """SQLite's JSON functions end a text there."""
    papers = [Paper("One", url="", id="1"), Paper("Two", venue="x", id="2")]
    with store_of(papers) as store:
        for field in ("venue", "url", "status"):
            for value in ("\0", "x\0", "x\0y"):
                assert not admitted(store.database, {field: {"$in": [value]}}).any()
                assert admitted(store.database, {field: {"$nin": [value]}}).all()
        assert admitted(store.database, {"venue": {"$in": ["\0", "x", None]}}).tolist() == [
            False,
            True,
        ]
        with pytest.raises(QueryError, match="NUL"):
            admitted(store.database, {"venue": {"$in": ["\0"] * 5_000}})


def test_a_long_list_of_values_is_taken() -> None:
    filter = {"id": {"$in": [*map(str, range(100_000)), PAPERS[3].id]}}
    assert np.flatnonzero(admitted(STORE.database, filter)).tolist() == [3]


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"year": {"$gt": 2100}}, "no papers from after 2100 in this store"),
        (
            {"year": {"$gte": 2022}, "venue": "ICLR", "status": "Oral"},
            "no papers from 2022 or later and with venue = 'ICLR' are also with status = 'Oral'",
        ),
        (
            {"year": {"$gt": 2020, "$lt": 2021}},
            "no papers from after 2020 are also from before 2021 in this store",
        ),
    ],
)
def test_an_empty_answer_says_which_condition_emptied_it(filter: Any, said: str) -> None:
    assert said in why_empty(STORE.database, filter)


# ---------------------------------------------------------------------- typed conditions


@pytest.mark.parametrize(
    ("text", "filter"),
    [
        ("year>=2024", {"year": {"$gte": 2024}}),
        (
            'year>=2024 and area=~"reinforcement"',
            {"$and": [{"year": {"$gte": 2024}}, {"area": {"$contains": "reinforcement"}}]},
        ),
        (
            "venue = ICLR or venue == 'Neur IPS'",
            {"$or": [{"venue": {"$eq": "ICLR"}}, {"venue": {"$eq": "Neur IPS"}}]},
        ),
        (
            "a=1 or b=2 and c=3",
            {"$or": [{"a": {"$eq": 1}}, {"$and": [{"b": {"$eq": 2}}, {"c": {"$eq": 3}}]}]},
        ),
        ("not (a!=1.5)", {"$not": {"a": {"$ne": 1.5}}}),
        ("a in (1, x, 'and')", {"a": {"$in": [1, "x", "and"]}}),
        ("a not in (null,true)", {"a": {"$nin": [None, True]}}),
        ("a !~ b", {"$not": {"a": {"$contains": "b"}}}),
        (r'a = "say \"hi\""', {"a": {"$eq": 'say "hi"'}}),
        ('"primary area"<5', {"primary area": {"$lt": 5}}),
        ("a = '2024'", {"a": {"$eq": "2024"}}),
        ("NOT a=-3 AND b<=+2", {"$and": [{"$not": {"a": {"$eq": -3}}}, {"b": {"$lte": 2}}]}),
        ("and = or", None),
    ],
)
def test_typed_conditions_become_filters(text: str, filter: Any) -> None:
    if filter is None:
        assert parse_where(text) == {"and": {"$eq": "or"}}
    else:
        assert parse_where(text) == filter


@pytest.mark.parametrize(
    "text",
    [
        "",
        "year",
        "year >",
        "year > 2024 and",
        "(year>1",
        "year>1)",
        'area=~"x',
        "a in ()",
        "a in 1",
        "year ~ 3",
        "year > > 3",
        "a=1 b=2",
        "not",
        "a in (1,)",
        "=3",
        "(" * 60 + "a=1",
        "'",
        "\\",
    ],
)
def test_conditions_that_cannot_be_read_show_where(text: str) -> None:
    with pytest.raises(QueryError, match="▸") as caught:
        parse_where(text)
    assert caught.value.hint.startswith("an example: year>=2024")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ay=<>!~()'\"\\ ,1andornti.", max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse_where(text)
    except QueryError as error:
        assert error.hint.startswith("an example")


@settings(max_examples=200, deadline=None)
@given(
    fields,
    st.sampled_from([">", ">=", "<", "<=", "=", "!="]),
    st.one_of(st.integers(2000, 2030), st.sampled_from(SEEN)),
)
def test_a_typed_comparison_admits_what_it_says(field: str, sign: str, value: Any) -> None:
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    operator = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte", "=": "$eq", "!=": "$ne"}[sign]
    ordered = sign in (">", ">=", "<", "<=")
    texts = ("id", "title", "abstract", "url", "venue", "status", "authors", "keywords")
    mixed = field in texts and not isinstance(value, str)
    if (ordered and mixed) or (field == "year" and isinstance(value, str)):
        with pytest.raises(QueryError, match=f"compares {field}"):
            parse_where(f"{field}{sign}{shown}")
        return
    expected = [holds(paper, field, operator, value) for paper in PAPERS]
    assert admitted(STORE.database, parse_where(f"{field}{sign}{shown}")).tolist() == expected
