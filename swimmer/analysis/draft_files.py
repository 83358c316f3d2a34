"""The files of drafts: their text, whatever its encoding, and the bibliographies beside them."""

from __future__ import annotations

import re
from pathlib import Path

from swimmer.errors import CHECK_FILE, QueryError
from swimmer.sources import decode_text

SIZE_LIMIT = 100 << 20
"""Bytes of a draft that are read."""

LONGEST = 20_000
"""Characters of a draft's title, abstract or front matter that are looked through."""

_BIB_TITLE = re.compile(r"\btitle\s{0,20}=\s{0,20}", re.I)
_BIB_TITLE_END = re.compile(
    r",[ \t]{0,20}\r?\n\s{0,20}\w{1,40}[ \t]{0,20}=|\n\s{0,20}\}|\}\s{0,20}\}"
)


def text_of(path: Path) -> str:
    """Return the text of a file, decoded by the encoding that its bytes suggest.

    Raises:
        QueryError: it cannot be read, or is larger than SIZE_LIMIT.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise QueryError(
            f"{path}: cannot be read ({error.strerror or error})",
            hint=CHECK_FILE,
        ) from None
    if len(raw) > SIZE_LIMIT:
        raise QueryError(
            f"{path}: is larger than {SIZE_LIMIT >> 20} MB, too large for a draft",
            hint="give the text of the draft, or its title and --abstract",
        )
    return decode_text(raw)[0]


def beside(path: Path, name: str, suffix: str) -> Path | None:
    """Return the file that a draft names, if it lies in the draft's own folder, else None."""
    file = path.parent / (name if name.endswith(suffix) else f"{name}{suffix}")
    try:
        inside = file.resolve().is_relative_to(path.parent.resolve())
        return file if inside and file.is_file() else None
    except (OSError, ValueError):
        return None


def bib_titles(text: str) -> str:
    """Return the titles of a BibTeX text, a line each."""
    titles = []
    for found in _BIB_TITLE.finditer(text):
        end = _BIB_TITLE_END.search(text, found.end() + 1, found.end() + 1_100)
        if end:
            titles.append(re.sub(r"[{}\"\s]+", " ", text[found.end() : end.start()]).strip())
    return "\n".join(titles)
