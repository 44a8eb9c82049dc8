"""Module: names, state, modes, places and first weights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import BatchNorm1d, Buffer, LayerNorm, Linear, Module, Parameter, ReLU, Sequential
from scratchgen.nn.context import evaluating


class Network(Module):
    """Every kind of attribute: a module, a parameter, a buffer, a module of modules, and others."""

    def __init__(self) -> None:
        self.first = Linear(3, 4)
        self.scale = Parameter(np.ones(4, np.float32))
        self.count = Buffer(np.array(7, np.int64))
        self.rest = Sequential(ReLU(), Linear(4, 4), BatchNorm1d(4))
        self.note = "no part of the state"

    def forward(self, x: Any) -> Any:
        return self.rest(self.first(x) * self.scale)


NAMES = [
    "scale",
    "first.weight",
    "first.bias",
    "rest.1.weight",
    "rest.1.bias",
    "rest.2.weight",
    "rest.2.bias",
]
BUFFERS = ["count", "rest.2.running_mean", "rest.2.running_var", "rest.2.num_batches_tracked"]


def test_parameters_come_in_pytorchs_order_a_modules_own_before_those_of_its_parts() -> None:
    network = Network()
    assert [name for name, _ in network.named_parameters()] == NAMES
    assert [id(p) for p in network.parameters()] == [id(p) for _, p in network.named_parameters()]
    assert network.parameter_count() == 4 + (12 + 4) + (16 + 4) + (4 + 4)
    paths = [path for path, _ in network.named_modules()]
    assert paths == ["", "first", "rest", "rest.0", "rest.1", "rest.2"]
    assert [name for name, _ in network.named_children()] == ["first", "rest"]


def test_state_dict_is_a_copy_on_the_host_of_parameters_and_buffers() -> None:
    network = Network()
    state = network.state_dict()
    assert sorted(state) == sorted(NAMES + BUFFERS)
    assert all(type(array) is np.ndarray for array in state.values())
    state["scale"][...] = 5
    assert_close(network.scale, np.ones(4))
    network.first.bias.data[...] = 9
    assert not (state["first.bias"] == 9).any()


def test_load_state_dict_copies_and_keeps_the_dtype() -> None:
    network, other = Network(), Network()
    state = {name: array.astype(np.float64) for name, array in other.state_dict().items()}
    held = network.first.weight.data
    network.load_state_dict(state)
    state["scale"][...] = 5
    for name, array in other.state_dict().items():
        assert_close(network.state_dict()[name], array)
    assert network.first.weight.data is held  # so that an optimiser's view stays one
    assert {str(array.dtype) for array in network.state_dict().values()} == {"float32", "int64"}


def test_load_state_dict_lists_all_that_does_not_fit_and_changes_nothing() -> None:
    network = Network()
    before = network.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    del state["scale"], state["rest.2.running_var"]
    state["scales"] = np.zeros(4)
    state["rest.9.weight"] = np.zeros((2, 2))
    state["first.weight"] = np.zeros((4, 2))
    state["rest.1.bias"] = np.zeros((1, 4))  # would broadcast
    state["first.bias"] = np.array(["a", "b", "c", "d"])
    with pytest.raises(ValueError, match="state does not fit this Network") as failure:
        network.load_state_dict(state)
    assert str(failure.value).splitlines()[1:] == [
        "  missing: scale (4,)",
        "  missing: rest.2.running_var (4,)",
        "  unexpected: scales (4,)",
        "  unexpected: rest.9.weight (2, 2)",
        "  wrong shape: first.weight is (4, 2), expected (4, 3)",
        "  wrong shape: rest.1.bias is (1, 4), expected (4,)",
        "  wrong type: first.bias is <U1, expected numbers",
    ]
    for name, array in network.state_dict().items():
        assert_close(array, before[name])


def test_a_shared_module_is_learnt_once_and_gathers_gradients_from_every_use() -> None:
    class Twice(Module):
        def __init__(self) -> None:
            self.once = Linear(2, 2, bias=False)
            self.again = self.once
            self.same = self.once.weight

        def forward(self, x: Any) -> Any:
            return self.again(self.once(x))

    network = Twice()
    assert [name for name, _ in network.named_parameters()] == ["same"]
    assert network.parameter_count() == 4
    network.load_state_dict({"same": np.array([[2.0, 0.0], [0.0, 3.0]])})
    network(sg.asarray([[1.0, 1.0]])).sum().backward()
    # d/dW of 1^T W W x is W^T 1 x^T + 1 (W x)^T
    assert_close(network.same.grad, [[2.0 + 2.0, 2.0 + 3.0], [3.0 + 2.0, 3.0 + 3.0]])


def test_train_and_eval_reach_every_module_and_return_the_module() -> None:
    network = Network()
    assert all(module.training for _, module in network.named_modules())
    assert network.eval() is network
    assert not any(module.training for _, module in network.named_modules())
    assert network.train() is network
    assert all(module.training for _, module in network.named_modules())
    assert Network().training  # others are left alone


def test_evaluation_belongs_to_the_thread_that_entered_it() -> None:
    network, other = Network(), Network()
    network.first.eval()

    def modes() -> list[bool]:
        return [module.training for module in (network, network.first, network.rest[2], other)]

    with ThreadPoolExecutor(1) as elsewhere:
        with evaluating(network), evaluating(network.rest):
            assert modes() == [False, False, False, True]
            assert elsewhere.submit(modes).result() == [True, False, True, True]
            network.first.train()  # holds once this is over
        assert modes() == [True, True, True, True]

        first, second = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        contexts = evaluating(network), evaluating(network)  # begin, begin, end, end: in two threads
        for thread, context in zip((first, second), contexts, strict=True):
            thread.submit(context.__enter__).result()
        for thread, context in zip((first, second), contexts, strict=True):
            thread.submit(context.__exit__, None, None, None).result()
            thread.shutdown()
    assert modes() == [True, True, True, True]


def test_samples_of_many_threads_leave_a_model_as_it_was() -> None:
    model = sg.models.VAE.dense(4, 8, 2)
    model.decoder[0].eval()
    before = [module.training for _, module in model.named_modules()]

    def sample(i: int) -> None:
        for _ in range(20):
            model.sample(3, RandomStream(i))
            model.encode(sg.asarray(np.ones((3, 4), np.float32)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sample, range(8)))
    assert [module.training for _, module in model.named_modules()] == before


class Foreign:
    """What a tensor of PyTorch's offers, wherever it lies and whether or not it requires a gradient."""

    def __init__(self, array: np.ndarray, steps: tuple[str, ...] = ("detach", "cpu", "numpy")) -> None:
        self.array, self.steps = array, steps

    def __getattr__(self, name: str) -> Any:
        if name != self.steps[0]:
            raise AttributeError(name)
        return lambda: self.array if name == "numpy" else Foreign(self.array, self.steps[1:])


