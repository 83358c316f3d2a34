"""The page that checks the references of a file against the stores."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.web.pages import download
from swimmer.web.search_form import ALL
from swimmer.web.site import MenuItem, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import CheckedReference
    from swimmer.web.results import Stores
    from swimmer.web.uploads import Upload

MOST = 2_000
"""References that the page checks at once."""

PAGE = 100

WORDS = {
    "differs": "differ",
    "published": "published since",
    "found": "found",
    "unknown": "not in these stores",
}
"""What the verdicts of `swimmer.analysis.VERDICTS` are called where there is little room."""


def check(request: Request) -> Response:
    """Return each reference of a file with what the stores say of it, or the form for the file."""
    from swimmer.analysis import VERDICTS

    site, given = site_of(request), request.query_params
    token, store = given.get("file", "")[:100], given.get("store", "")[:200] or ALL
    choices = [info for info in site.pool.stores() if info.manifest is not None]
    context: dict[str, Any] = {
        "choices": choices,
        "chosen": store,
        "box": site.box(store),
        "token": token,
    }
    if not token:
        return site.page(request, "check.html", checked=None, **context)
    upload = site.uploads.get(token)
    stores = site.stores_named(store)
    checked = _checked(upload, stores)
    verdict = given.get("verdict", "")
    verdict = verdict if verdict in VERDICTS else ""
    counts = Counter(one.verdict for one in checked)
    wanted = [one for one in checked if not verdict or one.verdict == verdict]
    # What may have to be changed comes first.
    wanted.sort(key=lambda one: list(VERDICTS).index(one.verdict))
    pages = max(1, -(-len(wanted) // PAGE))
    asked = given.get("page", "")
    page = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    page = min(max(page, 1), pages)

    def address(path: str = "/check", **changes: object) -> str:
        fields = {"file": token, "store": store, "verdict": verdict, **changes}
        return f"{path}?{urlencode({name: one for name, one in fields.items() if one})}"

    shown = wanted[(page - 1) * PAGE : page * PAGE]
    return site.page(
        request,
        "check.html",
        upload=upload,
        checked=shown,
        names={opened.name: name for name, opened in stores.items()},
        references=upload.references,
        searched=", ".join(stores),
        total=len(checked),
        counts=counts,
        verdict=verdict,
        verdicts=VERDICTS,
        words=WORDS,
        number=page,
        pages=pages,
        address=address,
        fixed=upload.bibtex is not None and counts["published"],
        **context,
    )


def fixed(request: Request) -> Response:
    """Return the `.bib` file with the entries of preprints that were published replaced."""
    from swimmer.analysis import corrected_entries
    from swimmer.sources import decode_text

    site, given = site_of(request), request.query_params
    upload = site.uploads.get(given.get("file", "")[:100])
    body = upload.bibtex
    if body is None:
        raise QueryError("only a .bib file is written again", hint="choose the .bib file alone")
    stores = site.stores_named(given.get("store", "")[:200] or ALL)
    text = corrected_entries(decode_text(body)[0], _checked(upload, stores))
    return download(text, "fixed.bib", "application/x-bibtex")


def _checked(upload: Upload, stores: Stores) -> list[CheckedReference]:
    from swimmer.analysis import check_references

    papers = upload.references.papers
    if len(papers) > MOST:
        raise QueryError(
            f"{upload.name}: {len(papers):,} references; this page checks {MOST:,} at once",
            hint="give the file in parts, or check it at the terminal: swimmer check refs.bib",
        )
    key = ("check", *((name, store.generation) for name, store in stores.items()))
    if key not in upload.made:
        upload.made[key] = check_references(list(stores.values()), papers)
    found: list[CheckedReference] = upload.made[key]
    return found


ROUTES = [Route("/check", check), Route("/check/fixed.bib", fixed)]
MENU = [MenuItem("/check", "Check")]
