"""The tutorial's convolutional network, and nothing else, fast enough for hundreds of thousands of small steps.

Ten times the tutorial's epochs with ten seeds are 4.5 million steps of 20 pictures. A framework spends most of such a
step on calling its layers, so the one network is written out here, for Numba to compile: forward, backward and Adam in
float32, pictures one at a time, the 16 channels innermost so that the processor multiplies eight of them at once.
`check` compares it with PyTorch; `experiments.py` calls that before it trains.

    Conv(1-16, 3x3) MaxPool(2) ReLU Conv(16-4, 3x3) MaxPool(2) [ReLU] ConvT(4-16, 2x2) ReLU ConvT(16-1, 2x2) sigmoid

All arrays are flat, with the index written out: so the compiler sees that neighbours lie side by side.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numba import njit

import convnet
from convnet import BATCH, BETA1, BETA2, EPSILON, RATE, State

NEAR = 1e-5  # of the largest weight: rounding over the steps of `check`, and nothing more
FAST = {"fastmath": True, "error_model": "numpy", "cache": True}


@njit(**FAST)
def _row(x, p):
    """Return four values of a padded picture, and their sum."""
    return (x[p], x[p + 1], x[p + 2], x[p + 3]), x[p] + x[p + 1] + x[p + 2] + x[p + 3]


@njit(**FAST)
def _window(x, p):
    """Return what four neighbouring 3x3 windows of a padded picture (30 * 30) see, the sum of it before its rows."""
    row0, ink0 = _row(x, p)
    row1, ink1 = _row(x, p + 30)
    row2, ink2 = _row(x, p + 60)
    row3, ink3 = _row(x, p + 90)
    return ink0 + ink1 + ink2 + ink3, row0, row1, row2, row3


@njit(**FAST)
def _conv1(x, w, b, out, way):
    """3x3 convolution of a padded picture (30 * 30), the largest of every 2x2 places and a ReLU: `out` (16 * 16 * 16).

    `way` says which of the four it was, among equals the first one, as PyTorch has it. `out` keeps a border of zeros.
    """
    for i in range(14):
        for j in range(14):
            ink, row0, row1, row2, row3 = _window(x, 60 * i + 2 * j)
            (x00, x01, x02, x03), (x10, x11, x12, x13) = row0, row1
            (x20, x21, x22, x23), (x30, x31, x32, x33) = row2, row3
            to, way_to = 256 * (i + 1) + 16 * (j + 1), 16 * (14 * i + j)
            if ink == np.float32(0):  # most of a digit is blank
                for c in range(16):
                    way[way_to + c] = np.float32(0)
                    out[to + c] = b[c] if b[c] > np.float32(0) else np.float32(0)
                continue
            for c in range(16):
                bias, k0, k1, k2 = b[c], w[c], w[c + 16], w[c + 32]
                k3, k4, k5 = w[c + 48], w[c + 64], w[c + 80]
                k6, k7, k8 = w[c + 96], w[c + 112], w[c + 128]
                s0 = (
                    bias
                    + k0 * x00
                    + k1 * x01
                    + k2 * x02
                    + k3 * x10
                    + k4 * x11
                    + k5 * x12
                    + k6 * x20
                    + k7 * x21
                    + k8 * x22
                )
                s1 = (
                    bias
                    + k0 * x01
                    + k1 * x02
                    + k2 * x03
                    + k3 * x11
                    + k4 * x12
                    + k5 * x13
                    + k6 * x21
                    + k7 * x22
                    + k8 * x23
                )
                s2 = (
                    bias
                    + k0 * x10
                    + k1 * x11
                    + k2 * x12
                    + k3 * x20
                    + k4 * x21
                    + k5 * x22
                    + k6 * x30
                    + k7 * x31
                    + k8 * x32
                )
                s3 = (
                    bias
                    + k0 * x11
                    + k1 * x12
                    + k2 * x13
                    + k3 * x21
                    + k4 * x22
                    + k5 * x23
                    + k6 * x31
                    + k7 * x32
                    + k8 * x33
                )
                best, which = s0, np.float32(0)
                which = np.float32(1) if s1 > best else which
                best = s1 if s1 > best else best
                which = np.float32(2) if s2 > best else which
                best = s2 if s2 > best else best
                which = np.float32(3) if s3 > best else which
                best = s3 if s3 > best else best
                way[way_to + c] = which
                out[to + c] = best if best > np.float32(0) else np.float32(0)


@njit(**FAST)
def _conv2(a, w, b, relu, code, way):
    """3x3 convolution of `a` (16 * 16 * 16) to 4 channels, the largest of every 2x2 places, a ReLU if asked for."""
    for i in range(7):
        for j in range(7):
            to = 4 * (7 * i + j)
            for o in range(4):
                way[to + o], code[to + o] = 0, -np.inf
            for side in range(2):
                p = 256 * (2 * i + side) + 32 * j
                s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = np.float32(0)
                for k in range(48):
                    u0, u1, u2 = a[p + k], a[p + k + 256], a[p + k + 512]
                    v0, v1, v2 = a[p + k + 16], a[p + k + 272], a[p + k + 528]
                    s0 += u0 * w[k] + u1 * w[k + 48] + u2 * w[k + 96]
                    t0 += v0 * w[k] + v1 * w[k + 48] + v2 * w[k + 96]
                    s1 += u0 * w[k + 144] + u1 * w[k + 192] + u2 * w[k + 240]
                    t1 += v0 * w[k + 144] + v1 * w[k + 192] + v2 * w[k + 240]
                    s2 += u0 * w[k + 288] + u1 * w[k + 336] + u2 * w[k + 384]
                    t2 += v0 * w[k + 288] + v1 * w[k + 336] + v2 * w[k + 384]
                    s3 += u0 * w[k + 432] + u1 * w[k + 480] + u2 * w[k + 528]
                    t3 += v0 * w[k + 432] + v1 * w[k + 480] + v2 * w[k + 528]
                for o, (s, t) in enumerate(((s0, t0), (s1, t1), (s2, t2), (s3, t3))):
                    if s + b[o] > code[to + o]:
                        code[to + o], way[to + o] = s + b[o], 2 * side
                    if t + b[o] > code[to + o]:
                        code[to + o], way[to + o] = t + b[o], 2 * side + 1
            if relu:
                for o in range(4):
                    code[to + o] = max(code[to + o], np.float32(0))


@njit(**FAST)
def _up1(code, w, b, h):
    """2x2 transposed convolution of stride 2 and a ReLU: `code` (7 * 7 * 4) to `h` (14 * 14 * 16)."""
    for i in range(7):
        for j in range(7):
            z = 4 * (7 * i + j)
            z0, z1, z2, z3 = code[z], code[z + 1], code[z + 2], code[z + 3]
            for place in range(4):
                to, k = 16 * (14 * (2 * i + (place >> 1)) + 2 * j + (place & 1)), 64 * place
                for c in range(16):
                    s = b[c] + z0 * w[k + c] + z1 * w[k + c + 16] + z2 * w[k + c + 32] + z3 * w[k + c + 48]
                    h[to + c] = s if s > np.float32(0) else np.float32(0)


@njit(**FAST)
def _sigmoid(y):
    """Put the sigmoid of `y` (784,) in its place, to float32 rounding: e^-y as 2^n e^r, so that no call is in the way.

    The series for e^r is the one of Cephes (Moshier, 1992).
    """
    powers = np.empty(784, np.int32)
    scale = powers.view(np.float32)
    for i in range(784):
        x = min(max(-y[i], np.float32(-87)), np.float32(87))
        n = np.int32(x * np.float32(1.44269504) + np.float32(128.5)) - np.int32(128)
        powers[i] = (n + np.int32(127)) << np.int32(23)
        r = x - np.float32(n) * np.float32(0.693359375) + np.float32(n) * np.float32(2.12194440e-4)
        s = np.float32(1.9875691500e-4) * r + np.float32(1.3981999507e-3)
        s = (s * r + np.float32(8.3334519073e-3)) * r + np.float32(4.1665795894e-2)
        s = (s * r + np.float32(1.6666665459e-1)) * r + np.float32(0.5)
        y[i] = s * r * r + r + np.float32(1)
    for i in range(784):
        y[i] = np.float32(1) / (np.float32(1) + y[i] * scale[i])


@njit(**FAST)
def _up2(h, w, b, y):
    """2x2 transposed convolution of stride 2 and a sigmoid: `h` (14 * 14 * 16) to the picture `y` (28 * 28)."""
    for i in range(14):
        for j in range(14):
            p, q = 16 * (14 * i + j), 56 * i + 2 * j
            s0 = s1 = s2 = s3 = np.float32(0)
            for c in range(16):
                v = h[p + c]
                s0 += v * w[c]
                s1 += v * w[c + 16]
                s2 += v * w[c + 32]
                s3 += v * w[c + 48]
            y[q], y[q + 1], y[q + 28], y[q + 29] = s0 + b, s1 + b, s2 + b, s3 + b
    _sigmoid(y)


@njit(**FAST)
def _back_up2(dy, h, w, dw, dh):
    """Add to `dw` and fill `dh`: the cost's slope before the ReLU of `h`, given the one at the raw output, `dy`."""
    for i in range(14):
        for j in range(14):
            p, q = 16 * (14 * i + j), 56 * i + 2 * j
            d0, d1, d2, d3 = dy[q], dy[q + 1], dy[q + 28], dy[q + 29]
            for c in range(16):
                v = h[p + c]
                s = d0 * w[c] + d1 * w[c + 16] + d2 * w[c + 32] + d3 * w[c + 48]
                dw[c] += d0 * v
                dw[c + 16] += d1 * v
                dw[c + 32] += d2 * v
                dw[c + 48] += d3 * v
                dh[p + c] = s if v > np.float32(0) else np.float32(0)


