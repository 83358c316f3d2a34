"""A draft as a question: its title and abstract found in a PDF, LaTeX or Markdown file.

And what else names papers that no store knows: a `.bib` file, an arXiv or OpenReview address.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.errors import MissingExtraError, QueryError
from swimmer.papers import Paper
from swimmer.text import clean, readable, title_key

if TYPE_CHECKING:
    from swimmer.retrieval import Hit
    from swimmer.store import PaperStore

SIZE_LIMIT = 100 << 20
"""Bytes of a draft that are read."""

PAGES = 80
"""Pages of a PDF in which a bibliography is looked for."""

ENTRIES = 5_000
"""Entries of a `.bib` file that are taken."""

BIB_FILES = 20
"""Files of references that one draft may name."""

LONGEST = 20_000
"""Characters of a draft's title, abstract or front matter that are looked through."""

_SHORTEST_KEY = 12
_HEADING = re.compile(
    r"^[ \t]{0,40}(?:\d{1,3}\.?|[IVX]{1,6}\.)?[ \t]{0,40}"
    r"(?:introduction|keywords?|index terms|ccs concepts)\b",
    re.IGNORECASE | re.MULTILINE,
)
_ABSTRACT = re.compile(r"\babstract\b[\s.:—–-]*", re.IGNORECASE)
_REFERENCES = re.compile(
    r"^[ \t]{0,40}(?:\d{1,3}\.?[ \t]{0,40})?(?:references|bibliography|literature)"
    r"[ \t]{0,40}:?[ \t]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
_BIB_TITLE = re.compile(r"\btitle\s{0,20}=\s{0,20}", re.I)
_BIB_TITLE_END = re.compile(
    r",[ \t]{0,20}\r?\n\s{0,20}\w{1,40}[ \t]{0,20}=|\n\s{0,20}\}|\}\s{0,20}\}"
)
_HYPHEN = re.compile(r"(?<=[a-z])-[ \t]{0,20}\r?\n\s{0,20}(?=[a-z])")


@dataclass(frozen=True)
class Draft:
    """A paper in the making, and the folded text of what it cites."""

    paper: Paper
    bibliography: str = ""

    def cites(self, paper: Paper) -> bool:
        """Whether the title of a paper stands in the bibliography, or is the draft's own."""
        key = paper.key
        return key == self.paper.key or (len(key) >= _SHORTEST_KEY and key in self.bibliography)


def related(
    store: PaperStore, draft: Draft | Paper, k: int = 20, **options: Any
) -> tuple[list[Hit], int]:
    """Return the k papers nearest to a draft that it does not cite, and how many it does.

    Args:
        store: an open store.
        draft: what `read_draft` gives, or a paper.
        k: papers wanted.
        options: as for `swimmer.ask`.

    Raises:
        QueryError, ModelError: as `swimmer.ask` does.
    """
    from dataclasses import replace

    from swimmer.retrieval import ask, checked_k

    draft = Draft(draft) if isinstance(draft, Paper) else draft
    wanted, depth = checked_k(k), 2 * checked_k(k) + 20
    while True:
        (answer,) = ask(store, [draft.paper], depth, **options)
        left = [hit for hit in answer.hits if not draft.cites(hit.paper)]
        if len(left) >= wanted or len(answer.hits) < depth:
            cited = len(answer.hits) - len(left)
            return [replace(hit, rank=i) for i, hit in enumerate(left[:wanted], 1)], cited
        depth *= 4


def papers_named(name: str) -> list[Paper]:
    """Return the papers that a name stands for.

    A `.bib` file gives every entry, a draft (`.pdf`, `.tex`, `.md`) itself; anything else is
    given to the sources: `arxiv:2310.01234`, the address of a paper at arXiv or OpenReview.

    Raises:
        QueryError: the file cannot be read, or holds no title.
        SourceError: the publisher cannot be reached, or knows no such paper.
    """
    suffix = Path(name).suffix.lower()
    if suffix in READERS and not name.lower().startswith(("http:", "https:")):
        return [read_draft(name).paper]
    from swimmer.sources import SourceReport, open_source

    source = open_source(Path(name) if suffix == ".bib" else name)
    papers = []
    for paper in source.papers(SourceReport()):
        papers.append(paper)
        if len(papers) == ENTRIES:
            break
    if not papers:
        raise QueryError(f"{name}: names no paper with a title")
    return papers


def read_draft(path: str | Path, bibliography: str | Path | None = None) -> Draft:
    """Return the title, abstract and bibliography of a draft.

    Args:
        path: a `.pdf`, `.tex` or `.md` file.
        bibliography: a `.bib` file with what it cites; by default what the draft itself holds or
            names.

    Raises:
        QueryError: the file cannot be read, is encrypted, or has no title.
        MissingExtraError: it is a PDF and pypdf is not installed.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(READERS)
        raise QueryError(f"{path}: a draft ends in {known}; give its title and --abstract instead")
    title, abstract, cited = reader(path)
    if not clean(title):
        raise QueryError(f"{path}: no title was found; give it with --abstract beside it")
    if bibliography is not None:
        cited += "\n" + _bib_titles(_text(Path(bibliography)))
    return Draft(Paper(clean(title, 1_000), abstract), _folded(cited))


def _folded(text: str) -> str:
    # By the line: a title key is made for titles, and forgets what stands behind its limit.
    joined = re.sub(r"\s+", " ", _HYPHEN.sub("", text))
    return "".join(title_key(joined[i : i + 900]) for i in range(0, len(joined), 900))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise QueryError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(raw) > SIZE_LIMIT:
        raise QueryError(f"{path}: is larger than {SIZE_LIMIT >> 20} MB, too large for a draft")
    return raw.decode("utf-8", errors="replace")


# ---------------------------------------------------------------------- LaTeX


def _read_latex(path: Path) -> tuple[str, str, str]:
    text = _without_comments(_text(path))
    _, _, rest = text.partition(r"\begin{abstract}")
    abstract, end, _ = rest[:LONGEST].partition(r"\end{abstract}")
    abstract = abstract if end else ""
    title = _argument(text, r"\\(?:icml|acl)?title\*?\s{0,40}(?:\[[^\[\]]{0,1000}\])?\s{0,40}\{")
    abstract = abstract or _argument(text, r"\\abstract\s{0,40}\{")
    cited = "".join(
        re.findall(r"\\bibitem.*?(?=\\bibitem|\\end\{thebibliography\}|\Z)", text, re.S)
    )
    named = re.findall(r"\\(?:bibliography|addbibresource)\{([^{}]{0,2000})\}", text)
    # Each file once, however often it is named.
    for name in list(dict.fromkeys(n.strip() for n in ",".join(named).split(",")))[:BIB_FILES]:
        cited += _beside(path, name)
    return _plain(title), _plain(abstract), re.sub(r"[{}]", "", cited)


def _without_comments(text: str) -> str:
    return re.sub(r"(?<!\\)%.*", "", text)


def _argument(text: str, opening: str) -> str:
    """Return what stands in the braces that an opening begins, "" without one."""
    found = re.search(opening, text)
    if not found:
        return ""
    depth, start = 1, found.end()
    for end in range(start, min(len(text), start + LONGEST)):
        if text[end] in "{}" and text[end - 1] != "\\":
            depth += 1 if text[end] == "{" else -1
            if not depth:
                return text[start:end]
    return ""


def _plain(latex: str) -> str:
    latex = re.sub(
        r"\s{0,20}\\(?:thanks|footnote|cite[tp]?|label|ref)\*?(?:\[[^\[\]]{0,200}\]){0,3}\{[^{}]{0,2000}\}",
        "",
        latex,
    )
    return readable(re.sub(r"\\\\|~", " ", latex))


def _beside(path: Path, name: str) -> str:
    """Return the text of a .bib file that a draft names, if it lies in the draft's own folder."""
    file = path.parent / (name if name.endswith(".bib") else f"{name}.bib")
    inside = file.resolve().is_relative_to(path.parent.resolve())
    return _bib_titles(_text(file)) if inside and file.is_file() else ""


def _bib_titles(text: str) -> str:
    """Return the titles of a BibTeX text, a line each."""
    titles = []
    for found in _BIB_TITLE.finditer(text):
        end = _BIB_TITLE_END.search(text, found.end() + 1, found.end() + 1_100)
        if end:
            titles.append(re.sub(r"[{}\"\s]+", " ", text[found.end() : end.start()]).strip())
    return "\n".join(titles)


# ---------------------------------------------------------------------- Markdown


def _read_markdown(path: Path) -> tuple[str, str, str]:
    text = _text(path)
    title = abstract = ""
    if front := re.match(r"---[ \t]{0,40}\r?\n(.{0,20000}?)\n---[ \t]{0,40}\r?\n", text, re.S):
        text = text[front.end() :]
        title = _front_matter(front[1], "title")
        abstract = _front_matter(front[1], "abstract")
    heading = re.search(r"^#[ \t]+(\S.*)$|^(\S.*)\n=+[ \t]*$", text, re.M)
    if heading:
        title = title or heading[1] or heading[2]
        text = text[: heading.start()] + text[heading.end() :]
    parts = re.split(r"^#{1,6}[ \t]+(\S.*)$", text, flags=re.M)
    sections = dict(zip((h.strip(" #*").casefold() for h in parts[1::2]), parts[2::2], strict=True))
    abstract = abstract or sections.get("abstract", "") or _ABSTRACT.sub("", parts[0].strip(), 1)
    cited = "\n".join(sections.get(name, "") for name in ("references", "bibliography"))
    return re.sub(r"[*`]", "", title), abstract, cited


def _front_matter(block: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*(?:\n[ \t]+.*)*)", block, re.M | re.I)
    return re.sub(r"^\s*[|>]-?\s*|^[\"']|[\"']\s*$", "", found[1].strip()) if found else ""


# ---------------------------------------------------------------------- PDF


def _read_pdf(path: Path) -> tuple[str, str, str]:
    try:
        import pypdf
        from pypdf.errors import FileNotDecryptedError, PyPdfError
    except ImportError:
        raise MissingExtraError("reading a PDF", "pdf") from None
    failures = (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        RecursionError,
        OverflowError,
        AssertionError,
        NotImplementedError,
        zlib.error,
    )
    if path.is_file() and path.stat().st_size > SIZE_LIMIT:
        raise QueryError(f"{path}: is larger than {SIZE_LIMIT >> 20} MB, too large for a draft")
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileNotDecryptedError
        sized: list[tuple[float, str]] = []
        pages = [_page_text(reader.pages[0], sized)] if len(reader.pages) else []
        pages += [page.extract_text() for page in reader.pages[1:PAGES]]
        named = str(reader.metadata.title or "") if reader.metadata else ""
    except (FileNotDecryptedError, ImportError):
        raise QueryError(
            f"{path}: is encrypted; save a copy without a password, or give the title and "
            "--abstract"
        ) from None
    except failures as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise QueryError(f"{path}: cannot be read as a PDF ({reason})") from None
    first = "\n".join(pages[:2])
    return _largest(sized) or named, _pdf_abstract(first), _pdf_references("\n".join(pages))


def _page_text(page: Any, sized: list[tuple[float, str]]) -> str:
    def visit(text: str, matrix: Any, position: Any, font: Any, size: float) -> None:
        # The size that a reader sees is the font's times the scale of both matrices.
        scale = abs(position[3]) * abs(matrix[3])
        if text.strip():
            sized.append((round(size * scale, 1), text))

    return str(page.extract_text(visitor_text=visit))


def _largest(sized: list[tuple[float, str]]) -> str:
    """Return the text in the largest letters that has the length of a title."""
    parts: dict[float, list[str]] = {}
    for size, part in sized:
        parts.setdefault(size, []).append(part)
    for size in sorted(parts, reverse=True):
        text = " ".join(" ".join(parts[size]).split())
        letters = sum(char.isalpha() for char in text)
        if 10 <= letters <= 300 and not text.lower().startswith("arxiv:"):
            return text
    return ""


def _pdf_abstract(text: str) -> str:
    found = _ABSTRACT.search(text)
    if not found:
        return ""
    rest = text[found.end() : found.end() + 6_000]
    end = _HEADING.search(rest)
    return clean(_HYPHEN.sub("", rest[: end.start()] if end else rest[:2_000]))


def _pdf_references(text: str) -> str:
    places = [found.end() for found in _REFERENCES.finditer(text)]
    return text[places[-1] :] if places else ""


READERS = {
    ".pdf": _read_pdf,
    ".tex": _read_latex,
    ".md": _read_markdown,
    ".markdown": _read_markdown,
}
"""How a draft is read, by the ending of its name."""
