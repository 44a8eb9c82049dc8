"""Layers of images, a DCGAN and a U-Net against PyTorch: outputs, gradients and five Adam steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen import nn
from scratchgen.backend import RandomStream
from scratchgen.networks import ConvDecoder, ConvEncoder, UNet
from scratchgen.nn import functional as F
from scratchgen.optim import Adam

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity
precisions = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "Conv1d": (lambda m: m.Conv1d(6, 4, 3, stride=2, padding=1, dilation=2, groups=2), (2, 6, 11)),
    "Conv2d": (lambda m: m.Conv2d(3, 4, 3), (2, 3, 5, 6)),
    "Conv2d stride": (lambda m: m.Conv2d(3, 4, (4, 2), stride=(2, 3), padding=(1, 0)), (2, 3, 6, 7)),
    "Conv2d dilation": (lambda m: m.Conv2d(2, 4, 3, padding=2, dilation=2, bias=False), (2, 2, 5, 6)),
    "Conv2d groups": (lambda m: m.Conv2d(4, 8, 3, groups=2), (2, 4, 5, 5)),
    "Conv2d depthwise": (lambda m: m.Conv2d(4, 4, 3, groups=4, padding=1), (2, 4, 5, 5)),
    "Conv2d 1x1": (lambda m: m.Conv2d(4, 2, 1), (2, 4, 3, 5)),
    "Conv2d wide": (lambda m: m.Conv2d(16, 16, 3, padding=1), (2, 16, 7, 7)),
    "ConvTranspose2d": (lambda m: m.ConvTranspose2d(4, 3, 4, stride=2, padding=1), (2, 4, 3, 4)),
    "ConvTranspose2d output_padding": (
        lambda m: m.ConvTranspose2d(
            4, 6, 3, stride=3, padding=1, output_padding=(0, 2), groups=2, dilation=2
        ),
        (2, 4, 3, 4),
    ),
    "AvgPool2d": (lambda m: m.AvgPool2d(3, 2, 1), (2, 3, 6, 7)),
    "AvgPool2d inside": (lambda m: m.AvgPool2d((2, 3), padding=1, count_include_pad=False), (2, 3, 6, 7)),
    "MaxPool2d": (lambda m: m.MaxPool2d(2), (2, 3, 6, 7)),
    "MaxPool2d overlapping": (lambda m: m.MaxPool2d(3, stride=1, padding=1), (2, 3, 4, 5)),
    "Upsample": (lambda m: m.Upsample(scale_factor=2), (2, 3, 3, 4)),
    "Upsample to a size": (lambda m: m.Upsample(size=(5, 9)), (2, 3, 3, 4)),
    "Upsample bilinear": (lambda m: m.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 3, 4)),
    "Upsample bilinear, by parts": (lambda m: m.Upsample(scale_factor=1.7, mode="bilinear"), (2, 3, 3, 4)),
    "Upsample bilinear, smaller": (lambda m: m.Upsample(size=(3, 2), mode="bilinear"), (2, 3, 7, 5)),
    "BatchNorm2d": (lambda m: m.BatchNorm2d(3), (4, 3, 3, 2)),
    "BatchNorm2d eval": (lambda m: m.BatchNorm2d(3).eval(), (4, 3, 3, 2)),
    "GroupNorm": (lambda m: m.GroupNorm(2, 6), (2, 6, 3, 2)),
    "LayerNorm": (lambda m: m.LayerNorm((3, 2)), (2, 6, 3, 2)),
    "SiLU": (lambda m: m.SiLU(), (2, 3, 3, 2)),
    "GELU": (lambda m: m.GELU(), (2, 3, 3, 2)),
}


IMAGE = (1, 8, 8)


def random(shape: tuple[int, ...], dtype: Any, *path: Any) -> np.ndarray:
    return sg.asnumpy(RandomStream(7, *path).normal(tuple(shape), np.float64)).astype(dtype)


def load_the_same(ours: nn.Module, theirs: Any, dtype: Any) -> None:
    """One state for both, by PyTorch's names, in both directions."""
    theirs.to(torch.float64 if dtype == np.float64 else torch.float32)
    state = {name: value.numpy().copy() for name, value in theirs.state_dict().items()}
    for i, (name, value) in enumerate(state.items()):
        if value.ndim:
            drawn = random(value.shape, dtype, "state", i) / np.sqrt(max(1, value[0].size))
            state[name] = np.abs(drawn) + dtype(0.5) if "var" in name else drawn
    ours.to(dtype).load_state_dict(state)
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in ours.state_dict().items()})


