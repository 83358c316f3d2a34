"""The file of an index, read by hand before FAISS sees it: only the kinds that are written.

FAISS believes what a file says. Inverted lists "on disk" name another file, which it opens and
maps; a length that is larger than the file ends the process. So the whole structure is compared
with the size of the file first, which costs the reading of a few numbers.

The layout is that of `faiss/impl/index_write.cpp` (little-endian): a header of 37 bytes, then for a
flat index (`IxFI`) the vectors; for an inverted file (`IwFl`) the number of lists and of probes,
a flat index of the centroids, a direct map, the sizes of the lists and the lists themselves. Of
vectors of 16 or 8 bits (`IxSQ`, `IwSq`) the quantiser stands before the codes or the lists.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.files import open_plain
from swimmer.store.vector_formats import COMPONENT_SIZE, FLOAT32, INT8, QUANTISER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLAT, INVERTED = b"IxFI", b"IwFl"
QUANTISED, QUANTISED_LISTS = b"IxSQ", b"IwSq"

# Kind, dimension, vectors, two reserved numbers, whether it is trained, metric (0: inner product).
_HEADER = struct.Struct("<4siqqq?i")
_LISTS = struct.Struct("<QQ")
_DIRECT_MAP = struct.Struct("<BQ")
_ARRAY_MAP = 1
_LIST_HEADER = struct.Struct("<4sQQ4sQ")
_MOST_LISTS = 1 << 24
# Kind, form of the range, its argument, dimension, bytes of a code, numbers that were trained.
_QUANTISER = struct.Struct("<iifQQQ")
_RESIDUAL = struct.Struct("<Q?")
_MOST_STEP = 16.0


class IndexFile(NamedTuple):
    """What the file of an index holds.

    `list_sizes` is the number of vectors of each inverted list, int64 (lists,), None for a flat
    index.
    """

    list_sizes: NDArray[np.int64] | None


def checked_index_file(
    path: Path,
    rows: int,
    dimension: int,
    opened: BinaryIO | None = None,
    form: str = FLOAT32,
) -> IndexFile:
    """Check that a file is an index as swimmer writes it, whole and not longer.

    Args:
        path: a plain file.
        rows: the vectors that it must hold.
        dimension: the components of each.
        form: how they must be kept, one of `vector_formats.FORMATS`.
        opened: the file, where it is open already and may have lost its name; it stays open.

    Raises:
        StoreDamagedError: it is not; the message says in what it differs.
        OSError: it cannot be read.
    """
    with contextlib.nullcontext(opened) if opened is not None else open_plain(path) as stream:
        stream.seek(0)
        try:
            return _checked(stream, os.fstat(stream.fileno()).st_size, rows, dimension, form)
        except (ValueError, struct.error) as error:
            raise StoreDamagedError(
                f"{path}: is not an index as swimmer writes it ({error})", hint=REBUILD
            ) from None


def is_flat(path: Path, opened: BinaryIO | None = None) -> bool:
    """Return whether a file says that it is a flat index of float32; nothing else is checked.

    `opened` is the file, where it is open already. Raises OSError when it cannot be read.
    """
    with contextlib.nullcontext(opened) if opened is not None else open_plain(path) as stream:
        stream.seek(0)
        return stream.read(len(FLAT)) == FLAT


def flat_codes(
    path: Path, opened: BinaryIO, rows: int, dimension: int, form: str, wanted: Iterable[int]
) -> Iterator[tuple[int, bytes]]:
    """Yield rows of a flat index with the bytes that are kept of each; none of an inverted file.

    Raises:
        StoreDamagedError: the file is no such index.
    """
    opened.seek(0)
    if opened.read(4) in (INVERTED, QUANTISED_LISTS):
        return
    checked_index_file(path, rows, dimension, opened, form)
    start, size = opened.tell(), COMPONENT_SIZE[form] * dimension
    for row in wanted:
        opened.seek(start + size * row)
        yield row, opened.read(size)


def _checked(stream: BinaryIO, size: int, rows: int, dimension: int, form: str) -> IndexFile:
    kinds = (FLAT, INVERTED) if form == FLOAT32 else (QUANTISED, QUANTISED_LISTS)
    kind = _check_header(stream, kinds, rows, dimension)
    code = COMPONENT_SIZE[form] * dimension
    if kind == FLAT:
        _check_vectors(stream, rows, dimension)
    elif kind == QUANTISED:
        _check_quantiser(stream, dimension, form)
        _check_count(stream, rows, code, "bytes")
    if kind in (FLAT, QUANTISED):
        _check_end(stream.tell() + rows * code, size)
        return IndexFile(None)
    lists, _ = _LISTS.unpack(stream.read(_LISTS.size))
    if not 0 < lists <= min(_MOST_LISTS, size):
        raise ValueError(f"it has {lists} lists")
    _check_header(stream, (FLAT,), lists, dimension)
    _check_vectors(stream, lists, dimension)
    stream.seek(4 * lists * dimension, os.SEEK_CUR)
    how, mapped = _DIRECT_MAP.unpack(stream.read(_DIRECT_MAP.size))
    if (how, mapped) != (_ARRAY_MAP, rows):
        raise ValueError(f"its direct map is of kind {how} and holds {mapped} of {rows} rows")
    stream.seek(8 * rows, os.SEEK_CUR)
    if kind == QUANTISED_LISTS:
        _check_quantiser(stream, dimension, form)
        said, residual = _RESIDUAL.unpack(stream.read(_RESIDUAL.size))
        if said != code or residual:
            raise ValueError(f"its codes are of {said} bytes, or of differences")
    sizes = _list_sizes(stream, lists, code, rows)
    if int(sizes.sum()) != rows:
        raise ValueError(f"its lists hold {sizes.sum()} of {rows} vectors")
    _check_end(stream.tell() + rows * (code + 8), size)
    return IndexFile(sizes)


def _check_quantiser(stream: BinaryIO, dimension: int, form: str) -> None:
    kind, _, _, d, code, trained = _QUANTISER.unpack(stream.read(_QUANTISER.size))
    if (kind, d, code) != (QUANTISER[form], dimension, COMPONENT_SIZE[form] * dimension):
        raise ValueError(f"its quantiser is of kind {kind}, {code} bytes for {d} dimensions")
    if trained != (2 * dimension if form == INT8 else 0):
        raise ValueError(f"its quantiser has {trained} numbers")
    content = stream.read(4 * trained)
    if not all(-_MOST_STEP <= x <= _MOST_STEP for (x,) in struct.iter_unpack("<f", content)):
        raise ValueError("its quantiser has numbers that no unit vector needs")
    if len(content) != 4 * trained:
        raise ValueError("it ends too early")


def _check_header(stream: BinaryIO, kinds: tuple[bytes, ...], rows: int, dimension: int) -> bytes:
    kind, d, n, _, _, trained, metric = _HEADER.unpack(stream.read(_HEADER.size))
    if kind not in kinds:
        raise ValueError(f"its kind is {kind!r}")
    if (d, n) != (dimension, rows):
        raise ValueError(f"it holds {n} vectors of {d} dimensions, not {rows} of {dimension}")
    if not trained or metric:
        raise ValueError(f"its metric is {metric}")
    return bytes(kind)


def _check_vectors(stream: BinaryIO, rows: int, dimension: int) -> None:
    _check_count(stream, rows, dimension, "numbers")


def _check_count(stream: BinaryIO, rows: int, each: int, what: str) -> None:
    (count,) = struct.unpack("<Q", stream.read(8))
    if count != rows * each:
        raise ValueError(f"it says that {rows} vectors are {count} {what}")


def _list_sizes(stream: BinaryIO, lists: int, size: int, rows: int) -> NDArray[np.int64]:
    import numpy as np

    kind, count, code, form, numbers = _LIST_HEADER.unpack(stream.read(_LIST_HEADER.size))
    if (kind, count, code) != (b"ilar", lists, size):
        raise ValueError(f"its lists are of kind {kind!r}, {count} of {code} bytes a vector")
    if form == b"full" and numbers == lists:
        sizes = _numbers(stream, numbers)
    elif form == b"sprs" and numbers % 2 == 0 and numbers <= 2 * lists:
        pairs = _numbers(stream, numbers).reshape(-1, 2)
        # Each list once, in order, as they are written: none can be longer than it says.
        if len(pairs) and (pairs[:, 0].max() >= lists or not (np.diff(pairs[:, 0]) > 0).all()):
            raise ValueError("its lists are numbered wrongly")
        sizes = np.zeros(lists, np.int64)
        sizes[pairs[:, 0]] = pairs[:, 1]
    else:
        raise ValueError(f"the sizes of its lists are {numbers} numbers of the form {form!r}")
    if not 0 <= sizes.min() <= sizes.max() <= rows:
        raise ValueError("a list is longer than all of them together")
    return sizes


def _numbers(stream: BinaryIO, count: int) -> NDArray[np.int64]:
    import numpy as np

    content = stream.read(8 * count)
    if len(content) != 8 * count:
        raise ValueError("it ends too early")
    numbers = np.frombuffer(content, "<u8")
    if len(numbers) and numbers.max() > 1 << 62:
        raise ValueError("a number of it is too large")
    return numbers.astype(np.int64)


def _check_end(end: int, size: int) -> None:
    if end != size:
        raise ValueError(f"it has {size} bytes, its content {end}")
