"""The names that other packages may use."""

from .site import (
    ExportedSite as ExportedSite,
    check_target as check_target,
    export_site as export_site,
)
