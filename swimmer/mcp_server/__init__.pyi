"""The names that other packages may use."""

from .server import (
    build_server as build_server,
)
from .transports import (
    serve_http as serve_http,
    serve_stdio as serve_stdio,
)