@njit(**FAST)
def _back_up1(dh, code, w, dw, db, dz):
    """Add to `dw` and `db` and fill `dz` (7 * 7 * 4)."""
    for i in range(7):
        for j in range(7):
            z = 4 * (7 * i + j)
            z0, z1, z2, z3 = code[z], code[z + 1], code[z + 2], code[z + 3]
            e0 = e1 = e2 = e3 = np.float32(0)
            p, q = 16 * (28 * i + 2 * j), 16 * (28 * i + 2 * j + 14)
            for c in range(16):
                d0, d1, d2, d3 = dh[p + c], dh[p + c + 16], dh[q + c], dh[q + c + 16]
                e0 += d0 * w[c] + d1 * w[c + 64] + d2 * w[c + 128] + d3 * w[c + 192]
                e1 += d0 * w[c + 16] + d1 * w[c + 80] + d2 * w[c + 144] + d3 * w[c + 208]
                e2 += d0 * w[c + 32] + d1 * w[c + 96] + d2 * w[c + 160] + d3 * w[c + 224]
                e3 += d0 * w[c + 48] + d1 * w[c + 112] + d2 * w[c + 176] + d3 * w[c + 240]
            for c in range(16):
                d0, d1, d2, d3 = dh[p + c], dh[p + c + 16], dh[q + c], dh[q + c + 16]
                db[c] += d0 + d1 + d2 + d3
                dw[c] += z0 * d0
                dw[c + 16] += z1 * d0
                dw[c + 32] += z2 * d0
                dw[c + 48] += z3 * d0
                dw[c + 64] += z0 * d1
                dw[c + 80] += z1 * d1
                dw[c + 96] += z2 * d1
                dw[c + 112] += z3 * d1
                dw[c + 128] += z0 * d2
                dw[c + 144] += z1 * d2
                dw[c + 160] += z2 * d2
                dw[c + 176] += z3 * d2
                dw[c + 192] += z0 * d3
                dw[c + 208] += z1 * d3
                dw[c + 224] += z2 * d3
                dw[c + 240] += z3 * d3
            dz[z], dz[z + 1], dz[z + 2], dz[z + 3] = e0, e1, e2, e3


