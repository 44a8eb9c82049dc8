"""``python -m scratchgen.loops`` compiles all loops, once after installing."""

from . import compile_all

compile_all(lambda name: print(f"compiling: {name}", flush=True))
