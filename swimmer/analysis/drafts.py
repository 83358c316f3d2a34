"""A draft as a query: its title and abstract found in a PDF, LaTeX or Markdown file.

And what else names papers that no store knows: a `.bib` file, an arXiv or OpenReview address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.analysis.draft_files import bib_titles, text_of
from swimmer.analysis.draft_text import read_text
from swimmer.analysis.latex_drafts import read_latex
from swimmer.analysis.markdown_drafts import read_markdown
from swimmer.analysis.pdf_drafts import read_pdf
from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.text import clean, title_key

if TYPE_CHECKING:
    from swimmer.retrieval import Answer, Hit
    from swimmer.store import PaperStore

ENTRIES = 5_000
"""Entries of a `.bib` file that are taken."""

_SHORTEST_KEY = 12
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
    answer, cited = related_in([store], draft, k, **options)
    return answer.hits, len(cited)


def related_in(
    stores: Sequence[PaperStore], draft: Draft | Paper, k: int = 20, **options: Any
) -> tuple[Answer, list[Hit]]:
    """Return the answer to a draft without what it cites, and the hits among these that it cites.

    Args:
        stores: open stores, searched as `ask_stores` does.
        draft: what `read_draft` gives, or a paper.
        k: papers wanted.
        options: as for `swimmer.ask`.

    Raises:
        QueryError, ModelError: as `swimmer.ask_stores` does.
    """
    from swimmer.retrieval import ask_stores, checked_k

    draft = Draft(draft) if isinstance(draft, Paper) else draft
    wanted, depth = checked_k(k), 2 * checked_k(k) + 20
    while True:
        (answer,) = ask_stores(stores, [draft.paper], depth, **options)
        cited = [draft.cites(hit.paper) for hit in answer.hits]
        left = [hit for hit, is_cited in zip(answer.hits, cited, strict=True) if not is_cited]
        if len(left) >= wanted or len(answer.hits) < depth:
            hits = [replace(hit, rank=i) for i, hit in enumerate(left[:wanted], 1)]
            known = [hit for hit, is_cited in zip(answer.hits, cited, strict=True) if is_cited]
            return replace(answer, hits=hits), known
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
        raise QueryError(
            f"{name}: names no paper with a title",
            hint="give titles, or a draft or bibliography whose references have titles",
        )
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
        raise QueryError(
            f"{path}: a draft ends in {known}", hint="give its title and --abstract instead"
        )
    title, abstract, cited = reader(path)
    if not clean(title):
        raise QueryError(f"{path}: no title was found", hint="give it with --abstract beside it")
    if bibliography is not None:
        cited += "\n" + bib_titles(text_of(Path(bibliography)))
    return Draft(Paper(clean(title, 1_000), abstract), _folded(cited))


def draft_of_text(text: str) -> Draft:
    """Return the draft that a plain text is: its first line is the title.

    Raises:
        QueryError: it holds no words.
    """
    title, abstract, cited = read_text(text)
    if not clean(title):
        raise QueryError("the text holds no words", hint="give a title and an abstract")
    return Draft(Paper(clean(title, 1_000), abstract), _folded(cited))


def _folded(text: str) -> str:
    # By the line: a title key is made for titles, and forgets what stands behind its limit.
    joined = re.sub(r"\s+", " ", _HYPHEN.sub("", text))
    return "".join(title_key(joined[i : i + 900]) for i in range(0, len(joined), 900))


READERS = {
    ".pdf": read_pdf,
    ".tex": read_latex,
    ".md": read_markdown,
    ".markdown": read_markdown,
}
"""How a draft is read, by the ending of its name."""
