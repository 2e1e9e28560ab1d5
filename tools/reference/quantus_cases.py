"""Faithfulness metrics of Quantus and Captum on a small convolutional network, in double precision.

Draws are made the same on both sides: where Quantus draws subsets, it is given all of them in lexicographic order.
"""

import itertools
import sys
import warnings

import numpy as np
import quantus
import torch
from captum.metrics import infidelity
from quantus.functions.perturb_func import noisy_linear_imputation
from quantus.helpers import utils

import record

warnings.filterwarnings("ignore")
np.trapz = getattr(np, "trapz", None) or np.trapezoid
TOLERANCE = {"values": 1e-9, "why": "f64 on both sides; correlations of some hundred numbers"}
N, SIDE, OUTPUTS = 6, 6, 3
CELLS = SIDE * SIDE


class Net(torch.nn.Module):
    """3x3 convolution to four channels, ReLU, dense layer; computes in double whatever it is given."""

    def __init__(self, rng):
        super().__init__()
        fixed = lambda *shape: torch.tensor(np.round(rng.normal(size=shape) * 32) / 64)
        self.filters, self.bias = fixed(4, 1, 3, 3), fixed(4)
        self.weights, self.offset = fixed(OUTPUTS, 4 * (SIDE - 2) ** 2), fixed(OUTPUTS)

    def forward(self, x):
        hidden = torch.relu(torch.nn.functional.conv2d(x.double(), self.filters, self.bias))
        return hidden.flatten(1) @ self.weights.T + self.offset


