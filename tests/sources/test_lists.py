"""Lists as people have them: each fault of a kind that damaged fields without a word."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from swimmer.errors import SourceError, SwimmerError
from swimmer.export import papers_to_csv, to_bibtex, to_reading_list, to_ris
from swimmer.export.bibtex import citation_keys, name_parts
from swimmer.papers import Paper
from swimmer.sources import FileSource, SourceReport, open_source
from swimmer.sources.formats.people import keywords_of, names_of_people

LISTS = Path(__file__).resolve().parents[3] / "shared" / "lists"


def read(path: Path, content: str | bytes, **options: Any) -> tuple[list[Paper], SourceReport]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    report = SourceReport()
    return list(FileSource(path, **options).papers(report)), report


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ann Fox|Ben Orr|Cy Lee", ["Ann Fox", "Ben Orr", "Cy Lee"]),
        ("Ann Fox · Ben Orr", ["Ann Fox", "Ben Orr"]),
        ("王五，赵六", ["王五", "赵六"]),
        ("山田太郎、鈴木花子", ["山田太郎", "鈴木花子"]),
        ("Ann Fox & Ben Orr", ["Ann Fox", "Ben Orr"]),
        ("Ann Fox\nBen Orr", ["Ann Fox", "Ben Orr"]),
        ("Ann Fox, Ben\n  Orr", ["Ann Fox", "Ben Orr"]),
        ("['Ann Fox', \"Ben O'Dea\"]", ["Ann Fox", "Ben O'Dea"]),
        ("[]", []),
        ("Fox, Ann", ["Ann Fox"]),
        ("van der Berg, Jan Piet", ["Jan Piet van der Berg"]),
        ("Fox, Jr., Ann", ["Ann Fox Jr."]),
        ("Ann Fox, Ben Orr, et al.", ["Ann Fox", "Ben Orr"]),
        ("Ann Fox and others", ["Ann Fox"]),
        ("Fox, A., Orr, B.", ["A. Fox", "B. Orr"]),
        ("Fox A.; Orr B.C.", ["A. Fox", "B.C. Orr"]),
        ("Fox, Ann (571); Orr, Ben (572)", ["Ann Fox", "Ben Orr"]),
        ("Ann Fox, Ben Orr, Jr.", ["Ann Fox", "Ben Orr Jr."]),
        ("Ann Fox et.al.", ["Ann Fox"]),
        ("Ann Fox et al..", ["Ann Fox"]),
        ("Ann Fox*, Ben Orr†‡, Cy Lee", ["Ann Fox", "Ben Orr", "Cy Lee"]),
        ("Ann Fox (Sea University)*; Orr, Ben (Lake, Inc.)", ["Ann Fox", "Ben Orr"]),
        ("Ann Fox (Sea University), Ben Orr (Lake, Inc.)", ["Ann Fox", "Ben Orr"]),
        ("Annabel (Ann) Fox; Wei Wang (王伟)", ["Annabel (Ann) Fox", "Wei Wang (王伟)"]),
        ("Ann Fox (Jr.)", ["Ann Fox (Jr.)"]),
        ("nan", []),
    ],
)
def test_names_of_people(text: str, names: list[str]) -> None:
    assert list(names_of_people(text)) == names


def test_objects_are_people() -> None:
    people = [
        {"family": "Berg", "given": "Jan", "non-dropping-particle": "van den"},
        {"literal": "Open Fish Team"},
        {"author": {"display_name": "Ann Fox"}},
        {"firstName": "Ben", "lastName": "Orr", "suffix": "Jr."},
        "et al.",
    ]
    assert names_of_people(people) == (
        "Jan van den Berg",
        "Open Fish Team",
        "Ann Fox",
        "Ben Orr Jr.",
    )


def test_keywords() -> None:
    assert keywords_of("a|b c") == ("a", "b c")
    assert keywords_of("['a', 'b']") == ("a", "b")
    assert keywords_of(["Aged, 80 and over", "Male"]) == ("Aged, 80 and over", "Male")
    assert keywords_of("cyst (fluid, wall), gut") == ("cyst (fluid, wall)", "gut")


BIB = r"""
This file was made by Some Manager. {text} with @ signs

