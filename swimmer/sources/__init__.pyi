"""The names that other packages may use."""

from .base import (
    SkippedRecords as SkippedRecords,
    Source as Source,
    SourceReport as SourceReport,
)
from .files import (
    CitedSource as CitedSource,
    FileSource as FileSource,
    slug as slug,
)
from .formats.bibtex import (
    replaced_entries as replaced_entries,
)
from .formats.fields import (
    COLUMN_FIELDS as COLUMN_FIELDS,
)
from .formats.text import (
    decode_text as decode_text,
)
from .publishers.remote import (
    Adapter as Adapter,
    SourceOptions as SourceOptions,
    Venue as Venue,
    spans as spans,
)
from .registry import (
    adapters as adapters,
    near_names as near_names,
    open_source as open_source,
)
from .shards import (
    ShardSource as ShardSource,
)