@njit(**FAST)
def _back_conv2(dz, code, way, relu, a, w, dw, db, da):
    """Add to `dw` and `db` and fill `da` (16 * 16 * 16); only the largest of four places has a slope."""
    for i in range(4096):
        da[i] = np.float32(0)
    for i in range(7):
        for j in range(7):
            for o in range(4):
                z = 4 * (7 * i + j) + o
                d = dz[z]
                if relu and not code[z] > np.float32(0):
                    continue  # a ReLU that is off lets no slope through
                db[o] += d
                p, k = 256 * (2 * i + ((way[z] >> 1) & 1)) + 16 * (2 * j + (way[z] & 1)), 144 * o
                for c in range(48):
                    da[p + c] += d * w[k + c]
                    da[p + c + 256] += d * w[k + c + 48]
                    da[p + c + 512] += d * w[k + c + 96]
                for c in range(48):
                    dw[k + c] += d * a[p + c]
                    dw[k + c + 48] += d * a[p + c + 256]
                    dw[k + c + 96] += d * a[p + c + 512]


@njit(**FAST)
def _back_conv1(da, a, way, x, dw, db):
    """Add to `dw` and `db`; only the largest of four places has a slope."""
    for i in range(14):
        for j in range(14):
            ink, row0, row1, row2, row3 = _window(x, 60 * i + 2 * j)
            (x00, x01, x02, x03), (x10, x11, x12, x13) = row0, row1
            (x20, x21, x22, x23), (x30, x31, x32, x33) = row2, row3
            at, way_at = 256 * (i + 1) + 16 * (j + 1), 16 * (14 * i + j)
            if ink == np.float32(0):
                for c in range(16):
                    db[c] += da[at + c] if a[at + c] > np.float32(0) else np.float32(0)
                continue
            for c in range(16):
                d = da[at + c] if a[at + c] > np.float32(0) else np.float32(0)
                which = way[way_at + c]
                d0 = d if which == np.float32(0) else np.float32(0)
                d1 = d if which == np.float32(1) else np.float32(0)
                d2 = d if which == np.float32(2) else np.float32(0)
                d3 = d if which == np.float32(3) else np.float32(0)
                db[c] += d
                dw[c] += d0 * x00 + d1 * x01 + d2 * x10 + d3 * x11
                dw[c + 16] += d0 * x01 + d1 * x02 + d2 * x11 + d3 * x12
                dw[c + 32] += d0 * x02 + d1 * x03 + d2 * x12 + d3 * x13
                dw[c + 48] += d0 * x10 + d1 * x11 + d2 * x20 + d3 * x21
                dw[c + 64] += d0 * x11 + d1 * x12 + d2 * x21 + d3 * x22
                dw[c + 80] += d0 * x12 + d1 * x13 + d2 * x22 + d3 * x23
                dw[c + 96] += d0 * x20 + d1 * x21 + d2 * x30 + d3 * x31
                dw[c + 112] += d0 * x21 + d1 * x22 + d2 * x31 + d3 * x32
                dw[c + 128] += d0 * x22 + d1 * x23 + d2 * x32 + d3 * x33


