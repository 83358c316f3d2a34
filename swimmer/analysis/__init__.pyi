"""The names that other packages may use."""

from .digest import (
    Digest as Digest,
    DigestEntry as DigestEntry,
    StoreNews as StoreNews,
    make_digest as make_digest,
)
from .digest_formats import (
    DIGEST_WRITERS as DIGEST_WRITERS,
    digest_to_atom as digest_to_atom,
    digest_to_html as digest_to_html,
    digest_to_markdown as digest_to_markdown,
)
from .draft_text import (
    references_of as references_of,
)
from .drafts import (
    Draft as Draft,
    draft_of_text as draft_of_text,
    papers_named as papers_named,
    read_draft as read_draft,
    related as related,
    related_in as related_in,
)
from .for_you import (
    Interest as Interest,
    Recommendation as Recommendation,
    Recommendations as Recommendations,
    for_you as for_you,
)
from .map.colouring import (
    FIELDS as FIELDS,
    Colouring as Colouring,
    by_field as by_field,
    by_membership as by_membership,
    by_scores as by_scores,
    telling_fields as telling_fields,
)
from .map.drawing import (
    Marked as Marked,
    marked as marked,
    marks_payload as marks_payload,
    packed_payload as packed_payload,
    paper_columns as paper_columns,
    points_payload as points_payload,
)
from .map.files import (
    checked_ending as checked_ending,
    write_map as write_map,
)
from .map.maps import (
    FEWEST as FEWEST,
    PaperMap as PaperMap,
    kept_map as kept_map,
    paper_map as paper_map,
)
from .map.overlay import (
    joint_map as joint_map,
)
from .map.page import (
    SCRIPTS as SCRIPTS,
    json_text as json_text,
)
from .map.picture import (
    map_figure as map_figure,
    picture as picture,
)
from .map.renaming import (
    rename_topic as rename_topic,
)
from .map.topics import (
    Topic as Topic,
)
from .neighbours import (
    NEIGHBOUR_FORMATS as NEIGHBOUR_FORMATS,
    neighbours as neighbours,
    to_networkx as to_networkx,
    write_neighbours as write_neighbours,
)
from .own_library import (
    Library as Library,
    read_library as read_library,
    together as together,
)
from .people import (
    SHOWN_PAPERS as SHOWN_PAPERS,
    NearPerson as NearPerson,
    people_near as people_near,
)
from .plan import (
    MINUTES as MINUTES,
    Plan as Plan,
    PlannedSession as PlannedSession,
    Visit as Visit,
    plan_visits as plan_visits,
    time_zone as time_zone,
)
from .plan_calendar import (
    to_icalendar as to_icalendar,
)
from .plan_formats import (
    days_of as days_of,
    hours_of as hours_of,
    instead_of as instead_of,
    plan_to_html as plan_to_html,
    plan_to_markdown as plan_to_markdown,
    reason_of as reason_of,
    summary_of as summary_of,
)
from .reference_check import (
    VERDICTS as VERDICTS,
    CheckedReference as CheckedReference,
    Difference as Difference,
    check_references as check_references,
)
from .references import (
    References as References,
    corrected_bibliography as corrected_bibliography,
    corrected_entries as corrected_entries,
    read_references as read_references,
    references_in as references_in,
)
from .topic_trends import (
    CLUSTERS as CLUSTERS,
    Trend as Trend,
    Trends as Trends,
    trends as trends,
)
from .trend_picture import (
    trends_figure as trends_figure,
    write_trends as write_trends,
)
