"""Ranks as processes that mpiexec starts: the same as one, and none is left waiting for a dead one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rank_program
from rank_models import MODELS
from tools import assert_close

from scratchgen.training import Run, load_checkpoint

PROGRAM = Path(__file__).parents[1] / "rank_program.py"
PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
MPIEXEC = shutil.which("mpiexec", path=PLACES)

pytestmark = [
    pytest.mark.host_only,
    pytest.mark.skipif(
        MPIEXEC is None or importlib.util.find_spec("mpi4py") is None,
        reason='no MPI here: pip install "scratchgen[mpi]" brings it',
    ),
]


def start(size: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The program, or a line of Python, on ranks of one thread each, more than there are cores if need be."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMI"))},
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **variables,
    }
    program = arguments if arguments[0] == "-c" else (str(PROGRAM), *arguments)
    command = [str(MPIEXEC), "-n", str(size), *OPTIONS, sys.executable, *program]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, check=False)


@pytest.fixture(scope="module", autouse=True)
def _two_processes_find_each_other() -> None:
    """MPI may be installed where its processes may not talk: that is no fault of what is tested here."""
    met = start(2, "-c", "from mpi4py import MPI; MPI.COMM_WORLD.Barrier()")
    if met.returncode:
        pytest.skip(f"mpiexec does not work on this machine: {met.stderr[-300:]}")


def is_open_mpi() -> bool:
    return b"Open MPI" in subprocess.run([str(MPIEXEC), "--version"], capture_output=True, check=False).stdout


OPTIONS = ["--map-by", ":OVERSUBSCRIBE", "--bind-to", "none"] if MPIEXEC and is_open_mpi() else []


@pytest.mark.parametrize("size", [2, 3])
def test_processes_train_what_one_trains(size: int, tmp_path: Path) -> None:
    ended = start(size, "everything", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    with np.load(tmp_path / f"{size}.npz") as found:
        compared = 0
        for name, train in MODELS.items():
            for leaf, expected in train(np.float64, rank_program.STEPS).items():
                assert_close(found[f"{name}/{leaf}"], expected, rtol=1e-12, atol=1e-13)
                compared += 1
        assert compared == len(found.files) - 2
        assert found["sampled"].shape == (7, 4)
        assert found["measured"].shape == (7,)


def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    for size in (2, 3):
        ended = start(size, "resumed", str(tmp_path))
        assert ended.returncode == 0, ended.stderr
    (folder,) = tmp_path.iterdir()
    assert load_checkpoint(folder / "checkpoint.npz").step == 6
    assert [row["step"] for row in Run.reopen(folder).metrics()] == [1, 2, 3, 4, 5, 6]
    whole = Run("line", root=tmp_path)
    rank_program.line(6, whole)
    with np.load(folder / "checkpoint.npz") as found, np.load(whole.folder / "checkpoint.npz") as expected:
        for name in expected.files:
            if name.endswith(("weight", "bias", "/m", "/v")):
                assert_close(found[name], expected[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("raises", "ArithmeticError: something is wrong here"),
        ("raises_outside", "ArithmeticError: something is wrong here"),
        ("killed", ""),
        ("hangs", "has waited here for another rank for 3 seconds"),
    ],
)
def test_a_rank_that_ends_ends_all(what: str, said: str) -> None:
    began = time.monotonic()
    ended = start(2, what, SCRATCHGEN_RANK_TIMEOUT="3" if what == "hangs" else "300")
    assert ended.returncode != 0
    assert said in ended.stderr
    assert time.monotonic() - began < 120  # neither the 300 seconds nor the 600 of the one that hangs
