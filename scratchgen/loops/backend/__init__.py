"""Loops of `scratchgen.backend`."""
