"""Golden numbers of CatBoost JSON models."""

import json
import sys
import warnings
import zlib

import catboost as cb
import numpy as np

import blocks
import forest as fo
import record

warnings.filterwarnings("ignore")
LIB, SCRIPT = "catboost", "catboost_cases.py"
TOLERANCE = {"margin": 1e-13, "attribution": 1e-12, "exact": 1e-12, "relative_to": "max(1, largest |value| of the block)",
             "why": "f64 sums; borders and rows are compared in f32"}


def data(rng, n, p, missing=0.08, digits=3):
    x = np.round(rng.normal(size=(n, p)), digits)
    x[rng.random(x.shape) < missing] = np.nan
    return x


def signal(x):
    z = np.nan_to_num(x)
    return 1.5 * z[:, 0] - z[:, 1] * z[:, 2] + np.where(z[:, 3] > 0.3, 1.0, -0.5) + 0.3 * z[:, -1]


def case(name, params, x, y, rows, *, features=None, categories=None, background=None, link=None, labels=None, loss=None, note=None,
         contribs=True, edit=None, weight=None, read=True, tolerance=None, shap=True):
    """categories: {column: [names]}; x and rows hold codes there."""
    params = {"iterations": 8, "depth": 3, "learning_rate": 0.3, "random_seed": record.SEED, "thread_count": 1, "verbose": 0,
              "allow_writing_files": False, **params}
    p = x.shape[1]
    features = features or [f"x{i}" for i in range(p)]
    tol = {**TOLERANCE, **(tolerance or {})}

    def pool(a, label=None, weight=None):
        if not categories:
            return cb.Pool(a, label, feature_names=features, weight=weight)
        o = a.astype(object)
        for j, names in categories.items():
            o[:, j] = [names[int(v)] for v in a[:, j]]
        return cb.Pool(o, label, feature_names=features, cat_features=list(categories), weight=weight)

    model = cb.CatBoost(params).fit(pool(x, y, weight))
    if edit:
        edit(model)
    file = record.path(LIB, name + ".model.json")
    model.save_model(file, format="json")
    with open(file, encoding="utf-8") as f:
        book = json.load(f)
    for key in ("train_finish_time", "model_guid", "catboost_version_info"):
        book["model_info"][key] = ""
    with open(file, "w", encoding="utf-8") as f:
        json.dump(book, f, separators=(",", ":"))
    loss_name = params["loss_function"]
    face = cb.CatBoostClassifier if loss_name in ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll") else cb.CatBoostRegressor
    bare = cb.CatBoost().load_model(file, format="json")
    model = face().load_model(file, format="json")
    margins = record.columns(bare.predict(pool(rows), prediction_type="RawFormulaVal"))
    kind = {"Logloss": "Probability", "CrossEntropy": "Probability", "MultiClass": "Probability", "MultiClassOneVsAll": "Probability",
            "Poisson": "Exponent", "Tweedie": "Exponent"}.get(loss_name, "RawFormulaVal")
    predictions = record.columns(bare.predict(pool(rows), prediction_type=kind))
    checks = {}
    body = {"about": record.about(SCRIPT, ["catboost", "shap", "numpy"], params, record.SEED, tol), "model": name + ".model.json",
            "features": features, "outputs": margins.shape[1], "rows": rows, "margins": margins, "predictions": predictions,
            "prediction_type": kind}
    if note:
        body["about"]["note"] = note
    if categories:
        body["categories"] = {features[j]: v for j, v in categories.items()}
        body["category_hashes"] = {features[j]: [fo.catboost_hash(n) for n in v] for j, v in categories.items()}
    names = book["model_info"].get("class_params", {}).get("class_names")
    if names:
        body["class_names"] = names
    n_trees = len(book.get("oblivious_trees", book.get("trees")))
    if read:
        f = fo.read_catboost(book, categories)
        checks["margin, own reader in f64 against the library"] = g = record.gap(f.margins(rows), margins)
        if not g <= tol["margin"]:
            print("  !! margin gap", name)
        if not contribs:
            blocks.path_dependent(body, checks, f, rows)
        else:
            c = bare.get_feature_importance(pool(rows), type="ShapValues", shap_calc_type="Regular")
            c = c[:, None, :] if c.ndim == 2 else c
            library = (f"catboost {cb.__version__} ShapValues, shap_calc_type Regular", c[0, :, -1], np.transpose(c[:, :, :-1], (0, 2, 1)))
            blocks.path_dependent(body, checks, f, rows, library, tol["attribution"])
            other = fo.read_catboost(book, categories, root_is_last=False)
            checks["path_dependent with the first split at the root, against path_dependent_exact"] = record.gap(
                other.path_dependent(rows)[1], body["path_dependent_exact"]["values"])
        if background is not None:
            symmetric = "oblivious_trees" in book
            refused = None if symmetric and margins.shape[1] == 1 else "not run: shap crashes or garbles here"
            blocks.interventional(body, checks, f, model, rows, background, link, labels, loss, refused)
            def reference(**kw):
                c = bare.get_feature_importance(pool(rows, y[:len(rows)]), type="ShapValues", reference_data=pool(background, y[:len(background)]), **kw)
                c = c[:, None, :] if c.ndim == 2 else c
                return np.transpose(c[:, :, :-1], (0, 2, 1))
            if symmetric:
                blocks.compare(checks, "catboost reference_data against interventional", reference, body["interventional"]["values"])
            if link is not None:
                blocks.compare(checks, "catboost reference_data, Probability, against probability",
                               lambda: reference(model_output="Probability"), body["probability"]["values"])
    body["about"]["checks"] = checks
    body["about"]["trees"] = n_trees
    record.write(LIB, name, body)
    print(f"{name:24s}", n_trees, "trees", checks)


