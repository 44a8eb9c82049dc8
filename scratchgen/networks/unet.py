"""UNet: a noisy image and its time to the noise in it, on several scales at once.

On the way down, blocks of convolutions see ever smaller images, and with them ever larger surroundings; on
the way up they are joined with what was seen at each size before (Ronneberger et al. 2015). The time, as a
vector, is added inside every block, so that one network serves all steps of a diffusion (Ho et al. 2020,
appendix B).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd import cat
from ..autograd.channels import add_channels
from ..backend import Array, RandomStream, checks
from ..nn import (
    Conv2d,
    Embedding,
    GroupNorm,
    GroupNormSiLU,
    Identity,
    Linear,
    Module,
    MultiheadAttention,
    Sequential,
    SinusoidalEmbedding,
    Upsample,
    functional as F,
)


class ResidualBlock(Module):
    """``x + f(x, time)`` with two convolutions: (batch, in, h, w), (batch, features) -> (batch, out, h, w).

    Parameters
    ----------
    in_channels, out_channels : int
    features : int
        The length of a time vector.
    groups : int
        Of the normalisations; divides both numbers of channels.
    """

    def __init__(self, in_channels: int, out_channels: int, features: int, groups: int) -> None:
        self.norm1 = GroupNormSiLU(groups, in_channels)
        self.conv1 = Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.time = Linear(features, out_channels)
        self.norm2 = GroupNormSiLU(groups, out_channels)
        self.conv2 = Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        same = in_channels == out_channels
        self.shortcut: Module = Identity() if same else Conv2d(in_channels, out_channels, kernel_size=1)

    def forward(self, x: Any, time: Any) -> Any:
        y = self.conv1(self.norm1(x))  # (residual-block)
        y = add_channels(y, self.time(F.silu(time)))  # (residual-block)
        y = self.conv2(self.norm2(y))  # (residual-block)
        return y + self.shortcut(x)  # (residual-block)


class ImageAttention(Module):
    """``x + attention(x)``, each pixel looking at all pixels: (batch, channels, h, w) -> the same.

    Parameters
    ----------
    channels : int
    heads : int
        Divides the channels.
    groups : int
        Of the normalisation; divides the channels.
    """

    def __init__(self, channels: int, heads: int, groups: int) -> None:
        self.norm = GroupNorm(groups, channels)
        self.attention = MultiheadAttention(channels, heads, batch_first=True)

    def forward(self, x: Any) -> Any:
        batch, channels, height, width = x.shape
        pixels = self.norm(x).transpose((0, 2, 3, 1)).reshape((batch, height * width, channels))
        seen, _ = self.attention(pixels, pixels, pixels, need_weights=False)
        return x + seen.reshape((batch, height, width, channels)).transpose((0, 3, 1, 2))


class Stage(Module):
    """A residual block, and attention after it where `looks` is true."""

    def __init__(
        self, in_channels: int, out_channels: int, features: int, groups: int, heads: int, looks: bool
    ) -> None:
        self.block = ResidualBlock(in_channels, out_channels, features, groups)
        self.attention: Module = ImageAttention(out_channels, heads, groups) if looks else Identity()

    def forward(self, x: Any, time: Any) -> Any:
        return self.attention(self.block(x, time))


class Down(Module):
    """A level on the way down: stages, each of whose results is kept for the way up, then halving."""

    def __init__(self, stages: Sequence[Stage], channels: int) -> None:
        self.stages = Sequential(*stages)
        self.downsample = Conv2d(channels, channels, kernel_size=3, stride=2, padding=1)

    def forward(self, x: Any, time: Any, kept: list[Any]) -> Any:
        for stage in self.stages:
            x = stage(x, time)
            kept.append(x)
        return self.downsample(x)


class Up(Module):
    """A level on the way up: doubling, then stages, each of which sees what was kept at this size."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.upsample = Upsample(scale_factor=2)
        self.stages = Sequential(*stages)

    def forward(self, x: Any, time: Any, kept: list[Any]) -> Any:
        x = self.upsample(x)  # (unet-skips)
        for stage in self.stages:
            x = stage(cat([x, kept.pop()], axis=1), time)  # (unet-skips)
        return x


