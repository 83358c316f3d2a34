"""The names that other packages may use."""

from .builder import (
    build_store as build_store,
    plan_update as plan_update,
    run_build as run_build,
)
from .calibration import (
    learnt_thresholds as learnt_thresholds,
)
from .report import (
    BuildReport as BuildReport,
    BuildResult as BuildResult,
)
from .stored import (
    stored_papers as stored_papers,
)
