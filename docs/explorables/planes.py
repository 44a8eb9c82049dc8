"""The plane of an autoencoder, and beside it that of VAEs of several betas, trained by record.py."""

import json
from pathlib import Path

import numpy as np

import scratchgen as sg
from scratchgen.models import VAE, Autoencoder
from scratchgen.plots.explorables import Explorable, Plane, planes

HERE = Path(__file__).resolve().parent
SHOWN, TRAIN = 400, 1200  # test images in the plane; training images among which the nearest is looked for


def show() -> Explorable:
    """Weights and codes as they were recorded."""
    data, kept = sg.data.digits(), np.load(HERE / "planes.npz")
    figures = json.loads((HERE.parent / "results" / "explorable-planes.json").read_text())["figures"]
    images, labels = data.test[:SHOWN], data.test_labels[:SHOWN]
    found = []
    for run in dict.fromkeys(key.partition("/")[0] for key in kept.files):
        weights = {key.partition("/")[2]: kept[key] for key in kept.files if key.partition("/")[0] == run}
        hidden = next(iter(weights.values())).shape[0]
        kind, _, beta = run.partition(" ")
        model = (Autoencoder if kind == "autoencoder" else VAE).dense((1, 8, 8), hidden, 2)
        model.load_state_dict(weights)
        codes = sg.asnumpy(model.encode(sg.asarray(images)))
        if kind == "vae":
            name = f"VAE, beta {beta}: a code costs {figures[f'beta {beta}']['kl']:.1f} nats"
            found.append(Plane(name, "vae", model.decoder, codes, beta=float(beta)))
        else:
            found.append(Plane("Autoencoder", "autoencoder", model.decoder, codes, "identity"))
    caption = "Drag the point, or the letters from digit to digit; or use the arrow keys"
    return planes(found, images, labels, data.train[:TRAIN], caption)
