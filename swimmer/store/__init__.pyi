"""The names that other packages may use."""

from .arrivals import (
    FIRST_BUILT as FIRST_BUILT,
    arrivals as arrivals,
    read_time as read_time,
    time_now as time_now,
)
from .database import (
    PaperDatabase as PaperDatabase,
    text_hash as text_hash,
)
from .default import (
    default_name as default_name,
    default_store as default_store,
    set_default as set_default,
)
from .facets import (
    admitted as admitted,
    counted_values as counted_values,
    why_empty as why_empty,
)
from .filters import (
    Filter as Filter,
    compile_filter as compile_filter,
)
from .folder import (
    WORK as WORK,
    writing as writing,
)
from .index import (
    Rows as Rows,
    Vectors as Vectors,
)
from .inspection import (
    Inspection as Inspection,
    inspect_folder as inspect_folder,
)
from .kept_nearest import (
    kept_nearest as kept_nearest,
)
from .kept_topics import (
    kept_topics as kept_topics,
)
from .keyword import (
    frequency as frequency,
    is_written as is_written,
    keyword_search as keyword_search,
    phrase_rows as phrase_rows,
    rows_with_segments as rows_with_segments,
    rows_with_words as rows_with_words,
    text_frequency as text_frequency,
    titles_with_phrase as titles_with_phrase,
    titles_with_words as titles_with_words,
    word_frequency as word_frequency,
)
from .lexical import (
    LexicalIndex as LexicalIndex,
    WordVector as WordVector,
    pack_queries as pack_queries,
    pack_query as pack_query,
    pack_tokens as pack_tokens,
    pack_words as pack_words,
    probes_of as probes_of,
    same_weights as same_weights,
)
from .lookups import (
    MOST_NAME_WORDS as MOST_NAME_WORDS,
    Person as Person,
    people_named as people_named,
    people_starting as people_starting,
    rows_of_identifier as rows_of_identifier,
    rows_of_name as rows_of_name,
    rows_of_name_start as rows_of_name_start,
    rows_of_people as rows_of_people,
    topics_starting as topics_starting,
)
from .manifest import (
    MANIFEST as MANIFEST,
    Manifest as Manifest,
)
from .map_file import (
    MAP as MAP,
    TOPIC_NAME_LIMIT as TOPIC_NAME_LIMIT,
    KeptMap as KeptMap,
    MapTopics as MapTopics,
    map_paths as map_paths,
)
from .milvus import (
    MilvusStore as MilvusStore,
)
from .milvus_layout import (
    INDEXES as INDEXES,
)
from .milvus_transfer import (
    Pushed as Pushed,
    pull_store as pull_store,
    push_store as push_store,
)
from .names import (
    SAMPLE as SAMPLE,
    STORE_NAME as STORE_NAME,
    StoreInfo as StoreInfo,
    bundled_sample as bundled_sample,
    find_store as find_store,
    is_milvus as is_milvus,
    list_stores as list_stores,
    readable_stores as readable_stores,
    target_folder as target_folder,
    user_folder as user_folder,
)
from .near_titles import (
    near_titles as near_titles,
)
from .opening import (
    open_store as open_store,
)
from .pack import (
    pack_store as pack_store,
)
from .pack_format import (
    PackedStore as PackedStore,
)
from .pool import (
    RemoteInfo as RemoteInfo,
    StorePool as StorePool,
)
from .removal import (
    RemovableStore as RemovableStore,
    removable_store as removable_store,
    remove_store as remove_store,
)
from .schema import (
    COLUMNS as COLUMNS,
)
from .searchable import (
    FolderSearch as FolderSearch,
    Found as Found,
    SearchableStore as SearchableStore,
)
from .similarity import (
    CLOSENESS as CLOSENESS,
    LEXICAL as LEXICAL,
    RESCORED as RESCORED,
    SPARSE as SPARSE,
    TFIDF as TFIDF,
    Similarity as Similarity,
    closeness_key as closeness_key,
    combined_score as combined_score,
)
from .smoothing import (
    Neighbours as Neighbours,
)
from .spelling import (
    correction as correction,
)
from .stemming import (
    stems as stems,
)
from .store import (
    PaperStore as PaperStore,
)
from .topics import (
    Topic as Topic,
    topic_key as topic_key,
)
from .unpack import (
    unpack_store as unpack_store,
)
from .vector_formats import (
    FORMATS as FORMATS,
    checked_format as checked_format,
)
