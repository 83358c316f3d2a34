"""Cleaning, LaTeX, title keys: any string in, a safe and stable one out."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from swimmer.text.cleaning import clean, clean_url, compatible, fold, printable, readable, title_key
from swimmer.text.patterns import pattern

# Text as publishers send it: with the characters that mean something to HTML, LaTeX, URLs.
hostile = st.text() | st.text(alphabet="&amp;lt#x3<>/ib\\${}^_ \n\t\x00\x1b\u202e\ud800aé")


@given(hostile)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(hostile)
def test_nothing_unsafe_is_left(text: str) -> None:
    for result in (clean(text), readable(text), fold(text), compatible(text)):
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in result)
        assert "\u202e" not in result
        assert result == result.strip()
        result.encode("utf-8")


@given(hostile)
@example("\\^")
def test_every_title_has_a_key_that_survives_cleaning(text: str) -> None:
    assert title_key(text) == title_key(clean(text, 1000))
    assert bool(title_key(text)) == bool(clean(text, 1000))


@given(hostile)
def test_a_url_is_web_or_nothing(text: str) -> None:
    for base in ("", "https://papers.example/a/b"):
        url = clean_url(text, base)
        assert url == "" or url.startswith(("http://", "https://"))
        assert clean_url(url) == url


@given(hostile)
def test_what_is_printed_cannot_steer_a_terminal(text: str) -> None:
    shown = printable(text)
    assert not set(shown) & {"\x1b", "\x07", "\x08", "\r", "\x9b", "\u202e"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  two \n lines\t", "two lines"),
        ("R&amp;D &lt;3", "R&D <3"),
        ("AT&amp;amp;T", "AT&T"),
        ("an <i>italic</i> word, a < b and c > d", "an italic word, a < b and c > d"),
        ("\x1b[31mred\x07\x00", "[31mred"),
        ("\u202eevil", "evil"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("$\\beta$-VAE", "$\\beta$-VAE"),
        ("e\u0301", "é"),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("$\\beta$-calibration", "β-calibration"),
        ("$\\texttt{BirdSet}$: A Dataset", "BirdSet: A Dataset"),
        ("$R^2$-Guard", "R²-Guard"),
        ("$\\ell_0$-norm", "ℓ₀-norm"),
        ("\\emph{De Novo} Sequencing", "De Novo Sequencing"),
        ("{$\\tau$}-bench: \\underline{T}ool", "τ-bench: Tool"),
        ('G\\"odel and Erd\\H{o}s', "Gödel and Erdős"),
        ("costs $5 to $10 at 50% off", "costs $5 to $10 at 50% off"),
        ("no latex", "no latex"),
    ],
)
def test_latex_is_readable(raw: str, expected: str) -> None:
    assert readable(raw) == expected


@pytest.mark.parametrize(
    "variant",
    [
        "β-VAE: Learning Concepts",
        "$\\beta$-VAE: Learning Concepts",
        "beta vae learning concepts",
        "BETA-VAE — Learning   Concepts!",
        "\U0001d6fd-VAE: Learning Concepts",
        "ｂｅｔａ-VAE: Learning Concepts",
        "Béta-VAE: Learning Concepts",
    ],
)
def test_variants_of_a_title_share_its_key(variant: str) -> None:
    assert title_key(variant) == "betavaelearningconcepts"


def test_titles_that_differ_keep_different_keys() -> None:
    assert title_key("Part I") != title_key("Part II")
    assert title_key("深層学習") != title_key("強化学習")
    assert title_key("???") != title_key("!!!")


@pytest.mark.parametrize(
    ("raw", "base", "expected"),
    [
        (
            "https://iclr.cc//virtual/2025/poster/29259",
            "",
            "https://iclr.cc/virtual/2025/poster/29259",
        ),
        (
            "/virtual/2025/poster/1",
            "https://neurips.cc",
            "https://neurips.cc/virtual/2025/poster/1",
        ),
        ("//host.example/a", "", "https://host.example/a"),
        ("https://openreview.net/forum?id=a_B-1", "", "https://openreview.net/forum?id=a_B-1"),
        (
            "https://h.example/?next=http://other.example//x",
            "",
            "https://h.example/?next=http://other.example//x",
        ),
        ("javascript:alert(1)", "", ""),
        ("file:///etc/passwd", "", ""),
        ("data:text/html,x", "", ""),
        ("/relative", "", ""),
        ("http://[broken", "", ""),
        ("", "", ""),
    ],
)
def test_clean_url(raw: str, base: str, expected: str) -> None:
    assert clean_url(raw, base) == expected


@pytest.mark.parametrize(
    "bomb",
    [
        "&amp;" * 200_000,
        "&" + "amp;" * 200_000,
        "<i>" * 200_000,
        "{" * 500_000,
        "$" * 500_000,
        "a" * 10_000_000,
        "<" * 400_000 + "i>",
    ],
)
def test_megabytes_of_markup_do_not_take_long(bomb: str) -> None:
    started = time.process_time()
    clean(bomb)
    title_key(bomb)
    assert time.process_time() - started < 3


# ---------------------------------------------------------------------- short cuts

# Mostly clean, so that the short cuts are taken, and now and then not.
plain_pieces = ["a", "BETA", "Z9 ", " ", "  ", "-", ": ", "$", "{x}", "^2", "_", "."]
odd_pieces = [
    "&amp;",
    "&",
    "<b>",
    "<",
    "\t",
    "\u00a0",
    "é",
    "e\u0301",
    "ß",
    "ﬁ",
    "２",
    "Σς",
    "İ",
    "\u212b",
    "\u200e",
    "\u2028",
]
ordinary = st.lists(st.sampled_from(plain_pieces), max_size=8).map("".join)
odd = st.lists(st.sampled_from(plain_pieces + odd_pieces), max_size=8).map("".join)


@given(ordinary | odd | hostile)
def test_keys_and_compatible_text_come_out_as_by_the_long_way(text: str) -> None:
    assert compatible(text) == clean(unicodedata.normalize("NFKC", clean(text)))
    plain = readable(clean(text, 1_000))
    if plain.isascii():
        letters = "".join(filter(str.isalnum, plain.casefold()))
        assert title_key(text) == (letters or plain.casefold())


@given(st.from_regex(r"\Ahttps?://[a-zA-Z0-9.:/%?#_ \n\x00-]{1,40}\Z"))
def test_a_plain_url_is_taken_as_it_stands(url: str) -> None:
    spaced = f"\u202e{url}\n "
    assert clean_url(spaced) == clean_url(url)


def test_a_pattern_is_compiled_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = re.compile

    def compile(*given: Any) -> Any:
        made.append(given)
        return real(*given)

    monkeypatch.setattr(re, "compile", compile)
    word = pattern(r"(w)ord", re.IGNORECASE)
    assert not made
    assert word.search("Two WORDS").group(1) == "W"  # type: ignore[union-attr]
    assert word.sub("x", "word word") == "x x"
    assert (word.pattern, word.groups) == ("(w)ord", 1)
    assert word.search("none") is None
    with pytest.raises(AttributeError):
        word.nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"$x \ne y$ by $\argmax f$", "x ≠ y by argmax f"),
        (r"\textless 60\%", "<60%"),
        (r"$[0, 100%]$ of all", "[0, 100%] of all"),
        ("the ``big'' ones", "the “big” ones"),
        (r"\textsf{Fish} and \mbox{Chips}", "Fish and Chips"),
        (r"\LaTeX{} for Fish, \S 3", "LaTeX for Fish, §3"),
    ],
)
def test_macros_stand_for_their_text(latex: str, text: str) -> None:
    assert readable(latex) == text
