"""Autoencoder: encode, decode, reconstruct, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import Autoencoder
from scratchgen.nn import Linear
from scratchgen.optim import Adam

X = np.random.default_rng(0).random((5, 6))


def small(dtype: Any = np.float32) -> Autoencoder:
    return Autoencoder.dense(6, 8, 2, rng=RandomStream(0)).to(dtype)


def test_the_printed_table_adds_up() -> None:
    table = str(Autoencoder.dense((1, 28, 28), 256, 10)).splitlines()
    assert table[2].split() == ["encoder.0", "Flatten()", "(batch,", "784)", "0"]
    assert table[9].split()[-5:] == ["(batch,", "1,", "28,", "28)", "0"]
    assert table[-1] == "Autoencoder: 407,834 parameters"
    assert 200_960 + 2_570 + 2_816 + 201_488 == 407_834
    assert [int(row.split()[-1].replace(",", "")) for row in table[2:-2] if row.split()[-1] != "0"] == [
        200_960,
        2_570,
        2_816,
        201_488,
    ]


def test_the_encoding_is_deterministic() -> None:
    model, x = small(), sg.asarray(X, np.float32)
    first = model.encode(x)
    assert first.shape == (5, 2)
    assert first.dtype == np.float32
    assert (sg.asnumpy(first) == sg.asnumpy(model.encode(x))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_are_raw_and_agree_with_each_other(dtype: Any) -> None:
    model, x = small(dtype), sg.asarray(X, dtype)
    codes, decoded = model.encode(x), model.decode(model.encode(x))
    for result in (codes, decoded, model.reconstruct(x)):
        assert not isinstance(result, sg.Tensor)
        assert result.dtype == dtype
    assert_close(model.reconstruct(x), decoded)
    assert_close(model(x), decoded)


def test_images_keep_their_shape() -> None:
    model = Autoencoder.dense((1, 2, 3), 8, 2)
    x = sg.asarray(X.reshape(5, 1, 2, 3), np.float32)
    assert model.encode(x).shape == (5, 2)
    assert model.reconstruct(x).shape == (5, 1, 2, 3)


def test_training_lowers_the_loss() -> None:
    model, x = small(), sg.asarray(X, np.float32)
    optimiser = Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(100):
        optimiser.zero_grad()
        loss = model.loss(x)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :5], ValueError, r"x: got shape \(5, 5\), expected \(batch, 6\)"),
        (X[0], ValueError, r"x: got shape \(6,\), expected \(batch, 6\)"),
        (X[:0], ValueError, r"x: got shape \(0, 6\), expected at least one example"),
        ((X * 255).astype(np.uint8), TypeError, "x: got an array of uint8, expected float32 or float64"),
        (X.tolist(), TypeError, "x: got list, expected an array or Tensor"),
    ],
    ids=["width", "no batch", "empty", "whole numbers", "list"],
)
def test_bad_input(x: Any, error: type[Exception], message: str) -> None:
    model = small(np.float64)
    x = sg.asarray(x) if isinstance(x, np.ndarray) else x
    for method in (model.loss, model.encode, model.reconstruct):
        with pytest.raises(error, match=message):
            method(x)


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_found(value: float) -> None:
    x = X.copy()
    x[3, 1] = x[4, 0] = value
    with pytest.raises(ValueError, match=r"x: got 2 NaN or infinite numbers, the first at \(3, 1\)"):
        small(np.float64).loss(x)


@pytest.mark.host_only
def test_large_numbers_are_no_infinite_ones() -> None:
    x = np.full((2, 6), 1e30, np.float32)  # whose squares overflow
    assert small().encode(x).shape == (2, 2)


def test_another_precision_is_named() -> None:
    with pytest.raises(TypeError, match="mix floating-point types"):
        small().loss(sg.asarray(X))


def test_a_decoder_whose_output_would_broadcast_is_refused() -> None:
    model = Autoencoder(Linear(6, 2), Linear(2, 1))
    with pytest.raises(ValueError, match=r"decoder\(z\): got shape \(5, 1\), expected \(5, 6\), like x"):
        model.loss(sg.asarray(X, np.float32))


def test_bad_sizes() -> None:
    for sizes, name in (
        ((0, 8, 2), "input_dim"),
        ((6.0, 8, 2), "input_dim"),
        (((1, -2), 8, 2), "input_dim"),
        ((6, 0, 2), "hidden_dim"),
        ((6, 8, -1), "latent_dim"),
    ):
        with pytest.raises(ValueError, match=f"{name}: got .*, expected .*positive whole number"):
            Autoencoder.dense(*sizes)
    with pytest.raises(ValueError, match=r"input_dim: got \(\), expected positive whole numbers"):
        Autoencoder.dense((), 8, 2)


def test_a_corrupted_copy_has_the_shape_of_what_it_is_a_copy_of() -> None:
    model, x = small(), sg.asarray(X, np.float32)
    assert model.loss(x, corrupted=x).item() == model.loss(x).item()
    with pytest.raises(ValueError, match="corrupted: got shape"):
        model.loss(x, corrupted=x[:2])
    with pytest.raises(TypeError, match="corrupted"):
        model.loss(x, corrupted=[[1.0]])


def test_the_score_is_raw_one_number_for_each_example() -> None:
    images = Autoencoder.dense((1, 4, 4), 8, 2, rng=RandomStream(0))
    x = sg.asarray(np.random.default_rng(3).random((5, 1, 4, 4)), np.float32)
    scores = images.anomaly_score(x)
    assert type(scores) is type(x)
    assert scores.shape == (5,)
    assert_close(scores.mean(), images.loss(x), rtol=1e-5)
    assert_close(images.anomaly_score(x[3:4]), scores[3:4], rtol=1e-5)  # no example changes another's
    with pytest.raises(ValueError, match="x: got shape"):
        images.anomaly_score(x[:, :, :3])
