"""What is read by a short way comes out as by the long one, whatever the text is."""

from __future__ import annotations

import enum
import json
import math
import re
import unicodedata
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer.errors import InputError
from swimmer.papers import Paper
from swimmer.sources import SourceReport
from swimmer.sources.formats.blanks import is_blank, is_placeholder
from swimmer.sources.formats.people import keywords_of, names_of_people
from swimmer.sources.list_checks import AbstractEnds, checked
from swimmer.text import clean, clean_all, clean_url

OVERRIDE = "\u202e"
"""A character that cleaning drops, and that no short way takes."""

HOSTILE = st.text() | st.text(alphabet="&amp;lt#x3<>/ib\\${}^_ \n\t\x00\x1b\u202e\ud800aé\u0301")


class Anything:
    """A set of all values."""

    def __contains__(self, value: object) -> bool:
        return True


@given(HOSTILE, st.integers(1, 30))
def test_a_text_is_cleaned_as_the_long_way_does(text: str, limit: int) -> None:
    assert clean(text) == clean(OVERRIDE + text)
    assert clean(text, limit) == clean(OVERRIDE + text, limit)


@given(st.lists(HOSTILE, max_size=6), st.integers(1, 60))
def test_texts_together_are_cleaned_as_each_alone(texts: list[str], limit: int) -> None:
    each = [cleaned for text in texts if (cleaned := clean(text, limit))]
    assert clean_all(texts, limit) == each
    assert clean_all(each, limit) == each


ADDRESSES = (
    st.from_regex(r"\A(https?:/{1,3}|/{0,3}|www\.)[a-zA-Z0-9.:/%?#=&;_ \n\x00-]{0,40}\Z")
    | st.from_regex(r"\Ahttps?://[a-z]{1,3}(//?[a-z:.?;]{0,3}){0,5}\Z")
    | HOSTILE
)


@settings(max_examples=600)
@given(ADDRESSES)
def test_an_address_is_cleaned_as_the_long_way_does(url: str) -> None:
    made = clean_url(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swimmer.text.cleaning._PLAIN_URL", re.compile("(?!)"))
        assert clean_url(url) == made
        assert clean_url(OVERRIDE + url) == made
    assert clean_url(made) == made


WHOLE_PARTS = ["et al.", "et. al.", "", " ", "\u0301"]
PARTS = (
    "Ada Bo van der D. D.G. Jr. Jr III and und et al others nan N/A none 王五 Åke O’Dea Lee-Chen … "
    "a_b 7 (571) & &amp; Émile i"
).split()
NAME_PARTS = st.sampled_from([*PARTS, *WHOLE_PARTS])
NAME = st.lists(NAME_PARTS, min_size=1, max_size=3).map(" ".join)
NAMES = st.lists(NAME, max_size=5).flatmap(
    lambda names: st.sampled_from([", ", ",", " , ", ",  ", "; ", " and ", "\n", "、", "|"]).map(
        lambda mark: mark.join(names)
    )
)


@settings(max_examples=600)
@given(NAMES | HOSTILE | st.text(alphabet="AbcÉ., '-and&;()1"))
def test_names_are_read_as_the_long_way_does(text: str) -> None:
    made = names_of_people(text), names_of_people([text, text]), keywords_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swimmer.sources.formats.people._PLAIN", re.compile("(?!)"))
        patch.setattr("swimmer.sources.formats.people._OTHERS_FIRST", Anything())
        patch.setattr("swimmer.sources.formats.blanks._FIRST", Anything())
        assert (names_of_people(text), names_of_people([text, text]), keywords_of(text)) == made


PLACEHOLDERS = st.from_regex(
    re.compile(r"\A\s?[\[(<]?(n/?a|nan|none|tba|\?+|-+|…|no abstract|missing)[\])>]?\.?\s?\Z", re.I)
)


@given(PLACEHOLDERS | st.text(max_size=42))
def test_a_placeholder_is_told_as_the_long_way_does(text: str) -> None:
    made = is_placeholder(text), is_blank(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swimmer.sources.formats.blanks._FIRST", Anything())
        assert (is_placeholder(text), is_blank(text)) == made


class Kind(enum.IntEnum):
    ORAL = 1


class Word(str):
    """A text of a kind of its own."""


class Amount(int):
    """A whole number of a kind of its own."""


NUMBERS = (
    st.integers()
    | st.sampled_from([2**63, -(2**63), 2**63 - 1, 10**4_000, Amount(10**4_000), Amount(3)])
    | st.floats()
    | st.floats().map(np.float64)
    | st.sampled_from([Kind.ORAL, True, None, np.int64(3), np.float32(0.5), np.bool_(True)])
)
KEYS = HOSTILE | st.integers() | st.booleans() | st.none() | st.floats() | st.just(Kind.ORAL)
VALUES = st.recursive(
    NUMBERS | HOSTILE | HOSTILE.map(Word) | st.just(b"x") | st.just({1}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3).map(MappingProxyType)
        | st.dictionaries(st.just(("a", "b")), inner, max_size=1)
    ),
    max_leaves=8,
)


def through_json(value: Any) -> Any:
    """Return a value as JSON writes and reads it, texts cleaned, numbers without a figure None."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, str):
            return clean(value)
        if isinstance(value, (dict, MappingProxyType)):
            json.dumps(dict.fromkeys(value, 0), allow_nan=False)
            return {clean(k) if isinstance(k, str) else k: cleaned(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [cleaned(inner) for inner in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, int) and abs(value) >= 2**63:
            return None
        json.dumps(value)  # raises, also where another value takes its place
        return value

    return json.loads(json.dumps(cleaned(value), allow_nan=False))


def same_kind(one: Any, two: Any) -> bool:
    """Whether two values are equal and of the same types all through, in the same order."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        pairs = zip(one.items(), two.items(), strict=True)
        return len(one) == len(two) and all(same_kind([*a], [*b]) for a, b in pairs)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same_kind, one, two))
    return bool(one == two)


