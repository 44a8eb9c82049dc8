"""PixelCNN: exact probabilities, no pixel that looks ahead, and none before it that is overlooked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from models.autoregressive.worlds import every_image, stream, strong
from scipy.stats import chisquare
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import PixelCNN
from scratchgen.models.autoregressive.reading import conditionals
from scratchgen.training import Run, fit

WORLDS = [((1, 2, 5), 2, None), ((1, 5, 2), 2, 3), ((3, 1, 3), 2, 2), ((1, 2, 3), 3, None), ((2, 2, 2), 2, 2)]


def small(
    shape: tuple[int, ...] = (1, 3, 3),
    levels: int = 2,
    classes: int | None = None,
    layers: int = 3,
    seed: int = 0,
) -> PixelCNN:
    return PixelCNN(shape, levels, 4, layers, classes, RandomStream(seed, "test"))


def every_label(classes: int | None) -> list[int | None]:
    return [None, *range(classes or 0)]


def naive_sample(model: Any, n: int, rng: RandomStream, labels: Any = None) -> np.ndarray:
    """Each number by a pass of the whole network over what is there so far."""
    colours, height, width = model.shape
    u = sg.asnumpy(rng.uniform((n, *model.shape), np.float64))
    x = np.zeros((n, *model.shape))
    for row, column, colour in np.ndindex(height, width, colours):
        logits = sg.asnumpy(model(sg.asarray(x), labels))[:, colour, :, row, column]
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        sums = np.cumsum(p / p.sum(axis=1, keepdims=True), axis=1)
        sums[:, -1] = 1
        level = (sums > u[:, colour, row, column, None]).argmax(axis=1)
        x[:, colour, row, column] = level / (model.levels - 1)
    return x


@pytest.mark.equation("pixelcnn-softmax")
@pytest.mark.equation("pixelcnn-classes")
@pytest.mark.parametrize(("shape", "levels", "classes"), WORLDS)
def test_the_probabilities_of_all_images_sum_to_one(
    shape: tuple[int, ...], levels: int, classes: int | None
) -> None:
    model, x = strong(small(shape, levels, classes)), every_image(levels, shape)
    for label in every_label(classes):
        p = np.exp(sg.asnumpy(model.log_prob(x, label)))
        assert p.max() > 3 / len(p)  # far from even
        assert_close(p.sum(), 1.0, rtol=1e-12)


@pytest.mark.equation("chain-rule")
@pytest.mark.equation("pixelcnn-softmax")
@pytest.mark.parametrize(("shape", "levels", "classes"), WORLDS)
def test_it_is_the_product_of_the_softmax_of_each_pixel(
    shape: tuple[int, ...], levels: int, classes: int | None
) -> None:
    model, x = strong(small(shape, levels, classes)), every_image(levels, shape)[::31]
    logits = sg.asnumpy(model(x, None if classes is None else sg.asarray(np.full(len(x), 1))))
    p = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    chosen = np.rint(sg.asnumpy(x) * (levels - 1))
    by_hand = sum(np.log(p[:, :, k] ** (chosen == k)).sum(axis=(1, 2, 3)) for k in range(levels))
    label = None if classes is None else 1
    assert_close(model.log_prob(x, label), by_hand, rtol=1e-10)
    assert_close(model.loss(x, labels=label), -by_hand.mean(), rtol=1e-10)
    learnt = [p for name, p in model.named_parameters() if "label_h" not in name or classes is not None]
    assert_slopes(lambda: model.log_prob(x[:2], label), learnt)


@pytest.mark.equation("pixelcnn-classes")
def test_without_a_label_all_classes_are_equally_likely() -> None:
    model, x = strong(small((1, 2, 3), 2, 3)), every_image(2, (1, 2, 3))
    each = [np.exp(sg.asnumpy(model.log_prob(x, c))) for c in range(3)]
    assert np.abs(each[0] - each[1]).max() > 0.01
    assert_close(np.exp(sg.asnumpy(model.log_prob(x))), np.mean(each, axis=0), rtol=1e-10)
    assert_slopes(lambda: model.log_prob(x[:2]), model.parameters())


@given(order=st.permutations(range(6)), seed=st.integers(0, 99))
@settings(max_examples=10, derandomize=True)
def test_in_any_order_they_sum_to_one(order: list[int], seed: int) -> None:
    x = every_image(2, (1, 2, 3)).reshape((-1, 6))[:, np.array(order)].reshape((-1, 1, 2, 3))
    assert_close(np.exp(sg.asnumpy(strong(small((1, 2, 3), seed=seed)).log_prob(x))).sum(), 1.0, rtol=1e-12)


def seen(model: PixelCNN, labels: Any = None) -> np.ndarray:
    """Which number of an image each number's logits depend on: (D, D), in the order of reading."""
    colours, height, width = model.shape
    x = sg.Tensor(stream("seen").uniform((1, *model.shape), np.float64), requires_grad=True)
    logits = model.network(x, labels)
    weights = sg.asarray(np.arange(1.0, model.levels + 1))
    rows = []
    for row, column, colour in np.ndindex(height, width, colours):
        (slope,) = sg.grad(logits[0, colour, :, row, column], [x], cotangent=weights)
        rows.append(sg.asnumpy(slope)[0].transpose(1, 2, 0).reshape(-1))
    return np.array(rows) != 0


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5)),
    levels=st.integers(2, 3),
    layers=st.integers(1, 4),
    classes=st.sampled_from([None, 2]),
)
@settings(max_examples=25, derandomize=True)
def test_no_pixel_sees_itself_or_a_later_one(
    shape: tuple[int, ...], levels: int, layers: int, classes: int | None
) -> None:
    model = small(shape, levels, classes, layers).to("float64")
    labels = None if classes is None else sg.asarray(np.array([1]))
    assert not np.triu(seen(model, labels)).any()


