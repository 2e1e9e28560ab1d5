"""Golden numbers of LightGBM text models."""

import json
import sys
import warnings
import zlib

import lightgbm as lgb
import numpy as np

import blocks
import forest as fo
import record

warnings.filterwarnings("ignore")
LIB, SCRIPT = "lightgbm", "lightgbm_cases.py"
TOLERANCE = {"margin": 1e-13, "attribution": 1e-12, "exact": 1e-12, "relative_to": "max(1, largest |value| of the block)",
             "why": "f64 throughout; order of summation differs"}


def data(rng, n, p, missing=0.08, digits=3):
    x = np.round(rng.normal(size=(n, p)), digits)
    x[rng.random(x.shape) < missing] = np.nan
    return x


def signal(x):
    z = np.nan_to_num(x)
    return 1.5 * z[:, 0] - z[:, 1] * z[:, 2] + np.where(z[:, 3] > 0.3, 1.0, -0.5) + 0.3 * z[:, -1]


def case(name, params, x, y, rounds, rows, *, features=None, categorical="auto", group=None, background=None, link=None, labels=None,
         loss=None, linear=False, contribs=True, note=None, extra=None, shap=True, booster=None, dataset=None, weight=None, codes=None):
    params = {"verbose": -1, "num_threads": 1, "seed": record.SEED, "deterministic": True, "force_col_wise": True,
              "num_leaves": 8, "min_data_in_leaf": 5, **params}
    p = np.shape(x)[1]
    features = features or [f"x{i}" for i in range(p)]
    d = dataset or lgb.Dataset(x, y, feature_name=features, categorical_feature=categorical, group=group, weight=weight, params=params)
    booster = lgb.train(params, d, rounds)
    file = record.path(LIB, name + ".model.txt")
    booster.save_model(file)
    with open(file, encoding="utf-8") as f:
        text = f.read()
    booster = lgb.Booster(model_file=file)
    given = rows
    rows = np.asarray(rows if codes is None else codes, dtype=np.float64)
    margins = record.columns(booster.predict(given, raw_score=True))
    f = fo.read_lightgbm(text)
    share = margins.shape[1] / len(f.trees) if "average_output" in text else 1.0
    margins = margins * share
    own = fo.lgb_linear_margins(f, rows) if linear else f.margins(rows)
    checks = {"margin, own reader in f64 against the library": record.gap(own, margins)}
    if not checks["margin, own reader in f64 against the library"] <= TOLERANCE["margin"]:
        print("  !! margin gap", name)
    n_out = margins.shape[1]
    body = {"about": record.about(SCRIPT, ["lightgbm", "shap", "numpy"], {**params, "rounds": rounds}, record.SEED, TOLERANCE),
            "model": name + ".model.txt", "features": features, "outputs": n_out, "rows": rows, "margins": margins,
            "predictions": record.columns(booster.predict(given))}
    if note:
        body["about"]["note"] = note
    if contribs:
        c = np.asarray(booster.predict(given, pred_contrib=True)).reshape(len(rows), n_out, p + 1)
        c = c * share
        library = (f"lightgbm {lgb.__version__} pred_contrib" + (" divided by the number of iterations" if share != 1 else ""), c[0, :, -1], np.transpose(c[:, :, :-1], (0, 2, 1)))
        blocks.path_dependent(body, checks, f, rows, library, TOLERANCE["attribution"])
    if background is not None:
        blocks.interventional(body, checks, f, booster, rows, background, link, labels, loss)
    if extra:
        body.update(extra(booster, f, rows))
    body["about"]["checks"] = checks
    body["about"]["trees"] = {"n": len(f.trees), "deepest": max(t.depth() for t in f.trees)}
    record.write(LIB, name, body)
    print(f"{name:26s}", len(f.trees), "trees", checks)
    return booster, f


