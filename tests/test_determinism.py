"""The same seed gives the same bits, in another process and on more threads: docs/determinism.md."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tools import assert_close

import scratchgen
from scratchgen.backend import compiled

pytestmark = pytest.mark.host_only

# A few steps of three kinds of model; prints the weights they arrive at.
SCRIPT = """
import sys
import numpy as np
import scratchgen as sg
from scratchgen.models.diffusion import cosine_schedule
rng = sg.RandomStream(0)
x = np.random.default_rng(0).random((512, 784)).astype(np.float32)
images = np.random.default_rng(1).random((16, 1, 16, 16)).astype(np.float32)
vae = sg.models.VAE.dense(784, 256, 10)
conv = sg.models.VAE.convolutional((1, 16, 16), 8)
ddpm = sg.models.DDPM(sg.networks.UNet(1, width=16, multipliers=(1, 2)), cosine_schedule(100), (1, 16, 16))
for model, data in ((vae, x), (conv, images), (ddpm, images)):
    optimiser = sg.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(4):
        optimiser.zero_grad()
        model.loss(data, rng.child(step)).backward()
        optimiser.step()
weights = [p.numpy().reshape(-1) for model in (vae, conv, ddpm) for p in model.parameters()]
np.save(sys.argv[1], np.concatenate(weights))
"""


# A loop that shares out slices, whose sums may be taken in more than one order: the bits of what it computes.
LOOPS = """
import hashlib
import numpy as np
from scratchgen.optim.adam import adam
rng = np.random.default_rng(0)
x, g, m, v = rng.random((4, 5000)).astype(np.float32)
adam(x, g, m, v, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, step=3)
print(hashlib.sha256(np.stack([x, m, v]).tobytes()).hexdigest())
"""


def weights(folder: Path, threads: int, loops: str = "1") -> np.ndarray:
    """What a process of its own arrives at."""
    file = folder / f"{threads}-{loops}-{len(list(folder.iterdir()))}.npy"
    settings = {"OPENBLAS_NUM_THREADS": str(threads), "SCRATCHGEN_LOOPS": loops}
    root = str(Path(scratchgen.__file__).parents[1])
    environment = {**os.environ, **settings, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", SCRIPT, str(file)], env=environment, check=True)
    return np.load(file)


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="without Numba there are no loops")
def test_processes_and_numbers_of_threads_agree_to_the_bit(tmp_path: Path) -> None:
    one = weights(tmp_path, 1)
    assert np.isfinite(one).all()
    for threads in (1, 2):
        np.testing.assert_array_equal(weights(tmp_path, threads), one)


@pytest.mark.skipif(not compiled.available(), reason="without Numba there are no loops")
def test_loops_give_the_same_bits_just_compiled_from_the_cache_and_without_one(tmp_path: Path) -> None:
    root = str(Path(scratchgen.__file__).parents[1])

    def digest(cache: str) -> str:
        environment = {**os.environ, "PYTHONPATH": root, "NUMBA_CACHE_DIR": cache}
        command = [sys.executable, "-c", LOOPS]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    cold, warm, without = (digest(folder) for folder in (str(tmp_path), str(tmp_path), "/dev/null/none"))
    assert cold == warm == without
    assert list(tmp_path.rglob("*.nbi"))


@pytest.mark.slow
def test_formulas_alone_agree_between_processes_and_nearly_between_numbers_of_threads(tmp_path: Path) -> None:
    """BLAS splits a product between its threads, so sums are added in another order."""
    one = weights(tmp_path, 1, loops="0")
    np.testing.assert_array_equal(weights(tmp_path, 1, loops="0"), one)
    assert_close(weights(tmp_path, 2, loops="0"), one, rtol=0, atol=1e-3)  # Adam's steps are 1e-3 each