def test_there_is_no_blind_spot() -> None:
    # Wide enough for the receptive field to end inside: layers + 2 rows up, and columns to either side.
    layers, height, width = 2, 6, 13
    model = PixelCNN((1, height, width), channels=16, layers=layers, rng=stream("wide")).to("float64")
    depends, reach = seen(model), layers + 2
    for row, column in ((5, 6), (5, 4), (5, 12), (3, 0), (4, 9)):
        up, across = np.indices((height, width)) - np.array([row, column])[:, None, None]
        before = (up < 0) | ((up == 0) & (across < 0))
        expected = before & (-up <= reach) & (np.abs(across) <= reach)
        # Rows reach down one by one and columns grow with each layer, so the corners are seen as well.
        np.testing.assert_array_equal(depends[row * width + column].reshape(height, width), expected)


def test_every_earlier_pixel_of_a_digit_is_seen() -> None:
    model = PixelCNN((1, 8, 8), channels=16, rng=stream("digit")).to("float64")
    np.testing.assert_array_equal(seen(model), np.tri(64, k=-1) > 0)


def test_the_colours_of_a_pixel_see_those_before_them() -> None:
    model = PixelCNN((3, 2, 2), channels=16, layers=2, rng=stream("colours")).to("float64")
    np.testing.assert_array_equal(seen(model), np.tri(12, k=-1) > 0)


@pytest.mark.parametrize(
    ("shape", "levels", "classes"), [((1, 2, 2), 2, None), ((2, 1, 2), 2, 2), ((1, 1, 2), 4, 3)]
)
def test_samples_have_the_probabilities(shape: tuple[int, ...], levels: int, classes: int | None) -> None:
    model, n = strong(small(shape, levels, classes)), 10_000
    everything = every_image(levels, shape)
    places = levels ** np.arange(int(np.prod(shape)))[::-1]
    for label in every_label(classes):
        drawn = sg.asnumpy(model.sample(n, stream("samples"), label))
        assert drawn.shape == (n, *shape)
        numbers = np.rint(drawn.reshape(n, -1) * (levels - 1)).astype(int) @ places
        expected = n * np.exp(sg.asnumpy(model.log_prob(everything, label)))
        assert chisquare(np.bincount(numbers, minlength=len(everything)), expected).pvalue > 1e-3


