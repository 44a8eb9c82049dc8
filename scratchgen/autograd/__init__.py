"""Floor 1: the engine. Read `tensor`, `primitive`, `backward`, then the operations, then `check`."""

from . import methods as _methods, numpy_protocols as _numpy_protocols  # attach to Tensor what it lacks
from .backward import grad
from .check import GradientError, check_gradients
from .collective import batch_mean, sum_over_ranks
from .convolution import conv, conv_transpose, conv_weight
from .elementwise import (
    abs,
    add,
    astype,
    clip,
    cos,
    div,
    erf,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    sigmoid,
    sin,
    sqrt,
    square,
    sub,
    tanh,
    where,
)
from .fused import (
    binary_cross_entropy,
    binary_cross_entropy_sum,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    silu,
    softmax,
    softplus,
)
from .gaussian import log_ndtr
from .indexing import gather, take_along_axis
from .linear_algebra import einsum, linear, matmul
from .primitive import jointly, primitive, registry
from .reductions import argmax, cumsum, logsumexp, max, mean, min, norm, prod, std, sum, var
from .shapes import (
    broadcast_to,
    cat,
    flatten,
    flip,
    pad,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    transpose,
    unsqueeze,
)
from .tensor import Tensor, no_grad, raw, tensor
