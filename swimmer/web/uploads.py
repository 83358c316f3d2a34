"""Files that visitors send to the page: held in memory, read when a page needs them."""

from __future__ import annotations

import contextlib
import re
import secrets
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from swimmer.errors import InputError, MissingExtraError, QueryError, SwimmerError
from swimmer.text import printable

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import Draft, Library, References

LIMIT = 50 << 20
"""Bytes of the files that are sent at once."""

MOST = 5_000
"""Papers of a list that are read."""

FILES = 20
"""Files that are sent at once."""

HELD_FILES, HELD_BYTES = 20, 150 << 20
"""How much is held of what was sent last."""

DRAFTS = (".pdf", ".tex", ".md", ".markdown")
LISTS = (
    *(".bib", ".ris", ".json", ".jsonl", ".csv", ".tsv", ".txt"),
    *(".enw", ".nbib", ".xml", ".yaml", ".yml"),
)
ACCEPTED = (*DRAFTS, *LISTS)
"""The endings of the names of files that are read."""

USES = {
    "near": "Papers near this draft",
    "check": "Check the references",
    "foryou": "For you",
    "plan": "Plan",
}
"""What can be made of a file: the page, and what its button says."""

_DISCARDED = 1 << 30
_FIELDS = 10
_TEXT_LIMIT = 1 << 20
_LONGEST_NAME = 80
_PASTED = "pasted text"
_BIBTEX = re.compile(r"^\s{0,80}@\s{0,9}[A-Za-z]{2,30}\s{0,9}[{(]", re.MULTILINE)
_LATEX = re.compile(r"\\(?:documentclass|begin\{|title\{|section\{)")
_HEADING = re.compile(r"\A\s{0,80}(?:---[ \t]*\n|#[ \t]+\S)")


@dataclass(frozen=True)
class SentFile:
    """One file as it was sent.

    Attributes:
        name: what it is called, to be shown; never used as a path.
        suffix: the ending of its name, one of ACCEPTED.
        body: its bytes.
    """

    name: str
    suffix: str
    body: bytes

    @classmethod
    def of(cls, given: str, body: bytes) -> SentFile:
        """Return a file by the name that its sender gave it.

        Raises:
            QueryError: it is of no kind that is read, or empty.
        """
        name = printable(re.split(r"[/\\]", given)[-1]).strip()[-_LONGEST_NAME:] or "file"
        found = re.search(r"\.[A-Za-z]{1,9}\Z", name)
        suffix = found[0].lower() if found else ""
        if suffix not in ACCEPTED:
            raise QueryError(
                f"{name}: is no kind of file that is read here",
                hint="give a draft as .pdf, .tex or .md, or a list of papers such as .bib or .ris",
            )
        if not body.strip():
            raise QueryError(f"{name}: is empty", hint="choose another file")
        # A compressed file could unpack to any size.
        if suffix != ".pdf" and _is_binary(body):
            raise QueryError(f"{name}: is not text", hint="save it as text, such as .bib")
        return cls(name, suffix, body)

    @classmethod
    def of_text(cls, text: str) -> SentFile:
        """Return pasted text as a file: BibTeX, LaTeX, Markdown or plain text."""
        kinds = ((_BIBTEX, ".bib"), (_LATEX, ".tex"), (_HEADING, ".md"))
        suffix = next((suffix for kind, suffix in kinds if kind.search(text)), ".txt")
        return cls(_PASTED, suffix, text.encode("utf-8", "replace"))


def _is_binary(body: bytes) -> bool:
    start = body[:4096]
    marked = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    return not marked and any(byte < 9 for byte in start)


