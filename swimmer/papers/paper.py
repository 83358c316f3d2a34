"""A paper: what every source yields, every store keeps and every front end shows."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from swimmer.errors import InputError
from swimmer.text import (
    ABSTRACT_LIMIT,
    TITLE_LIMIT,
    clean,
    clean_all,
    clean_url,
    compatible,
    fold,
    readable,
    title_key,
)

EXCERPT = 500
"""Characters of the abstract that `page_content` carries."""

AUTHORS_ORDER, ABSTRACT_CUT = "authors_order", "abstract_cut"
"""Fields of a paper: "unknown" where its list sorts authors by name, true where its list has only
the beginning of the abstract."""

EVENTS = "events"
"""The field with the events of a paper: a list of objects with kind, session, starttime …"""

FIRST_SEEN = "first_seen"
"""The field with the time at which an update brought a paper into its store, ISO 8601 in UTC."""

DOCUMENT_RECORD = "langchain_document"
"""The field of a paper that keeps a document as it came, when it is not a paper's own."""


@dataclass(frozen=True)
class Paper:
    """One paper of a venue; fields are cleaned as they come in.

    Args:
        title: the title, LaTeX kept; the only field that must not be blank.
        abstract: the whole abstract, or "".
        url: an absolute http(s) address, or "" (any other scheme is dropped).
        id: the publisher's id; without one, a digest of the URL or of the title key.
        authors: the names in order.
        venue: short name such as `ICLR`.
        year: four digits, or None.
        keywords: the authors' keywords.
        status: how it was accepted or presented, such as `Poster`.
        extra: further JSON-able fields of the source (area, decision, tldr …).

    Raises:
        InputError: the title is blank, or a field has another type than the one named here.
    """

    title: str
    abstract: str = ""
    url: str = ""
    id: str = ""
    authors: tuple[str, ...] = ()
    venue: str = ""
    year: int | None = None
    keywords: tuple[str, ...] = ()
    status: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Past the frozen setters, and not by object.__setattr__: this runs for every record read.
        own = self.__dict__
        for name, limit in _TEXT_LIMITS:
            value = own[name]
            if not isinstance(value, str):
                raise InputError(f"paper: {name} must be text, got {value!r:.80}")
            if value:
                own[name] = clean(value, limit)
        if not self.title:
            raise InputError("paper: the title is blank", hint="give every paper a title")
        if not isinstance(self.url, str):
            raise InputError(f"paper: url must be text, got {self.url!r:.80}")
        if self.url:
            own["url"] = clean_url(self.url)
        for name in ("authors", "keywords"):
            # A list may be any array, whose comparison or truth is none.
            if not isinstance(own[name], tuple) or own[name]:
                own[name] = _cleaned_list(name, own[name])
        if self.year is not None:
            _check_year(self.year)
        own["extra"] = _jsonable(self.extra)
        if not self.id:
            own["id"] = derived_id(self.url, self.title)

    @classmethod
    def of_document(
        cls,
        text: str,
        lines: Mapping[str, str],
        identifier: str,
        extra: Mapping[str, Any],
        record: list[str],
    ) -> Paper:
        """Return a document as a paper, without the work of cleaning what is clean.

        Args:
            text: its text, as it came.
            lines: title, abstract and url, clean; the title is not blank.
            identifier: its id, clean.
            extra: its metadata; raises InputError as the constructor does.
            record: what DOCUMENT_RECORD keeps, as cleaning leaves it.
        """
        paper = object.__new__(cls)
        paper.__dict__.update(
            lines,
            _document_text=text,
            id=identifier,
            authors=(),
            venue="",
            year=None,
            keywords=(),
            status="",
            extra=_jsonable(extra) | {DOCUMENT_RECORD: record},
        )
        return paper

    @cached_property
    def key(self) -> str:
        """The title key: what makes two spellings of one title equal."""
        return title_key(self.title)

    @cached_property
    def display_title(self) -> str:
        """The title for reading: LaTeX turned into Unicode."""
        return readable(self.title)

    @property
    def authors_ordered(self) -> bool:
        """Whether the first author is known to be the first."""
        return self.extra.get(AUTHORS_ORDER) != "unknown"

    @property
    def abstract_is_cut(self) -> bool:
        """Whether the abstract is only the beginning of one."""
        return bool(self.extra.get(ABSTRACT_CUT)) and bool(self.abstract)

    @property
    def display_abstract(self) -> str:
        """The abstract for reading: with an ellipsis where it is cut."""
        return f"{self.abstract}…" if self.abstract_is_cut else self.abstract

    @property
    def page_content(self) -> str:
        """Title, first 500 characters of the abstract and URL, one line each."""
        return f"{self.title}\n{self.abstract[:EXCERPT]}\n{self.url}"

    @property
    def embedding_text(self) -> str:
        """Title and first 500 characters of the abstract, as a model should read them."""
        # LaTeX is turned in the title only: in a whole abstract it costs a hundred times the rest
        # of a build, and a model reads `$\\beta$` as the word beta anyway.
        return f"{fold(self.title)}\n{compatible(self.abstract[:EXCERPT])}".rstrip()

    @property
    def whole_text(self) -> str:
        """Title and whole abstract, a line each, as a model should read them."""
        return f"{fold(self.title)}\n{compatible(self.abstract)}".rstrip()

    @property
    def document(self) -> tuple[str, dict[str, Any]] | None:
        """Text and metadata of the document that this paper keeps, None if it is a paper's own."""
        if DOCUMENT_RECORD not in self.extra:
            return None
        try:
            content, metadata = json.loads("".join(self.extra[DOCUMENT_RECORD]))
        except (TypeError, ValueError, RecursionError):
            # A list of papers may hold a field of this name and whatever it likes in it.
            return None
        own = isinstance(content, str) and content.strip() and isinstance(metadata, dict)
        return (content, metadata) if own else None

    @property
    def document_text(self) -> str | None:
        """Text of the document that this paper keeps, None if it is a paper's own."""
        made: str | None = self.__dict__.get("_document_text")
        if made is not None:
            return made
        kept = self.document
        return None if kept is None else kept[0]

    @property
    def has_own_id(self) -> bool:
        """Whether the id is the publisher's, not a digest made here."""
        return not re.match("(url|title):", self.id)

    def marked(self, **marks: str | bool) -> Paper:
        """Return this paper with further fields of its list's; nothing is cleaned again."""
        paper = object.__new__(Paper)
        paper.__dict__.update(self.__dict__, extra={**self.extra, **marks})
        return paper

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values, those of `extra` beside the named ones."""
        values = dict(self.extra)
        if not _NAMED.isdisjoint(values):
            values = {name: value for name, value in values.items() if name not in _NAMED}
        own = self.__dict__
        for name in _ORDER:
            values[name] = own[name]
        values["authors"], values["keywords"] = list(self.authors), list(self.keywords)
        return values

    def filled_from(self, other: Paper) -> Paper:
        """Return this paper with its blanks filled from another record of the same paper.

        An id that the publisher gave stands before a digest made here; a whole abstract before
        one that is cut; authors in their own order before the same ones in that of the alphabet.
        """
        filled = {
            f.name: getattr(other, f.name)
            for f in fields(self)
            if f.name not in ("extra", "id") and not getattr(self, f.name)
        }
        extra = {**other.extra, **self.extra}
        cut, ordered = self.abstract_is_cut, self.authors_ordered
        if other.abstract and (not self.abstract or (cut and _is_fuller(other, self))):
            filled["abstract"], cut = other.abstract, other.abstract_is_cut
        if other.authors and (not self.authors or _has_their_order(other, self)):
            filled["authors"], ordered = other.authors, other.authors_ordered
        _mark(extra, ABSTRACT_CUT, True if cut else None)
        _mark(extra, AUTHORS_ORDER, None if ordered else "unknown")
        if events := _all_events(self, other):
            extra[EVENTS] = events
        identifier = self.id if self.has_own_id or not other.has_own_id else other.id
        return replace(self, **filled, id=identifier, extra=extra)


def _is_fuller(other: Paper, paper: Paper) -> bool:
    return not other.abstract_is_cut or len(other.abstract) > len(paper.abstract)


def _has_their_order(other: Paper, paper: Paper) -> bool:
    """Whether `other` has the same authors as `paper`, in the order that `paper` lacks."""
    if paper.authors_ordered or not other.authors_ordered:
        return False
    families = [sorted(title_key(name.split()[-1]) for name in p.authors) for p in (paper, other)]
    return families[0] == families[1]


def _mark(extra: dict[str, Any], name: str, value: object) -> None:
    extra.pop(name, None)
    if value is not None:
        extra[name] = value


def _all_events(a: Paper, b: Paper) -> list[Any]:
    """Return the events of two records of one paper, each once."""
    found: list[Any] = []
    for paper in (a, b):
        events = paper.extra.get(EVENTS)
        for event in events if isinstance(events, list) else ():
            if event not in found:
                found.append(event)
    return found


_ORDER = tuple(f.name for f in fields(Paper) if f.name != "extra")
_NAMED = frozenset(_ORDER)
_LARGEST = 1 << 63
_TEXT_LIMITS = (
    ("title", TITLE_LIMIT),
    ("abstract", ABSTRACT_LIMIT),
    ("id", 500),
    ("venue", 200),
    ("status", 200),
)


def derived_id(url: str, title: str) -> str:
    """Return an id for a paper whose source gives none: a digest of its URL, else of its title."""
    kind, what = ("url", url) if url else ("title", title_key(title))
    return f"{kind}:{hashlib.blake2b(what.encode(), digest_size=8).hexdigest()}"


def _check_year(year: object) -> None:
    if isinstance(year, bool) or not isinstance(year, int):
        raise InputError(f"paper: year must be a whole number or None, got {year!r:.80}")
    if abs(year) > 9_999:
        raise InputError("paper: year must have at most four digits")


def _cleaned_list(name: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"paper: {name} must be a list of texts, got {values!r:.80}")
    elements = list(values)
    try:
        return tuple(clean_all(elements, 500))
    except TypeError:
        wrong = next(value for value in elements if not isinstance(value, str))
        raise InputError(
            f"paper: {name} must be a list of texts, got the element {wrong!r:.80}"
        ) from None


def _jsonable(extra: object) -> dict[str, Any]:
    if type(extra) is not dict and not isinstance(extra, Mapping):
        raise InputError(f"paper: extra must be a mapping, got {extra!r:.80}")
    if not extra:
        return {}
    for name in extra:
        if not isinstance(name, str):
            raise InputError(f"paper: a field name must be text, got {name!r:.80}")
    try:
        plain = _clean_deep(extra)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"paper: extra must hold JSON values only ({error})") from None
    assert isinstance(plain, dict)
    return plain


def _clean_deep(value: Any) -> Any:
    """Return a JSON value with its texts cleaned: tuples as lists, no number that is not finite.

    Raises:
        TypeError: it is none, or holds one that is none.
    """
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, bool):
        return value
    # What derives from a number, such as one of NumPy, becomes the plain one.
    if isinstance(value, int):
        # A number that fits no column of a database is no figure about a paper.
        return int(value) if -_LARGEST < value < _LARGEST else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_clean_deep(inner) for inner in value]
    if isinstance(value, Mapping):
        return {_clean_key(name): _clean_deep(inner) for name, inner in value.items()}
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _clean_key(name: object) -> str:
    if isinstance(name, str):
        return clean(name)
    (text,) = json.loads(json.dumps({name: 0}, allow_nan=False))
    return str(text)
