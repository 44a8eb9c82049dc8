"""VAEs with labels, levels, several sigmas and priors: shapes, files, training, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Mixture, Normal
from scratchgen.models import VAE, MixturePrior, VampPrior
from scratchgen.nn import Linear
from scratchgen.optim import Adam
from scratchgen.training import fit, load_checkpoint, save_checkpoint

X = (np.random.default_rng(0).random((12, 1, 4, 4)) < 0.4).astype(np.float32)
LABELS = np.arange(12) % 3


def vamp() -> VAE:
    model = VAE.dense((1, 4, 4), 8, 2)
    model.prior = VampPrior(X[:3], model.encoder)
    return model


FAMILY: dict[str, Any] = {
    "levels": lambda: VAE.dense((1, 4, 4), 8, 2, "categorical", levels=3),
    "levels, convolutional": lambda: VAE.convolutional((1, 4, 4), 2, (4,), "categorical", levels=3),
    "sigmas": lambda: VAE.dense((1, 4, 4), 8, 2, "normal", sigma="pixels"),
    "sigmas, convolutional": lambda: VAE.convolutional((1, 4, 4), 2, (4,), "normal", sigma="pixels"),
    "classes": lambda: VAE.dense((1, 4, 4), 8, 2, classes=3),
    "classes, convolutional": lambda: VAE.convolutional((1, 4, 4), 2, (4,), classes=3),
    "all at once": lambda: VAE.dense(
        (1, 4, 4), 8, 2, "categorical", levels=3, classes=3, prior=MixturePrior(4, 2)
    ),
    "mixture": lambda: VAE.dense((1, 4, 4), 8, 2, prior=MixturePrior(4, 2)),
    "vamp": vamp,
    "free bits": lambda: VAE.dense((1, 4, 4), 8, 2, free_bits=0.1),
}


def told(model: VAE, labels: Any = LABELS) -> dict[str, Any]:
    return {} if model.classes is None else {"labels": sg.asarray(labels)}


@pytest.mark.parametrize("name", FAMILY)
def test_shapes_dtypes_and_gradients(name: str) -> None:
    for dtype in (np.float32, np.float64):
        model = FAMILY[name]().to(dtype)
        x, rng, labels = sg.asarray(X, dtype), RandomStream(0), told(model)
        results = {
            (12, 2): [model.encode(x, **labels)],
            (12, 1, 4, 4): [model.reconstruct(x, **labels), model.sample(12, rng, **labels)],
            (12,): [
                model.elbo(x, rng, **labels),
                model.log_marginal(x, rng, 3, **labels),
                model.anomaly_score(x, rng, 2, **labels),
            ],
            (): [model.loss(x, rng, **labels)],
        }
        results[12, 1, 4, 4] += [model.sample(12, rng, noise=True), model.decode(results[12, 2][0], **labels)]
        for shape, arrays in results.items():
            for array in arrays:
                assert array.shape == shape
                assert array.dtype == dtype
        assert model.likelihood(sg.asarray(np.zeros((5, 12, 2), dtype)), **labels).shape == (5, 12, 1, 4, 4)
        assert model.sample(0, rng).shape == (0, 1, 4, 4)
        for gradient in sg.grad(model.loss(x, rng, **labels), list(model.parameters())):
            assert gradient is not None
            assert gradient.dtype == dtype


@pytest.mark.parametrize("name", ["levels", "sigmas", "classes", "mixture", "vamp", "free bits"])
def test_training_saving_and_loading(name: str, tmp_path: Path) -> None:
    model, other = FAMILY[name](), FAMILY[name]()
    x = sg.asarray(X)
    before = model.loss(x, RandomStream(1), **told(model)).item()
    data = x if model.classes is None else (x, sg.asarray(LABELS))

    def loss(batch: Any, rng: RandomStream) -> Any:
        return model.loss(batch, rng) if model.classes is None else model.loss(batch[0], rng, batch[1])

    fit(loss, data, Adam(model.parameters(), lr=1e-2), seed=0, batch_size=12, steps=40)
    assert model.loss(x, RandomStream(1), **told(model)).item() < before
    save_checkpoint(tmp_path / "model.npz", model=model)
    load_checkpoint(tmp_path / "model.npz", model=other)
    losses = [m.loss(x, RandomStream(2), **told(m)).item() for m in (model, other)]
    assert losses[0] == losses[1]


def test_the_encoder_of_a_vamp_prior_stands_once_in_the_state() -> None:
    model = vamp()
    assert sorted(model.state_dict()) == sorted(
        [*VAE.dense((1, 4, 4), 8, 2).state_dict(), "prior.pseudo_inputs"]
    )
    built = VAE(model.encoder, model.decoder, 2, prior=VampPrior(X[:3], model.encoder))
    assert sorted(built.state_dict()) == sorted(model.state_dict())
    assert built.parameter_count() == VAE.dense((1, 4, 4), 8, 2).parameter_count() + 3 * 16


def test_a_label_changes_what_is_drawn_and_all_are_drawn_without_one() -> None:
    model = FAMILY["classes"]()
    for module in (model.encoder, model.decoder):
        assert list(module.network.children())
    one, other = (sg.asnumpy(model.sample(4, RandomStream(0), labels=label)) for label in (0, 1))
    assert (one != other).any()
    codes = [sg.asnumpy(model.encode(sg.asarray(X), labels=label)) for label in (0, 1)]
    assert (codes[0] != codes[1]).any()
    mixed = sg.asnumpy(model.sample(300, RandomStream(0), labels=None))
    assert mixed.shape == (300, 1, 4, 4)
    assert "VAE: " in str(model)


def test_levels_are_drawn_as_they_are_counted() -> None:
    model = FAMILY["levels"]()
    drawn = sg.asnumpy(model.sample(50, RandomStream(0), noise=True))
    assert set(np.unique(drawn)) == {0.0, 0.5, 1.0}
    again = model.likelihood(sg.asarray(np.zeros((50, 2), np.float32))).log_prob(sg.asarray(drawn))
    assert np.isfinite(sg.asnumpy(again)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": 4}, "levels: got 4 with likelihood 'bernoulli', expected them with 'categorical' only"),
        ({"likelihood": "categorical"}, "levels: got None with likelihood 'categorical'"),
        ({"likelihood": "categorical", "levels": 1}, "levels: got 1, expected a whole number from 2 to 256"),
        ({"likelihood": "normal", "sigma": "all"}, "sigma: got 'all'"),
        ({"sigma": "pixels"}, "sigma: got pixels with likelihood 'bernoulli', expected it with 'normal'"),
        ({"classes": 0}, "classes: got 0, expected a positive whole number"),
        ({"free_bits": -1.0}, r"free_bits: got -1.0, expected a number in \[0, inf\)"),
        ({"free_bits": 0.1, "prior": MixturePrior(2, 2)}, "free_bits: got 0.1 with a prior, expected 0"),
        ({"classes": 3, "prior": VampPrior(X[:2], Linear(2, 4))}, "prior: got a VampPrior with classes"),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VAE.dense((1, 4, 4), 8, 2, **options)


def test_a_prior_is_a_module_that_has_a_density_and_draws() -> None:
    mixture = Mixture(np.zeros(2), Normal(np.zeros((2, 2)), 0.0))
    for prior in (mixture, Normal(0.0, 0.0)):
        with pytest.raises(
            TypeError, match=r"prior: got a .* distribution, expected a Module .*MixturePrior"
        ):
            VAE.dense(6, 8, 2, prior=prior)
    for prior in ("normal", Linear(2, 2), MixturePrior):
        with pytest.raises(TypeError, match=r"prior: got .*, expected None for N\(0, I\), or a Module"):
            VAE.dense(6, 8, 2, prior=prior)
    with pytest.raises(ValueError, match=r"z: got shape \(5, 2\), expected \(..., 3\)"):
        VAE.dense(6, 8, 2, prior=MixturePrior(4, 3)).loss(
            sg.asarray(np.zeros((5, 6), np.float32)), RandomStream(0)
        )
    with pytest.raises(ValueError, match="components: got 0"):
        MixturePrior(0, 2)
    with pytest.raises(TypeError, match="encoder: got str, expected Module"):
        VampPrior(X[:2], "encoder")
    with pytest.raises(ValueError, match="pseudo_inputs: got shape"):
        VampPrior(X[:0], Linear(2, 4))


def test_labels_belong_to_models_with_classes_and_are_named_otherwise() -> None:
    model, x, rng = FAMILY["classes"](), sg.asarray(X), RandomStream(0)
    for call in (
        lambda **labels: model.elbo(x, rng, **labels),
        lambda **labels: model.loss(x, rng, **labels),
        lambda **labels: model.log_marginal(x, rng, 2, **labels),
        lambda **labels: model.encode(x, **labels),
        lambda **labels: model.anomaly_score(x, rng, **labels),
    ):
        with pytest.raises(ValueError, match="labels: got none, expected one of 3 classes for each example"):
            call()
        with pytest.raises(ValueError, match=r"labels: got shape \(5,\), expected \(12,\)"):
            call(labels=LABELS[:5])
        with pytest.raises(TypeError, match="labels: got an array of float64, expected whole numbers"):
            call(labels=np.zeros(12))
    with pytest.raises(ValueError, match="labels: got some, expected none"):
        FAMILY["mixture"]().encode(x, labels=0)
    for positional in (model.elbo, model.log_marginal):
        with pytest.raises(TypeError):
            positional(x, rng, 1, 1, LABELS)


@pytest.mark.host_only
def test_a_label_that_is_no_class_and_pixels_that_have_no_level() -> None:
    with pytest.raises(IndexError, match="labels: got numbers from 3 to 3, expected 0 to 2"):
        FAMILY["classes"]().sample(2, RandomStream(0), labels=3)
    with pytest.raises(ValueError, match="x: got numbers from 0 to 255, expected 0 to 1; scale the images"):
        FAMILY["levels"]().loss(255 * X, RandomStream(0))


def test_decoders_of_wrong_sizes_are_named() -> None:
    z, encoder = sg.asarray(np.zeros((5, 2), np.float32)), Linear(6, 4)
    with pytest.raises(
        ValueError, match=r"decoder\(z\): got shape \(5, 7\), expected \(batch, channels \* 3"
    ):
        VAE(encoder, Linear(2, 7), 2, "categorical", levels=3).likelihood(z)
    with pytest.raises(ValueError, match=r"decoder\(z\): got one array, expected mean and log_var"):
        VAE(encoder, Linear(2, 6), 2, "normal", sigma="pixels").likelihood(z)
    two = VAE.dense(6, 5, 2, "normal", sigma="pixels").decoder
    with pytest.raises(ValueError, match=r"decoder\(z\): got two arrays, expected one for likelihood"):
        VAE(encoder, two, 2).likelihood(z)
    assert_close(VAE(encoder, two, 2, "normal").likelihood(z).log_var, two(z)[1])