@string{fj = "Journal of Fish"}
@article{k, title = {{\AE}ther {\"U}ber {W}ater}, author = {{\L}ukasz Wi{\'s}niewski and
  N{\o}rd, S{\o}ren and Gro{\ss}, {\c C}a{\u g}lar}, journal = fj # " and Water", year = 2001,
  volume = 3, number = {4}, pages = {5--9}, publisher = {Fish Press}}
@article{k, title={Second of One Key}, author={Fox, Ann}, journal=fj, year={2002}}
@article{, title={Without a Key}, author={Fox, Ann}, year={2003}}
@article{, title={Also Without}, author={Fox, Ann}, journal={Other}, year={2004}}
@inproceedings{c, title={A Child}, subtitle={With a Name}, author={family=Berg, given=Jan,
  prefix=van den}, crossref={conf}}
@article{m, title = {A Comma is Missing}
  author = {Roe, Jane}, date = {2017-02-01}, journaltitle = {J. Water}}
@proceedings{conf, title={Proceedings of Fish}, booktitle={Proceedings of Fish}, year={1999}}
"""


def test_bibtex_as_people_have_it(tmp_path: Path) -> None:
    papers, report = read(tmp_path / "x.bib", BIB)
    one, two, three, four, child, comma = papers
    assert one.title == "Æther Über Water"
    assert one.authors == ("Łukasz Wiśniewski", "Søren Nørd", "Çağlar Groß")
    assert one.venue == "Journal of Fish and Water"
    assert {k: one.extra[k] for k in ("volume", "number", "pages", "publisher")} == {
        "volume": "3",
        "number": "4",
        "pages": "5–9",
        "publisher": "Fish Press",
    }
    assert (two.authors, two.venue, two.year) == (("Ann Fox",), "Journal of Fish", 2002)
    assert three.venue == "" and four.venue == "Other"
    assert (child.title, child.authors) == ("A Child: With a Name", ("Jan van den Berg",))
    assert (child.venue, child.year) == ("Proceedings of Fish", 1999)
    assert (comma.title, comma.authors) == ("A Comma is Missing", ("Jane Roe",))
    assert (comma.venue, comma.year) == ("J. Water", 2017)
    assert list(report.skipped) == ["not a paper but @proceedings"]


def test_bibtex_of_the_acl_anthology(tmp_path: Path) -> None:
    text = """@inproceedings{fox-2031-fins,
    title = "{F}ins: {A} Study of {BERT}{'}s {``}Fish{''} in Rivers{---}and Seas",
    author = "Fox, Ann  and\n      Orr, Ben",
    url = "https://aclanthology.org/2031.acl-long.1/",
    abstract = "A robot{--}fish, ``as we say'', swims. The code `a``b` stays."}"""
    [paper], _ = read(tmp_path / "acl.bib", text)
    assert paper.title == "Fins: A Study of BERT's “Fish” in Rivers—and Seas"
    assert paper.abstract == "A robot–fish, “as we say”, swims. The code `a``b` stays."


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ("journal = {arXiv preprint arXiv:2401.00001}", "2401.00001"),
        ("journal = {ArXiv}, volume = {abs/2401.00001}", "2401.00001"),
        ("journal = {arXiv e-prints, arXiv:2401.00001v2}", "2401.00001"),
        ("journal = {CoRR}, volume = {abs/2401.00001}", "2401.00001"),
        ("journal = {CoRR}, volume = {abs/cs/0401001}", "cs/0401001"),
        ("journal = {Journal of Fish}, volume = {2401.00001}", None),
    ],
)
def test_a_preprint_is_known_by_the_journal_it_names(
    tmp_path: Path, fields: str, number: str | None
) -> None:
    [paper], _ = read(tmp_path / "x.bib", "@article{a, title={Fish in Seas}, " + fields + "}")
    assert paper.extra.get("arxiv") == number
    assert paper.url == (f"https://arxiv.org/abs/{number}" if number else "")


DBLP_WORK = """<inproceedings key="conf/fish/FoxO31"><author orcid="0">Ann Fox 0001</author>
<author>Ben Orr</author><title>Fish <i>in</i> Seas.</title><year>2031</year>
<booktitle>FISH</booktitle><ee>https://doi.org/10.1000/fish.1</ee></inproceedings>"""
DBLP_XML = {
    "list": '<?xml version="1.0" encoding="US-ASCII"?><!DOCTYPE dblp SYSTEM "dblp.dtd"><dblp>'
    f"<www><author>Ann Fox</author><title>Home Page</title></www>{DBLP_WORK}</dblp>",
    "person": '<dblpperson name="Ann Fox"><person><author>Ann Fox</author></person>'
    f"<r>{DBLP_WORK}</r><coauthors/></dblpperson>",
    "search": "<result><hits><hit><info><authors><author>Ann Fox 0001</author><author>Ben Orr"
    "</author></authors><title>Fish in Seas.</title><venue>FISH</venue><year>2031</year>"
    "<type>Conference and Workshop Papers</type><key>conf/fish/FoxO31</key>"
    "<ee>https://doi.org/10.1000/fish.1</ee></info><url>URL#1</url></hit></hits></result>",
}


@pytest.mark.parametrize("shape", list(DBLP_XML))
def test_xml_of_dblp(tmp_path: Path, shape: str) -> None:
    [paper], _ = read(tmp_path / "dblp.xml", DBLP_XML[shape])
    assert (paper.title, paper.authors) == ("Fish in Seas", ("Ann Fox", "Ben Orr"))
    assert (paper.venue, paper.year, paper.url) == ("FISH", 2031, "https://doi.org/10.1000/fish.1")
    assert paper.extra["entry_type"] == "inproceedings"


def test_other_xml_says_which_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the root is 'fish'") as failure:
        read(tmp_path / "x.xml", "<fish><title>Fish</title></fish>")
    assert "DBLP" in failure.value.hint


def test_a_note_without_a_group_shows_its_venue(tmp_path: Path) -> None:
    note = {"id": "abcdEFGH12", "forum": "abcdEFGH12"}
    content = {"title": {"value": "Fish in Seas"}, "venue": {"value": "FISH 2031 Oral"}}
    [paper], _ = read(tmp_path / "x.json", json.dumps([{**note, "content": content}]))
    assert (paper.venue, paper.year, paper.status) == ("FISH", 2031, "Oral")


@pytest.mark.parametrize("header", ["Jahr", "Année", "Año", "Anno"])
def test_the_year_in_other_languages(tmp_path: Path, header: str) -> None:
    [paper], _ = read(tmp_path / "x.csv", f"Titel;{header}\nFische im Meer;2031\n")
    assert paper.year == 2031


@pytest.mark.parametrize(
    "said", [" - Ann Fox et al., FISH 2031.", " by Ann Fox, Ben Orr, FISH 2031"]
)
def test_a_link_to_an_unknown_site_is_a_paper_where_authors_and_venue_are_said(
    tmp_path: Path, said: str
) -> None:
    lines = f"# Reading\n\n- [Fish in Seas](https://fox.example.org/1){said}\n"
    lines += "- [A tool](https://tool.example.org) - FISH 2031\n"
    lines += "- [Rivers](https://arxiv.org/abs/3101.00001)\n"
    papers, report = read(tmp_path / "x.md", lines)
    assert [paper.title for paper in papers] == ["Fish in Seas", "Rivers"]
    assert (papers[0].authors[0], papers[0].venue, papers[0].year) == ("Ann Fox", "FISH", 2031)
    assert report.left_out == 1


def test_headers_of_reference_managers_and_indexes(tmp_path: Path) -> None:
    zotero, _ = read(
        tmp_path / "z.csv",
        "Key,Item Type,Publication Year,Author,Title,Publication Title,DOI,Url,Volume,"
        'Conference Name\nA1,journalArticle,2022,"Fox, Ann",One,J. Fish,10.1000/f,,12,\n'
        'B2,conferencePaper,2023,"Fox, Ann; Orr, Ben",Two,,,https://x.example/2,,Fish Days\n',
    )
    one, two = zotero
    assert (one.status, one.url, one.authors) == ("", "https://doi.org/10.1000/f", ("Ann Fox",))
    assert (two.venue, two.authors) == ("Fish Days", ("Ann Fox", "Ben Orr"))
    (scopus,), _ = read(
        tmp_path / "s.csv",
        "\ufeffAuthors,Author full names,Title,Year,Source title,Volume,Page start,Page end,DOI,"
        'Link,Abstract,Author Keywords\nFox A.,"Fox, Ann (5)",Three,2022,Fish Letters,168,1,9,'
        "10.1000/s,https://s.example/1,[No abstract available],fin; gill\n",
    )
    assert (scopus.authors, scopus.venue, scopus.abstract) == (("Ann Fox",), "Fish Letters", "")
    assert (scopus.extra["pages"], scopus.keywords) == ("1–9", ("fin", "gill"))
    (embase,), _ = read(
        tmp_path / "e.csv",
        'Title,Author Names,Source,Abstract\nFour,"Fox A., Orr B.",'
        "Fish Care (2014) 3:2 (15-20). Date of Publication: 2014,We care.\n",
    )
    assert (embase.venue, embase.year, embase.extra["pages"]) == ("Fish Care", 2014, "15–20")
    assert embase.authors == ("A. Fox", "B. Orr")
    ieee, _ = read(
        tmp_path / "i.csv",
        '"Document Title","Authors","Author Affiliations","Publication Title","Publication Year",'
        '"Start Page","End Page","Abstract","DOI","PDF Link","Author Keywords","IEEE Terms",'
        '"Document Identifier"\n'
        + "".join(
            f'"Fish {n}","A. Fox; B. Orr","Sea U; Lake U","2023 Fish Days","2023","1","9","We {n}.",'
            f'"10.1109/f.{n}","https://x.example/{n}","fin;gill","Water","IEEE Conferences"\n'
            for n in (1, 2)
        ),
    )
    assert [(paper.authors, paper.venue) for paper in ieee] == [
        (("A. Fox", "B. Orr"), "2023 Fish Days")
    ] * 2
    assert [paper.extra["entry_type"] for paper in ieee] == ["inproceedings"] * 2
    assert len({paper.id for paper in ieee}) == 2 and ieee[0].keywords == ("fin", "gill")
    (springer,), _ = read(
        tmp_path / "p.csv",
        "Item Title,Publication Title,Journal Volume,Item DOI,Authors,Publication Year,URL,"
        "Content Type\nFive,Fish Learning,113,10.1007/f,"
        "Ann FoxBen B. McDonaldÉva de la TourA. B. OrrCy VanDam,2024,"
        "http://link.springer.com/article/10.1007/f,Article\n",
    )
    assert springer.authors == (
        "Ann Fox",
        "Ben B. McDonald",
        "Éva de la Tour",
        "A. B. Orr",
        "Cy VanDam",
    )
    assert (springer.venue, springer.extra["doi"]) == ("Fish Learning", "10.1007/f")
    (lens,), _ = read(
        tmp_path / "l.csv",
        "Lens ID,Title,Publication Year,Publication Type,Source Title,Author/s,Abstract,"
        "Start Page,End Page,Fields of Study,Keywords,Source URLs,External URL,DOI,"
        "Citing Works Count\n001-2,Six,2022,journal article,J. Fish,Ann Fox; Ben Orr,We swim.,1,3,"
        "Biology,fin; gill,https://a.example/1 https://b.example/2,https://l.example/001-2,"
        "10.1000/l,17\n",
    )
    assert (lens.id, lens.year, lens.authors) == ("001-2", 2022, ("Ann Fox", "Ben Orr"))
    assert lens.url == "https://l.example/001-2" and lens.extra["entry_type"] == "article"
    assert (lens.extra["citations"], lens.keywords) == ("17", ("fin", "gill"))
    (science,), _ = read(
        tmp_path / "w.txt",
        "PT\tAU\tAF\tTI\tSO\tDE\tAB\tPY\tDI\tUT\nC\tFox, A; Orr, B\tFox, Ann; Orr, Ben\tSeven\t"
        "FISH DAYS\tfin; gill\tWe swim.\t2020\t10.1000/w\tWOS:07\n",
    )
    assert (science.id, science.authors) == ("WOS:07", ("Ann Fox", "Ben Orr"))
    assert science.extra["entry_type"] == "inproceedings" and science.venue == "FISH DAYS"


def test_columns_are_named_by_the_user(tmp_path: Path) -> None:
    text = "Nome,Chi,title\nPesci,Ann Fox,no\n"
    (paper,), _ = read(tmp_path / "x.csv", text, columns={"title": "Nome", "authors": "Chi"})
    assert (paper.title, paper.authors) == ("Pesci", ("Ann Fox",))
    with pytest.raises(SourceError, match=r"no column 'Nom'.*\nhint: .*'Nome'"):
        read(tmp_path / "x.csv", text, columns={"title": "Nom"})
    with pytest.raises(SourceError, match="--columns"):
        read(tmp_path / "y.csv", "Nome,Chi,Dove\nPesci,Ann Fox,x\n")


@pytest.mark.parametrize("header", ["", "title\n"])
def test_titles_with_commas_are_no_columns(tmp_path: Path, header: str) -> None:
    titles = ["A Title among Other Words", "Fish, Fins, and Gills", "Fins; or Gills: a Title"]
    papers, report = read(tmp_path / "x.csv", header + "\n".join(titles))
    assert [paper.title for paper in papers] == titles and not report.skipped


def test_one_title_a_line(tmp_path: Path) -> None:
    papers, _ = read(tmp_path / "x.txt", "1. Fish that Swim in Rivers\n2. Fish that Do Not Swim\n")
    assert [paper.title for paper in papers] == [
        "Fish that Swim in Rivers",
        "Fish that Do Not Swim",
    ]


JSONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "openalex": (
        {
            "results": [
                {
                    "id": "https://openalex.org/W5",
                    "doi": "https://doi.org/10.1000/q",
                    "title": "T",
                    "publication_year": 2020,
                    "type": "article",
                    "authorships": [{"author": {"display_name": "Ann Fox"}}],
                    "primary_location": {"source": {"display_name": "J. Fish"}},
                    "abstract_inverted_index": {"Fish": [0, 2], "eat": [1]},
                }
            ]
        },
        {"abstract": "Fish eat Fish", "venue": "J. Fish", "status": ""},
    ),
    "crossref": (
        {
            "status": "ok",
            "message": {
                "items": [
                    {
                        "DOI": "10.1000/q",
                        "title": ["T"],
                        "author": [{"given": "Ann", "family": "Fox"}],
                        "container-title": ["J. Fish"],
                        "issued": {"date-parts": [[2020, 1]]},
                        "abstract": "<jats:title>Abstract</jats:title><jats:p>We swim.</jats:p>",
                        "type": "journal-article",
                    }
                ]
            },
        },
        {"abstract": "We swim.", "venue": "J. Fish"},
    ),
    "dblp": (
        {
            "result": {
                "hits": {
                    "hit": [
                        {
                            "info": {
                                "title": "T.",
                                "authors": {"author": [{"text": "Ann Fox 0001"}]},
                                "venue": "FISH",
                                "year": "2020",
                            }
                        }
                    ]
                }
            }
        },
        {"title": "T", "venue": "FISH"},
    ),
    "arxiv": (
        {
            "id": "2001.00001",
            "title": "T",
            "authors": "Ann Fox (Univ.)",
            "authors_parsed": [["Fox", "Ann", "", "Univ."]],
            "categories": "cs.LG stat.ML",
            "versions": [{"created": "Mon, 6 Jan 2020 19:18:42 GMT"}],
        },
        {"venue": "arXiv", "keywords": ("cs.LG", "stat.ML")},
    ),
    "csl": (
        [
            {
                "title": "T",
                "author": [{"family": "Fox", "given": "Ann"}],
                "issued": {"raw": "2020-3"},
            }
        ],
        {},
    ),
}


