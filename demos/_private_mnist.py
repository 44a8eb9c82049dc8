"""MNIST, as it was published: a small network of convolutions, large batches, many passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import scratchgen as sg
from demos import _judge, _lesson, private
from scratchgen.nn import Conv2d, Flatten, Linear, MaxPool2d, Module, Sequential, Tanh, functional as F
from scratchgen.optim import SGD
from scratchgen.training import Run

LOT, PASSES = 1024, 10


def convolutions(rng: sg.RandomStream) -> Module:
    """28x28 pixels to logits; bounded activations keep gradients short (Papernot et al. 2021)."""
    first = [Conv2d(1, 16, 8, stride=2, padding=3), Tanh(), MaxPool2d(2)]
    second = [Conv2d(16, 32, 4), Tanh(), MaxPool2d(2), Flatten()]
    return Sequential(*first, *second, Linear(128, 32), Tanh(), Linear(32, 10)).initialise(rng)


def lesson(options: private.Options, run: Run) -> dict[str, str]:
    """The classifier on MNIST at two guarantees, on all test images."""
    data, found = _lesson.images(options), {}
    for epsilon in (2.0, 8.0) if options.epsilon is None else (options.epsilon,):
        network = convolutions(sg.RandomStream(options.seed, "mnist"))
        rate = LOT / len(data.train)
        steps = _lesson.steps(options, round(PASSES / rate))

        def loss(batch: Any, rng: sg.RandomStream, network: Module = network) -> Any:
            return F.cross_entropy(network(batch[0]), batch[1])

        def watch(step: int, steps: int = steps, network: Module = network) -> None:
            if step % max(1, steps // 10) == 0:
                some = data.train[:2000], data.train_labels[:2000]
                right = _judge.accuracy(network, *some)
                print(f"step {step} of {steps}: {right:.1%} of 2,000 training images (not for publication)")

        optimiser = SGD(network.parameters(), 0.4 / (options.clip_norm or 1.0), momentum=0.9)
        plan = rate, steps, epsilon
        pictures = data.train, data.train_labels
        private.train_privately(loss, network, optimiser, pictures, plan, options, watch=watch)
        found[epsilon] = _judge.accuracy(network, data.test, data.test_labels)
    return page(found, len(data.train), options, run)


PUBLISHED = {0.5: "90", 2.0: "95", 8.0: "97"}
"""Per cent of right answers (Abadi et al. 2016, figure 3)."""


def page(found: Mapping[float, float], pictures: int, options: Any, run: Run) -> dict[str, str]:
    """The table of the published setting."""
    table = [["epsilon", "right answers on the test images, %", "Abadi et al. 2016, %"]]
    table += [[f"{e:g}", f"{100 * right:.2f}", PUBLISHED.get(e, "")] for e, right in found.items()]
    numbers = {f"accuracy at epsilon {e:g}": f"{right:.2%}" for e, right in found.items()}
    run.section(
        "A private classifier of MNIST",
        r"$$g = \frac{1}{q n} \left( \sum_i g_i \min\left( 1, \frac{C}{\|g_i\|} \right)"
        r" + \sigma C \xi \right)$$"
        "\n\n"
        f"Each of the {pictures:,} training images is protected, against everybody who sees the weights of "
        f"every step, with delta {options.delta:g}. The network, the learning rate, the batches and "
        "the number of steps were chosen on training images, by trainings that the epsilon does not count; "
        "the test images took no part in any choice.",
        numbers=numbers,
        table=table,
    )
    return numbers
