"""DDPM: shapes, dtypes, reproducibility, labels and training. Its equations are in ``tests/derivations``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import cosine_schedule, drop_labels, linear_schedule
from scratchgen.networks import TimeMLP, UNet
from scratchgen.optim import Adam, ExponentialMovingAverage

VARIANCES = ["fixed-small", "fixed-large", "learned"]
PREDICTIONS = ["noise", "x0", "v"]
X = np.random.default_rng(0).uniform(-1, 1, size=(5, 1, 4, 4))
LABELS = np.array([0, 2, 1, 0, 2])


def images(variance: str = "fixed-small", dtype: Any = np.float32, **options: Any) -> DDPM:
    classes = options.get("classes")
    network = UNet(
        1,
        2 if variance == "learned" else 1,
        width=8,
        multipliers=(1, 2),
        groups=4,
        classes=None if classes is None else classes + 1,
        rng=RandomStream(0),
    )
    return DDPM(network, linear_schedule(12), (1, 4, 4), variance, **options).to(dtype)


def vectors(variance: str = "fixed-small", dtype: Any = np.float32, **options: Any) -> DDPM:
    out = 4 if variance == "learned" else 2
    return DDPM(
        TimeMLP(2, 16, out_features=out, rng=RandomStream(0)), cosine_schedule(20), (2,), variance, **options
    ).to(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("variance", VARIANCES)
def test_shapes_and_dtypes(variance: str, prediction: str, dtype: Any) -> None:
    rng = RandomStream(0)
    for model, x in (
        (images(variance, dtype, prediction=prediction), sg.asarray(X, dtype)),
        (vectors(variance, dtype, prediction=prediction), sg.asarray(X.reshape(-1, 2), dtype)),
    ):
        n, t = len(x), sg.asarray(np.arange(len(x)) % 12 + 1)
        q, p = model.q_posterior(x, x, t), model.reverse(x, t)
        results = {
            x.shape: (
                model.q_sample(x, t, x),
                q.mean,
                p.mean,
                p.variance,
                model(x, t),
                model.predict_x0(x, t),
            ),
            (n,): (
                model.bound(x, rng),
                model.bits_per_dim(x, rng, steps=3),
                *model.terms_at(x, t, rng).values(),
            ),
            (): (*model.loss_terms(x, rng).values(), model.loss(x, rng), model.bound_loss(x, rng)),
            (3, *x.shape[1:]): (model.sample(3, rng), model.ddim_sample(3, rng, 4, 0.5)),
            (0, *x.shape[1:]): (model.sample(0, rng),),
        }
        for shape, arrays in results.items():
            for array in arrays:
                assert array.shape == shape
                assert array.dtype == dtype
        for array in (*results[(n,)], *results[(3, *x.shape[1:])]):
            assert not isinstance(array, sg.Tensor)
        gradients = sg.grad(model.loss(x, rng), list(model.parameters()))
        assert all(g.dtype == dtype for g in gradients)


def test_one_time_serves_all_examples() -> None:
    model, x = images(dtype=np.float64), sg.asarray(X)
    t = sg.asarray(np.full(5, 7))
    assert_close(model.q_sample(x, 7, x), model.q_sample(x, t, x), rtol=0)
    assert_close(model.reverse(x, 7).mean, model.reverse(x, t).mean, rtol=0)
    for one in (np.int64(7), np.array(7)):
        assert_close(model.q_posterior(x, x, one).mean, model.q_posterior(x, x, t).mean, rtol=0)


def test_all_is_fixed_by_the_stream() -> None:
    model, x = images("learned"), sg.asarray(X, np.float32)
    for call in (
        lambda rng: model.loss(x, rng),
        lambda rng: model.bound(x, rng),
        lambda rng: model.sample(2, rng),
        lambda rng: model.ddim_sample(2, rng, 3, 0.7),
    ):
        assert_close(call(RandomStream(1)), call(RandomStream(1)), rtol=0)
        assert np.abs(sg.asnumpy(call(RandomStream(1))) - sg.asnumpy(call(RandomStream(2)))).max() > 0


def test_any_function_may_be_the_network() -> None:
    model = DDPM(lambda xt, t: xt, linear_schedule(5), (2,))
    assert model.sample(3, RandomStream(0)).shape == (3, 2)
    assert model.sample(3, RandomStream(0)).dtype == np.float32
    assert model.parameter_count() == 0


@pytest.mark.parametrize("variance", VARIANCES)
def test_a_function_may_give_plain_arrays_for_a_loss_without_a_graph(variance: str) -> None:
    def network(xt: Any, t: Any) -> Any:
        return np.concatenate([xt, xt * 0 + 0.5], axis=1) if variance == "learned" else xt

    model = DDPM(network, linear_schedule(5), (2,), variance)
    x = sg.asarray(X.reshape(-1, 2))
    for value in (model.loss(x, RandomStream(0)), model.bound_loss(x, RandomStream(0))):
        assert np.isfinite(sg.asnumpy(value))


def test_samples_and_bounds_are_those_of_a_network_in_evaluation() -> None:
    modes = []

    class Noted(sg.nn.Module):
        def forward(self, xt: Any, t: Any) -> Any:
            modes.append(self.training)
            return xt * 0

    model, x = DDPM(Noted(), linear_schedule(3), (1, 4, 4)), sg.asarray(X)
    for _ in model.reverse_process(2, RandomStream(0)):
        assert model.network.training  # between two steps
    model.bound(x, RandomStream(0), steps=1)
    assert modes == [False] * 4
    model.loss(x, RandomStream(0))
    assert modes.pop()


def test_images_are_sampled_within_their_range_and_vectors_are_not() -> None:
    def wild(xt: Any, t: Any) -> Any:
        return xt * 0 + 9.0

    x = DDPM(wild, linear_schedule(5), (1, 2, 2), prediction="x0").sample(4, RandomStream(0))
    assert_close(x, np.ones((4, 1, 2, 2)), rtol=1e-5)
    x = DDPM(lambda xt, t: -wild(xt, t), linear_schedule(5), (1, 2, 2), prediction="x0").sample(
        4, RandomStream(0)
    )
    assert_close(x, -np.ones((4, 1, 2, 2)), rtol=1e-5)
    x = DDPM(wild, linear_schedule(5), (2,), prediction="x0").ddim_sample(4, RandomStream(0), 2)
    assert_close(x, np.full((4, 2), 9.0), rtol=1e-5)


@pytest.mark.parametrize("variance", ["fixed-small", "fixed-large"])
def test_the_bound_of_images_is_that_of_the_steps_that_samples_take(variance: str) -> None:
    """Also where the network leaves [-1, 1], in which the x_0 that it means is kept."""
    model, x = DDPM(lambda xt, t: xt * 0, linear_schedule(6), (1, 4, 4), variance), sg.asarray(X)
    for t in (2, 6):
        eps = RandomStream(3).normal(x.shape, x.dtype)
        xt = model.q_sample(x, t, eps)
        assert np.abs(sg.asnumpy(xt)).max() > 1
        q, p = model.q_posterior(x, xt, t), model.reverse(xt, t)
        expected = sg.distributions.kl_divergence(q, p).sum(axis=(1, 2, 3))
        assert_close(model.terms_at(x, t, RandomStream(3))["bound"], expected, rtol=1e-9)


def test_what_holds_unless_told_otherwise() -> None:
    network, x = lambda xt, t: xt * 0, sg.asarray(np.round(X * 127.5 + 127.5) / 127.5 - 1)
    schedule = linear_schedule(4)
    model, told = (DDPM(network, schedule, (1, 4, 4), levels=levels) for levels in (None, 256))
    nats = sg.asnumpy(told.bound(x, RandomStream(0)))
    assert_close(model.bound(x, RandomStream(0)), nats, rtol=0)
    assert_close(model.bits_per_dim(x, RandomStream(0)), nats / (16 * np.log(2)), rtol=1e-12)
    assert DDPM(network, schedule, (3,)).levels is None
    assert model.label_dropout == 0.1


@pytest.mark.parametrize("guidance", [0.0, 2.0])
def test_samples_have_the_variance_that_the_network_chose_with_the_label(guidance: float) -> None:
    """After one step from T = 2, of a network that sees no signal: only the chosen variance is left."""

    def network(xt: Any, t: Any, labels: Any) -> Any:
        fraction = np.where(labels == 0, 0.5, 0.0)[:, None].astype(xt.dtype)
        return np.concatenate([xt * 0, xt * 0 + fraction], axis=1)

    schedule = linear_schedule(2, first=1e-4, last=1e-3)
    model = DDPM(network, schedule, (1,), "learned", "x0", classes=1)
    path = dict(model.reverse_process(40_000, RandomStream(0), labels=0, guidance=guidance))
    mean = schedule.posterior_xt_share[1] * sg.asnumpy(path[2])
    small, large = schedule.posterior_variance[1], schedule.beta[1]
    assert small < 0.8 * large
    assert_close((sg.asnumpy(path[1]) - mean).var(), np.sqrt(small * large), rtol=0.04)


def test_sampling_records_nothing_and_leaves_recording_as_it_was() -> None:
    model, x = images(), sg.asarray(X, np.float32)
    path = model.reverse_process(2, RandomStream(0), steps=3)
    for _, xt in path:
        assert not isinstance(xt, sg.Tensor)
        assert model.loss(x, RandomStream(0)).requires_grad  # between two steps
    model.bound(x, RandomStream(0), steps=2)
    assert model.loss(x, RandomStream(0)).requires_grad


def test_labels_reach_the_network_and_their_absence_too() -> None:
    seen = []

    class Seen(sg.nn.Module):
        def forward(self, xt: Any, t: Any, labels: Any) -> Any:
            seen.append(sg.asnumpy(labels).tolist())
            return xt * 0

    model, x = DDPM(Seen(), linear_schedule(3), (1, 4, 4), classes=3), sg.asarray(X)
    model.reverse(x, 2, sg.asarray(LABELS))
    model.reverse(x, 2, 1)
    model.reverse(x, 2)
    model.terms_at(x, 2, RandomStream(0))
    assert seen == [[0, 2, 1, 0, 2], [1] * 5, [3] * 5, [3] * 5]
    seen.clear()
    model.reverse(x, 2, LABELS.tolist(), guidance=0.5)
    assert seen == [[0, 2, 1, 0, 2], [3] * 5]
    seen.clear()
    model.ddim_sample(2, RandomStream(0), 1, labels=sg.asarray(np.array([2, 0])))
    assert seen == [[2, 0]]


def test_guidance_weighs_the_predictions_of_the_network() -> None:
    model, x = images(dtype=np.float64, classes=3), sg.asarray(X)
    with sg.no_grad():
        label, none = (sg.asnumpy(model(x, 4, labels)) for labels in (LABELS, None))
        assert np.abs(label - none).max() > 1e-3
        ab = model.schedule.alpha_bar[3]
        for weight in (-1.0, 0.0, 2.0):
            eps = (1 + weight) * label - weight * none
            x0 = np.clip((X - np.sqrt(1 - ab) * eps) / np.sqrt(ab), -1, 1)
            assert_close(model.predict_x0(x, 4, LABELS, guidance=weight), x0, rtol=1e-9, atol=1e-12)


@pytest.mark.equation("label-dropout")
@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5])
def test_labels_are_dropped_as_often_as_asked_for(probability: float) -> None:
    labels = RandomStream(0).integers(0, 10, (20_000,))
    dropped = drop_labels(labels, 10, probability, RandomStream(1))
    assert dropped.dtype == labels.dtype
    dropped, labels = sg.asnumpy(dropped), sg.asnumpy(labels)
    assert_mean((dropped == 10).astype(float), probability)
    assert (dropped == labels)[dropped != 10].all()


@pytest.mark.equation("label-dropout")
def test_the_loss_drops_labels_and_the_likelihood_does_not() -> None:
    seen = []

    class Seen(sg.nn.Module):
        def forward(self, xt: Any, t: Any, labels: Any) -> Any:
            seen.append(sg.asnumpy(labels))
            return xt * 0

    model = DDPM(Seen(), linear_schedule(3), (1, 4, 4), classes=3, label_dropout=0.5)
    x, labels = sg.asarray(np.tile(X, (100, 1, 1, 1))), np.tile(LABELS, 100)
    model.loss(x, RandomStream(0), labels)
    given = seen.pop()
    assert_mean((given == 3).astype(float), 0.5)
    assert (given == labels)[given != 3].all()
    model.bound(x, RandomStream(0), labels, steps=1)
    model.bound_loss(x, RandomStream(0), labels)
    assert all((given == labels).all() for given in seen)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_training_lowers_the_loss_and_the_bound(variance: str, prediction: str) -> None:
    world = sg.data.toy.eight_gaussians()
    model = vectors(variance, prediction=prediction)
    test = world.sample(2000, RandomStream(0, "test"))
    before = sg.asnumpy(model.bound(test, RandomStream(1))).mean()
    optimiser, losses = Adam(model.parameters(), lr=3e-3), []
    for step in range(400):
        optimiser.zero_grad()
        loss = model.loss(world.sample(128, RandomStream(2, step)), RandomStream(3, step))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-100:]) < np.mean(losses[:100])
    assert sg.asnumpy(model.bound(test, RandomStream(1))).mean() < before - 0.5


def test_a_trained_model_samples_its_data() -> None:
    # Two points: after a little training every sample lies near one of them, half near each.
    points = np.array([[1.0, 0.5], [-1.0, -0.5]], np.float32)
    model = DDPM(TimeMLP(2, 32, rng=RandomStream(0)), cosine_schedule(50), (2,), prediction="v")
    optimiser, average = Adam(model.parameters(), lr=5e-3), ExponentialMovingAverage(model.parameters(), 0.99)
    for step in range(600):
        x0 = sg.asarray(points)[RandomStream(0, step).integers(0, 2, (128,))]
        optimiser.zero_grad()
        model.loss(x0, RandomStream(1, step)).backward()
        optimiser.step()
        average.update()
    with average.applied():
        for x in (model.sample(500, RandomStream(2)), model.ddim_sample(500, RandomStream(2), 20)):
            distances = np.linalg.norm(sg.asnumpy(x)[:, None] - points, axis=2)
            assert np.quantile(distances.min(1), 0.8) < 0.3  # they are 2.2 apart
            assert 0.35 < (distances.argmin(1) == 0).mean() < 0.65


def test_states_move_between_equal_models() -> None:
    one, other = images("learned"), images("learned")
    other.network.initialise(RandomStream(5))
    x = sg.asarray(X, np.float32)
    assert one.loss(x, RandomStream(0)).item() != other.loss(x, RandomStream(0)).item()
    other.load_state_dict(one.state_dict())
    assert one.loss(x, RandomStream(0)).item() == other.loss(x, RandomStream(0)).item()


@pytest.mark.parametrize("variance", ["fixed-small", "learned"])
def test_a_training_step_never_waits_for_the_device(variance: str) -> None:
    from strict import host_synchronisations

    sg.use_device("strict")
    model = images(variance, classes=3)
    optimiser = Adam(model.parameters())
    x, labels = sg.asarray(X, np.float32), sg.asarray(LABELS)
    with host_synchronisations() as traffic:
        model.loss(x, RandomStream(0), labels).backward()
        optimiser.step()
        model.ddim_sample(2, RandomStream(0), 3, 0.5, labels[:2], 1.0)
    assert traffic.synchronisations == 0
