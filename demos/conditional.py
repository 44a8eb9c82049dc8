"""A VAE that is told the class: which digit to draw is asked for, and the code is left to say how.

Whoever wants a seven has no use for a model that draws what it likes. So encoder and decoder both get the
label y, and the bound is on the likelihood of a class,

    log p(x|y)  >=  E_q(z|x,y) log p(x|z,y)  -  KL(q(z|x,y) || N(0, I)).

What the decoder knows already need not be said again, so z becomes the style. Do its axes mean something?
Are its codes smoother than an autoencoder's? How many are enough, and what if there are fifty images only?
"""

# %% Settings, all of which are options on the command line: `python3 demos conditional --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _conditional_codes as codes, _conditional_page, _lesson
from scratchgen.data import Images, avatars, binarise
from scratchgen.metrics import active_units
from scratchgen.models import VAE, Autoencoder
from scratchgen.training import Run, every, fit
from scratchgen.training.metrics import Row

LATENTS, FEW, SIGMA = (1, 2, 4, 8, 16, 32), 50, 0.1
"""The sizes compared; how many images are too few; where the portraits' sigma begins."""


@dataclass
class Options(_lesson.Brief):
    """Train a conditional VAE, and look into the codes of VAEs and autoencoders."""

    hidden_dim: int = 128
    latent_dim: int = 8
    lr: float = 2e-3


# %% Told the class: the same network, with a label beside the image and beside the code
def vae(
    data: Any, options: Options, latent_dim: int, share: float = 1.0, classes: int | None = None, **more: Any
) -> tuple[VAE, list[Row]]:
    """A VAE of coin tosses of the greys, for a share of the steps; told labels if there are `classes`."""
    shape = (data if classes is None else data[0]).shape[1:]
    rng = sg.RandomStream(options.seed, "conditional", latent_dim)
    model = VAE.dense(shape, options.hidden_dim, latent_dim, classes=classes, rng=rng)

    def loss(x: Any, rng: sg.RandomStream, labels: Any = None) -> Any:
        return model.loss(binarise(x, rng), rng, labels)

    return model, train(loss, model, data, options, share, **more)


def autoencoder(
    data: np.ndarray, options: Options, latent_dim: int, share: float = 1.0, **more: Any
) -> tuple[Autoencoder, list[Row]]:
    """An autoencoder of the same size."""
    rng = sg.RandomStream(options.seed, "conditional", latent_dim)
    model = Autoencoder.dense(data.shape[1:], options.hidden_dim, latent_dim, rng=rng)
    return model, train(lambda x, rng: model.loss(x), model, data, options, share, **more)


def train(loss: Any, model: Any, data: Any, options: Options, share: float, look: Any = None) -> list[Row]:
    """The rows of the log, in which stands what `look` has seen of the model."""
    steps = max(1, int(share * _lesson.steps(options, default=1000)))
    return fit(
        loss,
        data,
        sg.optim.Adam(model.parameters(), options.lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=sg.optim.schedules.cosine(options.lr, steps),
        seed=options.seed,
        on_step=[every(max(1, steps // 20), lambda step: look(model))] if look else [],
        quiet=True,
    )


# %% Do axes mean something? Which named feature explains most of a latent; and the same after a turn of all
def axes(told: VAE, data: Images, options: Options) -> dict[str, Any]:
    """Of the digits' style: the share of each latent that features explain; and what a turn changes."""
    x, y = sg.asarray(data.test[:1000]), sg.asarray(data.test_labels[:1000])
    z, named = sg.asnumpy(told.encode(x, labels=y)), codes.strokes(data.test[:1000])
    turns = [codes.any_turn(told, sg.RandomStream(options.seed, "turn", i)) for i in range(3)]
    shares = [codes.explained(sg.asnumpy(it.encode(x, labels=y)), named) for it in turns]
    found = {"style": codes.explained(z, named), "turned": np.stack(shares)}
    return found | {"nats": [codes.nats(it, data, options, i) for i, it in enumerate((told, *turns))]}


def portraits(options: Options) -> tuple[VAE, np.ndarray, np.ndarray]:
    """A VAE of avatars, of whom five features are known; their share of each latent; and some portraits."""
    rows = avatars.sample(200 if options.quick else 1500, sg.RandomStream(options.seed, "people"))
    x, rng = avatars.draw(rows), sg.RandomStream(options.seed, "avatars")
    model = VAE.dense(avatars.SHAPE, options.hidden_dim, options.latent_dim, "normal", rng=rng)
    model.decoder_log_var.data[...] = 2 * np.log(SIGMA)
    train(model.loss, model, x, options, share=0.4)
    return model, codes.explained(sg.asnumpy(model.encode(sg.asarray(x))), rows), x[:10]


# %% How many latents: what each is worth to an autoencoder, and to a VAE
def sweep(data: Images, options: Options) -> list[tuple[int, float, float, int]]:
    """By latent size: test error of an autoencoder; minus the bound of a VAE, and the latents in use."""
    test, rows = data.test[:1000], []
    for size in LATENTS:
        flat, _ = autoencoder(data.train, options, size, 0.4)
        model, _ = vae(data.train, options, size, 0.4)
        used = active_units(model.encode(sg.asarray(test)))
        rows.append((size, codes.squared_error(flat, test), codes.minus_bound(model, test), used))
    return rows


# %% Fifty images only: both looked at while they learn them by heart
def overfitting(data: Images, options: Options) -> dict[str, list[Row]]:
    """The rows of both trainings, with the error on the fifty and on test images."""
    few, test = data.train[:FEW], data.test[:500]

    def looked(error: Any) -> Any:
        return lambda model: {"the fifty": error(model, few), "test images": error(model, test)}

    flat = autoencoder(few, options, options.latent_dim, look=looked(codes.squared_error))
    model = vae(few, options, options.latent_dim, look=looked(codes.minus_bound))
    return {"autoencoder": codes.seen(flat[1]), "VAE": codes.seen(model[1])}


def lesson(options: Options, run: Run) -> dict[str, Any]:
    """Train, measure, and write the page."""
    data, size = _lesson.images(options), options.latent_dim
    classes, labels = int(data.train_labels.max()) + 1, sg.asarray(data.test_labels)
    told, _ = vae((data.train, data.train_labels), options, size, classes=classes)
    (plain, _), (flat, _) = vae(data.train, options, size), autoencoder(data.train, options, size)
    test = sg.asarray(data.test)
    known = (plain.encode(test), told.encode(test, labels=labels))
    found: dict[str, Any] = {"label": [codes.label_found(sg.asnumpy(z), data.test_labels) for z in known]}
    print("label found in the codes of a VAE: {:.0%}; of one that was told: {:.0%}".format(*found["label"]))
    found |= {"axes": axes(told, data, options), "portraits": portraits(options)}
    print("-log p(x|y) {:.3f} ± {:.3f}, minus the bound {:.3f}".format(*found["axes"]["nats"][0]))
    print("turned: {:.3f} ± {:.3f}, {:.3f}".format(*found["axes"]["nats"][1]))
    found["paths"] = codes.paths({"autoencoder": flat, "VAE": plain}, data)
    found |= {"sweep": sweep(data, options), "fifty": overfitting(data, options)}
    _conditional_page.write(found, told, data, options, run)
    return found


def main(argv: list[str] | None = None) -> None:
    """`python3 demos conditional`."""
    _lesson.main("conditional", "A VAE that is told the class", Options, lesson, argv)


if __name__ == "__main__":
    main()
