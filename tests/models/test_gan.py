"""GAN: parameters, losses, gradients and samples. Its equations are in ``tests/derivations``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import GAN
from scratchgen.models.gan import OBJECTIVES, discriminator_loss
from scratchgen.nn import BatchNorm1d, BatchNorm2d, Linear, Module, Parameter, Sequential

SHAPE = (1, 4, 8)
X = np.tanh(np.random.default_rng(0).normal(size=(6, *SHAPE)))
LABELS = np.array([0, 1, 2, 0, 1, 2])


def conditional(objective: str = "non-saturating", dtype: Any = np.float64) -> GAN:
    rng = RandomStream(0)
    model = GAN.convolutional(SHAPE, 3, (4, 6), objective, classes=3, features=5, rng=rng)
    return model.to(dtype)


def gradients(module: Module) -> list[Any]:
    return [parameter.grad for parameter in module.parameters()]


def test_the_layers_of_the_convolutional_model() -> None:
    text = str(GAN.convolutional((1, 28, 28), 64, (32, 64), classes=10))
    rows = [re.split(" {2,}", line) for line in text.splitlines() if line.startswith(("net", "fea", "emb"))]
    assert [(layer.partition("(")[0], shape, count) for _, layer, shape, count in rows] == [
        ("Linear", "(batch, 3136)", "404,544"),
        ("Unflatten", "(batch, 64, 7, 7)", "0"),
        ("BatchNorm2d", "(batch, 64, 7, 7)", "128"),
        ("ReLU", "(batch, 64, 7, 7)", "0"),
        ("ConvTranspose2d", "(batch, 32, 14, 14)", "32,800"),
        ("BatchNorm2d", "(batch, 32, 14, 14)", "64"),
        ("ReLU", "(batch, 32, 14, 14)", "0"),
        ("ConvTranspose2d", "(batch, 1, 28, 28)", "513"),
        ("Tanh", "(batch, 1, 28, 28)", "0"),
        ("Embedding", "(batch, 64)", "640"),
        ("Conv2d", "(batch, 32, 14, 14)", "544"),
        ("LeakyReLU", "(batch, 32, 14, 14)", "0"),
        ("Conv2d", "(batch, 64, 7, 7)", "32,832"),
        ("LeakyReLU", "(batch, 64, 7, 7)", "0"),
        ("Flatten", "(batch, 3136)", "0"),
        ("Linear", "(batch, 128)", "401,536"),
        ("LeakyReLU", "(batch, 128)", "0"),
        ("Embedding", "(batch, 128)", "1,280"),
    ]
    assert "ConditionalGenerator: 438,689 parameters" in text
    assert "ProjectionDiscriminator: 436,321 parameters" in text


def test_the_layers_of_the_dense_model() -> None:
    assert str(GAN.dense(2, 64, 8)).splitlines() == [
        "generator",
        "layer                  output shape  parameters",
        "-----------------------------------------------",
        "0  Linear(8, 64)       (batch, 64)          576",
        "1  LeakyReLU(0.2)      (batch, 64)            0",
        "2  Linear(64, 64)      (batch, 64)        4,160",
        "3  LeakyReLU(0.2)      (batch, 64)            0",
        "4  Linear(64, 2)       (batch, 2)           130",
        "5  Unflatten(1, (2,))  (batch, 2)             0",
        "-----------------------------------------------",
        "Sequential: 4,866 parameters",
        "",
        "discriminator",
        "layer              output shape  parameters",
        "-------------------------------------------",
        "0  Flatten()       (batch, 2)             0",
        "1  Linear(2, 64)   (batch, 64)          192",
        "2  LeakyReLU(0.2)  (batch, 64)            0",
        "3  Linear(64, 64)  (batch, 64)        4,160",
        "4  LeakyReLU(0.2)  (batch, 64)            0",
        "5  Linear(64, 1)   (batch, 1)            65",
        "-------------------------------------------",
        "Sequential: 4,417 parameters",
    ]


def test_weights_are_fixed_by_the_stream() -> None:
    def make(seed: int) -> Any:
        return GAN.convolutional(SHAPE, 3, (4,), classes=3, rng=RandomStream(seed)).state_dict()

    one, same, other = make(0), make(0), make(1)
    assert all((one[name] == same[name]).all() for name in one)
    assert (one["generator.embedding.weight"] != other["generator.embedding.weight"]).any()
    assert (one["discriminator.linear.weight"] != other["discriminator.linear.weight"]).any()


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes(objective: str, dtype: Any) -> None:
    x, rng = sg.asarray(X, dtype), RandomStream(0)
    for model, labels in (
        (GAN.dense(SHAPE, 7, 3, objective).to(dtype), None),
        (conditional(objective, dtype), sg.asarray(LABELS)),
    ):
        terms = model.discriminator_terms(x, rng, labels)
        losses = [terms["loss"], model.generator_loss(4, rng)]
        for value in (*terms.values(), *losses):
            assert value.shape == ()
        for loss in losses:
            assert loss.dtype == dtype
        found = sg.grad(losses[0] + losses[1], list(model.parameters()))
        assert all(gradient.dtype == dtype for gradient in found)
        sample = model.sample(5, rng)
        assert sample.shape == (5, *SHAPE)
        assert sample.dtype == dtype
        assert not isinstance(sample, sg.Tensor)
        assert model.sample(0, rng).shape == (0, *SHAPE)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_discriminators_step_leaves_the_generators_gradients_untouched(objective: str) -> None:
    model = conditional(objective)
    model.discriminator_loss(sg.asarray(X), RandomStream(0), sg.asarray(LABELS)).backward()
    assert all(gradient is None for gradient in gradients(model.generator))
    kept = [sg.asarray(np.full(p.shape, 7.0)) for p in model.generator.parameters()]
    for parameter, gradient in zip(model.generator.parameters(), kept, strict=True):
        parameter.grad = gradient
    model.discriminator_loss(sg.asarray(X), RandomStream(0), sg.asarray(LABELS)).backward()
    for gradient in gradients(model.generator):
        assert_close(gradient, np.full(gradient.shape, 7.0))
    # All of the critic's parameters but its bias, which both terms of its loss share, have a gradient.
    flat = [name for name, p in model.discriminator.named_parameters() if not sg.asnumpy(p.grad).any()]
    assert flat in ([], ["linear.bias"])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_generators_gradient_is_not_zero_in_any_parameter(objective: str) -> None:
    model = conditional(objective)
    model.generator_loss(9, RandomStream(0), sg.asarray(np.arange(9) % 3)).backward()
    for name, parameter in model.generator.named_parameters():
        # What is added before a batch norm it takes away again; the label's embedding is for all classes.
        assert np.abs(sg.asnumpy(parameter.grad)).max() > (0 if "bias" in name else 1e-6), name


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_gradients_are_those_of_the_losses(objective: str) -> None:
    """Along one random direction in all parameters of a player, by central differences."""
    model = GAN.dense(SHAPE, 5, 2, objective, rng=RandomStream(0)).to(np.float64)
    x = sg.asarray(X)
    losses = {
        "discriminator": lambda: model.discriminator_loss(x, RandomStream(1)),
        "generator": lambda: model.generator_loss(6, RandomStream(1)),
    }
    for name, loss in losses.items():
        parameters = list(getattr(model, name).parameters())
        rng = np.random.default_rng(0)
        directions = [sg.asarray(rng.normal(size=p.shape)) for p in parameters]
        found = sum(
            float(sg.asnumpy((g * d).sum()))
            for g, d in zip(sg.grad(loss(), parameters), directions, strict=True)
        )
        values = []
        for step in (1e-6, -2e-6):
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter.data[...] += step * direction
            values.append(float(sg.asnumpy(loss())))
        assert found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-6)


def test_accuracy_counts_what_is_told_apart() -> None:
    """Data at 2 and -1, samples 0, logit x - 0.5: one of two data is called real, and no sample is."""
    model = GAN(Linear(1, 1), Linear(1, 1), 1).to(np.float64)
    model.generator.load_state_dict({"weight": [[0.0]], "bias": [0.0]})
    model.discriminator.load_state_dict({"weight": [[1.0]], "bias": [-0.5]})
    x = sg.asarray(np.array([[2.0], [-1.0]]))
    terms = model.discriminator_terms(x, RandomStream(0))
    assert_close(terms["accuracy"], 0.75)
    critic = GAN(model.generator, model.discriminator, 1, "wasserstein-gp")
    assert_close(critic.discriminator_terms(x, RandomStream(0))["accuracy"], 0.5)


def test_a_critics_accuracy_is_counted_over_all_pairs() -> None:
    """Data 1 and 3, samples 0 and 2 by their order: of four pairs three are ranked right, of two both."""
    model = GAN(InTurn([0.0, 2.0]), Linear(1, 1), 1, "wasserstein-gp").to(np.float64)
    model.discriminator.load_state_dict({"weight": [[1.0]], "bias": [0.0]})
    x = sg.asarray(np.array([[1.0], [3.0]]))
    assert_close(model.discriminator_terms(x, RandomStream(0))["accuracy"], 0.75)


class InTurn(Module):
    """Given numbers, whatever the noise."""

    def __init__(self, values: list[float]) -> None:
        self.values = Parameter(np.array(values)[:, None])

    def forward(self, z: Any) -> Any:
        return self.values + 0 * z


class Same(Module):
    """Every example becomes the same number: a player who has learnt nothing."""

    def __init__(self, value: float) -> None:
        self.value = value

    def forward(self, x: Any) -> Any:
        return x[:, :1] * 0 + self.value


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("value", [-3.0, 0.0, 3.0])
def test_who_says_the_same_of_all_is_guessing(objective: str, value: float) -> None:
    model = GAN(Linear(2, 3), Same(value), 2, objective).to(np.float64)
    terms = model.discriminator_terms(sg.asarray(np.ones((4, 3))), RandomStream(0))
    assert_close(terms["accuracy"], 0.5)


def test_a_generator_may_have_no_parameters() -> None:
    model = GAN(Same(7.0), Linear(1, 1), 2)
    assert_close(model.sample(3, RandomStream(0)), np.full((3, 1), 7.0))
    assert (
        model.discriminator_loss(sg.asarray(np.ones((4, 1), np.float32)), RandomStream(0)).dtype == np.float32
    )


def test_the_discriminator_sees_samples_as_the_generator_is_trained_to_make_them() -> None:
    """Batch norm by the batch, in both players' steps: only `sample` takes the running statistics."""
    model, modes = conditional(), []
    forward = model.generator.forward

    def note(z: Any, labels: Any) -> Any:
        modes.append(model.generator.training)
        return forward(z, labels)

    model.generator.forward = note  # type: ignore[method-assign]
    model.discriminator_loss(sg.asarray(X), RandomStream(0), sg.asarray(LABELS))
    model.generator_loss(6, RandomStream(0))
    model.sample(6, RandomStream(0))
    assert modes == [True, True, False]


