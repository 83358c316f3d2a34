"""Make the pictures of the documentation, or check that they still show what swimmer does.

    python docs/pictures.py                    all of them
    python docs/pictures.py terminal.svg       one of them
    python docs/pictures.py --check            exit code 1 if a picture is out of date

`page.png` needs Chromium. `map.png` needs the list of ICLR 2025 in `../shared`. What each picture
shows is kept as text in `docs/assets/pictures.json`; `--check` compares that text with what swimmer
shows now, and so needs no browser. The map is checked only where the list is.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ASSETS = ROOT / "docs" / "assets"
SHOWN = ASSETS / "pictures.json"
LIST = ROOT.parent / "shared" / "corpora" / "iclr2025_downloads.json"

TITLE = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"
COMMANDS = (
    ["search", TITLE, "-k", "3", "--brief"],
    ["search", "diffusion models for text", "--where", "year>=2025", "-k", "1", "--brief"],
)
"""What is typed in the picture of the terminal."""

COLUMNS = 102
CHARACTER, LINE, MARGIN = 7.8, 18, 18
"""Sizes in the picture of the terminal: a character's width, a line's height, the margin."""

COLOURS = {"command": "#7ee787", "title": "#ffffff", "url": "#79c0ff", "other": "#aab4c0"}


# ---------------------------------------------------------------------- what is shown


def terminal_text() -> list[str]:
    """Return the lines of the terminal: each command and what it prints."""
    lines: list[str] = []
    for command in COMMANDS:
        words = [f'"{word}"' if " " in word or ">" in word else word for word in command]
        lines += [f"$ swimmer {' '.join(words)}", *_swimmer(*command).rstrip().splitlines(), ""]
    return lines[:-1]


def page_text() -> list[str]:
    """Return the titles on the picture of the page: the query and its first hits."""
    from swimmer import open_store, search

    with open_store(_sample()) as store:
        return [TITLE, *(hit.paper.display_title for hit in search(store, TITLE, k=2))]


def map_text() -> list[str] | None:
    """Return what the map is made of, or None where the list is missing.

    The names of the topics are left out: they take a minute, and change only when hits change too.
    """
    if not LIST.is_file():
        return None
    from swimmer import ask, open_store

    with _conference() as folder, open_store(folder) as store:
        (answer,) = ask(store, [TITLE], k=10)
        return [f"{len(store):,} papers", *(hit.paper.display_title for hit in answer.hits)]


# ---------------------------------------------------------------------- pictures


def draw_terminal(path: Path, lines: list[str]) -> None:
    """Write the lines as an SVG that looks like a terminal; it loads no font."""
    wrapped = [part for line in lines for part in _wrapped(line)]
    width = round(COLUMNS * CHARACTER + 2 * MARGIN)
    height = LINE * len(wrapped) + 2 * MARGIN + LINE
    text = html.escape("\n".join(lines), quote=False)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' width="{width}" height="{height}">',
        "<title>swimmer at a terminal</title>",
        f"<desc>{text}</desc>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        *(
            f'<circle cx="{MARGIN + 18 * n}" cy="{MARGIN}" r="5" fill="{colour}"/>'
            for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
        f'<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="{LINE * 0.74:.1f}">',
    ]
    for number, (kind, line) in enumerate(wrapped):
        if line.strip():
            weight = ' font-weight="bold"' if kind in ("command", "title") else ""
            indent = len(line) - len(line.lstrip())
            parts.append(
                f'<text xml:space="preserve" x="{MARGIN + indent * CHARACTER:g}"'
                f' y="{MARGIN + LINE * (number + 2)}"'
                f' textLength="{len(line.strip()) * CHARACTER:g}" fill="{COLOURS[kind]}"{weight}>'
                f"{html.escape(line.strip(), quote=False)}</text>"
            )
    path.write_text("\n".join([*parts, "</g>", "</svg>", ""]), encoding="utf-8")


def draw_page(path: Path, _: list[str]) -> None:
    """Photograph the page in Chromium: the answer of the sample store to a title."""
    from playwright.sync_api import sync_playwright

    from benchmarks.chromium import ARGUMENTS, find_chromium
    from tests.browser import serving

    with _apart(), serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1100, "height": 760})
        page.goto(address)
        page.locator("input[name=q]").fill(TITLE)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?*")
        page.mouse.move(0, 0)
        page.screenshot(path=path)
        browser.close()
    _shrink(path)


def draw_map(path: Path, _: list[str]) -> None:
    """Draw the map of ICLR 2025 with the answer to a title."""
    from swimmer import ask, open_store
    from swimmer.analysis import write_map

    with _conference() as folder, open_store(folder) as store:
        (answer,) = ask(store, [TITLE], k=10)
        write_map(store, path, answer)
    _shrink(path)


PICTURES: dict[str, tuple[Callable[[], list[str] | None], Callable[[Path, list[str]], None]]] = {
    "terminal.svg": (terminal_text, draw_terminal),
    "page.png": (page_text, draw_page),
    "map.png": (map_text, draw_map),
}
"""By file name: what a picture shows (None: cannot be known here), and how it is made."""


def outdated(kept: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the pictures that show something else than swimmer does now."""
    for name, (shown, _) in PICTURES.items():
        now = shown()
        if now is None:
            print(f"{name}: not checked, {LIST} is missing")
        elif now != kept.get(name) or not (ASSETS / name).is_file():
            yield name


