"""The names that other packages may use."""

from .digest_state import (
    DigestMemory as DigestMemory,
    DigestState as DigestState,
)
from .entries import (
    DEFAULT_LIST as DEFAULT_LIST,
    NAME_LIMIT as NAME_LIMIT,
    NOTE_LIMIT as NOTE_LIMIT,
    STATUSES as STATUSES,
    ListEntry as ListEntry,
    edited as edited,
    entry_key as entry_key,
    listed_papers as listed_papers,
    written as written,
)
from .one_sentence import (
    SENTENCE_LIMIT as SENTENCE_LIMIT,
    Summary as Summary,
    main_sentence as main_sentence,
    one_sentence as one_sentence,
)
from .reading_list import (
    ReadingList as ReadingList,
)
from .summaries import (
    Summaries as Summaries,
)
