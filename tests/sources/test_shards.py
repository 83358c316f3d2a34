"""Folders of shards, as Semantic Scholar and OpenAlex publish their papers."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swimmer import Paper, build_store, open_source
from swimmer.errors import SourceError
from swimmer.sources import ShardSource, SourceReport

from ..conftest import Outcome

Run = Callable[..., Outcome]


def write_shard(path: Path, records: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one) + "\n" for one in records).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def work(number: int) -> dict[str, Any]:
    return {
        "id": f"https://openalex.org/W{number}",
        "title": f"A work of number {number} on robots",
        "abstract_inverted_index": {"We": [0], "study": [1], f"robots{number}": [2]},
        "authorships": [{"author": {"display_name": "Ana Ruiz"}}],
        "publication_year": 2024,
        "doi": f"https://doi.org/10.1000/{number}",
    }


def openalex(folder: Path, count: int = 3) -> Path:
    """A folder as the snapshot has it: shards by date, and a manifest."""
    entries = []
    for day in range(count):
        for part in range(2):
            shard = folder / f"updated_date=2024-01-0{day + 1}" / f"part_00{part}.gz"
            write_shard(shard, [work(100 * day + 10 * part + n) for n in range(4)])
            entries.append(
                {
                    "url": f"s3://openalex/data/works/{shard.parent.name}/{shard.name}",
                    "meta": {"content_length": shard.stat().st_size, "record_count": 4},
                }
            )
    (folder / "manifest").write_text(json.dumps({"entries": entries}))
    return folder


def scholar(folder: Path, count: int = 40) -> Path:
    """Two data sets of Semantic Scholar in one folder: papers, and the abstracts of most."""
    papers = [
        {
            "corpusid": n,
            "externalids": {"DOI": f"10.1000/{n}", "ArXiv": f"2401.{n:05d}", "ACL": None},
            "url": f"https://www.semanticscholar.org/paper/{n:040x}",
            "title": f"A paper of number {n} on proteins",
            "authors": [
                {"authorId": "1", "name": "Bo Chen"},
                {"authorId": None, "name": "Ana Ruiz"},
            ],
            "venue": "ICLR",
            "year": 2024,
            "citationcount": n,
            "s2fieldsofstudy": [
                {"category": "Biology", "source": "s2-fos-model"},
                {"category": "Biology", "source": "external"},
            ],
            "publicationdate": "2024-01-02",
        }
        for n in range(count)
    ]
    abstracts = [{"corpusid": n, "abstract": f"Abstract {n}."} for n in range(0, count, 2)]
    half = count // 2
    write_shard(folder / "papers" / "20240101_00000_abc.gz", papers[:half])
    write_shard(folder / "papers" / "20240101_00001_def.gz", papers[half:])
    write_shard(folder / "abstracts" / "20240101_00000_abc.gz", abstracts[::-1])
    return folder


def read(folder: Path) -> tuple[list[Paper], SourceReport]:
    report = SourceReport()
    return list(ShardSource(folder).papers(report)), report


def test_shards_of_openalex_are_read_in_order(tmp_path: Path) -> None:
    papers, report = read(openalex(tmp_path / "works"))
    assert [one.id for one in papers[:5]] == ["W0", "W1", "W2", "W3", "W10"]
    assert len(papers) == report.read == 24 and not report.skipped
    assert papers[0].abstract == "We study robots0" and papers[0].authors == ("Ana Ruiz",)


def test_papers_of_semantic_scholar_find_their_abstracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = scholar(tmp_path / "s2")
    # Many parts, so that papers and abstracts meet in each of them.
    monkeypatch.setattr("swimmer.sources.shards._BUCKET", 50)
    papers, report = read(folder)
    assert len(papers) == report.read == 40 and report.without_abstract == 20
    by_id = {one.id: one for one in papers}
    four = by_id["CorpusId:4"]
    assert four.abstract == "Abstract 4." and by_id["CorpusId:5"].abstract == ""
    assert four.authors == ("Bo Chen", "Ana Ruiz") and four.keywords == ("Biology",)
    assert (four.venue, four.year, four.extra["arxiv"]) == ("ICLR", 2024, "2401.00004")
    assert four.extra["citations"] == 4 and four.url.endswith(f"{4:040x}")
    assert len(read(folder / "papers")[0]) == 40


def test_a_folder_of_shards_is_built(tmp_path: Path, swimmer: Run) -> None:
    done = swimmer("build", scholar(tmp_path / "s2"), "--name", "s2", "-q")
    assert done.code == 0 and "40 added" in done.out
    assert "Bo Chen" in swimmer("search", "Bo Chen", "--store", "s2").out
    again = swimmer("build", tmp_path / "s2", "--name", "s2", "-q")
    assert "40 unchanged" in again.out and "embedded   0" in again.out
    store = build_store(tmp_path / "s2" / "papers", tmp_path / "stores" / "x")
    assert store.manifest.source == str(tmp_path / "s2" / "papers")


def test_uncompressed_shards_blank_lines_and_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "list"
    write_shard(folder / "b.jsonl", [work(2), work(3)])
    write_shard(folder / "a.json", [work(1)])
    (folder / "a.json").write_bytes((folder / "a.json").read_bytes() + b"\n  \n\n")
    (folder / "README.txt").write_text("about")
    (folder / ".hidden.jsonl").write_text("x")
    assert [one.id for one in read(folder)[0]] == ["W1", "W2", "W3"]


def test_what_is_no_paper_is_counted_by_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "list"
    shard = write_shard(folder / "x" / "part_000.gz", [work(1), [], {"title": None, "corpusid": 5}])
    broken = gzip.decompress(shard.read_bytes()) + b"{broken\n" + b"[" * 5000 + b"\n\xff\xfe\n"
    shard.write_bytes(gzip.compress(broken))
    papers, report = read(folder)
    assert len(papers) == 1 and report.read == 6 and report.left_out == 5
    places = [place for entry in report.skipped.values() for place in entry.places]
    assert "x/part_000.gz line 4" in places or os.sep != "/"


def test_a_shard_that_is_cut_off_is_named(tmp_path: Path, swimmer: Run) -> None:
    folder = openalex(tmp_path / "works")
    (folder / "manifest").unlink()
    shard = folder / "updated_date=2024-01-02" / "part_001.gz"
    whole = shard.read_bytes()
    for cut in (whole[:40], whole[:-9], whole[:20] + b"\0\0\0\0" + whole[24:]):
        shard.write_bytes(cut)
        with pytest.raises(SourceError, match=r"2024-01-02.part_001\.gz"):
            read(folder)
    done = swimmer("build", folder, "--name", "x", "-q")
    assert done.code == 2 and "part_001.gz" in done.err and "hint" in done.err
    shard.write_bytes(whole)
    assert swimmer("build", folder, "--name", "x", "-q").code == 0


def test_shards_that_are_missing_are_named(tmp_path: Path) -> None:
    folder = openalex(tmp_path / "works")
    shard = folder / "updated_date=2024-01-02" / "part_001.gz"
    whole = shard.read_bytes()
    shard.unlink()
    with pytest.raises(SourceError, match="is missing, the manifest names it"):
        ShardSource(folder)
    shard.write_bytes(whole[:-1])
    with pytest.raises(SourceError, match="the manifest says"):
        ShardSource(folder)
    shard.write_bytes(whole)
    write_shard(shard.with_name("part_003.gz"), [work(9)])
    with pytest.raises(SourceError, match="part 2 is missing"):
        ShardSource(folder)


def test_a_manifest_leads_nowhere_else(tmp_path: Path) -> None:
    folder = openalex(tmp_path / "works", 1)
    (tmp_path / "secret").write_text("x")
    for url in ("s3://a/../../secret", "../secret", "/etc/passwd", ""):
        entries = [{"url": url, "meta": {"content_length": 1}}]
        (folder / "manifest").write_text(json.dumps({"entries": entries}))
        try:
            ShardSource(folder)
        except SourceError as error:
            assert "is missing" in str(error)
    for content in ("", "{", "[]", '{"entries": 5}', '{"entries": [{"url": 5}]}'):
        (folder / "manifest").write_text(content)
        assert len(read(folder)[0]) == 8


def test_links_and_empty_folders(tmp_path: Path) -> None:
    outside = write_shard(tmp_path / "outside.jsonl", [work(1)])
    folder = tmp_path / "list"
    folder.mkdir()
    (folder / "x.jsonl").symlink_to(outside)
    (folder / "y").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(SourceError, match="without shards"):
        ShardSource(folder)
    with pytest.raises(SourceError, match="without shards"):
        open_source(str(folder))


def test_memory_does_not_grow_with_the_shards(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    folder = tmp_path / "works"
    text = "word " * 2_000
    for number in range(6):
        records = [work(n) | {"note": text} for n in range(1_500)]
        write_shard(folder / f"part_00{number}.gz", records)
    report = SourceReport()
    papers = ShardSource(folder).papers(report)
    for _ in range(1_500):
        next(papers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in papers) == 7_500
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 30_000
