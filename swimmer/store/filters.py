"""Filters as LangChain writes them: checked, and turned into SQL conditions on single fields."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from swimmer.errors import QueryError
from swimmer.papers import plain_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

Filter = Mapping[str, Any]

COMPARISONS = {"$eq": "IS", "$ne": "IS NOT", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
OPERATORS = (*COMPARISONS, "$in", "$nin", "$contains", "$and", "$or", "$not")
_SYMBOLS = {"$eq": "=", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_YEARS = {
    "$eq": "from {}",
    "$gt": "from after {}",
    "$gte": "from {} or later",
    "$lt": "from before {}",
    "$lte": "from {} or earlier",
}
LONG = ("id", "title", "abstract", "url")
"""Columns whose values are nearly all distinct: asked of the database, not held in memory."""

_DEPTH = 32
_LEAVES = 1_000


@dataclass(frozen=True)
class Leaf:
    """A condition on one field: SQL about the column `value`, `negated` when it must not hold.

    For a list the SQL is about one element, and one element for which it holds is enough.
    `operator` and `operand` say the same for an engine that reads no SQL.
    """

    field: str
    sql: str
    parameters: tuple[Any, ...]
    negated: bool
    said: str
    operator: str = ""
    operand: Any = None


@dataclass(frozen=True)
class Group:
    """Conditions of which all ("and"), one ("or") or none ("not") must hold."""

    word: str
    parts: tuple[Leaf | Group, ...]


Condition = Leaf | Group


def compile_filter(filter: Filter, fields: Iterable[str], *, strict: bool = True) -> Group:
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
        strict: whether another name is an error; else it is a field that no paper has.

    Raises:
        QueryError: an unknown field or operator, or a value of a type that cannot be compared;
            the message lists what there is.
    """
    return _Compiler(sorted(fields), strict).group(filter, 0)


class _Compiler:
    def __init__(self, fields: list[str], strict: bool) -> None:
        self._fields = fields
        self._strict = strict
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
        known = isinstance(name, str) and (
            name in self._fields or not (self._strict or name.startswith("$"))
        )
        if not known:
            raise self._unknown(name)
        return self._field(str(name), _plain(name, value), depth)

    def _unknown(self, name: object) -> QueryError:
        if isinstance(name, str) and name.startswith("$"):
            return QueryError(
                f"unknown operator {name!r:.40}", hint=f"use one of {', '.join(OPERATORS)}"
            )
        near = get_close_matches(str(name), self._fields, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        return QueryError(
            f"unknown field {name!r:.60}",
            hint=f"{meant}this store has {', '.join(self._fields)}",
        )

    def _field(self, name: str, value: Any, depth: int) -> Condition:
        if isinstance(value, Mapping):
            parts = [self._operation(name, op, v, depth) for op, v in value.items()]
            return parts[0] if len(parts) == 1 else Group("and", tuple(parts))
        many = isinstance(value, (list, tuple, set, frozenset))
        return self._operation(name, "$in" if many else "$eq", value, depth)

    def _operation(self, name: str, operator: object, value: Any, depth: int) -> Condition:
        if operator == "$neq":
            # The name that LangChain's FAISS has for it.
            operator = "$ne"
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
            return self._leaf(
                name,
                sql,
                (value.casefold(),),
                f"with {name} containing {value!r:.60}",
                "$contains",
                value.casefold(),
            )
        if operator in COMPARISONS:
            return self._compare(name, str(operator), value)
        raise QueryError(
            f"{name}: unknown operator {operator!r:.40}", hint=f"use one of {', '.join(OPERATORS)}"
        )

    def _among(self, name: str, values: list[Any], negated: bool) -> Leaf:
        for value in values:
            _check_scalar(name, value)
        # One parameter for all values: SQLite counts its parameters, and a list may be long. Its
        # JSON functions end a text at a NUL character, so such a text has one of its own.
        apart = [value for value in values if isinstance(value, str) and "\0" in value]
        if len(apart) > _LEAVES:
            raise QueryError(f"{name}: more than {_LEAVES} texts with a NUL character")
        tests = ["value IN (SELECT value FROM json_each(?))"]
        if apart:
            tests.append(f"value IN ({', '.join('?' * len(apart))})")
        if None in values:
            tests.append("value IS NULL")
        sql = f"({' OR '.join(tests)})"
        said = f"with {name} {'not ' if negated else ''}in {values!r:.60}"
        listed = json.dumps([v for v in values if not (isinstance(v, str) and "\0" in v)])
        return self._leaf(name, sql, (listed, *apart), said, "$in", values, negated=negated)

    def _compare(self, name: str, operator: str, value: Any) -> Leaf:
        _check_scalar(name, value)
        sql, said = f"value {COMPARISONS[operator]} ?", _in_words(name, operator, value)
        if operator == "$ne":
            # Not one element may be equal: the negation stands outside the list.
            return self._leaf(name, "value IS ?", (value,), said, "$eq", value, negated=True)
        if operator != "$eq":
            # SQLite orders every text above every number; a comparison across types is no match.
            kinds = "'text'" if isinstance(value, str) else "'integer','real'"
            sql = f"typeof(value) IN ({kinds}) AND {sql}"
        return self._leaf(name, sql, (value,), said, operator, value)

    def _leaf(
        self,
        name: str,
        sql: str,
        parameters: tuple[Any, ...],
        said: str,
        operator: str,
        operand: Any,
        *,
        negated: bool = False,
    ) -> Leaf:
        self._leaves += 1
        if self._leaves > _LEAVES:
            raise QueryError(
                f"a filter may have {_LEAVES} conditions, not more",
                hint="use $in for several values of one field",
            )
        return Leaf(name, sql, parameters, negated, said, operator, operand)


def _in_words(name: str, operator: str, value: Any) -> str:
    """Return a comparison as a reader says it of papers: `from 2026 or later`."""
    if name == "year" and isinstance(value, int) and operator in _YEARS:
        return _YEARS[operator].format(value)
    return f"with {name} {_SYMBOLS[operator]} {value!r:.60}"


def _plain(name: object, value: Any) -> Any:
    try:
        # A number that is not finite is an error here, and no missing value.
        return plain_value(value, finite=False)
    except RecursionError:
        raise QueryError(f"{name}: the condition is nested too deep") from None


def _check_scalar(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, (str, int, float)):
        raise QueryError(
            f"{name}: cannot compare with {value!r:.60}",
            hint="give text, a number, true, false or null",
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise QueryError(f"{name}: the number {str(value)[:30]} is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise QueryError(f"{name}: cannot compare with {value}", hint="give a finite number")
    if isinstance(value, str):
        _check_text(name, value)


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise QueryError(
            f"{name}: {value!r:.60} holds an unpaired surrogate", hint="give valid Unicode text"
        ) from None


# ---------------------------------------------------------------------- fields held in memory
