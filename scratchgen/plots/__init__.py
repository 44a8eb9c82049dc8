"""Floor 5: pictures. Every function returns a matplotlib Figure of its own, and none touches pyplot.

Images are grey or RGB, of shape ``(n, channels, height, width)``, with numbers in [0, 1].
"""

from .animations import animation
from .charts import curves, latent_map
from .images import image_grid, manifold, reconstructions, tile

__all__ = ["animation", "curves", "image_grid", "latent_map", "manifold", "reconstructions", "tile"]
