"""Keep and remove of shap.benchmark on a small function: mask, resample and impute."""

import inspect
import warnings

import numpy as np
import shap
from shap.benchmark import measures
from sklearn.metrics import r2_score
from sklearn.utils import resample

import record

warnings.filterwarnings("ignore")
TOLERANCE = {"values": 1e-9, "why": "f64 on both sides"}
N, FEATURES = 12, 8


class Function:
    def predict(self, rows):
        return np.tanh(rows[:, 0] - rows[:, 1]) + rows[:, 2] * rows[:, 3] + 0.5 * rows[:, 4] - rows[:, 5] ** 2 / 4


def main():
    rng = np.random.default_rng(record.SEED)
    train = np.round(rng.normal(size=(30, FEATURES)), 3)
    train[:, 1] = np.round(0.6 * train[:, 0] + 0.8 * train[:, 1], 3)
    rows = np.round(rng.normal(size=(N, FEATURES)), 3)
    attributions = np.round(rng.normal(size=(N, FEATURES)), 4)
    model = Function()
    labels = np.round(model.predict(rows) + 0.3 * rng.normal(size=N), 3)
    counts = np.unique(np.round(FEATURES * (np.logspace(0, 1, 11, endpoint=True) - 1) / 9).astype(int))
    # The measures break ties by a random number below 1e-6; these shares have none so near.
    out = {}
    for keep in (True, False):
        for sign, signed in (("positive", 1), ("negative", -1), ("absolute", 0)):
            for absence in ("mask", "resample", "impute"):
                measure = getattr(measures, f"{'keep' if keep else 'remove'}_{absence}")
                a = np.abs(attributions) if signed == 0 else signed * attributions
                metric = r2_score if signed == 0 else lambda _, predicted: predicted.mean()
                curve = []
                for count in counts:
                    n = np.full(N, count) if signed == 0 else np.minimum(count, (a >= 0).sum(1))
                    curve.append(measure(n.astype(int), train, labels, rows, labels, a.copy(), None, metric, model, 0))
                out[f"{'keep' if keep else 'remove'}-{sign} {absence}"] = curve
    # The rows that it resamples, once for all: of the first N rows of the training data.
    drawn = resample(np.arange(N), n_samples=100, random_state=0)
    covariance = np.cov(train.T) + 1e-6 * np.eye(FEATURES)
    body = {"about": record.about("keep_remove_cases.py", ["shap", "scikit-learn", "numpy"],
                                  {"n_counts": 11}, record.SEED, TOLERANCE),
            "formula": inspect.getsource(Function.predict).split("return ")[1].strip(),
            "rows": rows, "attributions": attributions, "labels": labels, "counts": counts, "means": train.mean(0),
            "resampled": {"rows": train[:N], "times": np.bincount(drawn, minlength=N)},
            "covariance": covariance, "curves": out}
    record.write("evaluation", "keep_remove", body)
    print({k: np.round(v, 3).tolist() for k, v in out.items()})


if __name__ == "__main__":
    main()
