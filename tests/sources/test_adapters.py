"""What is particular to each publisher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import swimmer.sources.publishers.arxiv as arxiv_module
from swimmer.errors import SourceError
from swimmer.papers.paper import Paper
from swimmer.sources import SourceReport, open_source
from swimmer.sources.publishers.remote import SourceOptions
from tests.sources.cases import anthology, arxiv, facts
from tests.sources.publisher import Publisher, Question, Reply, fixed


def read(
    publisher: Publisher, what: str, status: str = "accepted"
) -> tuple[list[Paper], SourceReport]:
    report = SourceReport()
    options = SourceOptions(status=status, client=publisher.client)
    return list(open_source(what, options).papers(report)), report


def reply(value: Any) -> Reply:
    return Reply(json.dumps(value).encode())


# ------------------------------------------------------------- virtual sites


def event(number: int, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "eventtype": kind,
        "abstract": "Of fish.",
        "authors": [],
        "virtualsite_url": f"/virtual/2025/{kind.lower()}/{number}",
        **more,
    }


def serve_events(publisher: Publisher, events: list[Any], abstracts: Any = None) -> None:
    base = "/static/virtual/data/iclr-2025-"
    pages: dict[str, bytes | Reply] = {f"{base}orals-posters.json": reply({"results": events})}
    if abstracts is not None:
        pages[f"{base}abstracts.json"] = reply(abstracts)
    publisher.serve(fixed(pages))


def test_oral_and_poster_are_one_paper(publisher: Publisher) -> None:
    serve_events(
        publisher,
        [
            event(1, "Fish", "Oral", abstract="Short."),
            event(
                2,
                "Fish",
                "Poster",
                abstract="Much longer.",
                paper_url="https://openreview.net/forum?id=abc_1-X",
            ),
            event(3, "FISH", "Spotlight"),
            event(4, "Birds", "Poster"),
        ],
    )
    papers, report = read(publisher, "iclr2025")
    assert [p.title for p in papers] == ["Fish", "Birds"]
    fish = papers[0]
    assert fish.status == "Oral"
    assert fish.id == "2"
    assert fish.url == "https://iclr.cc/virtual/2025/poster/2"
    assert fish.abstract == "Much longer."
    assert fish.extra["openreview"] == "abc_1-X"
    assert (fish.venue, fish.year) == ("ICLR", 2025)
    assert report.read == 4
    assert report.skipped["another presentation of the same paper"].count == 2


def test_events_that_are_no_papers_are_left_out(publisher: Publisher) -> None:
    kinds = ["Workshop", "Invited Talk", "Social", "Tutorial", "Expo Talk Panel", "Break"]
    events = [event(i, f"Fish {i}", kind) for i, kind in enumerate(kinds)]
    serve_events(publisher, [*events, event(9, "Fish", "Poster"), "no object", None])
    papers, report = read(publisher, "iclr2025")
    assert [p.title for p in papers] == ["Fish"]
    assert report.left_out == len(kinds) + 2


def test_a_workshop_of_the_same_name_is_not_merged(publisher: Publisher) -> None:
    serve_events(publisher, [event(1, "Fish", "Workshop"), event(2, "Fish", "Poster")])
    papers, report = read(publisher, "iclr2025")
    assert [p.id for p in papers] == ["2"]
    assert list(report.skipped) == ["not a paper but workshop"]


def test_abstracts_from_their_own_file(publisher: Publisher) -> None:
    events = [event(n, f"Fish {n}", "Poster", abstract=None) for n in (7, 8)]
    serve_events(publisher, events, {"7": "It swims.", "99": "Another."})
    papers, report = read(publisher, "iclr2025")
    assert [p.abstract for p in papers] == ["It swims.", ""]
    assert report.without_abstract == 1
    serve_events(publisher, events, ["wrong"])
    with pytest.raises(SourceError, match="object from event number"):
        read(publisher, "iclr2025")
    serve_events(publisher, events)
    papers, report = read(publisher, "iclr2025")
    assert report.without_abstract == 2


# ---------------------------------------------------------------- OpenReview


def v2(number: int, ending: str, venue: str) -> dict[str, Any]:
    content = {
        "title": f"Fish {number}",
        "abstract": "Of fish.",
        "venue": venue,
        "venueid": f"ICLR.cc/2025/Conference{ending}",
        "TLDR": "Fish swim.",
        "primary_area": "water",
        "keywords": ["one; two", "three"],
    }
    wrapped = {name: {"value": value} for name, value in content.items()}
    return {"id": f"n{number}", "forum": f"n{number}", "content": wrapped}


SUBMISSIONS = [
    v2(1, "", "ICLR 2025 Oral"),
    v2(2, "", "ICLR 2025 Poster"),
    v2(3, "/Rejected_Submission", "Submitted to ICLR 2025"),
    v2(4, "/Withdrawn_Submission", "ICLR 2025 Conference Withdrawn Submission"),
    v2(5, "/Desk_Rejected_Submission", "ICLR 2025 Conference Desk Rejected Submission"),
]


def serve_v2(publisher: Publisher) -> None:
    def route(question: Question) -> Reply | None:
        wanted = question.query.get("content.venueid")
        found = [n for n in SUBMISSIONS if n["content"]["venueid"]["value"] == wanted]
        return reply({"notes": found, "count": len(found)})

    publisher.serve(route)


@pytest.mark.parametrize(
    ("status", "statuses"),
    [
        ("accepted", ["Oral", "Poster"]),
        ("rejected", ["Rejected"]),
        ("withdrawn", ["Withdrawn", "Desk rejected"]),
        ("all", ["Oral", "Poster", "Rejected", "Withdrawn", "Desk rejected"]),
    ],
)
def test_openreview_by_status(publisher: Publisher, status: str, statuses: list[str]) -> None:
    serve_v2(publisher)
    papers, _ = read(publisher, "openreview:ICLR.cc/2025/Conference", status)
    assert [p.status for p in papers] == statuses
    first = papers[0]
    assert first.keywords == ("one", "two", "three")
    assert (first.extra["area"], first.extra["tldr"]) == ("water", "Fish swim.")
    assert first.url == f"https://openreview.net/forum?id={first.id}"
    assert (first.venue, first.year) == ("ICLR", 2025)


def v1(number: int, decision: str | None, kind: str = "Blind_Submission") -> dict[str, Any]:
    replies = (
        []
        if decision is None
        else [
            {
                "invitation": f"ICLR.cc/2019/Conference/-/Paper{number}/Meta_Review",
                "content": {"recommendation": decision},
            },
        ]
    )
    return {
        "id": f"o{number}",
        "forum": f"o{number}",
        "invitation": f"ICLR.cc/2019/Conference/-/{kind}",
        "content": {"title": f"Fish {number}", "abstract": "Of fish.", "TL;DR": "Swim."},
        "details": {"directReplies": replies},
    }


def serve_v1(publisher: Publisher) -> None:
    notes = {
        "Blind_Submission": [
            v1(1, "Accept (Poster)"),
            v1(2, "Reject"),
            v1(3, "Accept (Oral)"),
            v1(4, None),
            v1(5, "Invite to Workshop Track"),
        ],
        "Withdrawn_Submission": [v1(6, None, "Withdrawn_Submission")],
    }

    def route(question: Question) -> Reply | None:
        kind = question.query.get("invitation", "").rpartition("/")[2]
        found = notes.get(kind, [])
        return reply({"notes": found, "count": len(found)})

    publisher.serve(route)


@pytest.mark.parametrize(
    ("status", "ids"),
    [
        ("accepted", ["o1", "o3"]),
        ("rejected", ["o2", "o5"]),
        ("withdrawn", ["o6"]),
        ("all", ["o1", "o2", "o3", "o4", "o5", "o6"]),
    ],
)
def test_openreview_before_v2(publisher: Publisher, status: str, ids: list[str]) -> None:
    serve_v1(publisher)
    papers, report = read(publisher, "iclr2019", status)
    assert [p.id for p in papers] == ids
    assert papers[0].extra["tldr"] == "Swim."
    assert report.read == len(ids) + report.left_out


@pytest.mark.parametrize("old", ["unknown", "empty"])
def test_one_paper_of_openreview(publisher: Publisher, old: str) -> None:
    def route(question: Question) -> Reply | None:
        number = question.query["id"]
        notes = [SUBMISSIONS[0]] if number == "n1" else [v1(7, None)]
        first = not any("id=o7" in asked for asked in publisher.log[:-1])
        if number == "o7" and first:
            # Both interfaces are one server here: the newer one is asked first.
            missing = json.dumps({"name": "NotFoundError", "status": 404}).encode()
            return Reply(missing, 404) if old == "unknown" else reply({"notes": [], "count": 0})
        return reply({"notes": notes, "count": 1})

    publisher.serve(route)
    ((new,), _) = read(publisher, "https://openreview.net/forum?id=n1&noteId=x")
    assert (new.title, new.status, new.venue) == ("Fish 1", "Oral", "ICLR")
    ((before,), _) = read(publisher, "https://openreview.net/pdf?id=o7")
    assert before.title == "Fish 7" and before.url == "https://openreview.net/forum?id=o7"


def test_openreview_notes_listed_twice(publisher: Publisher) -> None:
    notes = [SUBMISSIONS[0], SUBMISSIONS[1], SUBMISSIONS[0]]
    publisher.serve(lambda _: reply({"notes": notes, "count": 3}))
    papers, report = read(publisher, "openreview:ICLR.cc/2025/Conference")
    assert [p.id for p in papers] == ["n1", "n2"]
    assert report.skipped["listed twice"].count == 1


def test_openreview_credentials(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENREVIEW_USERNAME", "ada")
    monkeypatch.setenv("OPENREVIEW_PASSWORD", "secret")
    seen: list[str | None] = []

    def route(question: Question) -> Reply | None:
        if question.path == "/login":
            assert json.loads(question.body) == {"id": "ada", "password": "secret"}
            return reply({"token": "t0ken"})
        seen.append(question.headers.get("authorization"))
        return reply({"notes": SUBMISSIONS[:1], "count": 1})

    publisher.serve(route)
    read(publisher, "openreview:ICLR.cc/2025/Conference")
    assert seen == ["Bearer t0ken"]
    monkeypatch.setenv("OPENREVIEW_TOKEN", "other")
    read(publisher, "openreview:ICLR.cc/2025/Conference")
    assert seen[-1] == "Bearer other"


# --------------------------------------------------------------------- arXiv


def test_arxiv_ids_lose_their_version(publisher: Publisher) -> None:
    publisher.serve(arxiv(facts(3)))
    papers, report = read(publisher, "arxiv:2501.00001v2,2501.00002,2501.00009,2501.00000")
    assert sorted(p.id for p in papers) == ["2501.00000", "2501.00001", "2501.00002"]
    assert papers[0].url == "https://arxiv.org/abs/2501.00000"
    assert (papers[0].venue, papers[0].year) == ("arXiv", 2025)
    assert report.skipped["unknown to arXiv"].places == ["2501.00009"]


def test_arxiv_passes_its_error_on(publisher: Publisher) -> None:
    body = (
        b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>"
        b"<id>https://arxiv.org/api/errors#wrong</id><title>Error</title>"
        b"<summary>incorrect id format for abc</summary></entry></feed>"
    )
    publisher.serve(lambda _: Reply(body))
    with pytest.raises(SourceError, match="incorrect id format"):
        read(publisher, "arxiv:all:abc")


def test_arxiv_large_searches_are_cut_by_date(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv_module, "WINDOW", 20)
    papers = facts(62)
    dates = {p.number: f"202501{p.number // 2 + 1:02}" for p in papers}

    def route(question: Question) -> Reply | None:
        query = question.query["search_query"]
        low, high = query.partition("submittedDate:[")[2].rstrip("]").split(" TO ")
        return arxiv([p for p in papers if low[:8] <= dates[p.number] <= high[:8]])(question)

    publisher.serve(route)
    found, report = read(publisher, "arxiv:cs.LG:2025-01")
    assert len({p.id for p in found}) == 62
    assert report.left_out == 0


def test_arxiv_empty_pages_are_asked_for_again(publisher: Publisher) -> None:
    whole = arxiv(facts(25))
    empty = [True]

    def route(question: Question) -> Reply | None:
        answer = whole(question)
        if question.query["start"] == "10" and empty:
            empty.pop()
            assert answer is not None
            head, _, _ = answer.body.partition(b"<entry>")
            return Reply(head + b"</feed>")
        return answer

    publisher.serve(route)
    papers, _ = read(publisher, "arxiv:cs.LG:2025-01")
    assert len(papers) == 25
    assert len(publisher.log) == 4


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("cs.LG", "cat:cs.LG"),
        ("cs.LG+stat.ML", "cat:cs.LG OR cat:stat.ML"),
        ("hep-th", "cat:hep-th*"),
        ("ti:fish AND cat:cs.CV", "ti:fish AND cat:cs.CV"),
        ('big "cold fish"', 'all:big AND all:"cold fish"'),
    ],
)
def test_arxiv_questions(what: str, query: str) -> None:
    assert arxiv_module._question(what)[0] == query


# ------------------------------------------------------- Anthology, PMLR, CVF


def test_mixed_content_is_flattened(publisher: Publisher) -> None:
    xml = (
        "<collection id='2024.acl'><volume id='long'><meta><year>2024</year></meta>"
        "<paper id='1'><title><fixed-case>B</fixed-case>ig <i>cold</i> FISH"
        ": <tex-math>O(n^2)</tex-math> &amp; more</title>"
        "<author><first>Ada</first><last>Lovelace</last></author><author><last>Mononym</last>"
        "</author><abstract>We show <tex-math>x</tex-math>.<br/>Then <b>fish</b>.</abstract>"
        "<url>2024.acl-long.1</url><doi>10.1/x</doi></paper></volume>"
        "<volume id='tutorials'><paper id='1'><title>How to fish</title></paper></volume>"
        "</collection>"
    )
    publisher.serve(fixed({"/acl-org/acl-anthology/master/data/xml/2024.acl.xml": xml.encode()}))
    (paper,), report = read(publisher, "acl2024")
    assert paper.title == "Big cold FISH: $O(n^2)$ & more"
    assert paper.abstract == "We show $x$. Then fish."
    assert paper.authors == ("Ada Lovelace", "Mononym")
    assert (paper.id, paper.url) == ("2024.acl-long.1", "https://aclanthology.org/2024.acl-long.1/")
    assert list(report.skipped) == ["not a paper but a tutorial"]


@pytest.mark.parametrize(
    ("what", "collection"),
    [
        ("acl2018", "P18"),
        ("emnlp2019", "D19"),
        ("tacl2016", "Q16"),
        ("tacl2021", "2021.tacl"),
        ("coling2024", "2024.lrec"),
        ("findings2022", "2022.findings"),
    ],
)
def test_the_anthologys_two_schemes(publisher: Publisher, what: str, collection: str) -> None:
    body = anthology(facts(2))
    publisher.serve(
        lambda q: (
            body(Question("/acl-org/acl-anthology/master/data/xml/2024.acl.xml", {}, {}, b""))
            if q.path.endswith(f"/{collection}.xml")
            else None
        )
    )
    assert len(read(publisher, what)[0]) == 2


def test_pmlr_latex_and_braces(publisher: Publisher) -> None:
    bib = r"""@InProceedings{pmlr-v244-a24a,
  title = 	 {{$\chi$SPN}: {C}haracteristic {SPN}s with $\mathbb{R}^{n}$},
  author =       {Ze\v{c}evi\'c, Matej and {The Fish and Chips Group} and Lee, Jr, Jaron},
  booktitle = 	 {Proceedings of the Fortieth Conference},
  year = 	 {2024},
  url = 	 {https://proceedings.mlr.press/v244/a24a.html},
  abstract = 	 {With 10\% of the fish.}
}
@InProceedings{pmlr-v244-b24a, title = {Another}, abstract = {Of fish.}, year = 2024 }
@Proceedings{pmlr-v244, title = {Proceedings}}
"""
    publisher.serve(fixed({"/v244/assets/bib/bibliography.bib": bib.encode()}))
    papers, report = read(publisher, "uai2024")
    first = papers[0]
    assert first.title == r"$\chi$SPN: Characteristic SPNs with $\mathbb{R}^{n}$"
    assert first.authors == ("Matej Zečević", "The Fish and Chips Group", "Jaron Lee Jr")
    assert (first.venue, first.year, first.id) == ("UAI", 2024, "pmlr-v244-a24a")
    assert first.url == "https://proceedings.mlr.press/v244/a24a.html"
    assert [p.title for p in papers][1:] == ["Another"]
    assert list(report.skipped) == ["not a paper but @proceedings"]


def test_cvf_lists_cut_into_days(publisher: Publisher) -> None:
    def paper(name: str) -> bytes:
        return (
            f"<html><div id='papertitle'>{name} &amp; fish</div><div id='authors'><b><i>Ada L, "
            f"Grace H</i></b>; Proceedings</div><div id='abstract'>Of <b>{name}</b>.<br></div>"
            "</html>"
        ).encode()

    def route(question: Question) -> Reply | None:
        day = question.query.get("day", "")
        if question.path == "/CVPR2018":
            if not day or day == "all":
                links = "".join(f"<a href='CVPR2018?day=2018-06-{d}'>d</a>" for d in (19, 20))
            else:
                links = f"<a href='content_cvpr_2018/html/P{day[-2:]}_CVPR_2018_paper.html'>x</a>"
            return Reply(f"<html>{links}</html>".encode())
        if question.path.startswith("/content_cvpr_2018/html/"):
            return Reply(paper(question.path[24:27]))
        return None

    publisher.serve(route)
    papers, _ = read(publisher, "cvpr2018")
    assert [p.title for p in papers] == ["P19 & fish", "P20 & fish"]
    assert papers[0].authors == ("Ada L", "Grace H")
    assert papers[0].abstract == "Of P19."
    assert papers[0].id == "P19_CVPR_2018"
    assert papers[0].url.startswith("https://openaccess.thecvf.com/content_cvpr_2018/html/P19")


# --------------------------------------- Hugging Face, Semantic Scholar, lists


def test_upvotes_are_kept(publisher: Publisher) -> None:
    item = {"paper": {"id": "2509.00001", "title": "Fish", "summary": "Of fish.", "upvotes": 26}}
    publisher.serve(lambda _: reply([item]))
    (paper,), report = read(publisher, "hf:2025-09-08..2025-09-09")
    assert paper.extra["upvotes"] == 26
    assert paper.id == "2509.00001"
    assert report.skipped["listed on two days"].count == 1


def test_semantic_scholar_ids_with_null(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2_API_KEY", "k3y")
    found = {
        "paperId": "a" * 40,
        "title": "Fish",
        "abstract": None,
        "year": 2020,
        "venue": "V",
        "authors": [{"name": "Ada"}],
        "externalIds": {"ArXiv": "2001.00001", "DOI": "10.1234/X"},
    }

    def route(question: Question) -> Reply | None:
        assert question.headers.get("x-api-key") == "k3y"
        assert json.loads(question.body) == {"ids": ["ARXIV:2001.00001", "DOI:10.1234/none"]}
        return reply([found, None])

    publisher.serve(route)
    (paper,), report = read(publisher, "s2:2001.00001,DOI:10.1234/none")
    assert (paper.title, paper.abstract, paper.authors) == ("Fish", "", ("Ada",))
    assert (paper.extra["arxiv"], paper.extra["doi"]) == ("2001.00001", "10.1234/x")
    assert report.skipped["unknown to Semantic Scholar"].places == ["DOI:10.1234/none"]


def test_semantic_scholar_answers_with_fewer(publisher: Publisher) -> None:
    publisher.serve(lambda _: reply([None]))
    with pytest.raises(SourceError, match="list of 2 papers"):
        read(publisher, "s2:2001.00001,2001.00002")


def test_a_list_of_any_shape_at_an_address(publisher: Publisher, tmp_path: Path) -> None:
    import gzip

    lines = b'{"title": "One fish"}\n{"title": "Two fish"}\n'
    bib = b"@article{a, title={Red fish}, abstract={Red.}}"
    publisher.serve(fixed({"/a.jsonl.gz": gzip.compress(lines), "/b.bib": bib}))
    assert len(read(publisher, "https://lists.example.org/a.jsonl.gz")[0]) == 2
    assert read(publisher, "https://lists.example.org/b.bib")[0][0].title == "Red fish"


def test_a_list_that_is_too_large_when_unpacked(publisher: Publisher, monkeypatch: Any) -> None:
    import gzip

    monkeypatch.setattr("swimmer.sources.http.client.SIZE_LIMIT", 1 << 20)
    publisher.serve(fixed({"/a.jsonl.gz": gzip.compress(b" " * (8 << 20))}))
    with pytest.raises(SourceError, match="when unpacked"):
        read(publisher, "https://lists.example.org/a.jsonl.gz")
