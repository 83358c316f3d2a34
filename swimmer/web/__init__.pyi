"""The names that other packages may use."""

from .app import (
    create_app as create_app,
)
from .server import (
    serve as serve,
)
