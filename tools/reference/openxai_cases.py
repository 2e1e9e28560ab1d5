"""OpenXAI's metrics on a small network, and Captum's sensitivity, in double precision.

    env/bin/python openxai_cases.py

OpenXAI pins libraries that no supported Python has, so its definitions are written out here anew in numpy, sample by sample and
without its code: feature, rank, sign and signed rank agreement, rank correlation, pairwise rank agreement, prediction gaps
(PGI, PGU), relative input, output and representation stability with norms as its code takes them. Discrete features are not
among them. Ties do not occur.
"""

import itertools
import sys

import numpy as np
import torch
from captum.metrics import sensitivity_max
from scipy.stats import pearsonr

import record

TOLERANCE = {"values": 1e-9, "why": "f64 on both sides", "gaps": "five standard errors of both sides"}
N, FEATURES, HIDDEN, OUTPUTS, DRAWS, BLOCKS = 6, 7, 5, 2, 6, 20
PER_BLOCK = 20_000
SD = 0.1


class Net:
    """Dense, hyperbolic tangent, dense."""

    def __init__(self, rng):
        fixed = lambda *shape: np.round(rng.normal(size=shape) * 32) / 64
        self.first, self.shift = fixed(FEATURES, HIDDEN), fixed(HIDDEN)
        self.second, self.offset = fixed(HIDDEN, OUTPUTS), fixed(OUTPUTS)

    def hidden(self, x):
        return np.tanh(x @ self.first + self.shift)

    def scores(self, x):
        return self.hidden(x) @ self.second + self.offset

    def explain(self, x, output):
        """Gradient times input of one row."""
        slope = 1 - self.hidden(x) ** 2
        return self.first @ (slope * self.second[:, output]) * x


def strongest(shares, k):
    return list(np.argsort(-np.abs(shares))[:k])


def agreement(shares, truth, k):
    """Overlap, same place, same sign, same place and sign among the k strongest."""
    ours, theirs = strongest(shares, k), strongest(truth, k)
    common = [j for j in ours if j in theirs]
    placed = [i for i, j in zip(ours, theirs) if i == j]
    same = lambda j: np.sign(shares[j]) == np.sign(truth[j])
    return [len(common) / k, len(placed) / k, sum(map(same, common)) / k, sum(map(same, placed)) / k]


def places(shares):
    return np.argsort(np.argsort(-np.abs(shares)))


def pairwise(shares, truth):
    a, b = places(shares), places(truth)
    pairs = list(itertools.combinations(range(len(shares)), 2))
    return sum((a[i] < a[j]) == (b[i] < b[j]) for i, j in pairs) / len(pairs)


def relative(before, after):
    return np.linalg.norm(before - after) / np.linalg.norm(before)


def stability(net, x, offsets, of):
    """The largest relative change of the explanation by that of `of`, over neighbours with the same decision."""
    decided = net.scores(x).argmax()
    shares, found = net.explain(x, decided), []
    for offset in offsets:
        moved = x + offset
        if net.scores(moved).argmax() == decided:
            found.append(relative(shares, net.explain(moved, decided)) / relative(of(x), of(moved)))
    return max(found, default=np.nan), len(found)


def gap(net, x, noise, shaken):
    moved = x + noise * np.isin(np.arange(FEATURES), shaken)
    return np.abs(net.scores(moved)[:, 0] - net.scores(x)[0]).mean()


def gaps(net, x, shares, rng):
    """PGI and PGU at two features, and their areas over one to three: means over blocks and their standard errors."""
    rows = []
    for _ in range(BLOCKS):
        noise = rng.normal(size=(PER_BLOCK, FEATURES)) * SD
        row = []
        for important in (True, False):
            at = []
            for k in (1, 2, 3):
                top = strongest(shares, k)
                at.append(gap(net, x, noise, top if important else [j for j in range(FEATURES) if j not in top]))
            row += [at[1], (at[0] + 2 * at[1] + at[2]) / 4]
        rows.append(row)
    rows = np.array(rows)
    return rows.mean(0), rows.std(0, ddof=1) / np.sqrt(BLOCKS)


def captum_sensitivity(net, x, offsets, outputs):
    """Captum's own loop around explanations by numpy, draw by draw."""

    def explain(inputs):
        rows = inputs[0] if isinstance(inputs, tuple) else inputs
        return (torch.tensor(np.array([net.explain(row, k) for row, k in zip(rows.numpy(), outputs)])),)

    largest = []
    for offset in offsets:
        move = lambda inputs, _radius: inputs + torch.tensor(offset)
        found = sensitivity_max(explain, torch.tensor(x), perturb_func=move, n_perturb_samples=1)
        largest.append(found.numpy())
    return np.max(largest, axis=0)


def main():
    rng = np.random.default_rng(record.SEED)
    net = Net(rng)
    grid = lambda *shape, scale=1.0: np.round(rng.normal(size=shape) * 64 * scale) / 64
    x, offsets = grid(N, FEATURES), grid(DRAWS, FEATURES, scale=0.3)
    x[x == 0] = 1 / 64
    decided = net.scores(x).argmax(1)
    shares = np.array([net.explain(row, k) for row, k in zip(x, decided)])
    weights = np.round(rng.normal(size=FEATURES), 3)
    # OpenXAI turns the coefficients of a linear model round for the other decision.
    truth = (decided * 2 - 1)[:, None] * weights
    first = np.array([net.explain(row, 0) for row in x])
    stable = {name: [stability(net, row, offsets, of) for row in x]
              for name, of in (("input", lambda v: v), ("representation", net.hidden), ("output", net.scores))}
    means, errors = zip(*(gaps(net, row, s, rng) for row, s in zip(x, first)))
    body = {
        "about": record.about("openxai_cases.py", ["numpy", "scipy", "captum", "torch"],
                              {"sd": SD, "k": 2, "area": [1, 3]}, record.SEED, TOLERANCE,
                              note="OpenXAI's definitions, written out in numpy; its PGI and PGU look at output 0."),
        "network": {"first": net.first, "shift": net.shift, "second": net.second, "offset": net.offset},
        "rows": x, "offsets": offsets, "decided": decided, "values": shares, "truth": truth,
        "agreement": [[agreement(s, t, k) for s, t in zip(shares, truth)] for k in range(1, FEATURES + 1)],
        "rank_correlation": [pearsonr(places(s), places(t))[0] for s, t in zip(shares, truth)],
        "pairwise_rank_agreement": [pairwise(s, t) for s, t in zip(shares, truth)],
        "stability": {name: [value for value, _ in found] for name, found in stable.items()},
        "neighbours": [n for _, n in stable["input"]],
        "values_of_first": first,
        "gaps": {"order": ["pgi", "pgi-area", "pgu", "pgu-area"], "means": means, "errors": errors},
        "captum_max_sensitivity": captum_sensitivity(net, x, offsets, decided),
    }
    record.write("evaluation", "openxai", body)
    print({k: body[k] for k in ("rank_correlation", "stability", "neighbours", "captum_max_sensitivity")})
    print(np.round(means, 4), np.round(errors, 6))


if __name__ == "__main__":
    sys.exit(main())
