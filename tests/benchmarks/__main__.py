"""Measure speed beside PyTorch (and HIPS autograd), where they are installed: `python3 tests/benchmarks`.

usage: python3 tests/benchmarks [--no-venv] [name ...]        names:
       engine, vae, dcgan, unet, memory, scaling, imports

All figures come from one run: the competitors take turns, and a ratio is the median over the turns. Run it on
an otherwise idle machine. For the peers: `.venv/bin/python -m pip install torch autograd`; Chainer
and DeZero need a Python of their own, see `dcgan.py`.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[0] = ROOT  # instead of this folder, whose names are nobody's modules

import bootstrap


def main(names: "list[str]") -> None:
    """Run the benchmarks of these names, or all."""
    bootstrap.check_python()
    if names[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return
    bootstrap.enter()
    from scratchgen.backend.environment import describe
    from tests.benchmarks import dcgan, dense_vae, engine, imports, memory, scaling, unet

    known = {
        "engine": engine.main,
        "vae": dense_vae.main,
        "dcgan": dcgan.main,
        "unet": unet.main,
        "memory": memory.main,
        "scaling": scaling.main,
        "imports": imports.main,
    }
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"There is no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    print(describe())
    for name in names or known:
        known[name]()


if __name__ == "__main__":
    main(bootstrap.arguments())
