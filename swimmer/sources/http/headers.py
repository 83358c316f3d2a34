"""What is sent with a request: who asks, what is known already, and to whom it may be told."""

from __future__ import annotations

import os
from urllib.parse import urljoin, urlsplit

from swimmer.errors import FetchError
from swimmer.sources.http.pages import Page
from swimmer.text import clean

_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}

CREDENTIALS = frozenset({"authorization", "x-api-key", "cookie"})
"""Headers that another host must not see."""


def user_agent() -> str:
    """Return the name under which publishers see swimmer, with where to complain.

    `$SWIMMER_CONTACT`, an address of whoever fetches, stands before that of the project.
    """
    from importlib import metadata

    about = metadata.metadata("swimmer")
    links = [link.partition(", ")[2] for link in about.get_all("Project-URL") or ()]
    contact = clean(os.environ.get("SWIMMER_CONTACT", ""), 200)
    if not contact.isascii() or not contact:
        contact = links[0] if links else "a LangChain retrieval library for papers"
    return f"swimmer/{about['Version']} (+{contact})"


def validators(page: Page | None) -> dict[str, str]:
    """Return the headers that ask whether a page which is kept has changed."""
    known = page.headers if page is not None else {}
    given = {ask: known.get(name) for name, ask in _VALIDATORS.items()}
    # What cannot be sent back as it came is no validator: the page is fetched whole.
    return {
        ask: value
        for ask, value in given.items()
        if isinstance(value, str)
        and 0 < len(value) <= 1_000
        and value.isascii()
        and value.isprintable()
    }


def redirect_target(url: str, location: str) -> str:
    """Return the address that a redirect leads to.

    Raises:
        FetchError: it is none.
    """
    try:
        target = urljoin(url, location)
        urlsplit(target)
    except ValueError:
        raise FetchError(f"{url}: redirects to {location[:80]!r}, which is no address") from None
    return target
