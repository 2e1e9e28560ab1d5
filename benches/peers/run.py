"""Times this toolkit beside other libraries: same model, same rows, one thread each, in turns.

    python3.13 -m venv env && env/bin/pip install -r requirements.txt
    env/bin/python run.py                 # both sizes, prints the tables of ../README.md in Markdown
    env/bin/python run.py --size 100x6 --only tree-shap --rounds 9
    env/bin/python run.py --tiny          # seconds instead of minutes: does everything run?

The model is trained here, from a seed, and written as XGBoost JSON; rows and background as CSV. Our side is the program
`time` of xai-benches, which reads these files and reports how long the work took, without reading. Both sides do a task
once without a clock, then again and again for at least `--seconds`; that is one turn. The table holds the medians over
the turns. Where both sides compute the same thing, the sums of the absolute results must agree, or the script stops.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import functools
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import lime.lime_tabular
import numpy as np
import shap
import sklearn
import xgboost
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence

SEED = 20
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "time"
SIZES = {"100x6": (100, 6, 12), "500x8": (500, 8, 30), "tiny": (5, 3, 4)}
COALITIONS, POINTS, DRAWS = 2048, 20, 5000
AGREE = 2e-5
"""Other libraries sum leaves in f32; sums of absolute values then differ in the sixth digit."""


def table(n, features, seed):
    """Numbers as in census data: counts, amounts with a long tail, codes of categories, and plain numbers."""
    rng = np.random.default_rng(seed)
    kinds = [
        lambda: rng.integers(17, 90, n),
        lambda: rng.lognormal(10.0, 0.7, n),
        lambda: rng.integers(0, 9, n),
        lambda: rng.normal(size=n),
        lambda: np.where(rng.random(n) < 0.9, 0.0, rng.exponential(5000.0, n)),
        lambda: rng.integers(1, 99, n),
    ]
    return np.column_stack([kinds[j % len(kinds)]() for j in range(features)]).astype(np.float32)


def train(size):
    trees, depth, features = SIZES[size]
    n = 400 if size == "tiny" else 32_561
    rows = table(n, features, SEED)
    rng = np.random.default_rng(SEED + 1)
    z = (rows - rows.mean(0)) / rows.std(0)
    margin = z[:, 0] - z[:, 1] * z[:, 2] + np.sin(2.0 * z[:, 3]) + 0.5 * z[:, -1] * z[:, 0]
    labels = rng.random(n) < 1.0 / (1.0 + np.exp(-margin))
    names = [f"c{j}" for j in range(features)]
    parameters = dict(objective="binary:logistic", max_depth=depth, eta=0.1, tree_method="hist", nthread=1, seed=SEED)
    data = xgboost.DMatrix(rows, labels, feature_names=names, nthread=1)
    return xgboost.train(parameters, data, num_boost_round=trees), names


class Margins(RegressorMixin, BaseEstimator):
    """The booster's margins as scikit-learn wants to ask for them."""

    def __init__(self, booster=None):
        self.booster = booster
        self.fitted_ = True

    def fit(self, *_):
        return self

    def predict(self, rows):
        return self.booster.inplace_predict(rows, predict_type="margin")


