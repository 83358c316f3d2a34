"""The names that other packages may use."""

from .citation import (
    citation_line as citation_line,
    first_authors as first_authors,
    venue_and_year as venue_and_year,
)
from .deduplication import (
    duplicates as duplicates,
    same_numbers as same_numbers,
    same_work as same_work,
    shared_phrases as shared_phrases,
)
from .events import (
    EVENT_PARTS as EVENT_PARTS,
    events_in_words as events_in_words,
)
from .identifiers import (
    address_key as address_key,
    arxiv_id as arxiv_id,
    arxiv_of as arxiv_of,
    doi as doi,
    doi_of as doi_of,
    identifiers as identifiers,
    identifiers_in as identifiers_in,
    is_address as is_address,
    openreview_id as openreview_id,
    written_doi as written_doi,
)
from .names import (
    LONGEST_NAME as LONGEST_NAME,
    is_person as is_person,
    name_words as name_words,
    person_key as person_key,
    short_names as short_names,
)
from .notebook import (
    CELL as CELL,
    NUMBER as NUMBER,
    QUIET as QUIET,
    html_text as html_text,
    paper_html as paper_html,
)
from .paper import (
    ABSTRACT_CUT as ABSTRACT_CUT,
    AUTHORS_ORDER as AUTHORS_ORDER,
    DOCUMENT_RECORD as DOCUMENT_RECORD,
    EVENTS as EVENTS,
    FIRST_SEEN as FIRST_SEEN,
    Paper as Paper,
    derived_id as derived_id,
)
from .presentations import (
    Presentation as Presentation,
    presentations as presentations,
)
from .values import (
    plain_value as plain_value,
)