@pytest.mark.parametrize(
    ("shape", "levels", "classes"), [((1, 5, 6), 2, None), ((3, 3, 4), 3, 2), ((1, 8, 3), 256, None)]
)
def test_what_is_kept_changes_nothing(shape: tuple[int, ...], levels: int, classes: int | None) -> None:
    model = strong(small(shape, levels, classes, layers=4), 2.0)
    labels = None if classes is None else sg.asarray(np.arange(20) % classes)
    cached = model.sample(20, stream("kept"), labels)
    assert cached.dtype == np.float64
    np.testing.assert_array_equal(sg.asnumpy(cached), naive_sample(model, 20, stream("kept"), labels))


@pytest.mark.parametrize(("shape", "levels", "classes"), WORLDS)
def test_the_conditionals_are_the_logits_and_read_nothing_ahead(
    shape: tuple[int, ...], levels: int, classes: int | None
) -> None:
    model, x = strong(small(shape, levels, classes)), every_image(levels, shape)[::17]
    labels = None if classes is None else sg.asarray(np.arange(len(x)) % classes)
    logits = sg.asnumpy(model(x, labels))
    known = sg.asarray(np.full(x.shape, np.nan))
    for place, of_pixel in conditionals(model.network, known, labels):
        _, colour, row, column = place
        assert_close(of_pixel, logits[:, colour, :, row, column], rtol=1e-9, atol=1e-12)
        known[place] = x[place]


def test_levels_are_those_of_naive_bayes() -> None:
    grey = (np.arange(256) / 255).astype(np.float32).reshape(1, 1, 16, 16)
    two, bytes_ = small((1, 16, 16)), small((1, 16, 16), levels=256)
    np.testing.assert_array_equal(sg.asnumpy(two.levels_of(sg.asarray(grey))).ravel(), np.arange(256) >= 128)
    levels = bytes_.levels_of(sg.asarray(grey))
    np.testing.assert_array_equal(sg.asnumpy(levels).ravel(), np.arange(256))
    assert_close(bytes_.values(levels, np.dtype(np.float32)), grey, rtol=0)
    threshold = sg.asarray((grey >= 0.5).astype(np.float32))
    assert_close(two.log_prob(sg.asarray(grey)), two.log_prob(threshold), rtol=0)


def test_gradients_of_the_loss() -> None:
    model = PixelCNN((2, 2, 2), 2, 2, 2, 2, stream("gradients")).to("float64")
    x, labels = every_image(2, (2, 2, 2))[np.array([77, 138])], sg.asarray(np.array([0, 1]))
    names = [name.split(".") for name, _ in model.named_parameters()]

    def loss(*values: Any) -> Any:
        for (*path, name), value in zip(names, values, strict=True):
            owner: Any = model
            for part in path:
                owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
            setattr(owner, name, value)
        return model.loss(x, labels=labels)

    sg.autograd.check_gradients(loss, *(p.data for p in model.parameters()), order=1)


def test_a_state_round_trip() -> None:
    first, second, x = small(seed=1), small(seed=2), every_image(2, (1, 3, 3)).astype(np.float32)
    assert np.abs(sg.asnumpy(first.log_prob(x) - second.log_prob(x))).max() > 1e-3
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(sg.asnumpy(first.log_prob(x)), sg.asnumpy(second.log_prob(x)))


STRIPES = np.repeat(np.eye(4, dtype=np.float32)[:, None, None], 4, axis=2)  # four images of 4 x 4


def test_fit_takes_the_loss_as_it_stands_and_lowers_it() -> None:
    model = PixelCNN((1, 4, 4), channels=8, layers=2, rng=stream("fit"))
    optimiser = sg.optim.Adam(model.parameters(), 0.03)
    rows = fit(model.loss, STRIPES, optimiser, steps=200, batch_size=4, log_every=10)
    assert rows[0]["loss"] > 5
    assert np.log(4) <= rows[-1]["loss"] < np.log(4) + 0.4