def test_load_state_dict_takes_tensors_of_others() -> None:
    network, state = Network(), Network().state_dict()
    network.load_state_dict({name: Foreign(array) for name, array in state.items()})
    for name, array in network.state_dict().items():
        assert_close(array, state[name])
    network.load_state_dict({name: sg.asarray(array) for name, array in state.items()})
    with pytest.raises(ValueError, match=r"wrong shape: scale is \(3,\), expected \(4,\)"):
        network.load_state_dict(state | {"scale": Foreign(np.ones(3))})


@pytest.mark.parametrize("hide", [list, tuple, lambda x: dict(enumerate(x)), lambda x: [[x[0]], x]])
@pytest.mark.parametrize("owned", [lambda: Linear(2, 2), lambda: Parameter(1.0), lambda: Buffer(1.0)])
def test_what_would_be_lost_in_a_list_is_refused(hide: Any, owned: Any) -> None:
    network = Network()
    with pytest.raises(TypeError, match=r"layers: got a \w+ with a \w+, expected nn\.ModuleList of modules"):
        network.layers = hide([owned(), owned()])
    assert not hasattr(network, "layers")
    network.layers = []
    network.layers.append(owned())
    for walk in (network.parameters, network.named_modules, network.state_dict, network.train):
        with pytest.raises(TypeError, match=r"layers: got a list with a"):
            list(walk())
    network.layers = [network.first, "text", 3]  # owned already, under another name
    assert [name for name, _ in network.named_parameters()] == NAMES


