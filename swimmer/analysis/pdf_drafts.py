"""Drafts as PDF: title and abstract told from the size and the place of the text."""

from __future__ import annotations

import logging
import re
import zlib
from pathlib import Path
from typing import Any

from swimmer.analysis.draft_files import SIZE_LIMIT
from swimmer.analysis.draft_text import SECTION_NUMBER, abstract_of, references_of
from swimmer.errors import MissingExtraError, QueryError

PAGES = 80
"""Pages of a PDF in which a bibliography is looked for."""

_BODY = re.compile(
    rf"\s{{0,9}}(?:abstract\b|{SECTION_NUMBER}?\s{{0,9}}introduction\b)", re.IGNORECASE
)
_FAILURES = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    RecursionError,
    OverflowError,
    AssertionError,
    NotImplementedError,
    zlib.error,
)


def read_pdf(path: Path) -> tuple[str, str, str]:
    """Return title, abstract and the text of the references.

    Raises:
        QueryError: it cannot be read, or needs a password.
        MissingExtraError: pypdf, or for an encrypted file cryptography, is not installed.
    """
    try:
        import pypdf
        from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError
    except ImportError:
        raise MissingExtraError("reading a PDF", "pdf") from None
    # What the library notes about a damaged file is not for the terminal.
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    logging.getLogger("pypdf").propagate = False
    if path.is_file() and path.stat().st_size > SIZE_LIMIT:
        raise QueryError(
            f"{path}: is larger than {SIZE_LIMIT >> 20} MB, too large for a draft",
            hint="give the title and --abstract",
        )
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileNotDecryptedError
        sized: list[tuple[float, str]] = []
        pages = [_page_text(reader.pages[0], sized)] if len(reader.pages) else []
        pages += [page.extract_text() for page in reader.pages[1:PAGES]]
        named = str(reader.metadata.title or "") if reader.metadata else ""
    except (DependencyError, ImportError):
        raise MissingExtraError(f"{path}: is encrypted by AES; reading it", "pdf") from None
    except FileNotDecryptedError:
        raise QueryError(
            f"{path}: is encrypted",
            hint="save a copy without a password, or give the title and --abstract",
        ) from None
    except (PyPdfError, *_FAILURES) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise QueryError(
            f"{path}: cannot be read as a PDF ({reason})",
            hint="save or download it again, or give the text as .txt, .tex or .bib",
        ) from None
    first = "\n".join(pages[:2])
    return _largest(sized) or named, abstract_of(first), references_of("\n".join(pages))


def _page_text(page: Any, sized: list[tuple[float, str]]) -> str:
    def visit(text: str, matrix: Any, position: Any, font: Any, size: float) -> None:
        # The size that a reader sees is the font's times the scale of both matrices.
        scale = abs(position[3]) * abs(matrix[3])
        if text.strip():
            sized.append((round(size * scale, 1), text))

    return str(page.extract_text(visitor_text=visit))


def _largest(sized: list[tuple[float, str]]) -> str:
    """Return the text in the largest letters that has the length of a title.

    Headings may be as large: what stands from the abstract on is looked at last.
    """
    body = next((at for at, (_, text) in enumerate(sized) if _BODY.match(text)), len(sized))
    return _largest_of(sized[:body]) or _largest_of(sized)


def _largest_of(sized: list[tuple[float, str]]) -> str:
    parts: dict[float, list[str]] = {}
    for size, part in sized:
        parts.setdefault(size, []).append(part)
    for size in sorted(parts, reverse=True):
        text = " ".join(" ".join(parts[size]).split())
        letters = sum(char.isalpha() for char in text)
        if 10 <= letters <= 300 and not text.lower().startswith("arxiv:"):
            return text
    return ""
