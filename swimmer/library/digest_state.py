"""What digests have shown: one JSON file, written whole and under a lock."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from swimmer.errors import StoreError
from swimmer.files import read_bounded, target_of, write_file
from swimmer.library.damaged import set_aside
from swimmer.store import user_folder

FILE = "digests.json"
SCHEMA = 1
MOST_SHOWN = 5_000
"""Titles that are remembered for a digest; the oldest are forgotten."""

FILE_LIMIT = 64 << 20
LOCK_SECONDS = 60.0


@dataclass
class DigestMemory:
    """What the digests of one library have shown.

    Attributes:
        last: when the last one was made, None before the first.
        seen: for each store, until when its papers have been looked at.
        shown: the titles that were shown, by title key, with the day; the oldest first.
    """

    last: datetime | None = None
    seen: dict[str, datetime] = field(default_factory=dict)
    shown: dict[str, tuple[str, str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "last": None if self.last is None else self.last.isoformat(),
            "seen": {name: when.isoformat() for name, when in self.seen.items()},
            "shown": [
                {"key": key, "title": title, "day": day}
                for key, (title, day) in [*self.shown.items()][-MOST_SHOWN:]
            ],
        }

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> DigestMemory:
        """Return what JSON-able values say.

        Raises:
            KeyError, TypeError, ValueError: they are not what `to_dict` gives.
        """
        return cls(
            None if raw["last"] is None else _time(raw["last"]),
            {str(name): _time(when) for name, when in dict(raw["seen"]).items()},
            {str(one["key"]): (str(one["title"]), str(one["day"])) for one in raw["shown"]},
        )


class DigestState:
    """The file of all digests. A damaged one is renamed, never overwritten; `problem` says so."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_folder() / FILE
        self.problem = ""

    @contextlib.contextmanager
    def remembering(self, name: str) -> Iterator[DigestMemory]:
        """Give the memory of one digest; what is changed in the block is kept at its end.

        Another process waits meanwhile. Nothing is kept when the block fails.

        Raises:
            StoreError: the file cannot be read or written, a later version wrote it, or another
                process is at it for too long.
        """
        from filelock import FileLock, Timeout

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path.with_suffix(".lock"), timeout=LOCK_SECONDS)
            lock.acquire()
        except Timeout:
            raise StoreError(
                f"{self.path}: another digest has been at work for {LOCK_SECONDS:.0f} seconds",
                hint="try again",
            ) from None
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            memories = self._read()
            memory = memories.setdefault(name, DigestMemory())
            yield memory
            raw = {
                "schema": SCHEMA,
                "digests": {key: one.to_dict() for key, one in memories.items()},
            }
            try:
                text = json.dumps(raw, ensure_ascii=False, indent=1)
                write_file(target_of(self.path), text.encode("utf-8", "replace"))
            except OSError as error:
                raise self._unwritable(error) from None
        finally:
            lock.release()

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self.path}: cannot be written ({error.strerror or error})",
            hint="make room, or check the rights of the folder",
        )

    def _read(self) -> dict[str, DigestMemory]:
        try:
            raw = json.loads(read_bounded(target_of(self.path), FILE_LIMIT))
            schema = raw["schema"]
            if isinstance(schema, int) and schema > SCHEMA:
                raise StoreError(
                    f"{self.path}: was written by a later version of swimmer (schema {schema})",
                    hint="upgrade with: pip install -U swimmer",
                )
            return {str(k): DigestMemory.read(one) for k, one in dict(raw["digests"]).items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error.strerror})") from None
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            return self._renamed(error)

    def _renamed(self, error: Exception) -> dict[str, DigestMemory]:
        aside = set_aside(self.path, error)
        self.problem = (
            f"what digests have shown could not be read ({type(error).__name__}: "
            f"{str(error)[:200]}); the file is kept as {aside}, and papers may be shown again"
        )
        return {}


def _time(text: object) -> datetime:
    found = datetime.fromisoformat(str(text)[:40])
    if found.tzinfo is None:
        raise ValueError(f"the time {text!r:.40} has no zone")
    return found
