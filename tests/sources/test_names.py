"""From what a user types to a source, before anything is fetched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from swimmer.errors import SourceError
from swimmer.sources import Source, open_source, registry as registry_module
from swimmer.sources.files import FileSource
from swimmer.sources.publishers.remote import (
    RemoteSource,
    SourceOptions,
    Venue,
    split_name,
    years_since,
)
from swimmer.sources.registry import adapters

NOWHERE = SourceOptions(client=lambda: pytest.fail("something was fetched"))


def opened(what: str) -> Source:
    return open_source(what, NOWHERE)


@pytest.mark.parametrize(
    ("what", "name", "origin"),
    [
        ("iclr2025", "iclr2025", "virtual:iclr2025"),
        ("ICLR 2025", "iclr2025", "virtual:iclr2025"),
        ("iclr-2025", "iclr2025", "virtual:iclr2025"),
        ("nips2022", "neurips2022", "virtual:neurips2022"),
        ("NeurIPS2024", "neurips2024", "virtual:neurips2024"),
        ("iclr2019", "iclr2019", "openreview:ICLR.cc/2019/Conference"),
        ("icml2015", "icml2015", "pmlr:icml2015"),
        ("icml2024", "icml2024", "virtual:icml2024"),
        ("uai2024", "uai2024", "pmlr:uai2024"),
        ("l4dc2024", "l4dc2024", "pmlr:l4dc2024"),
        ("cvpr2020", "cvpr2020", "cvf:cvpr2020"),
        ("cvpr2024", "cvpr2024", "virtual:cvpr2024"),
        ("wacv2024", "wacv2024", "cvf:wacv2024"),
        ("iccv2023", "iccv2023", "virtual:iccv2023"),
        ("acl2024", "acl2024", "acl:acl2024"),
        ("findings2023", "findings2023", "acl:findings2023"),
        ("acl:2022.findings", "2022-findings", "acl:2022.findings"),
        ("pmlr:v244", "pmlr-v244", "pmlr:v244"),
        ("pmlr:244", "pmlr-v244", "pmlr:v244"),
        ("cvf:cvpr2024", "cvpr2024", "cvf:cvpr2024"),
        ("openreview:iclr2025", "iclr2025", "openreview:ICLR.cc/2025/Conference"),
        ("openreview:TMLR", "tmlr", "openreview:TMLR"),
        (
            "openreview:ICLR.cc/2025/Workshop/SCOPE",
            "iclr-cc-2025-workshop-scope",
            "openreview:ICLR.cc/2025/Workshop/SCOPE",
        ),
        (
            "openreview:ICLR.cc/2025/Conference?status=all",
            "iclr2025-all",
            "openreview:ICLR.cc/2025/Conference?status=all",
        ),
        ("arxiv:cs.LG", "arxiv-cs-lg", "arxiv:cs.LG"),
        ("arxiv:2401.00001v3", "arxiv-2401-00001", "arxiv:2401.00001"),
        (
            "arxiv:2401.00001, https://arxiv.org/abs/2402.00002v1",
            "arxiv-2401-00001-and-1",
            "arxiv:2401.00001,2402.00002",
        ),
        ("hf:2025-09-08", "hf-2025-09-08", "hf:2025-09-08"),
        ("hf:2025-09", "hf-2025-09-01-to-2025-09-30", "hf:2025-09-01..2025-09-30"),
        ("s2:graph networks", "s2-graph-networks", "s2:graph networks"),
        ("s2:ARXIV:1706.03762", "s2-arxiv-1706-03762", "s2:ARXIV:1706.03762"),
        ("https://iclr.cc/virtual/2025/papers.html", "iclr2025", "virtual:iclr2025"),
        (
            "https://openreview.net/group?id=ICLR.cc/2025/Conference#tab-accept-oral",
            "iclr2025",
            "openreview:ICLR.cc/2025/Conference",
        ),
        (
            "https://openreview.net/forum?id=aB-3_dE&noteId=x",
            "openreview-ab-3_de",
            "openreview:forum?id=aB-3_dE",
        ),
        ("openreview:forum?id=aB-3_dE", "openreview-ab-3_de", "openreview:forum?id=aB-3_dE"),
        ("https://arxiv.org/abs/2401.00001v2", "arxiv-2401-00001", "arxiv:2401.00001"),
        ("https://arxiv.org/list/cs.CL/recent", "arxiv-cs-cl", "arxiv:cs.CL"),
        ("https://aclanthology.org/events/acl-2024/", "acl2024", "acl:acl2024"),
        ("https://aclanthology.org/2024.findings-emnlp.3/", "2024-findings", "acl:2024.findings"),
        ("https://proceedings.mlr.press/v244/", "pmlr-v244", "pmlr:v244"),
        ("https://openaccess.thecvf.com/WACV2024", "wacv2024", "cvf:wacv2024"),
        ("https://huggingface.co/papers?date=2025-09-08", "hf-2025-09-08", "hf:2025-09-08"),
        (
            "https://lists.example.org/a/my%20papers.jsonl.gz",
            "my-20papers",
            "list:https://lists.example.org/a/my%20papers.jsonl.gz",
        ),
        ("list:https://x.example/export", "export", "list:https://x.example/export"),
    ],
)
def test_what_a_name_stands_for(what: str, name: str, origin: str) -> None:
    source = opened(what)
    assert (source.name, source.origin) == (name, origin)
    # What the manifest keeps opens the same source again.
    again = opened(source.origin)
    assert (again.name, again.origin) == (name, origin)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("iclr2015", "2021"),
        ("iclr", "needs a year"),
        ("iccv2024", "no year 2024"),
        ("ilcr2025", "iclr"),
        ("neurps2024", "neurips"),
        ("emnpl2023", "emnlp"),
        ("virtual:iclrr2025", "iclr"),
        ("acl:eacl2022", "no year 2022"),
        ("pmlr:ulai2024", "uai"),
        ("arxiv:cs.LQ", "did you mean cs."),
        ("arxiv:", "give a category"),
        ("arxiv:cs.LG:2025-13", "not a date"),
        ("arxiv:cs.LG:2025-05..2025-01", "ends"),
        ("hf:yesterday", "2025-09-01.."),
        ("hf:1999-01-01", "2023"),
        ("hf:2025-02-30", "not a date"),
        ("s2:", "give words"),
        ("openreview:ICLR.cc/2025/../x y", "is not a group"),
        ("openreview:iclr2025?status=best", "accepted"),
        ("arxive:cs.LG", "arxiv"),
        ("list:ftp://x.example/list.json", "http"),
        ("file:///etc/passwd", "http"),
        ("https://example.org/about", "known publisher"),
        ("https://iclr.cc/about", "without a year"),
        ("https://openreview.net/venues", "group"),
        ("http://[broken/", "not an address"),
        ("papers.json", "no such file"),
        ("folder/papers.json", "no such file"),
        ("completely unknown words", "swimmer venues"),
        ("", "no source"),
        ("  ", "no source"),
        ("a\x00b", "no such file"),
    ],
)
def test_a_wrong_name_is_an_error_that_helps(what: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        opened(what)
    assert said in caught.value.full_text
    assert caught.value.hint


def test_an_existing_file_wins_over_a_venue(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("iclr2025").write_text('[{"title": "Mine"}]')
    assert isinstance(opened("iclr2025"), FileSource)
    assert isinstance(opened("virtual:iclr2025"), RemoteSource)


def test_ids_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("2401.00001v2  # seen\n\nhttps://arxiv.org/pdf/2402.00002\n")
    assert opened(f"arxiv:@{path}").name == "arxiv-2401-00001-and-1"
    path.write_text("2401.00001\nnot an id\n")
    with pytest.raises(SourceError, match="'not'"):
        opened(f"arxiv:@{path}")
    with pytest.raises(SourceError, match="cannot be read"):
        opened(f"s2:@{tmp_path / 'missing.txt'}")


def test_status_goes_to_openreview() -> None:
    options = SourceOptions(status="rejected", client=NOWHERE.client)
    assert open_source("iclr2025", options).origin.endswith("?status=rejected")
    with pytest.raises(SourceError, match="accepted, rejected"):
        SourceOptions(status="good")


@pytest.mark.parametrize("scheme", list(adapters()))
def test_every_example_opens(scheme: str) -> None:
    for venue in adapters()[scheme].venues():
        what = venue.example or f"{venue.name}{venue.years[-1]}"
        assert opened(f"{scheme}:{what}").name
        for year in venue.years:
            assert opened(f"{scheme}:{venue.name}{year}").name == f"{venue.name}{year}"


def test_split_name_and_years() -> None:
    assert split_name("ICLR_2025") == ("iclr", 2025)
    assert split_name("iclr") == ("iclr", None)
    assert split_name("iclr25")[1] is None
    assert years_since(2020, 2024, 2) == (2020, 2022, 2024)


class Other:
    """An adapter of another package."""

    scheme = "other"
    summary = "another package's papers"

    def venues(self) -> tuple[Venue, ...]:
        return (Venue("fishconf", "Fish", (2024,), "fishconf2024"),)

    def open(self, what: str, options: SourceOptions) -> Source:
        def records(_client: Any) -> Iterator[tuple[str, dict[str, str]]]:
            yield "record 1", {"title": "One fish", "abstract": "It swims."}

        return RemoteSource(what, f"other:{what}", "nowhere", records, options)

    def from_url(self, url: str) -> str:
        return ""


@pytest.fixture
def entry_point(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Register an adapter the way an installed package does."""

    def register(value: str) -> None:
        point = EntryPoint("fish", value, registry_module.ENTRY_POINTS)
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
        adapters.cache_clear()

    yield register
    adapters.cache_clear()


def test_a_third_party_registers_an_adapter(entry_point: Any) -> None:
    entry_point("tests.sources.test_names:Other")
    assert open_source("fishconf2024", NOWHERE).origin == "other:fishconf2024"
    assert open_source("other:anything", NOWHERE).name == "anything"


@pytest.mark.parametrize(
    "value", ["no.such.module:X", "tests.sources.test_names:Missing", "os:sep"]
)
def test_a_broken_third_party_is_named(entry_point: Any, value: str) -> None:
    entry_point(value)
    with pytest.raises(SourceError, match="'fish'"):
        open_source("iclr2025", NOWHERE)


def test_a_scheme_is_taken_once(entry_point: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Other, "scheme", "arxiv")
    entry_point("tests.sources.test_names:Other")
    with pytest.raises(SourceError, match="'arxiv' again"):
        open_source("iclr2025", NOWHERE)


def test_names_are_resolved_without_the_network_libraries() -> None:
    code = (
        "import sys, swimmer.sources as s; s.open_source('iclr2025'); "
        "print([m for m in ('httpx', 'bibtexparser', 'rispy', 'defusedxml', 'numpy') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
