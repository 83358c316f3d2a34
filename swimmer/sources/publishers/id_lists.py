"""Papers named by their ids: in the text after the name of a source, or in a file of ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from swimmer.errors import SourceError


def listed_ids(what: str, id_of: Callable[[str], str], example: str) -> list[str]:
    """Return the ids in a text or in a file (`@path`), each once; none if a word of a text is none.

    Words stand apart by spaces or commas; in a file, `#` begins a comment.

    Args:
        what: the text, or `@` and the path of a file.
        id_of: returns the id that a word names, or "".
        example: such an id, for the hint.

    Raises:
        SourceError: the file cannot be read, or a word in it is not an id.
    """
    path = what[1:] if what.startswith("@") else ""
    text = _without_comments(path) if path else what
    words = [word for word in re.split(r"[,\s]+", text) if word]
    ids = [id_of(word) for word in words]
    for word, found in zip(words, ids, strict=True):
        if not found:
            if not path:
                return []
            raise SourceError(
                f"{path}: {word[:60]!r} is not an id",
                hint=f"give ids such as {example}, one a line",
            )
    return list(dict.fromkeys(ids))


def _without_comments(path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path}: cannot be read as a list of ids ({error})",
            hint="give a text file with one id a line",
        ) from None
    return "\n".join(line.partition("#")[0] for line in text.splitlines())
