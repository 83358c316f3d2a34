"""A slice of each campaign, and whether a campaign finds what it is to find."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY

if not hasattr(os, "fork"):
    pytest.skip("campaigns fork", allow_module_level=True)

NAMES = ("kills", "flips", "crafted", "packs", "pickles", "disk", "lists", "publisher", "page")


def run(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run in a process that has started no threads: this one may have, and cannot be forked."""
    command = ["-c", code] if code else ["-m", "tests.campaigns", *arguments]
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_slice_of_the_campaign_finds_nothing(name: str) -> None:
    if name == "pickles":
        pytest.importorskip("langchain_community")
    if name == "page":
        pytest.importorskip("starlette")
    # The same part each time; `.ci/run --full` tries others, and a failure prints its seed.
    done = run(name, "--minutes", "0.1", "--trials", "40", "--seed", "664941")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{name}: " in done.stdout and ", 0 failed" in done.stdout
    assert not done.stdout.startswith(f"{name}: 0 tried")


WRONG = {
    "raise ValueError('x')": "ValueError",
    "os.kill(os.getpid(), 11)": "signal 11",
    "time.sleep(60)": "did not end",
    "os._exit(3)": "ended with 3",
    "socket.create_connection(('127.0.0.1', 9), 1)": "socket",
    "os.system('true')": "os.system",
    "subprocess.run(['true'])": "subprocess.Popen",
    "open('/tmp/outside-of-a-campaign', 'w').close()": "opened for writing",
    "(self.work / 'canary').write_bytes(b'x')": "written outside",
    "bytearray(8 << 30)": "MemoryError",
}


@pytest.mark.parametrize("statement", WRONG)
def test_a_campaign_sees(statement: str) -> None:
    code = f"""
import os, socket, subprocess, time
from tests.campaigns import runner
runner.HANG_SECONDS = 2
class Wrong(runner.Campaign):
    name = "wrong"
    def prepare(self): pass
    def trial(self, chance, folder):
        {statement}
runner.watched.__defaults__ = (2.0,)
found = runner.run(Wrong, seconds=60, seed=7, trials=1)
assert list(found.failures) == [7] and {WRONG[statement]!r} in found.failures[7], found
"""
    done = run(code=code)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 7 failed" in done.stdout
    Path("/tmp/outside-of-a-campaign").unlink(missing_ok=True)


def test_an_unknown_campaign_is_named() -> None:
    done = run("nothing")
    assert done.returncode == 2 and "kills" in done.stderr


FAULTS = {
    "lists": "import swimmer.sources.formats.records as r; r.year_of = int",
    "publisher": "import swimmer.sources.http.addresses as a; a.refuse_address = lambda *_: None",
    "page": "import jinja2, swimmer.web.site as s; "
    "s.Environment = lambda **o: jinja2.Environment(**{**o, 'autoescape': False})",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_campaign_finds_a_fault_put_in(name: str) -> None:
    if name == "page":
        pytest.importorskip("starlette")
    done = run(
        code=f"""
{FAULTS[name]}
from tests.campaigns import CAMPAIGNS, runner
found = runner.run(CAMPAIGNS[{name!r}], seconds=120, trials=20)
assert found.failures
"""
    )
    assert done.returncode == 0, done.stdout + done.stderr
