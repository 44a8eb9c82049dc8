"""Train what the book's explorables show, and keep it: `python3 docs/explorables/record.py NAME ...`.

Each name leaves `NAME.npz` in this folder, and in `docs/results` what made it. The names are those of
RECORDS.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

import scratchgen as sg  # noqa: E402  (from this folder's project)
from scratchgen.data import binarise, toy  # noqa: E402
from scratchgen.models import GAN, VAE, Autoencoder  # noqa: E402
from scratchgen.optim import Adam  # noqa: E402
from scratchgen.optim.schedules import cosine  # noqa: E402
from scratchgen.training import Run, fit, fit_adversarial  # noqa: E402

BETAS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
HIDDEN, PLANE_STEPS = 64, 4000

GAMES = {"as fast as the discriminator": (2e-3, 2e-3), "ten times as fast": (1e-3, 1e-2)}
GAME_STEPS, FRAMES, POINTS = 900, 46, 300
GRID = np.linspace(-3, 3, 25)

TIMES = 26
WEIGHTS = (0.0, 1.0, 4.0)


def planes() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Weights and codes of an autoencoder and of VAEs of several betas, all with two latents."""
    data, kept, figures = sg.data.digits(), {}, {}
    schedule = cosine(2e-3, PLANE_STEPS)

    def learn(name: str, model: Any, loss: Any) -> None:
        adam = Adam(model.parameters(), 2e-3)
        fit(loss, data.train, adam, steps=PLANE_STEPS, schedule=schedule, model=model, quiet=True)
        kept.update({f"{name}/{key}": sg.asnumpy(value) for key, value in model.state_dict().items()})

    model = Autoencoder.dense((1, 8, 8), HIDDEN, 2, rng=sg.RandomStream(0, "autoencoder"))
    learn("autoencoder", model, lambda x, rng: model.loss(x))
    figures["autoencoder, squared error"] = round(float(model.loss(data.test).data), 2)
    for beta in BETAS:
        vae = VAE.dense((1, 8, 8), HIDDEN, 2, "bernoulli", beta, rng=sg.RandomStream(0, "vae"))
        learn(f"vae {beta:g}", vae, lambda x, rng, vae=vae: vae.loss(binarise(x, rng), rng))
        with sg.no_grad():
            terms = vae.loss_terms(binarise(data.test, sg.RandomStream(1)), sg.RandomStream(2))
        figures[f"beta {beta:g}"] = {
            name: round(float(sg.asnumpy(value.data)), 2) for name, value in terms.items()
        }
    return kept, figures


def games() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Samples of two GANs in the plane, and what the discriminator says of it, in the course of training."""
    world, kept, figures = toy.eight_gaussians(), {}, {}
    data = world.sample(10_000, sg.RandomStream(0, "data"))
    places = np.stack(np.meshgrid(GRID, -GRID), axis=-1).reshape(-1, 2).astype(np.float32)
    for i, (name, rates) in enumerate(GAMES.items()):
        model = GAN.dense(2, 64, 8, rng=sg.RandomStream(0, "gan"))
        samples, fields = [], []

        def look(step: int, model: GAN = model, samples: list = samples, fields: list = fields) -> None:
            if step % (GAME_STEPS // (FRAMES - 1)) == 0:
                samples.append(sg.asnumpy(model.sample(POINTS, sg.RandomStream(1))))
                with sg.no_grad():
                    fields.append(sg.asnumpy(sg.sigmoid(model.logits(places)).data).reshape(25, 25))

        look(0)
        players = (model.discriminator, model.generator)
        optimisers = [
            Adam(p.parameters(), rate, betas=(0.5, 0.9)) for p, rate in zip(players, rates, strict=True)
        ]
        fit_adversarial(
            model, data, *optimisers, steps=GAME_STEPS, batch_size=128, on_step=[look], quiet=True
        )
        kept[f"samples {i}"] = np.stack(samples).astype(np.float16)
        kept[f"fields {i}"] = np.round(255 * np.stack(fields)).astype(np.uint8)
        near = np.linalg.norm(samples[-1][:, None] - world.centres, axis=2) < 3 * world.sigma
        figures[name] = {
            "bumps reached": int((near.mean(0) >= 0.02).sum()),
            "points on one": round(float(near.any(1).mean()), 3),
        }
    return kept, figures


def digits() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Ten digits on the way to noise, what the network sees in them, and the way back from other noise."""
    from demos import _ddpm_pages, ddpm

    options = ddpm.Options(device="cpu", steps=700).settled()
    with tempfile.TemporaryDirectory() as folder:
        run = Run("ddpm", root=Path(folder))
        page = _ddpm_pages.Pictures(options, run)
        painter, rows = ddpm.train(page.examples, page.levels, options, run)
    model, data, labels = painter.model, sg.data.digits(), np.arange(10)
    first = [int(np.argmax(data.test_labels == label)) for label in labels]
    x0 = (2 * data.test[first] - 1).astype(np.float32)
    eps = sg.asnumpy(sg.RandomStream(0, "noise").normal(x0.shape))
    times = np.round(np.linspace(0, model.schedule.steps, TIMES)).astype(int)
    noisy, seen = [x0], [x0]
    kept = {"times": times, "alpha_bar": np.array([model.schedule.alpha_bar_at(int(t)) for t in times])}
    with painter.average.applied(), sg.no_grad():
        for t in times[1:]:
            noisy.append(sg.asnumpy(model.q_sample(x0, np.full(10, t), eps)))
            seen.append(sg.asnumpy(model.predict_x0(noisy[-1], np.full(10, t), labels)))
    kept["noisy"], kept["seen"] = levels(noisy), levels(seen)
    for weight in WEIGHTS:
        painter.guidance = weight
        path = dict(painter.path(10, sg.RandomStream(3, "back"), TIMES - 1, labels))
        kept[f"back {weight:g}"] = levels([sg.asnumpy(path[t]) for t in sorted(path)])
        kept[f"back times {weight:g}"] = np.array(sorted(path))
    return kept, {"last training loss": round(float(rows[-1]["loss"]), 2)}


def levels(images: list[np.ndarray]) -> np.ndarray:
    """Images around [-1, 1] as 256 levels from -2 to 2, which is as far as noise is shown."""
    flat = np.stack(images).reshape(len(images), 10, -1)
    return np.round(255 * np.clip((flat + 2) / 4, 0, 1)).astype(np.uint8)


RECORDS = {"planes": planes, "games": games, "digits": digits}


def main() -> None:
    """Record the names on the command line, or all."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    for name in sys.argv[1:] or RECORDS:
        start = time.monotonic()
        kept, figures = RECORDS[name]()
        np.savez_compressed(HERE / f"{name}.npz", **kept)
        words = {
            "title": f"What the book's explorables show: {RECORDS[name].__doc__}",
            "command": f"python3 docs/explorables/record.py {name}",
            "seed": 0,
            "commit": commit.strip(),
            "machine": f"{platform.machine()}, NumPy {np.__version__}",
            "seconds": round(time.monotonic() - start),
            "figures": figures,
        }
        text = json.dumps(words, indent=1, ensure_ascii=False)
        (ROOT / "docs" / "results" / f"explorable-{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {words['seconds']} s, {(HERE / f'{name}.npz').stat().st_size >> 10} KB, {figures}")


if __name__ == "__main__":
    main()
