"""What a received store folder holds, and whether it is safe to ask; its model is not loaded.

Files are listed without following a link, digests are computed, the manifest is checked field by
field, the index by its header, the database by its tables and pages. FAISS and the model's
loader, which believe what a file says, see nothing of it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from swimmer.embeddings import GIVEN, why_untrusted
from swimmer.errors import StoreDamagedError, StoreError, StoreNotFoundError, SwimmerError
from swimmer.files import NotPlainFileError, kind_of
from swimmer.store.database import PaperDatabase
from swimmer.store.folder import LOCK, WORK
from swimmer.store.index_file import checked_index_file
from swimmer.store.manifest import MANIFEST, DataFile, Manifest
from swimmer.store.map_file import MAP, KeptMap

_MOST_ENTRIES = 1_000


@dataclass
class Inspection:
    """What was found in a folder.

    `dangers` are reasons not to ask the store, `notes` what is worth knowing before, `titles` the
    first of its papers.
    """

    folder: Path
    manifest: Manifest | None = None
    dangers: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        """Whether nothing speaks against asking the store."""
        return not self.dangers


def inspect_folder(folder: Path) -> Inspection:
    """Look at everything in a folder that somebody sent, without trusting any of it.

    Raises:
        StoreNotFoundError: the folder is not there, or holds no manifest at all.
    """
    found = Inspection(folder)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)[:_MOST_ENTRIES]
    except OSError as error:
        raise StoreNotFoundError(
            f"{folder}: cannot be listed ({error.strerror or error})",
            hint="give the folder of a store",
        ) from None
    try:
        found.manifest = Manifest.read(folder)
    except StoreNotFoundError:
        raise
    except StoreError as error:
        found.dangers.append(error.full_text)
    _look_at_entries(found, entries)
    if found.manifest is not None:
        _look_at_files(found, found.manifest)
        found.notes += model_notes(found.manifest)
    return found


def _look_at_entries(found: Inspection, entries: list[os.DirEntry[str]]) -> None:
    named = {MANIFEST, LOCK, MAP}
    if found.manifest is not None:
        named |= {found.manifest.database.name, found.manifest.index.name}
    for entry in entries:
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode) and entry.name == WORK:
            found.notes.append(
                f"{WORK}: an unfinished build lies in it, which an update would go on with; delete "
                "it if it is not yours"
            )
        elif not stat.S_ISREG(mode) and (entry.name in named or entry.name == WORK):
            found.dangers.append(f"{entry.name}: is {kind_of(mode)}, expected a file")
        elif entry.name not in named:
            found.notes.append(f"{entry.name}: {kind_of(mode)} that no store needs; it is not read")
        elif entry.name in (LOCK, MAP) and entry.stat(follow_symlinks=False).st_nlink > 1:
            found.dangers.append(f"{entry.name}: is a hard link, expected a file")
    if len(entries) == _MOST_ENTRIES:
        found.notes.append(f"more than {_MOST_ENTRIES:,} entries; the others were not looked at")


def _look_at_files(found: Inspection, manifest: Manifest) -> None:
    whole = True
    for file in (manifest.database, manifest.index):
        try:
            whole &= _is_whole(found, file)
        except NotPlainFileError:
            whole = False
        except OSError as error:
            found.dangers.append(f"{file.name}: cannot be read ({error.strerror or error})")
            whole = False
    if not whole:
        return
    try:
        checked_index_file(
            found.folder / manifest.index.name,
            manifest.papers,
            manifest.model.dimension,
            form=manifest.vectors,
        )
        database = PaperDatabase.open(found.folder / manifest.database.name, manifest.papers)
        try:
            found.dangers += [f"{manifest.database.name}: {said}" for said in database.check()]
            if not found.dangers:
                rows = range(min(3, manifest.papers))
                found.titles = [paper.display_title for paper in database.papers(rows)]
        finally:
            database.close()
    except SwimmerError as error:
        found.dangers.append(error.full_text)
    try:
        KeptMap.read(found.folder / MAP)
    except FileNotFoundError:
        pass
    except StoreDamagedError as error:
        found.notes.append(error.full_text)


def _is_whole(found: Inspection, file: DataFile) -> bool:
    if DataFile.of(found.folder / file.name) == file:
        return True
    found.dangers.append(f"{file.name}: its content is not what the manifest says (SHA-256)")
    return False


def model_notes(manifest: Manifest) -> list[str]:
    """Return what a store would load or fetch, as notes for whoever receives it."""
    notes = []
    name = manifest.model.name
    if name.startswith(GIVEN):
        notes.append(
            f"model: {name.removeprefix(GIVEN)} was an object in Python; words can be asked only "
            "with such an object"
        )
    elif would := why_untrusted(manifest.model):
        notes.append(
            f"model: {would}; that is not done unless you allow it with --trust-model. Titles of "
            "the store and --mode keyword need no model"
        )
    if manifest.source:
        notes.append(f"source: an update would read {manifest.source}")
    return notes
