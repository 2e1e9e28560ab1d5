"""Model-agnostic Shapley numbers on closed-form functions."""

import itertools
import math
import warnings

import numpy as np
import shap
import shapiq
from shap.utils._legacy import DenseData
from shapiq import ExactComputer

import forest as fo
import record

warnings.filterwarnings("ignore")
SCRIPT = "shapley_cases.py"
TOLERANCE = {"attribution": 1e-10, "interaction": 1e-10, "why": "f64; shap's Kernel solves a normal equation, 254 coalitions; checks are in about"}
A = [1.5, -2.0, 0.75, 0.0, 3.0, -0.25, 0.5, 1.0]
FUNCTIONS = {
    "linear": ("1.5*x0 - 2*x1 + 0.75*x2 + 3*x4 - 0.25*x5 + 0.5*x6 + x7 + 0.7", lambda x: x @ np.array(A) + 0.7),
    "products": ("x0*x1 - 2*x2*x3 + 0.5*x4 + x5*x5*x6", lambda x: x[:, 0] * x[:, 1] - 2 * x[:, 2] * x[:, 3] + 0.5 * x[:, 4] + x[:, 5] * x[:, 5] * x[:, 6]),
    "triple_products": ("x0*x1*x2 + 2*x3*x4*x5 - x6*x7*x0", lambda x: x[:, 0] * x[:, 1] * x[:, 2] + 2 * x[:, 3] * x[:, 4] * x[:, 5] - x[:, 6] * x[:, 7] * x[:, 0]),
    "mixture": ("sin(x0)*exp(0.3*x1) + cos(x2*x3) + x4*x4 - exp(-x5*x5)*x6 + 0.1*x7",
                lambda x: np.sin(x[:, 0]) * np.exp(0.3 * x[:, 1]) + np.cos(x[:, 2] * x[:, 3]) + x[:, 4] ** 2 - np.exp(-x[:, 5] ** 2) * x[:, 6] + 0.1 * x[:, 7]),
}
N = 8
MASKS = np.arange(1 << N)
BITS = ((MASKS[:, None] >> np.arange(N)) & 1).astype(bool)


def worths(f, row, background, weights):
    out = []
    for b in BITS:
        z = np.where(b, row, background)
        out.append(np.average(f(z), axis=0, weights=weights))
    return np.array(out)


def own(f, rows, background, weights):
    w = np.array([worths(f, r, background, weights) for r in rows])
    return w[0, 0], np.einsum("im,nm...->ni...", fo.shapley_matrix(N), w)


def column(v):
    v = np.asarray(v)
    return v[:, :, None] if v.ndim == 2 else v


def attributions(rng):
    background = np.round(rng.normal(size=(20, N)), 3)
    weights = np.round(rng.random(20) + 0.1, 3)
    rows = np.round(rng.normal(size=(5, N)), 3)
    sigmoid = lambda m: 1 / (1 + np.exp(-m))
    cases = {k: (text, f, "identity") for k, (text, f) in FUNCTIONS.items()}
    mix = FUNCTIONS["mixture"][1]
    cases["two_outputs"] = ("[linear, mixture]", lambda x: np.c_[FUNCTIONS["linear"][1](x), mix(x)], "identity")
    cases["logit_link"] = ("1/(1+exp(-mixture)); the explained quantity is logit of the mean over the background", lambda x: sigmoid(mix(x)), "logit")
    for name, (text, f, link) in cases.items():
        checks = {}
        body = {"about": record.about(SCRIPT, ["shap", "numpy"], {"nsamples": 254, "l1_reg": 0, "link": link}, record.SEED, TOLERANCE),
                "formula": text, "background": background, "weights": weights, "rows": rows,
                "scores": record.columns(f(rows))}
        if link == "logit":
            w = np.array([worths(f, r, background, weights) for r in rows])
            w = np.log(w / (1 - w))
            base, phi = w[0, 0], np.einsum("im,nm->ni", fo.shapley_matrix(N), w)
        else:
            base, phi = own(f, rows, background, weights)
        k = shap.KernelExplainer(f, DenseData(background, [f"x{i}" for i in range(N)], None, weights), link=link)
        v = column(k.shap_values(rows, nsamples=254, l1_reg=0, silent=True))
        checks["KernelExplainer against enumeration"] = record.gap(v, column(phi))
        body["kernel_weighted"] = {"source": f"shap {shap.__version__} KernelExplainer, all 254 coalitions, l1_reg=0, weighted background", "link": link,
                                   "base": np.atleast_1d(k.expected_value), "values": v}
        body["enumeration_weighted"] = {"source": "enumeration in f64", "base": np.atleast_1d(base), "values": column(phi)}
        if link == "identity":
            e = shap.explainers.Exact(f, shap.maskers.Independent(background, max_samples=100))
            x = e(rows)
            base, phi = own(f, rows, background, None)
            checks["Exact against enumeration"] = record.gap(column(x.values), column(phi))
            body["exact_unweighted"] = {"source": f"shap {shap.__version__} explainers.Exact, Independent masker", "base": np.atleast_1d(x.base_values[0]), "values": column(x.values)}
            if name in ("products", "triple_products", "mixture"):
                body["exact_interactions_unweighted"] = {
                    "source": f"shap {shap.__version__} explainers.Exact(interactions=True): main effect on the diagonal, half of each pair on either side",
                    "values": np.asarray(e(rows[:2], interactions=True).values)[..., None]}
        body["about"]["checks"] = checks
        record.write("shapley", name, body)
        print(name, checks)
    e = shap.LinearExplainer((np.array(A), 0.7), shap.maskers.Independent(background, max_samples=100))
    v = e.shap_values(rows)
    _, phi = own(FUNCTIONS["linear"][1], rows, background, None)
    record.write("shapley", "linear_explainer", {
        "about": record.about(SCRIPT, ["shap", "numpy"], {"feature_perturbation": "interventional"}, record.SEED, TOLERANCE,
                              checks={"LinearExplainer against enumeration": record.gap(v, phi)}),
        "formula": FUNCTIONS["linear"][0], "coefficients": A, "intercept": 0.7, "background": background, "rows": rows,
        "base": [float(e.expected_value)], "values": column(v)})
    print("linear_explainer", record.gap(v, phi))