class Case:
    """A model, its tables, and the work of each side."""

    def __init__(self, size, folder):
        self.size, self.folder = size, folder
        self.booster, self.names = train(size)
        self.booster.save_model(folder / "model.json")
        self.rows = table(10_000, len(self.names), SEED + 2)
        self.background = table(100, len(self.names), SEED + 3)
        self.training = table(2_000, len(self.names), SEED + 4)
        for name in ("rows", "background", "training"):
            header = ",".join(self.names)
            np.savetxt(folder / f"{name}.csv", getattr(self, name), "%.9g", ",", header=header, comments="")

    def ours(self, task, n, seconds):
        background = "training.csv" if task == "lime" else "background.csv"
        files = [str(self.folder / name) for name in ("model.json", "rows.csv", background)]
        command = [str(PROGRAM), task, *files, str(n), str(seconds)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def matrix(self, rows):
        return xgboost.DMatrix(rows, feature_names=self.names, nthread=1)

    def margins(self, rows):
        return self.booster.inplace_predict(np.asarray(rows, np.float32), predict_type="margin")

    def peer(self, task, n):
        """The work as a function without arguments: made outside the clock, called inside. A DMatrix may keep
        predictions, so every call gets a fresh one, made outside too."""
        rows = self.rows[:n]
        if task == "predict":
            return fresh(lambda: self.matrix(rows), lambda m: self.booster.predict(m, output_margin=True))
        if task == "tree-shap":
            return fresh(lambda: self.matrix(rows), lambda m: self.booster.predict(m, pred_contribs=True)[:, :-1])
        if task == "tree-shap-row":
            one_by_one = lambda all: [self.booster.predict(m, pred_contribs=True)[:, :-1] for m in all]
            return fresh(lambda: [self.matrix(rows[i : i + 1]) for i in range(n)], one_by_one)
        if task == "interventional-tree-shap":
            explainer = shap.TreeExplainer(
                self.booster, self.background, feature_perturbation="interventional", model_output="raw"
            )
            return fresh(lambda: None, lambda _: explainer.shap_values(rows, check_additivity=False))
        if task == "kernel-shap":
            explainer = shap.KernelExplainer(self.margins, self.background)
            explain = functools.partial(explainer.shap_values, nsamples=COALITIONS, l1_reg=False, silent=True)
            return fresh(lambda: None, lambda _: explain(rows))
        if task == "lime":
            explainer = lime.lime_tabular.LimeTabularExplainer(
                self.training, mode="regression", feature_names=self.names, random_state=SEED
            )
            one = lambda row: explainer.explain_instance(
                row, self.margins, num_features=len(self.names), num_samples=DRAWS
            ).local_exp[1]
            return fresh(lambda: None, lambda _: [[w for _, w in one(row)] for row in rows])
        if task == "partial-dependence":
            model = Margins(self.booster)
            ask = functools.partial(
                partial_dependence, features=[0], grid_resolution=POINTS, percentiles=(0.05, 0.95),
                method="brute", kind="average",
            )  # fmt: skip
            return fresh(lambda: None, lambda _: ask(model, rows)["average"])
        raise ValueError(task)


def fresh(make, work):
    """Pairs the part that is not timed with the part that is."""
    return make, work


def measure(make, work, seconds):
    sum_of = lambda result: float(sum(np.abs(np.asarray(part, np.float64)).sum() for part in result))
    total = sum_of(work(make()))
    spent = times = 0
    while times == 0 or spent < seconds:
        given = make()
        start = time.perf_counter()
        work(given)
        spent += time.perf_counter() - start
        times += 1
    return {"seconds": spent / times, "sum": total}


TASKS = [
    # (task, what, the peer, rows, whether both sides must give the same numbers)
    ("predict", "margins of {n} rows", "XGBoost `predict`", 10_000, True),
    ("tree-shap", "TreeSHAP, path-dependent, {n} rows at once", "XGBoost `pred_contribs`", 1_000, True),
    ("tree-shap-row", "the same, {n} rows one by one", "XGBoost `pred_contribs`", 50, True),
    ("interventional-tree-shap", "TreeSHAP against 100 rows, {n} rows", "shap `TreeExplainer`", 20, True),
    ("kernel-shap", "KernelSHAP, 2,048 coalitions × 100 rows, {n} rows", "shap `KernelExplainer`", 2, False),
    ("lime", "LIME, 5,000 draws, {n} rows", "lime `LimeTabularExplainer`", 5, False),
    ("partial-dependence", "partial dependence, 20 points, {n} rows", "scikit-learn `partial_dependence`", 2_000, True),
]


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def readable(seconds):
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1.0:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def line_of(case, task, what, peer, n, same, arguments):
    n = min(n, 3) if arguments.tiny else n
    make, work = case.peer(task, n)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(case.ours(task, n, arguments.seconds))
        theirs.append(measure(make, work, arguments.seconds))
    a, b = ours[0]["sum"], theirs[0]["sum"]
    if same and abs(a - b) > AGREE * max(abs(a), abs(b)):
        sys.exit(f"{task}: the results sum to {a} here and to {b} there: not the same work")
    a, b = (statistics.median(turn["seconds"] for turn in side) for side in (ours, theirs))
    rerun = f"`--size {case.size} --only {task}`"
    return f"| {what.format(n=f'{n:,}')} | {peer} | {readable(a)} | {readable(b)} | {b / a:.3g} | {rerun} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", action="append", choices=list(SIZES), help="both when not given")
    parser.add_argument("--only", action="append", choices=[task[0] for task in TASKS], help="all when not given")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side")
    parser.add_argument("--seconds", type=float, default=1.0, help="the least time of one turn")
    parser.add_argument("--tiny", action="store_true", help="a tiny model and few rows, to see that everything runs")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.size, arguments.rounds, arguments.seconds = ["tiny"], 1, 0.0
    warnings.filterwarnings("ignore")

    subprocess.run(["cargo", "build", "--release", "-p", "xai-benches", "--bin", "time"], check=True, cwd=ROOT)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    versions = f"xgboost {xgboost.__version__}, shap {shap.__version__}, lime 0.2.0.1, scikit-learn {sklearn.__version__}"
    print(f"{cpu()}, one thread; commit {commit.strip() or 'unknown'}; {versions}; Python {platform.python_version()}.")
    print(f"Medians of {arguments.rounds} turns of each side.\n")
    for size in arguments.size or ["100x6", "500x8"]:
        trees, depth, features = SIZES[size]
        print(f"### {trees} trees of depth {depth} at most, {features} features\n")
        print("| what | peer | ours | peer's | peer / ours | rerun: `run.py` |\n|---|---|--:|--:|--:|---|", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            case = Case(size, pathlib.Path(folder))
            for task in TASKS:
                if not arguments.only or task[0] in arguments.only:
                    print(line_of(case, *task, arguments), flush=True)
        print()


if __name__ == "__main__":
    main()