@dataclass
class Upload:
    """Files that were sent together: a draft with its bibliography, or lists of papers.

    What a page needs is read when it is asked for first, and kept.
    """

    files: Sequence[SentFile]
    made: dict[Any, Any] = field(default_factory=dict)
    """What pages have made of it, by keys of theirs."""

    @property
    def name(self) -> str:
        """What it is called, to be shown."""
        first, *more = (one.name for one in self.files)
        return f"{first} and {len(more)} more" if more else first

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(len(one.body) for one in self.files)

    @property
    def bibtex(self) -> bytes | None:
        """The bytes of its one `.bib` file, None without."""
        found = [one.body for one in self.files if one.suffix == ".bib"]
        return found[0] if len(found) == 1 else None

    @property
    def is_draft(self) -> bool:
        """Whether there is a draft among its files."""
        return self._draft_file is not None

    @property
    def _draft_file(self) -> SentFile | None:
        plain = [one for one in self.files if one.name == _PASTED and one.suffix == ".txt"]
        drafts = [one for one in self.files if one.suffix in DRAFTS]
        return next(iter([*drafts, *plain]), None)

    @cached_property
    def draft(self) -> Draft:
        """The draft, with what it cites.

        Raises:
            QueryError: there is none, or it cannot be read.
            MissingExtraError: it is a PDF, and pypdf is not installed.
        """
        from swimmer.analysis import draft_of_text, read_draft

        file = self._draft_file
        if file is None:
            raise QueryError(
                f"{self.name}: is a list of papers, and no draft",
                hint="use it for “For you”, a plan, or to check the references",
            )
        if file.suffix not in DRAFTS:
            return draft_of_text(file.body.decode())
        with self._on_disk() as paths:
            lists = [path for path in paths if path.suffix == ".bib"]
            place = next(p for p, one in zip(paths, self.files, strict=True) if one is file)
            return read_draft(place, _joined(lists))

    @cached_property
    def references(self) -> References:
        """The references of its lists, or those of them that the draft cites.

        Raises:
            QueryError: there are none, or more than MOST.
            SourceError: a list cannot be read.
        """
        from swimmer.analysis import References, read_references, references_in, references_of

        file = self._draft_file
        lists = [one for one in self.files if one.suffix in LISTS and one is not file]
        if not lists and file is not None and file.suffix not in DRAFTS:
            # What was pasted may be a list of references, or a draft that ends with one.
            text = file.body.decode()
            return references_in(references_of(text) or text)
        if not lists:
            raise QueryError(
                f"{self.name}: comes without a list of its references",
                hint="give the .bib file, alone or together with the .tex file",
            )
        with self._on_disk() as paths:
            wanted = [p for p, one in zip(paths, self.files, strict=True) if one in lists]
            if (
                file is not None
                and file.suffix == ".tex"
                and any(p.suffix == ".bib" for p in paths)
            ):
                at = next(p for p, one in zip(paths, self.files, strict=True) if one is file)
                wanted = [at]
            read = [read_references(path, MOST) for path in wanted]
        papers = [paper for one in read for paper in one.papers]
        if len(papers) > MOST:
            raise QueryError(f"{self.name}: more than {MOST:,} references", hint="give it in parts")
        unreadable = [
            (self._shown(place, paths), reason) for one in read for place, reason in one.unreadable
        ]
        return References(papers, [], unreadable, sum(one.uncited for one in read))

    @cached_property
    def library(self) -> Library:
        """Its papers as a library: those of the lists, else the drafts themselves.

        Raises:
            QueryError, SourceError, MissingExtraError: as `references` and `draft` do.
        """
        from swimmer.analysis import Library, read_draft

        if any(one.suffix in LISTS and one is not self._draft_file for one in self.files):
            read = self.references
            warnings = [f"{place}: {reason}" for place, reason in read.unreadable[:FILES]]
            return Library(self.name, tuple(read.papers), tuple(warnings))
        if len(self.files) == 1:
            return Library(self.name, (self.draft.paper,))
        with self._on_disk() as paths:
            return Library(self.name, tuple(read_draft(path).paper for path in paths))

    @contextlib.contextmanager
    def _on_disk(self) -> Iterator[list[Path]]:
        """Write the files into a folder of their own, under names of our own, and remove it.

        An error that names one of them names it as its sender does.
        """
        with tempfile.TemporaryDirectory(prefix="swimmer-") as folder:
            paths = [
                Path(folder, f"file{number}{one.suffix}")
                for number, one in enumerate(self.files, 1)
            ]
            lists = ",".join(path.stem for path in paths if path.suffix == ".bib")
            for path, one in zip(paths, self.files, strict=True):
                body = one.body
                if one.suffix == ".tex" and lists:
                    # The draft names its bibliography as its author's disk does.
                    body += f"\n\\bibliography{{{lists}}}\n".encode()
                path.write_bytes(body)
            try:
                yield paths
            except MissingExtraError:
                raise
            except SwimmerError as error:
                raise InputError(self._shown(str(error), paths), hint=error.hint) from None

    def _shown(self, text: str, paths: Sequence[Path]) -> str:
        """Return a message with the files called as their sender calls them."""
        for path, one in zip(paths, self.files, strict=True):
            text = text.replace(str(path), one.name).replace(path.name, one.name)
        return text


