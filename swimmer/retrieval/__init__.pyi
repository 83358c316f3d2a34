"""The names that other packages may use."""

from .all_scores import (
    all_scores as all_scores,
)
from .completion import (
    Completion as Completion,
    complete as complete,
    complete_titles as complete_titles,
)
from .conditions import (
    parse_where as parse_where,
)
from .diversity import (
    select_diverse as select_diverse,
)
from .explanations import (
    explained as explained,
)
from .faceting import (
    FACETS as FACETS,
    LONGEST_VALUE as LONGEST_VALUE,
    VALUES as VALUES,
    Facet as Facet,
    FacetValue as FacetValue,
    count_facets as count_facets,
    count_facets_of as count_facets_of,
    facet_filter as facet_filter,
)
from .federation import (
    ask_stores as ask_stores,
    browse_stores as browse_stores,
    one_model_of as one_model_of,
    open_stores as open_stores,
    without_copies as without_copies,
)
from .hits import (
    Answer as Answer,
    Hit as Hit,
    Reading as Reading,
    Reasons as Reasons,
)
from .inputs import (
    EmbeddedText as EmbeddedText,
    checked_query as checked_query,
    resolve_inputs as resolve_inputs,
    texts_to_embed as texts_to_embed,
)
from .options import (
    LOOKUPS as LOOKUPS,
    MODE_LABELS as MODE_LABELS,
    MODES as MODES,
    OPTION_NAMES as OPTION_NAMES,
    SearchArguments as SearchArguments,
    SearchOptions as SearchOptions,
)
from .query import (
    allowed_rows as allowed_rows,
    ask as ask,
    browse as browse,
    check_filter as check_filter,
    checked_k as checked_k,
    search as search,
)
from .query_words import content_words as content_words
from .ranking import (
    combined as combined,
    nearest as nearest,
)
from .remote import (
    papers_named as papers_named,
    people_of_remote as people_of_remote,
    reads_as_title as reads_as_title,
)
from .resolver import (
    Resolution as Resolution,
    resolve as resolve,
)
from .sorting import (
    SORTS as SORTS,
    field_of as field_of,
    read_sort as read_sort,
    sorts_of as sorts_of,
)
from .titles import (
    CLOSE_TITLE as CLOSE_TITLE,
    exact_titles as exact_titles,
    find_title as find_title,
)
