"""Shapley estimates of the peers on games whose exact values are known: the peers' half of `games.md`.

    env/bin/python benches/peers/games.py GAMES_FOLDER [--pairs] [--seeds 10] [--games NAMES] [--only NAMES] > peers.tsv
    env/bin/python benches/peers/games.py GAMES_FOLDER --means peers.tsv [MORE.tsv ...] > means.tsv

One line for each (family, game, evaluations a player, estimator, seed): the relative squared error
||phi^ - phi||^2 / ||phi||^2, with `--pairs` of the pairs of the Shapley interaction index (k-SII of order 2). Budgets
count every evaluation, the empty and the full coalition included. The closed forms are those of `benches/src/known.rs`.
`--means` makes one line of all seeds, with their number in place of the seed; `games --peers` reads both kinds.
"""

import argparse
import contextlib
import io
import math
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import shapiq
from shapiq import approximator as peers

warnings.filterwarnings("ignore")

# Processor seconds that one estimate may take; a peer that takes longer is not asked again for games of as many players
# and as many evaluations or more.
PATIENCE = 60


class TooLong(Exception):
    """An estimate took longer than `PATIENCE`."""


class Table:
    """A game given by the worth of all coalitions; player p is bit p of the row."""

    def __init__(self, family, name, values, n):
        self.family, self.name, self.n = family, name, n
        self.values = values
        self.place = 1 << np.arange(n)

    def __call__(self, coalitions):
        return self.values[np.atleast_2d(coalitions) @ self.place]

    def exact(self):
        n, rows = self.n, np.arange(1 << self.n)
        size = np.array([bin(r).count("1") for r in range(1 << n)])
        weight = np.array([math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)])
        out = np.zeros(n)
        for p in range(n):
            without = rows[(rows >> p & 1) == 0]
            out[p] = np.sum(weight[size[without]] * (self.values[without | 1 << p] - self.values[without]))
        return out

    def exact_pairs(self):
        n, rows, v = self.n, np.arange(1 << self.n), self.values
        size = np.array([bin(r).count("1") for r in range(1 << n)])
        weight = np.array([math.factorial(s) * math.factorial(n - s - 2) / math.factorial(n - 1) for s in range(n - 1)])
        out = np.zeros((n, n))
        for p in range(n):
            for q in range(p + 1, n):
                without = rows[((rows >> p | rows >> q) & 1) == 0]
                gain = v[without | 1 << p | 1 << q] - v[without | 1 << p] - v[without | 1 << q] + v[without]
                out[p, q] = np.sum(weight[size[without]] * gain)
        return out


class Products:
    """A sum of products of memberships; every member of a product gets an equal part of its coefficient."""

    def __init__(self, name, n, members, coefficients):
        self.family, self.name, self.n = f"{name}, {n} players", f"{name}-{n}", n
        self.members, self.coefficients = members, coefficients

    def __call__(self, coalitions):
        z = np.atleast_2d(coalitions).astype(float)
        return sum(c * z[:, m].prod(axis=1) for m, c in zip(self.members, self.coefficients))

    def exact(self):
        out = np.zeros(self.n)
        for m, c in zip(self.members, self.coefficients):
            out[m] += c / len(m)
        return out

    def exact_pairs(self):
        out = np.zeros((self.n, self.n))
        for m, c in zip(self.members, self.coefficients):
            for p in m:
                for q in m:
                    if p < q:
                        out[p, q] += c / (len(m) - 1)
        return out


def closed_forms():
    for n in (30, 100):
        alone = [[i] for i in range(n)]
        pairs = [[i, (i + 1) % n] for i in range(n)] + [[i, (i + 5) % n] for i in range(n)]
        triples = [[i, (i + 1) % n, (i + 3) % n] for i in range(n)] + [[i, (i + 4) % n, (i + 9) % n] for i in range(n)]
        yield Products("linear", n, alone, [math.sin(1 + i) for i in range(n)])
        yield Products("pairs", n, alone + pairs, [math.sin(1 + i) for i in range(3 * n)])
        yield Products("triples", n, triples, [math.sin(1 + i) for i in range(2 * n)])


