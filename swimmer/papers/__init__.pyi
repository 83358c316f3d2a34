"""The names that other packages may use."""

from .deduplication import (
    duplicates as duplicates,
    same_work as same_work,
)
from .identifiers import (
    arxiv_id as arxiv_id,
    arxiv_of as arxiv_of,
    doi as doi,
    doi_of as doi_of,
    identifiers as identifiers,
    openreview_id as openreview_id,
)
from .notebook import (
    CELL as CELL,
    NUMBER as NUMBER,
    QUIET as QUIET,
    html_text as html_text,
    paper_html as paper_html,
)
from .paper import (
    DOCUMENT_RECORD as DOCUMENT_RECORD,
    Paper as Paper,
)
