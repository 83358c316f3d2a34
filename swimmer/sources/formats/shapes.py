"""The record shapes of known publishers, each turned into the plain names of `records`.

One function per shape, from the publisher's JSON object to a flat mapping with the names
`title`, `abstract`, `authors`, `url`, `id`, `venue`, `year`, `keywords`, `status`, and what else
is worth keeping. Adapters and files share them; this module tells the shapes apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.sources.formats.arxiv_metadata import arxiv_metadata
from swimmer.sources.formats.indexes import (
    crossref_work,
    daily_paper,
    dblp_hit,
    openalex_work,
    scholar_bulk,
    semantic_scholar,
)
from swimmer.sources.formats.managers import csl_item, zotero_item
from swimmer.sources.formats.openreview import openreview_note
from swimmer.sources.formats.paperlists import paperlist
from swimmer.sources.formats.publisher_rows import embase_row, springer_row
from swimmer.sources.formats.virtual import virtual_event

Record = Mapping[str, Any]


def need(record: Any, field: str, kind: type, where: str) -> Any:
    """Return `record[field]`.

    Raises:
        SourceError: the field is missing or of another type, as when a publisher changes its
            format; the message names the field.
    """
    if not isinstance(record, Mapping):
        raise SourceError(
            f"{where}: expected an object with the field {field!r}, got {type(record).__name__}",
            hint=FORMAT_CHANGED,
        )
    value = record.get(field)
    if not isinstance(value, kind):
        found = ", ".join(sorted(map(str, record))[:8]) or "nothing"
        what = "is missing" if field not in record else f"is {type(value).__name__}"
        raise SourceError(
            f"{where}: the field {field!r} {what}, expected {kind.__name__} (found: {found})",
            hint=FORMAT_CHANGED,
        )
    return value


def need_in_some(records: Iterable[Any], fields: Iterable[str], where: str) -> None:
    """Raise SourceError, naming the field, when not one of the records has it."""
    objects = [record for record in records if isinstance(record, Mapping)]
    for field in fields if objects else ():
        if not any(field in record for record in objects):
            found = ", ".join(sorted(map(str, objects[0]))[:8])
            raise SourceError(
                f"{where}: no record has the field {field!r} (found: {found})", hint=FORMAT_CHANGED
            )


def plain(record: Record, list_name: str = "") -> Record:
    """Return a record of any known shape under the plain names; any other as it is.

    `list_name` is the name of the list, such as `iclr2025`, where it has one.

    Raises:
        NotAPaper: the record is no paper, such as a review or an attachment.
    """
    if _MARKS.isdisjoint(record):
        return record
    for fits, read in _SHAPES:
        if fits(record):
            return read(record)
    if is_paperlist(record):
        return paperlist(record, list_name)
    return record


def _is_virtual(record: Record) -> bool:
    return "virtualsite_url" in record and "name" in record


def _is_zotero(record: Record) -> bool:
    inner = isinstance(record.get("data"), Mapping) and "itemType" in record["data"]
    return "abstractNote" in record or inner or ("itemType" in record and "creators" in record)


def _is_note(record: Record) -> bool:
    marks = ("forum", "invitation", "invitations", "replyto")
    return isinstance(record.get("content"), Mapping) and any(name in record for name in marks)


def _is_scholar(record: Record) -> bool:
    return "paperId" in record and ("title" in record or "externalIds" in record)


def _is_scholar_bulk(record: Record) -> bool:
    return "corpusid" in record and "title" in record


def _is_daily(record: Record) -> bool:
    return isinstance(record.get("paper"), Mapping) or "submittedOnDailyAt" in record


def _is_openalex(record: Record) -> bool:
    return "authorships" in record or "abstract_inverted_index" in record


def _is_crossref(record: Record) -> bool:
    return "DOI" in record and isinstance(record.get("title"), list)


def _is_dblp(record: Record) -> bool:
    return isinstance(record.get("info"), Mapping) and "title" in record["info"]


def _is_csl(record: Record) -> bool:
    return "container-title" in record or isinstance(record.get("issued"), Mapping)


def _is_embase(record: Record) -> bool:
    return "Author Names" in record and "Source" in record


def _is_springer(record: Record) -> bool:
    return "Item DOI" in record and isinstance(record.get("Authors"), str)


def _is_arxiv(record: Record) -> bool:
    return "authors_parsed" in record or ("entry_id" in record and "summary" in record)


def is_paperlist(record: Record) -> bool:
    """Whether a record is one of the `paperlists` collection."""
    people = "author" in record or "author_site" in record
    return "track" in record and "title" in record and people and "authors" not in record


_MARKS = frozenset(
    {
        "Author Names",
        "DOI",
        "Item DOI",
        "abstractNote",
        "abstract_inverted_index",
        "authors_parsed",
        "authorships",
        "container-title",
        "content",
        "corpusid",
        "data",
        "entry_id",
        "info",
        "issued",
        "itemType",
        "paper",
        "paperId",
        "submittedOnDailyAt",
        "track",
        "virtualsite_url",
    }
)
"""Fields of which every known shape has one; a record without any is looked at no further."""

_SHAPES: tuple[tuple[Callable[[Record], bool], Callable[[Record], Record]], ...] = (
    (_is_virtual, virtual_event),
    (_is_zotero, zotero_item),
    (_is_note, openreview_note),
    (_is_scholar, semantic_scholar),
    (_is_scholar_bulk, scholar_bulk),
    (_is_daily, daily_paper),
    (_is_openalex, openalex_work),
    (_is_crossref, crossref_work),
    (_is_dblp, dblp_hit),
    (_is_csl, csl_item),
    (_is_arxiv, arxiv_metadata),
    (_is_embase, embase_row),
    (_is_springer, springer_row),
)
"""How each known shape is told, and the function that turns it; the first that fits is taken."""
