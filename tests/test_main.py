"""`python -m scratchgen`: the machine, and the loops compiled by a first step of each kind of model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scratchgen.backend import compiled

pytestmark = pytest.mark.host_only


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scratchgen", *arguments]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=True)


def test_it_describes_the_machine() -> None:
    assert call().stdout.startswith("scratchgen ")


def test_without_loops_there_is_nothing_to_compile() -> None:
    ran = call("--compile", SCRATCHGEN_LOOPS="0")
    assert (ran.stdout, ran.stderr) == ("", "")


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="there are no loops")
def test_compiled_loops_are_kept(tmp_path: Path) -> None:
    ran = call("--compile", NUMBA_CACHE_DIR=str(tmp_path))
    assert ran.stderr.splitlines()[0] == "Compiling the loops, once (dense models) ..."
    assert ran.stderr.splitlines()[-1].startswith("Compiled in ")
    kept = {file.name for file in tmp_path.rglob("*.nbc")}
    assert kept
    call("--compile", NUMBA_CACHE_DIR=str(tmp_path))
    assert {file.name for file in tmp_path.rglob("*.nbc")} == kept
