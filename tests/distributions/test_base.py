import numpy as np
import pytest
from strict import host_synchronisations
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Bernoulli, Categorical, Mixture, Normal, kl_divergence, sum_per_example

RNG = RandomStream(0)


def examples(tensors=False):
    def parameter(*shape):
        x = RandomStream(1, *shape).normal(shape)
        return sg.tensor(x, requires_grad=True) if tensors else x

    return {
        "Normal": Normal(parameter(4, 3), parameter(4, 3)),
        "Normal of one sigma": Normal(parameter(4, 3), -1.0),
        "Bernoulli": Bernoulli(parameter(4, 3)),
        "Categorical": Categorical(parameter(4, 3, 5)),
        "Mixture of numbers": Mixture(parameter(4, 3, 2), Normal(parameter(4, 3, 2), parameter(4, 3, 2))),
        "Mixture of vectors": Mixture(parameter(4, 2), Normal(parameter(4, 2, 3), parameter(3))),
    }


def results(p):
    x = p.sample(RNG.child("x"))
    yield "log_prob", p.log_prob(x)
    yield "log_prob_per_example", p.log_prob_per_example(x)
    yield "mean", p.mean
    yield "variance", p.variance
    if not isinstance(p, Mixture):
        yield "entropy", p.entropy()
    if p.reparameterised:
        yield "rsample", p.rsample(RNG.child("x"))


every = pytest.mark.parametrize("name", examples())


@every
def test_shapes_are_per_element(name):
    p = examples()[name]
    shapes = {result: value.shape for result, value in results(p)}
    assert p.shape == (4, 3)
    assert shapes.pop("log_prob") == ((4,) if name == "Mixture of vectors" else (4, 3))
    assert shapes.pop("log_prob_per_example") == (4,)
    assert set(shapes.values()) == {(4, 3)}


@every
@pytest.mark.parametrize(("samples", "lead"), [(None, ()), (2, (2,)), ((5, 2), (5, 2)), (np.int64(1), (1,))])
def test_samples_come_in_a_leading_axis_and_have_a_log_prob_each(name, samples, lead):
    p = examples()[name]
    x = p.sample(RNG.child("lead"), samples)
    assert x.shape == (*lead, 4, 3)
    log_p = p.log_prob(x)
    assert log_p.shape == (*lead, *p.log_prob(p.sample(RNG)).shape)
    if lead:
        assert_close(log_p[(0,) * len(lead)], p.log_prob(x[(0,) * len(lead)]), rtol=1e-5)


@every
def test_raw_parameters_give_raw_float32_results(name):
    for result, value in results(examples()[name]):
        assert not isinstance(value, sg.Tensor), result
        assert value.dtype == np.float32, result


@every
def test_tensors_give_differentiable_float32_results_but_samples_carry_no_graph(name):
    p = examples(tensors=True)[name]
    for result, value in results(p):
        if name == "Normal of one sigma" and result in ("variance", "entropy"):
            continue  # these depend on the number only
        assert isinstance(value, sg.Tensor), result
        assert value.requires_grad, result
        assert value.dtype == np.float32, result
    assert not isinstance(p.sample(RNG), sg.Tensor)


@every
def test_the_same_rng_draws_the_same_samples_with_raw_parameters_and_tensors(name):
    raw, tensors = examples()[name], examples(tensors=True)[name]
    drawn = raw.sample(RandomStream(3), 6)
    assert_close(tensors.sample(RandomStream(3), 6), drawn, rtol=0)
    assert (sg.asnumpy(drawn) != sg.asnumpy(raw.sample(RandomStream(4), 6))).any()


@every
def test_nothing_waits_for_the_device(name):
    p, q = examples(tensors=True)[name], examples(tensors=True)[name]
    prior = Normal(0.0, 0.0)
    with host_synchronisations() as traffic:
        total = sum_per_example(p.log_prob(p.sample(RNG, 2)), leading=1).mean()
        if not isinstance(p, Mixture):
            total = total + sum_per_example(kl_divergence(p, q)).mean()
        if isinstance(p, Normal):
            total = total + kl_divergence(p, prior).mean()
        total.backward()
    assert traffic.synchronisations == 0


