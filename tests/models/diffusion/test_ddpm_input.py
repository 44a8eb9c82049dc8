"""What a DDPM refuses: each error names the argument, what was given and what is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import (
    discretised_normal_log_prob,
    linear_schedule,
    q_posterior,
    q_sample,
    q_step,
)

X = np.random.default_rng(0).uniform(-1, 1, size=(5, 1, 4, 4))
RNG = RandomStream(0)


def model(classes: int | None = None, **options: Any) -> DDPM:
    return DDPM(lambda xt, t, labels=None: xt, linear_schedule(10), (1, 4, 4), classes=classes, **options)


def calls(ddpm: DDPM, x: Any) -> list[Any]:
    return [
        lambda: ddpm.loss(x, RNG),
        lambda: ddpm.bound_loss(x, RNG),
        lambda: ddpm.bits_per_dim(x, RNG),
        lambda: ddpm.terms_at(x, 1, RNG),
        lambda: ddpm.q_sample(x, 1, x),
        lambda: ddpm.q_posterior(x, x, 1),
    ]


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :, :3], ValueError, r"x0: got shape \(5, 1, 3, 4\), expected \(batch, 1, 4, 4\)"),
        (X[0], ValueError, r"x0: got shape \(1, 4, 4\), expected \(batch, 1, 4, 4\)"),
        (X[:0], ValueError, r"x0: got shape \(0, 1, 4, 4\), .* at least one example"),
        ((X * 9).astype(int), TypeError, "x0: got an array of int64, expected float32 or float64"),
        (X.tolist(), TypeError, "x0: got list, expected an array or Tensor"),
    ],
    ids=["size", "no batch", "empty", "whole numbers", "list"],
)
def test_bad_data(x: Any, error: type[Exception], message: str) -> None:
    x = sg.asarray(x) if isinstance(x, np.ndarray) else x
    for call in calls(model(), x):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
def test_images_outside_their_range_and_what_is_not_finite() -> None:
    for x, given in ((X * 255, r"-25\d\.\d* to 25\d\.\d*"), (X + 1, r"0\.0\d* to 1\.\d*")):
        for call in calls(model(), x):
            with pytest.raises(
                ValueError, match=f"x0: got numbers from {given}, expected -1 to 1; pixels in"
            ):
                call()
    x = X.copy()
    x[3, 0, 1, 2] = np.nan
    for call in calls(model(), x):
        with pytest.raises(
            ValueError, match=r"x0: got 1 NaN or infinite numbers, the first at \(3, 0, 1, 2\)"
        ):
            call()


def test_bad_times() -> None:
    ddpm, x = model(), sg.asarray(X)

    def with_times(t: Any) -> list[Any]:
        return [
            lambda: ddpm.q_sample(x, t, x),
            lambda: ddpm.q_posterior(x, x, t),
            lambda: ddpm.reverse(x, t),
            lambda: ddpm(x, t),
            lambda: ddpm.terms_at(x, t, RNG),
        ]

    for t in (1.0, np.full(5, 1.0), None, True, [1, 2, 3, 4, 5.0]):
        for call in with_times(sg.asarray(t) if isinstance(t, np.ndarray) else t):
            with pytest.raises(TypeError, match=r"t: got an array of .*, expected whole numbers"):
                call()
    for call in with_times(sg.asarray(np.array([1, 2]))):
        with pytest.raises(ValueError, match=r"t: got shape \(2,\), expected \(5,\), one for each example"):
            call()


@pytest.mark.host_only
@pytest.mark.parametrize(("t", "given"), [(0, "0 to 0"), (11, "11 to 11"), ([1, 2, 3, 0, 10], "0 to 10")])
def test_times_outside_1_to_T(t: Any, given: str) -> None:
    ddpm, t = model(), np.array(t) if isinstance(t, list) else t
    for call in (
        lambda: ddpm.q_sample(X, t, X),
        lambda: ddpm.q_posterior(X, X, t),
        lambda: ddpm.reverse(X, t),
        lambda: ddpm(X, t),
        lambda: ddpm.terms_at(X, t, RNG),
    ):
        with pytest.raises(ValueError, match=f"t: got numbers from {given}, expected 1 to 10"):
            call()


@pytest.mark.host_only
@pytest.mark.parametrize("t", [0, -1, 11, [1, 2, 3, 0, 10]])
def test_times_outside_1_to_T_of_the_process_alone(t: Any) -> None:
    schedule, t = linear_schedule(10), np.array(t)
    for call in (
        lambda: q_sample(schedule, X, t, X),
        lambda: q_posterior(schedule, X, X, t),
        lambda: q_step(schedule, X, t),
    ):
        with pytest.raises(ValueError, match=r"t: got numbers from .*, expected 1 to 10"):
            call()
    for outside in (-1, 11):
        with pytest.raises(ValueError, match=f"t: got {outside}, expected a whole number from 0 to 10"):
            schedule.alpha_bar_at(outside)


def test_noise_and_noisy_data_of_wrong_shapes() -> None:
    ddpm, x = model(), sg.asarray(X)
    for given in (x[:, :, :2], x[:2]):
        with pytest.raises(ValueError, match=r"eps: got "):
            ddpm.q_sample(x, 1, given)
        with pytest.raises(ValueError, match=r"xt: got "):
            ddpm.q_posterior(x, given, 1)
    with pytest.raises(ValueError, match=r"xt: got shape \(5, 1, 4, 2\), expected \(batch, 1, 4, 4\)"):
        ddpm.reverse(x[..., :2], 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"network": 3}, TypeError, "network: got int, expected Callable, called as network"),
        (
            {"schedule": np.ones(3)},
            TypeError,
            "schedule: got ndarray, expected Schedule, such as cosine_schedule",
        ),
        (
            {"shape": ()},
            ValueError,
            r"shape: got \(\), expected positive whole numbers, such as \(1, 28, 28\)",
        ),
        ({"shape": (1, 0)}, ValueError, r"shape: got \(1, 0\)"),
        (
            {"variance": "fixed"},
            ValueError,
            "variance: got 'fixed', expected one of 'fixed-small', 'fixed-la",
        ),
        ({"prediction": "eps"}, ValueError, "prediction: got 'eps', expected one of 'noise', 'x0', 'v'"),
        ({"levels": 1}, ValueError, "levels: got 1, expected a whole number, 2 or more"),
        ({"levels": 0}, ValueError, "levels: got 0, expected a whole number, 2 or more"),
        ({"classes": 0}, ValueError, "classes: got 0, expected a positive whole number"),
        ({"label_dropout": 1.0}, ValueError, r"label_dropout: got 1.0, expected a number in \[0, 1\)"),
        ({"bound_weight": -1}, ValueError, r"bound_weight: got -1, expected a number in \[0, inf\)"),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    good = {"network": lambda xt, t: xt, "schedule": linear_schedule(10), "shape": (2,)}
    with pytest.raises(error, match=message):
        DDPM(**{**good, **options})


@pytest.mark.parametrize(
    ("variance", "channels", "message"),
    [
        ("fixed-small", 2, r"network\(xt, t\): got shape \(5, 2, 4, 4\), expected \(5, 1, 4, 4\), like xt"),
        (
            "learned",
            1,
            r"network\(xt, t\): got shape \(5, 1, 4, 4\), expected \(5, 2, 4, 4\), twice the channels",
        ),
        (
            "learned",
            3,
            r"network\(xt, t\): got shape \(5, 3, 4, 4\), expected \(5, 2, 4, 4\), twice the channels",
        ),
    ],
)
def test_the_network_has_to_fit(variance: str, channels: int, message: str) -> None:
    ddpm = DDPM(lambda xt, t: sg.cat([xt] * channels, axis=1), linear_schedule(10), (1, 4, 4), variance)
    x = sg.asarray(X)
    for call in (
        lambda: ddpm.loss(x, RNG),
        lambda: ddpm.bits_per_dim(x, RNG),
        lambda: ddpm.reverse(x, 1),
        lambda: ddpm.sample(5, RNG),
        lambda: ddpm.ddim_sample(5, RNG, 2),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_the_network_has_to_give_something() -> None:
    ddpm = DDPM(lambda xt, t: None, linear_schedule(10), (1, 4, 4))
    with pytest.raises(TypeError, match=r"network\(xt, t\): got NoneType, expected an array or Tensor"):
        ddpm.sample(2, RNG)


def test_bad_labels() -> None:
    x, some = sg.asarray(X), sg.asarray(np.array([0, 1, 2, 0, 1]))

    def labelled(ddpm: DDPM, labels: Any) -> list[Any]:
        return [
            lambda: ddpm.loss(x, RNG, labels),
            lambda: ddpm.bound(x, RNG, labels),
            lambda: ddpm.reverse(x, 1, labels),
            lambda: ddpm.sample(5, RNG, labels),
            lambda: ddpm.ddim_sample(5, RNG, 2, labels=labels),
        ]

    for call in labelled(model(), some):
        with pytest.raises(
            ValueError, match="labels: got some, expected none: the model was made without cl"
        ):
            call()
    for call in labelled(model(classes=3), some[:4]):
        with pytest.raises(
            ValueError, match=r"labels: got shape \(4,\), expected \(5,\), one for each example"
        ):
            call()
    for call in labelled(model(classes=3), sg.asarray(np.zeros(5))):
        with pytest.raises(TypeError, match="labels: got an array of float64, expected whole numbers"):
            call()


@pytest.mark.host_only
@pytest.mark.parametrize("label", [-1, 3])
def test_labels_of_no_class(label: int) -> None:
    ddpm = model(classes=3)
    for call in (
        lambda: ddpm.loss(X, RNG, np.full(5, label)),
        lambda: ddpm.sample(2, RNG, label),
        lambda: ddpm.ddim_sample(2, RNG, 2, labels=[0, label]),
    ):
        with pytest.raises(IndexError, match=r"labels: got numbers from .* expected 0 to 2"):
            call()


def test_bad_sampling() -> None:
    ddpm = model(classes=3)
    for n in (-1, 2.5, "3", None):
        with pytest.raises(ValueError, match=r"n: got .*, expected a whole number, 0 or more"):
            ddpm.sample(n, RNG)
    for steps in (11, 1000):
        with pytest.raises(ValueError, match=f"steps: got {steps}, expected a whole number from 1 to 10"):
            ddpm.ddim_sample(2, RNG, steps)
        with pytest.raises(ValueError, match=f"steps: got {steps}, expected a whole number from 1 to 10"):
            ddpm.bits_per_dim(sg.asarray(X), RNG, steps=steps)
    for steps in (0, -1, 2.5, None):
        with pytest.raises(ValueError, match=r"steps: got .*, expected a whole number from 1 to 10"):
            ddpm.ddim_sample(2, RNG, steps)
    for eta in (-0.1, 1.1, np.nan, "1", None):
        with pytest.raises(ValueError, match=r"eta: got .*, expected a number in \[0, 1\]"):
            ddpm.ddim_sample(2, RNG, 2, eta)
    for guidance in (np.nan, np.inf, "1", None):
        with pytest.raises(ValueError, match=r"guidance: got .*, expected a number in \(-inf, inf\)"):
            ddpm.sample(2, RNG, 1, guidance)
    with pytest.raises(ValueError, match=r"guidance: got 2.0 without labels, expected 0"):
        ddpm.sample(2, RNG, guidance=2.0)


def test_errors_come_before_the_first_of_a_thousand_steps() -> None:
    with pytest.raises(ValueError, match="steps: got 11"):
        model().reverse_process(2, RNG, steps=11)  # not when the first of them is asked for


@pytest.mark.parametrize("rng", [0, None, np.random.default_rng(0)])
def test_randomness_comes_from_a_stream(rng: Any) -> None:
    ddpm, x = model(), sg.asarray(X)
    for call in (
        lambda: ddpm.loss(x, rng),
        lambda: ddpm.bound_loss(x, rng),
        lambda: ddpm.bits_per_dim(x, rng),
        lambda: ddpm.sample(2, rng),
        lambda: ddpm.ddim_sample(2, rng, 2),
    ):
        with pytest.raises(TypeError, match=r"rng: got .*, expected a .*RandomStream"):
            call()


def test_one_level_is_none() -> None:
    x = sg.asarray(np.zeros(3))
    with pytest.raises(ValueError, match="levels: got 1, expected a whole number, 2 or more"):
        discretised_normal_log_prob(x, x, x, levels=1)


def test_the_probability_flow_refuses_what_it_cannot_do() -> None:
    ddpm, x = model(), sg.asarray(X)
    with pytest.raises(ValueError, match="steps: got 11, expected a whole number from 1 to 10"):
        ddpm.ode_sample(2, RNG, steps=11)
    with pytest.raises(ValueError, match="steps: got 10, expected a whole number from 1 to 9"):
        ddpm.ode_log_prob(x, steps=10)
    with pytest.raises(ValueError, match="probes: got 0, expected a positive whole number"):
        ddpm.ode_log_prob(x, RNG, steps=5, probes=0)
    with pytest.raises(TypeError, match="rng: got None"):
        ddpm.ode_log_prob(x, steps=5, probes=1)
    with pytest.raises(ValueError, match=r"guidance: got 1\.0 without labels"):
        ddpm.ode_sample(2, RNG, 5, guidance=1.0)
    with pytest.raises(ValueError, match="x0: got shape"):
        ddpm.ode_log_prob(x[:, :, :3], steps=5)
