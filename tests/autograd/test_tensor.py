"""Tensor: what it shows, which number types it keeps apart, and what it refuses."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import primitive, registry


def narrow(*numbers: float) -> sg.Tensor:
    return sg.tensor(np.array(numbers, np.float32), requires_grad=True)


def test_python_floats_become_float32_and_arrays_keep_their_dtype() -> None:
    assert sg.tensor([1.0, 2.0]).dtype == np.float32
    assert sg.tensor(1.5).dtype == np.float32
    assert sg.tensor(np.ones(2)).dtype == np.float64
    assert sg.tensor([1.0], dtype=np.float64).dtype == np.float64


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("operation", OPERATORS)
@pytest.mark.parametrize(
    "number", [2, 0.5, np.float64(0.5), np.float32(0.5), np.int64(2), np.bool_(True)], ids=repr
)
def test_numbers_are_weak_also_those_of_numpy(operation: Any, number: Any) -> None:
    x = narrow(1.5, 2.5)
    value = np.array([1.5, 2.5])
    for y, expected in (
        (operation(x, number), operation(value, float(number))),
        (operation(number, x), operation(float(number), value)),
    ):
        assert isinstance(y, sg.Tensor)
        assert y.dtype == np.float32
        assert_close(y, expected, rtol=1e-6)
        assert sg.grad(y.sum(), x, create_graph=True)[0].dtype == np.float32


@pytest.mark.parametrize("operation", OPERATORS)
def test_arrays_of_whole_numbers_take_the_type_they_meet(operation: Any) -> None:
    x, whole = narrow(1.5, 2.5), sg.asarray(np.array([2, 3]))
    for y in (operation(x, whole), operation(whole, x), operation(x, sg.tensor(whole))):
        assert y.dtype == np.float32
        assert sg.grad(y.sum(), x)[0].dtype == np.float32
    assert_close(operation(x, whole), operation(np.array([1.5, 2.5]), np.array([2, 3])), rtol=1e-6)


def test_truth_values_multiply_as_zeros_and_ones() -> None:
    x = narrow(1.5, 2.5)
    y = x * (x > 2)
    assert y.dtype == np.float32
    assert_close(y, [0.0, 2.5])


@pytest.mark.parametrize("operation", [*OPERATORS, sg.maximum, sg.matmul])
@pytest.mark.parametrize("other", [lambda x: x, sg.tensor], ids=["array", "Tensor"])
def test_float32_and_float64_do_not_mix(operation: Any, other: Any) -> None:
    x, wide = narrow(1.5, 2.5), other(sg.asarray(np.array([2.0, 3.0])))
    with pytest.raises(
        TypeError, match=r"mix floating-point types \(float32 of shape .* and float64 of shape .*\)"
    ):
        operation(x, wide)
    with pytest.raises(
        TypeError, match=r"mix floating-point types \(float64 of shape .* and float32 of shape .*\)"
    ):
        operation(wide, x)


@pytest.mark.parametrize("size", [3, 1 << 19])
@pytest.mark.parametrize("other", [lambda x: x, sg.tensor], ids=["array", "Tensor"])
class TestOneRuleWhateverTheSize:
    """Held against joins, which are made in another way where they are large."""

    def test_float32_and_float64(self, size: int, other: Any) -> None:
        x = sg.tensor(np.ones((2, size), np.float32), requires_grad=True)
        wide = other(sg.asarray(np.ones((2, size))))
        for parts in ([x, wide], [wide, x]):
            with pytest.raises(TypeError, match="concatenate: the arguments mix floating-point types"):
                sg.cat(parts, axis=1)

    @pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
    def test_whole_numbers_and_truth_values(self, size: int, other: Any, dtype: Any) -> None:
        x = sg.tensor(np.full((2, size), 0.5, np.float32), requires_grad=True)
        y = sg.cat([x, other(sg.asarray(np.ones((2, size), dtype)))], axis=1)
        assert y.dtype == np.float32
        assert_close(y[:, size - 1 : size + 1], [[0.5, 1.0], [0.5, 1.0]])
        assert sg.grad(y.sum(), x)[0].dtype == np.float32


@pytest.mark.parametrize("operation", [*OPERATORS, sg.maximum, sg.minimum, sg.binary_cross_entropy])
@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint16, np.int64])
def test_truth_values_and_whole_numbers_are_those_numbers_to_every_order(operation: Any, dtype: Any) -> None:
    found = []
    for second in (np.array([1, 1], dtype), np.ones(2, np.float32)):
        x = narrow(1.5, 2.5)
        y = operation(x, sg.asarray(second))
        (first,) = sg.grad(y.sum(), x, create_graph=True)
        assert {y.dtype, first.dtype} == {np.dtype(np.float32)}
        found.append([y, first, sg.grad(y.sum(), x)[0], sg.grad((first * x).sum(), x)[0]])
    for a, b in zip(*found, strict=True):
        assert_close(a, b, rtol=0)


@pytest.mark.host_only  # CuPy has no arrays in another machine's order of bytes
def test_bytes_in_another_machines_order() -> None:
    x = sg.tensor(np.array([1.5, 2.5], ">f4"), requires_grad=True)
    y = (x * x * np.array([2.0, 2.0], ">f4")).sum()
    y.backward()
    assert x.grad.dtype == np.float32
    assert_close(x.grad, [6.0, 10.0])


@pytest.mark.parametrize(
    "f", [sg.erf, sg.exp, sg.sqrt, sg.softplus, sg.logsumexp, sg.log_ndtr, sg.mean, sg.var]
)
def test_half_precision_stays_half_precision(f: Any) -> None:
    x = sg.tensor(np.array([0.5, 1.5], np.float16), requires_grad=True)
    y = f(x)
    assert y.dtype == np.float16
    (first,) = sg.grad(y.sum(), x, create_graph=True)
    assert sg.grad(first.sum(), x)[0].dtype == np.float16
    single = narrow(0.5, 1.5)
    assert_close(first, sg.grad(f(single).sum(), single)[0], rtol=5e-3)


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="mul: the result is complex, expected real numbers"):
        narrow(1.0) * 1j


def test_a_tensor_of_a_tensor_is_a_tensor_of_its_array() -> None:
    x = narrow(1.0, 2.0)
    y = sg.Tensor(x * 2, requires_grad=True)
    assert not isinstance(y.data, sg.Tensor)
    (y * y).sum().backward()
    assert_close(y.grad, [4.0, 8.0])
    assert x.grad is None


def test_the_mixing_error_names_the_operation_and_the_cure() -> None:
    with pytest.raises(
        TypeError, match=r"concatenate: .* sg\.asarray\(x, 'float32'\) or x\.astype\('float64'\)"
    ):
        sg.cat([narrow(1.0), sg.tensor(np.ones(1))])


def test_astype_converts_and_its_gradient_converts_back() -> None:
    x = narrow(1.5, 2.5)
    y = x.astype(np.float64) * sg.asarray(np.array([2.0, 3.0]))
    assert y.dtype == np.float64
    (g,) = sg.grad(y.sum(), x)
    assert g.dtype == np.float32
    assert_close(g, [2.0, 3.0])


def test_a_raw_array_defers_to_a_tensor_on_its_right() -> None:
    x, a = narrow(1.0, 2.0), sg.asarray(np.array([3.0, 4.0], np.float32))
    for operation in OPERATORS:
        assert isinstance(operation(a, x), sg.Tensor)
        assert_close(operation(a, x), operation(sg.asnumpy(a), sg.asnumpy(x)), rtol=1e-6)
    assert isinstance(a @ x, sg.Tensor)
    assert (a @ x).item() == 11.0


def test_comparisons_give_raw_truth_values() -> None:
    x = narrow(1.0, 2.0)
    for operation in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        for other in (2.0, x, x.data):
            result = operation(x, other)
            assert not isinstance(result, sg.Tensor)
            assert_close(result, operation(np.array([1.0, 2.0]), sg.asnumpy(other)))


def test_a_tensor_is_a_dictionary_key_by_identity() -> None:
    x, y = narrow(1.0), narrow(1.0)
    assert {x: "x", y: "y"}[x] == "x"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: sg.tensor([1.0, 2.0]), "Tensor([1., 2.], shape=(2,))"),
        (lambda: sg.tensor([1.0], requires_grad=True), "Tensor([1.], shape=(1,), requires_grad)"),
        (lambda: sg.tensor(np.array([0.5])), "Tensor([0.5], shape=(1,), float64)"),
        (lambda: sg.exp(sg.tensor([0.0], requires_grad=True)), "Tensor([1.], shape=(1,), from exp)"),
        (lambda: sg.tensor(3.0), "Tensor(3., shape=())"),
    ],
)
def test_repr(make: Any, expected: str) -> None:
    assert repr(make()) == expected


def test_repr_of_a_large_tensor_is_short() -> None:
    assert len(repr(sg.tensor(np.zeros((1000, 1000), np.float32)))) < 300


def test_attributes_and_conversions() -> None:
    x = sg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert isinstance(x.numpy(), np.ndarray)
    assert sg.tensor(2.5).item() == 2.5
    assert float(sg.tensor(2.5)) == 2.5
    assert bool(sg.tensor(1.0))
    rows = list(x)
    assert [row.shape for row in rows] == [(3,), (3,)]
    assert_close(sg.grad(rows[1].sum(), x)[0], [[0.0] * 3, [1.0] * 3])


def test_detach_shares_the_memory_and_forgets_the_history() -> None:
    x = narrow(1.0, 2.0)
    y = (x * 2).detach()
    assert not y.requires_grad
    assert y.origin is None
    assert x.detach().data is x.data


@pytest.mark.parametrize("data", [np.array([1, 2]), np.array([True])])
def test_whole_numbers_have_no_gradient(data: np.ndarray) -> None:
    with pytest.raises(TypeError, match=f"requires_grad: a Tensor of {data.dtype} has no derivatives"):
        sg.tensor(data, requires_grad=True)


@pytest.mark.parametrize(
    "convert", [np.asarray, lambda x: np.array([x]), lambda x: np.zeros(2) + np.asarray(x)]
)
def test_no_conversion_to_an_array_by_accident(convert: Any) -> None:
    with pytest.raises(TypeError, match="not converted to an array by accident"):
        convert(narrow(1.0, 2.0))


@pytest.mark.parametrize("name", ["exp", "sum", "maximum", "where", "reshape", "einsum", "var", "prod"])
def test_numpys_own_functions_name_ours(name: str) -> None:
    x = narrow(1.0, 2.0)
    args = {"maximum": (x, 0), "where": (np.array(True), x, x), "reshape": (x, (2, 1)), "einsum": ("i->", x)}
    with pytest.raises(TypeError, match=f"np.{name}: got a Tensor.*use sg.{name}"):
        getattr(np, name)(*args.get(name, (x,)))


@pytest.mark.parametrize("call", [np.arctan, np.add.reduce, np.linalg.det, np.fft.fft, np.add.outer])
def test_numpys_functions_that_we_have_not_name_the_array(call: Any) -> None:
    x = narrow(1.0, 2.0)
    with pytest.raises(TypeError, match=r"got a Tensor.* x\.data"):
        call(*([x, x] if call == np.add.outer else [x]))


def test_what_numpy_only_asks_about_it_is_told() -> None:
    x = sg.tensor(np.ones((2, 3)))
    assert (np.ndim(x), np.shape(x), np.size(x)) == (2, (2, 3), 6)


@pytest.mark.host_only
def test_a_raw_array_is_not_changed_to_a_tensor_in_place() -> None:
    a = np.ones(2, np.float32)
    with pytest.raises(TypeError, match="got a Tensor"):
        a += narrow(1.0, 2.0)


def test_results_record_only_what_can_be_differentiated() -> None:
    constant = sg.tensor([1.0, 2.0])
    y = constant * 2
    assert isinstance(y, sg.Tensor)
    assert y.origin is None
    assert not y.requires_grad
    z = y * narrow(1.0, 2.0)
    assert z.origin[0] is registry["mul"]


def test_a_primitive_of_a_reader_works_like_any_other_but_stays_out_of_the_registry() -> None:
    @primitive(lambda g, y, x: g * 3 * x * x)
    def cube(x: Any) -> Any:
        """The third power."""
        return x * x * x

    assert cube.__name__ == "cube"
    assert cube.__doc__ == "The third power."
    assert "cube" not in registry
    x = narrow(2.0)
    (first,) = sg.grad(cube(x), x, create_graph=True)
    assert_close(first, [12.0])
    assert_close(sg.grad(first, x)[0], [12.0])


def test_lists_take_the_dtype_of_the_tensor_they_meet() -> None:
    x = sg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for y in (sg.add(x, [1, 2, 3]), [1.0, 2.0, 3.0] * x, sg.maximum(x, [0.0, 5.0, 0.0])):
        assert y.dtype == np.float32
        (gradient,) = sg.grad(y.sum(), x)
        assert gradient.dtype == np.float32
    assert_close(sg.grad(([1.0, 2.0, 3.0] * x).sum(), x)[0], [1.0, 2.0, 3.0])
    to_the_last_digit = sg.mul(sg.tensor(np.ones(1)), [0.1])
    assert_close(to_the_last_digit, np.array([0.1]), rtol=0, atol=0)
    assert_close(sg.mul(sg.tensor([1]), [0.5]), [0.5])


def test_whole_numbers_become_float32() -> None:
    whole = sg.tensor([1, 2])
    for y in (whole / 2, sg.sqrt(whole), whole * 1.5, whole.mean()):
        assert y.dtype == np.float32
    assert_close(whole / 2, [0.5, 1.0])


def test_the_methods_that_pytorch_has() -> None:
    x = sg.tensor([[1.0, -2.0], [3.0, 4.0]])
    assert_close(x.relu(), [[1.0, 0.0], [3.0, 4.0]])
    assert_close(x.where(x.data > 0, 0), [[1.0, 0.0], [3.0, 4.0]])
    assert_close(x.maximum(0.5), [[1.0, 0.5], [3.0, 4.0]])
    assert_close(x.flip(0), [[3.0, 4.0], [1.0, -2.0]])
    assert_close(x.flatten(start_dim=0), [1.0, -2.0, 3.0, 4.0])
    assert_close(x.softmax(dim=1).sum(dim=1), [1.0, 1.0])
    assert_close(x.gather(1, sg.asarray([[1], [0]])), [[-2.0], [3.0]])
    assert_close(x.matmul(x), x @ x)
    assert [part.shape for part in x.split(1, dim=1)] == [(2, 1), (2, 1)]
