"""The page in a real browser: the whole way of a visitor, by mouse and by keyboard alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs the extra 'web'")
pytest.importorskip("playwright", reason="needs the extra 'test' (playwright)")
pytest.importorskip("axe_playwright_python", reason="needs the extra 'test' (axe-core)")

from playwright.sync_api import Browser, Locator, Page, Playwright, Route, expect, sync_playwright

from benchmarks.chromium import ARGUMENTS, find_chromium
from swimmer import Paper, ask, build_store, open_store, paper_map, search
from swimmer.export import WRITERS

from .browser import (
    NARROW,
    WIDE,
    Visit,
    grave,
    overflow,
    serving,
    visiting,
)
from .corpus import RECORDS

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="needs Chromium: apt-get install chromium, or its path in $SWIMMER_CHROMIUM",
)

NAME = "conf2025"
TITLE = "Preference Optimization without a Reference Model"
OTHER = "Graph Transformers at Linear Cost"
OVERRIDE = "\u202e"
HOSTILE = [
    Paper(
        title="<script>alert(1)</script><img src=x onerror=alert(2)> hostile ranking",
        abstract="</p><script>alert(3)</script><svg onload=alert(4)> ranking of hostile text.",
        url="javascript:alert(5)",
        id='"><script>alert(6)</script>',
        authors=("<b onclick=alert(7)>Mallory</b>",),
        keywords=("<u>hostile</u>",),
        venue="<i>V</i>",
        year=2025,
        extra={"pdf": "javascript:alert(8)", "note": "=HYPERLINK(1)"},
    ),
    Paper(
        title='"onmouseover="alert(9)" x=\' hostile ranking of attributes',
        abstract='" autofocus onfocus=alert(10) x=" ranking of hostile attributes.',
        url='https://papers.example/"onmouseover="alert(11)',
        id="h2' onclick='alert(12)",
        year=2025,
    ),
    Paper(
        title=f"Hostile {OVERRIDE}gnp.exe{OVERRIDE} ranking turned around",
        abstract=f"{OVERRIDE}Ranking turned around.",
        url="https://papers.example/h3",
        id="h3",
        year=2025,
    ),
]

REFERENCES = f"""
@article{{known, title={{{TITLE}}}, author={{Amin, Farid}}, year={{2025}}, journal={{arXiv}}}}
@article{{other, title={{Pottery of the north}}, author={{Fox, Ann}}, year={{1999}}}}
"""
DROP = """([name, text]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: carried});
    document.querySelector("main").dispatchEvent(event);
  }
}"""
TOUCH = """document.querySelectorAll("*").forEach(
    one => ["mouseover", "focus", "mouseenter"].forEach(what => one.dispatchEvent(new Event(what))))
"""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    # Ended with the module: its event loop would be in the way of asynchronous tests.
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
    yield found
    found.close()


def corpus() -> list[Paper]:
    return [Paper(**record) for record in RECORDS] + HOSTILE


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test changes."""
    with build_store(corpus(), tmp_path_factory.mktemp("shelf") / NAME) as built:
        assert built.folder is not None
        return built.folder


@pytest.fixture
def store(shelf: Path, home: Path) -> Path:
    """A store of this test's own."""
    return Path(shutil.copytree(shelf, home / NAME))


@pytest.fixture
def visit(browser: Browser, store: Path) -> Iterator[Visit]:
    """A visit to a server over this test's store; fails when anything went wrong on it."""
    with serving(store) as address, visiting(browser, address) as visit:
        yield visit


def answer_titles(store: Path, *queries: str, **options: Any) -> list[str]:
    """What the library answers."""
    with open_store(store) as opened:
        (answer,) = ask(opened, list(queries), 10, **options)
        return [hit.paper.display_title for hit in answer.hits]


def hit(visit: Visit, title: str) -> Locator:
    return visit.page.locator("ol.hits > li").filter(has_text=title)


# ---------------------------------------------------------------------- asking


