"""The names that other packages may use."""

from .bibtex import (
    to_bibtex as to_bibtex,
)
from .reading_list import (
    literal as literal,
    to_reading_list as to_reading_list,
    translate_abstracts as translate_abstracts,
)
from .ris import (
    to_ris as to_ris,
)
from .writers import (
    SUFFIXES as SUFFIXES,
    WRITERS as WRITERS,
    csv_cell as csv_cell,
    escaped as escaped,
    papers_of as papers_of,
    papers_to_csv as papers_to_csv,
    papers_to_json as papers_to_json,
    to_csv as to_csv,
    write_text as write_text,
)
