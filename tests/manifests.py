"""Manifests changed on purpose, sealed again as whoever makes a store by hand would."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from swimmer.store.manifest import MANIFEST, DataFile, sealed


def edit_manifest(folder: Path, **changes: Any) -> dict[str, Any]:
    """Change fields, those of a part with two underscores (`model__name="x"`); return all."""
    fields: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    fields.pop("digest", None)
    for name, value in changes.items():
        *parts, last = name.split("__")
        place = fields
        for part in parts:
            place = place[part]
        place[last] = value
    (folder / MANIFEST).write_bytes(sealed(fields))
    return fields


def seal(folder: Path, **changes: Any) -> None:
    """Let the manifest say what the data files hold now, and change fields besides."""
    fields = edit_manifest(folder)
    for kind in ("database", "index"):
        file = DataFile.of(folder / fields[kind]["name"])
        changes |= {f"{kind}__size": file.size, f"{kind}__sha256": file.sha256}
    edit_manifest(folder, **changes)


LATER_TABLES = (
    "identifiers",
    "short_names",
    "people",
    "people_words",
    "authorships",
    "segments_fts",
    "vocabulary",
    "topics",
    "title_lengths",
)
"""The tables that a database of schema 1 has not."""


def drop_tables(folder: Path, *names: str) -> None:
    """Take tables out of a store's database, as an older version would have written it."""
    fields = edit_manifest(folder)
    with contextlib.closing(sqlite3.connect(folder / fields["database"]["name"])) as connection:
        for name in names:
            connection.execute(f"DROP TABLE {name}")
        connection.commit()
        connection.execute("VACUUM")
    seal(folder)
