"""Images to bytes and back: what stands in a file, and what is checked before one is believed.

A file is the letters SGC1, a checksum of all that follows, four bytes that name the model, the dtype, the
number of lanes, the number of images and their shape (each as few bytes as it takes), and the stack of
`ans`. Levels are whole numbers; the values they stand for are computed as the models compute them.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import asnumpy, checks
from ..models import NADE, VAE, PixelCNN, PixelNaiveBayes
from .ans import Integers, Stack
from .bits_back import OfVAE
from .errors import CodingError
from .pixel_cnn import OfPixelCNN
from .pixels import OfNADE, OfNaiveBayes

MAGIC = b"SGC1"
DTYPES = ("float32", "float64")


def compress(model: Any, images: Any, batch: int = 256) -> bytes:
    """Images as a file, about as short as the model's log-likelihood (of a VAE: its bound) says.

    Parameters
    ----------
    model : PixelNaiveBayes, NADE, PixelCNN or VAE
        As trained: `decompress` needs the same. A VAE has a Bernoulli or a categorical likelihood, the prior
        N(0, I), and layers that `coding.network` knows; a PixelCNN has no classes.
    images : array, shape (n, *shape)
        Float32 or float64, of the model's levels: zeros and ones, or ``l / (levels - 1)``.
    batch : int
        How many images a network sees at once; no bit depends on it.

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        If the model is none of those, or the images are no array of floating-point numbers.
    ValueError
        If an image is not of the model's levels or shape, or the model is a density, which has no bits.

    Examples
    --------
    >>> images = (np.arange(64).reshape(4, 1, 4, 4) % 3 == 0).astype(np.float32)
    >>> model = PixelNaiveBayes().fit(images)
    >>> data = compress(model, images)
    >>> bool((decompress(model, data) == images).all())
    True
    """
    x = np.ascontiguousarray(asnumpy(checks.examples("images", images, shape_of(model), least=1)))
    checks.one_of("images", str(x.dtype), DTYPES)
    coder = coder_of(model, x.shape[1:], checks.whole("batch", batch))
    levels = levels_of(x, coder.levels).reshape(len(x), -1)
    lanes = lanes_for(levels)
    stack = Stack(lanes, starting_words())
    coder.encode(stack, levels)
    head = digest(model) + bytes([DTYPES.index(str(x.dtype))])
    head += b"".join(small(n) for n in (lanes, x.ndim - 1, *x.shape))
    body = head + stack.to_bytes()
    return MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def decompress(model: Any, data: bytes, batch: int = 256) -> NDArray[Any]:
    """The images of a file, bit for bit.

    Parameters
    ----------
    model : PixelNaiveBayes, NADE, PixelCNN or VAE
        That made the file.
    data : bytes
    batch : int
        As for `compress`.

    Raises
    ------
    CodingError
        If the file is damaged or cut short, is no file of `compress`, or was made with another model.
    """
    batch, data = checks.whole("batch", batch), bytes(checks.instance("data", data, (bytes, bytearray)))
    if data[:4] != MAGIC[: len(data)] or not data:
        raise CodingError(
            f"data: got bytes that begin with {data[:4]!r}, expected {MAGIC!r}, as compress writes"
        )
    body = data[8:]
    if len(body) < 8 or zlib.crc32(body).to_bytes(4, "little") != data[4:8]:
        raise CodingError("data: got a wrong checksum, expected a whole file: it is damaged or cut short")
    expected = shape_of(model)
    if body[:4] != digest(model):
        raise CodingError("data: got a file of another model, expected one made with this model as it is now")
    numbers = Reader(body[5:])
    lanes, axes = next(numbers), next(numbers)
    shape = tuple(next(numbers) for _ in range(axes + 1))
    if body[4] >= len(DTYPES) or (expected is not None and shape[1:] != expected):
        raise CodingError(f"data: got images of shape {shape[1:]}, expected {expected}")
    coder = coder_of(model, shape[1:], batch)
    stack = Stack.from_bytes(numbers.rest, lanes)
    levels = coder.decode(stack, shape[0], math.prod(shape[1:]))
    words = starting_words()(stack.height)
    if (stack.heads != Stack(lanes).heads).any() or (stack.words[: stack.height] != words).any():
        raise CodingError("data: got bits left over, expected none: the file does not fit the model")
    return values_of(levels, coder.levels, DTYPES[body[4]]).reshape(shape)


def shape_of(model: Any) -> tuple[int, ...] | None:
    """Of one image, or None if the model does not know it.

    Raises
    ------
    TypeError
        If no coder is known for the model.
    """
    kinds = (PixelNaiveBayes, NADE, PixelCNN, VAE)
    checks.instance("model", model, kinds, "whose pixels have probabilities")
    if isinstance(model, NADE):
        return (model.dim,)
    if isinstance(model, VAE):
        return model.example_shape
    return model.shape


def coder_of(model: Any, shape: tuple[int, ...], batch: int) -> Any:
    """What pushes and pops images of a model."""
    if isinstance(model, VAE):
        return OfVAE(model, shape, batch)
    if isinstance(model, PixelCNN):
        return OfPixelCNN(model, batch)
    return OfNADE(model, batch) if isinstance(model, NADE) else OfNaiveBayes(model, batch)


def digest(model: Any) -> bytes:
    """Four bytes that name a model: of all its numbers."""
    if isinstance(model, PixelNaiveBayes):
        arrays = {"theta": model.theta, "class_probabilities": model.class_probabilities}
    else:
        arrays = model.state_dict()
    sha = hashlib.sha256(type(model).__name__.encode())
    for name, array in sorted(arrays.items()):
        array = np.ascontiguousarray(asnumpy(array))
        sha.update(f"{name} {array.shape} {array.dtype}".encode() + array.tobytes())
    return sha.digest()[:4]


def levels_of(x: NDArray[Any], levels: int) -> Integers:
    """The levels of images, if they are nothing but these.

    Raises
    ------
    ValueError
        Naming the first value that is not on the grid.
    """
    checks.within("images", x, 0, 1, "scale the images")
    found = np.minimum(x * x.dtype.type(levels), levels - 1).astype(np.int64)
    off = (values_of(found, levels, x.dtype) != x) | np.signbit(x)
    if off.any():
        first = tuple(int(i) for i in np.argwhere(off)[0])
        raise ValueError(
            f"images: got {x[first]!r} at {first}, expected one of {levels} levels l / {levels - 1}; "
            "what is rounded would not come back"
        )
    return found


def values_of(levels: Integers, count: int, dtype: Any) -> NDArray[Any]:
    """The values in [0, 1] that levels stand for."""
    kind = np.dtype(dtype)
    return levels.astype(kind) / kind.type(count - 1)


def lanes_for(levels: Integers) -> int:
    """How many lanes are worth their 8 bytes each: more for more images, no more than pixels."""
    return int(max(1, min(64, levels.shape[1], levels.size // 50_000)))


def starting_words() -> Any:
    """What a stack supplies when bits are wanted before there are any: the same words each time, in order."""
    given = 0

    def supply(n: int) -> NDArray[np.uint32]:
        nonlocal given
        places = np.arange(given + n, given, -1, dtype=np.uint64)  # deeper words lie below
        given += n
        return (places * np.uint64(2654435769) % np.uint64(2**32)).astype(np.uint32)

    return supply


def small(n: int) -> bytes:
    """A whole number, seven bits a byte, the lowest first."""
    if n < 128:
        return bytes([n])
    return bytes([n % 128 + 128]) + small(n // 128)


class Reader(Iterator[int]):
    """The numbers that `small` wrote, and what is behind them."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def __next__(self) -> int:
        n, shift = 0, 0
        while self.rest:
            byte, self.rest = self.rest[0], self.rest[1:]
            n += (byte & 127) << shift
            if byte < 128:
                return n
            shift += 7
        raise CodingError("data: got an end within the header, expected a whole file")
