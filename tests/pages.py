"""A page of the documentation as a program: its files written, its lines run, its output met.

Files are blocks with `title="NAME"`. In a `console` block every line after `$ ` is run by bash,
what follows it is what it prints. A `text` block after a `python` block is what that prints. Where
a page says `…`, anything may stand; spaces and line ends do not count.

    python -m tests.pages docs/index.md …     put what is printed now in the place of what was

Read the difference afterwards: `…` is kept at the end of an output only.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')


class Block(NamedTuple):
    kind: str
    title: str
    body: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [
        Block(kind, name[1] if (name := TITLE.search(rest)) else "", body)
        for kind, rest, body in BLOCK.findall(text)
    ]


def commands(body: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what is shown below it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def same(shown: str, printed: str) -> bool:
    """Whether what was printed is what is shown."""
    words = (re.escape(word).replace("…", r".*?") for word in shown.split())
    return re.fullmatch(r"\s*".join(words), " ".join(printed.split()), re.DOTALL) is not None


def shell(command: str, folder: Path) -> str:
    """Run a line by bash, `swimmer` and `python` being those under test; return what it prints."""
    tools = folder / ".tools"
    tools.mkdir(exist_ok=True)
    for name, what in (("swimmer", "-m swimmer"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {what} "$@"\n')
        (tools / name).chmod(0o755)
    env = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    # The width that the pages are written for.
    env["COLUMNS"] = "100"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


def run(
    page: Path, folder: Path, names: Mapping[str, Any] | None = None, write: bool = False
) -> int:
    """Run a page in a folder, and return how many snippets ran.

    AssertionError where it shows something else than is printed; with `write`, the page is
    corrected instead.
    """
    held: dict[str, Any] = dict(names or {})
    ran = 0
    text = page.read_text(encoding="utf-8")
    found = blocks(text)
    for block, after in zip(found, [*found[1:], Block("", "", "")], strict=True):
        if block.title:
            (folder / block.title).write_text(block.body, encoding="utf-8")
        elif block.kind == "console":
            for command, shown in commands(block.body):
                printed = shell(command, folder)
                if not same(shown, printed):
                    assert write, f"{page.name}: $ {command}\n{printed}"
                    text = text.replace(
                        f"$ {command}\n{shown}", f"$ {command}\n{shortened(printed, shown)}"
                    )
                ran += 1
        elif block.kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block.body, page.name, "exec"), held)
            if after.kind == "text" and not same(after.body, out.getvalue()):
                assert write, f"{page.name}:\n{out.getvalue()}"
                text = text.replace(
                    f"```text\n{after.body}", f"```text\n{shortened(out.getvalue(), after.body)}"
                )
            ran += 1
    if write:
        page.write_text(text, encoding="utf-8")
    return ran


def shortened(printed: str, shown: str) -> str:
    """As many lines of what is printed as the page has shown, if it ended with `…`."""
    lines = printed.strip("\n").splitlines()
    before = shown.rstrip("\n").splitlines()
    if before and before[-1].endswith("…"):
        lines = [*lines[: len(before) - 1], "…"]
    return "".join(f"{line}\n".replace(" \n", "\n") for line in lines)


if __name__ == "__main__":
    started = Path.cwd()
    for argument in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"HOME": folder, "XDG_DATA_HOME": folder, "HF_HUB_OFFLINE": "1"}
            os.environ.pop("SWIMMER_HOME", None)
            where = started / argument
            os.chdir(folder)
            print(argument, run(where, Path(folder), write=True))
