"""Replays of lime_tabular: the neighbourhood that lime drew, and every number it computed from it."""

import numpy as np
from lime.lime_tabular import LimeTabularExplainer

import record

SCRIPT = "lime_cases.py"
FORMULA = "score = 1 / (1 + exp(-(1.2*x0 - 0.8*x1*x2 + sin(2*x3) + 0.5*x4))); categorical cases add 0.9 when x5 == 2 and -0.7 when x6 == 0 inside the brackets"
FITS = [("none", 5), ("highest_weights", 3), ("forward_selection", 3), ("lasso_path", 3), ("lasso_path", 1), ("auto", 4), ("auto", 7), ("highest_weights", 10)]


def score(x):
    m = 1.2 * x[:, 0] - 0.8 * x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.5 * x[:, 4]
    if x.shape[1] > 5:
        m = m + 0.9 * (x[:, 5] == 2) - 0.7 * (x[:, 6] == 0)
    return 1 / (1 + np.exp(-m))


def case(name, train, instance, n, *, categorical=None, mode="classification", **kw):
    e = LimeTabularExplainer(train, mode=mode, categorical_features=categorical, random_state=record.SEED, **kw)
    seen = {}
    probability = lambda x: np.c_[1 - score(x), score(x)] if mode == "classification" else score(x)

    def predict(x):
        seen["inverse"] = x.copy()
        return probability(x)

    original = e.base.explain_instance_with_data

    def spy(data, labels, distances, label, *a, **k):
        seen.update(data=data.copy(), labels=labels.copy(), distances=distances.copy(), label=label)
        return original(data, labels, distances, label, *a, **k)

    e.base.explain_instance_with_data = spy
    exp = e.explain_instance(instance, predict, num_features=5, num_samples=n)
    fits = []
    for method, k in FITS:
        intercept, local, r2, pred = original(seen["data"], seen["labels"], seen["distances"], seen["label"], k, feature_selection=method)
        used = e.base.feature_selection(seen["data"], seen["labels"][:, seen["label"]], e.base.kernel_fn(seen["distances"]), k, method)
        fits.append({"feature_selection": method, "num_features": k, "selected": [int(i) for i in used], "intercept": intercept,
                     "local_exp": [[int(i), float(w)] for i, w in local], "score": r2, "local_pred": pred[0]})
    d = e.discretizer
    body = {
        "about": record.about(SCRIPT, ["sklearn", "numpy"], {k: v for k, v in kw.items() if v is not None} | {"mode": mode, "num_samples": n}, record.SEED,
                              {"distances": 1e-7, "weights": 1e-7, "fit": 1e-9, "discretizer": 1e-12,
                               "why": "pairwise_distances expands |a-b|^2 = a.a - 2a.b + b.b, good to 1e-8 near zero; use the stored distances to replay the fit"}),
        "formula": FORMULA,
        "arithmetic": "weight = sqrt(exp(-d^2 / width^2)), width = 0.75*sqrt(features); Ridge(alpha=1, intercept not penalised) on the selected columns of `interpretable`, row 0 is the instance; "
                      "score = weighted R2; local_pred = prediction at row 0; highest_weights: Ridge(alpha=0.01) on all columns, largest |coef*row0|; forward_selection: Ridge(alpha=0), "
                      "greedy on weighted R2; lasso_path: LARS-lasso on centred columns times sqrt(weight), last step with at most k nonzero; auto: forward_selection if k <= 6, else highest_weights",
        "train": train, "instance": instance, "categorical_features": categorical or [], "kernel_width": float(e.base.kernel_fn.keywords["kernel_width"]),
        "scaler": {"mean": e.scaler.mean_, "scale": e.scaler.scale_},
        "feature_values": {str(k): [float(x) for x in v] for k, v in e.feature_values.items()},
        "feature_frequencies": {str(k): list(v) for k, v in e.feature_frequencies.items()},
        "label": seen["label"], "explain_instance": {"local_exp": [[int(i), float(w)] for i, w in exp.local_exp[1]], "intercept": float(exp.intercept[1]),
                                                     "score": float(exp.score), "local_pred": float(np.ravel(exp.local_pred)[0])},
        "inverse": seen["inverse"], "interpretable": seen["data"], "scores": seen["labels"][:, seen["label"]], "distances": seen["distances"],
        "weights": e.base.kernel_fn(seen["distances"]), "fits": fits,
    }
    if d is not None:
        body["discretizer"] = {str(f): {"edges": np.array(d.maxs[f])[:-1], "means": d.means[f], "stds": d.stds[f], "mins": d.mins[f], "maxs": d.maxs[f],
                                        "names": d.names[f]} for f in d.to_discretize}
        body["discretized_instance"] = d.discretize(instance)
    record.write("lime", name, body)
    print(name, body["explain_instance"])


def main():
    rng = np.random.default_rng(record.SEED)
    train = np.round(rng.normal(size=(60, 5)) * [1, 2, 0.5, 1, 3] + [0, 1, 0, -1, 5], 3)
    train[:, 1] = np.round(train[:, 1])          # ties: fewer distinct edges
    mixed = np.c_[train, rng.integers(0, 4, 60), rng.integers(0, 2, 60)].astype(float)
    skewed = train.copy()
    skewed[:45, 4] = 0.0                          # three equal quartiles
    n = 100
    case("quartile", train, train[3], n)
    case("decile", train, train[4], n, discretizer="decile")
    case("entropy", train, train[5], n, discretizer="entropy", training_labels=(score(train) > 0.5).astype(int))
    case("skewed_quartile", skewed, skewed[2], n)
    case("continuous", train, train[6], n, discretize_continuous=False)
    case("continuous_around_instance", train, train[7], n, discretize_continuous=False, sample_around_instance=True)
    case("regression_quartile", train, train[8], n, mode="regression")
    case("categorical_quartile", mixed, mixed[9], n, categorical=[5, 6])
    case("categorical_continuous", mixed, mixed[10], n, categorical=[5, 6], discretize_continuous=False)
    case("kernel_width", train, train[11], n, kernel_width=0.5, discretize_continuous=False)


if __name__ == "__main__":
    main()
