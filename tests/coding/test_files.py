"""Files of images: the same bits come back, whatever evaluates the networks; and what cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import coding_models
import numpy as np
import pytest

from scratchgen.backend import RandomStream
from scratchgen.coding import CodingError, compress, decompress
from scratchgen.models import NADE, VAE, Autoencoder, MixturePrior, PixelCNN, PixelNaiveBayes

pytestmark = pytest.mark.host_only  # files are made on the host, in whole numbers

MODELS = coding_models.models()
FILES: dict[str, bytes] = {}


def file_of(name: str) -> bytes:
    if name not in FILES:
        FILES[name] = compress(*MODELS[name])
    return FILES[name]


@pytest.mark.parametrize("name", MODELS)
def test_what_comes_back_is_what_went_in_bit_for_bit(name: str) -> None:
    model, x = MODELS[name]
    data = file_of(name)
    back = decompress(model, data)
    assert back.dtype == x.dtype
    assert back.tobytes() == x.tobytes()
    assert compress(model, x, batch=7) == data
    assert decompress(model, data, batch=1).tobytes() == x.tobytes()  # coded in one batch, decoded singly


@pytest.mark.parametrize("name", ["naive Bayes", "VAE, levels"])
def test_doubles_come_back_as_doubles_and_one_image_as_one(name: str) -> None:
    model, x = MODELS[name]
    levels = 4 if "levels" in name else 2
    x = np.rint(x * (levels - 1)).astype(np.float64) / (levels - 1)
    for images in (x, x[:1]):
        back = decompress(model, compress(model, images))
        assert back.dtype == np.float64
        assert back.tobytes() == images.tobytes()


CODE = """
import sys, hashlib, coding_models
from scratchgen.coding import compress
models = coding_models.models()
print(*(hashlib.sha256(compress(*models[name])).hexdigest() for name in models))
"""


def test_threads_and_loops_change_no_bit() -> None:
    found = []
    for threads, loops in (("1", "1"), ("2", "0")):
        environment = os.environ | {"SCRATCHGEN_LOOPS": loops, "PYTHONPATH": os.pathsep.join(sys.path)}
        environment |= {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
        )
        found.append(done.stdout.split())
    assert len(found[0]) == len(MODELS)
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["naive Bayes", "VAE"])
def test_damaged_truncated_and_foreign_files_are_named(name: str) -> None:
    model, _ = MODELS[name]
    data = file_of(name)
    for at in range(4, len(data)):
        with pytest.raises(CodingError, match="wrong checksum"):
            decompress(model, data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
    for length in range(1, len(data)):
        with pytest.raises(CodingError, match=r"wrong checksum|bytes that begin with"):
            decompress(model, data[:length])
    for foreign in (b"", b"\x1f\x8b" + data, b"SGC2" + data[4:]):
        with pytest.raises(CodingError, match="bytes that begin with"):
            decompress(model, foreign)
    assert issubclass(CodingError, ValueError)


def test_a_file_of_another_model_is_named() -> None:
    other = VAE.dense(coding_models.SHAPE, 8, 2, rng=RandomStream(2))
    for model in (other, MODELS["naive Bayes"][0], MODELS["NADE"][0]):
        with pytest.raises(CodingError, match="data: got a file of another model"):
            decompress(model, file_of("VAE"))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (VAE.dense(coding_models.SHAPE, 8, 2, "normal"), "model: got a normal likelihood, a density"),
        (VAE.dense(coding_models.SHAPE, 8, 2, prior=MixturePrior(2, 2)), "model: got a prior or classes"),
        (VAE.dense(coding_models.SHAPE, 8, 2, classes=3), "model: got a prior or classes"),
        (VAE.convolutional(coding_models.SHAPE, 2, (4,)), "model: got a layer Conv2d, expected Linear"),
        (
            PixelCNN(coding_models.SHAPE, channels=4, layers=2, classes=3),
            "model: got a PixelCNN with classes",
        ),
    ],
)
def test_models_without_bits_are_refused(model: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compress(model, coding_models.BINARY)


def test_other_things_are_no_models_and_no_data() -> None:
    model, x = MODELS["naive Bayes"]
    with pytest.raises(TypeError, match="model: got Autoencoder, expected PixelNaiveBayes or NADE or"):
        compress(Autoencoder.dense(16, 4, 2), x)
    with pytest.raises(TypeError, match="data: got str, expected bytes"):
        decompress(model, "SGC1")
    with pytest.raises(RuntimeError, match="has no theta yet"):
        compress(PixelNaiveBayes(), x)
    large = NADE(16, 8)
    large.V.data[...] = 1e6
    with pytest.raises(ValueError, match="model: got weights too large"):
        compress(large, x.reshape(40, 16))


@pytest.mark.parametrize("name", ["naive Bayes", "NADE", "PixelCNN", "VAE", "VAE, levels"])
def test_images_off_the_grid_of_levels_are_refused(name: str) -> None:
    model, x = MODELS[name]
    for value, message in ((0.3, "images: got .*0.3.* at .*, expected one of"), (-0.0, "expected one of")):
        wrong = x.copy()
        wrong[3, ..., -1] = value
        with pytest.raises(ValueError, match=message):
            compress(model, wrong)
    with pytest.raises(ValueError, match="images: got numbers from 0 to 2"):
        compress(model, 2 * x)
    with pytest.raises(ValueError, match=r"images: got shape|images: got 0, expected 1"):
        compress(model, x[:0])
    with pytest.raises(ValueError, match="images: got shape"):
        compress(model, x[:, :-1] if x.ndim == 2 else x[..., :-1])
