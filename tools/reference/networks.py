"""Small networks as data, and as PyTorch modules: what captum_cases.py and zennit_cases.py explain.

A network is a list of nodes in order; each names its inputs, and `input` is what the network is given. All numbers are
f32; the reference libraries run them in f64, so that the goldens hold their rule and not their rounding.
"""

import numpy as np
import torch
from torch import nn

import record

RELUS = ("relu",)


def f32(x):
    """The shortest decimals that read back as the f32 numbers of `x`."""
    return np.vectorize(lambda v: float(str(np.float32(v))), otypes=[float])(np.asarray(x, dtype=np.float32))


class Builder:
    def __init__(self, name, shape, outputs, seed):
        self.name, self.shape, self.outputs, self.nodes = name, list(shape), outputs, []
        self.random = np.random.default_rng(record.SEED + seed)

    def add(self, name, op, inputs=None, **params):
        last = self.nodes[-1]["name"] if self.nodes else "input"
        inputs = [last] if inputs is None else inputs
        self.nodes.append({"name": name, "op": op, "inputs": inputs, **params})
        return name

    def normal(self, *shape, scale=1.0, shift=0.0):
        return f32(shift + scale * self.random.standard_normal(shape))

    def linear(self, name, n_in, n_out, **more):
        return self.add(name, "linear", weight=self.normal(n_out, n_in, scale=(1.6 / n_in) ** 0.5), bias=self.normal(n_out, scale=0.2), **more)

    def convolution(self, name, n_in, n_out, kernel, *, stride=1, padding=0, dilation=1, groups=1, bias=True, axes=2, **more):
        shape = (n_out, n_in // groups, *[kernel] * axes)
        weight = self.normal(*shape, scale=(1.8 / np.prod(shape[1:])) ** 0.5)
        params = {"stride": [stride] * axes, "padding": [padding] * axes, "dilation": [dilation] * axes, "groups": groups}
        return self.add(name, "convolution", weight=weight, bias=self.normal(n_out, scale=0.2) if bias else None, **params, **more)

    def batch_norm(self, name, n, spread=1.0, **more):
        params = {"weight": f32(spread * self.normal(n, scale=0.3, shift=1.0)), "bias": self.normal(n, scale=0.2), "mean": self.normal(n, scale=0.3),
                  "variance": f32(self.random.uniform(0.4, 1.6, n)), "epsilon": 1e-5}
        return self.add(name, "batch-norm", **params, **more)

    def layer_norm(self, name, n, **more):
        return self.add(name, "layer-norm", weight=self.normal(n, scale=0.3, shift=1.0), bias=self.normal(n, scale=0.2), epsilon=1e-5, **more)


def mlp():
    b = Builder("mlp", [8], 3, 1)
    b.linear("fc1", 8, 16), b.add("relu1", "relu")
    b.linear("fc2", 16, 12), b.add("relu2", "relu")
    b.linear("fc3", 12, 3)
    return b


def smooth():
    b = Builder("smooth", [6], 2, 2)
    for i, (op, params) in enumerate([("tanh", {}), ("sigmoid", {}), ("elu", {"alpha": 1.0}), ("leaky-relu", {"slope": 0.1}), ("softplus", {})]):
        b.linear(f"fc{i}", 6 if i == 0 else 8, 8), b.add(op, op, **params)
    b.linear("out", 8, 2)
    return b


def modern():
    b = Builder("modern", [6], 2, 3)
    b.linear("fc1", 6, 8), b.add("gelu", "gelu", tanh=False)
    b.linear("fc2", 8, 8), b.layer_norm("norm", 8), b.add("silu", "silu")
    b.linear("gate", 8, 8, inputs=["norm"]), b.add("open", "sigmoid")
    b.add("gated", "multiply", ["silu", "open"])
    b.linear("out", 8, 2)
    return b


def series():
    b = Builder("series", [2, 16], 3, 4)
    b.convolution("conv1", 2, 4, 3, padding=1, axes=1), b.add("relu1", "relu"), b.add("pool1", "max-pool", kernel=[2], stride=[2], padding=[0])
    b.convolution("conv2", 4, 6, 3, dilation=2, axes=1), b.add("relu2", "relu"), b.add("pool2", "average-pool", kernel=[2], stride=[2], padding=[0], count_include_pad=True)
    b.add("flat", "flatten"), b.linear("fc", 12, 3)
    return b


def cnn():
    b = Builder("cnn", [2, 8, 8], 3, 5)
    b.convolution("conv1", 2, 4, 3, padding=1), b.batch_norm("bn1", 4), b.add("relu1", "relu")
    b.add("pool1", "max-pool", kernel=[2, 2], stride=[2, 2], padding=[0, 0])
    b.convolution("conv2", 4, 6, 3, padding=1, bias=False), b.batch_norm("bn2", 6), b.add("relu2", "relu")
    b.add("pool2", "average-pool", kernel=[2, 2], stride=[2, 2], padding=[0, 0], count_include_pad=True)
    b.add("flat", "flatten"), b.linear("fc", 24, 3)
    return b


def residual():
    b = Builder("residual", [2, 8, 8], 3, 6)
    b.convolution("conv1", 2, 4, 3, padding=1, bias=False), b.batch_norm("bn1", 4), b.add("relu1", "relu")
    b.convolution("block1.conv1", 4, 4, 3, padding=1, bias=False), b.batch_norm("block1.bn1", 4), b.add("block1.relu1", "relu")
    b.convolution("block1.conv2", 4, 4, 3, padding=1, bias=False), b.batch_norm("block1.bn2", 4)
    b.add("block1.add", "add", ["block1.bn2", "relu1"]), b.add("block1.relu2", "relu")
    b.convolution("block2.conv1", 4, 6, 3, stride=2, padding=1, bias=False), b.batch_norm("block2.bn1", 6), b.add("block2.relu1", "relu")
    b.convolution("block2.conv2", 6, 6, 3, padding=1, bias=False), b.batch_norm("block2.bn2", 6)
    b.convolution("block2.down", 4, 6, 1, stride=2, bias=False, inputs=["block1.relu2"]), b.batch_norm("block2.down_bn", 6)
    b.add("block2.add", "add", ["block2.bn2", "block2.down_bn"]), b.add("block2.relu2", "relu")
    b.add("gap", "global-average-pool"), b.add("flat", "flatten"), b.linear("fc", 6, 3)
    return b


def mobile():
    """A block as MobileNetV2 has it: ReLU6, a depthwise convolution, a linear bottleneck. The scales saturate some units."""
    b = Builder("mobile", [2, 6, 6], 3, 7)
    b.convolution("conv1", 2, 4, 3, padding=1, bias=False), b.batch_norm("bn1", 4, spread=3.0), b.add("relu1", "relu6")
    b.convolution("depth", 4, 4, 3, padding=1, groups=4, bias=False), b.batch_norm("bn2", 4, spread=2.0), b.add("relu2", "relu6")
    b.convolution("narrow", 4, 4, 1, bias=False), b.batch_norm("bn3", 4), b.add("add", "add", ["bn3", "relu1"])
    b.convolution("wide", 4, 6, 1, stride=2, bias=False), b.batch_norm("bn4", 6, spread=2.0), b.add("relu3", "relu6")
    b.add("gap", "global-average-pool"), b.add("flat", "flatten"), b.linear("fc", 6, 3)
    return b


ALL = [mlp, smooth, modern, series, cnn, residual, mobile]


def tensor(x):
    return torch.tensor(np.asarray(x, dtype=np.float32).astype(np.float64))


def module(node, axes, addition):
    """The PyTorch module of a node; `axes` is the number of axes that are not samples or channels."""
    op, has = node["op"], node.get
    if op == "linear":
        n_out, n_in = np.shape(node["weight"])
        made = nn.Linear(n_in, n_out)
    elif op == "convolution":
        n_out, n_in, *kernel = np.shape(node["weight"])
        kind = nn.Conv1d if len(kernel) == 1 else nn.Conv2d
        made = kind(n_in * node["groups"], n_out, tuple(kernel), stride=tuple(node["stride"]), padding=tuple(node["padding"]),
                    dilation=tuple(node["dilation"]), groups=node["groups"], bias=node["bias"] is not None)
    elif op == "batch-norm":
        made = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[axes](len(node["weight"]), eps=node["epsilon"])
    elif op == "layer-norm":
        made = nn.LayerNorm(len(node["weight"]), eps=node["epsilon"])
    elif op in ("max-pool", "average-pool"):
        size = {"kernel_size": tuple(node["kernel"]), "stride": tuple(node["stride"]), "padding": tuple(node["padding"])}
        if op == "max-pool":
            return (nn.MaxPool1d if axes == 1 else nn.MaxPool2d)(**size)
        return (nn.AvgPool1d if axes == 1 else nn.AvgPool2d)(**size, count_include_pad=node["count_include_pad"])
    elif op == "add":
        return addition()
    else:
        return {"relu": nn.ReLU, "relu6": nn.ReLU6, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "silu": nn.SiLU, "softplus": nn.Softplus, "flatten": nn.Flatten,
                "elu": lambda: nn.ELU(has("alpha")), "leaky-relu": lambda: nn.LeakyReLU(has("slope")), "gelu": nn.GELU, "multiply": Product,
                "global-average-pool": lambda: nn.AdaptiveAvgPool2d(1)}[op]()
    made = made.double()
    with torch.no_grad():
        made.weight.copy_(tensor(node["weight"]))
        if has("bias") is not None:
            made.bias.copy_(tensor(node["bias"]))
        if op == "batch-norm":
            made.running_mean.copy_(tensor(node["mean"]))
            made.running_var.copy_(tensor(node["variance"]))
    return made


class Sum(nn.Module):
    def forward(self, a, b):
        return a + b


class Product(nn.Module):
    def forward(self, a, b):
        return a * b


class Network(nn.Module):
    """The network, each node a module of its own, named with `_` for `.`."""

    def __init__(self, built, addition=Sum):
        super().__init__()
        self.nodes = built.nodes
        for node in built.nodes:
            self.add_module(self.key(node["name"]), module(node, len(built.shape) - 1, addition))
        self.eval()

    @staticmethod
    def key(name):
        return name.replace(".", "_")

    def at(self, name):
        return getattr(self, self.key(name))

    def forward(self, x):
        seen = {"input": x}
        for node in self.nodes:
            seen[node["name"]] = self.at(node["name"])(*[seen[i] for i in node["inputs"]])
        return seen[self.nodes[-1]["name"]]


def data(built, n_rows, n_baselines):
    rows = built.normal(n_rows, *built.shape)
    baselines = built.normal(n_baselines, *built.shape, scale=0.5)
    return rows, baselines


def digits(x, n=9):
    """Nine significant digits: a tenth of what f32 resolves."""
    x = np.asarray(x, dtype=float)
    return np.vectorize(lambda v: float(f"{v:.{n}g}"), otypes=[float])(x) if x.size else x


def cells(values):
    """From one array (sample, cells ...) an output to (sample, cell, output)."""
    return digits(np.stack([np.asarray(v).reshape(len(v), -1) for v in values], axis=-1))
