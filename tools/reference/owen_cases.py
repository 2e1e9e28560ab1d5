"""Owen values over a tree of correlated columns: scipy's clusters, shap's PartitionExplainer."""

import warnings

import numpy as np
import scipy
import shap
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

import record
from shapley_cases import FUNCTIONS, N

warnings.filterwarnings("ignore")
TOLERANCE = {"values": 1e-10, "why": "f64; sums of some hundred numbers of size ten"}


def clusters(z):
    """The columns of each merge, in the order of the merges."""
    held = {i: [i] for i in range(N)}
    for k, (a, b, _, _) in enumerate(z):
        held[N + k] = sorted(held[int(a)] + held[int(b)])
    return [held[N + k] for k in range(len(z))]


def main():
    rng = np.random.default_rng(record.SEED)
    data = rng.normal(size=(60, N))
    data[:, 1] += 2 * data[:, 0]
    data[:, 3] -= data[:, 2]
    data[:, 6] += 0.7 * data[:, 1]
    data = np.round(data, 3)
    background, rows = data[:10], np.round(rng.normal(size=(4, N)), 3)
    distance = 1 - np.abs(np.corrcoef(data, rowvar=False))
    np.fill_diagonal(distance, 0)
    for method in ("average", "complete"):
        z = linkage(squareform(distance, checks=False), method)
        body = {"about": record.about("owen_cases.py", ["shap", "scipy", "numpy"], {"linkage": method, "max_evals": 100000}, record.SEED, TOLERANCE),
                "data": data, "n_background": len(background), "rows": rows, "clusters": clusters(z)}
        for name in ("mixture", "triple_products"):
            f = FUNCTIONS[name][1]
            masker = shap.maskers.Partition(background, max_samples=100, clustering=z)
            x = shap.explainers.Partition(f, masker)(rows, max_evals=100000, silent=True)
            body[name] = {"base": np.atleast_1d(x.base_values)[:1], "values": x.values,
                          "sums to score": record.gap(x.values.sum(1) + x.base_values, f(rows))}
        record.write("owen", method, body)
        print(method, body["mixture"]["sums to score"], body["triple_products"]["sums to score"])


if __name__ == "__main__":
    main()
