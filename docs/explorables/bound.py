"""The bound of one example with one latent."""

from scratchgen.plots.explorables import Explorable, bound, decoders


def show() -> Explorable:
    """Three decoders, and the x at which the bow's posterior has two hills."""
    caption = "Drag q by its top or its sides, or x by its line; or use the arrow keys"
    return bound(decoders(), 1.2, caption)
