"""The search form as an address holds it: read, checked field by field, written back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from swimmer.errors import QueryError
from swimmer.retrieval import FACETS, LONGEST_VALUE, LOOKUPS, MODES, read_sort
from swimmer.text import clean, printable

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from swimmer.papers import Paper
    from swimmer.retrieval import Reading
    from swimmer.store import Filter

MOST = 10_000
"""Papers that one search may ask for."""

PAGE = 50
"""Hits that one page shows."""

ALL = "*"
"""As the name of a store: all of them."""

EXAMPLES = 20
QUERY_LIMIT = 5_000
WHERE_LIMIT = 2_000
ID_LIMIT = 500
DEFAULTS = {"k": "10", "mode": "dense", "diversity": "0"}
_NAMES = ("q", "as", "sort", "k", "mode", "diversity", "year_from", "year_to", "where")


@dataclass(frozen=True)
class SearchForm:
    """The fields of the search form, as an address gives them; `errors` are messages by field.

    `given` holds the fields as they were typed, so that a wrong one can be shown again. `like` and
    `unlike` are ids of papers of the store, `chosen` the values of facets by the facet's name.
    """

    store: str
    given: Mapping[str, str] = field(default_factory=dict)
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    why: bool = False
    page: int = 1
    query: str = ""
    k: int = 10
    lookup: bool | str = True
    sort: str = ""
    mode: str = "dense"
    diversity: float = 0.0
    filter: Filter | None = None
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def every(self) -> bool:
        """Whether all stores are searched."""
        return self.store == ALL

    def store_of(self, paper: Paper) -> str:
        """Return the name of the store that a paper of the results is from."""
        return str(paper.extra.get("store", "")) if self.every else self.store

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a query nor a positive example, nor a filter."""
        return not self.query and not self.like and not self.is_filtered

    @property
    def is_filtered(self) -> bool:
        """Whether a filter or a value of a facet narrows the search."""
        return self.filter is not None or bool(self.chosen)

    @property
    def is_narrowed(self) -> bool:
        """Whether one of the fields is set that decide which papers are found."""
        names = ("mode", "diversity", "year_from", "year_to", "where")
        return any(self.given.get(name) not in ("", None, DEFAULTS.get(name)) for name in names)

    def url(self, path: str = "/search", **changes: Any) -> str:
        """Return the address of this search, or of one that differs in some fields."""
        form = replace(self, **changes) if changes else self
        pairs = [("store", form.store)]
        pairs += [
            (name, value)
            for name in _NAMES
            if (value := form.given.get(name, "")) and DEFAULTS.get(name) != value
        ]
        pairs += [("like", one) for one in form.like]
        pairs += [("unlike", one) for one in form.unlike]
        pairs += [(name, value) for name, values in form.chosen.items() for value in values]
        if form.why:
            pairs.append(("why", "1"))
        if form.page > 1:
            pairs.append(("page", str(form.page)))
        return f"{path}?{'&'.join([f'{name}={_quoted(value)}' for name, value in pairs])}"

    def read_as(self, reading: Reading) -> str:
        """Return the address of the same search with the query taken in another way."""
        given = {**self.given, "q": reading.text, "as": reading.lookup}
        return self.url(given=given, page=1)

    def sorted_by(self, sort: str) -> str:
        """Return the address of the same search in another order."""
        return self.url(given={**self.given, "sort": sort}, page=1)

    def export(self, format: str) -> str:
        """Return the address of the results in a format."""
        return f"{self.url('/export', page=1)}&{urlencode({'format': format})}"

    def more(self, identifier: str) -> str:
        """Return the address of the search with one more positive example."""
        unlike = tuple(one for one in self.unlike if one != identifier)
        return self.url(like=_with(self.like, identifier), unlike=unlike, page=1)

    def less(self, identifier: str) -> str:
        """Return the address of the search with one more negative example."""
        like = tuple(one for one in self.like if one != identifier)
        return self.url(like=like, unlike=_with(self.unlike, identifier), page=1)

    def without(self, identifier: str) -> str:
        """Return the address of the search without an example."""
        like = tuple(one for one in self.like if one != identifier)
        unlike = tuple(one for one in self.unlike if one != identifier)
        return self._changed(like=like, unlike=unlike)

    def choose(self, facet: str, value: str) -> str:
        """Return the address of the search with a value of a facet, or without one it has."""
        own = self.chosen.get(facet, ())
        values = tuple(one for one in own if one != value) if value in own else (*own, value)
        chosen = {**self.chosen, facet: values}
        return self._changed(chosen={name: some for name, some in chosen.items() if some})

    def _changed(self, **changes: Any) -> str:
        form = replace(self, **changes, page=1)
        # Without a query there is only the empty form.
        return form.url("/" if form.is_empty else "/search")


