"""Text from the outside, made safe and comparable: cleaning, LaTeX to Unicode, title keys.

Everything here is total: any string goes in, a string without control characters, lone
surrogates or bidirectional overrides comes out, and cleaning twice changes nothing.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from swimmer.text.patterns import pattern

TITLE_LIMIT = 1_000
ABSTRACT_LIMIT = 100_000

# Bidirectional overrides and isolates reorder what a reader sees, and the Unicode tag block
# hides text from them; neither belongs in a title. Joiners stay: several scripts need them.
_INVISIBLE = "\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff\U000e0000-\U000e007f"
_UNSAFE = pattern(f"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f{_INVISIBLE}\ud800-\udfff]")
_SPACE = pattern(r"\s+")
_MARKUP = pattern("[&<]")
_AMPERSANDS = pattern(r"&(?:amp;)+")
_BLOCK_TAG = pattern(
    r"</?(?:p|br|div|li|ul|ol|jats:(?:p|sec|title|list|list-item|break|label))(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_INLINE_TAG = pattern(
    r"</?(?:i|b|u|em|strong|sub|sup|span|tt|sc|scp|inf|italic|bold|monospace|roman"
    r"|(?:jats|mml):[a-z-]{1,30}|math|mi|mn|mo|mrow|msub|msup|msubsup|mtext|mspace|mfrac|msqrt"
    r"|mstyle|mover|munder|semantics)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_LATEX = pattern(r"[\\^_{}]|\$[^$]+\$|``")
# What LaTeX has at least one of; a set alone is searched many times faster than alternatives.
_LATEX_SIGN = pattern(r"[\\^_{}$`]")
_MATH = pattern(r"\$(?=[^\s$])[^$]*(?<=[^\s$])\$(?!\d)")
_SCRIPT = pattern(r"([\^_])(\d+)")
_ARGUMENT = pattern(r"\{([^{}]*)\}")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_ASCII_SYMBOLS = bytes(c for c in range(128) if not chr(c).isalnum())
_SLASHES = pattern("/{2,}")
_PLAIN_URL = pattern(
    r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/-]+)?"
)


def clean(text: str, limit: int = ABSTRACT_LIMIT) -> str:
    """Return `text` on one line, without markup, entities, control or override characters.

    Whitespace is collapsed, HTML entities are resolved, tags of HTML, JATS and MathML are dropped,
    Unicode is put into NFC and the result is cut to `limit` characters. LaTeX is kept.
    `clean(clean(x)) == clean(x)` for every string.
    """
    # Spelt out: this runs several times for every paper, and a call costs as much as the checks. Of
    # all spaces, controls, overrides and surrogates only the plain space counts as printable.
    if (
        len(text) <= limit
        and text.isprintable()
        and "  " not in text
        and "&" not in text
        and "<" not in text
        and (text.isascii() or unicodedata.is_normalized("NFC", text))
    ):
        return text.strip(" ")
    # A hostile text of megabytes is cut before any work is done on it.
    text = text[: 4 * limit + 1_000]
    for _ in range(6):
        cleaned = _clean_once(text)
        unfolded, text = cleaned == text, cleaned
        if unfolded or not _MARKUP.search(text):
            break
    else:
        # Entities nested in entities on purpose: what could still unfold is taken away.
        text = _clean_once(re.sub("[&<>]", " ", text))
    if len(text) > limit:
        text = _clean_once(text[:limit])
    return text


def clean_all(texts: Sequence[str], limit: int) -> list[str]:
    """Return short texts as `clean` does, those that are blank left out.

    Raises:
        TypeError: an element is no text.
    """
    # Looked at together: a name takes less to clean than to call a function for.
    joined = " ".join(texts)
    if (
        (len(joined) <= limit or max(map(len, texts)) <= limit)
        and joined.isprintable()
        and "  " not in f" {joined} "
        and "&" not in joined
        and "<" not in joined
        and (joined.isascii() or unicodedata.is_normalized("NFC", joined))
    ):
        return list(texts)
    return [cleaned for text in texts if (cleaned := clean(text, limit))]


def _clean_once(text: str) -> str:
    if "&" in text:
        import html

        text = html.unescape(_AMPERSANDS.sub("&", text))
    if "<" in text:
        # A block ends a word; what is set inline may be a part of one, as in H<sub>2</sub>O.
        text = _INLINE_TAG.sub("", _BLOCK_TAG.sub(" ", text))
    text = " ".join(_UNSAFE.sub("", text).split())
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clean_url(url: str, base: str = "") -> str:
    """Return `url` absolute, with http or https and single slashes, or "" when it is neither.

    `base` is the address that a relative URL is resolved against.
    """
    if len(url) <= 2_000 and _PLAIN_URL.fullmatch(url):
        return url
    if not base and url[:1] == "/" and url[1:2].isalnum():
        # A path of an unknown host; publishers have one for each paper.
        return ""
    url = _SPACE.sub("", _UNSAFE.sub("", url))[:2_000]
    if _PLAIN_URL.fullmatch(url):
        return url
    if "//" in url[8:] and ":" not in url[8:]:
        # So write the sites of conferences.
        single = url[:8] + _SLASHES.sub("/", url[8:])
        if "?" not in single and _PLAIN_URL.fullmatch(single):
            return single
    try:
        if base:
            from urllib.parse import urljoin

            url = urljoin(base, url)
        elif url.startswith("//"):
            url = "https:" + url
        elif url.startswith("www."):
            url = "https://" + url
        parts = urlsplit(url)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            return ""
        path = quote(_SLASHES.sub("/", parts.path), safe="/%:@!$&'()*+,;=~-._")
        query, fragment = (
            quote(part, safe="/%:@!$&'()*+,;=~-._?#[]") for part in (parts.query, parts.fragment)
        )
        url = urlunsplit((parts.scheme.lower(), parts.netloc, path, query, fragment))
        # Quoting may push a long address over the limit; an address cut in two leads nowhere.
        return url if len(url) <= 2_000 and not re.search(r"[<>\"\\]", url) else ""
    except ValueError:
        return ""


@functools.lru_cache(maxsize=1)
def _latex_converter() -> Any:
    # It would say on the terminal what it cannot read, a line for each command of a hostile title.
    import logging

    from pylatexenc import latex2text, latexwalker

    logging.getLogger("pylatexenc").addHandler(logging.NullHandler())
    logging.getLogger("pylatexenc").propagate = False
    context = latex2text.get_default_latex_context_db()
    walker = latexwalker.get_default_latex_context_db()
    # pylatexenc drops a macro that it does not know with its argument; in a title it is a word.
    from pylatexenc.macrospec import std_macro

    from swimmer.text.macros import FUNCTIONS, STYLES, SYMBOLS

    context.add_context_category(
        "titles",
        prepend=True,
        macros=[
            *(latex2text.MacroTextSpec(name, simplify_repl="%s") for name in STYLES),
            *(latex2text.MacroTextSpec(name, symbol) for name, symbol in SYMBOLS.items()),
            *(latex2text.MacroTextSpec(name, name) for name in FUNCTIONS),
        ],
    )
    walker.add_context_category(
        "titles",
        prepend=True,
        macros=[
            *(std_macro(name, "{") for name in STYLES),
            *(std_macro(name, "") for name in (*SYMBOLS, *FUNCTIONS)),
        ],
    )
    converter = latex2text.LatexNodes2Text(
        latex_context=context, math_mode="text", keep_comments=True
    )

    def convert(text: str) -> str:
        nodes, _, _ = latexwalker.LatexWalker(
            text, latex_context=walker, tolerant_parsing=True
        ).get_latex_nodes()
        return str(converter.nodelist_to_text(nodes))

    return convert


@functools.lru_cache(maxsize=4096)
def readable(text: str) -> str:
    """Return `text` with its LaTeX turned into Unicode: `$\\beta$-VAE` gives `β-VAE`.

    Text that is not LaTeX, or that cannot be read as LaTeX, comes back cleaned.
    """
    text = clean(text)
    if not (_LATEX_SIGN.search(text) and _LATEX.search(text)):
        return text
    # Only dollars that hug their content are mathematics; the rest are money. A bare % would
    # start a LaTeX comment and swallow the line, a bare & or # is an error.
    marked = "".join(
        re.sub(r"(?<!\\)([%#])" if index % 2 else r"(?<!\\)([%&#$])", r"\\\1", part)
        for index, part in enumerate(re.split(f"({_MATH.pattern})", text))
    )
    try:
        plain = _latex_converter()(marked)
    except Exception:  # noqa: BLE001  the parser raises more than its own errors on hostile input
        plain = _ARGUMENT.sub(r"\1", text)
    plain = _SCRIPT.sub(
        lambda m: m[2].translate(_SUPERSCRIPT if m[1] == "^" else _SUBSCRIPT), plain
    )
    plain = clean(plain)
    return plain or text


def fold(text: str) -> str:
    """Return `text` as a model should read it: LaTeX to Unicode, NFKC, cleaned."""
    return compatible(readable(text))


def compatible(text: str) -> str:
    """Return `text` cleaned and in NFKC: full-width letters and ligatures become plain ones."""
    text = clean(text)
    if text.isascii() or unicodedata.is_normalized("NFKC", text):
        return text
    return clean(unicodedata.normalize("NFKC", text))


@functools.cache
def _greek_name(char: str) -> str:
    words = unicodedata.name(char, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        return words[words.index("LETTER") + 1].casefold()
    return char


def title_key(title: str) -> str:
    """Return the key under which a title is found: letters and digits only, folded.

    Case, punctuation, spacing, accents, LaTeX and Unicode variants do not count:
    `$\\beta$-VAE`, `β-VAE`, `Beta VAE` share one key.
    """
    text = readable(clean(title, TITLE_LIMIT))
    if text.isascii():
        folded = text.lower()
        return folded.encode().translate(None, _ASCII_SYMBOLS).decode() or folded
    decomposed = unicodedata.normalize("NFKD", text)
    text = "".join(
        _greek_name(char) if "Ͱ" <= char <= "Ͽ" else char
        for char in decomposed
        if not unicodedata.combining(char)
    )
    folded = text.casefold()
    # A title of nothing but symbols, or of an accent alone, still needs a key of its own.
    return "".join(filter(str.isalnum, folded)) or folded or decomposed


def printable(text: str) -> str:
    """Return `text` fit for a terminal: control, escape and override characters shown as `�`."""
    return _UNSAFE.sub("�", text.replace("\t", " ")).replace("\r", " ").replace("\x85", " ")
