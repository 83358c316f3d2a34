"""Models that only a store names: which of them may be loaded, and the list of those allowed.

A store may come from a stranger, and loading a model reads files that its maker chose. The user
allows such a model once; it is remembered by hub id and revision, or by the digest of its folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swimmer.embeddings.identity import ModelIdentity, split_variant
from swimmer.errors import UntrustedModelError
from swimmer.files import read_bounded, target_of, write_file

FILE = "trusted_models.json"
SCHEMA = 1

_LIMIT = 4 << 20
_MOST_FILES = 10_000
_COMMIT = re.compile(r"[0-9a-f]{40}|")
_log = logging.getLogger(__name__)


def trust_file() -> Path:
    """Return where allowed models are remembered: always in the user's own data folder.

    Not in `$SWIMMER_HOME`, which may be a folder that somebody sent.
    """
    from platformdirs import user_data_path

    return user_data_path("swimmer", appauthor=False) / FILE


def check_trusted(identity: ModelIdentity, where: str, *, trust: bool = False) -> None:
    """Check that a model which only a store names may be loaded.

    Allowed are `static`, `bge-m3`, a Hugging Face model that is in the local cache at the very
    revision, and what `remember_model` has kept. A folder is not even looked at before.

    Args:
        identity: the model, as the manifest names it.
        where: the store, in words.
        trust: the user allows it; it is remembered.

    Raises:
        UntrustedModelError: it may not; the message says what would be loaded.
    """
    would = why_untrusted(identity)
    if not would:
        return
    if trust:
        remember_model(identity.name, identity.revision)
        return
    raise UntrustedModelError(
        f"{where} names the model {identity.name[:300]}, which you have not used before; {would}",
        hint="if you trust the maker of the store, allow it once with --trust-model (in Python: "
        "trust_model=True); titles of the store and --mode keyword need no model",
    )


def why_untrusted(identity: ModelIdentity) -> str:
    """Return what loading a model would do that the user has not allowed, "" when it is allowed."""
    from swimmer.embeddings.model_files import NAMED, is_cached, is_hub_id

    name, revision = split_variant(identity.name)[0], identity.revision
    if name == "static":
        return ""
    ours = {*NAMED, *(named.id for named in NAMED.values())}
    if name in ours and _COMMIT.fullmatch(revision):
        return ""
    folder = Path(name)
    if folder.is_absolute():
        if _remembered_folder(folder):
            return ""
        return f"it would be loaded from the folder {name[:300]}"
    if is_hub_id(name) or name in ours:
        if _hub_entry(name, revision) in _read() or is_cached(name, revision):
            return ""
        at = f" at the revision {revision[:80]}" if revision else ""
        return f"it would be downloaded from the Hugging Face hub{at}"
    # Neither a folder nor an id: there is nothing that could be loaded under this name.
    return ""


def remember_model(name: str, revision: str) -> None:
    """Remember that the user has named or allowed a model; one without a name is passed over.

    A list that cannot be written is reported in the log: the model is then asked about again.
    """
    from swimmer.embeddings.model_files import NAMED, is_hub_id

    name, _ = split_variant(name)
    folder = Path(name)
    if name == "static" or name in NAMED:
        return
    try:
        if folder.is_absolute():
            entry = _folder_entry(folder)
        elif is_hub_id(name):
            entry = _hub_entry(name, revision)
        else:
            return
        _add(entry)
    except (OSError, ValueError) as error:
        _log.warning("%s: the model %s cannot be remembered (%s)", trust_file(), name, error)


# ---------------------------------------------------------------------- the list on disk


def _hub_entry(name: str, revision: str) -> dict[str, Any]:
    return {"name": name, "revision": revision}


def _read() -> list[dict[str, Any]]:
    path = target_of(trust_file())
    try:
        raw = json.loads(read_bounded(path, _LIMIT))
        return [entry for entry in raw["models"] if isinstance(entry, dict)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        _log.warning("%s: cannot be read (%s); no model is allowed by it", path, error)
        return []


def _add(entry: dict[str, Any]) -> None:
    from filelock import FileLock

    path = target_of(trust_file())
    kept = _read()
    if entry in kept:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=10):
        same = ("digest", "name", "revision")
        kept = [e for e in _read() if [e.get(k) for k in same] != [entry.get(k) for k in same]]
        content = {"schema": SCHEMA, "models": [*kept, entry]}
        write_file(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


# ---------------------------------------------------------------------- model folders


def _remembered_folder(folder: Path) -> bool:
    kept = [entry for entry in _read() if "digest" in entry]
    # A name that reaches another machine is not even opened (Windows sends the password along).
    if not kept or str(folder).startswith(("\\\\", "//")):
        return False
    try:
        stamp, size = _stamp(folder)
        if any(e.get("name") == str(folder) and e.get("stamp") == stamp for e in kept):
            return True
        # Reading gigabytes to learn that they are not those is for a folder of that size only.
        if not any(entry.get("bytes") == size for entry in kept):
            return False
        digest = _digest(folder)
        if not any(entry["digest"] == digest for entry in kept):
            return False
        with contextlib.suppress(OSError):
            _add({"name": str(folder), "digest": digest, "bytes": size, "stamp": stamp})
    except (OSError, ValueError):
        return False
    return True


def _folder_entry(folder: Path) -> dict[str, Any]:
    stamp, size = _stamp(folder)
    for entry in _read():
        if entry.get("name") == str(folder) and entry.get("stamp") == stamp:
            return entry
    return {"name": str(folder), "digest": _digest(folder), "bytes": size, "stamp": stamp}


def _files(folder: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    """Yield every file of a model folder: links are followed, as whoever loads it follows them."""
    count = 0
    for at, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(at, name)
            count += 1
            if count > _MOST_FILES:
                raise ValueError(f"{folder}: has more than {_MOST_FILES:,} files")
            yield path.relative_to(folder).as_posix(), path, path.stat()
    if not count:
        raise FileNotFoundError(f"{folder}: holds no file")


def _stamp(folder: Path) -> tuple[str, int]:
    """Return what changes whenever a file of a folder does, and the bytes that they have."""
    digest, size = hashlib.sha256(), 0
    for name, _, found in _files(folder):
        # The time of the last change to the inode cannot be set back, that of the content can.
        about = (
            name,
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )
        digest.update(json.dumps(about).encode())
        size += found.st_size
    return digest.hexdigest(), size


def _digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all files of a folder."""
    from swimmer.files import digest_of

    digest = hashlib.sha256()
    for name, path, _ in _files(folder):
        # What a link in it leads to is what would be loaded.
        digest.update(json.dumps([name, *digest_of(path.resolve())]).encode())
    return digest.hexdigest()
