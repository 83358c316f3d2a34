"""Filters as LangChain writes them: checked, turned into SQL, evaluated before the search.

A condition on one field is SQL. It is asked of the field's distinct values, held in memory once
the field has been used, and the answers are combined with numpy: a filter over 200,000 papers
costs a millisecond, whatever it admits.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.errors import QueryError
from swimmer.store.database import PaperDatabase, contains
from swimmer.store.schema import COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

Filter = Mapping[str, Any]

COMPARISONS = {"$eq": "IS", "$ne": "IS NOT", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
OPERATORS = (*COMPARISONS, "$in", "$nin", "$contains", "$and", "$or", "$not")
LISTS = ("authors", "keywords")
LONG = ("id", "title", "abstract", "url")
"""Columns whose values are nearly all distinct: asked of the database, not held in memory."""

_DEPTH = 32
_LEAVES = 1_000
_KEPT = 64


@dataclass(frozen=True)
class Leaf:
    """A condition on one field: SQL about the column `value`, `negated` when it must not hold.

    For a list the SQL is about one element, and one element for which it holds is enough.
    """

    field: str
    sql: str
    parameters: tuple[Any, ...]
    negated: bool
    said: str


@dataclass(frozen=True)
class Group:
    """Conditions of which all ("and"), one ("or") or none ("not") must hold."""

    word: str
    parts: tuple[Leaf | Group, ...]


Condition = Leaf | Group


def compile_filter(filter: Filter, fields: Iterable[str]) -> Group:
    """Return a filter as a tree of checked conditions.

    `{"year": {"$gte": 2024}, "venue": "ICLR"}`: every entry must hold. A value stands for
    `$eq`, a list for `$in`. Operators: `$eq $ne $gt $gte $lt $lte $in $nin $contains` in a field,
    `$and $or $not` around conditions. A field that a paper has not is none (`$ne` and `$nin`
    hold, all others do not). On lists (`authors`, `keywords`, and lists in other fields) `$eq`
    and `$in` ask for an element; `$contains` asks for a part of the text, or of one element,
    whatever its case.

    Args:
        filter: the conditions.
        fields: the names that the store knows.

    Raises:
        QueryError: an unknown field or operator, or a value of a type that cannot be compared;
            the message lists what there is.
    """
    return _Compiler(sorted(fields)).group(filter, 0)


def admitted(database: PaperDatabase, filter: Filter) -> Mask:
    """Return which rows of a database a filter admits, as bool (papers,).

    Raises:
        QueryError: as for `compile_filter`.
    """
    return _evaluate(_facets(database), compile_filter(filter, database.fields()))


def why_empty(database: PaperDatabase, filter: Filter) -> str:
    """Return a sentence that names the condition by which a filter admits no paper at all."""
    facets, tree = _facets(database), compile_filter(filter, database.fields())
    parts = _flattened(tree)
    left = np.ones(facets.rows, bool)
    for part in parts:
        mask = _evaluate(facets, part)
        if not mask.any():
            return f"no paper of this store meets {_in_words(part)}"
        if not (left & mask).any():
            others = " and ".join(_in_words(other) for other in parts[: parts.index(part)])
            return f"no paper that meets {others} also meets {_in_words(part)}"
        left &= mask
    return "no paper of this store meets the filter"


def _flattened(tree: Condition) -> list[Condition]:
    if isinstance(tree, Group) and tree.word == "and":
        return [leaf for part in tree.parts for leaf in _flattened(part)]
    return [tree]


def _in_words(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        return condition.said
    inner = [_in_words(part) for part in condition.parts]
    if condition.word == "not":
        return f"not ({' and '.join(inner)})"
    return "(" + f" {condition.word} ".join(inner) + ")"


def _evaluate(facets: Facets, condition: Condition) -> Mask:
    if isinstance(condition, Leaf):
        mask = facets.mask(condition)
        return ~mask if condition.negated else mask
    masks = [_evaluate(facets, part) for part in condition.parts]
    if condition.word == "or":
        return np.logical_or.reduce(masks) if masks else np.zeros(facets.rows, bool)
    both: Mask = np.logical_and.reduce(masks) if masks else np.ones(facets.rows, bool)
    return ~both if condition.word == "not" else both


class _Compiler:
    def __init__(self, fields: list[str]) -> None:
        self._fields = fields
        self._leaves = 0

    def group(self, filter: object, depth: int) -> Group:
        if not isinstance(filter, Mapping):
            raise QueryError(
                f"a filter is a mapping such as {{'year': {{'$gte': 2024}}}}, got {filter!r:.80}"
            )
        if depth > _DEPTH:
            raise QueryError(f"a filter may be nested {_DEPTH} deep, not more")
        return Group("and", tuple(self._entry(n, value, depth) for n, value in filter.items()))

    def _entry(self, name: object, value: Any, depth: int) -> Condition:
        if name in ("$and", "$or"):
            if not isinstance(value, (list, tuple)) or not value:
                raise QueryError(f"{name} takes a list of conditions, got {value!r:.80}")
            return Group(str(name)[1:], tuple(self.group(part, depth + 1) for part in value))
        if name == "$not":
            return Group("not", (self.group(value, depth + 1),))
        if not isinstance(name, str) or name not in self._fields:
            raise QueryError(self._unknown(name))
        return self._field(name, value, depth)

    def _unknown(self, name: object) -> str:
        if isinstance(name, str) and name.startswith("$"):
            return f"unknown operator {name!r:.40}; there is {', '.join(OPERATORS)}"
        return f"unknown field {name!r:.60}; this store has {', '.join(self._fields)}"

    def _field(self, name: str, value: Any, depth: int) -> Condition:
        if isinstance(value, Mapping):
            parts = [self._operation(name, op, v, depth) for op, v in value.items()]
            return parts[0] if len(parts) == 1 else Group("and", tuple(parts))
        many = isinstance(value, (list, tuple, set, frozenset))
        return self._operation(name, "$in" if many else "$eq", value, depth)

    def _operation(self, name: str, operator: object, value: Any, depth: int) -> Condition:
        if operator == "$not":
            if depth > _DEPTH or not isinstance(value, Mapping):
                raise QueryError(f"{name}: $not takes a condition, got {value!r:.80}")
            return Group("not", (self._field(name, value, depth + 1),))
        if operator in ("$in", "$nin"):
            if not isinstance(value, (list, tuple, set, frozenset)):
                raise QueryError(f"{name}: {operator} takes a list of values, got {value!r:.80}")
            return self._among(name, list(value), negated=operator == "$nin")
        if operator == "$contains":
            if not isinstance(value, str) or not value:
                raise QueryError(f"{name}: $contains takes a text, got {value!r:.80}")
            _check_text(name, value)
            sql = "contains(value, ?)"
            return self._leaf(name, sql, (value.casefold(),), False, f"contains {value!r:.60}")
        if operator in COMPARISONS:
            return self._compare(name, str(operator), value)
        raise QueryError(
            f"{name}: unknown operator {operator!r:.40}; there is {', '.join(OPERATORS)}"
        )

    def _among(self, name: str, values: list[Any], negated: bool) -> Leaf:
        for value in values:
            _check_scalar(name, value)
        # One parameter for all values: SQLite counts its parameters, and a list may be long.
        sql = "value IN (SELECT value FROM json_each(?))"
        if None in values:
            sql = f"({sql} OR value IS NULL)"
        said = f"{'not ' if negated else ''}in {values!r:.60}"
        return self._leaf(name, sql, (json.dumps(values),), negated, said)

    def _compare(self, name: str, operator: str, value: Any) -> Leaf:
        _check_scalar(name, value)
        sql, said = f"value {COMPARISONS[operator]} ?", f"{operator[1:]} {value!r:.60}"
        if operator == "$ne":
            # Not one element may be equal: the negation stands outside the list.
            return self._leaf(name, "value IS ?", (value,), True, said)
        if operator != "$eq":
            # SQLite orders every text above every number; a comparison across types is no match.
            kinds = "'text'" if isinstance(value, str) else "'integer','real'"
            sql = f"typeof(value) IN ({kinds}) AND {sql}"
        return self._leaf(name, sql, (value,), False, said)

    def _leaf(
        self, name: str, sql: str, parameters: tuple[Any, ...], negated: bool, said: str
    ) -> Leaf:
        self._leaves += 1
        if self._leaves > _LEAVES:
            raise QueryError(f"a filter may have {_LEAVES} conditions, not more; use $in")
        return Leaf(name, sql, parameters, negated, f"{name} {said}")


def _check_scalar(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, (str, int, float)):
        raise QueryError(
            f"{name}: cannot compare with {value!r:.60}; expected text, a number, true, false "
            "or null"
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise QueryError(f"{name}: the number {str(value)[:30]} is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise QueryError(f"{name}: cannot compare with {value}; expected a finite number")
    if isinstance(value, str):
        _check_text(name, value)


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise QueryError(f"{name}: {value!r:.60} holds half a character; expected text") from None


# ---------------------------------------------------------------------- fields held in memory


class Facets:
    """The distinct values of a database's fields, and which rows have which."""

    def __init__(self, database: PaperDatabase) -> None:
        self._database = database
        self.rows = len(database)
        self._held: dict[str, _Facet] = {}
        self._masks: OrderedDict[Leaf, Mask] = OrderedDict()
        self._lock = threading.Lock()

    def mask(self, leaf: Leaf) -> Mask:
        """Return which rows meet a condition, its negation not yet applied."""
        key = Leaf(leaf.field, leaf.sql, leaf.parameters, False, "")
        with self._lock:
            mask = self._masks.get(key)
            if mask is None:
                mask = self._masks[key] = self._asked(leaf)
            self._masks.move_to_end(key)
            if len(self._masks) > _KEPT:
                self._masks.popitem(last=False)
            return mask

    def _asked(self, leaf: Leaf) -> Mask:
        if leaf.field in LONG:
            mask = np.zeros(self.rows, bool)
            mask[self._database.rows_where(leaf.field, leaf.sql, leaf.parameters)] = True
            return mask
        facet = self._held.get(leaf.field)
        if facet is None:
            facet = self._held[leaf.field] = _Facet(*self._read(leaf.field), self.rows)
        return facet.mask(leaf)

    def _read(self, field: str) -> tuple[Sequence[int], list[Any]]:
        """Return the values of a field with their rows; a list gives each of its elements."""
        if field in COLUMNS and field not in LISTS:
            pairs = self._database.query(f"SELECT row, {field} FROM papers")
        elif field in LISTS:
            pairs = self._database.query(f"SELECT row, {field} FROM papers WHERE {field} != '[]'")
            pairs = [(row, item) for row, text in pairs for item in json.loads(text)]
        else:
            # The name is a parameter, never part of the statement: it came from outside.
            stored = self._database.query(
                "SELECT papers.row, CASE WHEN found.type IN ('array', 'object') "
                "THEN found.value ELSE json_quote(found.value) END "
                "FROM papers, json_each(papers.extra) AS found WHERE found.key = ?",
                (field,),
            )
            pairs = [(row, leaf) for row, text in stored for leaf in _scalars(json.loads(text))]
        return [row for row, _ in pairs], [value for _, value in pairs]


