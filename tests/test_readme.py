"""The README is true: its snippets run, its commands are those that CI runs."""

from __future__ import annotations

import html
import json
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from .conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
JAPANESE = (REPOSITORY / "README.ja.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", [README, JAPANESE], ids=["README", "README.ja"])
def test_python_snippets_run(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("langchain_core")
    names: dict[str, object] = {}
    snippets = blocks(text, "python")
    assert len(snippets) >= 2
    for snippet in snippets:
        exec(compile(snippet, "README", "exec"), names)
    assert "https://iclr.cc/virtual/2025/poster/" in capsys.readouterr().out


@pytest.mark.parametrize("marker", ["first-result", "tests"])
def test_both_languages_give_the_same_commands_and_ci_runs_them(marker: str) -> None:
    found = [
        re.search(rf"<!-- {marker} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
        for text in (README, JAPANESE)
    ]
    assert all(found)
    commands = {match[1] for match in found if match}
    assert len(commands) == 1 and "\n" not in commands.pop()
    assert f"command_of {marker}" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["swimmer serve", "swimmer map iclr2025 -o", "--plot"])
def test_both_languages_show_the_page_and_the_map(command: str) -> None:
    assert command in README and command in JAPANESE


def test_the_picture_of_the_terminal_shows_what_is_printed() -> None:
    """The other pictures are checked by `.ci/checks pictures`."""
    pictures = runpy.run_path(str(REPOSITORY / "docs" / "pictures.py"))
    lines = pictures["terminal_text"]()
    assert lines[0].startswith("$ swimmer search") and len(lines) > 15
    picture = (REPOSITORY / "docs" / "assets" / "terminal.svg").read_text(encoding="utf-8")
    shown = re.search(r"<desc>(.*?)</desc>", picture, re.DOTALL)
    assert shown is not None
    assert html.unescape(shown[1]).splitlines() == lines, (
        "run: python docs/pictures.py terminal.svg"
    )
    drawn = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", picture))
    assert html.unescape(drawn).split() == " ".join(lines).split()
    assert "http" not in re.sub(r"<(text|desc)[^>]*>.*?</\1>|xmlns=\S+", "", picture, flags=re.S)


def test_a_picture_that_shows_something_else_is_found_out(tmp_path: Path) -> None:
    pictures = runpy.run_path(str(REPOSITORY / "docs" / "pictures.py"))
    kept = json.loads((REPOSITORY / "docs" / "assets" / "pictures.json").read_text("utf-8"))
    kept["page.png"][1] = "Another paper"
    assert "page.png" in list(pictures["outdated"](kept))


def test_the_first_screen_shows_it_and_the_whole_is_short() -> None:
    assert len(README.split()) <= 700
    for text in (README, JAPANESE):
        assert "docs/assets/terminal.svg" in "\n".join(text.splitlines()[:10])


@pytest.mark.parametrize("text", [README, JAPANESE], ids=["README", "README.ja"])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (REPOSITORY / target).exists(), target


def test_nothing_that_is_not_ours_is_tracked() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    large = [name for name in listed if (REPOSITORY / name).stat().st_size > 16_000_000]
    assert not large
    assert {Path(name).parts[0] for name in listed} <= {
        ".ci",
        ".gitattributes",
        ".github",
        ".gitignore",
        ".pre-commit-config.yaml",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.ja.md",
        "README.md",
        "benchmarks",
        "constraints.txt",
        "docs",
        "mkdocs.yml",
        "notebooks",
        "pyproject.toml",
        "SECURITY.md",
        "swimmer",
        "tests",
        "training",
        "vectorstores",
    }
