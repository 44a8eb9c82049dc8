"""Loops of the normalisations: an image, or a channel's sums, while they are in the cache."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.layout import as_images, as_pixels
from ...backend.threads import count_pieces, parallel_for, parallel_slices
from ..maths import f32, sigmoid
from .rows import column_sums, products, products_piece, squares, squares_piece, sums_piece

SLICE = 1 << 13  # numbers


def group_norm(x, weight, bias, *, groups, eps, silu):
    pixels = as_pixels(x)
    y = np.empty_like(pixels)
    group_norms(pixels, *_vectors(weight, bias), groups, f32(eps), silu, y)
    return as_images(y, x)


def group_norm_shares(g, y, x, weight, bias, *, groups, eps, silu):
    pixels, cotangent = as_pixels(x), as_pixels(g)
    share = np.empty_like(pixels)
    sums = np.zeros((len(x), 2, x.shape[1]), np.float32)  # of each image: by bias, by weight
    group_shares(pixels, cotangent, *_vectors(weight, bias), groups, f32(eps), silu, share, sums)
    for_bias, for_weight = sums.sum(axis=0)
    return as_images(share, x), for_weight, for_bias


def batch_statistics(x):
    pixels = as_pixels(x).reshape(-1, x.shape[1])
    mean, var = np.empty((2, x.shape[1]), np.float32)
    channel_statistics(pixels, mean, var)
    return mean, var


def batch_norm(x, weight, bias, *, eps):
    pixels = as_pixels(x)
    y = np.empty_like(pixels)
    rows = -1, x.shape[1]
    batch_norms(pixels.reshape(rows), *_vectors(weight, bias), f32(eps), y.reshape(rows))
    return as_images(y, x)


def batch_norm_shares(g, y, x, weight, bias, *, eps):
    if x.size == 0:
        return NotImplemented
    pixels, cotangent = as_pixels(x), as_pixels(g)
    share = np.empty_like(pixels)
    rows = -1, x.shape[1]
    for_bias, for_weight = np.empty((2, x.shape[1]), np.float32)
    batch_shares(
        *(a.reshape(rows) for a in (pixels, cotangent)), *_vectors(weight), f32(eps), share.reshape(rows),
        for_weight, for_bias,
    )  # fmt: skip
    return as_images(share, x), for_weight, for_bias


def _vectors(*arrays):
    return map(np.ascontiguousarray, arrays)


@loop
def group_norms(x, weight, bias, groups, eps, silu, y):
    pieces = count_pieces(x.size, SLICE)
    parallel_for(group_norms_piece, pieces, (pieces, x, weight, bias, groups, eps, silu, y))


@loop
def group_norms_piece(i, pieces, x, weight, bias, groups, eps, silu, y):
    start, stop = i * len(x) // pieces, (i + 1) * len(x) // pieces
    pixels, channels = x.shape[1:]
    room = np.empty((4, channels), np.float32)
    mean, rstd, scale, shift = room[0], room[1], room[2], room[3]
    for n in range(start, stop):
        image, result = x[n], y[n]
        group_statistics(image, groups, eps, mean, rstd)
        for c in range(channels):
            scale[c] = rstd[c] * weight[c]
            shift[c] = bias[c] - mean[c] * scale[c]
        for p in range(pixels):
            a, b = image[p], result[p]
            if silu:
                for c in range(b.size):
                    h = a[c] * scale[c] + shift[c]
                    b[c] = h * sigmoid(h)
            else:
                for c in range(b.size):
                    b[c] = a[c] * scale[c] + shift[c]


@loop
def group_statistics(x, groups, eps, mean, rstd):
    """Of an image (pixels, channels): for each channel mean and 1 / sqrt(var + eps) of its group."""
    pixels, channels = x.shape
    width = channels // groups
    column_sums(x, mean)
    spread_groups(mean, width, f32(1) / f32(pixels * width))
    squares(x, mean, rstd)
    spread_groups(rstd, width, f32(1) / f32(pixels * width))
    for c in range(channels):
        rstd[c] = f32(1) / np.sqrt(rstd[c] + eps)


@loop
def spread_groups(sums, width, factor):
    """Each group's sum, times a factor, in the place of each of its channels."""
    for first in range(0, sums.size, width):
        group = sums[first : first + width]
        total = f32(0)
        for c in range(width):
            total += group[c]
        group[:] = total * factor


@loop
def group_shares(x, g, weight, bias, groups, eps, silu, share, sums):
    pieces = count_pieces(x.size, SLICE)
    args = (pieces, x, g, weight, bias, groups, eps, silu, share, sums)
    parallel_for(group_shares_piece, pieces, args)


