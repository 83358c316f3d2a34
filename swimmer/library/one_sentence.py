"""A paper in one sentence: that of its source, or the sentence of its abstract that says most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from swimmer.papers import Paper
from swimmer.text import clean, compatible, pattern, readable, sentences, singular_words, stop_words

SENTENCE_LIMIT = 400
"""Characters of a sentence that is kept or shown."""

ORIGINS = ("abstract", "source", "model")
"""Where a sentence comes from: the authors' abstract, the source's own summary, a chat model."""

_ABSTRACT = 6_000
"""Characters of an abstract that are looked at."""

_FEWEST_LETTERS = 20
"""Letters of the shortest abstract that says something; `N/A` and `TBD` do not."""

_SHORT = 25
"""Characters of a sentence that says little."""

_SAYS = (
    "propos|introduc|present|develop|describ|investigat|explor|address|formulat|design|character|"
    "argu|establish|stud(?:y|ie)|analy|examin|prov|show|apply|applies|build|built|integrat|revisit|"
    "consider|focus|releas|demonstrat|offer|validat|collaborat"
)
_AIM = pattern(
    rf"\b(?:we|i|this (?:paper|work|study|article|research|thesis|survey)|"
    rf"our (?:work|paper|approach|method|study))\b.{{0,60}}?\b(?:{_SAYS})",
    2,
)
"""How a sentence begins to say what a paper does."""

_OWN = pattern(r"\b(?:we|our)\b", 2)
"""Who says something of the paper's own."""

_HERE = pattern(r"\b(?:this (?:paper|work|study|article|survey)|in this|here,? we)\b", 2)
_EVIDENCE = pattern(
    r"\b(?:experiment|empirical|outperform|result|code|available|github|evaluat|benchmark|"
    r"superior|simulation|to the best of our knowledge)",
    2,
)
_BACKGROUND = pattern(
    r"(?:however|despite|although|while|existing|recent|prior|previous|unfortunately|yet|but|most|"
    r"traditional)\b",
    2,
)
_DEPENDENT = pattern(
    r"(?:then|additionally|furthermore|besides|also|moreover|specifically|in particular|"
    r"in addition|finally|it|these|they|concretely)\b",
    2,
)
"""Sentences that need the one before them."""


@dataclass(frozen=True)
class Summary:
    """A paper in one sentence.

    Attributes:
        text: the sentence, at most SENTENCE_LIMIT characters.
        origin: one of ORIGINS.
        model: the name of the chat model that wrote it, "" where none did.
        made: when that was, an ISO 8601 time in UTC, "" where no model wrote it.
    """

    text: str
    origin: str = ORIGINS[0]
    model: str = ""
    made: str = ""

    @property
    def machine_written(self) -> bool:
        """Whether a model wrote it, and not the authors or the source of the paper."""
        return self.origin == "model"

    @property
    def by(self) -> str:
        """Where it comes from, in words for a reader."""
        if self.origin == "model":
            day = f", {self.made[:10]}" if self.made else ""
            return f"machine-written by {self.model or 'a model'}{day}"
        return "summary of the source" if self.origin == "source" else "from the abstract"

    def to_dict(self) -> dict[str, Any]:
        """Return it as the fields that stand beside those of a paper."""
        return {
            "summary": self.text,
            "summary_by": self.model if self.origin == "model" else self.origin,
            "summary_machine_written": self.machine_written,
        }


def one_sentence(paper: Paper) -> Summary | None:
    """Return a paper in one sentence, without a model; None where it has no abstract.

    What the source gives as its own summary (`tldr`) comes first. Otherwise it is a whole
    sentence of the abstract, unchanged: the one that says what the paper does. Sentences are
    compared by how they begin to say so ("we propose"), by the words of the title in them, by
    their place, and by signs of background, evidence and dependence on a sentence before
    (`benchmarks/one_sentence.py` compares this with other ways).
    """
    own = paper.extra.get("tldr")
    if isinstance(own, str) and (text := shortened(clean(own[:_ABSTRACT]))):
        return Summary(text, "source")
    found = main_sentence(paper.title, paper.abstract, is_cut=paper.abstract_is_cut)
    return Summary(shortened(found)) if found else None


def main_sentence(title: str, abstract: str, *, is_cut: bool = False) -> str:
    """Return the sentence of an abstract that says what the paper does, "" where there is none.

    Args:
        title: the title of the paper.
        abstract: its abstract; the first 6,000 characters count.
        is_cut: whether the abstract is the beginning of one, whose last sentence is a part.
    """
    found = sentences(compatible(abstract[:_ABSTRACT]))
    if sum(char.isalpha() for char in abstract[:_ABSTRACT]) < _FEWEST_LETTERS:
        return ""
    if (is_cut or len(abstract) > _ABSTRACT) and len(found) > 1:
        found = found[:-1]
    return found[_best(title, found)] if found else ""


def _best(title: str, found: Sequence[str]) -> int:
    wanted = singular_words(readable(title)) - stop_words()
    values = [_value(one, wanted) - place / 50 for place, one in enumerate(found)]
    return max(range(len(found)), key=values.__getitem__)


def _value(sentence: str, wanted: set[str]) -> float:
    """Return how much a sentence says of a paper with these words in its title."""
    value = len(wanted & singular_words(sentence)) / max(1, len(wanted))
    value += says_its_aim(sentence) + 0.25 * bool(_OWN.search(sentence))
    value += 0.25 * bool(_HERE.search(sentence)) - 0.25 * bool(_BACKGROUND.match(sentence))
    value -= 0.5 * bool(_EVIDENCE.search(sentence)) + 0.4 * bool(_DEPENDENT.match(sentence))
    return value - 0.5 * (len(sentence) < _SHORT)


def says_its_aim(sentence: str) -> bool:
    """Return whether the authors begin to say in a sentence what they do."""
    return bool(_AIM.search(sentence))


def shortened(text: str) -> str:
    """Return a text of one line as it is, or its beginning with "…" where it is too long."""
    text = " ".join(text.split())
    if len(text) <= SENTENCE_LIMIT:
        return text
    start = text[: SENTENCE_LIMIT - 1]
    # Text without spaces between words is cut where the room ends.
    return (start.rpartition(" ")[0] if " " in start[SENTENCE_LIMIT // 2 :] else start) + "…"