@settings(max_examples=600, deadline=None)
@given(st.dictionaries(HOSTILE, VALUES, max_size=4))
def test_further_fields_come_out_as_from_json(extra: dict[str, Any]) -> None:
    try:
        expected = through_json(extra)
    except (TypeError, ValueError):
        with pytest.raises(InputError, match="JSON values only"):
            Paper("A title", extra=extra)
        return
    assert same_kind(Paper("A title", extra=extra).extra, expected)


def test_a_number_too_long_to_write_is_none() -> None:
    extra = {"a": 10**5_000, "b": Amount(10**5_000), "c": [-(10**5_000)], "d": Amount(7)}
    assert Paper("T", extra=extra).extra == {"a": None, "b": None, "c": [None], "d": 7}
    with pytest.raises(InputError, match="JSON values only"):
        Paper("T", extra={"a": {10**5_000: 1}})


MARKS = st.dictionaries(
    st.sampled_from(["authors_order", "abstract_cut"]), st.sampled_from([True, "unknown"])
)


@given(HOSTILE, st.dictionaries(st.sampled_from("ab"), st.integers()), MARKS)
def test_a_marked_paper_is_the_one_made_anew(
    text: str, extra: dict[str, int], marks: dict[str, Any]
) -> None:
    paper = Paper(f"T {text}", abstract=text, authors=("A B", text), extra=extra)
    kept = dict(paper.extra)
    assert paper.key  # what was computed once stays true of the marked paper
    marked = paper.marked(**marks)
    assert marked == replace(paper, extra={**paper.extra, **marks})
    assert (marked.key, marked.display_title) == (paper.key, paper.display_title)
    assert paper.extra == kept


WORDS = st.lists(st.sampled_from(["the", "net", "neural", "Netw", "β-VAE", "x" * 50, "a1b"]))


@given(st.lists(WORDS.map(" ".join), max_size=8))
def test_abstracts_in_ascii_are_judged_as_others_are(abstracts: list[str]) -> None:
    papers = [Paper(f"T {n}", abstract=text) for n, text in enumerate(abstracts)]
    made = [paper.extra.get("abstract_cut") for paper in checked(iter(papers), SourceReport())]
    # A letter beyond ASCII in each, in a word of its own that changes nothing else.
    others = [Paper(f"T {n}", abstract=f"ö {t}" if t else t) for n, t in enumerate(abstracts)]
    ends = AbstractEnds(others)
    assert [ends.is_cut(paper) or None for paper in others] == made


def test_a_composed_and_a_decomposed_name_are_one() -> None:
    decomposed = unicodedata.normalize("NFD", "Ana Müller, Bo Åström, Cé Ö")
    assert names_of_people(decomposed) == names_of_people("Ana Müller, Bo Åström, Cé Ö")