class UNet(Module):
    """The network of a diffusion model: ``(batch, channels, h, w), times (batch,) -> (batch, out, h, w)``.

    Parameters
    ----------
    channels : int
        Of the images.
    out_channels : int, optional
        Of the result; as many as `channels` if left out.
    width : int
        The channels of the first level.
    multipliers : sequence of int
        The channels of each level, as multiples of `width`. Level l sees images 2^l times smaller, so height
        and width have to be divisible by ``2 ** (len(multipliers) - 1)``.
    blocks : int
        Residual blocks on each level, on the way down as on the way up; the last level, in the middle, is
        passed once.
    attention : sequence of int
        The levels (0 is the full size) on which pixels attend to each other; it costs memory and time with
        the square of the number of pixels.
    heads : int
        Of the attention.
    groups : int
        Of the normalisations; divides every number of channels.
    classes : int, optional
        How many labels there are, for a network that is told one: ``network(xt, t, labels)``.
    features : int
        The length of the vector that tells every block the time, a multiple of 8: it is computed from a
        quarter as many sines and cosines.
    rng : RandomStream, optional
        Of the initial weights.

    Raises
    ------
    ValueError
        If a number is out of range, or an image does not divide.

    Examples
    --------
    >>> import numpy as np
    >>> network = UNet(1, width=16, multipliers=(1, 2, 2))
    >>> xt, t = np.zeros((4, 1, 28, 28), np.float32), np.array([1, 10, 100, 1000])
    >>> network(xt, t).shape
    (4, 1, 28, 28)
    >>> sum(p.size for p in UNet(1, width=32).parameters())
    394209
    """

    def __init__(
        self,
        channels: int,
        out_channels: int | None = None,
        width: int = 32,
        multipliers: Sequence[int] = (1, 2, 2),
        blocks: int = 1,
        attention: Sequence[int] = (),
        heads: int = 1,
        groups: int = 8,
        classes: int | None = None,
        features: int = 128,
        rng: RandomStream | None = None,
    ) -> None:
        self.channels = checks.whole("channels", channels)
        out_channels = channels if out_channels is None else checks.whole("out_channels", out_channels)
        checks.whole("blocks", blocks)
        widths = _level_widths(checks.whole("width", width), multipliers, groups, heads, attention)
        self.classes = None if classes is None else checks.whole("classes", classes)
        self.factor = 2 ** (len(widths) - 1)
        if checks.whole("features", features) % 8:
            raise ValueError(f"features: got {features}, expected a multiple of 8")

        def stages(first: int, others: int, level: int) -> list[Stage]:
            """The stages of a level, of which the first meets `first` channels and the others `others`."""
            before = [first] + [others] * (blocks - 1)
            return [Stage(n, widths[level], features, groups, heads, level in attention) for n in before]

        self.waves = SinusoidalEmbedding(features // 4)
        self.time = Linear(features // 4, features)
        if classes is not None:
            self.label = Embedding(classes, features)
        self.first = Conv2d(channels, width, kernel_size=3, padding=1)
        *levels, deepest = range(len(widths))
        entering = [width, *widths]  # the channels with which each level is reached on the way down
        self.down = Sequential(*(Down(stages(entering[i], widths[i], i), widths[i]) for i in levels))
        self.middle = Sequential(*stages(entering[deepest], widths[deepest], deepest))
        self.up = Sequential(
            *(Up(stages(widths[i + 1] + widths[i], 2 * widths[i], i)) for i in reversed(levels))
        )
        self.norm = GroupNormSiLU(groups, widths[0])
        self.last = Conv2d(widths[0], out_channels, kernel_size=3, padding=1)
        self.initialise(rng)

    def forward(self, xt: Any, t: Array, labels: Array | None = None) -> Any:
        """The result for images `xt` (batch, channels, h, w) at the whole-numbered times `t` (batch,).

        `labels`, whole numbers ``0 .. classes - 1`` (batch,), belong to a network with `classes` only.
        """
        checks.shape("xt", xt, ("batch", self.channels, "height", "width"))
        checks.divisible("xt", xt, self.factor)
        checks.shape("t", t, (len(xt),), "a time for each image")
        labels = checks.labels(labels, len(xt), self.classes, needed=True)
        time = self.time(self.waves(t, xt.dtype))  # (unet-time)
        if labels is not None:
            time = time + self.label(labels)  # (unet-time)
        x = self.first(xt)
        kept: list[Any] = []
        for level in self.down:
            x = level(x, time, kept)
        for stage in self.middle:
            x = stage(x, time)
        for level in self.up:
            x = level(x, time, kept)
        return self.last(self.norm(x))


def _level_widths(
    width: int, multipliers: Sequence[int], groups: int, heads: int, attention: Sequence[int]
) -> list[int]:
    """The channels of each level, if all that is to be cut out of them divides them."""
    if not multipliers:
        raise ValueError("multipliers: got none, expected one for each level")
    widths = [width * checks.whole(f"multipliers[{i}]", m) for i, m in enumerate(multipliers)]
    for n in widths:
        if n % checks.whole("groups", groups):
            raise ValueError(f"groups: got {groups}, expected a divisor of all channels, here {widths}")
    for level in attention:
        if not 0 <= level < len(widths):
            raise ValueError(f"attention: got level {level}, expected 0 to {len(widths) - 1}")
        if widths[level] % checks.whole("heads", heads):
            raise ValueError(f"heads: got {heads}, expected a divisor of the {widths[level]} channels")
    return widths
