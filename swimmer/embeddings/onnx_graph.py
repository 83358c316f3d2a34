"""What an ONNX file names: its files of external data and the operators it needs.

Read from the bytes of the file (ONNX IR specification, `onnx.proto`; Protocol Buffers encoding),
before anything else reads it: a file may come from a stranger.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from swimmer.errors import ModelError

BUILT_IN = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""The domains whose operators ONNX Runtime has itself."""

DEPTH = 16
"""Graphs inside graphs, at most; exported models have two or three."""

MOST_FIELDS = 2_000_000
"""Fields of a file that are read, at most: seconds; models of 24 layers have some 20,000."""

LONGEST_NAME = 4096
"""Bytes of a name, at most."""

AGAIN = "download the model again"

# The fields of onnx.proto that lead to tensors and to operators, by message.
_MODEL = {7: "graph", 25: "function"}
_GRAPH = {1: "node", 5: "tensor", 15: "sparse"}
_FUNCTION = {7: "node"}
_NODE = {5: "attribute"}
_ATTRIBUTE = {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"}
_SPARSE = {1: "tensor", 2: "tensor"}
_INNER = {
    "model": _MODEL,
    "graph": _GRAPH,
    "function": _FUNCTION,
    "node": _NODE,
    "attribute": _ATTRIBUTE,
    "sparse": _SPARSE,
    "tensor": {},
}


@dataclass(frozen=True)
class ExternalData:
    """Where the numbers of a tensor are: a file beside the ONNX file, and a part of it in bytes.

    A `length` of 0 is the rest of the file.
    """

    location: str
    offset: int
    length: int


@dataclass
class OnnxGraph:
    """What an ONNX file names.

    `external` holds the tensors that are kept in other files, `domains` those of its operators,
    `own_domains` those of the functions that it defines itself, `fields` how many parts were read.
    """

    external: list[ExternalData] = field(default_factory=list)
    domains: set[str] = field(default_factory=set)
    own_domains: set[str] = field(default_factory=set)
    fields: int = 0

    @property
    def locations(self) -> list[str]:
        """The files of external data, each once, as the file writes them."""
        return list(dict.fromkeys(data.location for data in self.external))

    @property
    def custom_domains(self) -> list[str]:
        """The domains of operators that neither ONNX Runtime nor the file itself defines."""
        return sorted(self.domains - self.own_domains - BUILT_IN)


def read_graph(path: Path) -> OnnxGraph:
    """Return what an ONNX file names; its tensors are passed over, not read.

    Raises:
        ModelError: the file cannot be read, or is not an ONNX file.
    """
    graph = OnnxGraph()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _walk(data, 0, len(data), "model", graph, 0)
    except (OSError, ValueError, IndexError) as error:
        raise ModelError(f"{path}: is not a whole ONNX file ({error})", hint=AGAIN) from None
    return graph


def _walk(data: mmap.mmap, start: int, end: int, kind: str, graph: OnnxGraph, depth: int) -> None:
    if depth > 4 * DEPTH:
        raise ValueError("graphs are nested too deep")
    inner, entries, domain = _INNER[kind], [], ""
    for number, first, last in _fields(data, start, end):
        graph.fields += 1
        if graph.fields > MOST_FIELDS:
            raise ValueError(f"it has more than {MOST_FIELDS:,} parts")
        if number in inner:
            _walk(data, first, last, inner[number], graph, depth + 1)
        elif kind == "tensor" and number == 13:
            entries.append((first, last))
        elif (kind, number) in {("node", 7), ("function", 10)}:
            domain = _text(data, first, last)
    if kind == "node":
        graph.domains.add(domain)
    elif kind == "function":
        graph.own_domains.add(domain)
    elif entries:
        graph.external.append(_external([_pair(data, *entry) for entry in entries]))


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number and the bounds of each field of a message that has a length."""
    at = start
    while at < end:
        tag, at = _varint(data, at, end)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(data, at, end)
        elif kind == 2:
            size, at = _varint(data, at, end)
            if size > end - at:
                raise ValueError("a part is cut off")
            yield tag >> 3, at, at + size
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"byte {at} is no field of Protocol Buffers")
    if at != end:
        raise ValueError("a part is cut off")


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError(f"a number at byte {at} is cut off")


def _text(data: mmap.mmap, first: int, last: int) -> str:
    if last - first > LONGEST_NAME:
        raise ValueError(f"a name has more than {LONGEST_NAME:,} bytes")
    return data[first:last].decode("utf-8", "strict")


def _pair(data: mmap.mmap, first: int, last: int) -> tuple[str, str]:
    """The key and the value of an entry (StringStringEntryProto)."""
    found = {number: _text(data, *bounds) for number, *bounds in _fields(data, first, last)}
    return found.get(1, ""), found.get(2, "")


def _external(pairs: list[tuple[str, str]]) -> ExternalData:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        # Whoever loads the file might take the other one.
        raise ValueError("external data are named twice")
    offset, length = int(entries.get("offset") or 0), int(entries.get("length") or 0)
    if offset < 0 or length < 0:
        raise ValueError("external data begin or end before their file does")
    return ExternalData(entries.get("location", ""), offset, length)
