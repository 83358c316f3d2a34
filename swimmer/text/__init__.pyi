"""The names that other packages may use."""

from .cleaning import (
    ABSTRACT_LIMIT as ABSTRACT_LIMIT,
    TITLE_LIMIT as TITLE_LIMIT,
    clean as clean,
    clean_all as clean_all,
    clean_url as clean_url,
    compatible as compatible,
    fold as fold,
    printable as printable,
    readable as readable,
    title_key as title_key,
)
from .language import (
    foreign_language as foreign_language,
)
from .patterns import (
    pattern as pattern,
)
from .segments import (
    is_spaceless as is_spaceless,
    segments as segments,
    spaced_words as spaced_words,
)
from .sentences import (
    sentences as sentences,
)
from .words import (
    COMMON_WORDS as COMMON_WORDS,
    WORD as WORD,
    folded as folded,
    is_topic_word as is_topic_word,
    singular as singular,
    singular_words as singular_words,
    stop_words as stop_words,
    words_of as words_of,
)