def patches(side=SIDE, size=2):
    """The number of each cell's patch."""
    at = np.arange(side) // size
    return (at[:, None] * (side // size) + at[None, :]).ravel()


def combinations(size):
    return list(itertools.combinations(range(CELLS), size))


def given(draws):
    """Replaces np.random.choice by these draws, the same for all samples of a batch."""
    state = iter([d for d in draws for _ in range(N)])
    return lambda *_, **__: np.array(next(state))


def quantus_values(net, x, y, a):
    call = dict(model=net, x_batch=x, y_batch=y, a_batch=a, softmax=False, device="cpu")
    plain = dict(abs=False, normalise=False, perturb_baseline=0.0, disable_warnings=True, return_aggregate=False)
    out = {}
    choice, np.random.choice = np.random.choice, given(combinations(2))
    out["faithfulness_correlation_2"] = quantus.FaithfulnessCorrelation(subset_size=2, nr_runs=len(combinations(2)), **plain)(**call)
    np.random.choice = choice
    for step in (1, 3):
        out[f"faithfulness_estimate_{step}"] = quantus.FaithfulnessEstimate(features_in_step=step, **plain)(**call)
        out[f"monotonicity_correlation_{step}"] = quantus.MonotonicityCorrelation(
            features_in_step=step, nr_samples=1, **{**plain, "abs": True})(**call)
    out["monotonicity"] = [int(v) for v in quantus.MonotonicityArya(features_in_step=1, **plain)(**call)] if hasattr(
        quantus, "MonotonicityArya") else [int(v) for v in quantus.Monotonicity(features_in_step=1, **plain)(**call)]
    out["pixel_flipping_4"] = quantus.PixelFlipping(features_in_step=4, **plain)(**call)
    for order in ("morf", "lerf"):
        out[f"region_perturbation_{order}"] = quantus.RegionPerturbation(
            patch_size=2, regions_evaluation=9, order=order, **plain)(**call)
    out["selectivity"] = quantus.Selectivity(patch_size=2, **plain)(**call)
    out["sufficiency"] = quantus.Sufficiency(threshold=0.9, distance_func="seuclidean", abs=False, normalise=False,
                                             disable_warnings=True)(**call)
    # Three segments of different sizes, the same for all images.
    segments = np.repeat([0, 1, 2], [1, 2, 3])[:, None].repeat(SIDE, 1)
    slic, utils.get_superpixel_segments = utils.get_superpixel_segments, lambda **_: segments
    out["irof"] = list(np.array(quantus.IROF(**plain)(**call), dtype=float))
    utils.get_superpixel_segments = slic
    out["segments"] = segments.ravel()
    shares = [5, 20, 50, 80]
    road = quantus.ROAD(percentages=shares, noise=0.0, abs=False, normalise=False, disable_warnings=True)(**call)
    out["road_percentages"], out["road"] = shares, [float(road[p]) for p in shares]
    return out


def captum_values(net, x, y, a, rng):
    subsets = np.array([[j in c for j in range(CELLS)] for c in combinations(2)])

    def remove(inputs):
        n = len(inputs) // len(subsets)
        gone = torch.tensor(np.tile(subsets, (n, 1)).reshape(inputs.shape))
        return gone.double(), torch.where(gone, 0.0, inputs)

    x, a, target = torch.tensor(x).double(), torch.tensor(a), torch.tensor(y)
    both = {}
    for name, normalize in (("plain", False), ("scaled", True)):
        both[f"infidelity_2_{name}"] = infidelity(net, remove, x, a, target=target, n_perturb_samples=len(subsets),
                                                  max_examples_per_batch=N * len(subsets), normalize=normalize).numpy()
    gradient = torch.autograd.functional.jacobian(lambda v: net(v)[torch.arange(N), target].sum(), x).detach()
    noise = torch.Generator().manual_seed(record.SEED)

    def shake(inputs):
        e = torch.randn(inputs.shape, generator=noise, dtype=torch.float64) * 0.5
        return e, inputs - e

    runs = torch.stack([infidelity(net, shake, x, gradient, target=target, n_perturb_samples=4000,
                                   max_examples_per_batch=N * 4000) for _ in range(20)]).numpy()
    both["gradient"] = gradient.reshape(N, CELLS).numpy()
    both["noise_infidelity"] = runs.mean(0)
    both["noise_infidelity_error"] = runs.std(0, ddof=1) / np.sqrt(len(runs))
    return both


def main():
    rng = np.random.default_rng(record.SEED)
    net = Net(rng).eval()
    x = (np.round(rng.normal(size=(N, 1, SIDE, SIDE)) * 64) / 64).astype(np.float32)
    scores = net(torch.tensor(x)).numpy()
    y = scores.argmax(1)
    # Neither good nor random: what a noisy method would say.
    gradient = torch.autograd.functional.jacobian(
        lambda v: net(v)[torch.arange(N), torch.tensor(y)].sum(), torch.tensor(x).double()).numpy()
    a = gradient * x + 0.3 * rng.normal(size=x.shape)
    holes = [sorted(rng.choice(CELLS, size, replace=False).tolist()) for size in (1, 5, 18, 35)]
    filled = [noisy_linear_imputation(x[0].astype(float), np.array(h), noise=0.0).ravel() for h in holes]
    body = {
        "about": record.about("quantus_cases.py", ["quantus", "captum", "torch", "numpy"],
                              {"cells": "6x6, baseline 0", "softmax": False}, record.SEED, TOLERANCE,
                              note="Monotonicity of Quantus is always 1: it replaces the baseline by the baseline."),
        "network": {"filters": net.filters.numpy().reshape(4, 9), "bias": net.bias.numpy(), "weights": net.weights.numpy(),
                    "offset": net.offset.numpy()},
        "rows": x.reshape(N, CELLS).astype(float), "scores": scores, "labels": y, "attributions": a.reshape(N, CELLS),
        "patches": patches(),
        "quantus": quantus_values(net, x, y, a),
        "captum": captum_values(net, x, y, a, rng),
        "imputation": {"absent": holes, "filled": filled},
    }
    record.write("evaluation", "faithfulness", body)
    print({k: np.round(np.array(v, dtype=float).ravel()[:4], 4).tolist() for k, v in body["quantus"].items()})
    print({k: np.round(np.array(v, dtype=float).ravel()[:4], 4).tolist() for k, v in body["captum"].items()})


if __name__ == "__main__":
    sys.exit(main())
