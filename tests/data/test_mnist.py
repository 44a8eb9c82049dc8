"""The real files, where there are any: set SCRATCHGEN_DATA to their folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scratchgen.data import mnist
from scratchgen.data.mnist import MNIST

ROOT = Path(os.environ.get("SCRATCHGEN_DATA", ""))
PRESENT = any((ROOT / folder / MNIST.files[0].name).is_file() for folder in MNIST.folders)


@pytest.mark.skipif(
    not (os.environ.get("SCRATCHGEN_DATA") and PRESENT), reason="SCRATCHGEN_DATA names no folder with MNIST"
)
def test_real_mnist() -> None:
    images = mnist()
    assert repr(images) == "Images('mnist': 60,000 for training, 10,000 for testing, 1x28x28, 256 levels)"
    assert list(images.train_labels[:5]) == [5, 0, 4, 1, 9]
    assert list(images.test_labels[:5]) == [7, 2, 1, 0, 4]
    assert images.train.dtype == np.float32
    assert (images.train.min(), images.train.max()) == (0, 1)
    # The mean and standard deviation by which everybody normalises MNIST.
    assert images.train.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert images.train.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
