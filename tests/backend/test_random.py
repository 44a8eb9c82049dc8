import subprocess
import sys

import numpy as np
import pytest
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen.backend import RandomStream, check_rng, current_device, device_of, use_device

N = 40_000


def draws(stream):
    return sg.asnumpy(stream.normal(N, np.float64))


def test_same_name_same_numbers():
    for draw in ("normal", "uniform"):
        first, second = (getattr(RandomStream(3, "noise", 7), draw)((4, 5)) for _ in range(2))
        assert_close(first, second)


def test_a_stream_goes_on():
    stream = RandomStream(0)
    assert (sg.asnumpy(stream.normal(8)) != sg.asnumpy(stream.normal(8))).all()


def test_the_numbers_of_a_name_never_change():
    # Runs are resumed by name alone, so these are part of the format of a checkpoint.
    stream = RandomStream(0, "epoch", 3)
    assert stream.permutation(8).tolist() == [3, 5, 2, 6, 7, 1, 0, 4]
    expected = [-0.5680749488686028, -1.6200950673442507, -1.9967894747968407]
    assert_close(stream.normal(3, np.float64), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "other",
    [
        RandomStream(1, "a", 1),
        RandomStream(0),
        RandomStream(0, "a"),
        RandomStream(0, "a", 2),
        RandomStream(0, "a", "1"),
        RandomStream(0, 1, "a"),
        RandomStream(0, "a1"),
        RandomStream(0, "a", 1, 0),
        RandomStream(-1, "a", 1),
    ],
    ids=repr,
)
def test_other_names_are_independent(other):
    x, y = draws(RandomStream(0, "a", 1)), draws(other)
    assert abs(np.mean(x * y)) < 5 / np.sqrt(N)


def test_child_continues_the_path():
    stream = RandomStream(5, "a")
    assert_close(stream.child("b", 2).normal(9), RandomStream(5, "a", "b", 2).normal(9))
    assert repr(stream.child(1)) == "RandomStream(5, 'a', 1)"


def test_a_child_does_not_depend_on_what_its_parent_drew():
    used, fresh = RandomStream(5), RandomStream(5)
    used.normal(100)
    assert_close(used.child("x").normal(9), fresh.child("x").normal(9))
    assert_close(fresh.normal(9), RandomStream(5).normal(9))


def test_numpy_integers_name_the_same_stream():
    assert_close(RandomStream(np.int64(5), np.int32(2)).normal(9), RandomStream(5, 2).normal(9))


def test_other_processes_see_the_same_numbers():
    code = "from scratchgen.backend import RandomStream as R; print(R(1, 'x').permutation(20).tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(RandomStream(1, "x").permutation(20).tolist())


def test_every_device_sees_the_numbers_of_a_host_stream():
    seen = []
    for name in ("cpu", "strict", current_device().name):
        use_device(name)
        stream = RandomStream(2, "x")
        arrays = (
            *(stream.normal((3, 2)), stream.uniform(5), stream.integers(0, 9, 7)),
            stream.bernoulli(to_device([0.2, 0.5, 0.9])),
        )
        assert all(device_of(array).name == name for array in arrays)
        seen.append([sg.asnumpy(array) for array in arrays])
    for others in seen[1:]:
        for first, other in zip(seen[0], others, strict=True):
            assert_close(other, first, rtol=0)


def test_streams_of_a_device_draw_there():
    use_device("strict")
    for draw in ("normal", "uniform"):
        x, y = (getattr(RandomStream(2, "x", device="strict"), draw)((3, 2)) for _ in range(2))
        assert device_of(x).name == "strict"
        assert x.dtype == np.float32
        assert_close(x, y)
        assert (
            sg.asnumpy(x) != sg.asnumpy(getattr(RandomStream(2, "y", device="strict"), draw)((3, 2)))
        ).all()
    assert RandomStream(2, device="strict").child("x").device == "strict"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), 5, (2, 3), (0, 4)])
def test_shapes_and_dtypes(shape, dtype):
    expected = (shape,) if isinstance(shape, int) else shape
    for draw in (RandomStream(0).normal, RandomStream(0).uniform):
        x = draw(shape, dtype)
        assert (x.shape, x.dtype) == (expected, dtype)
    assert RandomStream(0).normal(3).dtype == np.float32


def test_moments():
    normal, uniform = draws(RandomStream(0)), sg.asnumpy(RandomStream(1).uniform(N, np.float64))
    assert abs(normal.mean()) < 5 / np.sqrt(N)
    assert abs(normal.var() - 1) < 5 * np.sqrt(2 / N)
    assert abs(uniform.mean() - 0.5) < 5 * np.sqrt(1 / 12 / N)
    assert 0 <= uniform.min() < uniform.max() < 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bernoulli_frequencies(dtype):
    probability = np.array([0.0, 0.01, 0.3, 0.5, 0.9, 1.0])
    x = RandomStream(0).bernoulli(to_device(np.tile(probability, (N, 1)), dtype))
    assert (x.shape, x.dtype) == ((N, 6), dtype)
    x = sg.asnumpy(x)
    assert set(np.unique(x)) == {0.0, 1.0}
    standard_error = np.sqrt(probability * (1 - probability) / N)
    assert (np.abs(x.mean(0, np.float64) - probability) <= 5 * standard_error).all()


def test_integers_are_uniform_over_the_half_open_range():
    x = RandomStream(0).integers(2, 6, N)
    assert x.dtype == np.int64
    counts = np.bincount(sg.asnumpy(x), minlength=6)
    assert counts[:2].tolist() == [0, 0]
    assert len(counts) == 6
    assert (np.abs(counts[2:] - N / 4) < 5 * np.sqrt(N * 3 / 16)).all()


def test_permutation_is_a_shuffle_on_the_host():
    order = RandomStream(0, "order").permutation(1000)
    assert type(order) is np.ndarray
    assert sorted(order.tolist()) == list(range(1000))
    assert np.sum(order == np.arange(1000)) < 10
    assert RandomStream(0).permutation(0).shape == (0,)


@pytest.mark.parametrize("seed", [None, 0.5, "0", True])
def test_seed_must_be_a_whole_number(seed):
    with pytest.raises(TypeError, match=r"seed: got .*, expected a whole number"):
        RandomStream(seed)


@pytest.mark.parametrize("element", [None, 0.5, True, ("a",)])
def test_path_must_be_whole_numbers_and_strings(element):
    with pytest.raises(TypeError, match=r"path: got .*, expected whole numbers and strings"):
        RandomStream(0, "a", element)
    with pytest.raises(TypeError, match="path: got"):
        RandomStream(0).child(element)


def test_the_device_is_checked_and_shown():
    with pytest.raises(ValueError, match="device: got 'tpu', expected one of 'cpu', 'cuda'"):
        RandomStream(0, device="tpu")
    assert repr(RandomStream(0, "a", device="cuda")) == "RandomStream(0, 'a', device='cuda')"
    assert repr(RandomStream(0)) == "RandomStream(0)"


def test_what_is_no_stream_or_no_array_is_refused():
    stream = RandomStream(0)
    assert check_rng(stream) is stream
    for rng in (0, None, np.random.default_rng(0)):
        with pytest.raises(TypeError, match=r"rng: got \w+, expected a RandomStream, for example"):
            check_rng(rng)
    with pytest.raises(TypeError, match="probability: got float, expected an array or Tensor"):
        stream.bernoulli(0.5)


@pytest.mark.host_only
@pytest.mark.parametrize("p", [np.nan, 2.0, -0.1])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match=r"probability: got .*NaN|probability: got numbers from"):
        RandomStream(0).bernoulli(np.array([0.5, p]))
