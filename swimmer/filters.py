"""Filters as LangChain writes them, turned into one SQL condition over a store's papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swimmer.database import COLUMNS
from swimmer.errors import QueryError

Filter = Mapping[str, Any]

COMPARISONS = {"$eq": "IS", "$ne": "IS NOT", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
OPERATORS = (*COMPARISONS, "$in", "$nin", "$contains", "$and", "$or", "$not")
LISTS = ("authors", "keywords")
_DEPTH = 32


def compile_filter(filter: Filter, fields: list[str]) -> tuple[str, list[Any]]:
    """Return the SQL condition and its parameters for a filter.

    `{"year": {"$gte": 2024}, "venue": "ICLR"}`: every entry must hold. A value stands for
    `$eq`, a list for `$in`. Operators: `$eq $ne $gt $gte $lt $lte $in $nin $contains` in a field,
    `$and $or $not` around conditions. A field that a paper has not is none (`$ne` and `$nin`
    hold, all others do not). On lists (`authors`, `keywords`) `$eq` and `$in` ask for an element;
    `$contains` asks for a part of the text, or of one element, whatever its case.

    Args:
        filter: the conditions.
        fields: the names that the store knows.

    Raises:
        QueryError: an unknown field or operator, or a value of a type that cannot be compared;
            the message lists what there is.
    """
    return _Compiler(fields).group(filter, 0)


class _Compiler:
    def __init__(self, fields: list[str]) -> None:
        self._fields = fields

    def group(self, filter: object, depth: int) -> tuple[str, list[Any]]:
        if not isinstance(filter, Mapping):
            raise QueryError(
                f"a filter is a mapping such as {{'year': {{'$gte': 2024}}}}, got {filter!r:.80}"
            )
        if depth > _DEPTH:
            raise QueryError(f"a filter may be nested {_DEPTH} deep, not more")
        parts = [self._entry(name, value, depth) for name, value in filter.items()]
        return _joined(parts, "AND")

    def _entry(self, name: object, value: Any, depth: int) -> tuple[str, list[Any]]:
        if name in ("$and", "$or"):
            if not isinstance(value, (list, tuple)) or not value:
                raise QueryError(f"{name} takes a list of conditions, got {value!r:.80}")
            parts = [self.group(part, depth + 1) for part in value]
            return _joined(parts, "AND" if name == "$and" else "OR")
        if name == "$not":
            sql, parameters = self.group(value, depth + 1)
            return f"NOT ({sql})", parameters
        if not isinstance(name, str) or name not in self._fields:
            raise QueryError(self._unknown(name))
        if isinstance(value, Mapping):
            return _joined([self._operation(name, op, v, depth) for op, v in value.items()], "AND")
        return self._operation(name, "$in" if isinstance(value, (list, tuple)) else "$eq", value, 0)

    def _unknown(self, name: object) -> str:
        known = ", ".join(self._fields)
        if isinstance(name, str) and name.startswith("$"):
            return f"unknown operator {name!r:.40}; there is {', '.join(OPERATORS)}"
        return f"unknown field {name!r:.60}; this store has {known}"

    def _operation(self, name: str, operator: object, value: Any, depth: int) -> tuple[str, list[Any]]:
        if operator == "$not":
            if depth > _DEPTH or not isinstance(value, Mapping):
                raise QueryError(f"$not takes a condition, got {value!r:.80}")
            inner = [self._operation(name, op, v, depth + 1) for op, v in value.items()]
            sql, parameters = _joined(inner, "AND")
            return f"NOT ({sql})", parameters
        if operator in ("$in", "$nin"):
            if not isinstance(value, (list, tuple, set, frozenset)):
                raise QueryError(f"{name}: {operator} takes a list of values, got {value!r:.80}")
            parts = [self._compare(name, "$eq", item) for item in value]
            sql, parameters = _joined(parts, "OR") if parts else ("0", [])
            return (sql if operator == "$in" else f"NOT ({sql})"), parameters
        if operator == "$contains":
            if not isinstance(value, str) or not value:
                raise QueryError(f"{name}: $contains takes a text, got {value!r:.80}")
            return self._contains(name, value)
        if operator in COMPARISONS:
            return self._compare(name, str(operator), value)
        raise QueryError(f"{name}: unknown operator {operator!r:.40}; there is {', '.join(OPERATORS)}")

    def _compare(self, name: str, operator: str, value: Any) -> tuple[str, list[Any]]:
        if value is not None and not isinstance(value, (str, int, float)):
            raise QueryError(
                f"{name}: cannot compare with {value!r:.60}; expected text, a number, true, false "
                "or null"
            )
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise QueryError(f"{name}: the number {str(value)[:30]} is too large")
        if name in LISTS:
            elements = f"SELECT 1 FROM json_each(papers.{name}) WHERE value"
            if operator == "$ne":
                return f"NOT EXISTS ({elements} IS ?)", [value]
            return f"EXISTS ({elements} {COMPARISONS[operator]} ?)", [value]
        expression, parameters = self._expression(name)
        sql = f"{expression} {COMPARISONS[operator]} ?"
        if operator not in ("$eq", "$ne"):
            # SQLite orders every text above every number; a comparison across types is no match.
            kinds = "'text'" if isinstance(value, str) else "'integer','real'"
            sql = f"(typeof({expression}) IN ({kinds}) AND {sql})"
            parameters = [*parameters, *parameters]
        return sql, [*parameters, value]

    def _contains(self, name: str, value: str) -> tuple[str, list[Any]]:
        if name in LISTS:
            source, parameters = f"json_each(papers.{name})", []
        elif name in COLUMNS:
            return f"instr(casefold(papers.{name}), ?) > 0", [value.casefold()]
        else:
            source = (
                "(SELECT leaf.value AS value FROM json_each(papers.extra) AS field, "
                "json_tree(CASE WHEN field.type IN ('array','object') THEN field.value "
                "ELSE json_quote(field.value) END) AS leaf "
                "WHERE field.key = ? AND leaf.atom IS NOT NULL)"
            )
            parameters = [name]
        return (
            f"EXISTS (SELECT 1 FROM {source} WHERE instr(casefold(value), ?) > 0)",
            [*parameters, value.casefold()],
        )

    @staticmethod
    def _expression(name: str) -> tuple[str, list[Any]]:
        if name in COLUMNS:
            return f"papers.{name}", []
        # The name is a parameter, never part of the statement: it came from outside.
        return "(SELECT value FROM json_each(papers.extra) WHERE key = ?)", [name]


def _joined(parts: list[tuple[str, list[Any]]], word: str) -> tuple[str, list[Any]]:
    if not parts:
        return "1", []
    sql = f" {word} ".join(f"({condition})" for condition, _ in parts)
    return sql, [parameter for _, parameters in parts for parameter in parameters]
