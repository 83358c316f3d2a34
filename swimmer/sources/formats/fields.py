"""The usual names of the fields of a paper list, and the field of a record that each stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from swimmer.sources.formats.blanks import LONGEST_BLANK, is_blank

ALIASES: dict[str, tuple[str, ...]] = {
    "title": (
        "title",
        "article title",
        "document title",
        "item title",
        "name",
        "paper title",
        "papertitle",
        "paper",
        "display name",
        "primary title",
        "标题",
        "题目",
        "論文名",
        "タイトル",
        "제목",
        "título",
        "titre",
        "titel",
        "titolo",
    ),
    "abstract": (
        "abstract",
        "abstract note",
        "summary",
        "abs text",
        "notes abstract",
        "abstract text",
        "original abstract",
        "description",
        "摘要",
        "要旨",
        "초록",
        "resumen",
        "résumé",
        "zusammenfassung",
    ),
    "url": (
        "url",
        "virtualsite url",
        "site",
        "link",
        "paper url",
        "abs",
        "href",
        "article url",
        "primary location.landing page url",
        "forum",
        "external url",
        "source urls",
        "pdf",
        "pdf url",
        "pdf link",
        "entry id",
        "open url link",
    ),
    "authors": (
        "author full names",
        "authors",
        "author",
        "author/s",
        "author(s)",
        "author names",
        "authors full",
        "authorships.author.display name",
        "speakers/authors",
        "speakers",
        "author site",
        "creators",
        "organizers",
        "first authors",
        "作者",
        "著者",
        "저자",
        "autores",
        "auteurs",
        "autoren",
    ),
    "year": (
        "year",
        "publication year",
        "pub year",
        "date",
        "publication date",
        "date published",
        "published",
        "publishedat",
        "issue date",
        "online date",
        "年份",
        "年",
        "연도",
        "año",
        "ano",
        "année",
        "jahr",
        "anno",
    ),
    "venue": (
        "venue",
        "conference",
        "booktitle",
        "journal",
        "journaltitle",
        "source title",
        "publication title",
        "conference name",
        "proceedings title",
        "conference title",
        "publication name",
        "journal name",
        "journal title",
        "journal/book",
        "book title",
        "container title",
        "secondary title",
        "book series title",
        "primary location.source.display name",
        "host venue.display name",
        "alternate title1",
        "alternate title2",
        "alternate title3",
        "会议",
        "期刊",
    ),
    "keywords": (
        "keywords",
        "keyword",
        "author keywords",
        "tags",
        "manual tags",
        "categories",
        "keywords plus",
        "index keywords",
        "ieee terms",
        "keywords.display name",
        "topics.display name",
        "fields of study",
        "关键词",
        "キーワード",
        "키워드",
    ),
    "id": (
        "id",
        "paper id",
        "paperid",
        "pid",
        "arxiv id",
        "uid",
        "key",
        "eid",
        "ut (unique wos id)",
        "lens id",
    ),
    "status": ("status", "eventtype", "event type"),
}
"""Usual names of the fields of a paper, most trusted first, in lower case with spaces."""

EXTRA_ALIASES: dict[str, tuple[str, ...]] = {
    "area": ("area", "primary area", "topic"),
    "tldr": ("tldr", "tl;dr", "tl dr"),
    "decision": ("decision",),
    "doi": ("doi", "item doi", "doi link"),
    "session": ("session",),
    "abstract_translated": ("abstract translated",),
    "reading_notes": ("reading notes",),
    "volume": ("volume", "journal volume"),
    "number": ("number", "issue", "issue number", "journal issue"),
    "pages": ("pages",),
    "publisher": ("publisher",),
    "entry_type": (
        "entry type",
        "item type",
        "document type",
        "publication type",
        "content type",
        "document identifier",
        "type of reference",
    ),
    "events": ("events",),
    "institutions": ("institutions",),
    "ratings": ("ratings",),
    "citations": (
        "citations",
        "citation count",
        "gs citation",
        "cited by",
        "cited by count",
        "citing works count",
        "times cited, all databases",
    ),
    "code": ("code", "code url", "github"),
}
"""The same for further fields that are kept with a paper, under the name on the left."""

COLUMN_FIELDS = (*ALIASES, "doi", "tldr", "area", "volume", "number", "pages", "publisher")
"""The fields whose columns a user can name."""

OTHER_TYPES = frozenset(
    "dataset paratext erratum peer-review other component reference-entry grant standard".split()
)
"""Values of a field `type` that are no status, beside the kinds of documents."""

_SLOTS: dict[str, tuple[str, int]] = {
    alias: (name, rank)
    for aliases_of in (EXTRA_ALIASES, ALIASES)
    for name, aliases in aliases_of.items()
    for rank, alias in enumerate(aliases)
}
_DATE = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])(?!\d)")
_COLUMN_NAME = re.compile(r"[\w /().:-]+")
START_PAGE = ("start page", "page start", "beginning page", "start_page", "page.start", "sp")
END_PAGE = ("end page", "page end", "ending page", "end_page", "page.end", "ep")
_PAGE_FIELDS = frozenset(START_PAGE + END_PAGE)
_NO_TITLE = ("journal", "book", "source", "series", "conference", "proceedings", "publication")


@lru_cache(maxsize=4096)
def field_name(name: str) -> str:
    """Return a field's name in lower case, without a byte order mark or spaces around it."""
    return name.strip().lstrip("\ufeff").casefold()


