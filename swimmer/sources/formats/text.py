"""The text of a list: decompressed with a bound, and decoded by the encoding that it has."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from pathlib import Path
from typing import IO, Any

from swimmer.errors import SourceError

SIZE_LIMIT = 4 << 30
"""Bytes of a list once decompressed; a small .gz can unfold to any size."""

_SAMPLE = 1 << 20
_DECLARED = re.compile(
    rb"^%\s?Encoding:\s?([A-Za-z0-9_.-]{2,20})|encoding=[\"']([A-Za-z0-9_.-]{2,20})"
)
_BINARY = {
    b"%PDF": "a PDF; give it to `swimmer related` or `swimmer search`, or export the list as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls); save it as .xlsx or CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"SQLi": "an SQLite database; export the table of papers as CSV",
    b"\x80\x04\x95": "a Python pickle, which is never read; write the list as JSON",
    b"\x80\x05\x95": "a Python pickle, which is never read; write the list as JSON",
    b"BZh": "compressed by bzip2; unpack it first, or compress it with gzip",
    b"\xfd7zX": "compressed by xz; unpack it first, or compress it with gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it first, or compress it with gzip",
}


def refuse_binary(head: bytes, name: str) -> None:
    """Raise SourceError, naming what it is, when a file begins as a known binary format does."""
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            raise SourceError(f"{name}: is {what}")


def open_text(path: Path) -> tuple[IO[str], str]:
    """Open a text file for reading; return it and its encoding, "" for UTF-8.

    It is decompressed when its first bytes say gzip. The encoding is the one that a byte order
    mark or the file's first lines name, UTF-8 where that fits, else the one that its bytes suggest.

    Raises:
        OSError: the file cannot be read.
        SourceError: it is a known format that is no text.
    """
    raw = path.open("rb")
    try:
        return _opened(raw, str(path))
    except BaseException:
        raw.close()
        raise


def _opened(raw: IO[bytes], name: str) -> tuple[IO[str], str]:
    binary: Any = raw
    if raw.read(2) == b"\x1f\x8b":
        raw.seek(0)
        binary = io.BufferedReader(_Bounded(raw, name), 1 << 20)
        sample = binary.peek(_SAMPLE)
        fits = _is_utf8(sample)
    else:
        raw.seek(0)
        sample = raw.read(_SAMPLE)
        refuse_binary(sample, name)
        fits = _is_utf8(sample) and (len(sample) < _SAMPLE or _rest_is_utf8(raw, sample))
        raw.seek(0)
    encoding = encoding_of(sample, fits)
    shown = "" if encoding.startswith("utf-8") else encoding
    return io.TextIOWrapper(binary, encoding=encoding, newline=""), shown


def decode_text(body: bytes) -> tuple[str, str]:
    """Return the text of bytes, and its encoding, "" for UTF-8."""
    encoding = encoding_of(body[:_SAMPLE], _is_utf8(body, whole=True))
    return body.decode(encoding, "replace"), "" if encoding.startswith("utf-8") else encoding


def encoding_of(sample: bytes, utf8: bool) -> str:
    """Return the encoding of a text that begins with `sample`; `utf8` says whether that one fits.

    charset-normalizer tells the scripts of the world apart; a text that is mostly ASCII has too
    little to go by, and is taken for the Windows code page of Western Europe.
    """
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    declared = _DECLARED.search(sample[:2_000])
    if utf8 or not declared:
        return "utf-8-sig" if utf8 else _detected(sample)
    name = (declared[1] or declared[2]).decode("ascii")
    try:
        codec = codecs.lookup(name)
        sample.decode(codec.name)
    except (LookupError, ValueError):
        return _detected(sample)
    return codec.name if codec.name != "utf-8" else _detected(sample)


def _detected(sample: bytes) -> str:
    if b"\x00" in sample:
        return "utf-8-sig"
    high = sum(byte > 127 for byte in sample[:50_000])
    if high > 0.12 * min(len(sample), 50_000) and high >= 20:
        from charset_normalizer import from_bytes

        best = from_bytes(sample[:50_000]).best()
        if best is not None and best.encoding not in ("ascii", "utf_8"):
            return best.encoding
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _is_utf8(sample: bytes, whole: bool = False) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _rest_is_utf8(raw: IO[bytes], sample: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
        while chunk := raw.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Bounded(io.RawIOBase):
    """A gzip file decompressed, with an error once more than SIZE_LIMIT bytes have come out."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name, self._left = file, name, SIZE_LIMIT
        self._stream = gzip.GzipFile(fileobj=file)

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        self._left -= len(chunk)
        if self._left < 0:
            raise SourceError(
                f"{self._name}: is larger than {SIZE_LIMIT >> 30} GiB when unpacked; refused",
                hint="unpack it, cut it into parts and build from those",
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)
