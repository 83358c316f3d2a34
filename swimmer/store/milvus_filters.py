"""Filters as expressions of Milvus, evaluated by the server before the search.

https://milvus.io/docs/boolean.md has the language. Every field has a value in every row, so that
no condition is neither true nor false: a paper without a year has NO_YEAR. Texts are kept folded,
too, in a field of their own, because `like` tells capital letters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from swimmer.errors import QueryError
from swimmer.store.filters import Condition, Filter, Group, Leaf, compile_filter

TEXTS = ("id", "title", "url", "venue", "status")
"""The fields of one text each that can be filtered."""

LISTS = ("authors", "keywords")
"""The fields of several texts."""

FIELDS = (*TEXTS, "year", *LISTS)
"""All fields that can be filtered."""

FOLDED = {name: f"{name}_folded" for name in (*TEXTS, *LISTS)}
"""Where the folded text of a field is kept."""

NO_YEAR = -(10**9)
"""The year of a paper that has none."""

_TRUE, _FALSE = 'key != ""', 'key == ""'
_SYMBOLS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
# `like` reads these three; private-use characters stand for them where texts are compared folded.
_PLAIN = str.maketrans({"%": "\ue000", "_": "\ue001", "\\": "\ue002"})


def folded_text(text: str) -> str:
    """Return a text as `like` compares it, whatever its case."""
    return text.casefold().translate(_PLAIN)


def folded_list(texts: Sequence[str]) -> str:
    """Return texts as `like` compares them, a line each."""
    return "\n".join(map(folded_text, texts))


def expression_of(filter: Filter) -> str:
    """Return a filter (`compile_filter`) as an expression of Milvus.

    Raises:
        QueryError: as `compile_filter` does, and for what an expression cannot say: fields other
            than FIELDS, and the order of the texts of a list.
    """
    return _said(compile_filter(filter, FIELDS))


def quoted(text: str) -> str:
    """Return a text as a literal of an expression."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def among(field: str, texts: Sequence[str]) -> str:
    """Return the condition that a field is one of some texts."""
    return f"{field} in [{', '.join(map(quoted, texts))}]" if texts else _FALSE


def beginning(field: str, text: str) -> str:
    """Return the condition that a field begins with a text, whatever its case."""
    if not _can_be(text):
        return _FALSE
    return f"{FOLDED[field]} like {quoted(f'{folded_text(text)}%')}"


def _said(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        said = _leaf(condition)
        return f"not ({said})" if condition.negated else said
    return _group(condition)


def _group(group: Group) -> str:
    parts = [f"({_said(part)})" for part in group.parts]
    if group.word == "or":
        return " or ".join(parts) or _FALSE
    both = " and ".join(parts) or _TRUE
    return f"not ({both})" if group.word == "not" else both


def _leaf(leaf: Leaf) -> str:
    if leaf.field == "year":
        return _year(leaf.operator, leaf.operand)
    if leaf.field in LISTS:
        return _of_list(leaf.field, leaf.operator, leaf.operand)
    return _of_text(leaf.field, leaf.operator, leaf.operand)


def _year(operator: str, operand: Any) -> str:
    if operator == "$in":
        return " or ".join(f"({_year('$eq', one)})" for one in operand) or _FALSE
    if operator == "$eq" and operand is None:
        return f"year == {NO_YEAR}"
    if isinstance(operand, str) or operand is None:
        return _FALSE
    if operator == "$eq":
        whole = float(operand).is_integer() if abs(operand) < 1e15 else False
        return f"year == {int(operand)}" if whole and operand != NO_YEAR else _FALSE
    # A year is a whole number: one that is not lies between two.
    bound = operand if abs(operand) < 1e15 else math.copysign(1e15, operand)
    up = operator in ("$gte", "$lt")
    number = math.ceil(bound) if up else math.floor(bound)
    return f"year != {NO_YEAR} and year {_SYMBOLS[operator]} {number}"


def _of_text(field: str, operator: str, operand: Any) -> str:
    if operator == "$in":
        return among(field, [one for one in operand if isinstance(one, str) and _can_be(one)])
    if not isinstance(operand, str):
        return _FALSE
    if operator == "$contains":
        return _like(field, operand)
    if operator == "$eq":
        return f"{field} == {quoted(operand)}" if _can_be(operand) else _FALSE
    if not _can_be(operand):
        raise QueryError(
            f"{field}: a store on Milvus cannot compare with {operand!r:.60}",
            hint="leave out what is no letter, digit or sign",
        )
    return f"{field} {_SYMBOLS[operator]} {quoted(operand)}"


def _of_list(field: str, operator: str, operand: Any) -> str:
    if operator == "$in":
        parts = [_of_list(field, "$eq", one) for one in operand]
        return " or ".join(f"({one})" for one in parts) or _FALSE
    if operator == "$eq":
        if operand is None:
            return f"array_length({field}) == 0"
        known = isinstance(operand, str) and _can_be(operand)
        return f"array_contains({field}, {quoted(operand)})" if known else _FALSE
    if operator == "$contains":
        return _like(field, operand)
    if not isinstance(operand, str):
        return _FALSE
    raise QueryError(
        f"{field}: a store on Milvus cannot compare its values by {operator}",
        hint="use $eq, $in or $contains",
    )


def _like(field: str, part: str) -> str:
    # A line break would lie between two elements of a list; no text of a paper holds one.
    if not _can_be(part):
        return _FALSE
    return f"{FOLDED[field]} like {quoted(f'%{part.translate(_PLAIN)}%')}"


def _can_be(text: str) -> bool:
    """Return whether a text of a paper may hold this: no control character stands in one."""
    return not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)
