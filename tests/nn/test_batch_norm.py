"""BatchNorm1d: statistics of the batch in training, running ones in evaluation, and every derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.nn import BatchNorm1d, BatchNorm2d

X = np.random.default_rng(0).normal(2, 3, (6, 3))


def layer_with(weight: Any, bias: Any, **options: Any) -> BatchNorm1d:
    layer = BatchNorm1d(len(weight), **options).to(np.float64)
    layer.weight.data[...] = sg.asarray(weight, np.float64)
    layer.bias.data[...] = sg.asarray(bias, np.float64)
    return layer


def test_training_uses_the_batchs_mean_and_biased_variance() -> None:
    layer = layer_with([1.0, 2.0, -3.0], [0.5, 0.0, 1.0])
    expected = (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-5) * [1.0, 2.0, -3.0] + [0.5, 0.0, 1.0]
    assert_close(layer(sg.asarray(X)), expected, rtol=1e-12)


def test_running_statistics_follow_with_the_unbiased_variance() -> None:
    layer = BatchNorm1d(3, momentum=0.25).to(np.float64)
    mean, variance = np.zeros(3), np.ones(3)
    for i, batch in enumerate((X, X[:4] * 2, X[1:])):
        layer(sg.asarray(batch))
        mean = 0.75 * mean + 0.25 * batch.mean(0)
        variance = 0.75 * variance + 0.25 * batch.var(0, ddof=1)
        assert_close(layer.running_mean, mean, rtol=1e-12)
        assert_close(layer.running_var, variance, rtol=1e-12)
        assert layer.num_batches_tracked.item() == i + 1


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    layer = layer_with([1.0, 2.0, -3.0], [0.5, 0.0, 1.0])
    layer(sg.asarray(X))
    layer.eval()
    before = layer.state_dict()
    mean, variance = before["running_mean"], before["running_var"]
    one = X[:1]  # a single example will do
    expected = (one - mean) / np.sqrt(variance + 1e-5) * [1.0, 2.0, -3.0] + [0.5, 0.0, 1.0]
    assert_close(layer(sg.asarray(one)), expected, rtol=1e-12)
    for name, array in layer.state_dict().items():
        assert_close(array, before[name])


def test_eps_is_inside_the_root() -> None:
    x = np.array([[-1e-3], [1e-3]])  # variance 1e-6
    y = layer_with([1.0], [0.0], eps=3e-6)(sg.asarray(x))
    assert_close(y, x / np.sqrt(1e-6 + 3e-6), rtol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_to_the_second_derivative(training: bool, check_layer: Callable[..., float]) -> None:
    layer = layer_with([1.0, 2.0, -0.5], [0.5, 0.0, 1.0])
    layer.running_mean.data[...] = sg.asarray([1.0, -1.0, 0.5], np.float64)
    layer.running_var.data[...] = sg.asarray([0.5, 2.0, 3.0], np.float64)
    check_layer(layer.train(training), X[:4])


def test_the_third_derivative_by_input_and_weight() -> None:
    layer = BatchNorm1d(1, eps=0.1).to(np.float64)

    def function(x: Any, weight: Any) -> Any:
        layer.weight = weight
        return layer(x)

    check_gradients(function, X[:3, :1], [1.5], order=3)


def test_in_training_the_gradient_flows_through_the_statistics() -> None:
    # The output does not change if all of a feature moves or grows, so the gradient is orthogonal to both.
    x = sg.tensor(X, requires_grad=True)
    g = sg.asarray(RandomStream(0).normal(X.shape, np.float64))
    gradient = sg.asnumpy(sg.grad(layer_with(np.ones(3), np.zeros(3), eps=0.0)(x), x, g)[0])
    assert_close(gradient.sum(0), np.zeros(3), atol=1e-14)
    assert_close((gradient * X).sum(0), np.zeros(3), atol=1e-14)
    assert np.abs(gradient).max() > 0.01


def test_float32_stays_float32_and_no_graph_is_kept_in_the_buffers() -> None:
    layer = BatchNorm1d(3)
    y = layer(sg.tensor(X, requires_grad=True, dtype=np.float32))
    assert y.dtype == layer.running_mean.dtype == layer.running_var.dtype == np.float32
    assert not layer.running_mean.requires_grad
    assert layer.running_mean.origin is None


def test_raw_arrays_and_tensors_move_the_statistics_alike() -> None:
    one, other = BatchNorm1d(3), BatchNorm1d(3)
    x = sg.asarray(X, np.float32)
    assert_close(one(x), other(sg.tensor(x, requires_grad=True)), rtol=1e-5)
    assert_close(one.running_var, sg.asnumpy(other.running_var), rtol=1e-5)


def test_errors() -> None:
    layer = BatchNorm1d(3)
    before = layer.state_dict()
    with pytest.raises(ValueError, match=r"got shape \(6, 2\), expected .* length\) with 3 features"):
        layer(sg.asarray(X[:, :2], np.float32))
    with pytest.raises(ValueError, match=r"x: got shape \(3,\)"):
        layer(sg.asarray(X[0], np.float32))
    with pytest.raises(ValueError, match="got 1 value per feature in training, expected at least 2"):
        layer(sg.asarray(X[:1], np.float32))
    with pytest.raises(TypeError, match="mix floating-point types"):
        layer(sg.tensor(X, dtype=np.float64))
    with pytest.raises(TypeError, match="x: got an array of int64, expected float32 or float64"):
        layer(sg.asarray(X.astype(np.int64)))
    for name, array in layer.state_dict().items():
        assert_close(array, before[name])
    with pytest.raises(ValueError, match="num_features: got 0"):
        BatchNorm1d(0)


IMAGES = sg.asnumpy(RandomStream(5).normal((3, 2, 2, 3), np.float64))


def test_images_are_normalised_by_channel_over_all_pixels() -> None:
    layer = BatchNorm2d(2, eps=0.5, momentum=0.25).to(np.float64)
    layer.weight.data[...], layer.bias.data[...] = sg.asarray([2.0, -1.0]), sg.asarray([0.5, 3.0])
    x = IMAGES
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
    weight, bias = np.array([2.0, -1.0])[:, None, None], np.array([0.5, 3.0])[:, None, None]
    y = layer(sg.asarray(IMAGES))
    centred = x - mean[:, None, None]
    assert_close(y, centred / np.sqrt(variance + 0.5)[:, None, None] * weight + bias, rtol=1e-12, atol=1e-13)
    assert_close(layer.running_mean, 0.25 * mean, rtol=1e-12)
    assert_close(layer.running_var, 0.75 + 0.25 * variance * 18 / 17, rtol=1e-12)
    assert_close(layer.num_batches_tracked, 1)
    running = sg.asnumpy(layer.running_mean)[:, None, None], sg.asnumpy(layer.running_var)[:, None, None]
    expected = (x - running[0]) / np.sqrt(running[1] + 0.5) * weight + bias
    assert_close(layer.eval()(sg.asarray(IMAGES)), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_for_images(training: bool, check_layer: Callable[..., float]) -> None:
    layer = BatchNorm2d(2, eps=0.1)
    layer.weight.data[...] = sg.asarray([1.5, -0.5])
    check_layer(layer.train(training), IMAGES[:2, :, :1])


def test_the_third_derivative_for_images() -> None:
    layer = BatchNorm2d(1, eps=0.1).to(np.float64)
    check_gradients(layer, IMAGES[:2, :1, :1, :2], order=3)


def test_errors_for_images() -> None:
    with pytest.raises(ValueError, match=r"got shape \(3, 2\), expected \(batch, features, height, width\)"):
        BatchNorm2d(2)(sg.asarray(IMAGES[:, :, 0, 0]))
    with pytest.raises(ValueError, match="got 0 value per feature in training, expected at least 2"):
        BatchNorm2d(2)(sg.asarray(IMAGES[:0]))
    assert BatchNorm2d(2).to(np.float64).eval()(sg.asarray(IMAGES[:0])).shape == (0, 2, 2, 3)


@pytest.mark.parametrize("training", [True, False])
def test_a_sequence_is_normalised_as_an_image_of_height_one(training: bool) -> None:
    """(batch, features, length): statistics over batch and length."""
    x = sg.asarray(IMAGES[:, :, 0])
    sequences = BatchNorm1d(2).to(np.float64).train(training)
    images = BatchNorm2d(2).to(np.float64).train(training)
    assert_close(sequences(x), sg.asnumpy(images(x[:, :, None]))[:, :, 0], rtol=1e-12)
    assert_close(sequences.running_mean, images.running_mean, rtol=1e-12)
    assert sequences.running_mean.data.any() == training
