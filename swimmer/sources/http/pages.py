"""Pages kept on disk: what was fetched once is asked for again only by its validators."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swimmer.files import write_file

LISTING_LIFE = 3 * 86_400.0
"""Seconds for which the pages of an interrupted listing are still the same listing."""


@dataclass(frozen=True)
class Page:
    """One answer of a publisher.

    Args:
        url: the address that was asked for.
        body: the content, decompressed.
        headers: `etag`, `last-modified` and `content-type`, where the publisher sent them.
        checked: when the publisher last said that this is the content, seconds of the epoch.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    checked: float


class PageCache:
    """A folder of pages, one file each, written whole or not at all.

    Args:
        folder: where the files lie; it is made with the first page. None keeps nothing.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self._folder = Path(folder) if folder is not None else None

    def get(self, key: str) -> Page | None:
        """Return the page kept under `key`; a damaged file counts as absent."""
        if self._folder is None:
            return None
        path = self._path(key)
        try:
            head, _, packed = path.read_bytes().partition(b"\n")
            about = json.loads(head)
            body = zlib.decompress(packed)
            if hashlib.sha256(body).hexdigest() != about["sha256"]:
                return None
            return Page(about["url"], body, about["headers"], path.stat().st_mtime)
        except (OSError, ValueError, KeyError, TypeError, zlib.error):
            return None

    def put(self, key: str, page: Page) -> None:
        """Keep a page; a reader beside sees the old one or the new one, never a part."""
        if self._folder is None:
            return
        digest = hashlib.sha256(page.body).hexdigest()
        about = {"url": page.url, "headers": dict(page.headers), "sha256": digest}
        content = json.dumps(about).encode() + b"\n" + zlib.compress(page.body, 3)
        _write(self._path(key), content)
        os.utime(self._path(key), (page.checked, page.checked))

    def confirm(self, key: str, when: float) -> None:
        """Note that the publisher said the page is unchanged."""
        if self._folder is not None and self._path(key).exists():
            os.utime(self._path(key), (when, when))

    def listing_begun(self, name: str, now: float | None = None) -> float:
        """Return when the unfinished listing of this name began, or begin one."""
        now = time.time() if now is None else now
        if self._folder is None:
            return now
        marker = self._marker(name)
        try:
            begun = float(marker.read_text(encoding="ascii"))
            if now - LISTING_LIFE < begun <= now:
                return begun
        except (OSError, ValueError):
            pass
        _write(marker, repr(now).encode("ascii"))
        return now

    def listing_done(self, name: str) -> None:
        """Forget the listing's marker: the next fetch asks for every page again."""
        if self._folder is not None:
            self._marker(name).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / key[:2] / key

    def _marker(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"unfinished-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # What a power cut takes is fetched again; waiting for the disk would slow every page down.
    write_file(path, content, flush=False)
