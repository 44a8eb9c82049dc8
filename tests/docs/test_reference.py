"""The reference lists every public name, and every name that the design promises."""

from __future__ import annotations

import inspect
import sys

import pytest
import reference

import scratchgen as sg

pytestmark = pytest.mark.host_only

PROMISED = {
    "scratchgen": "Tensor tensor no_grad use_device asarray asnumpy grad exp log sqrt tanh sigmoid "
    "softplus maximum where cat stack einsum matmul",
    "scratchgen.backend": "RandomStream",
    "scratchgen.autograd": "check_gradients GradientError",
    "scratchgen.nn": "Module Parameter Sequential Linear Conv2d ConvTranspose2d BatchNorm1d BatchNorm2d "
    "GroupNorm LayerNorm Embedding Dropout AvgPool2d MaxPool2d Upsample MultiheadAttention Flatten "
    "Unflatten ReLU LeakyReLU SiLU GELU Sigmoid Tanh Softplus Identity",
    "scratchgen.nn.functional": "relu leaky_relu silu gelu softplus softmax log_softmax "
    "binary_cross_entropy_with_logits mse_loss cross_entropy interpolate pad conv2d conv_transpose2d",
    "scratchgen.optim": "SGD Adam AdamW RMSprop clip_grad_norm ExponentialMovingAverage",
    "scratchgen.distributions": "Normal Bernoulli Categorical Mixture kl_divergence "
    "kl_divergence_monte_carlo",
    "scratchgen.data": "digits mnist fashion_mnist batches",
    "scratchgen.data.avatars": "observations log_prob draw read",
    "scratchgen.networks": "MLP ConvEncoder ConvDecoder UNet",
    "scratchgen.models": "CategoricalNaiveBayes PixelNaiveBayes Autoencoder VAE GAN DDPM",
    "scratchgen.training": "fit Run save_checkpoint load_checkpoint CheckpointError",
}


def documented() -> dict[int, str]:
    return reference.documented(reference.listed())


@pytest.mark.parametrize("module", PROMISED)
def test_every_promised_name_is_listed(module: str) -> None:
    found, holder = documented(), sys.modules[module]
    missing = [name for name in PROMISED[module].split() if id(getattr(holder, name)) not in found]
    assert missing == []


def test_every_listed_name_has_a_docstring() -> None:
    for module, names in reference.listed().items():
        for name in names:
            assert inspect.getdoc(getattr(module, name)), f"{module.__name__}.{name}"


def test_a_name_is_listed_once_and_where_users_take_it_from() -> None:
    found = documented()
    assert found[id(sg.exp)] == "scratchgen.exp"
    assert found[id(sg.models.VAE)] == "scratchgen.models.VAE"
    listed = [name for names in reference.listed().values() for name in names]
    assert "recording" not in listed
    assert "let_waiting_threads_sleep" not in listed


CLASSES = [
    (module, name)
    for module, names in reference.listed().items()
    for name in names
    if inspect.isclass(getattr(module, name))
]


def test_the_methods_of_a_class_are_its_own_and_those_of_bases_without_an_entry() -> None:
    known = documented()
    inherited = {
        sg.models.DDPM: "q_sample q_posterior predict_x0 sample ddim_sample ode_sample",
        sg.models.VAE: "dense convolutional encode decode reconstruct sample anomaly_score",
        sg.models.MADE: "conditionals log_prob loss sample",
        sg.nn.Conv2d: "reset_parameters",
    }
    for cls, names in inherited.items():
        assert set(names.split()) <= set(reference.methods(cls, known))
        assert "state_dict" not in reference.methods(cls, known)  # of Module, which has an entry
    assert "state_dict" in reference.methods(sg.nn.Module, known)


def test_every_method_of_every_class_has_a_docstring_and_is_on_its_page() -> None:
    known = documented()
    for module, name in CLASSES:
        cls = getattr(module, name)
        hidden, others = reference.families(cls, known)
        lines = list(reference.entry(module, name, known))
        assert any(line.startswith("   :inherited-members:") for line in lines) == bool(hidden)
        for base in others:
            assert f"<{known[id(base)]}>" in lines[-2]
        for method in reference.methods(cls, known):
            assert inspect.getdoc(getattr(cls, method)), f"{module.__name__}.{name}.{method}"


def test_formulas_keep_their_lines_and_prose_holds_no_markup() -> None:
    lines = ["For q(z|x):", "", "    log p(x) >= |a*b|", "", "where *this* and log_ and ``x*y``.", ""]
    assert reference.markup(lines) == [
        r"For q(z\|x):",
        "",
        "::",
        "",
        "    log p(x) >= |a*b|",
        "",
        r"where \*this\* and log\_ and ``x*y``.",
        "",
    ]


def test_sections_of_parameters_stay_sections() -> None:
    lines = [
        "Sum.",
        "",
        "Parameters",
        "----------",
        "*inputs : array, shape (n, *shape)",
        "    Of |x|.",
        "",
        "    More.",
    ]
    assert reference.markup(lines) == [
        "Sum.",
        "",
        "Parameters",
        "----------",
        r"*inputs : array, shape (n, \*shape)",
        r"    Of \|x\|.",
        "",
        "    More.",
    ]
