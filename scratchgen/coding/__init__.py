"""Floor 5: entropy coding, a model's log-likelihood turned into bytes and back.

Read `ans`, `counts`, `pixels`, `bits_back`, `files`; how networks become reproducible: `tables`, `network`.
"""

from .errors import CodingError
from .files import compress, decompress

__all__ = ["CodingError", "compress", "decompress"]