@loop
def group_shares_piece(i, pieces, x, g, weight, bias, groups, eps, silu, share, sums):
    start, stop = i * len(x) // pieces, (i + 1) * len(x) // pieces
    pixels, channels = x.shape[1:]
    width = channels // groups
    factor = f32(1) / f32(pixels * width)
    room = np.empty((6, channels), np.float32)
    mean, rstd, scale, of_q, of_qu, by_x = room[0], room[1], room[2], room[3], room[4], room[5]
    for n in range(start, stop):
        image, result, by_bias, by_weight = x[n], share[n], sums[n, 0], sums[n, 1]
        group_statistics(image, groups, eps, mean, rstd)
        scale[:] = rstd * weight
        if silu:
            silu_rows(image, g[n], mean, scale, bias, result)
            products(image, result, mean, by_bias, by_weight)
        else:
            products(image, g[n], mean, by_bias, by_weight)
        for c in range(channels):
            by_weight[c] *= rstd[c]
            of_q[c] = by_bias[c] * weight[c]
            of_qu[c] = by_weight[c] * weight[c]
        spread_groups(of_q, width, factor)
        spread_groups(of_qu, width, factor)
        for c in range(channels):
            by_x[c] = of_qu[c] * rstd[c] * rstd[c]
            of_q[c] *= rstd[c]
        if silu:
            finish(image, result, mean, scale, of_q, by_x)
        else:
            centre(image, g[n], mean, scale, of_q, by_x, result)


@loop
def silu_rows(x, g, mean, scale, bias, q):
    """``g silu'(y)`` with y = (x - mean) scale + bias."""
    for p in range(len(x)):
        a, b, row = x[p], g[p], q[p]
        for c in range(row.size):
            y = (a[c] - mean[c]) * scale[c] + bias[c]
            s = sigmoid(y)
            row[c] = b[c] * s * (f32(1) + y * (f32(1) - s))


@loop
def centre(x, g, mean, scale, constant, by_x, share):
    """``g scale - constant - (x - mean) by_x``."""
    for p in range(len(x)):
        a, b, q = x[p], g[p], share[p]
        for c in range(q.size):
            q[c] = b[c] * scale[c] - constant[c] - (a[c] - mean[c]) * by_x[c]


@loop
def finish(x, share, mean, scale, constant, by_x):
    """`centre` of what stands in `share` already."""
    for p in range(len(x)):
        a, q = x[p], share[p]
        for c in range(q.size):
            q[c] = q[c] * scale[c] - constant[c] - (a[c] - mean[c]) * by_x[c]


@loop
def channel_statistics(x, mean, var):
    """Mean and (biased) variance of each column."""
    pieces = count_pieces(x.size, SLICE)
    parts = np.empty((pieces, x.shape[1]), np.float32)
    parallel_for(sums_piece, pieces, (pieces, x, parts))
    column_sums(parts, mean)
    for c in range(mean.size):
        mean[c] /= f32(x.shape[0])
    parallel_for(squares_piece, pieces, (pieces, x, mean, parts))
    column_sums(parts, var)
    for c in range(mean.size):
        var[c] /= f32(x.shape[0])


@loop
def batch_norms(x, weight, bias, eps, y):
    room = np.empty((2, x.shape[1]), np.float32)
    mean, scale = room[0], room[1]
    channel_statistics(x, mean, scale)
    for c in range(mean.size):
        scale[c] = weight[c] / np.sqrt(scale[c] + eps)
    parallel_slices(affine_slice, SLICE, (x, y, (mean, scale, bias)))


@loop
def affine_slice(x, y, numbers):
    mean, scale, bias = numbers
    for p in range(x.shape[0]):
        a, b = x[p], y[p]
        for c in range(a.size):
            b[c] = (a[c] - mean[c]) * scale[c] + bias[c]


@loop
def batch_shares(x, g, weight, eps, share, for_weight, for_bias):
    count, channels = x.shape
    room = np.empty((5, channels), np.float32)
    mean, rstd, scale, constant, by_x = room[0], room[1], room[2], room[3], room[4]
    channel_statistics(x, mean, rstd)
    pieces = count_pieces(x.size, SLICE)
    sums = np.empty((pieces, channels), np.float32)
    of_products = np.empty_like(sums)
    parallel_for(products_piece, pieces, (pieces, x, g, mean, sums, of_products))
    column_sums(sums, for_bias)
    column_sums(of_products, for_weight)
    for c in range(channels):
        rstd[c] = f32(1) / np.sqrt(rstd[c] + eps)
        for_weight[c] *= rstd[c]
        scale[c] = rstd[c] * weight[c]
        constant[c] = scale[c] * for_bias[c] / f32(count)
        by_x[c] = scale[c] * rstd[c] * for_weight[c] / f32(count)
    parallel_slices(centre_slice, SLICE, (x, g, share, (mean, scale, constant, by_x)))


@loop
def centre_slice(x, g, share, numbers):
    mean, scale, constant, by_x = numbers
    centre(x, g, mean, scale, constant, by_x, share)
