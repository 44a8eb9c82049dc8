"""Layers, losses, optimisers and a dense VAE beside PyTorch, with the same state_dict and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream
from scratchgen.models import VAE
from scratchgen.nn import functional as F

torch = pytest.importorskip("torch")
TF = torch.nn.functional
pytestmark = pytest.mark.parity

PRECISIONS = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def to_torch(x: np.ndarray, dtype: Any) -> Any:
    return torch.from_numpy(x.astype(dtype))


def same_state(ours: Any, theirs: Any, dtype: Any) -> None:
    """Both in one precision, with one random state, which travels through the state_dict of each."""
    theirs.to(torch.float64)
    with torch.no_grad():
        for i, parameter in enumerate(theirs.parameters()):
            parameter.copy_(torch.from_numpy(numbers(50 + i, *parameter.shape)))
    theirs.to(torch.float32 if dtype == np.float32 else torch.float64)
    ours.to(dtype).load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    state = {name: torch.from_numpy(array) for name, array in ours.state_dict().items()}
    theirs.load_state_dict(state)  # and back


def compare_states(ours: Any, theirs: Any, tolerance: float) -> None:
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, array in ours.state_dict().items():
        assert_close(array, state[name].numpy(), rtol=tolerance, atol=tolerance)


X = numbers(0, 6, 4)
INDICES = np.array([[1, 3, 1], [0, 1, 4]])
LAYERS: dict[str, tuple[Callable[[], nn.Module], Callable[[], Any], np.ndarray]] = {
    "linear": (lambda: nn.Linear(4, 3), lambda: torch.nn.Linear(4, 3), X),
    "linear without bias": (
        lambda: nn.Linear(4, 3, bias=False),
        lambda: torch.nn.Linear(4, 3, bias=False),
        X.reshape(2, 3, 4),
    ),
    "layer norm": (lambda: nn.LayerNorm(4), lambda: torch.nn.LayerNorm(4), X),
    "layer norm over two axes": (
        lambda: nn.LayerNorm((3, 4), eps=0.1),
        lambda: torch.nn.LayerNorm((3, 4), eps=0.1),
        X.reshape(2, 3, 4),
    ),
    "batch norm": (lambda: nn.BatchNorm1d(4), lambda: torch.nn.BatchNorm1d(4), X),
    "batch norm, other constants": (
        lambda: nn.BatchNorm1d(4, eps=0.1, momentum=0.3),
        lambda: torch.nn.BatchNorm1d(4, eps=0.1, momentum=0.3),
        X,
    ),
    "embedding": (lambda: nn.Embedding(5, 3), lambda: torch.nn.Embedding(5, 3), INDICES),
    "relu": (nn.ReLU, torch.nn.ReLU, X),
    "leaky relu": (lambda: nn.LeakyReLU(0.2), lambda: torch.nn.LeakyReLU(0.2), X),
    "silu": (nn.SiLU, torch.nn.SiLU, X),
    "gelu": (nn.GELU, torch.nn.GELU, X),
    "sigmoid": (nn.Sigmoid, torch.nn.Sigmoid, X),
    "tanh": (nn.Tanh, torch.nn.Tanh, X),
    "softplus": (nn.Softplus, torch.nn.Softplus, X),
    "identity": (nn.Identity, torch.nn.Identity, X),
    "flatten": (nn.Flatten, torch.nn.Flatten, X.reshape(2, 3, 4)),
    "unflatten": (lambda: nn.Unflatten(1, (2, 2)), lambda: torch.nn.Unflatten(1, (2, 2)), X),
}


@PRECISIONS
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False])
def test_layers(name: str, training: bool, dtype: Any, tolerance: float) -> None:
    make_ours, make_theirs, x = LAYERS[name]
    ours, theirs = make_ours(), make_theirs()
    same_state(ours, theirs, dtype)
    for batch in (x, x[::-1].copy()):  # in the second, batch norm's statistics have moved
        ours.train(), theirs.train()
        if batch.dtype.kind == "f":
            ours(sg.asarray(batch, dtype)), theirs(to_torch(batch, dtype))
        ours.train(training), theirs.train(training)
        whole = batch.dtype.kind == "i"
        our_x = sg.asarray(batch) if whole else sg.tensor(batch, requires_grad=True, dtype=dtype)
        their_x = torch.from_numpy(batch) if whole else to_torch(batch, dtype).requires_grad_()
        our_y, their_y = ours(our_x), theirs(their_x)
        assert_close(our_y, their_y.detach().numpy(), rtol=tolerance, atol=tolerance)
        g = numbers(9, *their_y.shape)
        ours.zero_grad(), theirs.zero_grad()
        our_y.backward(sg.asarray(g, dtype))
        their_y.backward(to_torch(g, dtype))
        if not whole:
            assert_close(our_x.grad, their_x.grad.numpy(), rtol=tolerance, atol=tolerance)
        for (_, ours_p), theirs_p in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert_close(ours_p.grad, theirs_p.grad.numpy(), rtol=tolerance, atol=tolerance)
        compare_states(ours, theirs, tolerance)


LABELS = np.array([2, 0, 3, 1, 1, 0])
TARGET = np.random.default_rng(3).random((6, 4))
LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any], np.ndarray]] = {
    "binary cross-entropy": (F.binary_cross_entropy_with_logits, TF.binary_cross_entropy_with_logits, TARGET),
    "mean squared error": (F.mse_loss, TF.mse_loss, TARGET),
    "cross-entropy": (F.cross_entropy, TF.cross_entropy, LABELS),
}


@PRECISIONS
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses(name: str, reduction: str, dtype: Any, tolerance: float) -> None:
    our_loss, their_loss, target = LOSSES[name]
    whole = target.dtype.kind == "i"
    our_x = sg.tensor(3 * X, requires_grad=True, dtype=dtype)
    their_x = to_torch(3 * X, dtype).requires_grad_()
    ours = our_loss(our_x, sg.asarray(target, None if whole else dtype), reduction=reduction)
    theirs = their_loss(
        their_x, torch.from_numpy(target) if whole else to_torch(target, dtype), reduction=reduction
    )
    assert_close(ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
    ours.sum().backward()
    theirs.sum().backward()
    assert_close(our_x.grad, their_x.grad.numpy(), rtol=tolerance, atol=tolerance)


OPTIMISERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd with momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "sgd by nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "sgd with decay": ("SGD", {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1}),
    "adam": ("Adam", {"lr": 0.05}),
    "adam with decay": ("Adam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.05}),
    "adamw with decay": ("AdamW", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.3}),
    "rmsprop": ("RMSprop", {"lr": 0.01}),
    "rmsprop with momentum": (
        "RMSprop",
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.9, "weight_decay": 0.1, "eps": 1e-4},
    ),
}


@PRECISIONS
@pytest.mark.parametrize("name", OPTIMISERS)
def test_five_steps_of_training(name: str, dtype: Any, tolerance: float) -> None:
    kind, options = OPTIMISERS[name]
    # Tanh stands before batch norm: a bias right before it has no gradient but rounding errors, and Adam
    # makes whole steps of those.
    ours = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.BatchNorm1d(8), nn.Linear(8, 4))
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 4)
    )
    same_state(ours, theirs, dtype)
    our_optimiser = getattr(optim, kind)(ours.parameters(), **options)
    their_optimiser = getattr(torch.optim, kind)(theirs.parameters(), **options)
    x, target = sg.asarray(X, dtype), sg.asarray(TARGET, dtype)
    for _ in range(5):
        our_optimiser.zero_grad()
        our_loss = F.mse_loss(ours(x), target)
        our_loss.backward()
        our_norm = optim.clip_grad_norm(ours.parameters(), 0.5)
        our_optimiser.step()

        their_optimiser.zero_grad()
        their_loss = TF.mse_loss(theirs(to_torch(X, dtype)), to_torch(TARGET, dtype))
        their_loss.backward()
        their_norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        their_optimiser.step()
        assert_close(our_loss, their_loss.detach().numpy(), rtol=tolerance)
        assert_close(our_norm, their_norm.numpy(), rtol=tolerance)
    compare_states(ours, theirs, tolerance)


class TorchVAE(torch.nn.Module):  # type: ignore[misc, name-defined]
    """The dense VAE as it is commonly written, with the names of ours."""

    def __init__(self) -> None:
        super().__init__()
        heads = torch.nn.ModuleDict({"mean": torch.nn.Linear(16, 3), "log_var": torch.nn.Linear(16, 3)})
        layers = [torch.nn.Flatten(), torch.nn.Linear(12, 16), torch.nn.ReLU(), heads]
        self.encoder = torch.nn.ModuleList(layers)
        self.decoder = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 12))

    def loss(self, x: Any, eps: Any) -> Any:
        h = torch.relu(self.encoder[1](x))
        mean, log_var = (self.encoder[3][name](h) for name in ("mean", "log_var"))
        logits = self.decoder(mean + torch.exp(log_var / 2) * eps)
        reconstruction = TF.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum()
        return (reconstruction + kl) / len(x)


@PRECISIONS
def test_a_dense_vae_with_the_same_noise(dtype: Any, tolerance: float) -> None:
    ours, theirs = VAE.dense(12, 16, 3), TorchVAE()
    for parameter in ours.parameters():
        parameter.data *= 2
    ours.to(dtype)
    theirs.to(torch.float32 if dtype == np.float32 else torch.float64)
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in ours.state_dict().items()})
    our_optimiser = optim.Adam(ours.parameters(), lr=0.01)
    their_optimiser = torch.optim.Adam(theirs.parameters(), lr=0.01)
    x = (np.random.default_rng(0).random((7, 12)) < 0.5).astype(dtype)
    for step in range(5):
        our_optimiser.zero_grad()
        our_loss = ours.loss(sg.asarray(x), RandomStream(step))
        our_loss.backward()
        eps = sg.asnumpy(RandomStream(step).normal((7, 3), dtype))
        their_optimiser.zero_grad()
        their_loss = theirs.loss(torch.from_numpy(x), torch.from_numpy(eps))
        their_loss.backward()
        assert_close(our_loss, their_loss.detach().numpy(), rtol=tolerance)
        for (_, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert_close(p.grad, q.grad.numpy(), rtol=tolerance, atol=tolerance)
        our_optimiser.step()
        their_optimiser.step()
    compare_states(ours, theirs, tolerance)
