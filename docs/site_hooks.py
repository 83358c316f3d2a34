"""Hooks of `mkdocs build`: include parts of other files, and warn about missing docstrings.

A line `<!-- include: CHANGELOG.md -->` becomes that file without its title, and
`<!-- include: README.md#Development -->` one section of it. Under `--strict`, a
warning ends the build. The colours and measures of the site are those of the page that
`swimmer serve` shows.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe
from mkdocs.structure.files import File

log = logging.getLogger("mkdocs.hooks.swimmer")
ROOT = Path(__file__).parent.parent
INCLUDE = re.compile(r"^<!-- include: ([\w.]+)(?:#([\w ]+))? -->$", re.MULTILINE)
DESIGN = ROOT / "swimmer" / "web" / "static" / "swimmer.css"
VARIABLES = re.compile(r":root \{\n(.*?)\n\s*\}", re.DOTALL)
"""The variables of the page, first those of its light colours, then those of its dark ones."""
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)]+)\)")


def on_config(config: Any) -> None:
    """Warn of public names that no page of the reference shows, and of missing docstrings."""
    shown = {
        name
        for page in (ROOT / "docs" / "reference").glob("*.md")
        for name in re.findall(r"^::: swimmer\.(\w+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    for fault in missing(griffe.load("swimmer", search_paths=[str(ROOT)]), shown):
        log.warning(fault)


def on_files(files: Any, config: Any) -> Any:
    """Add the page's variables as a style sheet, under the names of the theme's two schemes."""
    light, dark = VARIABLES.findall(DESIGN.read_text("utf-8"))
    css = f':root {{\n{light}\n}}\n[data-md-color-scheme="slate"] {{\n{dark}\n}}\n'
    files.append(File.generated(config, "assets/design.css", content=css))
    return files


def missing(package: Any, shown: set[str]) -> Iterator[str]:
    """Yield what the reference lacks: public names by page, docstrings by name."""
    for name in public_names(package):
        if name not in shown:
            yield f"swimmer.{name} stands on no page of docs/reference"
        yield from undocumented(package[name])
    yield from undocumented(package["errors"])


def public_names(package: Any) -> list[str]:
    """Return the names that swimmer/__init__.pyi exports."""
    return [
        name
        for name, member in package.members.items()
        if member.is_alias and member.target_path.startswith("swimmer.")
    ]


def undocumented(thing: Any) -> Iterator[str]:
    """Yield the names without a docstring: the object's own, and those of its public members."""
    if thing.is_alias:
        thing = thing.final_target
    if not thing.has_docstring:
        yield f"{thing.path} has no docstring"
    if thing.is_class or thing.is_module:
        for member in thing.members.values():
            own = not member.is_alias and not member.name.startswith("_")
            if own and (member.is_function or member.is_class or "property" in member.labels):
                yield from undocumented(member)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put in what a page includes."""
    return INCLUDE.sub(lambda match: included(match[1], match[2]), markdown)


def included(file: str, section: str | None) -> str:
    """Return a file of the top level or one of its sections, its links turned to the site's."""
    text = (ROOT / file).read_text("utf-8").split("\n", 1)[1]
    if section is not None:
        found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        if found is None:
            log.warning(f"{file} has no section {section!r}")
            return ""
        text = found[1]
    return LINK.sub(_as_on_the_site, text)


def _as_on_the_site(link: re.Match[str]) -> str:
    text, target = link[1], link[2]
    inside = target.removeprefix("docs/")
    return f"[{text}]({inside})" if inside != target else f"`{target}`"