def tables(folder):
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as data:
            n = int(data["n_players"])
            values = np.zeros(1 << n)
            values[data["coalitions"] @ (1 << np.arange(n))] = data["values"]
        yield Table(path.stem.split("-")[0], path.stem, values, n)


def by_shapiq(make):
    def run(game, budget, seed):
        values = make(game.n, seed).approximate(budget, game)
        out = np.zeros(game.n)
        for key, place in values.interaction_lookup.items():
            if len(key) == 1:
                out[key[0]] = values.values[place]
        return out

    return run


def pairs_by_shapiq(make):
    def run(game, budget, seed):
        values = make(game.n, seed).approximate(budget, game)
        out = np.zeros((game.n, game.n))
        for key, place in values.interaction_lookup.items():
            if len(key) == 2:
                out[key] = values.values[place]
        return out

    return run


def pair_estimators():
    two = {"max_order": 2, "index": "k-SII"}
    return {
        "shapiq PermutationSamplingSII": pairs_by_shapiq(lambda n, s: peers.PermutationSamplingSII(n, **two, random_state=s)),
        "shapiq SHAPIQ": pairs_by_shapiq(lambda n, s: peers.SHAPIQ(n, **two, random_state=s)),
        "shapiq SVARMIQ": pairs_by_shapiq(lambda n, s: peers.SVARMIQ(n, **two, random_state=s)),
        "shapiq KernelSHAPIQ": pairs_by_shapiq(lambda n, s: peers.KernelSHAPIQ(n, **two, pairing_trick=True, random_state=s)),
        "shapiq ProxySPEX": pairs_by_shapiq(lambda n, s: peers.ProxySPEX(n=n, **two, random_state=s)),
        "shapiq ProxySHAP": pairs_by_shapiq(lambda n, s: peers.ProxySHAP(n, **two, random_state=s)),
        "shapiq ProxySHAP, 5 folds": pairs_by_shapiq(
            lambda n, s: peers.ProxySHAP(n, **two, adjustment=True, k_folds=5, random_state=s)
        ),
    }


def shap_kernel(game, budget, seed):
    import shap

    np.random.seed(seed)
    f = lambda z: game(z > 0.5)
    explainer = shap.KernelExplainer(f, np.zeros((1, game.n)), silent=True)
    # Without `l1_reg` every value is estimated; with it, shap sets most to zero.
    return explainer.shap_values(np.ones((1, game.n)), nsamples=budget - 2, l1_reg=0, silent=True)[0]


def shap_permutation(game, budget, seed):
    import shap

    f = lambda z: game(z > 0.5)
    masker = shap.maskers.Independent(np.zeros((1, game.n)))
    explainer = shap.explainers.Permutation(f, masker, seed=seed)
    rounds = budget // (2 * game.n + 1)
    return explainer(np.ones((1, game.n)), max_evals=rounds * (2 * game.n + 1), silent=True).values[0]


def estimators():
    return {
        "shapiq PermutationSamplingSV": by_shapiq(lambda n, s: peers.PermutationSamplingSV(n, random_state=s)),
        "shapiq SVARM": by_shapiq(lambda n, s: peers.SVARM(n, "SV", random_state=s)),
        "shapiq KernelSHAP": by_shapiq(lambda n, s: peers.KernelSHAP(n, pairing_trick=True, random_state=s)),
        "shapiq LeverageSHAP": by_shapiq(lambda n, s: peers.LeverageSHAP(n, random_state=s)),
        "shapiq PolySHAP": by_shapiq(lambda n, s: peers.PolySHAP(n, random_state=s)),
        "shapiq OddSHAP": by_shapiq(lambda n, s: peers.OddSHAP(n, random_state=s)),
        "shapiq ProxySHAP": by_shapiq(lambda n, s: peers.ProxySHAP(n, max_order=1, index="SV", random_state=s)),
        "shapiq RegressionMSR": by_shapiq(lambda n, s: peers.RegressionMSR(n, "SV", random_state=s)),
        "shap KernelExplainer": shap_kernel,
        "shap PermutationExplainer": shap_permutation,
    }


