"""The U-Net of `scratchgen.networks` written for PyTorch, with the same names: for parity and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import (
    Conv2d,
    Embedding,
    GroupNorm,
    Identity,
    Linear,
    Module,
    ModuleList,
    MultiheadAttention,
    Upsample,
    functional as F,
)


class Block(Module):
    """Two convolutions with the time between them, and a shortcut."""

    def __init__(self, before: int, after: int, features: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = GroupNorm(groups, before), Conv2d(before, after, 3, padding=1)
        self.time = Linear(features, after)
        self.norm2, self.conv2 = GroupNorm(groups, after), Conv2d(after, after, 3, padding=1)
        self.shortcut = Identity() if before == after else Conv2d(before, after, 1)

    def forward(self, x: Any, time: Any) -> Any:
        y = self.conv1(F.silu(self.norm1(x)))
        y = y + self.time(F.silu(time))[:, :, None, None]
        return self.conv2(F.silu(self.norm2(y))) + self.shortcut(x)


class Attention(Module):
    """Each pixel looks at all pixels."""

    def __init__(self, channels: int, heads: int, groups: int) -> None:
        super().__init__()
        self.norm = GroupNorm(groups, channels)
        self.attention = MultiheadAttention(channels, heads, batch_first=True)

    def forward(self, x: Any) -> Any:
        pixels = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.attention(pixels, pixels, pixels)[0].transpose(1, 2).reshape(x.shape)


class Stage(Module):
    """A block, with attention after it if asked for."""

    def __init__(
        self, before: int, after: int, features: int, groups: int, heads: int, attention: bool
    ) -> None:
        super().__init__()
        self.block = Block(before, after, features, groups)
        self.attention = Attention(after, heads, groups) if attention else Identity()

    def forward(self, x: Any, time: Any) -> Any:
        return self.attention(self.block(x, time))


class Level(Module):
    """One stage, and what halves its result or doubles its input."""

    def __init__(self, stage: Stage, **rescale: Module) -> None:
        super().__init__()
        self.stages = ModuleList([stage])
        for name, module in rescale.items():
            setattr(self, name, module)


class TorchUNet(Module):
    """`scratchgen.networks.UNet` with one block on each level."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        width: int = 32,
        multipliers: Sequence[int] = (1, 2, 2),
        attention: Sequence[int] = (),
        heads: int = 1,
        groups: int = 8,
        classes: int | None = None,
        features: int = 128,
    ) -> None:
        super().__init__()
        widths = [width * m for m in multipliers]

        def stage(before: int, level: int) -> Stage:
            return Stage(before, widths[level], features, groups, heads, level in attention)

        *levels, deepest = range(len(widths))
        entering = [width, *widths]
        self.time = Linear(features // 4, features)
        if classes is not None:
            self.label = Embedding(classes, features)
        self.first = Conv2d(channels, width, 3, padding=1)
        self.down = ModuleList(
            Level(stage(entering[i], i), downsample=Conv2d(widths[i], widths[i], 3, stride=2, padding=1))
            for i in levels
        )
        self.middle = ModuleList([stage(entering[deepest], deepest)])
        self.up = ModuleList(
            Level(stage(widths[i + 1] + widths[i], i), upsample=Upsample(scale_factor=2))
            for i in reversed(levels)
        )
        self.norm = GroupNorm(groups, width)
        self.last = Conv2d(width, out_channels, 3, padding=1)

    def forward(self, x: Any, t: Any, labels: Any = None) -> Any:
        half = self.time.in_features // 2
        frequencies = 10_000 ** (-torch.arange(half, dtype=x.dtype) / half)
        angles = t.to(x.dtype)[:, None] * frequencies
        time = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        if labels is not None:
            time = time + self.label(labels)
        x, kept = self.first(x), []
        for level in self.down:
            x = level.stages[0](x, time)
            kept.append(x)
            x = level.downsample(x)
        x = self.middle[0](x, time)
        for level in self.up:
            x = level.stages[0](torch.cat([level.upsample(x), kept.pop()], 1), time)
        return self.last(F.silu(self.norm(x)))
