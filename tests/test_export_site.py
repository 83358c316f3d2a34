"""`swimmer export-site`: what is written, and what is left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from swimmer import Paper, build_store, open_store
from swimmer.errors import InputError
from swimmer.static_site import export_site
from swimmer.static_site.site import PAGE, RECORD
from tests.conftest import Outcome
from tests.corpus import RECORDS
from tests.query_fixtures import RandomEmbeddings, store_of

Run = Callable[..., Outcome]

HOSTILE = [
    Paper(
        "</script><script>alert(1)</script><img src=x onerror=alert(2)> hostile ranking {{papers}}",
        "</p><svg onload=alert(3)> ranking of hostile text `${alert(4)}`",
        "javascript:alert(5)",
        id="h1",
        authors=("<b onclick=alert(6)>Mallory</b>",),
        venue="<i>V</i>",
        year=2025,
    ),
    Paper("\u202egnp.exe\u202e hostile \u2028 ranking", "Turned around.", id="h2", year=2025),
]


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test changes."""
    folder = tmp_path_factory.mktemp("shelf") / "conf"
    build_store([*(Paper(**record) for record in RECORDS), *HOSTILE], folder).close()
    return folder


# ---------------------------------------------------------------------- what is written


def test_the_files_and_their_size_are_told(shelf: Path, tmp_path: Path, swimmer: Run) -> None:
    done = swimmer("export-site", str(shelf), "-o", str(tmp_path / "site"), "--no-map", "--quiet")
    assert done.code == 0, done.err
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "site").iterdir()}
    assert len(sizes) == 7 and PAGE in sizes
    for name, size in sizes.items():
        assert re.search(rf"^ *{size:,}  {re.escape(name)}$", done.out, re.MULTILINE)
    assert f"{sum(sizes.values()):,}  bytes in" in done.out


def test_the_page_has_a_policy_and_no_script_of_its_own(shelf: Path, tmp_path: Path) -> None:
    made = export_site(open_store(shelf), tmp_path / "site", with_map=False)
    page = (made.folder / PAGE).read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;; script-src &#x27;self&#x27;" in page
    assert "unsafe" not in page and "<style" not in page and not re.search(r"\son\w+=", page)
    scripts = re.findall(r"<script[^>]*>([^<]*)</script>", page)
    assert len(scripts) == 4 and not any(scripts)
    program = next(made.folder.glob("program-*.js")).read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch\(", program
    )


def test_variables_for_print_stay_for_print(shelf: Path, tmp_path: Path) -> None:
    made = export_site(open_store(shelf), tmp_path / "site", with_map=False)
    style = next(made.folder.glob("style-*.css")).read_text(encoding="utf-8")
    variables, _, _ = style.partition("*, *::before")
    assert variables.count("{") == variables.count("}")
    assert re.search(r"@media \(prefers-color-scheme: dark\) \{ :root", variables)
    # One rule for the screen: any other depends on what the page is shown on.
    assert len(re.findall(r"^:root", variables, re.MULTILINE)) == 1


def test_an_earlier_site_is_replaced_and_nothing_else(shelf: Path, tmp_path: Path) -> None:
    store, site = open_store(shelf), tmp_path / "site"
    export_site(store, site, with_map=False)
    first = written(site)
    (site / "CNAME").write_text("papers.example")
    with pytest.raises(InputError, match=r"earlier site\nhint: .*--overwrite"):
        export_site(store, site, with_map=False)
    export_site(store, site, with_map=False, abstracts=False, overwrite=True)
    assert (site / "CNAME").read_text() == "papers.example"
    gone = first - written(site)
    assert [name.partition("-")[0] for name in gone] == ["papers"]
    named = set(json.loads((site / RECORD).read_text())["files"])
    assert written(site) == named | {PAGE, RECORD, "CNAME"}


def test_a_folder_of_somebody_else_is_left_alone(shelf: Path, tmp_path: Path, swimmer: Run) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / PAGE).write_text("mine")
    done = swimmer("export-site", str(shelf), "-o", str(site), "--overwrite", "--quiet")
    assert done.code == 2 and "error:" in done.err and "is not empty\nhint:" in done.err
    assert written(site) == {PAGE} and (site / PAGE).read_text() == "mine"
    file = tmp_path / "file"
    file.write_text("mine")
    assert "is a file" in swimmer("export-site", str(shelf), "-o", str(file), "--quiet").err
    missing = swimmer("export-site", str(shelf), "-o", str(tmp_path / "a" / "b"), "--quiet")
    assert missing.code == 2 and "there is no folder" in missing.err


@pytest.mark.parametrize(
    "record",
    [
        '{"files": ["../keep.txt", "/etc/hostname", "keep.txt", 5, "papers-0123456789abcdef.js"]}',
        '{"files": 5}',
        "[" * 5_000,
        "\x00",
    ],
)
def test_a_crafted_record_deletes_nothing_of_others(
    shelf: Path, tmp_path: Path, record: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for path in (site / "keep.txt", tmp_path / "keep.txt"):
        path.write_text("mine")
    (site / RECORD).write_text(record)
    try:
        export_site(open_store(shelf), site, with_map=False, overwrite=True)
    except InputError as error:
        assert "not empty" in str(error)
    assert (site / "keep.txt").read_text() == (tmp_path / "keep.txt").read_text() == "mine"


def test_an_interrupted_export_leaves_the_old_site(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, site = open_store(shelf), tmp_path / "site"
    export_site(store, site, with_map=False)
    page = (site / PAGE).read_text()
    from swimmer.files import write_file

    def full(path: Path, content: bytes) -> None:
        if path.name == PAGE:
            raise OSError(28, "No space left on device")
        write_file(path, content)

    monkeypatch.setattr("swimmer.static_site.site.write_file", full)
    with pytest.raises(InputError, match="No space left"):
        export_site(store, site, with_map=False, abstracts=False, overwrite=True)
    assert (site / PAGE).read_text() == page
    assert all((site / name).is_file() for name in re.findall(r'(?:src|href)="([\w.-]+)"', page))
    monkeypatch.undo()
    export_site(store, site, with_map=False, abstracts=False, overwrite=True)
    assert written(site) == {*json.loads((site / RECORD).read_text())["files"], PAGE, RECORD}


def test_a_store_of_another_model_or_without_papers_is_refused(tmp_path: Path) -> None:
    papers = [Paper(**record) for record in RECORDS[:6]]
    with pytest.raises(InputError, match="no browser can run"):
        export_site(store_of(papers, RandomEmbeddings()), tmp_path / "site")
    assert not (tmp_path / "site").exists()