def test_interrupted_and_resumed_training_is_the_same_to_the_bit(tmp_path: Path) -> None:
    def trained(steps: int, **more: Any) -> PixelCNN:
        model = PixelCNN((1, 4, 4), channels=4, layers=2, classes=4, rng=stream("resume"))
        fit(
            lambda batch, rng: model.loss(batch[0], rng, batch[1]),
            (STRIPES, np.arange(4)),
            sg.optim.Adam(model.parameters(), 0.01),
            steps=steps,
            batch_size=3,
            model=model,
            **more,
        )
        return model

    run = Run("pixelcnn", root=tmp_path)
    trained(3, run=run)
    resumed = trained(6, run=run, resume=run.folder)
    for name, value in trained(6).state_dict().items():
        assert_close(resumed.state_dict()[name], value, rtol=0)


X = np.zeros((5, 1, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :, :2], ValueError, r"x: got shape \(5, 1, 2, 3\), expected \(batch, 1, 3, 3\)"),
        (X[0], ValueError, r"x: got shape \(1, 3, 3\), expected \(batch, 1, 3, 3\)"),
        (X[:0], ValueError, "expected at least one example"),
        (X.astype(np.uint8), TypeError, "x: got an array of uint8, expected float32 or float64"),
        (X.tolist(), TypeError, "x: got list, expected an array or Tensor"),
        (X.astype(np.float64), TypeError, r"mix floating-point types \(float64 .* and float32"),
    ],
    ids=["size", "no batch", "empty", "bytes", "list", "float64"],
)
def test_bad_input(x: Any, error: type[Exception], message: str) -> None:
    x = sg.asarray(x) if isinstance(x, np.ndarray) else x
    for call in (small().log_prob, small().loss):
        with pytest.raises(error, match=message):
            call(x)


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
def test_bad_values() -> None:
    for x, message in (
        (X + 2, "x: got numbers from 2 to 2, expected 0 to 1; scale the images"),
        (X - 0.5, "x: got numbers from -0.5 to -0.5, expected 0 to 1"),
        (X + np.float32(np.nan), "x: got 45 NaN or infinite numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            small().log_prob(x)


def test_bad_labels() -> None:
    with pytest.raises(
        ValueError, match="labels: got some, expected none: the model was made without classes"
    ):
        small().loss(sg.asarray(X), labels=np.zeros(5, int))
    model = small(classes=3)
    with pytest.raises(ValueError, match=r"labels: got shape \(4,\), expected \(5,\)"):
        model.log_prob(sg.asarray(X), np.zeros(4, int))
    with pytest.raises(TypeError, match="labels: got an array of float64, expected whole numbers"):
        model.sample(5, stream(), np.zeros(5))


@pytest.mark.host_only
def test_a_label_that_names_no_class() -> None:
    with pytest.raises(IndexError, match="labels: got numbers from 3 to 3, expected 0 to 2"):
        small(classes=3).sample(5, stream(), 3)


def test_drawing_needs_a_number_and_a_stream() -> None:
    assert small().sample(0, stream()).shape == (0, 1, 3, 3)
    with pytest.raises(ValueError, match=r"n: got 2\.0, expected a whole number, 0 or more"):
        small().sample(2.0, stream())
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        small().sample(3, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (3, 3)}, r"shape: got \(3, 3\), expected \(colours, height, width\)"),
        ({"shape": (1, 0, 3)}, r"shape\[1\]: got 0, expected a positive whole number"),
        ({"levels": 1}, "levels: got 1, expected a whole number from 2 to 256"),
        ({"layers": 0}, "layers: got 0, expected a positive whole number"),
        ({"channels": 2.5}, "channels: got 2.5, expected a positive whole number"),
        ({"classes": 0}, "classes: got 0, expected a positive whole number"),
    ],
)
def test_bad_sizes(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PixelCNN(**{"shape": (1, 3, 3), **arguments})