@every
def test_repr_names_the_distribution_its_shape_and_dtype(name):
    p = examples()[name]
    assert repr(p) == f"{name.split()[0]}(shape=(4, 3), float32)"


@pytest.mark.parametrize("name", ["Bernoulli", "Categorical", "Mixture of numbers"])
def test_rsample_says_why_it_does_not_exist(name):
    p = examples()[name]
    assert not p.reparameterised
    with pytest.raises(NotImplementedError, match=rf"{type(p).__name__}\.rsample: .* no derivative; use"):
        p.rsample(RNG)


@every
@pytest.mark.parametrize("samples", [0, -1, (2, 0)])
def test_numbers_of_samples_are_positive(name, samples):
    with pytest.raises(ValueError, match=r"samples: got .*, expected a positive whole number"):
        examples()[name].sample(RNG, samples)


@every
@pytest.mark.parametrize("samples", [2.0, True, "3", (2, None)])
def test_numbers_of_samples_are_whole(name, samples):
    with pytest.raises(ValueError, match=r"samples: got .*, expected a positive whole number"):
        examples()[name].sample(RNG, samples)


@every
def test_rng_is_a_random_stream(name):
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        examples()[name].sample(3)


@pytest.mark.parametrize("make", [Bernoulli, lambda x: Normal(x, 0.0), lambda x: Normal(0.0, x)])
@pytest.mark.parametrize("x", [None, "a", {}])
def test_parameters_are_numbers_or_arrays(make, x):
    with pytest.raises(TypeError, match=r"(logits|mean|log_var): got \w+, expected a float array"):
        make(x)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.complex64])
def test_parameters_are_floating_point(dtype):
    with pytest.raises(TypeError, match=f"logits: got an array of {np.dtype(dtype)}, expected"):
        Categorical(sg.asarray(np.zeros(3, dtype)))


@pytest.mark.parametrize("make", [Bernoulli, lambda x: Categorical(x), lambda x: Normal(0.0, x)])
@pytest.mark.parametrize("wrap", [list, np.asarray, lambda x: sg.Tensor(np.asarray(x))])
@pytest.mark.host_only
def test_nan_in_host_memory_is_refused(make, wrap):
    huge = [1e30, -np.inf, 3.0]
    make(wrap(huge))
    with pytest.raises(ValueError, match=r"(logits|log_var): got NaN, expected numbers \(shape \(3,\)\)"):
        make(wrap([1e30, np.nan, -np.inf]))


def test_nan_as_a_number_is_refused():
    with pytest.raises(ValueError, match="log_var: got NaN"):
        Normal([1.0, 2.0], float("nan"))


def test_what_a_network_computed_is_not_searched_for_nan():
    x = sg.tensor([np.inf], requires_grad=True)
    with np.errstate(invalid="ignore"):
        logits = x - x
    assert np.isnan(Bernoulli(logits).log_prob(1.0).numpy()).all()


def test_sum_per_example_sums_all_axes_but_the_first():
    x = sg.asarray(np.arange(24.0).reshape(2, 3, 4))
    assert_close(sum_per_example(x), [66.0, 210.0])
    assert_close(sum_per_example(x, leading=2), np.arange(24.0).reshape(2, 3, 4).sum(axis=2))
    assert_close(sum_per_example(x, leading=3), x)
    assert_close(sum_per_example(x[0, 0]), [0.0, 1.0, 2.0, 3.0])
    assert_close(sum_per_example(x, leading=0), 276.0)
    for leading in (-1, 4):
        with pytest.raises(ValueError, match=f"leading: got {leading}, expected a whole number from 0 to 3"):
            sum_per_example(x, leading)
