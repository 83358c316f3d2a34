"""Run the notebooks from top to bottom, offline, and keep what they print and draw.

pip install -c constraints.txt ".[test]"
python notebooks/execute.py            # every notebook here
python notebooks/execute.py agent.ipynb
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def execute(path: Path) -> Any:
    """Return the notebook at `path` with fresh outputs; CellExecutionError when a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(HERE)}},
        record_timing=False,
    )
    client.execute()
    # The kernel's version differs from machine to machine, and says nothing about the notebook.
    notebook.metadata.pop("language_info", None)
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.name for path in HERE.glob("*.ipynb")):
        nbformat.write(execute(HERE / name), HERE / name)
        print(f"{name}: run")