@pytest.mark.parametrize("shape", list(JSONS))
def test_shapes_of_indexes(tmp_path: Path, shape: str) -> None:
    value, expected = JSONS[shape]
    (paper,), _ = read(tmp_path / "x.json", json.dumps(value))
    assert (paper.authors, paper.year) == (("Ann Fox",), 2020)
    for name, wanted in expected.items():
        assert getattr(paper, name) == wanted


def test_notes_that_are_no_papers(tmp_path: Path) -> None:
    notes = [
        {"id": "r", "forum": "f", "replyto": "f", "content": {"title": "A review"}},
        {
            "id": "f",
            "forum": "f",
            "content": {"title": "A paper", "venueid": "TMLR"},
            "pdate": 1.7e12,
        },
        {"id": "d", "forum": "d", "ddate": 1, "content": {"title": "Deleted"}},
    ]
    (paper,), report = read(tmp_path / "x.json", json.dumps({"notes": notes}))
    assert (paper.title, paper.year, report.left_out) == ("A paper", 2023, 2)
    items = [
        {"itemType": "attachment", "title": "Full text", "creators": []},
        {"itemType": "journalArticle", "title": "T", "creators": []},
    ]
    (paper,), _ = read(tmp_path / "z.json", json.dumps(items))
    assert paper.title == "T"


