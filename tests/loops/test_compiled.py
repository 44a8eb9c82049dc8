"""Formulas without loops, loops without a folder, and what else may go wrong while compiling."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import optim
from scratchgen.backend import compiled

pytestmark = pytest.mark.host_only
needs_numba = pytest.mark.skipif(not compiled.available(), reason="without Numba there are no loops")

STEP = """
    import sys
    import numpy as np
    import scratchgen as sg
    from scratchgen.backend import compiled
    x = sg.tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), requires_grad=True)
    y = sg.autograd.silu(x).sum()
    y.backward()
    print(y.item(), x.grad.sum())
"""


def start(script: str, **environment: str) -> subprocess.Popen[str]:
    code = textwrap.dedent(script)
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "2", **environment}
    return subprocess.Popen([sys.executable, "-c", code], env=env, stdout=-1, stderr=-1, text=True)


def printed(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def same(out: str) -> None:
    x = np.linspace(-1, 1, 12)
    s = 1 / (1 + np.exp(-x))
    expected = [(x * s).sum(), (s + x * s * (1 - s)).sum()]
    np.testing.assert_allclose([float(v) for v in out.split()[:2]], expected, rtol=1e-5)


def test_importing_the_package_does_not_import_numba() -> None:
    script = "import sys, scratchgen; print('numba' in sys.modules)"
    assert printed(start(script)).split() == ["False"]


def test_without_loops_numba_is_never_imported() -> None:
    out = printed(start(STEP + "    print('numba' in sys.modules)", SCRATCHGEN_LOOPS="0"))
    same(out)
    assert out.split()[-1] == "False"


def test_without_numba() -> None:
    hidden = "    import sys; sys.modules['numba'] = None\n"
    same(printed(start("\n" + hidden + STEP)))


@needs_numba
def test_without_a_folder_to_write() -> None:
    nowhere = "/dev/null/cache"
    same(printed(start(STEP, NUMBA_CACHE_DIR=nowhere)))
    same(printed(start(STEP, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=nowhere, HOME=nowhere)))


@needs_numba
def test_two_processes_that_compile_at_once_and_one_that_is_killed(tmp_path: Path) -> None:
    folder = {"NUMBA_CACHE_DIR": str(tmp_path)}
    killed = start(STEP, **folder)
    both = [start(STEP, **folder) for _ in range(2)]
    try:
        killed.wait(2)
    except subprocess.TimeoutExpired:
        killed.kill()
    killed.communicate()
    for process in both:
        same(printed(process))
    assert list(tmp_path.rglob("*.nbi"))


@needs_numba
def test_damaged_files_of_the_cache_are_compiled_anew(tmp_path: Path) -> None:
    folder = {"NUMBA_CACHE_DIR": str(tmp_path)}
    same(printed(start(STEP, **folder)))
    for i, file in enumerate(sorted(tmp_path.rglob("*.nb?"))):
        file.write_bytes(file.read_bytes()[: 20 * (i % 3)] + b"garbage")
    same(printed(start(STEP, **folder)))


def train(seed: int) -> bytes:
    vae = sg.models.VAE.dense(40, 30, 3)
    for i, p in enumerate(vae.parameters()):
        p.data[...] = sg.backend.RandomStream(seed, i).normal(p.shape, p.dtype) * 0.1
    x = (sg.backend.RandomStream(seed, "x").normal((200, 40), np.float32) > 0).astype(np.float32)
    optimiser = optim.Adam(vae.parameters(), lr=1e-2)
    for step in range(15):
        optimiser.zero_grad()
        vae.loss(sg.asarray(x), sg.backend.RandomStream(seed, "eps", step)).backward()
        optimiser.step()
    return b"".join(sg.asnumpy(p.data).tobytes() for p in vae.parameters())


def test_four_threads_train_four_models_as_each_alone() -> None:
    alone = [train(seed) for seed in range(4)]
    together: dict[int, Any] = {}
    workers = [threading.Thread(target=lambda s=s: together.update({s: train(s)})) for s in range(4)]  # type: ignore[misc]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [together[s] for s in range(4)] == alone
