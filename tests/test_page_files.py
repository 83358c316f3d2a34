"""Files sent to the page: a draft's neighbours, references checked, a plan; what is refused."""

from __future__ import annotations

import html
import io
import re
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
pytest.importorskip("python_multipart")

from hypothesis import given, strategies as st
from starlette.testclient import TestClient

from swimmer import Paper, build_store
from swimmer.analysis import draft_of_text
from swimmer.errors import QueryError
from swimmer.web import uploads
from swimmer.web.app import create_app
from swimmer.web.uploads import LIMIT, SentFile, Upload, Uploads

from .test_plan import poster, talk

ORIGIN = "http://127.0.0.1"
BAD = "<img src=x onerror=alert(1)>"
ROBOTS = [
    Paper(
        f"Walking robots cross frozen lakes, part {n}",
        f"We train walking robots on ice, {n} times.",
        id=f"r{n}",
        authors=("Ann Fox", "Bo Lee"),
        venue="ICLR",
        year=2025,
        url=f"https://openreview.net/forum?id=lake{n}",
    )
    for n in range(8)
]
HOSTILE = Paper(f"{BAD} robots", f"{BAD} walking on ice", id=BAD, authors=(BAD,), venue="ICLR")
BIB = f"""
@inproceedings{{ok, title={{{ROBOTS[0].title}}}, author={{Ann Fox and Bo Lee}}, year={{2025}},
  booktitle={{ICLR}}}}
@inproceedings{{late, title={{{ROBOTS[1].title}}}, author={{Ann Fox and Bo Lee}}, year={{2021}},
  booktitle={{ICLR}}}}
@article{{pre, title={{{ROBOTS[2].title}}}, author={{Ann Fox and Bo Lee}}, year={{2024}},
  journal={{arXiv preprint arXiv:2401.01234}}}}
@article{{lost, title={{Medieval {BAD} pottery of the north}}, author={{{BAD}}}, year={{1999}}}}
"""
TEX = rb"""\title{Robots on ice}\begin{document}\begin{abstract}We train robots that walk on frozen
lakes.\end{abstract} As \cite{ok,late} show. \bibliography{whatever/it/is}\end{document}"""


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    """A page over a conference without times and a programme with them."""
    build_store([*ROBOTS, HOSTILE], home / "conf", model="static").close()
    programme = [poster(n) for n in (30, 4, 17)] + [talk(1, "10:15", "10:30")]
    build_store(programme, home / "fair", model="static").close()
    app = create_app([home / "conf", home / "fair"], reading_list=home / "list.json")
    with TestClient(app, base_url=ORIGIN) as client:
        yield client


def send(client: TestClient, to: str, *files: tuple[str, bytes], **fields: str) -> Any:
    given = [("file", file) for file in files] or [("file", ("", b""))]
    return client.post(
        "/file",
        data={"to": to, "store": "conf", **fields},
        files=given,
        headers={"Origin": ORIGIN},
        follow_redirects=False,
    )


def taken(client: TestClient, to: str, *files: tuple[str, bytes], **fields: str) -> str:
    """Send files; return the page that they lead to."""
    answer = send(client, to, *files, **fields)
    assert answer.status_code == 303, answer.text[:3_000]
    return shown(client, answer.headers["location"])


def shown(client: TestClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text[:3_000]
    assert BAD not in answer.text
    return answer.text


def link(page: str, text: str) -> str:
    """Return the address of the first link that holds a text."""
    for address, inner in re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', page, re.S):
        if text in re.sub(r"<[^>]+>", "", inner):
            return html.unescape(address)
    raise AssertionError(f"no link {text!r}")


def titles(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'data-key="o">(.*?)</a>', page)]


def alert(answer: Any, status: int = 400) -> str:
    assert answer.status_code == status
    assert BAD not in answer.text
    found = re.search(r'role="alert">([^<]+)<', answer.text)
    assert found, answer.text[:3_000]
    # The form is there again.
    assert answer.text.count('type="file"') == 2
    return html.unescape(found[1])


# ---------------------------------------------------------------------- references