def _scalars(value: Any) -> list[Any]:
    """Return what a filter can ask of a JSON value: itself, or the elements of a list.

    Of an object, and of anything inside a list that is no scalar, the scalars within.
    """
    if isinstance(value, list):
        return [scalar for item in value for scalar in _scalars(item)]
    if isinstance(value, dict):
        return [scalar for item in value.values() for scalar in _scalars(item)]
    return [] if value is None else [int(value) if isinstance(value, bool) else value]


class _Facet:
    """One field: its distinct values in a table of their own, and the rows of each."""

    def __init__(self, rows: Sequence[int], values: list[Any], total: int) -> None:
        self._total = total
        # 1 and 1.0 are one value to SQLite as they are to Python; true is 1 to both.
        codes: dict[Any, int] = {}
        self._codes = np.fromiter(
            (codes.setdefault(value, len(codes)) for value in values), np.int32, len(values)
        )
        self._rows = np.asarray(rows, np.int64)
        order = np.argsort(self._rows, kind="stable")
        self._rows, self._codes = self._rows[order], self._codes[order]
        self._whole = len(rows) == total and bool((self._rows == np.arange(total)).all())
        self._size = len(codes)
        self._table = sqlite3.connect(":memory:", check_same_thread=False)
        self._table.create_function("contains", 2, contains, deterministic=True)
        self._table.execute("CREATE TABLE held (code INTEGER PRIMARY KEY, value)")
        self._table.executemany(
            "INSERT INTO held VALUES (?, ?)", ((c, v) for v, c in codes.items())
        )

    def mask(self, leaf: Leaf) -> Mask:
        """Return the rows of which one value meets the condition."""
        met = np.zeros(self._size, bool)
        found = self._table.execute(f"SELECT code FROM held WHERE {leaf.sql}", leaf.parameters)
        met[[code for (code,) in found]] = True
        if self._whole:
            taken: Mask = met[self._codes]
            return taken
        mask = np.zeros(self._total, bool)
        # A row without the field has none: it meets what none meets.
        if self._table.execute(f"SELECT {leaf.sql} FROM (SELECT NULL AS value)",
                               leaf.parameters).fetchone()[0]:  # fmt: skip
            mask[:] = True
            mask[self._rows] = False
        mask[self._rows[met[self._codes]]] = True
        return mask


def _facets(database: PaperDatabase) -> Facets:
    if database.facets is None:
        database.facets = Facets(database)
    held = database.facets
    assert isinstance(held, Facets)
    return held
