"""Keep what a lesson has learnt of MNIST: `python3 demos/weights/record.py NAME RUN --root DIR --commit C`.

NAME is one of the files of this folder, RUN the folder of a run of its lesson, DIR holds MNIST's files, and C
is the commit that the run was made with. Needs the project's environment. It writes `NAME.npz` and its entry
in `weights.json`, and prints the figures in full and in half precision, which should be the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

import scratchgen as sg  # noqa: E402  (from this folder's project)
from demos import _judge, _weights, show  # noqa: E402
from scratchgen.data import Images, binarise  # noqa: E402
from scratchgen.optim import ExponentialMovingAverage  # noqa: E402
from scratchgen.training import Run, load_checkpoint, save_checkpoint  # noqa: E402

TITLES = {"vae": "VAE", "vae-plane": "VAE of two latents", "gan": "GAN", "ddpm": "Diffusion"}
AVERAGED = ("gan", "ddpm")


def learnt(name: str, folder: Path) -> tuple[Any, sg.nn.Module]:
    """The model of a run, the moving average in the place of its weights; and its part that draws."""
    model, kept = _weights.untrained(name)
    parts: dict[str, Any] = {"model": model}
    if name in AVERAGED:
        parts["average"] = ExponentialMovingAverage(kept.parameters())
    load_checkpoint(folder / "checkpoint.npz", **parts)
    if name in AVERAGED:
        for parameter, average in zip(kept.parameters(), parts["average"].averages, strict=True):
            parameter.data[...] = average
    model.eval()
    return model, kept


def figures(name: str, model: Any, data: Images, options: Any, judged: bool = True) -> dict[str, str]:
    """What is measured of a model: its likelihood, and what the judge says of a thousand samples."""
    rng, found = sg.RandomStream(0, "measured", name), {}
    if name.startswith("vae"):
        test = binarise(sg.asarray(data.test), rng.child("ink"))
        with sg.no_grad():
            elbo = np.mean(
                [sg.asnumpy(model.elbo(x, rng.child(i)).data) for i, x in enumerate(np.split(test, 20))]
            )
        found["test ELBO"] = f"{elbo:.2f} nats"
    if judged and name != "vae-plane":
        artist = show.artist(name, model, options)
        labels = np.arange(1000) % 10
        hundreds = [artist.draw(100, rng.child("draw", i), labels[:100]) for i in range(10)]
        quality = _judge.quality(np.concatenate(hundreds), data, options)
        found["Fréchet distance"] = f"{quality.frechet:.1f} (real {quality.frechet_real:.1f})"
        found["a judge is sure"] = f"{quality.confident:.1%} (test images {quality.confident_real:.1%})"
        found["nearest training image"] = f"{quality.nearest:.2f} of a test image's distance"
    return found


def main() -> None:
    """Keep one model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=list(_weights.MAKERS))
    parser.add_argument("run", type=Path)
    parser.add_argument("--root", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--command", help="how the run is made; what the run itself remembers unless given")
    parser.add_argument("--no-judge", action="store_true", help="leave out what the judge says of samples")
    given = parser.parse_args()
    sg.use_device("cpu")
    options = show.Options(device="cpu", out=given.run.parent)
    data = sg.data.mnist(given.root)
    model, kept = learnt(given.name, given.run)
    print("in full:", figures(given.name, model, data, options, not given.no_judge))
    run = Run.reopen(given.run)
    rows = run.metrics()
    path = HERE / f"{given.name}.npz"
    steps = int(rows[-1]["step"])
    save_checkpoint(path, step=steps, configuration=described(run), weights=_weights.HalfPrecision(kept))
    whole, part = _weights.untrained(given.name)
    load_checkpoint(path, weights=_weights.HalfPrecision(part))
    whole.eval()
    measured = figures(given.name, whole, data, options, not given.no_judge)
    print("in half:", measured)
    entry = _weights.Trained(
        title=TITLES[given.name],
        command=given.command or command(given.run),
        commit=given.commit,
        steps=steps,
        seconds=round(rows[-1]["seconds"]),
        machine=machine(given.run),
        parameters=(part if given.name in AVERAGED else whole.decoder).parameter_count(),
        figures=measured,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    record = HERE / _weights.RECORD
    known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    known[given.name] = dataclasses.asdict(entry)
    ordered = {name: known[name] for name in _weights.MAKERS if name in known}
    record.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


PLACES = ("root", "out", "resume")
"""Settings that are of the machine where the run was made."""


def described(run: Run) -> dict[str, Any]:
    """The settings of the run, without those of its machine."""
    return {name: value for name, value in run.configuration.items() if name not in PLACES}


def command(folder: Path) -> str:
    """The run's command line, without the places of its machine."""
    words = json.loads((folder / "environment.json").read_text(encoding="utf-8"))["command"]
    kept, skipped = [], False
    for word in words[1:]:
        if skipped or word in {f"--{name}" for name in (*PLACES, "max-minutes")}:
            skipped = not skipped
            continue
        kept.append(word)
    return f"{words[0]} {shlex.join(kept)}"


def machine(folder: Path) -> str:
    """Where it ran."""
    found = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    return f"{found['processor']}, {found['cores']} cores, NumPy {found['numpy']}, {found['loops']}"


if __name__ == "__main__":
    main()
