"""A static site in a browser, opened from the disk: search, map, hostile titles, vectors."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openTSNE", reason='needs pip install "swimmer[map]"')
pytest.importorskip("playwright", reason="needs the extra 'test' (playwright)")
pytest.importorskip("axe_playwright_python", reason="needs the extra 'test' (axe-core)")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.chromium import ARGUMENTS, find_chromium
from swimmer import Paper, build_store, open_store
from swimmer.embeddings import StaticEmbeddings
from swimmer.static_site import export_site, model_data
from swimmer.static_site.site import PAGE
from tests.browser import Visit, overflow, visiting
from tests.corpus import RECORDS
from tests.test_export_site import HOSTILE

pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="needs Chromium: apt-get install chromium, or its path in $SWIMMER_CHROMIUM",
)


TITLE = "Preference Optimization without a Reference Model"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf") / "conf"
    build_store([*(Paper(**record) for record in RECORDS), *HOSTILE], folder).close()
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with every token of the model."""
    folder = tmp_path_factory.mktemp("site") / "conf"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_data, "COMMON", 1_000_000)
        export_site(open_store(shelf), folder)
    return folder


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator[Visit]:
    with visiting(browser, site.as_uri() + "/", viewport={"width": 1440, "height": 900}) as visit:
        visit.open(PAGE).evaluate("swimmerSite.ready")
        yield visit


def texts(count: int) -> list[str]:
    """Texts of words of papers, of made-up words, and of all kinds of characters."""
    rng = random.Random(1)
    words = " ".join(f"{one['title']} {one.get('abstract', '')}" for one in RECORDS).split()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_'.,;:()[]$\\/&"
    strange = (
        "äöüßÉñçøŁıİΣςσαβ日本語中文한국어ぁアﬁ２Ａ—–“”…\u00a0\u200b\u0301\u0085\u3000😀𝒳½²Ⅳ\x07\t\n"
    )
    found = []
    for number in range(count):
        parts = rng.choices(words, k=rng.randint(1, 30))
        if number % 2:
            parts += ["".join(rng.choices(letters, k=rng.randint(1, 70))) for _ in range(3)]
        if number % 3 == 0:
            parts += ["".join(rng.choices(letters[:26] + strange, k=12)) for _ in range(3)]
        rng.shuffle(parts)
        found.append(" ".join(parts))
    return found


def test_vectors_are_those_of_python(visit: Visit) -> None:
    asked = [*texts(400), "ΣΑΣ Σ", "ＦＵＬＬ width", "x" * 60, "graph " * 4_000, "naïve—Bayes²"]
    vectors = np.array(visit.page.evaluate("texts => texts.map(swimmerSite.embed)", asked))
    assert np.abs(vectors - StaticEmbeddings().embed(asked)).max() < 1e-6
    for unknown in ("", "x" * 61, "\U0010ffff"):
        assert visit.page.evaluate("swimmerSite.embed", unknown) is None


def test_the_nearest_are_those_of_the_whole_model(visit: Visit, shelf: Path) -> None:
    asked = texts(100)
    found = visit.page.evaluate("texts => texts.map(text => swimmerSite.search(text))", asked)
    scores = StaticEmbeddings().embed(asked) @ open_store(shelf).vectors().T
    best = np.argsort(-scores, axis=1)[:, :10]
    assert (
        np.mean([len({*a} & {*b.tolist()}) / 10 for a, b in zip(found, best, strict=True)]) > 0.97
    )


def test_a_visitor_searches_reads_and_goes_on(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("/")
    page.keyboard.type("models aligned with human preferences")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_have_text(
        "Papers near “models aligned with human preferences”"
    )
    first = page.locator("#results > li").first
    expect(first).to_contain_text("Preference")
    first.get_by_text("Abstract").click()
    expect(first.locator("details p")).to_be_visible()
    first.get_by_role("button", name="Similar papers").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Similar to")
    assert page.evaluate("document.activeElement.id") == "heading"
    page.go_back()
    expect(page.get_by_label("Title, author, or any words")).to_have_value(
        "models aligned with human preferences"
    )
    page.locator("#topics button").first.click()
    expect(page.locator("#state")).to_contain_text("of this topic")


def test_a_known_title_and_an_author_are_found(visit: Visit) -> None:
    page = visit.page
    record = next(one for one in RECORDS if one["title"] == TITLE)
    page.get_by_label("Title, author, or any words").fill(TITLE.upper() + "!")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Similar to “{TITLE}”")
    assert TITLE not in page.locator("#results h3").all_inner_texts()
    page.get_by_label("Title, author, or any words").fill(record["authors"][0])
    page.keyboard.press("Enter")
    expect(page.locator("#results")).to_contain_text(TITLE)
    page.get_by_label("Title, author, or any words").fill("\U0010ffff")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("knows no word")


def test_hostile_titles_are_text(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("Title, author, or any words").fill("hostile ranking")
    page.keyboard.press("Enter")
    results = page.locator("#results")
    expect(results).to_contain_text("<img src=x onerror=alert(2)> hostile ranking papers")
    results.locator("li").filter(has_text="alert(1)").get_by_text("Abstract").click()
    expect(results).to_contain_text("<svg onload=alert(3)>")
    assert (
        page.locator("#results img, #results svg, #results b, #results i, #results script").count()
        == 0
    )
    assert page.locator("a[href^='javascript']").count() == 0
    page.goto(page.url.partition("#")[0] + "#q=%3Cimg%20src%3Dx%20onerror%3Dalert(9)%3E")
    page.evaluate("swimmerSite.ready")
    assert page.locator("main img").count() == 0


def violations(page: Page) -> list[str]:
    """Return what axe-core finds; it loads nothing, which the site's policy refuses."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_site_is_accessible(browser: Browser, site: Path, width: int, scheme: str) -> None:
    options: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with visiting(browser, site.as_uri() + "/", **options) as visit:
        page = visit.open(PAGE)
        page.evaluate("swimmerSite.ready")
        assert violations(page) == [] and overflow(page) == 0
        page.get_by_label("Title, author, or any words").fill("graph transformers")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=2)).to_contain_text("graph transformers")
        assert violations(page) == [] and overflow(page) == 0
        visit.tab_to("Similar papers")


def test_without_abstracts_map_or_papers_enough_for_one(browser: Browser, tmp_path: Path) -> None:
    papers = [Paper(**record) for record in RECORDS[:3]]
    made = export_site(build_store(papers, tmp_path / "three"), tmp_path / "site", abstracts=False)
    assert "papers" in next(made.folder.glob("papers-*.js")).name
    with visiting(browser, made.folder.as_uri() + "/") as visit:
        page = visit.open(PAGE)
        page.evaluate("swimmerSite.ready")
        expect(page.locator("#results > li")).to_have_count(3)
        expect(page.locator("details summary:visible")).to_have_count(0)
        expect(page.locator("#map")).to_be_hidden()
