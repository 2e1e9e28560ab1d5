"""Golden numbers of zennit's rules and composites on the small networks of networks.py, all outputs of each, in f64.

    env/bin/python zennit_cases.py [network ...]

The relevance of an output starts as its score, so that the values sum to it but for what biases keep.
"""

import sys
import warnings
from importlib.metadata import version

import captum_cases as captum
import numpy as np
import torch
import zennit.composites as zc
import zennit.rules as zr
from torch import nn
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.layer import Sum
from zennit.types import Convolution, Linear

import networks as net
import record

warnings.filterwarnings("ignore")
SCRIPT, LIBRARIES = "zennit_cases.py", ["torch", "numpy"]
LOW, HIGH = -4.5, 4.5


class StackSum(nn.Module):
    def __init__(self):
        super().__init__()
        self.sum = Sum(dim=-1)

    def forward(self, a, b):
        return self.sum(torch.stack([a, b], dim=-1))


def everywhere(rule):
    """The rule at every layer with weights, the rest as in zennit's own composites."""
    return zc.LayerMapComposite([(Linear, rule)] + zc.layer_map_base())


def first(rule, rest):
    """One rule at the first layer with weights, another at the rest."""
    return zc.SpecialFirstLayerMapComposite([(Linear, rest)] + zc.layer_map_base(), [(Linear, rule)])


def box(x):
    return {"low": torch.full_like(x[:1], LOW), "high": torch.full_like(x[:1], HIGH)}


def composites(x):
    eps = {"epsilon": 1e-6}
    yield "epsilon", eps, lambda: everywhere(zr.Epsilon(1e-6))
    yield "epsilon-0.25", {"epsilon": 0.25}, lambda: everywhere(zr.Epsilon(0.25))
    yield "norm", {}, lambda: everywhere(zr.Norm())
    yield "gamma", {"gamma": 0.25}, lambda: everywhere(zr.Gamma(0.25))
    yield "z-plus", {}, lambda: everywhere(zr.ZPlus())
    yield "alpha2-beta1", {"alpha": 2, "beta": 1}, lambda: everywhere(zr.AlphaBeta(2, 1))
    yield "alpha1-beta0", {"alpha": 1, "beta": 0}, lambda: everywhere(zr.AlphaBeta(1, 0))
    yield "first-z-box", {"low": LOW, "high": HIGH}, lambda: first(zr.ZBox(**box(x)), zr.Epsilon(1e-6))
    yield "first-w-square", {}, lambda: first(zr.WSquare(zero_params=['bias']), zr.Epsilon(1e-6))
    yield "first-flat", {}, lambda: first(zr.Flat(), zr.Epsilon(1e-6))
    yield "w-square", {}, lambda: everywhere(zr.WSquare(zero_params=['bias']))
    yield "flat", {}, lambda: everywhere(zr.Flat())
    yield "epsilon-gamma-box", {"low": LOW, "high": HIGH, "gamma": 0.25, **eps}, lambda: zc.EpsilonGammaBox(**box(x))
    yield "epsilon-plus", eps, lambda: zc.EpsilonPlus()
    yield "epsilon-alpha2-beta1", eps, lambda: zc.EpsilonAlpha2Beta1()
    yield "epsilon-plus-flat", eps, lambda: zc.EpsilonPlusFlat()
    yield "epsilon-alpha2-beta1-flat", eps, lambda: zc.EpsilonAlpha2Beta1Flat()
    yield "excitation-backprop", {}, lambda: zc.ExcitationBackprop()
    yield "deconvolution", {}, lambda: zc.DeconvNet()
    yield "guided-backpropagation", {}, lambda: zc.GuidedBackprop()


def relevance(built, make, x, ones):
    def one(k):
        model = net.Network(built, StackSum)
        composite = make()
        composite.canonizers = [SequentialMergeBatchNorm()]
        mask = torch.eye(built.outputs, dtype=x.dtype)[[k]]
        with Gradient(model, composite) as attributor:
            _, values = attributor(x, (lambda out: mask.expand_as(out)) if ones else (lambda out: out * mask))
        return values.detach().numpy()
    return [one(k) for k in range(built.outputs)]


def main(names):
    for make in net.ALL:
        built = make()
        if built.name == "modern" or (names and built.name not in names):
            continue
        rows, _ = net.data(built, captum.N_ROWS[built.name], captum.N_BASELINES)
        x = net.tensor(rows)
        cases = []
        for name, params, composite in composites(x):
            ones = name in ("excitation-backprop", "deconvolution", "guided-backpropagation")
            if ones and "relu" not in [n["op"] for n in built.nodes]:
                continue
            values = relevance(built, composite, x, ones)
            assert all(np.isfinite(v).all() for v in values), name
            cases.append({"name": name, "params": params, "start": "one" if ones else "score", "shape": built.shape, "values": net.cells(values)})
        about = record.about(SCRIPT, LIBRARIES, {"dtype": "float64", "stabilizer": 1e-6}, record.SEED, captum.TOLERANCE,
                             note="batch norm is folded into the layer before it; activations pass, additions and average pooling by the norm rule, max pooling to the winner; "
                                  "norm keeps the bias in the denominator, so it is epsilon 1e-6; w-square is given zero_params=['bias'], as in its paper")
        about["versions"]["zennit"] = version("zennit")
        record.write("networks", f"{built.name}.zennit", {"about": about, "network": built.name, "cases": cases})
        print(built.name)


if __name__ == "__main__":
    main(sys.argv[1:])
