"""Floor 5: pictures. Every function returns a matplotlib Figure of its own, and none touches pyplot.

Images are grey or RGB, of shape ``(n, channels, height, width)``, with numbers in [0, 1].
"""

from .animations import animation
from .charts import curves, latent_map
from .diffusion import by_time
from .images import image_grid, image_rows, manifold, reconstructions, tile
from .plane import cloud_frames, clouds

__all__ = [
    "animation",
    "by_time",
    "cloud_frames",
    "clouds",
    "curves",
    "image_grid",
    "image_rows",
    "latent_map",
    "manifold",
    "reconstructions",
    "tile",
]
