"""The names that other packages may use."""

from .answers import (
    ABSTRACT_LENGTH as ABSTRACT_LENGTH,
    EXCERPT as EXCERPT,
    MOST_TOKENS as MOST_TOKENS,
    AnswerData as AnswerData,
    AuthorList as AuthorList,
    ChangedTopicsData as ChangedTopicsData,
    ErrorData as ErrorData,
    NearPeopleData as NearPeopleData,
    PaperData as PaperData,
    StoreList as StoreList,
    StoreSummary as StoreSummary,
    answer_data as answer_data,
    as_text as as_text,
    authors_data as authors_data,
    bounded as bounded,
    changed_topics_data as changed_topics_data,
    error_data as error_data,
    near_people_data as near_people_data,
    paper_data as paper_data,
    recommendations_data as recommendations_data,
    store_data as store_data,
    stores_data as stores_data,
    tokens_of as tokens_of,
    whole_paper_data as whole_paper_data,
)
from .arguments import (
    DESCRIPTIONS as DESCRIPTIONS,
    MOST_HITS as MOST_HITS,
    BrowsePapers as BrowsePapers,
    ChangedTopics as ChangedTopics,
    CheckReferences as CheckReferences,
    Conditions as Conditions,
    FindAuthors as FindAuthors,
    FindSimilarPapers as FindSimilarPapers,
    GetPaper as GetPaper,
    GetReadingList as GetReadingList,
    InStores as InStores,
    KeepPaper as KeepPaper,
    PapersForLibrary as PapersForLibrary,
    PeopleNear as PeopleNear,
    PlanConference as PlanConference,
    SearchPapers as SearchPapers,
    wrong_call as wrong_call,
)
from .completions import (
    MOST_VALUES as MOST_VALUES,
    complete_argument as complete_argument,
)
from .libraries import (
    READING_LIST as READING_LIST,
    check_reading_list as check_reading_list,
    listed_library as listed_library,
    named_library as named_library,
)
from .lists import (
    KeptPaper as KeptPaper,
    ReadingListData as ReadingListData,
    keep_paper_data as keep_paper_data,
    reading_list_data as reading_list_data,
)
from .plans import (
    CheckData as CheckData,
    PlanData as PlanData,
    check_data as check_data,
    check_for_tool as check_for_tool,
    plan_data as plan_data,
    plan_for_tool as plan_for_tool,
    planned_papers as planned_papers,
)
from .prompts import (
    ONE_SENTENCE as ONE_SENTENCE,
    READING_PLAN as READING_PLAN,
    RELATED_WORK as RELATED_WORK,
    reading_plan_prompt as reading_plan_prompt,
    related_work_prompt as related_work_prompt,
)
from .searches import (
    ask_for_tool as ask_for_tool,
    browse_for_tool as browse_for_tool,
    find_paper as find_paper,
    find_people as find_people,
    near_people_for_tool as near_people_for_tool,
    recommend_for_tool as recommend_for_tool,
)