def test_paperlists_take_venue_and_year_from_the_name(tmp_path: Path) -> None:
    entries = [
        {
            "title": "A",
            "track": "main",
            "status": "Poster",
            "author": "Ann Fox;Ben Orr;Ann Fox;Ben Orr",
        },
        {
            "title": "B",
            "track": "Workshop",
            "status": "System Demonstrations",
            "author": "Cy Lee",
            "bibtex": "@x{y,\n booktitle = {Proc. Fish},\n year = {2031}}",
            "gs_citation": 4,
            "rating": "5;6",
        },
        {"title": "C", "track": "main", "status": "Reject", "author": "Cy Lee"},
    ]
    text = json.dumps(entries)
    one, two, _ = read(tmp_path / "fish2030.json", text)[0]
    assert (one.venue, one.year, one.authors) == ("FISH", 2030, ("Ann Fox", "Ben Orr"))
    assert (two.venue, two.year) == ("Proc. Fish", 2031)
    assert (two.extra["citations"], two.extra["ratings"]) == (4, [5.0, 6.0])
    (rejected,), report = read(tmp_path / "fish2030.json", text, status="rejected")
    assert (rejected.title, report.left_out) == ("C", 2)
    assert len(read(tmp_path / "fish2030.json", text, status="accepted")[0]) == 2


