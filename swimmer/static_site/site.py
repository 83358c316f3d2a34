"""Writes a store as a static site: a folder that any web host, or a file, can be opened from."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.errors import InputError
from swimmer.files import kind_of, write_file
from swimmer.papers import venue_and_year
from swimmer.progress import Progress
from swimmer.text import clean_url, printable

if TYPE_CHECKING:
    from swimmer.analysis import PaperMap
    from swimmer.store import PaperStore

PAGE = "index.html"
RECORD = "swimmer-site.json"
"""The files of an export, by which a later one knows what it may replace."""

_PAGE_FOLDER = Path(__file__).parent / "page"
_DESIGN = Path(__file__).parents[1] / "web" / "static" / "swimmer.css"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{((?:[^{}]|\{[^{}]*\})*)\}")
_OWN = re.compile(r"(papers|vectors|model|program|style)-[0-9a-f]{16}\.(js|css)")
_RECORD_LIMIT = 10_000
_PLACES = 10_000
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class ExportedSite:
    """A site that was written: its folder, its files with their bytes, the number of papers."""

    folder: Path
    files: dict[str, int]
    papers: int

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(self.files.values())


def export_site(
    store: PaperStore,
    folder: str | Path,
    *,
    abstracts: bool = True,
    with_map: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportedSite:
    """Write a store as a static site that searches in the browser; return what was written.

    The site works from a web host and from the disk (file://), and asks no other machine. The
    page is written last and names the other files by their content: a reader gets the old site or
    the new one.

    Args:
        store: an open store, built with the static model.
        folder: an empty folder, a new one, or with `overwrite` an earlier site.
        abstracts: whether the abstracts are put in; without them, only titles are shown.
        with_map: whether the map is put in; it needs `swimmer[map]` and 5 papers.
        overwrite: replace an earlier site.
        progress: called during the work.

    Raises:
        InputError: the folder is in use, cannot be written, or the store has another model.
        MissingExtraError: the libraries of the map are not installed.
    """
    from swimmer.analysis import FEWEST, paper_map
    from swimmer.static_site.model_data import (
        model_parts,
        packed,
        packed_json,
        quantised,
        static_model,
    )

    target = check_target(folder, overwrite=overwrite)
    tell = progress or _silent
    tell("reading", 0, None)
    model = static_model(store)
    if not len(store):
        raise InputError(f"the store {printable(store.name)} has no papers")
    with store.reading():
        drawn = None
        if with_map and len(store) >= FEWEST:
            drawn = paper_map(store, progress=progress)
        tell("writing", 0, None)
        vectors = quantised(store.vectors())
        parts = {
            "papers": {"papers": packed_json(_papers(store, drawn, abstracts=abstracts))},
            "vectors": {"vectors": packed(vectors.tobytes())},
            "model": model_parts(store, model),
        }
    files = {}
    for name, values in parts.items():
        text = f"swimmerData({json.dumps(name)}, {json.dumps(values)});\n"
        files[_named(name, "js", text)] = text.encode()
    design = _variables(_DESIGN.read_text(encoding="utf-8"))
    for name, ending, before in (("style", "css", design + "\n"), ("program", "js", "")):
        text = before + (_PAGE_FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
        files[_named(name, ending, text)] = text.encode()
    page = _page(store, {name.partition("-")[0]: name for name in files}).encode()
    _write(target, files, page)
    sizes = {name: len(content) for name, content in files.items()}
    record = (target / RECORD).stat().st_size
    return ExportedSite(target, {PAGE: len(page), **sizes, RECORD: record}, len(store))


def check_target(folder: str | Path, *, overwrite: bool) -> Path:
    """Return the folder of a site to write, after a check that nothing of somebody else is there.

    Raises:
        InputError: it is no folder, holds other files, or an earlier site without `overwrite`.
    """
    target = Path(os.path.expanduser(folder))  # noqa: PTH111 (an unknown ~name is a name)
    shown = printable(str(target))
    try:
        if not os.path.lexists(target):
            if not target.parent.is_dir():
                raise InputError(
                    f"{shown}: there is no folder {printable(str(target.parent))}",
                    hint="create the folder, or choose another",
                )
            return target
        if not target.is_dir():
            what = kind_of(target.lstat().st_mode)
            raise InputError(f"{shown}: is {what}, expected a folder", hint="choose another")
        names = {entry.name for entry in target.iterdir()}
    except OSError as error:
        raise InputError(f"{shown}: {error.strerror}", hint="choose another folder") from None
    if not names:
        return target
    if RECORD not in names or _recorded(target) is None:
        raise InputError(
            f"{shown}: the folder is not empty", hint="choose an empty or a new folder"
        )
    if not overwrite:
        raise InputError(f"{shown}: holds an earlier site", hint="replace it with --overwrite")
    return target


def _silent(stage: str, done: int, total: int | None) -> None:
    return None


def _named(name: str, ending: str, text: str) -> str:
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.{ending}"


def _variables(style: str) -> str:
    """Return the rules of a style that set variables, each inside its @media."""
    found = []
    for prelude, body in _RULE.findall(_COMMENT.sub("", style)):
        selector = prelude.strip()
        if selector == ":root":
            found.append(f":root {{{body}}}")
        elif selector.startswith("@media"):
            inside = [one for one in _RULE.findall(body) if one[0].strip() == ":root"]
            found += [f"{selector} {{ :root {{{rules}}} }}" for _, rules in inside]
    return "\n".join(found)


def _papers(store: PaperStore, drawn: PaperMap | None, *, abstracts: bool) -> dict[str, Any]:
    """Return what a site shows of its papers, by column."""
    papers = list(store)
    found: dict[str, Any] = {
        "title": [paper.display_title for paper in papers],
        "authors": [list(paper.authors) for paper in papers],
        "venue": [venue_and_year(paper) for paper in papers],
        "status": [paper.status for paper in papers],
        "url": [clean_url(paper.url) for paper in papers],
        "abstract": [paper.abstract for paper in papers] if abstracts else [],
    }
    if drawn is not None:
        low = drawn.points.min(axis=0)
        span = max(float((drawn.points.max(axis=0) - low).max()), 1e-9)
        places = ((drawn.points - low) * (_PLACES / span)).astype(int)
        found |= {
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "topic": drawn.labels.tolist(),
            "topics": [
                [
                    topic.name,
                    int((topic.x - low[0]) * _PLACES / span),
                    int((topic.y - low[1]) * _PLACES / span),
                ]
                for topic in drawn.topics
            ],
        }
    return found


def _page(store: PaperStore, files: dict[str, str]) -> str:
    """Return the page; it holds no script and no style, and what it names is its own."""
    template = (_PAGE_FOLDER / PAGE).read_text(encoding="utf-8")
    values = {
        "policy": _POLICY,
        "name": store.name,
        "count": f"{len(store):,}",
        **{key: files[key] for key in ("style", "program", "papers", "vectors", "model")},
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: escape(values[found[1]]), template)


# ---------------------------------------------------------------------- on disk


def _recorded(target: Path) -> list[str] | None:
    """Return the files that an earlier export wrote; None where there was none."""
    path = target / RECORD
    try:
        if path.is_symlink() or path.stat().st_size > _RECORD_LIMIT:
            return None
        names = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(names, list):
        return None
    # What the record names is deleted: only names that an export gives.
    return [name for name in names if isinstance(name, str) and _OWN.fullmatch(name)]


def _write(target: Path, files: dict[str, bytes], page: bytes) -> None:
    """Write a site: the page last, then the files of the one before are deleted."""
    try:
        target.mkdir(exist_ok=True)
        before = set(_recorded(target) or ())
        # Written first: whatever an interrupted export leaves is known to the next one.
        _record(target, before | files.keys())
        for name, content in files.items():
            write_file(target / name, content)
        write_file(target / PAGE, page)
        for name in before - files.keys():
            (target / name).unlink(missing_ok=True)
        _record(target, files.keys())
    except OSError as error:
        raise InputError(
            f"{printable(str(target))}: cannot be written: {error.strerror}",
            hint="choose another folder, or make room",
        ) from None


def _record(target: Path, names: Any) -> None:
    about = {"made_by": "swimmer export-site", "files": sorted(names)}
    write_file(target / RECORD, (json.dumps(about, indent=1) + "\n").encode())
