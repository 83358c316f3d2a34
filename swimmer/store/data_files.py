"""The two data files of a store, opened together: papers and vectors of one state."""

from __future__ import annotations

import hashlib
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from swimmer.errors import REBUILD, StoreDamagedError, StoreError
from swimmer.files import open_plain
from swimmer.store.database import PaperDatabase
from swimmer.store.folder import check_files
from swimmer.store.index_file import flat_codes
from swimmer.store.manifest import Manifest

if TYPE_CHECKING:
    from swimmer.store.index import VectorIndex

_ATTEMPTS = 3


class DataFiles:
    """One state of a store: its manifest, its papers and its vectors.

    The file of the vectors is open from the start, so that it can be read once it was replaced;
    it is mapped, and numpy and FAISS are loaded, when the vectors are first asked for.
    """

    def __init__(self, manifest: Manifest, database: PaperDatabase, folder: Path) -> None:
        self.manifest = manifest
        self.database = database
        self._path = folder / manifest.index.name
        self._held: BinaryIO | None = open_plain(self._path)
        weakref.finalize(self, self._held.close)
        self._index: VectorIndex | None = None
        self._lock = threading.Lock()

    @property
    def index(self) -> VectorIndex:
        """The vectors, mapped.

        Raises:
            StoreDamagedError: the file is not the index that the manifest describes.
        """
        with self._lock:
            if self._index is None:
                self._index = _open_index(self._path, self.manifest, self._held)
                self._let_go()
            return self._index

    def check_vectors(self) -> None:
        """Compare vectors with the digests in the manifest, where the file can be read unmapped.

        Raises:
            StoreDamagedError: they are others.
        """
        assert self._held is not None
        manifest = self.manifest
        rows = [int(row) for row in manifest.probes]
        for row, code in flat_codes(
            self._path,
            self._held,
            manifest.papers,
            manifest.model.dimension,
            manifest.vectors,
            rows,
        ):
            if digest_of_code(code) != manifest.probes[str(row)]:
                raise _other_vectors(self._path)

    def close(self) -> None:
        """Close both files."""
        self.database.close()
        with self._lock:
            self._let_go()
            if self._index is not None:
                self._index.close()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
        self._held = None


def open_data_files(folder: Path, manifest: Manifest, *, follow: bool = True) -> DataFiles:
    """Open both data files that a manifest names, so that they can be read when it is replaced.

    Args:
        folder: the folder of the store.
        manifest: its manifest, as it was read a moment ago.
        follow: whether the newest manifest is taken when a writer has replaced the files since.

    Raises:
        StoreDamagedError: a file is missing, or is not the one that the manifest describes.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return _open(folder, manifest)
        except (StoreError, FileNotFoundError) as error:
            current = Manifest.read(folder)
            replaced = current.generation != manifest.generation
            if not (follow and replaced) or attempt == _ATTEMPTS - 1:
                raise _missing(error) from None
            manifest = current
    raise AssertionError("unreachable")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder whose data files are there, as long as it says.

    Raises:
        StoreNotFoundError, StoreDamagedError: as `Manifest.read` and `check_files` do.
    """
    for attempt in range(_ATTEMPTS):
        manifest = Manifest.read(folder)
        try:
            check_files(folder, manifest)
        except FileNotFoundError as error:
            # A writer may have replaced the files since the manifest was read.
            if attempt == _ATTEMPTS - 1:
                raise _missing(error) from None
        else:
            return manifest
    raise AssertionError("unreachable")


def digest_of_code(code: bytes) -> str:
    """Return the short digest of what an index keeps of a vector, 16 hexadecimal digits."""
    return hashlib.blake2b(code, digest_size=8).hexdigest()


def _missing(error: StoreError | FileNotFoundError) -> StoreError:
    if isinstance(error, StoreError):
        return error
    return StoreDamagedError(
        f"{error.filename}: is missing though the manifest names it", hint=REBUILD
    )


def _open(folder: Path, manifest: Manifest) -> DataFiles:
    check_files(folder, manifest)
    database = PaperDatabase.open(folder / manifest.database.name, manifest.papers)
    try:
        if database.meta("generation") != manifest.generation:
            raise StoreDamagedError(
                f"{database.path}: belongs to another store than {folder}", hint=REBUILD
            )
        files = DataFiles(manifest, database, folder)
    except BaseException:
        database.close()
        raise
    try:
        files.check_vectors()
    except BaseException:
        files.close()
        raise
    return files


def _open_index(path: Path, manifest: Manifest, held: BinaryIO | None) -> VectorIndex:
    import numpy as np

    from swimmer.store.indexes import open_index

    index = open_index(path, manifest.papers, manifest.model.dimension, held, manifest.vectors)
    rows = np.array([int(row) for row in manifest.probes], np.int64)
    for code, digest in zip(index.codes(rows), manifest.probes.values(), strict=True):
        if digest_of_code(code) != digest:
            raise _other_vectors(path)
    return index


def _other_vectors(path: Path) -> StoreDamagedError:
    return StoreDamagedError(
        f"{path}: its vectors are not those that the manifest describes", hint=REBUILD
    )