NBIB = """PMID- 77
TI  - Fish at
      Home.
AB  - We swim.
FAU - Fox, Ann
AU  - Fox A
DP  - 2016 Mar
JT  - Journal of Fish
AID - 10.1000/m [doi]
"""
WOS = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Fox, A
   Orr, B
AF Fox, Ann
   Orr, Ben
TI Fish at
   Home.
SO JOURNAL OF FISH
DE fin; gill
PY 2016
VL 3
BP 1
EP 9
UT WOS:1
ER

EF
"""
ENW = "%0 Journal Article\n%T Fish at Home.\n%A Fox, Ann\n%D 2016\n%J Journal of Fish\n"
ENDNOTE = """<?xml version="1.0"?><xml><records><record><ref-type name="Journal Article">17</ref-type>
<contributors><authors><author><style>Fox, Ann</style></author></authors></contributors>
<titles><title><style>Fish at Home.</style></title></titles>
<periodical><full-title>Journal of Fish</full-title></periodical>
<dates><year>2016</year></dates></record></records></xml>"""
PUBMED = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://dtd.nlm.nih.gov/x.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>77</PMID><Article>
<Journal><JournalIssue><PubDate><Year>2016</Year></PubDate></JournalIssue>
<Title>Journal of Fish</Title></Journal><ArticleTitle>Fish <i>at</i> Home.</ArticleTitle>
<Abstract><AbstractText Label="AIM">We swim.</AbstractText></Abstract>
<AuthorList><Author><LastName>Fox</LastName><ForeName>Ann</ForeName></Author></AuthorList>
</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"""
RIS = "1.\nTY - JOUR\nTI - Fish at Home.\nA1 - Fox, Ann\nPY - 2016\nJF - Journal of Fish\nER - \n"
YAML = "- UID: T1\n  title: Fish at Home.\n  organizers: Ann Fox, Ben Orr\n  year: 2016\n"


@pytest.mark.parametrize("text", [NBIB, WOS, ENW, ENDNOTE, PUBMED, RIS, YAML])
def test_formats_of_reference_managers(tmp_path: Path, text: str) -> None:
    (paper,), _ = read(tmp_path / "list", text)
    assert (paper.title, paper.year, paper.authors[0]) == ("Fish at Home.", 2016, "Ann Fox")
    assert text is YAML or paper.venue.casefold() == "journal of fish"


def test_yaml_with_aliases_is_refused(tmp_path: Path) -> None:
    text = "- title: &a [x, x]\n- title: *a\n"
    with pytest.raises(SourceError, match="aliases"):
        read(tmp_path / "x.yml", text)


