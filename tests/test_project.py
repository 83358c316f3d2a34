"""The files for contributors: workflows and hooks call what exists, the guide's steps work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import swimmer

from . import pages
from .conftest import REPOSITORY, writable_copy

yaml = pytest.importorskip("yaml", reason="needs PyYAML")
tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")

GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCRIPT = re.compile(r"\.ci/\w+")
GUIDE = REPOSITORY / "CONTRIBUTING.md"
ADAPTER_LINE = '"swimmer.sources.publishers.fish:FishConference",'


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_whole_and_calls_scripts_that_exist(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["name"] and workflow[True], "`on` is read as true by YAML 1.1"
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["runs-on"] and job["timeout-minutes"]
        assert set(job.get("needs", "").split()) <= set(workflow["jobs"])
    called = [script for step in steps(workflow) for script in SCRIPT.findall(step.get("run", ""))]
    assert called
    for script in called:
        assert os.access(REPOSITORY / script, os.X_OK), script
    for step in steps(workflow):
        assert ("run" in step) != ("uses" in step)
        assert "@" in step.get("uses", "@")


def test_the_workflow_tests_every_system_and_supported_python() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text("utf-8"))
    matrix = workflow["jobs"]["tests"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == f">={matrix['python'][0]}"
    named = {
        line.rpartition(" ")[2]
        for line in project["classifiers"]
        if re.search(r"Python :: 3\.\d+$", line)
    }
    assert named == set(matrix["python"])
    versions = workflow["jobs"]["versions"]["strategy"]["matrix"]["resolution"]
    usage = (REPOSITORY / ".ci" / "versions").read_text("utf-8")
    assert all(f".ci/versions {resolution}`" in usage for resolution in versions)


def test_ci_runs_every_check() -> None:
    run = (REPOSITORY / ".ci" / "run").read_text("utf-8")
    assert re.search(r"^\.ci/checks$", run, re.MULTILINE)
    done = subprocess.run([REPOSITORY / ".ci" / "checks", "lnt"], capture_output=True, text=True)
    assert done.returncode == 2 and "known: lint layers types" in done.stderr
    known = re.findall(r"known: ([a-z ]+)", done.stderr)[0].split()
    checks = (REPOSITORY / ".ci" / "checks").read_text("utf-8")
    assert f"steps=({' '.join(known)})" in checks
    assert all(re.search(rf"^{step}\(\)", checks, re.MULTILINE) for step in known)


def test_hooks_call_checks_that_exist() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text("utf-8"))
    checks = (REPOSITORY / ".ci" / "checks").read_text("utf-8")
    entries = [hook["entry"].split() for repo in hooks["repos"] for hook in repo["hooks"]]
    assert len(entries) >= 3
    for script, step in entries:
        assert (REPOSITORY / script).exists() and f"\n{step}()" in checks


def test_issue_forms_ask_for_something() -> None:
    forms = [path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"]
    assert len(forms) >= 3
    for path in forms:
        form = yaml.safe_load(path.read_text("utf-8"))
        assert form["name"] and form["description"]
        names = [item["id"] for item in form["body"] if item["type"] != "markdown"]
        assert len(names) == len(set(names)) > 0
        assert all(item["attributes"]["label"] for item in form["body"])
    assert (GITHUB / "pull_request_template.md").read_text("utf-8").count("- [ ]") >= 3


def test_the_citation_is_that_of_this_version() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text("utf-8"))
    assert str(citation["cff-version"]) == "1.2.0"
    assert {"message", "title", "authors", "license"} <= set(citation)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert citation["version"] == project["version"] == swimmer.__version__
    assert citation["license"] == project["license"]


def test_the_steps_to_a_first_source_work(tmp_path: Path) -> None:
    """The files of the guide, in a copy of the package, pass their own tests and the checks."""
    for name in ("swimmer", "tests"):
        writable_copy(REPOSITORY / name, tmp_path / name)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    guide = pages.blocks(GUIDE.read_text("utf-8"))
    written = [block for block in guide if block.title]
    assert [Path(block.title).name for block in written] == ["fish.py", "test_fish.py"]
    for block in written:
        (tmp_path / block.title).write_text(block.body, "utf-8")
    assert any(block.body.strip() == ADAPTER_LINE for block in guide)
    registry = tmp_path / "swimmer" / "sources" / "registry.py"
    text = registry.read_text("utf-8")
    assert "ADAPTERS = (\n" in text
    registry.write_text(
        text.replace("ADAPTERS = (\n", f"ADAPTERS = (\n    {ADAPTER_LINE}\n"), "utf-8"
    )
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = next(block.body.split() for block in guide if "test_fish.py" in block.body)
    assert command[0] == ".venv/bin/python"
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "swimmer", "venues"], env=env, capture_output=True, text=True
    )
    assert "the Fish Conference" in listed.stdout


def test_every_file_that_the_guides_name_exists() -> None:
    """Paths in backticks and in links; those of the step-by-step example do not exist yet."""
    for page in (GUIDE, REPOSITORY / "SECURITY.md", REPOSITORY / "docs" / "architecture.md"):
        text = page.read_text("utf-8")
        names = re.findall(r"`((?:\.ci|docs|tests|swimmer|benchmarks)/[\w./]*)`", text)
        for name in names:
            assert (REPOSITORY / name).exists() or "fish" in name, f"{page.name}: {name}"
        layered = re.findall(r"`([a-z_]+/(?:[a-z_]+/)*[a-z_]*(?:\.py)?)`", text)
        roots = (REPOSITORY, REPOSITORY / "swimmer")
        for name in layered if page.name == "architecture.md" else ():
            assert any((root / name).exists() for root in roots), f"{page.name}: {name}"
