"""Partial dependence, permutation importance and accumulated local effects on closed-form models."""

import warnings

import numpy as np
import pandas as pd
from PyALE._src.ALE_1D import aleplot_1D_categorical, aleplot_1D_continuous, aleplot_1D_discrete
from PyALE._src.ALE_2D import aleplot_2D_continuous
from PyALE._src.lib import order_groups
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import partial_dependence, permutation_importance

import record

warnings.filterwarnings("ignore")
SCRIPT = "global_cases.py"
FORMULA = "f(x) = 1.5*x0 + x1*x2 + sin(2*x3) + 0.5*x0*x3"
TOLERANCE = {"value": 1e-12, "why": "f64 means; order of summation differs"}
N = 120


def f(x):
    x = np.asarray(x, dtype=float)
    return 1.5 * x[:, 0] + x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.5 * x[:, 0] * x[:, 3]


class Regression(RegressorMixin, BaseEstimator):
    def __sklearn_is_fitted__(self):
        return True

    def fit(self, x, y):
        return self

    def predict(self, x):
        return f(x)


class Classification(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, x, y):
        return self

    def predict_proba(self, x):
        p = 1 / (1 + np.exp(-f(x)))
        return np.c_[1 - p, p]

    def predict(self, x):
        return (f(x) > 0).astype(int)


def about(params, libraries, **more):
    return record.about(SCRIPT, libraries, params, record.SEED, TOLERANCE, **more)


def dependence(x, weights):
    out = []
    for features, params in [
        ([0], {"grid_resolution": 7}),
        ([1], {"grid_resolution": 10, "percentiles": (0, 1)}),
        ([3], {"grid_resolution": 20}),
        ([2], {"custom_values": {2: np.array([-1.0, 0.0, 0.5])}}),
        ([0, 3], {"grid_resolution": 4, "percentiles": (0.1, 0.9)}),
        ([1, 2], {"grid_resolution": 3, "custom_values": {2: np.array([-1.0, 0.0])}}),
    ]:
        r = partial_dependence(Regression(), x, features, method="brute", kind="both", **params)
        w = partial_dependence(Regression(), x, features, method="brute", kind="average", sample_weight=weights, **params)
        grids = r["grid_values"]
        mesh = np.array(np.meshgrid(*grids, indexing="ij")).reshape(len(features), -1).T
        own = []
        for point in mesh:
            a = x.copy()
            a[:, features] = point
            own.append(f(a))
        own = np.array(own)
        check = max(record.gap(own.mean(1), r["average"][0].ravel()), record.gap(own.T, r["individual"][0].reshape(len(x), -1)),
                    record.gap(np.average(own, axis=1, weights=weights), w["average"][0].ravel()))
        out.append({"features": features, "params": {k: (list(v) if isinstance(v, tuple) else {str(i): j for i, j in v.items()} if isinstance(v, dict) else v) for k, v in params.items()},
                    "grid": grids, "average": r["average"][0].ravel(), "individual_first_10_rows": r["individual"][0].reshape(len(x), -1)[:10],
                    "average_weighted": w["average"][0].ravel(), "check": check})
        print("pd", features, check)
    record.write("global", "partial_dependence", {
        "about": about({"method": "brute"}, ["sklearn", "numpy"],
                       note="grids flattened with the last feature fastest; percentile edges are scipy mquantiles (alphap = betap = 0.4), then linspace; "
                            "fewer distinct values than grid_resolution: the sorted distinct values"),
        "formula": FORMULA, "rows": x, "weights": weights, "results": out})


def permutation(x, rng):
    y = f(x) + np.round(rng.normal(size=len(x)), 3)
    label = (y > 0).astype(int)
    out = []
    for face, target, scorings in [(Regression(), y, ["neg_mean_squared_error", "neg_mean_absolute_error", "r2"]),
                                   (Classification(), label, ["neg_log_loss", "accuracy", "neg_brier_score", "roc_auc"])]:
        for scoring in scorings:
            seen = []
            method = "predict_proba" if scoring in ("neg_log_loss", "neg_brier_score", "roc_auc") else "predict"
            cls = type(face)
            plain = getattr(cls, method)

            def spy(self, a, plain=plain):
                seen.append(np.array(a))
                return plain(self, a)

            spy.__name__ = method
            setattr(cls, method, spy)
            r = permutation_importance(face, x, target, scoring=scoring, n_repeats=4, random_state=11, n_jobs=1)
            setattr(cls, method, plain)
            perms = []
            at = 1                                   # seen[0]: the unpermuted rows
            for j in range(x.shape[1]):
                mine = []
                for _ in range(4):
                    where = {v: i for i, v in enumerate(x[:, j])}
                    mine.append([where[v] for v in seen[at][:, j]])
                    rest = [k for k in range(x.shape[1]) if k != j]
                    assert (seen[at][:, rest] == x[:, rest]).all()
                    at += 1
                perms.append(mine)
            assert at == len(seen)
            out.append({"scoring": scoring, "model": cls.__name__, "permutations": perms if not out else "as in the first result",
                        "importances": r.importances, "mean": r.importances_mean, "std": r.importances_std})
            if len(out) > 1:
                assert perms == out[0]["permutations"]
            print("permutation", scoring, r.importances_mean)
    record.write("global", "permutation_importance", {
        "about": about({"n_repeats": 4, "random_state": 11}, ["sklearn", "numpy"],
                       note="importance = score(rows) - score(rows with column j replaced by x[permutation, j]), higher score is better; std is the population one; "
                            "scikit-learn shuffles cumulatively and reseeds for each column, so all columns share the permutations"),
        "formula": FORMULA + "; Classification: probability 1/(1+exp(-f)), label 1 iff f > 0", "rows": x, "y": y, "labels": label, "results": out})


