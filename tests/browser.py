"""The page as a visitor has it: `swimmer serve` as a process, Chromium, and what must not happen."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, Request

WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
MOST_TABS = 200


@contextlib.contextmanager
def serving(*stores: Path, program: str = "") -> Iterator[str]:
    """Run `swimmer serve` over stores; yields its address.

    `program` is Python that is run before, in the same process.
    """
    code = f"{program}\nfrom swimmer.cli import main; main()" if program else ""
    start = ["-c", code] if code else ["-m", "swimmer"]
    process = subprocess.Popen(
        [sys.executable, *start, "serve", *map(str, stores), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found is not None, line + process.stderr.read()
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert "Traceback" not in said, said


@dataclass
class Visit:
    """A page of its own in Chromium, and what went wrong on it.

    `faults` are console errors (a refusal by the page's policy is one), scripts that broke,
    dialogs, and requests to any other host. `expected` are statuses that a test asks for.
    """

    page: Page
    address: str
    expected: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("dialog", self._on_dialog)
        self.page.context.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        status = re.search(r"responded with a status of (\d+)", message.text)
        if message.type in ("error", "warning") and not (
            status and int(status[1]) in self.expected
        ):
            self.faults.append(f"console: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.netloc != urlsplit(self.address).netloc:
            self.faults.append(f"request: {request.url}")

    def open(self, path: str = "") -> Page:
        """Go to an address of the server."""
        self.page.goto(self.address + path.lstrip("/"))
        return self.page

    @property
    def box(self) -> Locator:
        """The search box."""
        return self.page.get_by_role("combobox", name="Title, author, address, or any words")

    @property
    def options(self) -> Locator:
        """The completions."""
        return self.page.locator("#completions [role=option]")

    def option(self, text: str) -> Locator:
        """Return the completion that holds a text."""
        return self.options.filter(has_text=text)

    def search(self, text: str) -> None:
        """Ask a question by the form, and wait for its answer."""
        self.box.fill(text)
        self.box.press("Enter")
        self.page.wait_for_url("**/search?*")

    def titles(self) -> list[str]:
        """Return the titles of the hits, in order."""
        # The top of an answer comes before its hits.
        self.page.wait_for_load_state()
        return [text.strip() for text in self.page.locator("ol.hits > li h3").all_inner_texts()]

    def tab_to(self, name: str) -> None:
        """Press Tab until something of this name has the focus, which must be seen."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(
                """() => {
                  const it = document.activeElement;
                  const label = it.getAttribute("aria-label") || it.labels?.[0]?.innerText
                    || it.innerText || "";
                  const style = getComputedStyle(it);
                  return [label, style.outlineStyle !== "none" && style.outlineWidth !== "0px"];
                }"""
            )
            if name.lower() in found[0].lower() and len(found[0]) < len(name) + 60:
                assert found[1], f"the focus on {found[0]!r} cannot be seen"
                return
        raise AssertionError(f"Tab never reaches {name!r}")

    def check(self) -> None:
        """Fail when anything went wrong so far."""
        assert self.faults == []


@contextlib.contextmanager
def visiting(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """A visit in a context of its own; fails at its end when anything went wrong on it."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    context.set_default_timeout(20_000)
    try:
        visit = Visit(context.new_page(), address)
        yield visit
        visit.check()
    finally:
        context.close()


def grave(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical: rule, impact and element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(0, int(wide))