def test_each_reference_has_its_verdict(client: TestClient) -> None:
    assert 'type="file"' in shown(client, "/check")
    page = taken(client, "check", ("refs.bib", BIB.encode()))
    assert "checked against conf, fair" in page
    found = dict(re.findall(r'class="verdict (\w+)">[^<]*</span> <code dir="auto">(\w+)<', page))
    assert found == {"found": "ok", "differs": "late", "published": "pre", "unknown": "lost"}
    assert re.findall(r"<strong>(\d)</strong> ([a-z ]+)<", page) == [
        ("4", "references"),
        ("1", "differ"),
        ("1", "published since"),
        ("1", "found"),
        ("1", "not in these stores"),
    ]
    assert re.search(r"in your file: </span>2021</span>.*in the store: </span>2025<", page)
    assert "@inproceedings{pre," in page
    only = shown(client, link(page, "differ"))
    assert re.findall(r'<code dir="auto">(\w+)<', only) == ["late"]
    here = link(only, "Another file")
    assert here == "/check"


def test_the_corrected_bibliography_is_saved(client: TestClient) -> None:
    page = taken(client, "check", ("refs.bib", BIB.encode()))
    saved = client.get(link(page, "Save fixed.bib"))
    assert saved.status_code == 200
    assert 'filename="fixed.bib"' in saved.headers["content-disposition"]
    assert saved.text.count("@inproceedings{pre,") == 1 and "arXiv preprint" not in saved.text
    assert "Medieval" in saved.text and "year={2021}" in saved.text
    other = send(client, "check", ("papers.ris", b"TY  - JOUR\nTI  - Walking fish\nER  - \n"))
    listed = shown(client, other.headers["location"])
    assert "Save fixed.bib" not in listed
    wrong = other.headers["location"].replace("/check?", "/check/fixed.bib?")
    assert "only a .bib file" in shown(client, wrong, 400)


def test_a_draft_and_its_bibliography_are_checked_together(client: TestClient) -> None:
    page = taken(client, "check", ("draft.tex", TEX), ("my refs.bib", BIB.encode()))
    assert set(re.findall(r'<code dir="auto">(\w+)<', page)) == {"ok", "late"}
    assert "2 that the draft does not cite left out" in page
    assert "comes without a list" in alert(send(client, "check", ("draft.tex", TEX)))


def test_many_references_come_in_pages(client: TestClient, monkeypatch: Any) -> None:
    many = "\n".join(f"@misc{{k{n}, title={{A title that is number {n}}}}}" for n in range(250))
    page = taken(client, "check", ("many.bib", many.encode()))
    assert "page 1 of 3" in page and page.count('class="verdict') == 100
    assert "page 2 of 3" in shown(client, link(page, "Next page"))
    monkeypatch.setattr(import_module("swimmer.web.check_page"), "MOST", 200)
    answer = send(client, "check", ("many.bib", many.encode()))
    assert "250 references; this page checks 200" in shown(client, answer.headers["location"], 400)


# ---------------------------------------------------------------------- a plan, for you


def test_a_programme_is_planned_by_a_file(client: TestClient) -> None:
    mine = b"@misc{a, title={Walking robots climb stairs, part 99}}"
    page = taken(client, "plan", (f"{BAD}.bib", mine), store="fair")
    assert "Poster Session 1" in page and "Thursday, 2031-04-24" in page
    positions = re.findall(r'class="position" dir="auto">(#\d+)<', page)
    assert positions == ["#4", "#17", "#30"]
    assert "At the same time" in page and "UTC+08:00" in page
    saved = {}
    for label in ("Calendar, by session", "Calendar, by paper", "Markdown", "HTML to print"):
        answer = client.get(link(page, label))
        assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
        saved[label] = answer.text
    sessions, papers = (saved[one].count("BEGIN:VEVENT") for one in list(saved)[:2])
    assert (
        sessions < papers and "#17" in saved["Markdown"] and "<!doctype" in saved["HTML to print"]
    )
    narrowed = shown(client, link(page, "Plan") + "&hours=0.3&minutes=9&zone=Europe/Berlin")
    assert "04:00" in narrowed and "Europe/Berlin" in narrowed
    assert len(re.findall(r'class="position"', narrowed)) == 2


@pytest.mark.parametrize("field", ["hours=x", "hours=nan", "minutes=0", "minutes=1.5", "zone=Mars"])
def test_a_wrong_field_of_a_plan_is_said_beside_it(client: TestClient, field: str) -> None:
    name = field.partition("=")[0]
    page = shown(client, f"/plan?store=fair&{field}", 400)
    assert f'id="{name}-wrong"' in page and f'aria-describedby="{name}-wrong"' in page
    assert client.get(f"/plan/export?store=fair&format=ics&{field}").status_code == 400