class Bound:
    """A game with what peers ask of one: players, and a count of what was asked."""

    def __init__(self, game):
        self.inner, self.n, self.n_players, self.asked = game, game.n, game.n, 0

    def __call__(self, coalitions):
        coalitions = np.atleast_2d(coalitions)
        self.asked += len(coalitions)
        return self.inner(coalitions)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", default="", help="parts of names, with commas between")
    parser.add_argument("--games", default="", help="parts of names, with commas between")
    parser.add_argument("--factors", default="10,50,200", help="evaluations a player, with commas between")
    # The first two are not counted.
    parser.add_argument("--cell", type=float, default=60, help="processor seconds after which no further seed is begun")
    parser.add_argument("--pairs", action="store_true", help="Shapley interactions of pairs instead of values")
    parser.add_argument("--means", nargs="+", help="files of an earlier run to average, instead of running")
    arguments = parser.parse_args()
    if arguments.means:
        return means(arguments.means)
    games = [g for g in [*tables(arguments.folder), *closed_forms()] if any(part in g.name for part in arguments.games.split(","))]
    print("family\tgame\tfactor\testimator\tseed\terror\tasked\tseconds")
    signal.signal(signal.SIGPROF, too_long)
    late = {}  # the fewest evaluations of (estimator, players) that took too long
    for game in games:
        exact = game.exact_pairs() if arguments.pairs else game.exact()
        norm = float(np.sum(exact**2))
        if norm == 0.0:  # nothing to be relative to
            continue
        for factor in map(int, arguments.factors.split(",")):
            budget = factor * game.n
            if game.n < 20:
                budget = min(budget, 1 << game.n)
            for name, estimate in (pair_estimators() if arguments.pairs else estimators()).items():
                asked_for = any(part in name for part in arguments.only.split(","))
                if not asked_for or late.get((name, game.n), math.inf) <= budget:
                    continue
                spent = 0.0
                for seed in range(arguments.seeds):
                    counted, start, used = Bound(game), time.perf_counter(), time.process_time()
                    try:
                        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
                        with contextlib.redirect_stdout(io.StringIO()):
                            found = estimate(counted, budget, seed)
                    except TooLong:
                        print(f"{name} on {game.name} at {budget}: more than {PATIENCE} s", file=sys.stderr)
                        late[name, game.n] = budget
                        break
                    except Exception as error:  # a peer that fails has no number
                        print(f"{name} on {game.name} at {budget}: {error!r}", file=sys.stderr)
                        break
                    finally:
                        signal.setitimer(signal.ITIMER_PROF, 0)
                    wrong = float(np.sum((found - exact) ** 2)) / norm
                    seconds = time.perf_counter() - start
                    row = (game.family, game.name, factor, name, seed, f"{wrong:.6e}", counted.asked, f"{seconds:.4f}")
                    print(*row, sep="\t", flush=True)
                    spent += time.process_time() - used if seed > 1 else 0.0
                    if spent > arguments.cell:
                        break


def means(paths):
    cells = {}
    for path in paths:
        for line in Path(path).read_text().splitlines()[1:]:
            *key, _, error, asked, seconds = line.split("\t")
            cells.setdefault(tuple(key), []).append((float(error), int(asked), float(seconds)))
    print("family\tgame\tfactor\testimator\tseeds\terror\tasked\tseconds")
    for key, rows in cells.items():
        error, asked, seconds = zip(*rows)
        mean = (f"{np.mean(error):.4e}", max(asked), f"{np.mean(seconds):.3f}")
        print(*key, len(rows), *mean, sep="\t")


def too_long(*_):
    raise TooLong


if __name__ == "__main__":
    main()
