"""What absent columns are under each conditional masker, by independent arithmetic and by shapiq."""

import itertools
import math
import warnings

import numpy as np
from scipy.stats import chi2, norm
from shapiq.imputer import GaussianImputer

import record

warnings.filterwarnings("ignore")
SCRIPT = "conditional_cases.py"
N = 4
MASKS = [np.array([(m >> i) & 1 for i in range(N)], dtype=bool) for m in range(1 << N)]
LINEAR = np.array([1.5, -2.0, 0.75, 1.0])


def smooth(x):
    return x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.5 * x[:, 3] ** 2 * x[:, 0]


def rows_of(rng, n):
    """Correlated, skewed in the last column, in units of different size."""
    z = rng.normal(size=(n, N)) @ np.linalg.cholesky(np.array([[1, .7, .3, 0], [.7, 1, .5, .2], [.3, .5, 1, -.4], [0, .2, -.4, 1]])).T
    z[:, 3] = np.exp(0.5 * z[:, 3])
    return np.round(z * [1, 3, 0.5, 1] + [0, 1, -2, 0], 3)


def conditional(mean, cov, x, mask):
    a, s = ~mask, mask
    if not s.any():
        return mean, cov
    k = cov[np.ix_(a, s)] @ np.linalg.inv(cov[np.ix_(s, s)])
    return mean[a] + k @ (x[s] - mean[s]), cov[np.ix_(a, a)] - k @ cov[np.ix_(s, a)]


def shapley(worth):
    phi = np.zeros(N)
    for m in range(1 << N):
        for i in range(N):
            if not m >> i & 1:
                s = bin(m).count("1")
                phi[i] += math.factorial(s) * math.factorial(N - s - 1) / math.factorial(N) * (worth[m | 1 << i] - worth[m])
    return phi


def shrink(data):
    """Schaefer & Strimmer 2005, target D."""
    n = len(data)
    z = (data - data.mean(0)) / data.std(0, ddof=1)
    noise = signal = 0.0
    for i, j in itertools.permutations(range(data.shape[1]), 2):
        w = z[:, i] * z[:, j]
        r = n / (n - 1) * w.mean()
        noise += n / (n - 1) ** 3 * ((w - w.mean()) ** 2).sum()
        signal += r * r
    share = min(1.0, noise / signal)
    cov = np.cov(data.T)
    return share, np.where(np.eye(data.shape[1], dtype=bool), cov, (1 - share) * cov)


def gaussian(rng):
    data, x = rows_of(rng, 200), rows_of(rng, 1)[0]
    mean, cov = data.mean(0), np.cov(data.T)
    parts = []
    for mask in MASKS[:-1]:
        m, c = conditional(mean, cov, x, mask)
        parts.append({"present": mask.astype(int), "mean": m, "covariance": c})
    worth = []
    for mask in MASKS:
        full = x.copy()
        if not mask.all():
            full[~mask] = conditional(mean, cov, x, mask)[0]
        worth.append(float(full @ LINEAR))
    draws = 200_000
    imputer = GaussianImputer(model=smooth, data=data, x=x, sample_size=draws, random_state=1)
    samples = imputer._draw_samples(x, np.array(MASKS))
    scores = np.array([smooth(s) for s in samples])
    share, shrunk = shrink(data)
    record.write("conditional", "gaussian", {
        "about": record.about(SCRIPT, ["shapiq", "numpy", "scipy"], {"draws": draws}, record.SEED,
                              {"exact": 1e-9, "draws": "six standard errors of both sides"},
                              checks={"shapiq's covariance against numpy's": record.gap(imputer.cov_mat, cov)}),
        "rows": data, "sample": x, "conditionals": parts,
        "linear": {"slopes": LINEAR, "worths": worth, "values": shapley(worth)},
        "smooth": {"formula": "x0*x1 + sin(x2) + 0.5*x3*x3*x0", "source": "shapiq GaussianImputer",
                   "worths": scores.mean(1), "standard_errors": scores.std(1, ddof=1) / math.sqrt(draws),
                   "deviations": scores.std(1, ddof=1)},
        "shrinkage": {"share": share, "covariance": shrunk}})


