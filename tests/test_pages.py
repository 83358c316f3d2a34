"""The pages written for the site are true: every line of them runs, and prints what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import pages
from .conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
INSTALL = (
    "python3 -m venv .venv && .venv/bin/pip install -q .\n. .venv/bin/activate\n",
    'eval "$(swimmer completion bash)"\n',
)
"""The `sh` blocks: the first is CI's, see README; the second is run below."""


@pytest.mark.parametrize(
    ("page", "least"),
    [("index", 1), ("tutorial", 9), ("terminal", 10), ("python", 9), ("for-you", 5)],
)
def test_a_page_runs_as_it_stands(page: str, least: int, home: Path) -> None:
    pytest.importorskip("langchain_core")
    assert pages.run(DOCS / f"{page}.md", home) >= least


def test_every_other_block_is_known() -> None:
    for page in (
        "index",
        "tutorial",
        "terminal",
        "python",
        "how-it-works",
        "architecture",
        "stability",
        "figures",
    ):
        for block in pages.blocks((DOCS / f"{page}.md").read_text(encoding="utf-8")):
            if block.kind == "sh":
                assert block.body in INSTALL
            else:
                assert block.title or block.kind in ("console", "python", "text")
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert INSTALL[0].splitlines()[0] in readme


def test_the_completion_line_runs(home: Path) -> None:
    assert pages.shell(INSTALL[1], home) == ""


def test_the_store_shown_is_the_store_written(sample_store: Path) -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    (listing,) = re.findall(r"^vectorstores/iclr2025/\n((?:  .*\n)+)", text, re.MULTILINE)
    shown = [line.split()[0] for line in listing.splitlines()]
    names = sorted(path.name for path in sample_store.iterdir() if not path.name.startswith("."))
    assert [re.sub("-[0-9a-f]{12}", "-<digest>", name) for name in names] == sorted(shown)


def test_the_numbers_of_how_it_works_are_those_of_the_code() -> None:
    from swimmer.build import calibration, checkpoint
    from swimmer.embeddings import PROBES
    from swimmer.papers import paper
    from swimmer.retrieval import titles
    from swimmer.sources.http import client
    from swimmer.store import faiss_index, index

    text = " ".join((DOCS / "how-it-works.md").read_text(encoding="utf-8").split())
    assert f"Up to {index.EXACT_LIMIT:,} papers" in text
    assert f"reads {faiss_index._PROBES} of its lists" in text
    assert f"first {paper.EXCERPT} characters" in text
    assert f"at least {calibration.FEWEST} papers" in text
    assert f"at most {client.SIZE_LIMIT >> 20} MB" in text
    assert (checkpoint.CHECKPOINT_SECONDS, titles.CLOSE_TITLE, len(PROBES)) == (5, 0.9, 3)


def test_a_page_that_shows_something_else_is_found_out(home: Path) -> None:
    page = home / "page.md"
    for wrong in (
        "```console\n$ echo one\ntwo\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```console\n$ swimmer list\nnothing …\n```\n",
    ):
        page.write_text(wrong, encoding="utf-8")
        with pytest.raises(AssertionError):
            pages.run(page, home)
    page.write_text(
        '```csv title="a.csv"\nx\n```\n```console\n$ cat a.csv\n…\n```\n', encoding="utf-8"
    )
    assert pages.run(page, home) == 1