@njit(**FAST)
def _forward(x, weights, relu, a, way1, code, way2, h, y):
    """Fill the outputs of the layers for one padded picture `x`."""
    _conv1(x, weights[0:144], weights[144:160], a, way1)
    _conv2(a, weights[160:736], weights[736:740], relu, code, way2)
    _up1(code, weights[740:996], weights[996:1012], h)
    _up2(h, weights[1012:1076], weights[1076], y)


@njit(**FAST)
def _backward(x, weights, relu, a, way1, code, way2, h, dy, da, dz, dh, grad):
    """Add to `grad` what one picture contributes; `dy` (28 * 28) is the cost's slope at the raw output."""
    for i in range(784):
        grad[1076] += dy[i]
    _back_up2(dy, h, weights[1012:1076], grad[1012:1076], dh)
    _back_up1(dh, code, weights[740:996], grad[740:996], grad[996:1012], dz)
    _back_conv2(dz, code, way2, relu, a, weights[160:736], grad[160:736], grad[736:740], da)
    _back_conv1(da, a, way1, x, grad[0:144], grad[144:160])


@njit(**FAST)
def _pad(image, x):
    """Write a picture of bytes (28, 28) into the middle of `x` (30 * 30), as values in [0, 1]."""
    for i in range(28):
        for j in range(28):
            x[30 * (i + 1) + j + 1] = np.float32(image[i, j]) / np.float32(255)


