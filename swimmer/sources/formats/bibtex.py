"""BibTeX: PMLR's volumes, the Anthology's exports, anyone's bibliography."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi, openreview_id
from swimmer.sources.formats.records import NotAPaper
from swimmer.text import readable

_NOT_PAPERS = frozenset({"proceedings", "comment", "preamble", "string", "software", "dataset"})
NAMES_LIMIT = 200_000
"""Characters of an author field that are read."""
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|[^A-Za-z\s])\Z|[\^_]\Z")


def bibtex_records(text: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of a BibTeX text; entries that cannot be read are counted.

    Braces that only protect capitals are taken off titles; LaTeX stays.
    """
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.model import DuplicateBlockKeyBlock, Entry, ParsingFailedBlock

    # Without a handler of its own, the library's complaints would land on the terminal.
    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())
    for block in parse_string(text).blocks:
        place = f"line {(block.start_line or 0) + 1}"
        if isinstance(block, DuplicateBlockKeyBlock):
            block = block.ignore_error_block or block
        if isinstance(block, Entry):
            if block.entry_type.casefold() in _NOT_PAPERS:
                yield place, NotAPaper(f"not a paper but @{block.entry_type.casefold()}")
            else:
                fields = {f.key.casefold(): str(f.value) for f in block.fields}
                yield place, bibtex_record(fields, block.key)
        elif isinstance(block, ParsingFailedBlock):
            yield place, NotAPaper("BibTeX that cannot be read (a brace or quote is missing)")


def bibtex_record(fields: Mapping[str, str], key: str) -> dict[str, Any]:
    """Turn the fields of one entry into a record; `key` is its citation key."""
    found_doi = doi(fields.get("doi"))
    eprint = arxiv_id(fields.get("eprint"))
    url = fields.get("url") or (f"https://doi.org/{found_doi}" if found_doi else "")
    return {
        "title": unbraced(fields.get("title", "")),
        "abstract": unbraced(fields.get("abstract", "")),
        "authors": [readable(unbraced(name)) for name in split_names(fields.get("author", ""))],
        "id": key,
        "url": url or (f"https://arxiv.org/abs/{eprint}" if eprint else fields.get("pdf", "")),
        "venue": unbraced(fields.get("booktitle") or fields.get("journal", "")),
        "year": fields.get("year") or fields.get("date", ""),
        "keywords": fields.get("keywords"),
        "doi": found_doi,
        "arxiv": eprint or arxiv_id(url),
        "openreview": openreview_id(url),
    }


def unbraced(text: str) -> str:
    """Return the text without braces that only protect: `{BERT}s` is `BERTs`.

    Braces in mathematics and around the argument of a command stay.
    """
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


def split_names(text: str) -> list[str]:
    """Return the names of an author field, "Last, First" turned round.

    `and` counts only outside braces: `{Barnes and Noble}` is one name.
    """
    names, depth, current = [], 0, ""
    # With single spaces the expression has one way to match, and no long runs to try again.
    for piece in re.split(r"( and |[{}])", " ".join(text[:NAMES_LIMIT].split())):
        if piece == " and " and depth == 0:
            names.append(current)
            current = ""
            continue
        depth += (piece == "{") - (piece == "}")
        current += piece
    names.append(current)
    out = []
    for name in names:
        last, comma, first = name.strip().partition(",")
        # "Last, Jr, First": the first name stands after the last comma.
        junior, more, given = first.partition(",")
        turned = (
            f"{given.strip()} {last.strip()} {junior.strip()}"
            if more
            else f"{first.strip()} {last.strip()}"
        )
        out.append(turned if comma else last.strip())
    return [name for name in out if name.strip() and name.strip() != "others"]