def main(only):
    rng = np.random.default_rng(record.SEED)
    x = data(rng, 300, 6)
    y = signal(x) + 0.1 * rng.normal(size=300)
    test = data(rng, 20, 6)
    test[3] = np.nan
    back = data(rng, 12, 6)
    label = (signal(x) + 0.5 * rng.normal(size=300) > 0).astype(int)
    three = np.array(["low", "mid", "high"])[np.digitize(signal(x), [-1, 1])]
    half = np.arange(len(test)) % 2.0
    own = {}

    def draw():
        return own["rng"]

    def regression():
        case("regression_nan_min", {"loss_function": "RMSE", "nan_mode": "Min"}, x, y, test, background=back,
             note="nan_value_treatment AsFalse: NaN goes left, like the smallest value")
        case("regression_nan_max", {"loss_function": "RMSE", "nan_mode": "Max"}, x, y, test, background=back,
             note="nan_value_treatment AsTrue: NaN goes right")
        full = np.nan_to_num(x)
        case("no_missing_in_training", {"loss_function": "RMSE"}, full, y, test, note="nan_value_treatment AsIs: NaN compares false, so left")
        case("weighted", {"loss_function": "RMSE"}, x, y, test[:8], weight=np.round(draw().random(300) * 3, 2), note="leaf_weights are sums of row weights")
        case("deep", {"loss_function": "RMSE", "depth": 7, "iterations": 4}, x, y, test[:8], note="many leaves of weight 0")

    def binary():
        case("binary", {"loss_function": "Logloss"}, x, label, test, background=back, link=blocks.sigmoid, labels=half, loss=blocks.log_loss)
        case("binary_names", {"loss_function": "Logloss"}, x, np.where(label == 1, "yes", "no"), test[:6])
        case("cross_entropy", {"loss_function": "CrossEntropy", "iterations": 4}, x, blocks.sigmoid(y), test[:6])

    def multiclass():
        case("multiclass", {"loss_function": "MultiClass", "iterations": 6}, x, three, test, background=back)
        case("multiclass_one_vs_all", {"loss_function": "MultiClassOneVsAll", "iterations": 5}, x, three, test[:8])
        case("multi_rmse", {"loss_function": "MultiRMSE", "iterations": 5}, x, np.c_[y, -signal(-x)], test[:8])

    def counts():
        case("poisson", {"loss_function": "Poisson"}, x, draw().poisson(np.exp(0.4 * signal(x))), test)
        case("tweedie", {"loss_function": "Tweedie:variance_power=1.4"}, x, draw().poisson(np.exp(0.4 * signal(x))), test[:8])
        case("quantile", {"loss_function": "Quantile:alpha=0.8", "iterations": 5}, x, y, test[:8])

    def grow_policies():
        case("depthwise", {"loss_function": "RMSE", "grow_policy": "Depthwise"}, x, y, test, background=back)
        case("lossguide", {"loss_function": "Logloss", "grow_policy": "Lossguide", "max_leaves": 9, "depth": 8}, x, label, test, background=back)
        case("lossguide_multiclass", {"loss_function": "MultiClass", "grow_policy": "Lossguide", "max_leaves": 6, "iterations": 4}, x, three, test[:8])

    def categorical():
        r = draw()
        colours, cities = ["red", "blue", "green", "violet"], ["Paris", "Łódź", "São Paulo", "Reykjavik", "x"]
        codes = lambda n: np.c_[np.round(r.normal(size=n), 3), r.integers(0, 3, n), np.round(r.normal(size=n), 3), r.integers(0, 4, n)].astype(float)
        xx, rows, bg = codes(300), codes(16), codes(8)
        rows[0, 1], rows[1, 3] = 3, 4           # names never seen in training
        z = (xx[:, 1] == 1) * 2.0 + (xx[:, 3] == 2) * xx[:, 0] + 0.5 * xx[:, 2]
        kw = dict(features=["size", "colour", "price", "city"], categories={1: colours, 3: cities})
        case("one_hot", {"loss_function": "RMSE", "one_hot_max_size": 10}, xx, z, rows, background=bg, **kw,
             note="a float feature's index is not its column: flat_feature_index is")
        case("ctr", {"loss_function": "Logloss", "one_hot_max_size": 1, "iterations": 4, "max_ctr_complexity": 1}, xx, (z > 1).astype(int), rows, read=False, **kw,
             note="splits of type OnlineCtr: a loader of trees refuses this file by name")

    def scale():
        case("scale_and_bias", {"loss_function": "RMSE"}, x, y, test, edit=lambda m: m.set_scale_and_bias(2.5, -1.25), contribs=False, background=back,
             note="margin = scale * sum of leaves + bias; the library's own ShapValues refuse a scale")
        case("single_leaf", {"loss_function": "RMSE", "iterations": 2, "grow_policy": "Lossguide", "min_data_in_leaf": 100}, np.c_[np.arange(30.0), np.arange(30.0) % 4], (np.arange(30) > 14) * 1.0, np.zeros((3, 2)),
             contribs=False, note="the library's own ShapValues crash on this file")

    def boundaries():
        r = draw()
        xx = r.normal(size=(200, 5)) * [1, 10, 1e-3, 1e4, 1]
        xx[:, 4] = np.round(xx[:, 4], 1)
        z = np.sin(2 * xx[:, 0]) + xx[:, 1] / 10 + xx[:, 4] * 1e-4 * xx[:, 3]
        params = {"loss_function": "RMSE", "iterations": 8, "depth": 3}
        m = cb.CatBoost({**params, "learning_rate": 0.3, "random_seed": record.SEED, "thread_count": 1, "verbose": 0, "allow_writing_files": False}).fit(
            cb.Pool(xx, z, feature_names=[f"x{i}" for i in range(5)]))
        rows = [xx[i] for i in range(0, 200, 5)]
        seen = 0
        for j, borders in enumerate(m.get_borders().values()):
            for s in list(borders)[:3]:
                s = float(np.float32(s))
                down, up = (float(np.nextafter(np.float32(s), np.float32(d))) for d in (-np.inf, np.inf))
                for v in (s, s + 1e-10, s - 1e-10, down, up, s + 0.4 * (up - s), s + 0.6 * (up - s)):
                    row = xx[(17 * seen) % 200].copy()
                    row[j] = v
                    rows.append(row)
                seen += 1
        case("boundaries", params, xx, z, np.array(rows), contribs=False,
             note="40 training rows; then borders exactly, +-1e-10, one f32 step below and above, 0.4 and 0.6 f32 steps above")

    for fn in (regression, binary, multiclass, counts, grow_policies, categorical, scale, boundaries):
        if not only or fn.__name__ in only:
            own["rng"] = np.random.default_rng([record.SEED, zlib.crc32(fn.__name__.encode())])
            fn()


if __name__ == "__main__":
    main(sys.argv[1:])
