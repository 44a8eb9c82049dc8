"""What a VAE refuses: each error names the argument, what was given and what is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE, Autoencoder
from scratchgen.nn import Linear

X = (np.random.default_rng(0).random((5, 6)) < 0.5).astype(np.float64)


def small(likelihood: str = "bernoulli", dtype: Any = np.float32) -> VAE:
    return VAE.dense(6, 8, 2, likelihood, rng=RandomStream(0)).to(dtype)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :5], ValueError, r"x: got shape \(5, 5\), expected \(batch, 6\)"),
        (X[0], ValueError, r"x: got shape \(6,\), expected \(batch, 6\)"),
        (X[:0], ValueError, r"x: got shape \(0, 6\), expected at least one example"),
        (X.astype(int), TypeError, "x: got an array of int64, expected float32 or float64"),
        (X.tolist(), TypeError, "x: got list, expected an array or Tensor"),
    ],
    ids=["width", "no batch", "empty", "whole numbers", "list"],
)
def test_bad_input(x: Any, error: type[Exception], message: str) -> None:
    model = small(dtype=np.float64)
    x = sg.asarray(x) if isinstance(x, np.ndarray) else x
    rng = RandomStream(0)
    for call in (model.loss, model.elbo, model.log_marginal, lambda x, rng: model.encode(x)):
        with pytest.raises(error, match=message):
            call(x, rng)


def test_another_precision_is_named() -> None:
    with pytest.raises(TypeError, match="mix floating-point types"):
        small().loss(sg.asarray(X), RandomStream(0))


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found(likelihood: str, value: float) -> None:
    model, x, rng = small(likelihood, np.float64), X.copy(), RandomStream(0)
    x[3, 1] = value
    for call in (model.loss, model.elbo, model.log_marginal, lambda x, rng: model.encode(x)):
        with pytest.raises(ValueError, match=r"x: got 1 NaN or infinite numbers, the first at \(3, 1\)"):
            call(x, rng)


@pytest.mark.host_only
def test_a_bernoulli_takes_numbers_between_zero_and_one() -> None:
    rng = RandomStream(0)
    for x, given in ((X * 255, "0 to 255"), (X - 0.5, "-0.5 to 0.5")):
        for call in (small(dtype=np.float64).loss, small(dtype=np.float64).log_marginal):
            with pytest.raises(
                ValueError, match=f"x: got numbers from {given}, expected 0 to 1; scale the data"
            ):
                call(x, rng)
        small("normal", np.float64).loss(x, rng)
    small(dtype=np.float64).loss(X / 2, rng)  # grey values may pass


@pytest.mark.parametrize("rng", [0, None, np.random.default_rng(0)])
def test_randomness_comes_from_a_stream(rng: Any) -> None:
    model, x = small(), sg.asarray(X, np.float32)
    for call in (
        lambda: model.loss(x, rng),
        lambda: model.sample(2, rng),
        lambda: model.log_marginal(x, rng),
    ):
        with pytest.raises(TypeError, match=r"rng: got .*, expected a .*RandomStream"):
            call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"likelihood": "gaussian"}, "likelihood: got 'gaussian', expected one of 'bernoulli', 'normal'"),
        ({"beta": -0.1}, r"beta: got -0.1, expected a number in \[0, inf\)"),
        ({"beta": np.nan}, "beta: got nan"),
        ({"beta": "1"}, "beta: got '1'"),
        ({"sigma": 0.1}, "sigma: got 0.1 with likelihood 'bernoulli', expected it with 'normal'"),
        ({"likelihood": "normal", "sigma": 0.0}, r"sigma: got 0.0, expected a number in \(0, inf\)"),
        ({"likelihood": "normal", "sigma": -1.0}, "sigma: got -1.0"),
        ({"input_dim": 0}, "input_dim: got 0, expected a positive whole number"),
        ({"input_dim": (1, 0)}, r"input_dim: got \(1, 0\), expected positive whole numbers"),
        ({"hidden_dim": -8}, "hidden_dim: got -8"),
        ({"latent_dim": 0}, "latent_dim: got 0"),
        ({"latent_dim": 2.0}, "latent_dim: got 2.0"),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VAE.dense(**{"input_dim": 6, "hidden_dim": 8, "latent_dim": 2, **options})


def test_bad_numbers_of_samples() -> None:
    model, x, rng = small(), sg.asarray(X, np.float32), RandomStream(0)
    for n in (-1, 2.5, "3", None):
        with pytest.raises(ValueError, match=r"n: got .*, expected a whole number, 0 or more"):
            model.sample(n, rng)
    for samples, chunk, name in ((0, 5, "samples"), (2.5, 5, "samples"), (5, 0, "chunk")):
        with pytest.raises(ValueError, match=f"{name}: got .*, expected a positive whole number"):
            model.log_marginal(x, rng, samples, chunk)


def test_networks_of_wrong_sizes_are_named() -> None:
    x, rng = sg.asarray(X, np.float32), RandomStream(0)
    for width in (3, 5):
        with pytest.raises(
            ValueError, match=r"(mu|log_var) of encoder\(x\): got shape \(5, .\), expected \(5, 2\)"
        ):
            VAE(Linear(6, width), Linear(2, 6), 2).loss(x, rng)
    broadcasting = VAE(Linear(6, 4), Linear(2, 1), 2)
    with pytest.raises(ValueError, match=r"decoder\(z\): got shape \(5, 1\), expected \(5, 6\), like x"):
        broadcasting.loss(x, rng)
    with pytest.raises(
        ValueError, match=r"decoder\(z\): got shape \(7, 5, 1\), expected \(7, 5, 6\), like x"
    ):
        broadcasting.log_marginal(x, rng, samples=7)


def test_codes_are_checked_by_name() -> None:
    for model in (VAE.dense(6, 5, 2), Autoencoder.dense(6, 5, 2)):
        with pytest.raises(TypeError, match="z: got list, expected an array or Tensor"):
            model.decode([[0.0, 0.0]])
        with pytest.raises(ValueError, match=r"z: got shape \(2,\), expected \(batch, "):
            model.decode(sg.asarray([0.0, 0.0]))
    with pytest.raises(ValueError, match=r"z: got shape \(4, 3\), expected \(batch, ..., 2\)"):
        VAE.dense(6, 5, 2).decode(sg.asarray(np.zeros((4, 3), np.float32)))


def test_encoder_and_decoder_are_modules() -> None:
    with pytest.raises(TypeError, match="encoder: got int, expected Module"):
        VAE(1, 2, 2)
    with pytest.raises(TypeError, match="decoder: got int, expected Module"):
        Autoencoder(Linear(2, 1), 2)