def ale_1d(values, edges, rows, j):
    """Bins (edge[k], edge[k+1]], first one closed; returns sizes, mean differences, centred effects at the edges."""
    k = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2)
    low, high = rows.copy(), rows.copy()
    low[:, j], high[:, j] = edges[k], edges[k + 1]
    d = f(high) - f(low)
    n = np.bincount(k, minlength=len(edges) - 1)
    mean = np.bincount(k, weights=d, minlength=len(edges) - 1) / np.maximum(n, 1)
    eff = np.r_[0.0, np.cumsum(mean)]
    return n, mean, eff - ((eff[1:] + eff[:-1]) / 2 * n).sum() / n.sum()


def ale_2d(x, i, j, e0, e1, impute=None):
    k0 = np.clip(np.searchsorted(e0, x[:, i], side="left") - 1, 0, len(e0) - 2)
    k1 = np.clip(np.searchsorted(e1, x[:, j], side="left") - 1, 0, len(e1) - 2)

    def at(a, b):
        r = x.copy()
        r[:, i], r[:, j] = e0[k0 + a], e1[k1 + b]
        return f(r)

    d = at(1, 1) - at(1, 0) - at(0, 1) + at(0, 0)
    shape = (len(e0) - 1, len(e1) - 1)
    n, s = np.zeros(shape), np.zeros(shape)
    np.add.at(n, (k0, k1), 1)
    np.add.at(s, (k0, k1), d)
    mean = np.divide(s, n, out=np.full(shape, np.nan), where=n > 0)
    if (n == 0).any():                               # nearest filled cell by scaled midpoints
        m0, m1 = (e0[1:] + e0[:-1]) / 2 / (e0[-1] - e0[0]), (e1[1:] + e1[:-1]) / 2 / (e1[-1] - e1[0])
        full = np.argwhere(n > 0)
        for a, b in np.argwhere(n == 0):
            dist = (m0[full[:, 0]] - m0[a]) ** 2 + (m1[full[:, 1]] - m1[b]) ** 2
            mean[a, b] = s[tuple(full[dist.argmin()])] / n[tuple(full[dist.argmin()])]
    acc = np.zeros((len(e0), len(e1)))
    acc[1:, 1:] = mean.cumsum(0).cumsum(1)
    diff0, diff1 = np.diff(acc, axis=0), np.diff(acc, axis=1)
    f0 = np.r_[0, np.cumsum((n * (diff0[:, 1:] + diff0[:, :-1]) / 2).sum(1) / n.sum(1))]
    f1 = np.r_[0, np.cumsum((n * (diff1[1:] + diff1[:-1]) / 2).sum(0) / n.sum(0))]
    acc = acc - f0[:, None] - f1[None]
    centre = (n * (acc[1:, 1:] + acc[1:, :-1] + acc[:-1, 1:] + acc[:-1, :-1]) / 4).sum() / n.sum()
    return n, mean, acc - centre


class Frame:
    def __init__(self, extra=None):
        self.extra = extra or {}

    def predict(self, frame):
        return f(frame[["x0", "x1", "x2", "x3"]].to_numpy()) + sum(w * frame[c].to_numpy() for c, w in self.extra.items())


