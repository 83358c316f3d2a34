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
from .reading_list import (
    ReadingList as ReadingList,
)
