"""Where stores live: from a name or path to a folder, and the list of all there are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swimmer.errors import StoreError, StoreNotFoundError
from swimmer.store.manifest import MANIFEST, Manifest

STORES = "vectorstores"
SAMPLE = "sample"
STORE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""The pattern of a store's name."""


def is_milvus(store: object) -> bool:
    """Return whether a name of a store is an address of Milvus (`MilvusAddress`)."""
    return isinstance(store, str) and store[:7].lower() in ("milvus:", "milvus+")


@dataclass(frozen=True)
class StoreInfo:
    """A store found on disk: its manifest, or what keeps it from being read."""

    name: str
    folder: Path
    manifest: Manifest | None
    problem: str = ""


def bundled_sample() -> Path:
    """Return the folder of the sample store: inside the package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / STORES / SAMPLE
    return inside if inside.is_dir() else package.parent / STORES / SAMPLE


def roots() -> list[Path]:
    """Return the folders in which a store is looked for by name, in order.

    `$SWIMMER_HOME/vectorstores`, `./vectorstores`, the user's data folder.
    """
    found = []
    if home := os.environ.get("SWIMMER_HOME"):
        found.append(Path(home).expanduser() / STORES)
    found.append(Path(STORES))
    found.append(_user_root())
    return found


def _user_root() -> Path:
    from platformdirs import user_data_path

    return user_data_path("swimmer", appauthor=False) / STORES


def user_folder() -> Path:
    """Return where the user's own files are kept: `$SWIMMER_HOME`, else the user's data folder."""
    home = os.environ.get("SWIMMER_HOME")
    return Path(home).expanduser() if home else _user_root().parent


def find_store(name: str | Path) -> Path:
    """Return the folder of a store, given by path or by name.

    Raises:
        StoreNotFoundError: there is none; the message lists those there are, near names first.
    """
    text = str(name)
    folder = Path(text).expanduser()
    # A bare word is a name first: a folder `iclr2025` that is no store must not hide the store.
    if folder.name != text or text in (".", ".."):
        if _holds_store(folder):
            return folder
        if folder.is_dir():
            Manifest.read(folder)
        raise StoreNotFoundError(
            f"{text}: no such folder", hint="give the folder or the name of a store"
        )
    if not re.fullmatch(STORE_NAME, text):
        raise StoreNotFoundError(
            f"{text[:80]!r} is not a store's name", hint="use letters, digits, '-', '_', '.'"
        )
    for root in roots():
        if _holds_store(root / text):
            return root / text
    if _holds_store(folder):
        return folder
    if text == SAMPLE:
        return bundled_sample()
    raise _not_found(text)


def _holds_store(folder: Path) -> bool:
    # Whatever lies there: a manifest that is a link or a device is refused by name, not hidden.
    return os.path.lexists(folder / MANIFEST)


def _not_found(name: str) -> StoreNotFoundError:
    for root in roots():
        if (root / name).is_dir():
            return StoreNotFoundError(
                f"{root / name} has no {MANIFEST}: its build has not finished",
                hint="start the same build again; it resumes",
            )
    names = [info.name for info in list_stores()]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    if near:
        hint = f"did you mean {' or '.join(near)}? List your stores: swimmer list"
    elif names:
        hint = f"there is {', '.join(names)}. Build one: swimmer build SOURCE --name NAME"
    else:
        hint = "build one: swimmer build SOURCE --name NAME"
    return StoreNotFoundError(f"no store named {name!r}", hint=hint)


def target_folder(name: str | Path) -> Path:
    """Return the folder that a build under `name` writes: the store's own if it exists.

    Raises:
        StoreError: the name is not one that a folder can have.
    """
    text = str(name)
    if Path(text).name != text or text in (".", ".."):
        return Path(text).expanduser()
    if not re.fullmatch(STORE_NAME, text):
        raise StoreError(
            f"{text[:80]!r} cannot be a store's name",
            hint="use letters, digits, '-', '_', '.'",
        )
    for root in roots():
        if _holds_store(root / text):
            return root / text
    return roots()[0] / text


def list_stores() -> list[StoreInfo]:
    """Return every store that can be found by name, in the order in which names resolve."""
    return [describe_store(name, folder) for name, folder in store_folders().items()]


def store_folders() -> dict[str, Path]:
    """Return the folder of every store that can be found by name, in that order."""
    found: dict[str, Path] = {}
    for folder in _candidates():
        found.setdefault(folder.name, folder)
    return found


def readable_stores() -> list[StoreInfo]:
    """Return the stores of `list_stores` whose manifest is good; the log names the others."""
    found = list_stores()
    for info in found:
        if info.manifest is None:
            import logging

            logging.getLogger(__name__).warning(
                "the store %s is left out: %s", info.name, info.problem
            )
    return [info for info in found if info.manifest is not None]


def _candidates() -> Iterator[Path]:
    for root in roots():
        try:
            yield from sorted(p for p in root.iterdir() if _holds_store(p))
        except OSError:
            continue
    if _holds_store(bundled_sample()):
        yield bundled_sample()


def describe_store(name: str, folder: Path) -> StoreInfo:
    """Return what is known of a store: its manifest, or why that cannot be read."""
    try:
        return StoreInfo(name, folder, Manifest.read(folder))
    except StoreError as error:
        return StoreInfo(name, folder, None, error.full_text)