def test_a_store_without_times_says_what_to_fetch(client: TestClient) -> None:
    page = taken(client, "plan", ("refs.bib", BIB.encode()))
    assert "gives no times" in page and "swimmer build iclr2025" in page
    assert "Your reading list is empty" in shown(client, "/plan?store=fair")
    assert client.get("/plan/export?format=docx").status_code == 400
    assert "/plan?store=fair" in shown(client, "/?store=fair")
    assert "/plan?store=conf" not in shown(client, "/?store=conf")


def test_for_you_ranks_by_a_file(client: TestClient) -> None:
    page = taken(client, "foryou", ("refs.bib", BIB.encode()))
    assert "Walking robots" in titles(page)[0] and ROBOTS[0].title not in titles(page)
    assert "near to 4 of yours" in page and "refs.bib" in page
    assert "near to your" in shown(client, link(page, "New papers"))
    assert "file=" not in link(page, "×")
    gone = shown(client, "/foryou?file=nosuch", 400)
    assert "no longer held" in gone
    for path in ("/near", "/check/fixed.bib", "/plan", "/digest", "/near/export?format=csv"):
        joined = "&" if "?" in path else "?"
        assert client.get(f"{path}{joined}file=nosuch").status_code == 400


# ---------------------------------------------------------------------- drafts


def test_papers_near_a_draft_that_it_does_not_cite(client: TestClient) -> None:
    page = taken(client, "near", ("draft.tex", TEX), ("refs.bib", BIB.encode()))
    uncited = titles(page)
    assert not {one.title for one in ROBOTS[:3]} & set(uncited)
    assert {one.title for one in ROBOTS[3:]} <= set(uncited)
    assert "Near it and cited already" in page
    assert all(one.title in page for one in ROBOTS[:3])
    saved = client.get(link(page, "BibTeX"))
    assert saved.status_code == 200 and ROBOTS[5].title in saved.text
    assert ROBOTS[0].title not in saved.text
    every = shown(client, link(page, "Papers near this draft").replace("store=conf", "store=*"))
    assert re.search(r'href="/paper\?store=conf&', every)
    assert client.get("/near/export?format=docx").status_code == 400


@pytest.mark.parametrize(
    ("text", "to"),
    [
        (
            "Robots on ice\n\nAbstract\nWe train robots that walk on lakes.\n\nReferences\n[1]",
            "near",
        ),
        (TEX.decode(), "near"),
        ("# Robots on ice\n\nWe train robots that walk.", "near"),
        (BIB, "check"),
    ],
)
def test_pasted_text_is_taken_for_what_it_is(client: TestClient, text: str, to: str) -> None:
    answer = send(client, "", text=text)
    assert answer.status_code == 303 and answer.headers["location"].startswith(f"/{to}?")
    assert "Walking robots" in shown(client, answer.headers["location"])


def test_a_pasted_list_of_references_is_checked(client: TestClient) -> None:
    text = f"References\n[1] Ann Fox and Bo Lee. {ROBOTS[0].title}. In ICLR, 2025.\n"
    assert "1 found" in re.sub("<[^>]+>", "", taken(client, "check", text=text))


def test_a_plain_text_has_a_title_an_abstract_and_references() -> None:
    draft = draft_of_text(
        f"A title\n\nAbstract: We walk.\n\nReferences\n[1] {ROBOTS[0].title}. 2025."
    )
    assert (draft.paper.title, draft.cites(ROBOTS[0])) == ("A title", True)
    assert draft.paper.abstract.startswith("We walk.")
    paragraph = draft_of_text("We train abstract robots. They walk on ice.")
    assert paragraph.paper.title == "We train abstract robots."
    assert "They walk on ice" in paragraph.paper.abstract
    with pytest.raises(QueryError, match="no words"):
        draft_of_text(" \n ")


# ---------------------------------------------------------------------- what is refused


def encrypted_pdf() -> bytes:
    pypdf = pytest.importorskip("pypdf")
    writer, held = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(held)
    return held.getvalue()