def local_effects(x, rng):
    names = [f"x{i}" for i in range(4)]
    frame = pd.DataFrame(x, columns=names)
    one = []
    for j, grid in [(0, 5), (1, 10), (3, 20), (2, 1)]:
        r = aleplot_1D_continuous(frame, Frame(), names[j], grid_size=grid, include_CI=False)
        edges = r.index.to_numpy()
        n, mean, eff = ale_1d(x[:, j], edges, x, j)
        check = record.gap(r["eff"].to_numpy(), eff)
        linear = np.unique(np.quantile(x[:, j], np.linspace(0, 1, grid + 1)))
        n2, mean2, eff2 = ale_1d(x[:, j], linear, x, j)
        one.append({"feature": j, "grid_size": grid, "edges": edges, "sizes": n, "mean_differences": mean, "effects": r["eff"].to_numpy(),
                    "check_own_formula": check,
                    "linear_quantile_edges": linear, "linear_quantile_sizes": n2, "linear_quantile_effects": eff2})
        print("ale", j, grid, check)
    steps = frame.copy()
    steps["x2"] = np.round(steps["x2"]).clip(-2, 2)
    r = aleplot_1D_discrete(steps, Frame(), "x2", include_CI=False)
    discrete = {"feature": 2, "rows": steps.to_numpy(), "values": r.index.to_numpy(), "sizes": r["size"].to_numpy(), "effects": r["eff"].to_numpy(),
                "formula": "between neighbours v_k and v_k+1: mean over rows at either value of f(v_k+1) - f(v_k); cumulated from 0; minus the mean weighted by the counts"}
    two = []
    for i, j, grid in [(0, 3, 3), (1, 2, 4), (1, 2, 8)]:
        r = aleplot_2D_continuous(frame, Frame(), [names[i], names[j]], grid_size=grid)
        e0, e1 = r.index.to_numpy(), r.columns.to_numpy()
        n, mean, eff = ale_2d(x, i, j, e0, e1)
        check = record.gap(r.to_numpy(), eff)
        two.append({"features": [i, j], "grid_size": grid, "edges": [e0, e1], "sizes": n, "mean_differences": mean, "effects": eff,
                    "empty_cells": int((n == 0).sum()), "check_pyale_against_own_formula": check})
        print("ale2", i, j, grid, "empty", int((n == 0).sum()), check)
    record.write("global", "ale", {
        "about": about({}, ["pandas", "numpy"], PyALE="1.2.0",
                       note="bins (e_k, e_k+1], the first closed; effect at e_k = sum of mean differences up to k, minus sum_k n_k (A_k-1 + A_k)/2 / n. "
                            "PyALE's edges: floor((n-1) q) or one less when that is whole, of the sorted values; linear_quantile_*: the same formula on numpy's linear quantiles (alibi's choice). "
                            "2-D: Apley and Zhu; second differences accumulated, first-order parts removed, centred with the mean of the four corners; "
                            "empty cells take the nearest filled cell by midpoints over range. effects of 2-D are the own formula's (check: difference of PyALE)"),
        "formula": FORMULA, "rows": x, "one_dimensional": one, "discrete": discrete, "two_dimensional": two})

    groups = np.array(["ash", "beech", "cedar", "elm", "fir"])
    code = np.clip(np.round(x[:, 0] + 2 + 0.5 * rng.normal(size=len(x))), 0, 4).astype(int)
    code = np.array([3, 0, 4, 1, 2])[code]                # similarity order is not the alphabetical one
    worth = {"ash": 0.0, "beech": 1.0, "cedar": -0.5, "elm": 2.5, "fir": 0.25}
    cat = frame.copy()
    cat["tree"] = groups[code]
    order = order_groups(cat, "tree")
    encode = lambda c: pd.DataFrame({g: (c["tree"].astype(str) == g).astype(float) for g in groups}, index=c.index)
    r = aleplot_1D_categorical(cat.copy(), Frame(worth), "tree", encode, names + list(groups), include_CI=False)
    given = list(r.index.astype(str))
    # own formula for the effects, and Kolmogorov-Smirnov distances for the order
    score = np.array([worth[g] for g in given])
    pos = np.array([given.index(g) for g in groups[code]])
    n = np.bincount(pos, minlength=5)
    mean = []
    for k in range(4):
        near = (pos == k) | (pos == k + 1)
        mean.append(score[k + 1] - score[k] if near.any() else 0.0)
    eff = np.r_[0, np.cumsum(mean)]
    eff = eff - (eff * n).sum() / n.sum()
    dist = np.zeros((5, 5))
    for j in range(4):
        q = np.quantile(x[:, j], np.arange(0, 1, 0.01))
        cdf = np.array([[np.mean(x[pos == k, j] <= v) for v in q] for k in range(5)])
        dist += np.abs(cdf[:, None] - cdf[None]).max(2)
    c = np.eye(5) - 0.2
    values, vectors = np.linalg.eigh(-0.5 * c @ (dist ** 2) @ c)
    line = vectors[:, -1] * np.sqrt(values[-1])
    mine = [given[k] for k in line.argsort()]
    assert mine == given or mine[::-1] == given, (mine, given)
    check = record.gap(r["eff"].to_numpy(), eff)
    print("ale categorical", given, check)
    record.write("global", "ale_categorical", {
        "about": about({}, ["pandas", "numpy"], PyALE="1.2.0",
                       note="order: distance of two categories = sum over the other features of the largest gap between their empirical distribution functions at the feature's quantiles 0, 0.01 .. 0.99; "
                            "classical scaling of the distances to one dimension; its sign is free, so the reverse order is as good. Then as the discrete effect"),
        "formula": FORMULA + " + worth(tree)", "worth": worth, "rows": x, "tree": groups[code], "order": given, "coordinates": {given[k]: line[k] for k in range(5)},
        "distances_in_given_order": dist, "sizes": n, "effects": r["eff"].to_numpy(), "check_own_formula": check})


if __name__ == "__main__":
    rng = np.random.default_rng(record.SEED)
    x = np.round(rng.normal(size=(N, 4)), 4)
    x[:, 1] = np.round(x[:, 1] + 0.3 * x[:, 2], 4)
    for j in range(4):
        assert len(set(x[:, j])) == N, "the permutations are read off distinct values"
    dependence(x, np.round(rng.random(N) + 0.1, 3))
    permutation(x, rng)
    local_effects(x, rng)
