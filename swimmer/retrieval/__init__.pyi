"""The names that other packages may use."""

from .completion import (
    complete_titles as complete_titles,
)
from .conditions import (
    parse_where as parse_where,
)
from .explanations import (
    explained as explained,
    stems_of as stems_of,
    topic_words as topic_words,
)
from .federation import (
    ask_stores as ask_stores,
    open_stores as open_stores,
)
from .hits import (
    Answer as Answer,
    Hit as Hit,
    Reasons as Reasons,
)
from .query import (
    Options as Options,
    allowed_rows as allowed_rows,
    ask as ask,
    checked_examples as checked_examples,
    checked_k as checked_k,
    checked_manner as checked_manner,
    search as search,
)
from .ranking import (
    nearest as nearest,
)
from .seeds import (
    checked_query as checked_query,
    find_seeds as find_seeds,
    find_title as find_title,
)