def moebius(w):
    m = w.copy()
    for i in range(N):
        has = BITS[:, i]
        m[has] -= m[MASKS[has] ^ (1 << i)]
    return m


def mask_of(players):
    return sum(1 << i for i in players)


def index_checks(index, order, values, w):
    """Independent formulas from the Moebius transform m: SII, BII, STII, FSII; FBII by least squares."""
    m = moebius(w)
    sup = lambda s: [t for t in MASKS if t & s == s]
    size = lambda t: int(t).bit_count()
    want = {}
    for s, got in values.items():
        k, b = len(s), mask_of(s)
        if index == "k-SII" and k:  # order 2: pairs as SII, singles give half of their pairs away
            sii = lambda b: sum(m[t] / (size(t) - size(b) + 1) for t in sup(b))
            want[s] = sii(b) if k == 2 else sii(b) - sum(sii(b | 1 << j) for j in range(N) if not b >> j & 1) / 2
        elif index in ("SV", "SII") and k:
            want[s] = sum(m[t] / (size(t) - k + 1) for t in sup(b))
        elif index in ("BV", "BII") and k:
            want[s] = sum(m[t] / 2.0 ** (size(t) - k) for t in sup(b))
        elif index == "STII" and k:
            want[s] = m[b] if k < order else sum(m[t] / math.comb(size(t), order) for t in sup(b))
        elif index == "Moebius":
            want[s] = m[b]
        elif index == "FSII" and k:  # Tsai et al. 2023, Theorem on Moebius coefficients
            want[s] = m[b] + (-1) ** (order - k) * k / (order + k) * math.comb(order, k) * sum(
                math.comb(size(t) - 1, order) / math.comb(size(t) + order - 1, order + k) * m[t] for t in sup(b) if size(t) > order)
    if index == "FBII":
        subsets = [s for k in range(order + 1) for s in itertools.combinations(range(N), k)]
        design = np.array([[float(t & mask_of(s) == mask_of(s)) for s in subsets] for t in MASKS])
        want = {s: v for s, v in zip(subsets, np.linalg.lstsq(design, w, rcond=None)[0]) if s in values and s}
    return max(abs(values[s] - want[s]) for s in want), want


def interactions(rng):
    background = np.round(rng.normal(size=(20, N)), 3)
    weights = np.round(rng.random(20) + 0.1, 3)
    row = np.round(rng.normal(size=N), 3)
    for name in ("products", "triple_products", "mixture"):
        text, f = FUNCTIONS[name]
        w = worths(f, row, background, weights)
        game = lambda coalitions: np.array([w[int(c @ (1 << np.arange(N)))] for c in np.asarray(coalitions).astype(int)])
        c = ExactComputer(game, n_players=N)
        out, checks = [], {}
        for index, order in [("SV", 1), ("BV", 1), ("SII", 2), ("SII", 3), ("k-SII", 2), ("STII", 2), ("FSII", 2), ("BII", 2), ("FBII", 2), ("Moebius", 3)]:
            iv = c(index, order)
            values = {tuple(int(i) for i in s): float(iv.values[at]) for s, at in iv.interaction_lookup.items()}
            checks[f"{index} {order}"], want = index_checks(index, order, values, w)
            if index == "FSII":  # shapiq stands in for the infinite weight with 1e8 and is good to 1e-9 only
                values = want
            out.append({"index": index, "order": order, "baseline": float(iv.baseline_value),
                        "values": [[list(s), v] for s, v in sorted(values.items(), key=lambda kv: (len(kv[0]), kv[0])) if s]})
        record.write("shapley", "interactions_" + name, {
            "about": record.about(SCRIPT, ["shapiq", "numpy"], {"n_players": N}, record.SEED, TOLERANCE,
                                  checks={"largest difference from an independent formula": checks},
                                  note="FSII holds the closed form of its Moebius coefficients (shapiq is good to 1e-9 there). worths[mask]: bit i of mask set when player i is present"),
            "formula": text, "background": background, "weights": weights, "row": row, "worths": w, "indices": out})
        print("interactions", name, checks)


if __name__ == "__main__":
    rng = np.random.default_rng(record.SEED)
    attributions(rng)
    interactions(rng)
