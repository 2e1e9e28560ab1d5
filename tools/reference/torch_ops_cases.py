"""Outputs and input gradients of single operations, computed by PyTorch in double precision.

Usage: python torch_ops_cases.py golden/torch_ops.json        (torch, CPU)

Every case holds the arrays as they are: shape and cells in row-major order, the first axis the sample. Inputs, parameters
and weights are numbers of single precision. `gradient` is that of the sum of weights times outputs.
"""
import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_num_threads(1)
CASES = []


def array(t):
    t = t.detach().contiguous()
    return {"shape": list(t.shape), "cells": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


def single(*shape):
    return torch.randn(*shape, dtype=torch.float32).double()


def case(name, op, x, f, **parameters):
    x = x.clone().requires_grad_(True)
    y = f(x)
    w = single(*y.shape)
    (y * w).sum().backward()
    arrays = {k: array(v) for k, v in parameters.items() if isinstance(v, torch.Tensor)}
    plain = {k: v for k, v in parameters.items() if not isinstance(v, torch.Tensor)}
    CASES.append({"name": name, "op": op, "arrays": arrays, "plain": plain, "input": array(x), "output": array(y),
                  "weights": array(w), "gradient": array(x.grad)})


def convolution(name, x, w, b, stride, padding, dilation, groups):
    f = F.conv2d if w.dim() == 4 else F.conv1d
    arrays = {"weight": w} | ({} if b is None else {"bias": b})
    case(name, "convolution", x, lambda x: f(x, w, b, stride, padding, dilation, groups), **arrays, stride=stride,
         padding=padding, dilation=dilation, groups=groups)


case("linear", "linear", single(3, 5), lambda x: F.linear(x, W, B), weight=(W := single(4, 5)), bias=(B := single(4)))
case("linear on two axes", "linear", single(2, 3, 5), lambda x: F.linear(x, W), weight=W)
convolution("3x3", single(2, 3, 6, 5), single(4, 3, 3, 3), single(4), [1, 1], [1, 1], [1, 1], 1)
convolution("stride", single(2, 2, 7, 6), single(3, 2, 3, 2), single(3), [2, 3], [1, 0], [1, 1], 1)
convolution("stride beyond the kernel", single(1, 2, 7, 8), single(3, 2, 2, 1), None, [3, 2], [0, 0], [1, 1], 1)
convolution("dilation", single(1, 2, 8, 9), single(3, 2, 3, 3), single(3), [1, 2], [2, 3], [2, 3], 1)
convolution("groups", single(2, 4, 5, 5), single(6, 2, 3, 3), single(6), [1, 1], [1, 2], [1, 1], 2)
convolution("depthwise", single(2, 3, 5, 5), single(3, 1, 3, 3), None, [2, 2], [1, 1], [1, 1], 3)
convolution("1x1, stride 2", single(2, 3, 5, 4), single(9, 3, 1, 1), single(9), [2, 2], [0, 0], [1, 1], 1)
convolution("much padding", single(1, 1, 3, 3), single(2, 1, 2, 2), single(2), [1, 1], [4, 3], [1, 1], 1)
convolution("series", single(2, 3, 9), single(4, 3, 3), single(4), [2], [2], [2], 1)


def window(name, op, f, x, size, stride, padding, dilation=None, **plain):
    dilation = dilation or [1] * len(size)
    case(name, op, x, f, size=size, stride=stride, padding=padding, dilation=dilation, **plain)


ties = torch.tensor([[[[1, 1, 0, 2], [1, 0, 2, 2], [0, 0, 0, 0], [-1, 0, 0, 0]]]], dtype=torch.float64)
for name, x, size, stride, padding, dilation, ceil in [
    ("2x2", single(2, 2, 6, 4), [2, 2], [2, 2], [0, 0], [1, 1], False),
    ("ties", ties, [2, 2], [2, 2], [0, 0], [1, 1], False),
    ("ties that overlap", ties, [3, 2], [1, 1], [1, 1], [1, 1], False),
    ("overlap", single(1, 2, 7, 6), [3, 3], [2, 1], [1, 1], [1, 1], False),
    ("ceil", single(1, 2, 7, 6), [3, 2], [2, 3], [1, 0], [1, 1], True),
    ("ceil drops a window", single(1, 1, 5, 5), [2, 2], [3, 3], [1, 1], [1, 1], True),
    ("dilation", single(1, 2, 8, 7), [3, 2], [1, 2], [1, 1], [2, 3], False),
]:
    window("max pool, " + name, "max", lambda x, a=(size, stride, padding, dilation, ceil): F.max_pool2d(x, *a), x, size,
           stride, padding, dilation, ceil=ceil)
window("max pool of a series", "max", lambda x: F.max_pool1d(x, 3, 2, 1), single(2, 2, 8), [3], [2], [1], ceil=False)
for name, size, stride, padding, ceil, pads in [
    ("2x2", [2, 2], [2, 2], [0, 0], False, True),
    ("padding counts", [3, 3], [2, 1], [1, 1], False, True),
    ("padding does not count", [3, 3], [2, 1], [1, 1], False, False),
    ("ceil, padding counts", [3, 2], [2, 3], [1, 1], True, True),
    ("ceil, padding does not count", [3, 2], [2, 3], [1, 1], True, False),
]:
    window("mean pool, " + name, "mean", lambda x, a=(size, stride, padding, ceil, pads): F.avg_pool2d(x, *a),
           single(2, 2, 6, 7), size, stride, padding, ceil=ceil, count_include_pad=pads)
case("adaptive", "adaptive", single(2, 2, 7, 5), lambda x: F.adaptive_avg_pool2d(x, (3, 4)), size=[3, 4])
case("adaptive to more", "adaptive", single(1, 2, 3, 2), lambda x: F.adaptive_avg_pool2d(x, (5, 3)), size=[5, 3])
case("adaptive series", "adaptive", single(2, 2, 7), lambda x: F.adaptive_avg_pool1d(x, 3), size=[3])
case("global", "global", single(2, 3, 4, 5), lambda x: F.adaptive_avg_pool2d(x, 1))
mean, variance, gamma, beta = single(3), single(3).abs() + 0.1, single(3), single(3)
case("batch norm", "batch norm", single(2, 3, 2, 2), lambda x: F.batch_norm(x, mean, variance, gamma, beta, eps=1e-5),
     mean=mean, variance=variance, weight=gamma, bias=beta)
scale, shift = single(2, 3), single(2, 3)
case("layer norm", "layer norm", single(2, 4, 2, 3), lambda x: F.layer_norm(x, (2, 3), scale, shift, 1e-5), weight=scale,
     bias=shift)
edges = torch.tensor([[0.0, -0.0, 6.0, -8.0, 8.0, 1e-4, -1e-4, 20.0, -20.0, 0.5]], dtype=torch.float32).double()
points = torch.cat([single(3, 10) * 3, edges])
for name, f in {
    "relu": F.relu, "leaky": lambda x: F.leaky_relu(x, 0.125), "elu": lambda x: F.elu(x, 0.75),
    "celu": lambda x: F.celu(x, 1.5), "selu": F.selu, "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "softplus": F.softplus, "relu6": F.relu6,
}.items():
    case(name, "curve", points, f)
case("softmax of channels", "softmax", single(2, 4, 3) * 3, lambda x: F.softmax(x, 1), axis=0)
case("softmax of steps", "softmax", single(2, 2, 5) * 3, lambda x: F.softmax(x, 2), axis=1)
case("log softmax", "log softmax", single(2, 4, 3) * 3, lambda x: F.log_softmax(x, 1), axis=0)
case("pad", "pad", single(2, 2, 3, 2), lambda x: F.pad(x, (1, 2, 0, 3, 2, 0)), padding=[[2, 0], [0, 3], [1, 2]])
case("slice", "slice", single(2, 4, 7, 5), lambda x: x[:, 1:4, ::2, 1:5:3], ranges=[[1, 4, 1], [0, 7, 2], [1, 5, 3]])
case("permute", "permute", single(2, 2, 3, 4), lambda x: x.permute(0, 3, 1, 2), order=[2, 0, 1])

json.dump({"source": f"torch {torch.__version__}", "cases": CASES}, open(sys.argv[1], "w"), separators=(",", ":"))