def compare_states(ours: nn.Module, theirs: Any, tolerance: float) -> None:
    expected = theirs.state_dict()
    found = ours.state_dict()
    assert set(found) == set(expected)
    for name, value in found.items():
        assert_close(value, expected[name].numpy(), rtol=tolerance, atol=tolerance)


def compare(
    ours: nn.Module, theirs: Any, run: Callable[[Any, Any], Any], x: np.ndarray, tolerance: float
) -> None:
    """Output and gradients of `run(module, x)` by input and parameters, then five steps of Adam."""
    a, b = sg.tensor(x.copy(), requires_grad=True), torch.from_numpy(x.copy()).requires_grad_()
    y, z = run(ours, a), run(theirs, b)
    assert_close(y, z.detach().numpy(), rtol=tolerance, atol=tolerance)
    weights = random(y.shape, x.dtype, "cotangent")
    y.backward(sg.asarray(weights))
    z.backward(torch.from_numpy(weights))
    assert_close(a.grad, b.grad.numpy(), rtol=tolerance, atol=tolerance)
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert_close(parameter.grad, gradients[name].grad.numpy(), rtol=tolerance, atol=10 * tolerance)
    if not gradients:
        return
    # A larger eps than usual, so that gradients which are zero but for rounding are not blown up to steps.
    first, second = (
        Adam(ours.parameters(), lr=0.01, eps=0.1),
        torch.optim.Adam(theirs.parameters(), 0.01, eps=0.1),
    )
    for _ in range(5):
        for optimizer, module, given in ((first, ours, sg.asarray(x)), (second, theirs, torch.from_numpy(x))):
            optimizer.zero_grad()
            y = run(module, given)
            (y * y).mean().backward()
            optimizer.step()
    compare_states(ours, theirs, tolerance)


@precisions
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, dtype: Any, tolerance: float) -> None:
    make, shape = LAYERS[name]
    ours, theirs = make(nn), make(torch.nn)
    load_the_same(ours, theirs, dtype)
    compare(ours, theirs, lambda layer, x: layer(x), random(shape, dtype, "x"), tolerance)


