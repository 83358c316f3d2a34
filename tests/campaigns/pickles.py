"""Pickles as LangChain's FAISS saves them, and as an attacker would: none runs, none ends us."""

from __future__ import annotations

import contextlib
import pickle
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from swimmer.errors import SwimmerError
from swimmer.langchain.community import import_langchain_faiss

from ..models import HashEmbeddings
from .flips import damaged
from .runner import Campaign

_STRINGS = [
    "os",
    "system",
    "builtins",
    "eval",
    "exec",
    "__import__",
    "posix",
    "subprocess",
    "Popen",
    "langchain_core.documents.base",
    "Document",
    "langchain_community.docstore.in_memory",
    "InMemoryDocstore",
    "_dict",
    "page_content",
    "metadata",
    "__dict__",
    "0",
    "touch canary",
]


class Pickles(Campaign):
    """An `index.pkl`: an honest one damaged, or any sequence of a pickle's instructions."""

    name = "pickles"
    about = "pickles beside a FAISS index: no code, signal, hang, or memory beyond 3 GB"

    def prepare(self) -> None:
        from langchain_community.docstore.in_memory import InMemoryDocstore
        from langchain_core.documents import Document

        documents = {
            f"d{n}": Document(page_content=f"text {n}", metadata={"n": n, "tags": ["a", "b"]})
            for n in range(3)
        }
        for protocol in (2, 4, 5):
            docstore = InMemoryDocstore(documents)
            honest = pickle.dumps((docstore, dict(enumerate(documents))), protocol)
            (self.work / f"honest-{protocol}").write_bytes(honest)

    def trial(self, chance: random.Random, folder: Path) -> None:
        vectors = np.eye(8, dtype="<f4")[:3]
        header = struct.pack("<4siqqqBi", b"IxF2", 8, 3, 1 << 20, 1 << 20, 1, 1)
        (folder / "index.faiss").write_bytes(
            header + struct.pack("<Q", vectors.size) + vectors.tobytes()
        )
        honest = (self.work / f"honest-{chance.choice([2, 4, 5])}").read_bytes()
        content = chance.choice(MADE)(chance, honest)
        (folder / "index.pkl").write_bytes(content)
        with contextlib.suppress(SwimmerError):
            import_langchain_faiss(folder, HashEmbeddings(8))


def invented(chance: random.Random, honest: bytes) -> bytes:
    """Return a pickle that has nothing of an honest one."""
    return program(chance)


def spliced(chance: random.Random, honest: bytes) -> bytes:
    """Put instructions into an honest pickle."""
    at = chance.randrange(2, len(honest))
    return honest[:at] + program(chance, chance.randrange(1, 8)) + honest[at:]


def program(chance: random.Random, length: int | None = None) -> bytes:
    """Return instructions at random, most of them with arguments that fit."""
    parts = [b"\x80\x04"] if length is None else []
    for _ in range(length or chance.choice([5, 20, 200])):
        parts.append(_instruction(chance))
    if chance.random() < 0.05:
        nest = chance.choice([b"\x85", b"(", b"]", b"]a", b"}", b"\x8f", b")"])
        parts.append(nest * chance.choice([1000, 300_000]))
    return b"".join([*parts, b"."] if length is None else parts)


def _instruction(chance: random.Random) -> bytes:
    word = chance.choice(_STRINGS).encode()
    number = chance.choice([0, 1, 255, 1 << 31, 1 << 62, chance.getrandbits(40)])
    choices: list[Any] = [
        b"(",
        b")",
        b"}",
        b"]",
        b"\x8f",
        b"N",
        b"\x88",
        b"\x89",
        b"0",
        b"1",
        b"2",
        b"t",
        b"\x85",
        b"\x86",
        b"\x87",
        b"l",
        b"d",
        b"s",
        b"u",
        b"a",
        b"e",
        b"\x90",
        b"\x91",
        b"\x93",
        b"\x94",
        b"R",
        b"o",
        b"b",
        b"\x81",
        b"\x92",
        b"Q",
        b".",
        b"\x97",
        b"\x98",
        b"\x8c" + bytes([len(word)]) + word,
        b"X" + struct.pack("<I", len(word)) + word,
        b"c" + word + b"\n" + chance.choice(_STRINGS).encode() + b"\n",
        b"i" + word + b"\n" + chance.choice(_STRINGS).encode() + b"\n",
        b"P" + word + b"\n",
        b"V" + word + b"\n",
        b"I" + str(number).encode() + b"\n",
        b"K" + bytes([number & 255]),
        b"J" + struct.pack("<i", (number & 0xFFFF) - 9),
        b"\x8a" + bytes([9]) + (number * (2**61 - 1) % 2**70).to_bytes(9, "little"),
        b"\x8b" + struct.pack("<I", number & 0xFFFFFFFF),
        b"G" + struct.pack(">d", number / 3),
        b"\x8e" + struct.pack("<Q", number),
        b"\x96" + struct.pack("<Q", number),
        b"\x8d" + struct.pack("<Q", number),
        b"B" + struct.pack("<I", number & 0xFFFFFFFF),
        b"\x95" + struct.pack("<Q", number),
        b"q" + bytes([number & 255]),
        b"r" + struct.pack("<I", number & 0xFFFFFFFF),
        b"h" + bytes([number & 7]),
        b"j" + struct.pack("<I", number & 0xFF),
        b"\x82" + bytes([number & 255]),
    ]
    return bytes(chance.choice(choices))


MADE: list[Callable[[random.Random, bytes], bytes]] = [damaged, spliced, invented]
"""The ways to make a pickle out of an honest one."""
