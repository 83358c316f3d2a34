"""Writes a map to a file: a page or a picture, by the ending of the file's name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.analysis.map.drawing import marked
from swimmer.analysis.map.maps import paper_map
from swimmer.errors import InputError
from swimmer.files import target_of, write_file
from swimmer.progress import Progress
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.retrieval import Answer
    from swimmer.store import PaperStore

ENDINGS = (".html", ".png", ".svg")


def checked_ending(path: str | Path, endings: Sequence[str] = ENDINGS) -> Path:
    """Return the path of a map or picture to write.

    Raises:
        InputError: its ending is not one of those given, or its folder does not exist.
    """
    # os.path: ~name of a user who does not exist is a name like any other, not an error.
    path = Path(os.path.expanduser(path))  # noqa: PTH111
    if path.suffix.lower() not in endings:
        raise InputError(
            f"the file name {printable(str(path))[:80]!r} does not name a format",
            hint=f"use one of the endings {', '.join(endings)}",
        )
    # Checked before the work, not after it.
    if not path.parent.is_dir():
        raise InputError(
            f"{path}: there is no folder {path.parent}", hint="create the folder, or choose another"
        )
    return path


def write_map(
    store: PaperStore,
    path: str | Path,
    answer: Answer | None = None,
    *,
    progress: Progress | None = None,
) -> Path:
    """Write the map of a store as a page (.html) or a picture (.png, .svg); return its path.

    Args:
        store: an open store.
        path: the file; an existing one is replaced completely or not at all.
        answer: an answer of this store, whose query and hits are marked.
        progress: called while the map is computed.

    Raises:
        InputError: the ending is unknown, the file cannot be written, or there are too few papers.
        MissingExtraError: the libraries of the map are not installed.
    """
    path = checked_ending(path)
    drawn = paper_map(store, progress=progress)
    found = None if answer is None else marked(store, drawn, answer)
    suffix = path.suffix.lower()
    if suffix == ".html":
        from swimmer.analysis.map.page import map_page

        content = map_page(store, drawn, found).encode()
    else:
        from swimmer.analysis.map.picture import map_figure, picture

        title = f"{store.name}: {len(drawn):,} papers"
        content = picture(map_figure(drawn, found, title=title), suffix[1:])
    _write(path, content)
    return path


def write_picture(path: str | Path, endings: Sequence[str], drawn: Callable[[str], bytes]) -> Path:
    """Write a picture in the format of the file's ending, from `drawn(format)`; return its path.

    Raises:
        InputError: the ending is unknown, or the file cannot be written.
    """
    path = checked_ending(path, endings)
    _write(path, drawn(path.suffix.lower()[1:]))
    return path


def _write(path: Path, content: bytes) -> None:
    try:
        write_file(target_of(path), content)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error})", hint="choose another place"
        ) from None