def neighbours(rng):
    data, x = rows_of(rng, 40), rows_of(rng, 1)[0]
    z = (data - data.mean(0)) / data.std(0)
    zx = (x - data.mean(0)) / data.std(0)
    _, cov = shrink(z)
    cases = []
    for sigma in (0.1, 0.6):
        for mask in MASKS[:-1]:
            d = np.zeros(len(data))
            if mask.any():
                gap = (z - zx)[:, mask]
                d = np.einsum("ri,ij,rj->r", gap, np.linalg.inv(cov[np.ix_(mask, mask)]), gap) / mask.sum()
            w = np.exp(-(d - d.min()) / (2 * sigma**2))
            cases.append({"bandwidth": sigma, "present": mask.astype(int), "weights": w / w.sum()})
    record.write("conditional", "neighbours", {
        "about": record.about(SCRIPT, ["numpy"], {}, record.SEED, {"weights": 1e-9}), "rows": data, "sample": x, "cases": cases})


def leaf(codes, x, present, absent, alpha=0.05, least_split=20, least_leaf=7):
    rows = np.arange(len(codes))
    steps = []
    while len(rows) >= max(least_split, 2 * least_leaf):
        h = codes[np.ix_(rows, absent)]
        h = h - h.mean(0)
        n = len(rows)
        v = h.T @ h / n
        pinv, rank = np.linalg.pinv(v, rcond=1e-10, hermitian=True), np.linalg.matrix_rank(v, tol=1e-10 * max(1.0, np.trace(v)), hermitian=True)
        found = []
        for j in present:
            g = codes[rows, j] - codes[rows, j].mean()
            if (g @ g) < 1e-12 or rank == 0:
                continue
            t = g @ h
            found.append((t @ pinv @ t * (n - 1) / n / (g @ g), j))
        if not found:
            break
        statistic, j = max(found, key=lambda f: f[0])
        p = 1 - (1 - chi2.sf(statistic, rank)) ** len(found)
        steps.append([int(j), float(statistic), int(rank), float(chi2.sf(statistic, rank))])
        if not p < alpha:
            break
        values = codes[rows, j]
        best = None
        for cut in np.unique(values)[:-1]:
            left = values <= cut
            nl = left.sum()
            if nl < least_leaf or n - nl < least_leaf:
                continue
            t = h[left].sum(0)
            s = t @ pinv @ t * (n - 1) / (nl * (n - nl))
            if best is None or s > best[0] * (1 + 1e-12):
                best = (s, cut)
        if best is None:
            break
        rows = rows[(values <= best[1]) == (x[j] <= best[1])]
    return rows, steps


def trees(rng):
    data, x = rows_of(rng, 150), rows_of(rng, 1)[0]
    data[:, 1] = np.where(data[:, 0] > 0.3, 2, np.where(data[:, 2] > -2, 1, 0))  # three categories
    data[rng.random(150) < 0.15, 2] = np.nan
    x[1] = 2
    blocks, columns = [], []
    xs = []
    for c in range(N):
        col = data[:, c]
        if c == 1:
            for k in (0, 1, 2):
                blocks.append((col == k).astype(float)), columns.append(c), xs.append(float(x[c] == k))
        else:
            m, d = np.nanmean(col), np.nanstd(col)
            blocks.append(np.where(np.isnan(col), 0.0, (col - m) / d)), columns.append(c), xs.append((x[c] - m) / d)
            if np.isnan(col).any():
                blocks.append(np.isnan(col).astype(float)), columns.append(c), xs.append(float(np.isnan(x[c])))
    codes, columns, xs = np.array(blocks).T, np.array(columns), np.array(xs)
    cases = []
    for mask in MASKS[:-1]:
        rows, steps = leaf(codes, xs, np.flatnonzero(mask[columns]), np.flatnonzero(~mask[columns]))
        cases.append({"present": mask.astype(int), "rows": rows, "tests": len(steps)})
    record.write("conditional", "tree", {
        "about": record.about(SCRIPT, ["numpy", "scipy"], {"alpha": 0.05, "least_split": 20, "least_leaf": 7}, record.SEED, {"rows": 0}),
        "rows": data, "sample": x, "categorical": 1, "cases": cases})


if __name__ == "__main__":
    rng = np.random.default_rng(record.SEED)
    gaussian(rng)
    neighbours(rng)
    trees(rng)