def test_the_samples_get_the_labels_of_the_data() -> None:
    model, rng = conditional(), RandomStream(3)
    loss = model.discriminator_loss(sg.asarray(X), RandomStream(3), sg.asarray(LABELS))
    with sg.no_grad():
        labels = sg.asarray(LABELS)
        fake = model(rng.normal((6, 3), np.float64), labels)
        expected = discriminator_loss(model.logits(sg.asarray(X), labels), model.logits(fake, labels))
    assert_close(loss, expected, rtol=1e-12)


def test_the_label_changes_the_sample_and_what_is_said_of_it() -> None:
    model = conditional()
    samples = [sg.asnumpy(model.sample(1, RandomStream(0), sg.asarray(np.array([c])))) for c in range(3)]
    assert all(np.abs(samples[0] - other).max() > 0.01 for other in samples[1:])
    first = sg.asarray(X[:1])
    with sg.no_grad():
        logits = [float(sg.asnumpy(model.logits(first, sg.asarray(np.array([c])))[0])) for c in range(3)]
    assert len(set(logits)) == 3


def test_labels_that_are_left_out_are_drawn_from_all_classes() -> None:
    model, drawn = conditional(), []

    def note(z: Any, labels: Any) -> Any:
        drawn.append(sg.asnumpy(labels))
        return z

    model.generator.forward = note  # type: ignore[method-assign]
    model.sample(3000, RandomStream(0))
    counts = np.bincount(drawn[0], minlength=3)
    assert len(counts) == 3
    assert abs(counts - 1000).max() < 130  # five standard deviations