def test_to_float64_and_back() -> None:
    network = Network()
    before = network.state_dict()
    network(sg.asarray(np.ones((2, 3), np.float32))).sum().backward()
    for place in (np.float64, "float64", np.dtype("float64")):
        assert network.to(place) is network
        assert network.scale.grad is None
        dtypes = {name: str(array.dtype) for name, array in network.state_dict().items()}
        assert {name for name, dtype in dtypes.items() if dtype == "int64"} == {BUFFERS[0], BUFFERS[3]}
        assert set(dtypes.values()) == {"int64", "float64"}
    assert network(sg.asarray(np.ones((2, 3)))).dtype == np.float64
    network.to(np.float32)
    assert_close(network.state_dict()["first.weight"], before["first.weight"])


@pytest.mark.parametrize("place", ["gpu", "int32", np.float16, None, 3])
def test_to_an_unknown_place_says_which_there_are_and_changes_nothing(place: Any) -> None:
    network = Network()
    with pytest.raises(ValueError, match=r"place: got .*, expected one of cpu, cuda.* float32 or float64"):
        network.to(place)
    assert network.scale.dtype == np.float32


def test_to_a_device_carries_parameters_and_buffers() -> None:
    network = Network()
    before = network.state_dict()
    network.to("strict")
    held = [network.scale, network.count, network.rest[2].running_mean]
    assert {type(value.data).__name__ for value in held} == {"StrictArray"}
    network.to("cpu")
    assert {type(value.data) for value in held} == {np.ndarray}
    for name, array in network.state_dict().items():
        assert_close(array, before[name])


def test_zero_grad_forgets_every_gradient() -> None:
    network = Network()
    network(sg.asarray(RandomStream(0).normal((5, 3)))).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    network.zero_grad()
    assert all(p.grad is None for p in network.parameters())


def test_initialise_is_reproducible_and_different_for_each_layer() -> None:
    network = Sequential(Linear(8, 8), Linear(8, 8), LayerNorm(8))
    network[2].weight.data[...] = 3
    assert network.initialise(RandomStream(1)) is network
    first = network.state_dict()
    other = Sequential(Linear(8, 8), Linear(8, 8), LayerNorm(8)).initialise(RandomStream(1)).state_dict()
    for name, array in first.items():
        assert_close(other[name], array)
    assert_close(first["2.weight"], np.ones(8))
    assert_close(first["2.bias"], np.zeros(8))
    drawn = [first[name].ravel()[:8] for name in ("0.weight", "1.weight", "0.bias", "1.bias")]
    drawn.append(network.initialise(RandomStream(2)).state_dict()["0.weight"].ravel()[:8])
    for i, one in enumerate(drawn):
        assert not any(np.isin(one, another).any() for another in drawn[:i])


def test_a_layers_first_weights_depend_on_its_path_only() -> None:
    short = Sequential(Linear(8, 8)).initialise(RandomStream(1))
    long = Sequential(Linear(8, 8), Linear(8, 8)).initialise(RandomStream(1))
    assert_close(long[0].weight, short[0].weight)


def test_layers_made_without_a_stream_differ() -> None:
    assert not np.isin(sg.asnumpy(Linear(8, 8).weight), sg.asnumpy(Linear(8, 8).weight)).any()


def test_repr_shows_the_tree() -> None:
    assert repr(Sequential(Linear(2, 3, bias=False), Sequential(ReLU(), BatchNorm1d(3)))) == (
        "Sequential(\n"
        "  (0): Linear(2, 3, bias=False)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): BatchNorm1d(3, eps=1e-05, momentum=0.1)\n"
        "  )\n"
        ")"
    )


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        Module()(1)


def test_a_parameter_of_whole_numbers_is_refused() -> None:
    with pytest.raises(TypeError, match="int64 has no derivatives"):
        Parameter([1, 2])


def test_a_parameter_is_not_replaced_by_an_array_that_nobody_would_train() -> None:
    layer = Linear(2, 3)
    with pytest.raises(
        TypeError, match=r"weight: got ndarray, expected another Parameter; .*\.weight\.data\[\.\.\.\]"
    ):
        layer.weight = np.zeros((3, 2), np.float32)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    layer.weight = Parameter(np.ones((3, 2), np.float32))
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_children_are_modules_and_named_children_have_names() -> None:
    net = Sequential(Linear(2, 3), Linear(3, 1))
    assert list(net.children()) == [net[0], net[1]]
    assert list(net.named_children()) == [("0", net[0]), ("1", net[1])]
