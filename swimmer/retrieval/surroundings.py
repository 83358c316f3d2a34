"""What a text names beside words that only stand around it: a citation, "papers like SimPER"."""

from __future__ import annotations

import re

from swimmer.papers import Paper, identifiers_in, name_words
from swimmer.store import PaperStore
from swimmer.text import folded, title_key, words_of

MOST_TOKENS = 80
"""Words of a text in which a title is looked for; a longer one is a text of its own."""

_LEAST_TITLE_TOKENS = 3
_LEAST_TITLE_KEY = 15
_MOST_NAME_TOKENS = 8
_POSSESSIVE = re.compile(r"['’]s$|(?<=s)['’]$")
_NUMBER = re.compile(r"^\s{0,99}[\[(]?\d{1,3}[\]).]\s")
_YEAR = re.compile(r"(?:19|20)\d\d")
_BIBTEX = re.compile(r"\s{0,99}@\w{2,30}\s{0,9}[{(]")
_BIBTEX_TITLE = re.compile(r"[\s,]title\s{0,9}=\s{0,9}([{\"])")
_BRACKETS = re.compile(r"[\[\]()<>{}|*`«»“”\"]")

AROUND = frozenset(
    "a about abs abstract accepted al an and annual appear appears are article articles arxiv as "
    "at author authors available be blog by cite cited code conf conference corr doi eds et find "
    "for from full github give how html http https in international introduced is it journal like "
    "link me more oral of on online openreview other our page pages paper papers pdf please poster "
    "posters pp preprint preprints press proc proceedings project publication publications "
    "published read reading ref reference related s search see show similar spotlight submitted "
    "talk text that the their them these this title to transactions under version video vol volume "
    "was we website what who with work works workshop www you "
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
"""Words that stand around a title in a citation, or around a name in a question."""

_FUNCTION_WORDS = frozenset(
    "a an and as at be by for from give how in is it of on or our s that the their them these this "
    "to was we with".split()
)
"""Words of `AROUND` that stand in any text: by themselves they say nothing of a citation."""

VENUES = frozenset(
    "aaai acl acm aistats alt asru bmvc cav ccs cikm coling colm colt conll corl cvpr eacl eccv "
    "ecml emnlp icann icassp iccv iclr icml icra ieee ijcai ijcnn ijcv interspeech iros isca jair "
    "jmlr kdd lrec miccai mlsys naacl neurips nips pami pmlr rss siggraph sigir springer tacl tmlr "
    "tnnls tpami uai usenix wacv wsdm".split()
)
"""Short names of venues and publishers that a citation ends with."""

_CATEGORY = re.compile(r"[a-z-]{2,8}\.[A-Z]{2}")
"""A category of arXiv, such as `cs.LG`."""


def title_within(store: PaperStore, text: str) -> int | None:
    """Return the row of a known title that a text holds beside words that only cite it, or None.

    The words around it are numbers, venues, those of `AROUND`, or of the paper's own authors and
    venue: a text that says more is a text of its own.
    """
    if _BIBTEX.match(text):
        return _row_of_key(store, _bibtex_title(text))
    tokens = _BRACKETS.sub(" ", text).split() if "\\" not in text else text.split()
    if not _LEAST_TITLE_TOKENS < len(tokens) <= MOST_TOKENS:
        return None
    keys = [title_key(token) if any(map(str.isalnum, token)) else "" for token in tokens]
    spans: dict[str, tuple[int, int]] = {}
    for start in range(len(keys)):
        key = keys[start]
        for end in range(start + 1, len(keys)):
            key += keys[end]
            if end - start + 1 >= _LEAST_TITLE_TOKENS and len(key) >= _LEAST_TITLE_KEY:
                spans.setdefault(key, (start, end + 1))
    rows = store.database.rows_of_keys(list(spans))
    for key in sorted(rows, key=len, reverse=True):
        start, end = spans[key]
        (paper,) = store.papers([rows[key]])
        if _only_cites(tokens[:start] + tokens[end:], paper):
            return rows[key]
    return None


def name_within(text: str) -> str:
    """Return a text without the words of `AROUND`, venues and years at its ends.

    "" where there are none, or where too much is left for a name.
    """
    unnumbered = _NUMBER.sub("", text, count=1)
    tokens = _BRACKETS.sub(" ", unnumbered).split()
    if not 0 < len(tokens) <= _MOST_NAME_TOKENS + MOST_TOKENS // 10:
        return ""
    start, end = 0, len(tokens)
    while start < end and _stands_around(tokens[start]):
        start += 1
    while end > start and _stands_around(tokens[end - 1]):
        end -= 1
    left = " ".join(tokens[start:end]).strip(" ,;.?!:")
    core = _POSSESSIVE.sub("", left)
    taken = words_of(folded(" ".join(tokens[:start] + tokens[end:])))
    says_nothing = _FUNCTION_WORDS.issuperset(taken) and core == left and unnumbered == text
    return "" if says_nothing or end - start > _MOST_NAME_TOKENS else core


def _stands_around(token: str) -> bool:
    words = words_of(folded(token))
    return all(word in AROUND or word in VENUES or _YEAR.fullmatch(word) for word in words)


def _only_cites(tokens: list[str], paper: Paper) -> bool:
    own = {word for author in paper.authors for word in name_words(author)}
    own |= set(words_of(folded(paper.venue)))
    for token in tokens:
        if _CATEGORY.fullmatch(token) or ("/" in token and identifiers_in(token)):
            continue
        for word in words_of(folded(token)):
            known = word in own or word in AROUND or word in VENUES
            if not (known or len(word) == 1 or any(map(str.isdigit, word))):
                return False
    return True


def _row_of_key(store: PaperStore, title: str) -> int | None:
    key = title_key(title) if title else ""
    return store.database.rows_of_keys([key]).get(key) if key else None


def _bibtex_title(text: str) -> str:
    """Return the title of a BibTeX entry, up to the brace or quote that closes it."""
    found = _BIBTEX_TITLE.search(text)
    if found is None:
        return ""
    depth = 0
    for place in range(found.end(), len(text)):
        char = text[place]
        if depth == 0 and char == ("}" if found[1] == "{" else '"'):
            return text[found.end() : place]
        depth += (char == "{") - (char == "}")
    return ""