# ---------------------------------------------------------------------- helpers


def _wrapped(line: str) -> Iterator[tuple[str, str]]:
    """Yield a line in parts that fit, each with its kind, a key of COLOURS."""
    kind = "other"
    if line.startswith("$ "):
        kind = "command"
    elif line.lstrip().startswith("https://"):
        kind = "url"
    elif line.startswith("  ") and line[:4].strip().isdigit():
        kind = "title"
    while len(line) > COLUMNS:
        cut = line.rfind(" ", 0, COLUMNS)
        yield kind, line[:cut]
        line = "    " + line[cut + 1 :]
    yield kind, line


def _shrink(path: Path) -> None:
    """Reduce a picture to 256 colours."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def _sample() -> Path:
    from swimmer.store import bundled_sample

    return bundled_sample()


@contextlib.contextmanager
def _apart() -> Iterator[Path]:
    """Yield a temporary folder that is the home, so that no store of the user answers."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stack.callback(os.chdir, Path.cwd())
        os.chdir(folder)
        os.environ |= {"HOME": folder, "XDG_DATA_HOME": folder, "COLUMNS": "100"}
        os.environ["PYTHONPATH"] = str(ROOT)
        os.environ.pop("SWIMMER_HOME", None)
        try:
            yield Path(folder)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _swimmer(*arguments: str) -> str:
    with _apart():
        done = subprocess.run(
            [sys.executable, "-m", "swimmer", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
    return done.stdout


@contextlib.contextmanager
def _conference() -> Iterator[Path]:
    """Yield the folder of a store of ICLR 2025, built for this."""
    from swimmer import build_store

    with _apart() as folder:
        target = folder / "iclr2025"
        build_store(LIST, target).close()
        yield target


def main() -> None:
    """Make the pictures, or check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="PICTURE", help=", ".join(PICTURES))
    parser.add_argument("--check", action="store_true", help="only check")
    options = parser.parse_args()
    kept = json.loads(SHOWN.read_text("utf-8")) if SHOWN.is_file() else {}
    if options.check:
        if old := list(outdated(kept)):
            raise SystemExit(f"out of date: {', '.join(old)}; run: python docs/pictures.py")
        return
    for name in options.names or PICTURES:
        shown, draw = PICTURES[name]
        text = shown()
        if text is None:
            print(f"{name}: not made, {LIST} is missing")
            continue
        draw(ASSETS / name, text)
        kept[name] = text
        print(f"{name}: made")
    SHOWN.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