def main(only):
    rng = np.random.default_rng(record.SEED)
    x = data(rng, 300, 6)
    y = signal(x) + 0.1 * rng.normal(size=300)
    test = data(rng, 20, 6)
    test[3] = np.nan
    test[4] = 0.0
    back = data(rng, 12, 6)
    label = (signal(x) + 0.5 * rng.normal(size=300) > 0).astype(float)
    three = np.digitize(signal(x), [-1, 1])
    half = np.arange(len(test)) % 2.0
    own = {}

    def draw():
        return own["rng"]

    def regression_nan():
        case("regression_nan", {"objective": "regression"}, x, y, 12, test, background=back, labels=np.round(signal(test), 2), loss=blocks.squared_error)

    def binary():
        case("binary", {"objective": "binary"}, x, label, 12, test, background=back, link=blocks.sigmoid, labels=half, loss=blocks.log_loss)
        case("binary_sigmoid", {"objective": "binary", "sigmoid": 0.7}, x, label, 6, test, note="prediction = 1/(1+exp(-0.7 margin))")
        case("binary_unbalanced", {"objective": "binary", "is_unbalance": True, "boost_from_average": False}, x, (label * (signal(x) > 1)), 4, test[:8])

    def multiclass():
        case("multiclass", {"objective": "multiclass", "num_class": 3, "num_leaves": 5}, x, three, 6, test, background=back)
        case("multiclassova", {"objective": "multiclassova", "num_class": 3, "num_leaves": 5, "sigmoid": 1.3}, x, three, 5, test,
             note="prediction = 1/(1+exp(-1.3 margin)) each, not normalised")

    def counts():
        case("poisson", {"objective": "poisson"}, x, draw().poisson(np.exp(0.4 * signal(x))), 8, test)
        case("gamma", {"objective": "gamma"}, x, np.exp(0.4 * signal(x)) * draw().gamma(3, 1, 300), 8, test)
        case("tweedie", {"objective": "tweedie", "tweedie_variance_power": 1.3}, x,
             draw().poisson(np.exp(0.3 * signal(x))) * draw().gamma(2, 1, 300), 8, test)

    def lambdarank():
        case("lambdarank", {"objective": "lambdarank"}, x, np.digitize(signal(x), [-1, 0, 1]), 8, test, group=[20] * 15)

    def forest():
        def raw(b, f, rows):
            return {"raw_score_sum": record.columns(b.predict(rows, raw_score=True))}
        p = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, "feature_fraction": 0.8}
        case("rf", {"objective": "regression", **p}, x, y, 10, test, background=back,
             extra=raw,
             note="average_output: predict() averages over iterations, but raw_score and pred_contrib of the library are sums; "
                  "margins and path_dependent here are those divided by the number of iterations, raw_score_sum is the library's number")
        case("rf_multiclass", {"objective": "multiclass", "num_class": 3, "num_leaves": 4, **p}, x, three, 4, test[:8], extra=raw)

    def dart():
        case("dart", {"objective": "regression", "boosting": "dart", "drop_rate": 0.4, "skip_drop": 0.2}, x, y, 12, test, background=back,
             note="weights are folded into the leaves")
        case("goss", {"objective": "regression", "data_sample_strategy": "goss", "learning_rate": 0.5}, x, y, 6, test[:8],
             note="bagged: counts are those of the rows drawn")

    def categorical():
        n = 500
        r = draw()
        a = r.integers(0, 3, n).astype(float)
        b = r.integers(0, 70, n).astype(float)
        a[r.random(n) < 0.1] = np.nan
        b[r.random(n) < 0.1] = np.nan
        c = np.round(r.normal(size=(n, 2)), 3)
        effect = r.normal(size=70)
        z = np.where(a == 1, 1.5, 0) + effect[np.nan_to_num(b).astype(int)] + c[:, 0] * (a == 2) + 0.2 * c[:, 1]
        xx = np.c_[a, b, c]
        rows = np.c_[r.integers(0, 3, 30), r.integers(0, 70, 30), np.round(r.normal(size=(30, 2)), 3)].astype(float)
        rows[0, :2] = np.nan
        rows[1, 0] = np.nan
        rows[2, 1] = np.nan
        rows[3, 0], rows[4, 1], rows[5, 1] = 9, 80, 100000      # never seen
        rows[6, 1], rows[7, 0] = -1, -5                          # negative
        rows[8, 1], rows[9, 0], rows[10, 1] = -0.5, 1.9, 3e9     # fraction, past i32
        rows[11, 1] = 2147483647.0
        bg = np.c_[r.integers(0, 3, 10), r.integers(0, 70, 10), np.round(r.normal(size=(10, 2)), 3)].astype(float)
        bg[0, 1] = np.nan
        names = ["colour", "shop", "size", "price"]
        p = {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 1, "max_cat_to_onehot": 4}
        case("categorical", p, xx, z, 10, rows, features=names, categorical=[0, 1], background=bg)

    def categorical_pandas():
        import pandas as pd
        r = draw()
        cats = {"colour": ["blue", "green", "rød"], "grade": list("ABCDEFG")}
        def frame(k):
            return pd.DataFrame({
                "colour": pd.Categorical([cats["colour"][i] for i in r.integers(0, 3, k)], categories=cats["colour"]),
                "grade": pd.Categorical([None if r.random() < 0.1 else cats["grade"][i] for i in r.integers(0, 7, k)], categories=cats["grade"]),
                "size": np.round(r.normal(size=k), 3)})
        t, rows = frame(300), frame(20)
        z = (t["colour"].cat.codes == 1) * 1.0 + t["grade"].cat.codes.isin([0, 3, 6]) * 2.0 + t["size"] * (t["colour"].cat.codes == 0)
        codes = np.c_[rows["colour"].cat.codes, rows["grade"].cat.codes, rows["size"]].astype(float)
        codes[codes[:, 1] == -1, 1] = np.nan
        params = {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 1}
        case("categorical_pandas", params, t, z, 8, rows, features=["colour", "grade", "size"], codes=codes,
             dataset=lgb.Dataset(t, z, params={"verbose": -1, "min_data_in_leaf": 5, "min_data_per_group": 5}),
             extra=lambda *_: {"categories": cats}, note="rows hold the codes that pandas gives; the names are on the file's last line")

    def missing_kinds():
        zx = x.copy()
        zx[draw().random(zx.shape) < 0.3] = 0.0
        zy = signal(zx) + np.where(zx[:, 1] == 0, 1.0, 0.0)
        rows = test.copy()
        rows[draw().random(rows.shape) < 0.3] = 0.0
        tiny = [1e-36, -1e-36, 1e-35, -1e-35, fo.ZERO, -fo.ZERO, np.nextafter(fo.ZERO, 1), -np.nextafter(fo.ZERO, 1), 1e-34, -1e-34, 5e-324, -0.0]
        small = np.repeat(rows[:1], len(tiny) * 2, axis=0)
        for i, t in enumerate(tiny):
            small[2 * i, 1] = t
            small[2 * i + 1] = np.nan_to_num(small[2 * i + 1], nan=0.5)
            small[2 * i + 1, :4] = t
        rows = np.r_[rows, small]
        case("zero_as_missing", {"objective": "regression", "zero_as_missing": True}, zx, zy, 8, rows, background=rows[:8])
        case("use_missing_false", {"objective": "regression", "use_missing": False}, x, y, 8, test, background=back)
        full = np.nan_to_num(x)
        case("no_missing_in_training", {"objective": "regression"}, full, signal(full), 8, np.r_[test, small[:12]],
             note="missing type none: NaN is treated as 0")

    def linear_tree():
        case("linear_tree", {"objective": "regression", "linear_tree": True, "num_leaves": 5}, x, y, 6, test, linear=True, contribs=False,
             note="pred_contrib ignores the linear parts and does not sum to the margin; not recorded. First tree has constants only. A leaf with a NaN among its features gives leaf_value")

    def single_leaf():
        case("single_leaf", {"objective": "regression", "min_data_in_leaf": 1000}, x, y, 3, test[:5], background=back[:3])
        case("constant_target", {"objective": "regression"}, x, np.full(300, 2.5), 3, test[:5])
        case("single_leaf_binary", {"objective": "binary", "min_data_in_leaf": 1000}, x, label, 3, test[:5])

    def deep():
        r = draw()
        xx = np.round(r.normal(size=(500, 8)), 3)
        z = np.exp(2.5 * xx[:, 0]) + xx[:, 1] * xx[:, 2]
        case("depth_30", {"objective": "regression", "num_leaves": 160, "max_depth": 30, "min_data_in_leaf": 1, "min_data_in_bin": 1,
                          "min_sum_hessian_in_leaf": 0.0, "max_bin": 511}, xx, z, 2, np.round(r.normal(size=(10, 8)), 3))

    def wide():
        r = draw()
        xx = np.round(r.normal(size=(200, 500)), 2)
        z = xx[:, 7] - xx[:, 123] * xx[:, 499] + 0.2 * xx[:, 300]
        case("features_500", {"objective": "regression"}, xx, z, 10, np.round(r.normal(size=(5, 500)), 2))

    def histogram_cuts():
        r = draw()
        xx = r.normal(size=(200, 5)) * [1, 10, 1e-3, 1e4, 1]
        xx[:, 4] = np.round(xx[:, 4], 1)
        z = np.sin(2 * xx[:, 0]) + xx[:, 1] / 10 + xx[:, 4] * 1e-4 * xx[:, 3]
        params = {"objective": "regression", "num_leaves": 12, "min_data_in_bin": 1, "max_bin": 255}
        booster = lgb.train({**params, "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "seed": record.SEED, "deterministic": True, "force_col_wise": True},
                            lgb.Dataset(xx, z, params={"verbose": -1, "min_data_in_bin": 1}), 10)
        rows = [xx[i] for i in range(0, 200, 4)]
        _, trees = fo.lgb_blocks(booster.model_to_string())
        for k, t in enumerate(trees):
            for node in (0, 1):
                s, j = float(t["threshold"].split()[node]), int(t["split_feature"].split()[node])
                for v in (s, s + 1e-10, s - 1e-10, np.nextafter(s, np.inf), np.nextafter(s, -np.inf)):
                    row = xx[(17 * k) % 200].copy()
                    row[j] = v
                    rows.append(row)
        case("histogram_cuts", params, xx, z, 10, np.array(rows), contribs=False,
             note="50 training rows, then 20 thresholds each exactly, +-1e-10, one f64 step above and below")

    def objectives():
        for name, p, target in [
            ("reg_sqrt", {"objective": "regression", "reg_sqrt": True}, y),
            ("cross_entropy", {"objective": "cross_entropy"}, blocks.sigmoid(y)),
            ("cross_entropy_lambda", {"objective": "cross_entropy_lambda"}, blocks.sigmoid(y)),
            ("l1", {"objective": "regression_l1"}, y),
            ("huber", {"objective": "huber"}, y),
            ("fair", {"objective": "fair"}, y),
            ("quantile", {"objective": "quantile", "alpha": 0.8}, y),
            ("mape", {"objective": "mape"}, y),
            ("rank_xendcg", {"objective": "rank_xendcg"}, three),
        ]:
            case(name, p, x, target, 5, test[:10], group=[20] * 15 if name.startswith("rank") else None)

    for fn in (regression_nan, binary, multiclass, counts, lambdarank, forest, dart, categorical, categorical_pandas, missing_kinds,
               linear_tree, single_leaf, deep, wide, histogram_cuts, objectives):
        if not only or fn.__name__ in only:
            own["rng"] = np.random.default_rng([record.SEED, zlib.crc32(fn.__name__.encode())])
            fn()


if __name__ == "__main__":
    main(sys.argv[1:])