@njit(**FAST)
def train_epoch(images, weights, first, second, steps, relu, batch, rate):
    """Take a step per `batch` pictures, in order; return the MSE per value over all, while the weights move.

    `weights`, `first` and `second` are changed in place. `images` (N, 28, 28) are bytes, N a multiple of `batch`.
    """
    x, dy, y = np.zeros(900, np.float32), np.zeros(784, np.float32), np.zeros(784, np.float32)
    a1, da1 = np.zeros(16 * 16 * 16, np.float32), np.zeros(16 * 16 * 16, np.float32)
    way1, way2 = np.zeros(14 * 14 * 16, np.float32), np.zeros(7 * 7 * 4, np.int64)
    code, dz = np.zeros(7 * 7 * 4, np.float32), np.zeros(7 * 7 * 4, np.float32)
    h, dh = np.zeros(14 * 14 * 16, np.float32), np.zeros(14 * 14 * 16, np.float32)
    grad = np.zeros(1077, np.float32)
    share = np.float32(2.0 / (784 * batch))
    total = 0.0
    for start in range(0, len(images), batch):
        grad[:] = np.float32(0)
        for n in range(start, start + batch):
            _pad(images[n], x)
            _forward(x, weights, relu, a1, way1, code, way2, h, y)
            cost = np.float32(0)
            for i in range(28):
                for j in range(28):
                    value = y[28 * i + j]
                    error = value - x[30 * (i + 1) + j + 1]
                    cost += error * error
                    dy[28 * i + j] = share * error * value * (np.float32(1) - value)
            total += cost
            _backward(x, weights, relu, a1, way1, code, way2, h, dy, da1, dz, dh, grad)
        steps += 1
        step = np.float32(rate / (1 - BETA1**steps))
        root = np.float32(math.sqrt(1 - BETA2**steps))
        for i in range(1077):
            g = grad[i]
            first[i] += np.float32(1 - BETA1) * (g - first[i])
            second[i] = np.float32(BETA2) * second[i] + np.float32(1 - BETA2) * g * g
            weights[i] -= step * first[i] / (math.sqrt(second[i]) / root + np.float32(EPSILON))
    return total / (len(images) * 784)


@njit(**FAST)
def restore(values, weights, relu):
    """Return what the network makes of pictures `values` (N, 28, 28) float32, and their codes (N, 7 * 7 * 4)."""
    x, y = np.zeros(900, np.float32), np.zeros(784, np.float32)
    a1, way1, way2 = np.zeros(4096, np.float32), np.zeros(3136, np.float32), np.zeros(196, np.int64)
    h = np.zeros(3136, np.float32)
    outputs, codes = np.empty((len(values), 28, 28), np.float32), np.empty((len(values), 196), np.float32)
    for n in range(len(values)):
        for i in range(28):
            for j in range(28):
                x[30 * (i + 1) + j + 1] = values[n, i, j]
        _forward(x, weights, relu, a1, way1, codes[n], way2, h, y)
        outputs[n] = y.reshape(28, 28)
    return outputs, codes


def train(state: State, images: np.ndarray, relu: bool = True) -> float:
    """Train one epoch as the tutorial does, changing `state`; return the MSE while the weights moved."""
    mse = train_epoch(images, state.weights, state.first, state.second, state.steps, relu, BATCH, RATE)
    state.steps += len(images) // BATCH
    return mse


def check(images: np.ndarray, relu: bool = True, steps: int = 20) -> dict[str, float]:
    """Train both, PyTorch's network and this one, and return how far apart they end, as shares.

    Over hundreds of steps no two ways to add float32 numbers stay together, PyTorch's own memory layouts neither:
    two places that are nearly equally large change their order, and the slope goes the other way.

    Raises AssertionError where the losses or the weights differ by more than rounding.
    """
    torch.manual_seed(0)
    ours = State.begin(convnet.pack(list(convnet.build(relu).parameters())))
    theirs = State.begin(ours.weights)
    losses = [
        engine(state, images[: steps * BATCH], relu) for engine, state in ((train, ours), (convnet.train, theirs))
    ]
    apart = {"steps": float(steps), "loss": abs(losses[0] - losses[1]) / losses[1]}
    apart["weights"] = float(np.abs(ours.weights - theirs.weights).max() / np.abs(theirs.weights).max())
    if not max(apart["loss"], apart["weights"]) < NEAR:
        raise AssertionError(f"the kernel and PyTorch must end alike to {NEAR:g}, however: {apart}")
    return apart