def _joined(lists: Sequence[Path]) -> Path | None:
    """Return one `.bib` file with what several hold, None for none."""
    if len(lists) < 2:
        return next(iter(lists), None)
    path = lists[0].with_name("all.bib")
    path.write_bytes(b"\n".join(one.read_bytes() for one in lists))
    return path


class Uploads:
    """What was sent last, by tokens that cannot be guessed. Nothing of it is kept on disk."""

    def __init__(self) -> None:
        self._held: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def put(self, upload: Upload) -> str:
        """Hold an upload, in place of the oldest ones where it is too much; return its token."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._held[token] = upload
            while len(self._held) > 1 and (
                len(self._held) > HELD_FILES
                or sum(one.size for one in self._held.values()) > HELD_BYTES
            ):
                del self._held[next(iter(self._held))]
        return token

    def get(self, token: str) -> Upload:
        """Return an upload.

        Raises:
            QueryError: it is not held any more.
        """
        with self._lock:
            found = self._held.pop(token, None)
            if found is not None:
                self._held[token] = found
        if found is None:
            raise QueryError(
                "the file of this page is no longer held: only the last ones are, until the "
                "server ends",
                hint="choose the file again with the button beside the search box",
            )
        return found


class TooLargeError(QueryError):
    """More was sent than LIMIT."""

    def __init__(self) -> None:
        super().__init__(
            f"what was sent is larger than {LIMIT >> 20} MB",
            hint="give a smaller file: the .bib file, or the draft without its figures",
        )


async def read_sent(request: Request) -> tuple[dict[str, str], list[SentFile]]:
    """Return the fields and the files of a form.

    Raises:
        TooLargeError: they are more than LIMIT bytes.
        QueryError: there is no file and no text, or the form cannot be read.
        ClientDisconnect: the browser has disconnected.
    """
    body = request.stream()
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length) > LIMIT:
        await _discard(body)
        raise TooLargeError
    try:
        form = await MultiPartParser(
            request.headers,
            _bounded(body),
            max_files=FILES,
            max_fields=_FIELDS,
            max_part_size=_TEXT_LIMIT,
        ).parse()
    except TooLargeError:
        await _discard(body)
        raise
    except (MultiPartException, KeyError) as error:
        await _discard(body)
        reason = getattr(error, "message", "") or "no files in it"
        raise QueryError(
            f"the form cannot be read ({reason})", hint="choose the file again"
        ) from None
    try:
        fields = {name: one for name, one in form.multi_items() if isinstance(one, str)}
        given = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
        bodies = [(one.filename or "", await one.read()) for one in given if one.filename]
    finally:
        await form.close()
    files = [SentFile.of(name, body) for name, body in bodies]
    text = fields.pop("text", "")
    if not files and text.strip():
        files = [SentFile.of_text(text)]
    if not files:
        raise QueryError("no file was chosen, and no text was given", hint="choose a file")
    return fields, files


async def _bounded(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    total = 0
    async for part in body:
        total += len(part)
        if total > LIMIT:
            raise TooLargeError
        yield part


async def _discard(body: AsyncIterator[bytes]) -> None:
    """Read the rest of a body: a browser shows no answer before it has sent everything."""
    total = 0
    async for part in body:
        total += len(part)
        if total > _DISCARDED:
            return