def test_a_sample_depends_on_no_other_and_changes_nothing() -> None:
    """Batch norm is in evaluation while samples are drawn, and goes on in training as it was."""
    model = conditional()
    model.generator.network[0][2].eval()
    before, modes = model.state_dict(), [m.training for _, m in model.named_modules()]
    first = model.sample(4, RandomStream(0), sg.asarray(np.zeros(4, int)))
    z = RandomStream(0).normal((4, 3), np.float64)
    with sg.no_grad():
        alone = model.eval()(z[:1], sg.asarray(np.zeros(1, int)))
    assert_close(first[:1], alone, rtol=1e-9)
    model.train()
    model.generator.network[0][2].eval()
    assert [m.training for _, m in model.named_modules()] == modes
    assert all((before[name] == array).all() for name, array in model.state_dict().items())


def test_samples_are_fixed_by_the_stream() -> None:
    model = conditional()
    one, same, other = (sg.asnumpy(model.sample(4, RandomStream(seed))) for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()


def test_losses_may_be_had_without_a_graph() -> None:
    """For a test loss: also the penalty's, which needs the critic's gradient even so."""
    for objective in OBJECTIVES:
        model = GAN.dense(SHAPE, 5, 2, objective, rng=RandomStream(0)).to(np.float64)
        recorded = model.discriminator_loss(sg.asarray(X), RandomStream(1))
        with sg.no_grad():
            plain = model.discriminator_loss(sg.asarray(X), RandomStream(1))
        assert_close(plain, recorded, rtol=1e-12)
        assert not getattr(plain, "requires_grad", False)


def test_batch_norm_has_a_small_eps_and_is_in_the_generator_only() -> None:
    """With 0.8 for 1e-5, as a popular GAN has it, a normalised feature is not normalised at all."""
    model = GAN.convolutional(SHAPE, 3, (4, 6))
    norms = [m for _, m in model.generator.named_modules() if isinstance(m, BatchNorm2d)]
    assert [norm.eps for norm in norms] == [1e-5, 1e-5]
    assert not any(isinstance(m, BatchNorm2d) for _, m in model.discriminator.named_modules())


def test_images_are_between_minus_one_and_one() -> None:
    samples = np.abs(sg.asnumpy(conditional().sample(50, RandomStream(0))))
    assert 0.01 < samples.max() <= 1


def test_a_discriminator_may_give_a_column() -> None:
    generator, column = Linear(2, 3), Linear(3, 1)
    for discriminator in (column, Sequential(column, sg.nn.Flatten(0))):
        model = GAN(generator, discriminator, 2)
        assert model.discriminator_loss(sg.asarray(np.ones((4, 3), np.float32)), RandomStream(0)).shape == ()


def test_a_batch_norm_in_a_critic_is_refused() -> None:
    critic = Sequential(Linear(3, 4), Sequential(BatchNorm1d(4)), Linear(4, 1))
    GAN(Linear(2, 3), critic, 2)
    with pytest.raises(ValueError, match=r"discriminator: got a BatchNorm1d \(1.0\) with 'wasserstein-gp'"):
        GAN(Linear(2, 3), critic, 2, "wasserstein-gp")
