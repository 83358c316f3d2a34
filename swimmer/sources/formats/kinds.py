"""Kinds of documents: BibTeX's entry types, under the names that other formats have for them."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "article": "article journal-article article-journal article-magazine journalarticle "
    "magazinearticle newspaperarticle journal jour jfull mgzn review letter editorial note ej",
    "inproceedings": "inproceedings conference proceedings-article paper-conference "
    "conferencepaper conf cpaper proceedings conference-paper conference-proceedings "
    "conference-proceedings-article proceedings-paper conference-review",
    "incollection": "incollection inbook chapter book-chapter booksection book-section chap",
    "book": "book edited-book mvbook collection monograph",
    "phdthesis": "phdthesis thesis dissertation thes mastersthesis",
    "techreport": "techreport report rprt technical-report",
    "misc": "misc preprint posted-content unpublished unpb online informal-and-other-publications",
}
_BY_NAME = {name: kind for kind, names in _KINDS.items() for name in names.split()} | {
    "journal-articles": "article",
    "conference-and-workshop-papers": "inproceedings",
    "books-and-theses": "book",
    "ieee-conferences": "inproceedings",
    "ieee-journals": "article",
    "ieee-magazines": "article",
    # Web of Science's tag PT.
    "j": "article",
    "c": "inproceedings",
    "b": "book",
    "parts-in-books-or-collections": "incollection",
    "article;-early-access": "article",
    "article;-proceedings-paper": "article",
}


def entry_kind(name: Any) -> str:
    """Return BibTeX's entry type for the name of a kind of document, "" for one it does not have.

    `mastersthesis` and the like come back as the type that is nearest of seven.
    """
    if not isinstance(name, str):
        return ""
    return _BY_NAME.get("-".join(name[:60].casefold().split()), "")