@lru_cache(maxsize=4096)
def slot_of(name: str) -> tuple[str, int] | None:
    """Return the field that a name stands for, and how many names are trusted more; or None."""
    return _SLOTS.get(" ".join(name.replace("_", " ").replace("-", " ").split()))


@lru_cache(maxsize=4096)
def could_be_title(name: str) -> bool:
    """Whether a column of this name may hold titles, though it has none of the usual names."""
    words = field_name(name)
    # The first of a list of titles may well say "title" among other words.
    if len(words) > 40 or len(words.split()) > 4 or not _COLUMN_NAME.fullmatch(words):
        return False
    return "title" in words and not any(word in words for word in _NO_TITLE)


@lru_cache(maxsize=1024)
def field_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the field names of a record as `field_name` does, and not longer than 200."""
    # The records of a list have the same names, mostly: they are looked at once.
    return tuple(field_name(name[:200]) for name in names)


@lru_cache(maxsize=1024)
def _aliases_by_slot(names: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the plain names that a record's fields stand for, each with them, best first."""
    found: dict[str, list[tuple[int, str]]] = {}
    for alias in names:
        if slot := slot_of(alias):
            found.setdefault(slot[0], []).append((slot[1], alias))
    return tuple(
        (name, tuple(alias for _, alias in sorted(ranked, key=lambda pair: pair[0])))
        for name, ranked in found.items()
    )


def most_trusted(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return by plain name the value of its most trusted field that is not blank."""
    found: dict[str, Any] = {}
    for name, aliases in _aliases_by_slot(tuple(flat)):
        for alias in aliases:
            value = flat[alias]
            # A long text is never blank, and a call costs more than to see that.
            if (type(value) is str and len(value) > LONGEST_BLANK) or not is_blank(value):
                found[name] = value
                break
    return found


def published_date(flat: Mapping[str, Any]) -> str:
    """Return the date on which a paper was published, as its record writes it, else "".

    A month counts as a date, a year alone does not.
    """
    for alias in _date_names(tuple(flat)):
        value = flat[alias]
        if isinstance(value, str) and _DATE.match(value):
            return value[:40]
    return ""


@lru_cache(maxsize=1024)
def _date_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields of a record that may hold a date, most trusted first."""
    return dict(_aliases_by_slot(names)).get("year", ())


def page_range(flat: Mapping[str, Any]) -> str:
    """Return the pages of a record that names the first and the last one, else ""."""
    if _PAGE_FIELDS.isdisjoint(flat):
        return ""
    first = next((flat[name] for name in START_PAGE if not is_blank(flat.get(name))), "")
    last = next((flat[name] for name in END_PAGE if not is_blank(flat.get(name))), "")
    pages = [str(page)[:20] for page in (first, last)]
    # "No – Specified" is what some programs write.
    return "–".join(p for p in pages if any(char.isdigit() for char in p))
