"""What a GAN refuses: each error names the argument, what was given and what is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import GAN
from scratchgen.nn import Linear

X = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
IMAGES = np.zeros((5, 1, 4, 4), np.float32)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"generator": abs}, TypeError, "generator: got builtin_function_or_method, expected Module"),
        ({"discriminator": None}, TypeError, "discriminator: got NoneType, expected Module"),
        ({"latent_dim": 0}, ValueError, "latent_dim: got 0, expected a positive whole number"),
        (
            {"objective": "wgan"},
            ValueError,
            "objective: got 'wgan', expected one of 'non-saturating', 'minimax', 'wasserstein-gp'",
        ),
        ({"penalty_weight": -1}, ValueError, r"penalty_weight: got -1, expected a number in \[0, inf\)"),
        ({"penalty_weight": np.nan}, ValueError, "penalty_weight: got nan, expected a number"),
        ({"classes": 2.5}, ValueError, "classes: got 2.5, expected a positive whole number"),
    ],
)
def test_bad_construction(change: Any, error: type[Exception], message: str) -> None:
    good = {"generator": Linear(2, 6), "discriminator": Linear(6, 1), "latent_dim": 2}
    with pytest.raises(error, match=message):
        GAN(**good | change)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :5], ValueError, r"x: got shape \(5, 5\), expected \(batch, 6\)"),
        (X[:0], ValueError, r"x: got shape \(0, 6\), expected at least one example"),
        (X.astype(int), TypeError, "x: got an array of int64, expected float32 or float64"),
        (X.tolist(), TypeError, "x: got list, expected an array or Tensor"),
    ],
    ids=["width", "empty", "whole numbers", "list"],
)
@pytest.mark.parametrize("objective", ["non-saturating", "wasserstein-gp"])
def test_bad_data(x: Any, error: type[Exception], message: str, objective: str) -> None:
    x = sg.asarray(x) if isinstance(x, np.ndarray) else x
    with pytest.raises(error, match=message):
        GAN.dense(6, 8, 2, objective).discriminator_loss(x, RandomStream(0))


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
def test_what_is_not_finite_is_found() -> None:
    x = X.copy()
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"x: got 1 NaN or infinite numbers, the first at \(3, 1\)"):
        GAN.dense(6, 8, 2).discriminator_loss(sg.asarray(x), RandomStream(0))


def test_networks_that_do_not_fit() -> None:
    x, rng = sg.asarray(X), RandomStream(0)
    with pytest.raises(ValueError, match=r"generator\(z\): got shape \(5, 4\), expected \(5, 6\), like x"):
        GAN(Linear(2, 4), Linear(6, 1), 2).discriminator_loss(x, rng)
    with pytest.raises(
        ValueError, match=r"discriminator\(x\): got shape \(5, 2\), expected \(5,\), or \(5, 1\)"
    ):
        GAN(Linear(2, 6), Linear(6, 2), 2).discriminator_loss(x, rng)


def model(classes: int | None = 3) -> GAN:
    return GAN.convolutional((1, 4, 4), 2, (4,), classes=classes)


def test_labels_that_are_missing_or_superfluous() -> None:
    with pytest.raises(ValueError, match="labels: got none, expected one of 3 classes for each example"):
        model().discriminator_loss(sg.asarray(IMAGES), RandomStream(0))
    for call in (
        lambda labels: model(None).discriminator_loss(sg.asarray(IMAGES), RandomStream(0), labels),
        lambda labels: model(None).generator_loss(5, RandomStream(0), labels),
        lambda labels: model(None).sample(5, RandomStream(0), labels),
    ):
        with pytest.raises(
            ValueError, match="labels: got some, expected none: the model was made without classes"
        ):
            call(sg.asarray(np.zeros(5, int)))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.zeros(4, int), ValueError, r"labels: got shape \(4,\), expected \(5,\)"),
        (np.zeros((5, 1), int), ValueError, r"labels: got shape \(5, 1\), expected \(5,\)"),
        (np.zeros(5), TypeError, "labels: got an array of float64, expected whole numbers"),
    ],
)
def test_labels_of_a_wrong_form(labels: Any, error: type[Exception], message: str) -> None:
    for call in (
        lambda labels: model().discriminator_loss(sg.asarray(IMAGES), RandomStream(0), labels),
        lambda labels: model().generator_loss(5, RandomStream(0), labels),
        lambda labels: model().sample(5, RandomStream(0), labels),
    ):
        with pytest.raises(error, match=message):
            call(sg.asarray(labels))


@pytest.mark.host_only
@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range(label: int) -> None:
    labels = sg.asarray(np.array([0, 1, 2, 0, label]))
    with pytest.raises(IndexError, match=r"labels: got numbers from .*, expected 0 to 2"):
        model().sample(5, RandomStream(0), labels)
    with pytest.raises(IndexError, match=r"labels: got numbers from .*, expected 0 to 2"):
        model().discriminator_loss(sg.asarray(IMAGES), RandomStream(0), labels)


@pytest.mark.parametrize("n", [-1, 2.5, True, "three"])
def test_a_number_of_samples_that_is_none(n: Any) -> None:
    with pytest.raises(ValueError, match=r"n: got .*, expected a whole number, 0 or more"):
        model().sample(n, RandomStream(0))
    with pytest.raises(ValueError, match=r"n: got .*, expected a positive whole number"):
        model().generator_loss(n, RandomStream(0))


@pytest.mark.parametrize("rng", [0, None, np.random.default_rng(0)])
def test_randomness_comes_from_a_stream(rng: Any) -> None:
    for call in (
        lambda: model(None).discriminator_loss(sg.asarray(IMAGES), rng),
        lambda: model(None).generator_loss(3, rng),
        lambda: model().generator_loss(3, rng),
        lambda: model().sample(3, rng),
    ):
        with pytest.raises(TypeError, match=r"rng: got .*, expected a .*RandomStream"):
            call()


def test_another_precision_is_named() -> None:
    with pytest.raises(TypeError, match="mix floating-point types"):
        GAN.dense(6, 8, 2).discriminator_loss(sg.asarray(X, np.float64), RandomStream(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (1, 6, 8)}, r"shape: got \(1, 6, 8\), expected a height and a width divisible by 4"),
        ({"latent_dim": -2}, "latent_dim: got -2, expected a positive whole number"),
        ({"features": 0}, "out_features: got 0, expected a positive whole number"),
        ({"classes": 0}, "classes: got 0, expected a positive whole number"),
    ],
)
def test_a_convolutional_model_that_cannot_be(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GAN.convolutional(**{"shape": (1, 8, 8), "latent_dim": 2} | change)
