"""The sentences that chat models wrote about papers: one JSON Lines file of the user.

They are kept apart from the stores: the files of a store are named by their digests, are replaced
by an update, and are handed on to others, who should get what the publisher wrote and nothing
else. A sentence belongs to the title and abstract that it was made from: each store that has the
paper shows it, and where the abstract changes it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from swimmer.errors import QueryError, StoreError
from swimmer.files import read_bounded, target_of, write_file
from swimmer.library.locking import writing_alone
from swimmer.library.one_sentence import Summary, one_sentence, shortened
from swimmer.papers import Paper
from swimmer.store import user_folder
from swimmer.text import clean

FILE = "summaries.jsonl"
SCHEMA = 1
FILE_LIMIT = 256 << 20
MODEL_LIMIT = 100
"""Characters of the name of a model."""


def paper_key(paper: Paper) -> str:
    """Return the key of what a sentence is made from: the title and the abstract of a paper."""
    text = f"{paper.key}\n{paper.abstract}".encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=12).hexdigest()


class Summaries:
    """Papers in one sentence: those that a chat model wrote, else `one_sentence`.

    A sentence is a line that is added to the file under a lock, so that what is made is kept when
    the work is interrupted. Lines that cannot be read are passed over; `problem` counts them.
    Threads may share an object; what another process adds is read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_folder() / FILE
        self.problem = ""
        self._stamp: tuple[int, ...] | None = None
        self._found: dict[str, Summary] = {}
        self._lock = threading.RLock()

    def of(self, paper: Paper) -> Summary | None:
        """Return a paper in one sentence, None where it has no abstract.

        Raises:
            StoreError: the file cannot be read.
        """
        return self.written(paper) or one_sentence(paper)

    def written(self, paper: Paper) -> Summary | None:
        """Return what a chat model wrote about a paper, None for nothing; raises as `of`."""
        with self._lock:
            return self._current().get(paper_key(paper))

    def marked(self, paper: Paper) -> Paper:
        """Return a paper with its sentence and where that comes from among its further fields."""
        found = self.of(paper)
        return paper if found is None else paper.marked(**found.to_dict())

    def add(self, paper: Paper, text: str, model: str) -> Summary:
        """Keep a sentence that a model wrote about a paper, in place of an earlier one.

        Raises:
            QueryError: the sentence is blank.
            StoreError: the file cannot be written.
        """
        made = datetime.now(timezone.utc).isoformat(timespec="seconds")
        summary = Summary(shortened(clean(text)), "model", clean(model)[:MODEL_LIMIT], made)
        if not summary.text:
            raise QueryError("the sentence is blank", hint="give a sentence about the paper")
        self._append([_line(paper_key(paper), summary, paper.title)])
        return summary

    def remove(self, papers: Iterable[Paper]) -> int:
        """Remove what models wrote about papers; return how many sentences that were.

        Raises:
            StoreError: the file cannot be written.
        """
        keys = {paper_key(paper) for paper in papers}
        with self._lock:
            held = keys & self._current().keys()
            if held:
                self._append([json.dumps({"schema": SCHEMA, "key": key}) for key in sorted(held)])
            return len(held)

    def _current(self) -> dict[str, Summary]:
        path = target_of(self.path)
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                lines = read_bounded(path, FILE_LIMIT).decode("utf-8", "replace").split("\n")
                self._found, damaged = _read(lines)
                self._stamp = stamp
                self.problem = (
                    f"{self.path}: lines that cannot be read are passed over: {damaged:,}"
                    if damaged
                    else ""
                )
        except FileNotFoundError:
            self._found, self._stamp = {}, None
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{self.path}: cannot be read ({getattr(error, 'strerror', None) or error})",
                hint="see that it is a file and that you may read it, or move it away",
            ) from None
        return self._found

    def _append(self, lines: list[str]) -> None:
        path = target_of(self.path)
        with self._lock, writing_alone(self.path):
            if not path.exists():
                write_file(path, b"")
            with path.open("r+b") as stream:
                end = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, end - 1))
                # A line that was cut off when the disk was full must not spoil the next.
                before = "\n" if end and stream.read(1) != b"\n" else ""
                stream.seek(0, os.SEEK_END)
                stream.write((before + "".join(f"{one}\n" for one in lines)).encode())


def _line(key: str, summary: Summary, title: str) -> str:
    raw = {
        "schema": SCHEMA,
        "key": key,
        "title": title,
        "text": summary.text,
        "model": summary.model,
        "made": summary.made,
    }
    return json.dumps(raw, ensure_ascii=False)


def _read(lines: Iterable[str]) -> tuple[dict[str, Summary], int]:
    """Return the sentences of lines by key, the last one of each, and how many are damaged."""
    found: dict[str, Summary] = {}
    damaged = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            key, summary = _parsed(json.loads(line))
        except (KeyError, TypeError, ValueError, RecursionError):
            damaged += 1
            continue
        if summary is None:
            found.pop(key, None)
        else:
            found[key] = summary
    return found, damaged


def _parsed(raw: Any) -> tuple[str, Summary | None]:
    """Return the key of a line and its sentence, None where it removes one."""
    if not isinstance(raw["key"], str) or raw["schema"] != SCHEMA:
        raise ValueError("a line of another version")
    texts = [raw.get(name, "") for name in ("text", "model", "made")]
    if not all(isinstance(one, str) for one in texts):
        raise TypeError("a text is expected")
    # Somebody may have written the file by hand.
    text, model, made = (clean(one.encode("utf-8", "replace").decode()) for one in texts)
    if not text:
        return raw["key"], None
    return raw["key"], Summary(shortened(text), "model", model[:MODEL_LIMIT], made[:40])
