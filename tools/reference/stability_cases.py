"""Complexity, localisation, stability, randomisation and axiom metrics of Quantus on a small network, in double precision.

    env/bin/python stability_cases.py

Neighbours are made the same on both sides: the same offsets for every sample. Samples, offsets and weights are multiples of
1/64, so that nothing is lost where Quantus goes through single precision.
"""

import functools
import warnings

import numpy as np
import quantus
import torch
from quantus.functions import discretise_func, similarity_func
from skimage.metrics import structural_similarity

import record

warnings.filterwarnings("ignore")
if not hasattr(np, "NaN"):
    np.NaN = np.nan  # Quantus 0.6 asks numpy 2 for it.
TOLERANCE = {"values": 1e-9, "why": "f64 on both sides; sums of 36 numbers, ranks of 36 numbers"}
N, SIDE, HIDDEN, OUTPUTS, DRAWS = 6, 6, 5, 3, 4
CELLS = SIDE * SIDE
UNUSED = [3, 17, 30]


class Net(torch.nn.Module):
    """Dense, hyperbolic tangent, dense; computes in double whatever it is given."""

    def __init__(self, rng):
        super().__init__()
        fixed = lambda *shape: torch.nn.Parameter(torch.tensor(np.round(rng.normal(size=shape) * 16) / 64))
        self.hidden, self.act = torch.nn.Linear(CELLS, HIDDEN), torch.nn.Tanh()
        self.scores = torch.nn.Linear(HIDDEN, OUTPUTS)
        self.hidden.weight, self.hidden.bias = fixed(HIDDEN, CELLS), fixed(HIDDEN)
        self.scores.weight, self.scores.bias = fixed(OUTPUTS, HIDDEN), fixed(OUTPUTS)
        with torch.no_grad():
            self.hidden.weight[:, UNUSED] = 0.0

    def forward(self, x):
        return self.scores(self.act(self.hidden(x.double().flatten(1))))


def explain(model, inputs, targets, **_):
    """Gradient times input."""
    model = model.double()
    x = torch.tensor(np.asarray(inputs, dtype=float), requires_grad=True)
    picked = model(x)[torch.arange(len(x)), torch.as_tensor(np.asarray(targets, dtype=int))]
    (gradient,) = torch.autograd.grad(picked.sum(), x)
    return (gradient * x).detach().numpy().reshape(np.shape(inputs))


def given(offsets):
    """A perturbation that adds the next row of offsets to every sample."""
    state = {"next": 0}

    def perturb(arr, **_):
        state["next"] += 1
        return arr + offsets[(state["next"] - 1) % len(offsets)]

    return perturb


def complexity(x, y, a, call):
    plain = dict(abs=True, normalise=False, disable_warnings=True)
    return {
        # Times a million: Quantus adds 1e-7 to every share.
        "sparseness": quantus.Sparseness(**plain)(**{**call, "a_batch": a * 1e6}),
        "entropy": quantus.Complexity(**plain)(**call),
        "effective_complexity": quantus.EffectiveComplexity(eps=0.2, abs=True, normalise=True, disable_warnings=True,
            normalise_func=lambda a, **_: a / np.abs(a).reshape(len(a), -1).max(axis=1).reshape(-1, 1, 1, 1))(**call),
    }


def localisation(x, y, a, s, shown, call):
    plain, call = dict(normalise=False, disable_warnings=True), {**call, "s_batch": s}
    run = lambda metric, **params: np.array(metric(**params, **plain)(**call), dtype=float)
    return {
        "pointing_game": run(quantus.PointingGame, abs=False),
        "attribution_localisation": run(quantus.AttributionLocalisation, abs=False, positive_attributions=True),
        "top_k_7": run(quantus.TopKIntersection, abs=False, k=7),
        "top_k_7_influence": run(quantus.TopKIntersection, abs=False, k=7, concept_influence=True),
        "rank_accuracy": run(quantus.RelevanceRankAccuracy, abs=False),
        "rank_accuracy_absolute": run(quantus.RelevanceRankAccuracy, abs=True),
        "mass_accuracy_absolute": run(quantus.RelevanceMassAccuracy, abs=True),
        "auc": run(quantus.AUC, abs=False),
        "auc_absolute": run(quantus.AUC, abs=True),
        "focus": quantus.Focus(abs=False, **plain)(**{**call, "custom_batch": shown}),
    }