@precisions
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_multihead_attention(batch_first: bool, bias: bool, dtype: Any, tolerance: float) -> None:
    ours, theirs = (m.MultiheadAttention(6, 3, bias=bias, batch_first=batch_first) for m in (nn, torch.nn))
    load_the_same(ours, theirs, dtype)
    x = random((4, 5, 6), dtype, "x")
    compare(ours, theirs, lambda layer, x: layer(x, x, x)[0], x, tolerance)
    compare(ours, theirs, lambda layer, x: layer(x, 2 * x, x * x)[0], x, tolerance)
    length = 5 if batch_first else 4
    mask = ~np.tri(length, dtype=bool)
    found = ours(*[sg.asarray(x)] * 3, attn_mask=sg.asarray(mask))
    expected = theirs(*[torch.from_numpy(x)] * 3, attn_mask=torch.from_numpy(mask))
    for y, z in zip(found, expected, strict=True):
        assert_close(y, z.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("how", [{}, {"is_causal": True}, {"scale": 0.3}])
def test_scaled_dot_product_attention(how: dict[str, Any]) -> None:
    q, k, v = (random((2, 3, n, 4), np.float64, i) for i, n in enumerate((4, 5, 5)))
    found = F.scaled_dot_product_attention(*map(sg.asarray, (q, k, v)), **how)
    expected = torch.nn.functional.scaled_dot_product_attention(*map(torch.from_numpy, (q, k, v)), **how)
    assert_close(found, expected.numpy(), rtol=1e-11, atol=1e-12)


def test_ties_of_a_maximum_go_where_pytorch_has_them() -> None:
    x = np.round(random((2, 2, 7, 7), np.float64, "ties"))
    compare(nn.MaxPool2d(3, 2, 1), torch.nn.MaxPool2d(3, 2, 1), lambda layer, x: layer(x), x, 1e-12)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_sizes_of_interpolation(mode: str) -> None:
    x = random((1, 2, 6, 5), np.float64, "sizes")
    for how in ({"size": (4, 9)}, {"size": 1}, {"scale_factor": 0.5}, {"scale_factor": (2.5, 1.0)}):
        found = F.interpolate(sg.asarray(x), mode=mode, **how)
        expected = torch.nn.functional.interpolate(torch.from_numpy(x), mode=mode, **how)
        assert_close(found, expected.numpy(), rtol=1e-11, atol=1e-12)


def test_padding() -> None:
    x = random((2, 3, 4, 5), np.float64, "pad")
    for widths, value in (((1, 2), 0.0), ((0, 1, 2, 3), -1.5), ((1, 0, 0, 1, 2, 2), 0.5)):
        found = F.pad(sg.asarray(x), widths, value=value)
        assert_close(found, torch.nn.functional.pad(torch.from_numpy(x), widths, value=value).numpy(), rtol=0)


def twin_of(module: nn.Module) -> Any:
    """A Sequential of ours as one of PyTorch's, layer by layer."""
    t = torch.nn
    makers: dict[type, Callable[[Any], Any]] = {
        nn.Linear: lambda m: t.Linear(m.in_features, m.out_features),
        nn.Conv2d: lambda m: t.Conv2d(m.in_channels, m.out_channels, m.kernel_size, m.stride, m.padding),
        nn.ConvTranspose2d: lambda m: t.ConvTranspose2d(
            m.in_channels, m.out_channels, m.kernel_size, m.stride, m.padding
        ),
        nn.BatchNorm2d: lambda m: t.BatchNorm2d(m.num_features),
        nn.ReLU: lambda m: t.ReLU(),
        nn.LeakyReLU: lambda m: t.LeakyReLU(m.negative_slope),
        nn.Flatten: lambda m: t.Flatten(),
        nn.Unflatten: lambda m: t.Unflatten(m.dim, m.unflattened_size),
    }
    return t.Sequential(*(makers[type(layer)](layer) for layer in module))


def dcgan() -> tuple[tuple[nn.Module, nn.Module], tuple[Any, Any]]:
    """Generator and discriminator, ours and PyTorch's."""
    generator = ConvDecoder(6, IMAGE, (16, 8), batch_norm=True)
    discriminator = ConvEncoder(IMAGE, 1, (8, 16), batch_norm=True, activation=lambda: nn.LeakyReLU(0.2))
    return (generator, discriminator), (twin_of(generator), twin_of(discriminator))


@precisions
@pytest.mark.parametrize("training", [True, False])
def test_outputs_and_gradients_of_a_dcgan(training: bool, dtype: Any, tolerance: float) -> None:
    inputs = random((6, 6), dtype, "noise"), random((6, *IMAGE), dtype, "real")
    for ours, theirs, x in zip(*dcgan(), inputs, strict=True):
        load_the_same(ours, theirs, dtype)
        ours.train(training)
        theirs.train(training)
        compare(ours, theirs, lambda network, x: network(x), x, tolerance)


@precisions
def test_five_steps_of_a_dcgan(dtype: Any, tolerance: float) -> None:
    (generator, discriminator), twins = dcgan()
    for ours, theirs in zip((generator, discriminator), twins, strict=True):
        load_the_same(ours, theirs, dtype)
    real, noise = random((6, *IMAGE), dtype, "real"), random((5, 6, 6), dtype, "noise")
    torch_loss = torch.nn.functional.binary_cross_entropy_with_logits

    def train(g: Any, d: Any, array: Any, loss: Any, adam: Any, ones: Any) -> None:
        optimizers = [adam(m.parameters(), lr=0.01, betas=(0.5, 0.999), eps=0.1) for m in (g, d)]
        for z in noise:
            fake = g(array(z))
            for_real, for_fake = d(array(real)), d(fake.detach())
            optimizers[1].zero_grad()
            (loss(for_real, ones(for_real)) + loss(for_fake, 0 * ones(for_fake))).backward()
            optimizers[1].step()
            judged = d(fake)
            optimizers[0].zero_grad()
            loss(judged, ones(judged)).backward()
            optimizers[0].step()

    train(
        generator,
        discriminator,
        sg.asarray,
        F.binary_cross_entropy_with_logits,
        Adam,
        lambda y: np.ones_like(y.data),
    )
    train(*twins, torch.from_numpy, torch_loss, torch.optim.Adam, torch.ones_like)
    for ours, theirs in zip((generator, discriminator), twins, strict=True):
        compare_states(ours, theirs, tolerance)


@precisions
def test_a_small_unet(dtype: Any, tolerance: float) -> None:
    from torch_unet import TorchUNet

    settings = {"width": 8, "multipliers": (1, 2), "groups": 4, "heads": 2, "classes": 3, "features": 32}
    ours, theirs = (network(2, 3, attention=(1,), **settings) for network in (UNet, TorchUNet))
    load_the_same(ours, theirs, dtype)
    t, labels = np.array([1, 40, 999]), np.array([2, 0, 0])

    def run(network: Any, x: Any) -> Any:
        array = sg.asarray if network is ours else torch.from_numpy
        return network(x, array(t), array(labels))

    compare(ours, theirs, run, random((3, 2, 4, 6), dtype, "x"), tolerance)