def test_what_cannot_be_read_is_said_with_the_name_it_was_sent_by(client: TestClient) -> None:
    assert alert(send(client, "near", ("mine.pdf", encrypted_pdf()))) == "mine.pdf: is encrypted"
    assert "cannot be read as a PDF" in alert(send(client, "near", ("x.pdf", b"%PDF-1.7 junk")))
    assert alert(send(client, "near", ("x.exe", b"MZ"))).startswith("x.exe: is no kind of file")
    assert alert(send(client, "check", ("x.bib", b" \n"))) == "x.bib: is empty"
    assert "is not text" in alert(send(client, "check", ("x.bib", b"\x1f\x8b\x08\x00zip")))
    assert "no file was chosen" in alert(send(client, "check"))
    assert "is a list of papers" in alert(send(client, "near", ("r.bib", BIB.encode())))
    many = "\n".join(f"@misc{{k{n}, title={{Title number {n}}}}}" for n in range(20_000))
    assert "more than 5,000 references" in alert(send(client, "check", ("r.bib", many.encode())))
    for name in (
        f"../../{BAD}.tex",
        "..\\..\\etc\\passwd.bib",
        "\x00\u202egnp.bib",
        "a" * 900 + ".md",
    ):
        said = alert(send(client, "foryou", (name, b"\\title{}")))
        assert "/" not in said.split(":")[0] and "\u202e" not in said and "file1" not in said


def test_a_file_of_200_megabytes_is_refused(client: TestClient, monkeypatch: Any) -> None:
    def body(size: int) -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        for _ in range(size >> 20):
            yield bytes(1 << 20)

    headers = {"Origin": ORIGIN, "Content-Type": "multipart/form-data; boundary=b"}
    # By its length, and where that is not said, while it is read.
    for more in ({"Content-Length": str(200 << 20)}, {}):
        answer = client.post("/file", content=body(LIMIT + (2 << 20)), headers=headers | more)
        assert "larger than 50 MB" in alert(answer, 413)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=b"]
)
def test_a_broken_form_is_refused(client: TestClient, kind: str) -> None:
    headers = {"Origin": ORIGIN, **({"Content-Type": kind} if kind else {})}
    answer = client.post("/file", content=b"--b\r\njunk", headers=headers)
    alert(answer)
    elsewhere = {"Origin": "http://evil.example"}
    refused = client.post("/file", files={"file": ("a.bib", b"x")}, headers=elsewhere)
    assert refused.status_code == 403


def test_nothing_stays_on_disk(client: TestClient, home: Path, monkeypatch: Any) -> None:
    folder = home / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    made: list[str] = []
    write = Path.write_bytes

    def noted(path: Path, body: bytes) -> int:
        made.append(path.name)
        return write(path, body)

    monkeypatch.setattr(Path, "write_bytes", noted)
    taken(client, "near", ("../draft.tex", TEX), ("../../refs.bib", BIB.encode()))
    alert(send(client, "near", ("mine.pdf", encrypted_pdf())))
    assert made[:2] == ["file1.tex", "file2.bib"]
    assert list(folder.iterdir()) == []


def test_only_the_last_files_are_held(monkeypatch: Any) -> None:
    held = Uploads()
    files = [Upload([SentFile("a.bib", ".bib", b"x" * 10)]) for _ in range(4)]
    monkeypatch.setattr(uploads, "HELD_FILES", 3)
    tokens = [held.put(one) for one in files[:3]]
    assert held.get(tokens[0]) is files[0]
    held.put(files[3])
    assert held.get(tokens[0]) is files[0]
    with pytest.raises(QueryError, match="no longer held"):
        held.get(tokens[1])
    monkeypatch.setattr(uploads, "HELD_BYTES", 5)
    last = held.put(files[1])
    assert held.get(last) is files[1]
    with pytest.raises(QueryError):
        held.get(tokens[0])


def test_a_page_for_many_visitors_takes_no_files(home: Path) -> None:
    build_store(ROBOTS, home / "conf", model="static").close()
    app = create_app([home / "conf"], read_only=True)
    with TestClient(app, base_url=ORIGIN) as client:
        for path in ("/file", "/near", "/check", "/plan"):
            assert client.get(path).status_code == 404
        page = client.get("/").text
        assert 'type="file"' not in page and "/file" not in page and "/check" not in page


@given(st.text(max_size=200), st.binary(max_size=60))
def test_any_name_and_body_is_taken_or_refused(name: str, body: bytes) -> None:
    try:
        file = SentFile.of(name, body)
    except QueryError as error:
        assert "\x00" not in str(error)
        return
    assert "/" not in file.name and "\\" not in file.name and file.suffix in uploads.ACCEPTED
