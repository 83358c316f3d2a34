"""BibTeX and biblatex: PMLR's volumes, the Anthology's exports, anyone's bibliography."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from swimmer.papers import arxiv_id, doi, openreview_id
from swimmer.sources.formats.bibtex_values import Strings, field_values
from swimmer.sources.formats.kinds import entry_kind
from swimmer.sources.formats.records import NotAPaper
from swimmer.text import readable

_NOT_PAPERS = frozenset(
    {"proceedings", "mvproceedings", "comment", "preamble", "string", "software", "dataset"}
    | {"set", "xdata"}
)
_ACCENTED = re.compile(
    r"\\[`'^\"~=.][ ]?(?:\{[ ]?\\?[A-Za-z][ ]?\}|\\[ij](?![A-Za-z])|[A-Za-z])"
    r"|\\[cHkrbdtuv](?:\{[ ]?\\?[A-Za-z]{1,2}[ ]?\}|[ ]{1,3}\\?[A-Za-z])"
)
_LETTER = re.compile(
    r"\\(?:ss|SS|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j|dh|DH|th|TH|dj|DJ|ng|NG)(?![A-Za-z])"
    r"(?:\{\}|[ ]{1,9})?"
)
_SPELT_OUT = {
    "asciicircum": "^",
    "asciitilde": "~",
    "braceleft": r"\{",
    "braceright": r"\}",
    "backslash": "\\",
    "bar": "|",
    "less": "<",
    "greater": ">",
}
_SPELT = re.compile(rf"\\text({'|'.join(_SPELT_OUT)})(?![A-Za-z])(?:\{{\}}|\s)?")
_ESCAPED = re.compile(r"\\([&%#_ ])")
_MATH = re.compile(r"(\$[^$]{1,2000}\$)")
NAMES_LIMIT = 200_000
"""Characters of an author field that are read."""

_COMMAND = re.compile(r"\\(?:[A-Za-z]+|[^A-Za-z\s])\Z|[\^_]\Z")
_NAME_PIECE = re.compile(r"( and |[{}])", re.IGNORECASE)
_OTHERS = re.compile(r"\band\s+others\s*\Z", re.IGNORECASE)
_EXTENDED = re.compile(r"\s?([a-z]{4,12})\s?=\s?(.{0,200})", re.DOTALL)
_INITIAL_FIRST = re.compile(r"[A-Z]\.? [A-Z][a-zà-ÿ'-]{2,30}")
_INHERITED = ("booktitle", "year", "date", "publisher", "editor", "series", "volume", "address")
_PARENT_DEPTH = 3


def bibtex_records(text: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of a BibTeX text; entries that cannot be read are counted.

    Letters written in LaTeX become Unicode and braces that only protect capitals are taken off;
    mathematics stays. Text between entries is no part of any.
    """
    from bibtexparser.model import (
        DuplicateBlockKeyBlock,
        DuplicateFieldKeyBlock,
        Entry,
        ParsingFailedBlock,
        String,
    )
    from bibtexparser.splitter import Splitter

    # Without a handler of its own, the library's complaints would land on the terminal.
    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())
    entries: list[tuple[str, Entry | NotAPaper]] = []
    strings = Strings()
    for block in Splitter(text).split().blocks:
        place = f"line {(block.start_line or 0) + 1}"
        if isinstance(block, (DuplicateBlockKeyBlock, DuplicateFieldKeyBlock)):
            # Two entries of one key are still two entries.
            block = block.ignore_error_block or block
        if isinstance(block, String):
            strings.define(block.key, str(block.value))
        elif isinstance(block, Entry):
            entries.append((place, block))
        elif isinstance(block, ParsingFailedBlock):
            reason = NotAPaper("BibTeX that cannot be read (a brace or quote is missing)")
            entries.append((place, reason))
    yield from _records(entries, strings)


def replaced_entries(text: str, entries: Mapping[str, str]) -> str:
    """Return a BibTeX text with the entries of some keys replaced; all else stays as it is.

    Of several entries with one key the first is replaced.
    """
    from bibtexparser.model import DuplicateFieldKeyBlock, Entry
    from bibtexparser.splitter import Splitter

    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())
    left = dict(entries)
    parts, at = [], 0
    for block in Splitter(text).split().blocks:
        if isinstance(block, DuplicateFieldKeyBlock):
            block = block.ignore_error_block or block
        raw = (block.raw or "").rstrip()
        start = text.find(raw, at) if raw else -1
        if isinstance(block, Entry) and start >= 0 and block.key in left:
            parts += [text[at:start], left.pop(block.key).strip()]
            at = start + len(raw)
    return "".join([*parts, text[at:]])