def test_a_title_that_is_typed_is_answered_by_its_neighbours(visit: Visit, store: Path) -> None:
    page = visit.open()
    expect(visit.box).to_be_focused()
    page.keyboard.type(TITLE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    assert visit.titles() == answer_titles(store, TITLE)
    expect(page.get_by_text("Similar to", exact=False).first).to_be_visible()
    first = page.locator("ol.hits > li").first
    abstract = first.locator("details p")
    expect(abstract).to_be_hidden()
    first.get_by_text("Abstract").click()
    expect(abstract).to_be_visible()


def test_a_completion_is_chosen_by_keyboard(visit: Visit, store: Path) -> None:
    page = visit.open()
    page.keyboard.type("preference opt")
    options = visit.options
    expect(options).to_have_text([TITLE])
    expect(visit.box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(visit.box).to_have_attribute("aria-activedescendant", "completion-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    expect(visit.box).to_have_value(TITLE)
    assert visit.titles() == answer_titles(store, TITLE)


def hold(page: Page, pattern: str) -> list[Route]:
    """Keep back the answers to what a page asks for; returns them, to be continued."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def let_go(page: Page, pattern: str, held: list[Route]) -> None:
    """Give the answers that were kept back, and those to come at once."""
    for route in held:
        route.continue_()
    page.unroute(pattern)


@pytest.mark.parametrize(
    ("late", "asked"),
    [("**/swimmer.js*", True), ("**/swimmer.js*", False), ("**/htmx.min.js*", False)],
)
@pytest.mark.parametrize("back", [False, True])
def test_what_is_typed_before_the_script_runs_is_completed(
    visit: Visit, store: Path, late: str, asked: bool, back: bool
) -> None:
    page = visit.page
    if back:
        visit.open()
        visit.search(TITLE)
    held = hold(page, late)
    if back:
        page.go_back(wait_until="commit")
    else:
        page.goto(visit.address, wait_until="commit")
    expect(visit.box).to_be_focused()
    visit.box.fill("")
    page.keyboard.type("preference opt")
    expect(visit.box).to_have_value("preference opt")
    assert held
    if asked:
        # htmx runs already, and has the completions that nothing shows.
        expect(visit.options).to_have_text([TITLE])
    let_go(page, late, held)
    expect(visit.options).to_have_text([TITLE])
    expect(visit.box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    assert visit.titles() == answer_titles(store, TITLE)


@pytest.fixture(scope="module")
def keeping_browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that keeps a page that is left in memory, which Playwright switches off."""
    found = playwright.chromium.launch(
        executable_path=find_chromium(),
        args=ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield found
    found.close()


def test_a_page_that_comes_back_from_memory_is_completed(
    keeping_browser: Browser, store: Path
) -> None:
    with serving(store) as address, visiting(keeping_browser, address) as visit:
        page = visit.open()
        page.evaluate("window.kept = true")
        page.keyboard.type("preference opt")
        expect(visit.options).to_have_text([TITLE])
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?*")
        page.go_back(wait_until="commit")
        if not page.evaluate("window.kept"):
            pytest.skip("this Chromium keeps no page in memory")
        expect(visit.box).to_have_value("preference opt")
        expect(visit.box).to_be_focused()
        expect(visit.options).to_have_text([TITLE])
        expect(visit.options.first).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?*")
        expect(visit.box).to_have_value(TITLE)


def test_an_answer_that_is_shown_opens_no_completions(visit: Visit) -> None:
    page = visit.open()
    visit.search("preference")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_timeout(300)
    expect(visit.options).to_have_count(0)
    assert not [url for url in asked if "/complete" in url]


def test_a_completion_is_chosen_by_mouse(visit: Visit, store: Path) -> None:
    page = visit.open()
    page.keyboard.type("linear cost")
    visit.option(OTHER).click()
    page.wait_for_url("**/search?*")
    assert visit.titles() == answer_titles(store, OTHER)


def test_a_late_answer_leaves_the_title_that_was_reached(visit: Visit) -> None:
    page = visit.open()
    late = []

    def hold(route: Route) -> None:
        late.append(route) if "optim" in route.request.url else route.continue_()

    page.route("**/complete?*", hold)
    page.keyboard.type("preference opt")
    expect(visit.options).to_have_text([TITLE])
    page.keyboard.type("im")
    page.wait_for_timeout(200)
    page.keyboard.press("ArrowDown")
    visit.options.first.evaluate("option => { option.className = 'earlier' }")
    late[-1].continue_()
    expect(page.locator("#completions .earlier")).to_have_count(0)
    expect(visit.options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    expect(visit.box).to_have_value(TITLE)


def test_completions_close_and_open_again(visit: Visit) -> None:
    page = visit.open()
    listbox = page.locator("#completions")
    page.keyboard.type("learning")
    expect(listbox).to_be_visible()
    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(visit.box).to_have_value("learning")
    page.keyboard.press("ArrowDown")
    expect(listbox).to_be_visible()
    page.keyboard.press("Tab")
    expect(listbox).to_be_hidden()
    visit.box.fill("learning with zzzz")
    expect(visit.options).to_have_count(0)
    expect(listbox).to_be_hidden()


def test_examples_of_what_is_wanted_and_what_is_not(visit: Visit, store: Path) -> None:
    page = visit.open()
    visit.search(TITLE)
    liked, unliked = visit.titles()[1], visit.titles()[0]
    hit(visit, liked).get_by_role("link", name="More like this").click()
    expect(page.locator(".chip.like")).to_contain_text(liked)
    assert visit.titles() == answer_titles(store, TITLE, like=[liked])
    hit(visit, unliked).get_by_role("link", name="Less like this").click()
    expect(page.locator(".chip.unlike")).to_contain_text(unliked)
    assert visit.titles() == answer_titles(store, TITLE, like=[liked], unlike=[unliked])
    page.get_by_role("link", name=f"Remove the example {liked}").click()
    expect(page.locator(".chip.like")).to_have_count(0)
    assert visit.titles() == answer_titles(store, TITLE, unlike=[unliked])
    page.go_back()
    expect(page.locator(".chip.like")).to_contain_text(liked)


def test_filters(visit: Visit, store: Path) -> None:
    page = visit.open()
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Year from").fill("2025")
    page.get_by_label("Condition").fill('status="Oral"')
    visit.search(TITLE)
    wanted = {"$and": [{"year": {"$gte": 2025}}, {"status": "Oral"}]}
    assert visit.titles() == answer_titles(store, TITLE, filter=wanted)
    visit.expected = {400}
    page.get_by_label("Condition").fill("status=")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_be_visible()
    condition = page.get_by_label("Condition")
    expect(condition).to_have_attribute("aria-invalid", "true")
    expect(condition).to_have_value("status=")


def test_facets_by_mouse_and_by_keyboard(visit: Visit, store: Path) -> None:
    page = visit.open()
    visit.search(TITLE)
    page.locator(".facet summary", has_text="Status").click()
    page.locator(".facet").get_by_role("link", name="Oral").click()
    expect(page.locator(".chip")).to_contain_text("Oral")
    assert visit.titles() == answer_titles(store, TITLE, filter={"status": "Oral"})
    visit.tab_to("Year")
    page.keyboard.press("Enter")
    visit.tab_to("2025")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    wanted = {"status": "Oral", "year": 2025}
    assert visit.titles() == answer_titles(store, TITLE, filter=wanted)
    # Another question is narrowed in the same way.
    visit.search(OTHER)
    expect(page.locator(".chip")).to_have_count(2)
    assert visit.titles() == answer_titles(store, OTHER, filter=wanted)
    page.get_by_role("link", name="Remove the status Oral").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.go_back()
    expect(page.locator(".chip")).to_have_count(2)


def test_a_title_the_store_does_not_know_is_read_as_text(visit: Visit, store: Path) -> None:
    text = "An Unheard-of Title about Walking Robots"
    page = visit.open()
    visit.search(text)
    expect(page.locator(".taken")).to_contain_text("Searched as text")
    assert visit.titles() == answer_titles(store, text)


def test_a_paper_leads_to_its_neighbours(visit: Visit) -> None:
    page = visit.open()
    visit.search(TITLE)
    first = visit.titles()[0]
    page.locator("ol.hits h3 a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    assert first not in visit.titles()
    page.get_by_role("link", name="Search from this paper").click()
    expect(page.locator(".chip.like")).to_contain_text(first)


def test_every_export_is_the_library_s(visit: Visit, store: Path) -> None:
    page = visit.open(f"/search?store={NAME}&q=hostile+ranking")
    with open_store(store) as opened:
        answers = ask(opened, ["hostile ranking"], 10)
    links = page.locator(".formats").get_by_role("link")
    expect(page.locator(".formats")).to_be_hidden()
    page.get_by_text("Save as").click()
    expect(links).to_have_text(["JSON", "CSV", "Markdown", "BibTeX", "RIS", "Reading list"])
    for link, writer in zip(links.all(), WRITERS.values(), strict=True):
        with page.expect_download() as saved:
            link.click()
        assert Path(saved.value.path()).read_bytes().decode() == writer(answers)
        assert saved.value.suggested_filename.startswith(f"swimmer-{NAME}.")


# ---------------------------------------------------------------------- the reading list


def test_the_reading_list_and_its_notes_outlive_the_server(browser: Browser, store: Path) -> None:
    note = "Read twice.\n<b>not bold</b> — 読む"
    with serving(store) as address, visiting(browser, address) as visit:
        page = visit.open()
        visit.search(TITLE)
        first, second = visit.titles()[:2]
        for number, title in enumerate((first, second), 1):
            hit(visit, title).get_by_role("button", name="Add to reading list").click()
            expect(
                hit(visit, title).get_by_role("link", name="On the reading list")
            ).to_be_visible()
            expect(page.locator("#kept-count")).to_have_text(str(number))
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="list").click()
        entry = hit(visit, first)
        entry.get_by_label("Notes").fill(note)
        entry.get_by_role("button", name="Save notes").click()
        expect(entry.get_by_text("saved", exact=True)).to_be_visible()
        entry.get_by_role("button", name="Move down").click()
        expect(page.locator("ol.hits h3").first).to_have_text(second)
    with serving(store) as address, visiting(browser, address) as visit:
        page = visit.open("/list")
        assert visit.titles() == [second, first]
        expect(hit(visit, first).get_by_label("Notes")).to_have_value(note)
        page.get_by_text("Save as").click()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Markdown").click()
        text = Path(saved.value.path()).read_text(encoding="utf-8")
        assert "Read twice." in text and text.index(second) < text.index(first)
        hit(visit, second).get_by_role("button", name="Remove").click()
        expect(page.locator("ol.hits > li")).to_have_count(1)
        expect(page.locator("#kept-count")).to_have_text("1")


def test_notes_are_saved_when_the_field_is_left(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q=walking+robots")
    page.get_by_role("button", name="Add to reading list").first.click()
    expect(page.locator("#kept-count")).to_have_text("1")
    visit.open("/list")
    page.get_by_label("Notes").fill("for Monday")
    page.keyboard.press("Tab")
    expect(page.get_by_text("saved", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_label("Notes")).to_have_value("for Monday")


def test_a_paper_gets_a_status_tags_and_another_list(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q=walking+robots")
    for number in (1, 2):
        page.get_by_role("button", name="Add to reading list").first.click()
        expect(page.locator("#kept-count")).to_have_text(str(number))
    visit.open("/list")
    first, second = visit.titles()
    entry = hit(visit, second)
    entry.get_by_label("Status").select_option("reading")
    expect(entry.get_by_text("saved", exact=True)).to_be_visible()
    for label, text in (("Tags", "gait, to cite"), ("Lists", "thesis")):
        # "saved" is there already, from the change before: the answer to this one is awaited.
        with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            entry.get_by_label(label).fill(text)
            page.keyboard.press("Tab")
        assert answered.value.ok
    expect(entry.get_by_text("saved", exact=True)).to_be_visible()
    page.reload()
    page.get_by_role("combobox", name="List", exact=True).select_option("thesis")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("ol.hits > li")).to_have_count(1)
    assert visit.titles() == [second]
    expect(page.get_by_label("Tags")).to_have_value("gait, to cite")
    page.get_by_role("combobox", name="List", exact=True).select_option("Reading list")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("ol.hits h3")).to_have_text(first)
    visit.open("/list?tag=gait&status=reading")
    assert visit.titles() == [second]
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No paper of your lists is shown")).to_be_visible()


def test_the_list_is_reordered_after_a_field_was_made_larger(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q=walking+robots")
    for number in (1, 2):
        page.get_by_role("button", name="Add to reading list").first.click()
        expect(page.locator("#kept-count")).to_have_text(str(number))
    visit.open("/list")
    first, second = visit.titles()
    # Dragging its corner leaves a style on the field, which the page's policy lets nobody copy.
    page.get_by_label("Notes").first.evaluate("field => { field.style.height = '150px'; }")
    page.get_by_role("button", name="Move down").first.click()
    expect(page.locator("ol.hits h3").first).to_have_text(second)
    assert visit.titles() == [second, first]
    page.wait_for_timeout(100)


# ---------------------------------------------------------------------- stores that change


def test_a_store_that_was_deleted_is_said(visit: Visit, store: Path) -> None:
    page = visit.open()
    shutil.rmtree(store)
    visit.expected = {404}
    page.keyboard.type("preference")
    page.wait_for_timeout(500)
    expect(visit.options).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such store")
    expect(page.get_by_role("link", name="sample")).to_be_visible()


def test_a_store_that_was_updated_is_served_to_an_open_tab(visit: Visit, store: Path) -> None:
    page = visit.open()
    visit.search(TITLE)
    new = replace(corpus()[4], id="new", title=f"{TITLE}, Revisited", url="", abstract="As before.")
    build_store([*corpus(), new], store).close()
    visit.box.fill(f"{TITLE}, Re")
    expect(visit.option("Revisited")).to_be_visible()
    page.keyboard.press("Escape")
    visit.search(TITLE + " ")
    assert new.title in visit.titles()
    assert visit.titles() == answer_titles(store, TITLE)


def test_without_any_store_the_page_says_how_to_build_one(browser: Browser, home: Path) -> None:
    hidden = (
        "import pathlib, swimmer.store.names\n"
        "swimmer.store.names.bundled_sample = lambda: pathlib.Path('none')"
    )
    with serving(program=hidden) as address, visiting(browser, address) as visit:
        page = visit.open()
        expect(page.get_by_text("There is no store yet")).to_be_visible()
        expect(page.get_by_text("swimmer build iclr2025")).to_be_visible()
        assert grave(page) == []
        build_store(corpus(), home / "vectorstores" / NAME).close()
        page.wait_for_timeout(1100)
        page.reload()
        expect(visit.box).to_be_visible()


# ---------------------------------------------------------------------- hostile papers


def test_hostile_papers_are_text_and_nothing_runs(visit: Visit) -> None:
    page = visit.open()
    page.keyboard.type("hostile rank")
    expect(visit.option(HOSTILE[0].title)).to_be_visible()
    expect(visit.option(HOSTILE[1].title)).to_be_visible()
    visit.search("hostile ranking")
    assert {one.title for one in HOSTILE[:2]} <= set(visit.titles())
    for one in page.locator("ol.hits h3").all():
        one.hover()
    for paper in HOSTILE:
        page = visit.open(f"/search?store={NAME}&q=hostile+ranking&why=1")
        shown = paper.title.replace(OVERRIDE, "")
        entry = page.locator("ol.hits > li").filter(has_text=shown[-20:])
        entry.get_by_role("button", name="Add to reading list").click()
        expect(entry.get_by_role("link", name="On the reading list")).to_be_visible()
        entry.get_by_role("link", name="More like this").click()
        expect(page.locator(".chip.like")).to_contain_text(shown[-20:])
        page.go_back()
        page.locator("ol.hits h3 a").filter(has_text=shown[-20:]).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(shown[-20:])
        page.evaluate(TOUCH)
        assert_harmless(visit)
    visit.open("/list")
    assert len(visit.titles()) == 3
    assert_harmless(visit)


def assert_harmless(visit: Visit) -> None:
    """No element or handler of a paper's own, no address but http's, no turned-around text."""
    page = visit.page
    assert page.locator("main script, main svg, main img, main b, main u, main i").count() == 0
    handlers = """Array.from(document.querySelectorAll("*")).flatMap(e => e.getAttributeNames())
                  .filter(name => name.startsWith("on"))"""
    assert page.evaluate(handlers) == []
    schemes = "Array.from(document.links).map(link => new URL(link.href).protocol)"
    assert set(page.evaluate(schemes)) <= {"http:", "https:"}
    assert OVERRIDE not in page.content()
    visit.check()


# ---------------------------------------------------------------------- the map


@pytest.fixture(scope="module")
def mapped(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its map, which no test changes."""
    pytest.importorskip("openTSNE", reason="needs the extra 'map'")
    folder = Path(shutil.copytree(shelf, tmp_path_factory.mktemp("mapped") / NAME))
    with open_store(folder) as opened:
        paper_map(opened)
    return folder


def on_the_map(visit: Visit, path: str) -> Page:
    page = visit.open(path)
    expect(page.locator(".map")).to_have_attribute("data-ready", "yes")
    return page


def at_the_ring(page: Page) -> tuple[float, float]:
    """Where on the screen the ring lies that shows which paper is meant."""
    canvas, ring = page.locator(".map-canvas").bounding_box(), page.locator(".map-ring")
    assert canvas is not None
    left, top = (
        float(ring.evaluate(f"ring => ring.style.{side}").removesuffix("px"))
        for side in ("left", "top")
    )
    return canvas["x"] + left, canvas["y"] + top


def test_a_point_of_the_map_leads_to_its_paper(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = visit.open(f"/paper?store={NAME}&id=p04")
        page.get_by_role("link", name="Show on the map").click()
        expect(page.locator(".map")).to_have_attribute("data-ready", "yes")
        hits = page.locator(".map-side li[data-point]")
        with open_store(mapped) as opened:
            assert hits.locator("a").all_inner_texts() == [
                one.paper.display_title for one in search(opened, TITLE, 10)
            ]
        hits.nth(2).hover()
        expect(page.locator(".map-tip b")).to_have_text(hits.nth(2).locator("a").inner_text())
        page.mouse.move(*at_the_ring(page))
        meant = page.locator(".map-tip b").inner_text()
        page.mouse.click(*at_the_ring(page))
        page.wait_for_url("**/paper?**")
        expect(page.get_by_role("heading", level=1)).to_have_text(meant)


def test_a_title_that_is_sought_before_the_map_is_drawn_is_found(
    browser: Browser, mapped: Path
) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        held = hold(visit.page, "**/map.js*")
        visit.page.goto(f"{address}map?store={NAME}", wait_until="commit")
        visit.page.get_by_label("Find in titles").fill("preference optimization")
        assert held
        let_go(visit.page, "**/map.js*", held)
        expect(visit.page.locator(".map-count")).to_have_text(re.compile(r"^\d+ titles?$"))


def test_a_finger_scrolls_past_the_map_until_it_is_zoomed(browser: Browser, mapped: Path) -> None:
    options = {"viewport": NARROW, "is_mobile": True, "has_touch": True}
    with serving(mapped) as address, visiting(browser, address, **options) as visit:
        page = on_the_map(visit, f"/map?store={NAME}")
        canvas, hand = page.locator(".map-canvas"), page.context.new_cdp_session(page)

        def swiped() -> float:
            page.evaluate("window.scrollTo({ top: 0, behavior: 'instant' })")
            box = canvas.bounding_box()
            assert box is not None
            across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
            kinds = ["touchStart", *["touchMove"] * 10, "touchEnd"]
            for step, kind in enumerate(kinds):
                at = [] if kind == "touchEnd" else [{"x": across, "y": down - 20 * step}]
                hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
            page.wait_for_timeout(200)
            return float(page.evaluate("window.scrollY"))

        assert swiped() > 100
        page.get_by_role("button", name="Zoom in").click()
        assert swiped() < 20
        page.get_by_role("button", name="Show all").click()
        assert swiped() > 100


DRAWN_NAMES = """() => {
  const view = document.querySelector(".map-view").getBoundingClientRect();
  return [view.width, Array.from(document.querySelectorAll(".map-label"), (label) => {
    const range = document.createRange();
    range.selectNodeContents(label);
    const box = range.getBoundingClientRect();
    return [
      label.innerText, box.x - view.x, box.right - view.x, box.y - view.y, box.bottom - view.y,
    ];
  })];
}"""


def test_no_name_on_a_narrow_map_is_cut_off(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}")
        for wide in (360, 280, 240):
            page.set_viewport_size({"width": wide, "height": 740})
            page.wait_for_timeout(500)
            width, names = page.evaluate(DRAWN_NAMES)
            assert names
            assert [n for n in names if n[1] < 0 <= n[2] or n[1] <= width < n[2]] == []


def test_the_map_by_keyboard(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}&q=diffusion+models")
        visit.tab_to("Zoom in")
        page.keyboard.press("Enter")
        holding = [paper for paper in corpus() if "diffusion" in paper.title.lower()]
        visit.tab_to("Find in titles")
        page.keyboard.type("DIFFUSION")
        expect(page.locator(".map-count")).to_have_text(f"{len(holding)} titles")
        first = page.locator(".map-side li[data-point] a").first.inner_text()
        visit.tab_to(first)
        expect(page.locator(".map-tip b")).to_have_text(first)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(first)


def test_a_map_is_made_while_the_page_waits(browser: Browser, store: Path) -> None:
    pytest.importorskip("openTSNE", reason="needs the extra 'map'")
    with serving(store) as address, visiting(browser, address) as visit:
        page = visit.open(f"/map?store={NAME}")
        expect(page.get_by_role("heading", name="Computing the map")).to_be_visible()
        expect(page.locator(".map")).to_have_attribute("data-ready", "yes", timeout=180_000)


def test_hostile_papers_on_the_map_are_text(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}&q=hostile+ranking+%3Cscript%3Ealert(1)")
        for paper in HOSTILE:
            shown = paper.title.replace(OVERRIDE, "")
            page.locator(".map-side li[data-point]").filter(has_text=shown[-20:]).hover()
            expect(page.locator(".map-tip b")).to_contain_text(shown[-20:])
            assert OVERRIDE not in page.locator(".map").inner_text()
        assert page.locator(".map img, .map svg, .map script, .map u").count() == 0


def overlapping(names: list[list[Any]]) -> list[tuple[str, str]]:
    """Return the labels of a map of which one covers another by more than a pixel."""
    return [
        (one[0], other[0])
        for at, one in enumerate(names)
        for other in names[:at]
        if min(one[2], other[2]) - max(one[1], other[1]) > 1
        and min(one[4], other[4]) - max(one[3], other[3]) > 1
    ]


def test_names_hits_and_titles_of_the_map_never_cover_each_other(
    browser: Browser, mapped: Path
) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}&q=reward+models")
        expect(page.locator(".map-query")).to_have_text("your query")
        for _ in range(4):
            _, names = page.evaluate(DRAWN_NAMES)
            shown = [name[0] for name in names]
            # Every hit has a number that can be read.
            assert sorted(one for one in shown if one.isdigit()) == sorted(map(str, range(1, 11)))
            assert overlapping(names) == []
            page.get_by_role("button", name="Zoom in").click()
            page.wait_for_timeout(150)
        page.get_by_role("button", name="Show all").click()
        # Where few papers are in view they have their titles.
        expect(page.locator(".map-title").first).to_be_visible()
        _, names = page.evaluate(DRAWN_NAMES)
        assert overlapping(names) == []
        with open_store(mapped) as opened:
            titles = " ".join(paper.display_title for paper in opened)
        for title in page.locator(".map-title").all_inner_texts():
            assert title.split("\n")[0].strip(" …") in titles


def test_the_list_and_the_map_light_each_other(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}&q=reward+models")
        third = page.locator(".map-hits li").nth(2)
        third.hover()
        lit = page.locator(".map-hit.is-lit")
        expect(lit).to_have_text("3")
        # And back: a number of the map lights its entry, by mouse as by the focus.
        page.mouse.move(5, 5)
        box = page.locator(".map-hit", has_text=re.compile("^2$")).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 11, box["y"] + 11)
        expect(page.locator(".map-hits li.is-lit")).to_have_count(1)
        expect(page.locator(".map-hits li.is-lit > span")).to_have_text("2")
        page.locator(".map-hits a").nth(4).focus()
        expect(lit).to_have_text("5")


def test_papers_drawn_around_are_listed_and_saved(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}")
        page.get_by_role("button", name="Draw around papers").click()
        box = page.locator(".map-canvas").bounding_box()
        assert box is not None
        left, top = box["x"] + 5, box["y"] + 5
        right, low = left + box["width"] / 2, top + box["height"] - 10
        page.mouse.move(left, top)
        page.mouse.down()
        for place in ((right, top), (right, low), (left, low)):
            page.mouse.move(*place, steps=3)
        page.mouse.up()
        said = page.locator(".map-said")
        expect(said).to_have_text(re.compile(r"^\d+ papers? selected$"))
        count = int(said.inner_text().split()[0])
        listed = page.locator(".map-chosen li")
        expect(listed).to_have_count(min(count, 50))
        assert 0 < count < len(corpus())
        page.get_by_role("button", name="Add to reading list").click()
        expect(said).to_have_text(f"{count} papers added to the reading list.")
        title = listed.first.inner_text()
        visit.open("/list")
        expect(page.locator("li.hit")).to_have_count(count)
        expect(page.get_by_role("link", name=title)).to_be_visible()


def test_the_map_by_arrow_keys_and_what_is_in_view_selected(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}")
        select = page.get_by_role("button", name="Select in view")
        select.click()
        said = page.locator(".map-said")
        with open_store(mapped) as opened:
            everything = len(opened)
        expect(said).to_have_text(f"{everything} papers selected")
        visit.tab_to("Map of the papers")
        for key in ("+", "+", "+", "ArrowLeft", "ArrowUp"):
            page.keyboard.press(key)
        select.click()
        expect(said).not_to_have_text(f"{everything} papers selected")
        page.get_by_role("button", name="Clear").click()
        expect(page.locator(".map-chosen")).to_be_hidden()


def test_points_are_coloured_with_a_legend(browser: Browser, mapped: Path) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}&q=reward+models")
        choice = page.get_by_label("Colour by")
        for offered in choice.locator("option").all():
            value = offered.get_attribute("value")
            choice.select_option(value)
            if value != "topic":
                expect(page.locator(".map")).to_have_attribute("data-colour", str(value))
            entries = page.locator(".map-legend button")
            if value == "topic":
                expect(entries).to_have_count(0)
                continue
            expect(entries.first).to_be_visible()
            colours = page.locator(".map-legend i").evaluate_all(
                "all => all.map(one => getComputedStyle(one).backgroundColor)"
            )
            assert len(set(colours)) == len(colours) and "rgba(0, 0, 0, 0)" not in colours
        entries.first.click()
        expect(entries.first).to_have_attribute("aria-pressed", "true")


BOTH_WAYS = """() => {
  const counted = (pixels) => Array.from({ length: 64 }, (_, at) => {
    let sum = 0;
    const left = 25 * (at % 8), top = 25 * Math.floor(at / 8);
    for (let y = top; y < top + 25; y++) {
      for (let x = left; x < left + 25; x++) sum += pixels[4 * (200 * y + x) + 3] > 60;
    }
    return sum;
  });
  const drawn = (make, read) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 200;
    const painter = make(canvas);
    if (!painter) return null;
    const x = [-3, 0, 2.5, 3.4], y = [-3, 0.4, 1, 3.3], colours = new Uint8Array(16).fill(255);
    painter.set(Float32Array.from(x), Float32Array.from(y), colours);
    painter.draw({ unit: 25, left: 100, top: 100 }, 8);
    return counted(read(canvas));
  };
  const plain = drawn(swimmerMap.plain, (canvas) =>
    canvas.getContext("2d").getImageData(0, 0, 200, 200).data);
  const webgl = drawn(swimmerMap.webgl, (canvas) => {
    const gl = canvas.getContext("webgl"), pixels = new Uint8Array(160000), turned = [];
    gl.readPixels(0, 0, 200, 200, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    for (let y = 199; y >= 0; y--) turned.push(...pixels.subarray(800 * y, 800 * (y + 1)));
    return turned;
  });
  return [plain, webgl];
}"""


def test_both_ways_of_drawing_put_the_points_in_the_same_places(
    browser: Browser, mapped: Path
) -> None:
    with serving(mapped) as address, visiting(browser, address) as visit:
        page = on_the_map(visit, f"/map?store={NAME}")
        plain, webgl = page.evaluate(BOTH_WAYS)
        assert sum(plain) > 150
        if webgl is None:
            pytest.skip("this Chromium has no WebGL")
        assert all(abs(one - other) <= 12 for one, other in zip(plain, webgl, strict=True))


def test_the_topics_lead_to_lists_without_a_script(browser: Browser, mapped: Path) -> None:
    with (
        serving(mapped) as address,
        visiting(browser, address, java_script_enabled=False) as visit,
    ):
        page = visit.open(f"/map?store={NAME}")
        link = page.locator(".map-topics a").first
        count = int(re.sub(r"\D", "", link.inner_text().split()[0]))
        link.click()
        page.wait_for_url("**/search?*topic=*")
        expect(page.locator("ol.hits > li")).to_have_count(min(count, 50))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_is_accessible_and_fits_a_phone(
    browser: Browser, mapped: Path, scheme: Any
) -> None:
    with serving(mapped) as address:
        for size in (WIDE, NARROW):
            with visiting(browser, address, color_scheme=scheme, viewport=size) as visit:
                page = on_the_map(visit, f"/map?store={NAME}&q=reward+models")
                assert grave(page) == []
                assert overflow(page) == 0


# ---------------------------------------------------------------------- keyboard, sizes, colours


def test_the_whole_way_by_keyboard_alone(visit: Visit) -> None:
    page = visit.open()
    keys = page.keyboard
    keys.type("preference opt")
    expect(visit.options.first).to_be_visible()
    keys.press("ArrowDown")
    keys.press("Enter")
    page.wait_for_url("**/search?*")
    visit.tab_to("Abstract")
    keys.press("Enter")
    expect(page.locator("ol.hits details p").first).to_be_visible()
    visit.tab_to("More like this")
    keys.press("Enter")
    expect(page.locator(".chip.like")).to_be_visible()
    visit.tab_to("Less like this")
    keys.press("Enter")
    expect(page.locator(".chip.unlike")).to_be_visible()
    visit.tab_to("Filters and options")
    keys.press("Enter")
    visit.tab_to("Year from")
    keys.type("2025")
    keys.press("Enter")
    page.wait_for_url("**year_from=2025**")
    visit.tab_to("Add to reading list")
    keys.press("Enter")
    expect(page.locator("#kept-count")).to_have_text("1")
    page.reload()
    visit.tab_to("Reading list")
    keys.press("Enter")
    page.wait_for_url("**/list")
    visit.tab_to("Notes")
    keys.type("by keyboard")
    visit.tab_to("Save notes")
    keys.press("Enter")
    expect(page.get_by_text("saved", exact=True)).to_be_visible()
    visit.tab_to("Remove")
    keys.press("Enter")
    expect(page.locator("ol.hits > li")).to_have_count(0)
    page.reload()
    visit.tab_to("Skip to the content")
    keys.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def every_page(visit: Visit) -> Iterator[str]:
    """Open every kind of page in turn; yields what it is."""
    page = visit.open()
    yield "search form"
    page.keyboard.type("learning")
    expect(visit.options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    yield "completions"
    like = f"/search?store={NAME}&q=reward+models&why=1&like=p04&unlike=p06&year_from=2024"
    visit.open(like)
    page.get_by_text("Abstract").first.click()
    page.get_by_role("button", name="Add to reading list").first.click()
    expect(page.locator("#kept-count")).not_to_have_text("0")
    yield "answer"
    visit.open(f"/search?store={NAME}&q=reward&mode=keyword&k=40")
    yield "answer by words"
    visit.open(f"/search?store={NAME}&q=learning&status=Oral&status=Poster")
    page.locator(".facet summary", has_text="Topic").click()
    yield "facets"
    visit.open(f"/search?store={NAME}&q=%22no+such+words%22&mode=keyword")
    yield "empty answer"
    visit.open(f"/search?store={NAME}&q=learning&why=1&view=full")
    yield "full view"
    page.get_by_text("Save as").click()
    yield "menu"
    visit.open(f"/paper?store={NAME}&id=p04&view=compact")
    page.get_by_text("Cite as").click()
    page.get_by_role("link", name="Mark the terms").click()
    page.get_by_text("Cite as").click()
    yield "paper"
    page.locator(".paper .authors a").first.click()
    expect(page.locator("aside .skeleton")).to_have_count(0)
    yield "person"
    visit.open("/foryou")
    expect(page.get_by_text("near to your").first).to_be_visible()
    yield "for you"
    visit.open("/digest?since=")
    yield "digest"
    visit.open("/daily")
    yield "daily"
    visit.open("/file")
    yield "file"
    page.locator("main textarea").fill(REFERENCES)
    page.locator("main").get_by_role("button", name="Check the references").click()
    page.get_by_text("Cite instead").first.click()
    yield "references"
    page.get_by_role("link", name="Plan", exact=True).click()
    yield "plan of a store without times"
    visit.open("/file")
    page.locator("main textarea").fill("Robots that learn\n\nWe train robots by rewards.")
    page.locator("main").get_by_role("button", name="Papers near this draft").click()
    expect(page.get_by_text("does not cite")).to_be_visible()
    yield "near a draft"
    visit.open("/list")
    yield "reading list"
    visit.expected = {400, 404}
    visit.open(f"/search?store={NAME}&q=x&k=none&where=%3D&diversity=7")
    yield "wrong fields"
    visit.open("/search?store=nosuch&q=x")
    yield "no such store"
    visit.open("/nowhere")
    yield "no such page"


@pytest.mark.parametrize(
    ("scheme", "width", "zoom"),
    # At 200 % a window of 1440 pixels has room for 720.
    [("light", 1440, 1), ("dark", 768, 1), ("dark", 390, 1), ("light", 720, 2)],
)
def test_axe_finds_nothing_serious_on_any_page(
    browser: Browser, store: Path, scheme: Any, width: int, zoom: int
) -> None:
    size = {"width": width, "height": 900 // zoom}
    options = {"color_scheme": scheme, "viewport": size, "device_scale_factor": zoom}
    with serving(store) as address, visiting(browser, address, **options) as visit:
        grounds = set()
        for what in every_page(visit):
            assert grave(visit.page) == [], what
            assert overflow(visit.page) == 0, what
            grounds.add(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        (ground,) = grounds
        brightness = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(",")))
        assert (brightness > 384) == (scheme == "light")


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, store: Path) -> None:
    options = {"viewport": NARROW, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    with serving(store) as address, visiting(browser, address, **options) as visit:
        for what in every_page(visit):
            assert overflow(visit.page) == 0, what
            assert visit.page.evaluate("window.innerWidth") == 360, what


def test_the_page_answers_without_any_script(browser: Browser, store: Path) -> None:
    with (
        serving(store) as address,
        visiting(browser, address, java_script_enabled=False) as visit,
    ):
        page = visit.open()
        visit.search(TITLE)
        assert visit.titles() == answer_titles(store, TITLE)
        page.locator(".facet summary", has_text="Status").click()
        page.locator(".facet").get_by_role("link", name="Oral").click()
        assert visit.titles() == answer_titles(store, TITLE, filter={"status": "Oral"})
        page.get_by_role("button", name="Add to reading list").first.click()
        page.wait_for_url("**/list**")
        page.get_by_label("Notes").fill("no script")
        page.get_by_role("button", name="Save notes").click()
        expect(page.get_by_label("Notes")).to_have_value("no script")


# ---------------------------------------------------------------------- single keys, views


def test_single_keys_walk_open_and_save(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q={TITLE.replace(' ', '+')}")
    keys, titles = page.keyboard, visit.titles()
    for pressed, place in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        keys.press(pressed)
        expect(page.locator("ol.hits h3 a").nth(place)).to_be_focused()
    keys.press("j")
    keys.press("s")
    expect(page.locator("#kept-count")).to_have_text("1")
    expect(hit(visit, titles[1]).get_by_role("link", name="On the reading list")).to_be_visible()
    keys.press("m")
    expect(page.locator(".chip.like")).to_contain_text(page.locator(".chip.like").inner_text())
    keys.press("l")
    expect(page.locator(".chip.unlike")).to_be_visible()
    keys.press("/")
    expect(visit.box).to_be_focused()
    # In the box they are letters.
    keys.press("End")
    keys.type("jkos?")
    expect(visit.box).to_have_value(re.compile(r"jkos\?$"))
    page.locator("ol.hits h3 a").first.focus()
    first = visit.titles()[0]
    keys.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)


def test_single_keys_are_listed_and_can_be_switched_off(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q=reward+models")
    page.locator("main").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert grave(page) == []
    page.get_by_label("Use single keys").uncheck()
    page.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    page.reload()
    page.locator("main").focus()
    page.keyboard.press("j")
    expect(page.locator("ol.hits h3 a").first).not_to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_label("Use single keys")).not_to_be_checked()


def test_eight_papers_stand_on_a_screen_in_the_compact_view(browser: Browser, store: Path) -> None:
    size = {"width": 1440, "height": 900}
    inside = """Array.from(document.querySelectorAll("ol.hits > li"))
        .filter(one => one.getBoundingClientRect().bottom <= innerHeight).length"""
    with serving(store) as address, visiting(browser, address, viewport=size) as visit:
        page = visit.open(f"/search?store={NAME}&q=learning&why=1&k=20")
        assert page.evaluate(inside) >= 8
        page.get_by_role("link", name="Full", exact=True).click()
        page.wait_for_load_state()
        assert page.evaluate(inside) < 8
        number = page.locator("ol.hits .number").nth(2)
        expect(number).to_have_css("opacity", "0")
        page.locator("ol.hits h3 a").nth(2).focus()
        expect(number).to_have_css("opacity", "1")


def test_motion_stops_for_those_who_do_not_want_it(browser: Browser, store: Path) -> None:
    moving = """() => { document.documentElement.classList.add("busy");
        return Array.from(document.querySelectorAll("*")).filter(one => ["", "::after"].some(part => {
            const style = getComputedStyle(one, part || null);
            return style.animationName !== "none" || style.transitionDuration !== "0s";
        })).length }"""
    with serving(store) as address:
        for wanted in ("reduce", "no-preference"):
            with visiting(browser, address, reduced_motion=wanted) as visit:
                page = visit.open(f"/search?store={NAME}&q=learning")
                assert bool(page.evaluate(moving)) == (wanted == "no-preference")


def test_a_printed_answer_has_papers_and_no_controls(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q=learning")
    page.emulate_media(media="print")
    expect(page.locator("ol.hits h3").first).to_be_visible()
    for part in (".top", ".facets", ".tools", ".actions", "footer"):
        expect(page.locator(part).first).to_be_hidden()


def test_what_a_page_does_not_wait_for_comes_after_it(visit: Visit) -> None:
    page = visit.open(f"/search?store={NAME}&q=walking+robots")
    page.get_by_role("button", name="Add to reading list").first.click()
    expect(page.locator("#kept-count")).to_have_text("1")
    visit.open()
    expect(page.get_by_text("near to your").first).to_be_visible()
    expect(page.get_by_role("heading", name="Presented as Oral")).to_be_visible()
    visit.open(f"/paper?store={NAME}&id=p04")
    elsewhere = page.get_by_role("region", name="In other stores and years")
    elsewhere.scroll_into_view_if_needed()
    expect(elsewhere.locator(".skeleton")).to_have_count(0)
    expect(elsewhere.get_by_role("link").first).to_be_visible()


# ---------------------------------------------------------------------- files and drafts


def test_a_dropped_draft_is_answered_and_a_bibliography_offers_its_uses(visit: Visit) -> None:
    page = visit.open()
    page.evaluate(
        DROP, ["draft.tex", "\\title{Robots}\\begin{abstract}Robots walk.\\end{abstract}"]
    )
    page.wait_for_url("**/near?*")
    expect(page.get_by_role("heading", name="Papers near your draft")).to_be_visible()
    assert f"store={NAME}" in page.url
    page.evaluate(DROP, ["refs.bib", REFERENCES])
    dialog = page.get_by_role("dialog", name="A file or a draft")
    expect(dialog).to_be_visible()
    expect(page.locator("#drop")).to_be_hidden()
    expect(dialog.get_by_role("button", name="Papers near this draft")).to_be_hidden()
    assert grave(page) == []
    dialog.get_by_role("button", name="Check the references").click()
    page.wait_for_url("**/check?*")
    expect(page.locator(".verdict")).to_have_count(2)


def test_a_file_that_cannot_be_taken_is_said_before_it_is_sent(visit: Visit) -> None:
    page = visit.open()
    page.evaluate(DROP, ["virus.exe", "MZ"])
    said = page.locator("#file [role=alert]")
    expect(said).to_have_text(re.compile("^virus.exe is no kind of file"))
    page.get_by_role("button", name="Close").click()
    page.evaluate("document.querySelector('#file form').dataset.limit = 1048576")
    page.evaluate(DROP, ["big.pdf", "x" * 1_100_000])
    expect(said).to_have_text(re.compile("^This is larger than 1 MB"))
    assert page.url == visit.address


def test_a_file_is_chosen_by_the_button_beside_the_box(visit: Visit, home: Path) -> None:
    (home / "draft.md").write_text("# Robots\n\nWe train robots that walk.", encoding="utf-8")
    page = visit.open()
    with page.expect_file_chooser() as chooser:
        visit.tab_to("Use a file")
        page.keyboard.press("Enter")
    chooser.value.set_files(home / "draft.md")
    page.wait_for_url("**/near?*")
    expect(page.locator("ol.hits > li").first).to_be_visible()


def test_a_long_text_that_is_pasted_is_a_draft(visit: Visit) -> None:
    page = visit.open()
    paste = """text => {
      const carried = new DataTransfer();
      carried.setData("text/plain", text);
      const event = new ClipboardEvent("paste", {bubbles: true, cancelable: true, clipboardData: carried});
      return document.getElementById("q").dispatchEvent(event);
    }"""
    # A title is pasted as ever.
    assert page.evaluate(paste, TITLE) is True
    assert (
        page.evaluate(paste, "Robots that walk\n\n" + "We train robots by rewards. " * 60) is False
    )
    page.wait_for_url("**/near?*")
    expect(page.get_by_text("Robots that walk", exact=True)).to_be_visible()


def test_a_draft_and_references_without_any_script(browser: Browser, store: Path) -> None:
    with (
        serving(store) as address,
        visiting(browser, address, java_script_enabled=False) as visit,
    ):
        page = visit.open()
        page.get_by_role("link", name="Use a file").click()
        refs = store.parent / "refs.bib"
        refs.write_text(REFERENCES, encoding="utf-8")
        page.locator("main input[type=file]").set_input_files(refs)
        page.locator("main").get_by_role("button", name="Check the references").click()
        expect(page.locator(".verdict")).to_have_count(2)
        page.get_by_role("link", name="For you", exact=True).last.click()
        expect(page.locator("ol.hits > li").first).to_be_visible()
        visit.expected = {413}
        visit.open("/file")
        big = store.parent / "big.pdf"
        with big.open("wb") as file:
            file.truncate(200 << 20)
        page.locator("main input[type=file]").set_input_files(big)
        page.locator("main").get_by_role("button", name="Papers near this draft").click()
        expect(page.get_by_role("alert")).to_have_text("what was sent is larger than 50 MB")