def test_zip_and_gzip(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/list.csv", "title\nFish at Home\n")
        archive.writestr("readme.rst", "no list")
    (paper,), _ = read(tmp_path / "x.zip", packed.getvalue())
    assert paper.title == "Fish at Home"
    assert len(read(tmp_path / "x.gz", gzip.compress(NBIB.encode()))[0]) == 1
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("picture.png", "x")
    with pytest.raises(SourceError, match=r"zip archive without a paper list.*\nhint: unpack"):
        read(tmp_path / "y.zip", empty.getvalue())


def test_excel_and_parquet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    book = openpyxl.Workbook()
    for row in (
        ["My list"],
        ["Title", "Authors", "Year"],
        ["Fish at Home", "Ann Fox; Ben Orr", 2016],
    ):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    (paper,) = open_source(tmp_path / "x.xlsx").papers(SourceReport())
    assert (paper.title, paper.authors, paper.year) == (
        "Fish at Home",
        ("Ann Fox", "Ben Orr"),
        2016,
    )
    table = pyarrow.table({"title": ["Fish at Home"], "authors": [["Ann Fox"]], "year": [2016]})
    parquet.write_table(table, tmp_path / "x.parquet")
    (paper,) = open_source(tmp_path / "x.parquet").papers(SourceReport())
    assert (paper.authors, paper.year) == (("Ann Fox",), 2016)


@pytest.mark.parametrize("declared", ["% Encoding: Cp1252\n", ""])
def test_encodings_are_found_and_said(tmp_path: Path, declared: str) -> None:
    text = declared + "@article{z, title={Zürich – Fish}, author={Müller, A.}, year=2020}"
    (paper,), report = read(tmp_path / "x.bib", text.encode("cp1252"))
    assert (paper.title, paper.authors, report.encoding) == (
        "Zürich – Fish",
        ("A. Müller",),
        "cp1252",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.4 ", "is a PDF"),
        (b"\xd0\xcf\x11\xe0", "old Excel"),
        (b"\x80\x04\x95 ", "pickle"),
        (rb"\documentclass{article}\title{x}", "LaTeX"),
        (b"<html></html>", "web page"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(tmp_path / "x", content)


AWESOME = """<div align="center">

# Awesome Fish

</div>

- [Fish at Home](https://arxiv.org/abs/2401.00001), Ann Fox, ICLR 2024
- A Fish Abroad [[paper]](https://openreview.net/forum?id=abc_D) [[code]](https://github.com/a/b)
- [A Tool](https://github.com/a/c)
- <a href="https://arxiv.org/abs/2401.00002">Fish in Links</a>

| **Title** | **Date** | **Abstract** |
| --- | --- | --- |
| **[Fish in Tables](https://arxiv.org/abs/2401.00003v1)** | 2024-01-02 | <details><summary>Show</summary><p>We swim.</p></details> |
"""


def test_lists_of_links(tmp_path: Path) -> None:
    papers, report = read(tmp_path / "x.md", AWESOME)
    home, abroad, links, tables = papers
    assert (home.authors, home.venue, home.year) == (("Ann Fox",), "ICLR", 2024)
    assert (abroad.title, abroad.id) == ("A Fish Abroad", "abc_D")
    assert abroad.extra["code"] == "https://github.com/a/b"
    assert links.url == "https://arxiv.org/abs/2401.00002"
    assert (tables.title, tables.abstract, tables.year) == ("Fish in Tables", "We swim.", 2024)
    assert report.skipped["a link that leads to no paper"].count == 1


@pytest.mark.parametrize(
    ("bullet", "said"),
    [
        ("(ICML 2022) Fish [[paper]](URL)", ("ICML", 2022, ())),
        (
            "[ICLR 2023, Oral] Fish [[paper]](URL) [[code]](https://github.com/a/b)",
            ("ICLR", 2023, ()),
        ),
        ("**Fish** (NeurIPS'23) [[pdf]](URL)", ("NeurIPS", 2023, ())),
        ("Fish, CVPR 2024 [[Paper]](URL) [[Project]](https://fish.example)", ("CVPR", 2024, ())),
        (
            "**Fish.** *Ann Fox, Ben Orr.* ICML 2021. [[paper]](URL)",
            ("ICML", 2021, ("Ann Fox", "Ben Orr")),
        ),
        ("[2024/01] **Fish** [[paper](URL)] [[code](https://github.com/a/b)]", ("", 2024, ())),
        ("2024.01 | Fish | [paper](URL)", ("", 2024, ())),
        ("`NeurIPS 2022` Fish [[paper](URL)]", ("NeurIPS", 2022, ())),
        ("Fish. Ann Fox et al. 2020. [paper](URL)", ("", 2020, ("Ann Fox",))),
        (
            "**Fish** <br> Ann Fox, Ben Orr <br> ICLR 2024 [[paper](URL)]",
            ("ICLR", 2024, ("Ann Fox", "Ben Orr")),
        ),
        (
            '"Fish", Ann Fox and Ben Orr, ACL 2020. [[pdf]](URL)',
            ("ACL", 2020, ("Ann Fox", "Ben Orr")),
        ),
        ("[x] [Fish](URL) | NAACL 2024", ("NAACL", 2024, ())),
        ("[[paper](URL)] [[code](https://github.com/a/b)] Fish (ICLR 2025)", ("ICLR", 2025, ())),
        ("Fish [[paper]](URL)", ("", None, ())),
        ("*Fish* [[paper]](URL)", ("", None, ())),
    ],
)
@pytest.mark.parametrize("title", ["Fish in Seas", "Fish: Do They Swim? A. B. Tests of C"])
def test_bullets_say_venue_year_and_authors(
    tmp_path: Path, bullet: str, said: tuple[Any, ...], title: str
) -> None:
    text = bullet.replace("Fish", title).replace("URL", "https://arxiv.org/abs/2401.00001")
    (paper,), _ = read(tmp_path / "x.md", f"# Fish\n\n1. {text}\n")
    assert paper.title == title
    assert (paper.venue, paper.year, paper.authors) == said


def test_a_table_that_counts_papers_lists_none(tmp_path: Path) -> None:
    text = """| Topic | Papers | About |
| --- | --- | --- |
| **[Fish](fish.md)** | 25 | What swims |
| **[Birds](birds.md)** | 7 | What flies |

- [Fish in Rivers](https://arxiv.org/abs/2401.00001)
"""
    (paper,), report = read(tmp_path / "x.md", text)
    assert paper.title == "Fish in Rivers"
    assert report.skipped["a row without a title"].count == 2


ANCHORS = """# Reading

## 1. Fish in Rivers
- Paper: <a href="https://arxiv.org/abs/2401.00001">arXiv</a>, <a href="https://github.com/a/b">code</a>

### Abstract
We <a href="https://fish.example/swim">swim</a>.

## 2. <a href='https://openreview.net/forum?id=abcDEF' target="_blank">[Re] Fish in Seas</a>
- **Authors**: Ann Fox

## 3. Fish in Lakes
- Link: <A class="b" HREF=https://doi.org/10.1016/0004-3702(95)00001-1><b>DOI</b></A>

## 4. Fish in Ponds
- Link: <a href="https://arxiv.org/abs/2401.00004"><img src="https://img.example/x.svg" alt=""></a>

## 5. Fish in Tanks
- Link: <a href="javascript:alert(1)">here</a> <a href="https://arxiv.org/abs/2401.00005?a=1&amp;b=2">
"""


def test_numbered_lists_with_links_in_html(tmp_path: Path) -> None:
    papers, report = read(tmp_path / "x.md", ANCHORS)
    assert [(paper.title, paper.url) for paper in papers] == [
        ("Fish in Rivers", "https://arxiv.org/abs/2401.00001"),
        ("[Re] Fish in Seas", "https://openreview.net/forum?id=abcDEF"),
        ("Fish in Lakes", "https://doi.org/10.1016/0004-3702(95)00001-1"),
        ("Fish in Ponds", "https://arxiv.org/abs/2401.00004"),
        ("Fish in Tanks", "https://arxiv.org/abs/2401.00005?a=1&b=2"),
    ]
    rivers, seas, lakes, *_ = papers
    assert (rivers.id, rivers.abstract) == ("2401.00001", "We swim.")
    assert rivers.extra["code"] == "https://github.com/a/b"
    assert (seas.id, seas.authors) == ("abcDEF", ("Ann Fox",))
    assert lakes.extra["doi"] == "10.1016/0004-3702(95)00001-1"
    assert not report.skipped


@pytest.mark.parametrize(
    "link",
    [
        '<a href="URL">Fish in Links</a>',
        "<a href='URL' target=\"_blank\"><b>Fish in</b> <em>Links</em></a>",
        '<A title="a > b" HREF=URL>Fish in Links</A>'.replace(" > ", " "),
        '**Fish in Links** <a class="x" href="URL">[paper]</a>',
        'Fish in Links <a href="URL"><img src="https://img.example/x.svg" alt="pdf"></a>',
    ],
)
@pytest.mark.parametrize("bullet", ["1. ", "12) ", "- ", "* "])
def test_bullets_with_links_in_html(tmp_path: Path, bullet: str, link: str) -> None:
    link = link.replace("URL", "https://arxiv.org/abs/2401.00002")
    (paper,), _ = read(tmp_path / "x.md", f"# Fish\n\n{bullet}{link}, ICLR 2024\n")
    assert (paper.title, paper.url) == ("Fish in Links", "https://arxiv.org/abs/2401.00002")
    assert (paper.venue, paper.year) == ("ICLR", 2024)


def test_headers_of_openalex(tmp_path: Path) -> None:
    (paper,), _ = read(
        tmp_path / "o.csv",
        "id,doi,display_name,publication_year,publication_date,type,cited_by_count,"
        "primary_location.landing_page_url,primary_location.source.display_name,"
        "authorships.author.display_name,keywords.display_name,biblio.volume,abstract\n"
        "https://openalex.org/W7,https://doi.org/10.1000/o,Fish in Tables,2022,2022-03-04,article,"
        "17,https://j.example/7,Journal of Fish,Ann Fox|Ben Orr,Fin|Gill,9,We swim.\n",
    )
    assert (paper.title, paper.year, paper.venue) == ("Fish in Tables", 2022, "Journal of Fish")
    assert (paper.authors, paper.keywords) == (("Ann Fox", "Ben Orr"), ("Fin", "Gill"))
    assert (paper.extra["doi"], paper.extra["citations"]) == ("10.1000/o", "17")
    assert (paper.extra["published"], paper.status) == ("2022-03-04", "")
    assert paper.abstract == "We swim."


def test_results_of_arxiv_py(tmp_path: Path) -> None:
    result = {
        "entry_id": "http://arxiv.org/abs/2301.00001v2",
        "updated": "2023-02-03 10:00:00+00:00",
        "published": "2023-01-02 10:00:00+00:00",
        "title": "Fish in Feeds",
        "authors": ["arxiv.Result.Author('Ann Fox')", {"name": "Ben Orr"}],
        "summary": "We\nswim.",
        "comment": "12 pages",
        "journal_ref": "Journal of Fish 3 (2023) 1-9",
        "doi": "10.1000/f",
        "primary_category": "cs.LG",
        "categories": ["cs.LG", "stat.ML"],
        "links": ["http://arxiv.org/abs/2301.00001v2", "http://arxiv.org/pdf/2301.00001v2"],
        "pdf_url": "http://arxiv.org/pdf/2301.00001v2",
    }
    (paper,), _ = read(tmp_path / "x.jsonl", json.dumps(result))
    assert (paper.id, paper.url) == ("2301.00001", "https://arxiv.org/abs/2301.00001")
    assert (paper.title, paper.abstract) == ("Fish in Feeds", "We swim.")
    assert (paper.authors, paper.year, paper.venue) == (("Ann Fox", "Ben Orr"), 2023, "arXiv")
    assert paper.keywords == ("cs.LG", "stat.ML")
    assert (paper.extra["doi"], paper.extra["pdf"]) == ("10.1000/f", result["pdf_url"])
    (paper,), _ = read(
        tmp_path / "x.csv",
        "entry_id,title,authors,summary,published\nhttp://arxiv.org/abs/2301.00001v2,Fish in Feeds,"
        '"[arxiv.Result.Author(\'Ann Fox\'), arxiv.Result.Author(""Ben O\'Dea"")]",We swim.,'
        "2023-01-02\n",
    )
    assert (paper.authors, paper.id) == (("Ann Fox", "Ben O'Dea"), "2301.00001")


@pytest.mark.parametrize(
    "head", ["- **Fish in Seas** [[paper]](", "## 1. Fish in Seas\n\n- [code]("]
)
def test_an_address_that_cannot_be_read_is_no_ones(tmp_path: Path, head: str) -> None:
    text = f"# Fish\n\n{head}https://arxiv.org/abs/2401.00001) [code](https://[github.com/a/b)\n"
    (paper,), _ = read(tmp_path / "x.md", text)
    assert paper.title == "Fish in Seas" and "code" not in paper.extra


def test_dates_of_a_yaml_programme_are_written_as_everywhere(tmp_path: Path) -> None:
    text = "- title: Fish\n  starttime: 2025-04-24T10:00:00+08:00\n  published: 2025-01-02\n"
    (paper,), _ = read(tmp_path / "x.yaml", text)
    assert paper.extra["starttime"] == "2025-04-24T10:00:00+08:00"


def test_markup_and_placeholders(tmp_path: Path) -> None:
    records = [
        {
            "title": "H<sub>2</sub>O and <scp>FISH</scp> in <mml:math><mml:mi>k</mml:mi></mml:math>-Space"
        },
        {
            "title": "Two",
            "abstract": "No abstract available",
            "authors": "nan",
            "url": "https://a.example/1/; https://doi.org/10.1000/c",
        },
    ]
    one, two = read(tmp_path / "x.json", json.dumps(records))[0]
    assert one.title == "H2O and FISH in k-Space"
    assert (two.abstract, two.authors, two.url) == ("", (), "https://a.example/1/")


# ------------------------------------------------------------- what only a whole list shows


def people(count: int, seed: int, alphabetical: bool) -> list[list[str]]:
    names = [f"{a} {b}" for a in ("Ann", "Ben", "Cy", "Dan", "Eva", "Flo") for b in ("Fox", "Orr")]
    chosen = random.Random(seed)
    lists = [chosen.sample(names, 4) for _ in range(count)]
    return [sorted(names) for names in lists] if alphabetical else lists


@pytest.mark.parametrize("alphabetical", [True, False])
def test_authors_in_alphabetical_order(tmp_path: Path, alphabetical: bool) -> None:
    records = [
        {"title": f"Fish Number {i}", "authors": names, "year": 2024}
        for i, names in enumerate(people(30, 7, alphabetical))
    ]
    papers, report = read(tmp_path / "x.json", json.dumps(records))
    assert report.unordered == 30 * alphabetical
    paper = papers[0]
    assert paper.authors_ordered is not alphabetical
    key = citation_keys([paper])[paper.id]
    assert key.startswith("fishnumber") is alphabetical
    assert ("author order unknown" in to_bibtex([paper])) is alphabetical
    for name, text in (
        ("x.bib", to_bibtex([paper])),
        ("x.ris", to_ris([paper])),
        ("x.md", to_reading_list([paper])),
        ("x.csv", papers_to_csv([paper])),
    ):
        ((back,), _) = read(tmp_path / name, text)
        assert back.authors_ordered is not alphabetical, name


def test_abstracts_that_are_cut(tmp_path: Path) -> None:
    words = "fish swim in cold rivers where food grows between stones and light falls ".split()
    chosen = random.Random(3)
    whole = [" ".join(chosen.choices(words, k=60)) + "." for _ in range(40)]
    records = [
        {"title": f"Fish {i:02}", "abstract": text[:200] if i % 2 else text}
        for i, text in enumerate(whole)
    ]
    papers, report = read(tmp_path / "x.json", json.dumps(records))
    assert [paper.abstract_is_cut for paper in papers] == [bool(i % 2) for i in range(40)]
    assert report.cut_abstracts == 20
    assert papers[1].display_abstract.endswith("…")
    ((back,), again) = read(tmp_path / "x.md", to_reading_list([papers[1]]))
    assert (back.abstract, again.cut_abstracts) == (papers[1].abstract, 1)


def test_a_list_without_full_stops_is_not_cut(tmp_path: Path) -> None:
    records = [
        {"title": f"Fish {i}", "abstract": f"We show how fish of kind {'x' * i} swim"}
        for i in range(30)
    ]
    assert read(tmp_path / "x.json", json.dumps(records))[1].cut_abstracts == 0


# ------------------------------------------------------------- exports


def test_an_article_stays_an_article(tmp_path: Path) -> None:
    text = "@article{k, title={T}, author={Roe, Jr., Bo}, journal={Physical Review D}, volume={1}, number={5}, pages={2--3}, year={2001}, publisher={P}}"
    papers, _ = read(tmp_path / "x.bib", text)
    out = to_bibtex(papers)
    assert out.startswith("@article{roe2001t,")
    for line in (
        "journal = {Physical Review D}",
        "volume = {1}",
        "number = {5}",
        "pages = {2--3}",
        "publisher = {P}",
        "author = {Roe, Jr., Bo}",
    ):
        assert line in out
    assert read(tmp_path / "y.bib", out)[0][0].authors == ("Bo Roe Jr.",)
    ris = to_ris(papers)
    assert "TY  - JOUR" in ris and "VL  - 1" in ris and "SP  - 2" in ris and "EP  - 3" in ris
    assert name_parts("Jan van den Berg") == ("Jan", "van den Berg", "")


# ------------------------------------------------------------- real lists, and damaged ones

COUNTS = {
    "CitaviXmlImporterTest1.bib": 60,
    "Endnote.entries.enw": 1,
    "EndnoteXmlImporterTestArticle.xml": 1,
    "awesome_llm.md": 66,
    "bl_examples.bib": 90,
    "bx_lens_sample.csv": 8,
    "bx_openalex_sample.csv": 8,
    "bx_scopus_sample.csv": 8,
    "bx_wos_sample.txt": 8,
    "daily_arxiv.md": 251,
    "em_main_papers.csv": 781,
    "em_tut.yml": 7,
    "embase.csv": 6,
    "generic_labels.csv": 6,
    "hz.xlsx": 87,
    "hz_savedrecs.txt": 17,
    "hz_scopus.csv": 81,
    "jr2_complex.bib": 20,
    "jr2_jabref-authors.bib": 209,
    "jr2_testjabref.bib": 156,
    "mc_papers.csv": 687,
    "ovid_psycinfo.ris": 6,
    "papers_ja.md": 144,
    "pubmed_endnote.txt": 6,
    "scopus.ris": 6,
    "web_of_science.txt": 10,
}


@pytest.mark.skipif(not LISTS.is_dir(), reason="needs ../shared/lists")
def test_real_lists() -> None:
    pytest.importorskip("openpyxl", reason="needs the extra 'tables'")
    found = {
        path.name: len(list(open_source(path).papers(SourceReport())))
        for path in sorted(LISTS.iterdir())
    }
    assert found == COUNTS


def test_damaged_lists_give_papers_or_an_error(tmp_path: Path) -> None:
    texts = [BIB, NBIB, WOS, ENW, ENDNOTE, PUBMED, RIS, YAML, AWESOME, json.dumps(JSONS["dblp"][0])]
    chosen = random.Random(11)
    for number in range(500):
        data = bytearray(texts[number % len(texts)].encode())
        for _ in range(chosen.randint(1, 12)):
            at = chosen.randrange(len(data))
            cut = chosen.random()
            if cut < 0.3:
                del data[at : at + chosen.randint(1, 30)]
            elif cut < 0.6:
                data[at:at] = bytes(chosen.randrange(256) for _ in range(chosen.randint(1, 5)))
            else:
                data[at] = chosen.choice(b'{}[]"\\,:@%<>&|-\n\x00\xff')
            data = data or bytearray(b" ")
        try:
            papers, report = read(tmp_path / "x", bytes(data))
        except SwimmerError as error:
            assert str(tmp_path) in str(error)
        else:
            assert report.read == len(papers) + report.left_out