def _records(
    entries: list[tuple[str, Any]], strings: Strings
) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    read: list[tuple[str, Any, dict[str, str], str]] = []
    by_key: dict[str, dict[str, str]] = {}
    for place, entry in entries:
        if isinstance(entry, NotAPaper):
            read.append((place, entry, {}, ""))
            continue
        fields = field_values(((f.key, str(f.value)) for f in entry.fields), strings)
        read.append((place, entry, fields, entry.key))
        by_key.setdefault(entry.key.casefold(), fields)
    for place, entry, fields, key in read:
        if isinstance(entry, NotAPaper):
            yield place, entry
            continue
        kind = entry.entry_type.casefold()
        if kind in _NOT_PAPERS:
            yield place, NotAPaper(f"not a paper but @{kind}")
        else:
            record = bibtex_record(_with_parent(fields, by_key), key)
            yield place, {**record, "entry_type": entry_kind(kind) or "misc"}


def _with_parent(fields: dict[str, str], by_key: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """Return the fields of an entry with what it inherits from the entry it names in `crossref`."""
    whole = dict(fields)
    for _ in range(_PARENT_DEPTH):
        names = f"{fields.get('crossref', '')},{fields.get('xdata', '')}".split(",")
        keys = [name.strip().casefold() for name in names]
        parents = [by_key[key] for key in keys if key and key in by_key]
        if not parents:
            break
        for parent in parents:
            for name in _INHERITED:
                if name in parent:
                    whole.setdefault(name, parent[name])
            if "title" in parent and "title" in fields:
                whole.setdefault("booktitle", _full_title(parent))
            for name in ("journaltitle", "journal") if "title" in fields else parent:
                if name in parent:
                    whole.setdefault(name, parent[name])
        fields = parents[0]
    return whole


def _full_title(fields: Mapping[str, str]) -> str:
    title, subtitle = fields.get("title", "").strip(), fields.get("subtitle", "").strip()
    if not title or not subtitle:
        return title or subtitle
    return f"{title} {subtitle}" if title[-1] in ":.?!" else f"{title}: {subtitle}"


def bibtex_record(fields: Mapping[str, str], key: str) -> dict[str, Any]:
    """Turn the fields of one entry into a record; `key` is its citation key."""
    eprint = arxiv_id(fields.get("eprint") or fields.get("arxivid")) or _arxiv_in_venue(fields)
    url = fields.get("url") or fields.get("link", "")
    found_doi = doi(fields.get("doi")) or (doi(url) if "doi.org/" in url else "")
    url = url or (f"https://doi.org/{found_doi}" if found_doi else "")
    venue = next(
        (
            fields[n]
            for n in ("booktitle", "journal", "journaltitle", "eventtitle", "howpublished")
            if fields.get(n)
        ),
        "",
    )
    keywords = fields.get("keywords") or fields.get("keyword") or fields.get("author_keywords")
    return {
        "title": unbraced(decoded(_full_title(fields))),
        "abstract": unbraced(decoded(fields.get("abstract", ""))),
        "authors": [_name(name) for name in split_names(fields.get("author", ""))],
        "id": key,
        "url": url or (f"https://arxiv.org/abs/{eprint}" if eprint else fields.get("pdf", "")),
        "venue": readable(decoded("" if "://" in venue or venue.startswith("\\url") else venue)),
        "year": fields.get("year") or fields.get("date") or fields.get("eventdate", ""),
        "keywords": readable(decoded(keywords or "")),
        "volume": readable(fields.get("volume", "")),
        "number": readable(fields.get("number") or fields.get("issue", "")),
        "pages": readable(re.sub(r"-{2,3}", "–", fields.get("pages", ""))),
        "publisher": readable(decoded(fields.get("publisher", ""))),
        "school": readable(decoded(fields.get("school") or fields.get("institution", ""))),
        "doi": found_doi,
        "arxiv": eprint or arxiv_id(url),
        "openreview": openreview_id(url),
        "authors_cut": bool(_OTHERS.search(fields.get("author", "")[-40:])) or None,
        **note_marks(fields.get("note", "")),
    }


_PREPRINT = re.compile(r"arxiv(?: e-prints?| preprint)?[\s,:]{1,3}", re.IGNORECASE)


def _arxiv_in_venue(fields: Mapping[str, str]) -> str:
    """Return the id in `arXiv preprint arXiv:2401.00001`, or in a volume of arXiv or CoRR."""
    journal = fields.get("journal", "").strip()
    if journal.casefold() in ("corr", "arxiv"):
        return arxiv_id(fields.get("volume", "").strip().removeprefix("abs/"))
    found = _PREPRINT.match(journal)
    return arxiv_id(journal[found.end() :]) if found else ""


AUTHORS_UNKNOWN = "author order unknown"
ABSTRACT_CUT = "abstract incomplete"
"""What the exports write into `note` where an order is unknown, or an abstract is cut."""


def note_marks(note: str) -> dict[str, Any]:
    """Return what a note of our own exports says about a paper."""
    marks: dict[str, Any] = {}
    if AUTHORS_UNKNOWN in note:
        marks["authors_order"] = "unknown"
    if ABSTRACT_CUT in note:
        marks["abstract_cut"] = True
    return marks


_LIGATURES = (("``", "“"), ("''", "”"), ("---", "—"), ("--", "–"))
_BRACED_MARKS = re.compile(r"\{(``|''|`|'|---?)\}")
_QUOTED = re.compile(r"``([^`]{1,500}?)''")
_MARKS = {**dict(_LIGATURES), "`": "'", "'": "'"}


def decoded(text: str) -> str:
    r"""Return the text with its LaTeX letters and escapes in Unicode: `{\L}ukasz` is `{Ł}ukasz`.

    Mathematics, and commands that are no letters, stay as they are.
    """
    # The ACL Anthology puts quotes and dashes in braces, which only LaTeX has a use for.
    text = _BRACED_MARKS.sub(lambda m: _MARKS[m[1]], text)
    text = _QUOTED.sub(r"“\1”", text)
    if "\\" not in text and "~" not in text:
        return text
    parts = _MATH.split(text)
    for index in range(0, len(parts), 2):
        part = _ACCENTED.sub(lambda m: _letter(m[0]), parts[index])
        part = _LETTER.sub(lambda m: _letter(m[0]), part)
        if part != parts[index]:
            # Written for LaTeX, as its letters show: so are its quotes and dashes.
            for marks, char in _LIGATURES:
                part = part.replace(marks, char)
        part = _ESCAPED.sub(r"\1", part)
        part = re.sub(r"(?<!\\)~", " ", part)
        parts[index] = _SPELT.sub(lambda m: _SPELT_OUT[m[1]], part)
    return "".join(parts)


@lru_cache(maxsize=4096)
def _letter(command: str) -> str:
    letter = readable(command.rstrip(" ").removesuffix("{}"))
    return letter if "\\" not in letter else command


def unbraced(text: str) -> str:
    """Return the text without braces that only protect: `{BERT}s` is `BERTs`.

    Braces in mathematics and around the argument of a command stay.
    """
    if "{" not in text and "}" not in text:
        return text
    out: list[str] = []
    kept: list[bool] = []
    math, after_kept = False, False
    for index, char in enumerate(text):
        escaped = index > 0 and text[index - 1] == "\\"
        if char == "$" and not escaped:
            math = not math
        if math or escaped or char not in "{}":
            out.append(char)
            after_kept = False
        elif char == "{":
            # The second argument of a command follows the first one's brace.
            kept.append(after_kept or bool(_COMMAND.search(text, max(0, index - 40), index)))
            out.extend("{" * kept[-1])
        else:
            after_kept = kept.pop() if kept else True
            out.extend("}" * after_kept)
    return "".join(out)


def _name(name: str) -> str:
    return readable(unbraced(decoded(name)))


def split_names(text: str) -> list[str]:
    """Return the names of an author field, "Last, First" turned round.

    `and` counts only outside braces: `{Barnes and Noble}` is one name. biblatex's extended form
    (`family=Berg, given=Jan, prefix=van den`) is read too.
    """
    names, depth = [], 0
    pieces: list[str] = []
    for piece in _NAME_PIECE.split(" ".join(text[:NAMES_LIMIT].split())):
        if piece.casefold() == " and " and depth == 0:
            names.append("".join(pieces))
            pieces = []
            continue
        depth += (piece == "{") - (piece == "}")
        pieces.append(piece)
    names.append("".join(pieces))
    turned = (_turned(one) for name in names for one in _without_and(name.strip()))
    return [name for name in turned if name.strip() and name.strip() != "others"]


def _without_and(name: str) -> list[str]:
    """Return "B Balakrisnan, S Patil" as two names: what stands behind the comma is a whole one."""
    parts = name.split(",")
    two = len(parts) == 2 and all(_INITIAL_FIRST.fullmatch(part.strip()) for part in parts)
    return [part.strip() for part in parts] if two else [name]


def _turned(name: str) -> str:
    parts = _at_outer_commas(name)
    named = [_EXTENDED.fullmatch(part) for part in parts]
    if named and all(named):
        fields = {match[1]: match[2].strip(' {}"') for match in named if match}
        order = (fields.get(part, "") for part in ("given", "prefix", "family", "suffix"))
        return " ".join(filter(None, order))
    if len(parts) == 1:
        return name
    # "Last, Jr, First": the first name stands after the last comma.
    last, *junior, given = (part.strip() for part in parts)
    return " ".join(filter(None, (given, last, *junior)))


def _at_outer_commas(text: str) -> list[str]:
    """Return the parts of a text between commas that stand outside of braces, at most three."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == "," and depth <= 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