@lru_cache(maxsize=1_024)
def _quoted(value: str) -> str:
    # A page of results has dozens of addresses with the same query.
    return quote_plus(value)


def _with(some: tuple[str, ...], identifier: str) -> tuple[str, ...]:
    return some if identifier in some else (*some, identifier)


def read_form(params: QueryParams, default_store: str) -> SearchForm:
    """Return the search form of an address, its mistakes in `errors`."""
    # What was typed is shown again, without the characters that change the direction of text.
    typed = {name: params.get(name, "")[: QUERY_LIMIT + 1] for name in _NAMES}
    given = {
        name: printable(value).replace("\ufffd", "").strip() or DEFAULTS.get(name, "")
        for name, value in typed.items()
    }
    reader = _Reader(given)
    query = reader.text("q", QUERY_LIMIT)
    years = (reader.number("year_from", 1000, 9999), reader.number("year_to", 1000, 9999))
    form = SearchForm(
        store=params.get("store", "")[:200] or default_store,
        given=given,
        like=reader.examples("like", params.getlist("like")),
        unlike=reader.examples("unlike", params.getlist("unlike")),
        why=params.get("why", "") not in ("", "0"),
        page=reader.page(params.get("page", "")),
        query=query,
        k=reader.number("k", 1, MOST) or 10,
        lookup=reader.lookup(),
        sort=reader.sort(),
        mode=reader.mode(),
        diversity=reader.share("diversity"),
        filter=reader.filter(years),
        chosen={
            name: found for name in FACETS if (found := reader.chosen(name, params.getlist(name)))
        },
    )
    return replace(form, errors=reader.errors)


class _Reader:
    """Reads the fields of a form; a wrong one gives an error message."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.errors: dict[str, str] = {}

    def text(self, name: str, limit: int) -> str:
        value = self._given[name]
        if len(value) > limit:
            self.errors[name] = f"At most {limit:,} characters."
            return ""
        return clean(value)

    def number(self, name: str, least: int, most: int) -> int | None:
        value = self._given[name]
        if not value:
            return None
        if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
            self.errors[name] = f"Enter a whole number from {least} to {most}."
            return None
        return int(value)

    def share(self, name: str) -> float:
        value = self._given[name]
        if re.fullmatch(r"\d?\.?\d{1,6}|\d\.", value) and 0 <= float(value) <= 1:
            return float(value)
        self.errors[name] = "Enter a number from 0 to 1."
        return 0.0

    def sort(self) -> str:
        value = self._given["sort"]
        try:
            return value if not value or read_sort(value) else ""
        except QueryError as error:
            self.errors["sort"] = error.full_text
            return ""

    def lookup(self) -> bool | str:
        value = self._given["as"]
        if value and value not in LOOKUPS:
            self.errors["as"] = f"Choose one of {', '.join(LOOKUPS)}."
            return True
        return value or True

    def mode(self) -> str:
        value = self._given["mode"]
        if value not in MODES:
            self.errors["mode"] = f"Choose one of {', '.join(MODES)}."
            return DEFAULTS["mode"]
        return value

    def examples(self, name: str, ids: Sequence[str]) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(one for one in ids if one))
        if len(found) > EXAMPLES or any(len(one) > ID_LIMIT for one in found):
            self.errors[name] = f"At most {EXAMPLES} examples, as ids of papers."
            return ()
        return found

    def chosen(self, facet: str, values: Sequence[str]) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(value for value in values if value))
        if len(found) > EXAMPLES or any(len(value) > LONGEST_VALUE for value in found):
            self.errors[facet] = f"At most {EXAMPLES} values of {facet}, as the page offers them."
            return ()
        if facet == "year" and not all(re.fullmatch(r"[0-9]{1,9}", value) for value in found):
            self.errors[facet] = "A year is a whole number."
            return ()
        return found

    def page(self, value: str) -> int:
        return max(1, int(value)) if re.fullmatch(r"\d{1,4}", value) else 1

    def filter(self, years: tuple[int | None, int | None]) -> Filter | None:
        first, last = years
        if first is not None and last is not None and first > last:
            self.errors["year_to"] = f"This is before {first}, the first year."
            return None
        bounds = {"$gte": first, "$lte": last}
        wanted = {operator: year for operator, year in bounds.items() if year is not None}
        parts: list[Filter] = [{"year": wanted}] if wanted else []
        if condition := self._condition():
            parts.append(condition)
        return None if not parts else parts[0] if len(parts) == 1 else {"$and": parts}

    def _condition(self) -> Filter | None:
        text = self._given["where"]
        if not text:
            return None
        if len(text) > WHERE_LIMIT:
            self.errors["where"] = f"At most {WHERE_LIMIT:,} characters."
            return None
        from swimmer.retrieval import parse_where

        try:
            return parse_where(text)
        except QueryError as error:
            self.errors["where"] = error.full_text
            return None