def stability(x, y, a, offsets, call):
    plain = dict(abs=False, normalise=False, disable_warnings=True, nr_samples=DRAWS)
    call = {**call, "explain_func": explain}
    out = {}
    for name, metric, params in [
        ("max_sensitivity", quantus.MaxSensitivity, {}),
        ("avg_sensitivity", quantus.AvgSensitivity, {}),
        ("local_lipschitz", quantus.LocalLipschitzEstimate, {"norm_numerator": similarity_func.distance_euclidean}),
        ("relative_input_stability", quantus.RelativeInputStability, {"return_nan_when_prediction_changes": False}),
        ("relative_output_stability", quantus.RelativeOutputStability, {"return_nan_when_prediction_changes": False}),
        ("relative_representation_stability", quantus.RelativeRepresentationStability,
         {"return_nan_when_prediction_changes": False, "layer_names": ["hidden"]}),
        ("relative_input_stability_kept", quantus.RelativeInputStability, {}),
    ]:
        out[name] = np.array(metric(perturb_func=given(offsets), **params, **plain)(**call), dtype=float)
    out["continuity"] = quantus.Continuity(nr_steps=SIDE, abs=False, normalise=False, disable_warnings=True)(**call)
    codes = {"signs": discretise_func.sign,
             "rounded_0": functools.partial(discretise_func.floating_points, n=0)}
    coarse = np.round(a * 2)  # Few codes, so that samples meet; the first half of the samples stands twice.
    coarse[N // 2 :] = coarse[: N // 2]
    out["consistency_shares"] = coarse.reshape(N, CELLS)
    for name, code in codes.items():
        metric = quantus.Consistency(discretise_func=code, abs=False, normalise=False, disable_warnings=True)
        out[f"consistency_{name}"] = metric(**{**call, "a_batch": coarse})
    return out


def axioms(net, x, y, call):
    shares = explain(net, x, y)
    flat = shares.reshape(N, CELLS)
    flat[:, [0, 8]] = 0.0
    flat[:, 17] = 0.5
    metric = quantus.NonSensitivity(eps=1e-5, features_in_step=1, abs=True, normalise=False, perturb_baseline=0.0,
                                    disable_warnings=True)
    found = metric(**{**call, "a_batch": shares})
    return {"non_sensitivity_shares": flat, "non_sensitivity": found}


def randomisation(net, x, y, a, call):
    call = {**call, "explain_func": explain}
    plain = dict(disable_warnings=True, normalise=False)
    half = {**call, "y_batch": y % 2, "a_batch": explain(net, x, y % 2)}
    logit = quantus.RandomLogit(num_classes=2, abs=False, similarity_func=similarity_func.correlation_spearman, **plain)
    out = {"random_logit": logit(**half)}
    seen = []

    def spy(model, inputs, targets, **_):
        seen.append(explain(model, inputs, targets))
        return seen[-1]

    for order in ["top_down", "bottom_up"]:
        seen.clear()
        test = quantus.MPRT(layer_order=order, abs=True, similarity_func=similarity_func.correlation_spearman, **plain)
        scores = test(**{**call, "explain_func": spy, "batch_size": N})
        # The first explanation is that of the model itself.
        out[f"mprt_{order}"] = {"layers": [k for k in scores if k != "original"], "original": scores["original"],
            "scores": [scores[k] for k in scores if k != "original"], "shares": [s.reshape(N, CELLS) for s in seen[1:]]}
    seen.clear()
    test = quantus.EfficientMPRT(layer_order="bottom_up", abs=False, complexity_func_kwargs={"n_bins": 10}, **plain)
    out["efficient_mprt"] = {"n_bins": 10, "scores": test(**{**call, "explain_func": spy, "batch_size": N, "softmax": True}),
                             "shares": seen[-1].reshape(N, CELLS)}
    return out


def ssim():
    """Structural similarity of two pictures of two channels and of two series, as scikit-image takes it."""
    rng = np.random.default_rng(record.SEED + 1)
    out = []
    for shape in [(2, 9, 11), (3, 16)]:
        a = rng.normal(size=shape)
        b = 0.7 * a + 0.5 * rng.normal(size=shape)
        reach = max(a.max(), b.max()) - min(a.min(), b.min())
        value = structural_similarity(a, b, channel_axis=0, data_range=reach)
        out.append({"shape": shape, "a": a.ravel(), "b": b.ravel(), "value": value})
    return out


def main():
    rng = np.random.default_rng(record.SEED)
    torch.manual_seed(record.SEED)
    net = Net(rng).eval()
    grid = lambda *shape, scale=1.0: np.round(rng.normal(size=shape) * 64 * scale) / 64
    x = grid(N, 1, SIDE, SIDE)
    x[x == 0] = 1 / 64
    offsets = grid(DRAWS, CELLS, scale=0.1)
    y = net(torch.tensor(x)).argmax(1).numpy()
    a = explain(net, x, y)
    s = (rng.random((N, 1, SIDE, SIDE)) < 0.3).astype(int)
    shown = [(1, 1, 0, 0), (0, 1, 0, 1), (1, 0, 1, 0), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 1, 0)]
    call = lambda: dict(model=net, x_batch=x.copy(), y_batch=y.copy(), a_batch=a.copy(), softmax=False, device="cpu")
    flat = lambda v: np.asarray(v, dtype=float).reshape(N, CELLS)
    about = record.about("stability_cases.py", ["quantus", "torch", "numpy", "scipy", "scikit-learn", "skimage"],
                         {"dtype": "float64"}, record.SEED, TOLERANCE)
    body = {
        "about": about,
        "shape": [1, SIDE, SIDE],
        "hidden_weight": net.hidden.weight.detach().numpy(), "hidden_bias": net.hidden.bias.detach().numpy(),
        "scores_weight": net.scores.weight.detach().numpy(), "scores_bias": net.scores.bias.detach().numpy(),
        "x": flat(x), "y": y, "offsets": offsets, "values": flat(a), "masks": flat(s), "quadrants": shown,
        "complexity": complexity(x, y, a, call()),
        "localisation": localisation(x, y, a, s, shown, call()),
        "stability": stability(x, y, a, offsets, call()),
        "axioms": axioms(net, x, y, call()),
        "ssim": ssim(),
        "randomisation": randomisation(Net(np.random.default_rng(record.SEED)).eval(), x, y, a, call()),
    }
    record.write("evaluation", "stability", body)


main()
