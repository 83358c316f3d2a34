"""The documentation site: built with warnings as errors, whole, and asking no other host."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

pytest.importorskip("mkdocs", reason='needs pip install "swimmer[docs]"')
pytest.importorskip("material", reason='needs pip install "swimmer[docs]"')
pytest.importorskip("mkdocstrings_handlers.python", reason='needs pip install "swimmer[docs]"')

import swimmer

from .conftest import REPOSITORY, writable_copy

STYLE = re.compile(r"""@import\s+["']?([^"';)\s]+)|url\(\s*["']?([^"')]+)""")
LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "track": "src",
    "input": "src",
    "form": "action",
}
"""Elements that make a browser ask for an address; `link` is one too, unless it only relates."""


class Page(HTMLParser):
    """What a page asks for, what it links to, and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = {""}
        self.policy = ""
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.places |= {given.get("id", ""), given.get("name", "") if tag == "a" else ""}
        if tag in LOADING and given.get(LOADING[tag]):
            self.loads.append(given[LOADING[tag]])
        if tag == "link" and given.get("href"):
            self.loads.append(given["href"])
        self.loads += [part.split()[0] for part in given.get("srcset", "").split(",") if part]
        self.loads += styled(given.get("style", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = given["content"]
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads += styled(data)


def styled(css: str) -> list[str]:
    return [a or b for a, b in STYLE.findall(css)]


def elsewhere(address: str) -> bool:
    """Whether an address leaves the site: another scheme than data:, or a host."""
    parts = urlsplit(address.strip())
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        str(config),
        "-d",
        str(site),
    ]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(REPOSITORY / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {
        path.relative_to(site).as_posix(): Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
    }


def test_no_page_asks_another_host(site: Path, pages: dict[str, Page]) -> None:
    assert len(pages) > 15
    for name, page in pages.items():
        assert page.loads
        assert not [address for address in page.loads if elsewhere(address)], name
        assert page.policy.startswith("default-src 'self';"), name
    for sheet in site.rglob("*.css"):
        found = styled(sheet.read_text("utf-8"))
        assert not [address for address in found if elsewhere(address)], sheet.name


def test_every_link_within_the_site_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        for address in [*page.links, *page.loads]:
            if elsewhere(address) or name == "404.html":
                continue
            target = urlsplit(urljoin(f"/{name}", address))
            path = unquote(target.path).lstrip("/")
            path += "index.html" if path.endswith("/") or not path else ""
            assert (site / path).is_file(), f"{name}: {address}"
            if path in pages and not target.fragment.startswith("__"):
                assert unquote(target.fragment) in pages[path].places, f"{name}: {address}"


def test_only_pages_and_what_they_need_is_published(site: Path) -> None:
    assert not list(site.rglob("*.py"))
    assert not (site / "theme").exists()


def test_the_reference_shows_every_public_name_and_error(pages: dict[str, Page]) -> None:
    shown = {place for page in pages.values() for place in page.places}
    wanted = {f"swimmer.{name}" for name in swimmer.__all__}
    from swimmer import errors

    wanted |= {
        f"swimmer.errors.{name}"
        for name, value in vars(errors).items()
        if isinstance(value, type) and value is not errors.SwimmerError
    }
    missing = {w for w in wanted if not any(p.split(".")[-1] == w.split(".")[-1] for p in shown)}
    assert not missing


def test_the_search_finds_the_tutorial(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    assert any("kitchen.csv" in entry["text"] for entry in index["docs"])


def test_pages_that_include_files_show_them(site: Path) -> None:
    for name, words in (("contributing", "Your first source"), ("changes", "Unreleased")):
        shown = (site / name / "index.html").read_text("utf-8")
        assert words in shown and "<!-- include" not in shown


FAULTS = [
    ("docs/index.md", "(tutorial.md)", "(tutorail.md)", "tutorail.md"),
    ("docs/index.md", "[Queries](asking.md)", "[x](asking.md#nowhere)", "#nowhere"),
    ("docs/reference/models.md", "::: swimmer.load_model", "", "swimmer.load_model stands on no"),
    ("docs/changes.md", "CHANGELOG.md", "CHANGELOG.md#Numbers", "no section 'Numbers'"),
    (
        "swimmer/papers/paper.py",
        '        """Whether the id is',
        "        # ",
        "has_own_id has no docstring",
    ),
]
"""What can go wrong: a file, what stands in it, what shall stand there, what is said of it."""


def test_what_is_wrong_ends_the_build(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("docs", "swimmer"):
        writable_copy(REPOSITORY / name, clone / name)
    for name in ("mkdocs.yml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy(REPOSITORY / name, clone / name)
    (clone / "docs" / "lost.md").write_text("# In no menu\n", "utf-8")
    for file, old, new, _ in FAULTS:
        text = (clone / file).read_text("utf-8")
        assert old in text
        (clone / file).write_text(text.replace(old, new), "utf-8")
    done = build(clone / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    warnings = done.stderr.split("WARNING")[1:]
    for *_, said in [*FAULTS, ("", "", "", "lost.md")]:
        assert any(said in warning for warning in warnings), said


def test_an_address_that_leaves_is_recognised() -> None:
    page = Page(
        '<link href="https://a.example/x.css"><img srcset="//b.example/1.png 2x">'
        "<style>@import 'http://c.example/y.css'; p {background: url(//d.example/z)}</style>"
        '<script src="local.js"></script><img src="data:image/png;base64,AA">'
    )
    assert sum(map(elsewhere, page.loads)) == 4 and len(page.loads) == 6
