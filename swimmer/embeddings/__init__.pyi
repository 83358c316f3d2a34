"""The names that other packages may use."""

from .availability import (
    CachedModel as CachedModel,
    cached_models as cached_models,
    obstacle as obstacle,
)
from .backends import (
    BACKEND as BACKEND,
    BACKENDS as BACKENDS,
    choose_backend as choose_backend,
    has_package as has_package,
    has_torch as has_torch,
)
from .batches import (
    WORKERS as WORKERS,
    cut_cores as cut_cores,
    cut_for as cut_for,
    usable_cores as usable_cores,
)
from .huggingface import (
    load_huggingface as load_huggingface,
    wrap_huggingface as wrap_huggingface,
)
from .identity import (
    GIVEN as GIVEN,
    PROBES as PROBES,
    SAME_MODEL as SAME_MODEL,
    ModelIdentity as ModelIdentity,
    check_same as check_same,
    describe as describe,
)
from .loading import (
    load_again as load_again,
    load_model as load_model,
    load_own as load_own,
)
from .model import (
    Embeddings as Embeddings,
    Model as Model,
)
from .onnx import (
    load_onnx as load_onnx,
)
from .precision import (
    HALF as HALF,
)
from .recipes import (
    RECIPES as RECIPES,
)
from .static import (
    StaticEmbeddings as StaticEmbeddings,
)
from .token_weights import (
    MOST_TOKENS as MOST_TOKENS,
    TokenWeights as TokenWeights,
    Weighed as Weighed,
)
from .trust import (
    remember_model as remember_model,
    why_untrusted as why_untrusted,
)
