"""Conditions as a user types them, parsed to a filter: `year>=2024 and area=~"reinforcement"`.

    condition  = all ("or" all)*
    all        = one ("and" one)*
    one        = "not" one | "(" condition ")" | field comparison
    comparison = ("=" | "==" | "!=" | ">" | ">=" | "<" | "<=") value
               | ("=~" | "!~") text                 contains, whatever the case
               | ["not"] "in" "(" value ("," value)* ")"
    value      = number | true | false | null | word | "quoted text" | 'quoted text'

A field with other characters than letters, digits, `_`, `-`, `.` is written in quotes too.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

from swimmer.errors import QueryError
from swimmer.store import Filter

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<operator>=~|!~|==|!=|>=|<=|=|>|<)
    | (?P<mark>[(),])
    | (?P<word>[^\s()=!<>~,"']+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = {
    "=": "$eq",
    "==": "$eq",
    "!=": "$ne",
    ">": "$gt",
    ">=": "$gte",
    "<": "$lt",
    "<=": "$lte",
    "=~": "$contains",
}
_CONSTANTS = {"true": True, "false": False, "null": None, "none": None}
_NUMBER = re.compile(r"[+-]?(\d+|\d+\.\d*|\.\d+)")
_TEXTS = ("id", "title", "abstract", "url", "venue", "status", "authors", "keywords")
_DEPTH = 25
_LENGTH = 20_000
_EXAMPLE = """an example: year>=2024 and area=~"reinforcement\""""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse_where(text: str) -> Filter:
    """Return the filter of a condition; the grammar is at the top of this module.

    Raises:
        QueryError: the condition cannot be read; the message shows where.
    """
    if len(text) > _LENGTH:
        raise QueryError(
            f"a condition may have {_LENGTH:,} characters, got {len(text):,}",
            hint="ask with fewer conditions, or with a dictionary in Python",
        )
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._at = 0

    def _split(self) -> list[_Token]:
        tokens, position, end = [], 0, len(self._text.rstrip())
        while position < end:
            found = _TOKEN.match(self._text, position)
            if found is None or found.lastgroup is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                self._fail("cannot be read", start)
            kind = found.lastgroup
            tokens.append(_Token(kind, found[kind], found.start(kind)))
            position = found.end()
        return tokens

    def whole(self) -> Filter:
        condition = self._any(0)
        if self._at < len(self._tokens):
            self._expected("and, or, or the end")
        return condition

    def _any(self, depth: int) -> dict[str, Any]:
        parts = [self._all(depth)]
        while self._takes("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else {"$or": parts}

    def _all(self, depth: int) -> dict[str, Any]:
        parts = [self._one(depth)]
        while self._takes("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else {"$and": parts}

    def _one(self, depth: int) -> dict[str, Any]:
        if depth > _DEPTH:
            self._fail(f"is nested more than {_DEPTH} deep", self._place())
        if self._takes("not"):
            return {"$not": self._one(depth + 1)}
        if self._takes("("):
            inner = self._any(depth + 1)
            if not self._takes(")"):
                self._expected("a closing parenthesis")
            return inner
        field = self._next("word", "quoted")
        if field is None:
            self._expected("a field")
        return self._comparison(_unquoted(field))

    def _comparison(self, field: str) -> dict[str, Any]:
        operator = self._next("operator")
        if operator is not None:
            if operator.text == "!~":
                return {"$not": {field: {"$contains": self._contained()}}}
            if operator.text == "=~":
                return {field: {"$contains": self._contained()}}
            value = self._value()
            self._check_kind(field, operator.text, value)
            return {field: {_COMPARISONS[operator.text]: value}}
        outside = self._takes("not")
        if not self._takes("in"):
            self._expected("=, !=, >, >=, <, <=, =~, !~, in or not in")
        if not self._takes("("):
            self._expected("an opening parenthesis")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        if not self._takes(")"):
            self._expected("a comma or a closing parenthesis")
        return {field: {"$nin" if outside else "$in": values}}

    def _check_kind(self, field: str, operator: str, value: Any) -> None:
        """Refuse a value that no value of the field can be compared with."""
        ordered = operator in ("<", "<=", ">", ">=")
        if field == "year" and isinstance(value, str):
            self._fail(f"compares year, a whole number, with {value!r:.60}", self._before())
        if ordered and value is None:
            self._fail(f"asks what is {operator} nothing", self._before())
        if ordered and field in _TEXTS and not isinstance(value, str):
            self._fail(f"compares {field}, a text, with the number {value!r:.60}", self._before())

    def _before(self) -> int:
        return self._tokens[self._at - 1].start

    def _contained(self) -> str:
        token = self._next("quoted", "word")
        if token is None:
            self._expected("a text")
        return _unquoted(token)

    def _value(self) -> Any:
        token = self._next("quoted", "word")
        if token is None:
            self._expected("a value")
        if token.kind == "quoted":
            return _unquoted(token)
        if token.text.lower() in _CONSTANTS:
            return _CONSTANTS[token.text.lower()]
        if _NUMBER.fullmatch(token.text) and token.text.isascii():
            return float(token.text) if "." in token.text else int(token.text[:30])
        return token.text

    def _next(self, *kinds: str) -> _Token | None:
        if self._at < len(self._tokens) and self._tokens[self._at].kind in kinds:
            self._at += 1
            return self._tokens[self._at - 1]
        return None

    def _takes(self, word: str) -> bool:
        """Skip a keyword or a mark if it comes next; in quotes it is a value."""
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind in ("word", "mark") and token.text.lower() == word:
                self._at += 1
                return True
        return False

    def _place(self) -> int:
        if self._at < len(self._tokens):
            return self._tokens[self._at].start
        return len(self._text)

    def _expected(self, what: str) -> NoReturn:
        self._fail(f"needs {what} here", self._place())

    def _fail(self, what: str, place: int) -> NoReturn:
        before, after = self._text[max(0, place - 40) : place], self._text[place : place + 30]
        raise QueryError(f"the condition {what}: {before}▸{after or 'end'}", hint=_EXAMPLE)


def _unquoted(token: _Token) -> str:
    if token.kind != "quoted":
        return token.text
    return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
