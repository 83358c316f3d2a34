"""Fetched lists kept as JSON lines, so that a rebuild with another model fetches nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from swimmer.errors import InputError, SourceError
from swimmer.files import replacing, write_file
from swimmer.papers import Paper
from swimmer.sources.base import SkippedRecords, Source, SourceReport

_FIELDS = ("title", "abstract", "url", "id", "venue", "year", "status")
_LISTS = ("authors", "keywords")


class KeptSource:
    """A source whose list is fetched once, and read from disk until it is asked for fresh.

    Args:
        source: what fetches.
        folder: where lists are kept: `<name>-<digest of the origin>.jsonl`, one paper a line, and
            beside it what was left out.
        fresh: fetch even when a list is there; it is replaced once the new one is whole.
        offline: never fetch while a list is there.
    """

    def __init__(
        self, source: Source, folder: Path, *, fresh: bool = False, offline: bool = False
    ) -> None:
        self.name = source.name
        self.origin = source.origin
        self._source = source
        self._fresh = fresh and not offline
        digest = hashlib.sha256(source.origin.encode()).hexdigest()[:12]
        self.path = folder / f"{source.name}-{digest}.jsonl"

    @property
    def kept_since(self) -> str:
        """The day on which the kept list was fetched, or "" when there is none."""
        if not self.path.is_file():
            return ""
        day = datetime.fromtimestamp(self.path.stat().st_mtime, timezone.utc)
        return day.strftime("%Y-%m-%d")

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers of the kept list, or of the publisher, keeping them as they come.

        Raises:
            SourceError: the publisher cannot be asked, or the kept list is damaged.
        """
        if self.path.is_file() and not self._fresh:
            yield from self._kept(report)
            return
        with contextlib.ExitStack() as block:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                stream = block.enter_context(replacing(self.path, flush=False))
            except OSError as error:
                raise SourceError(
                    f"{self.path.parent}: downloaded lists cannot be kept there ({error.strerror})",
                    hint="set SWIMMER_CACHE to a folder that can be written",
                ) from None
            for paper in self._source.papers(report):
                stream.write(json.dumps(paper.to_dict(), ensure_ascii=False).encode() + b"\n")
                yield paper
        about = json.dumps(_report_to_dict(report, self.origin)).encode()
        write_file(self._about, about, flush=False)
        # Within one run the list is now as fresh as it gets.
        self._fresh = False

    def _kept(self, report: SourceReport) -> Iterator[Paper]:
        with self.path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    paper = paper_from_line(line)
                except (ValueError, TypeError, InputError) as error:
                    raise SourceError(
                        f"{self.path}: line {number} is damaged ({error})",
                        hint=f"download the list again with: swimmer build {self.origin} --refresh",
                    ) from None
                report.read += 1
                report.count(paper)
                yield paper
        self._recall(report)

    @property
    def _about(self) -> Path:
        return self.path.with_suffix(".about.json")

    def _recall(self, report: SourceReport) -> None:
        try:
            about = json.loads(self._about.read_text(encoding="utf-8"))
            for reason, entry in about["skipped"].items():
                places = [str(place) for place in entry["places"]]
                report.skipped[str(reason)] = SkippedRecords(int(entry["count"]), places)
                report.read += int(entry["count"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Only what was left out is lost; the papers are all there.
            return


def paper_from_line(line: str) -> Paper:
    """Return the paper that a line of a kept list holds, equal to the one that was written.

    Raises:
        ValueError: the line is no JSON object of a paper.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    named: dict[str, Any] = {name: fields.pop(name) for name in _FIELDS if name in fields}
    named |= {name: tuple(fields.pop(name, ())) for name in _LISTS}
    return Paper(**named, extra=fields)


def _report_to_dict(report: SourceReport, origin: str) -> Mapping[str, Any]:
    skipped = {
        reason: {"count": entry.count, "places": entry.places}
        for reason, entry in report.skipped.items()
    }
    return {"origin": origin, "read": report.read, "skipped": skipped}
