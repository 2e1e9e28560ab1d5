"""Golden numbers of XGBoost models: margins, predictions, contributions, shap."""

import json
import sys
import warnings
import zlib

import numpy as np
import xgboost as xgb

import blocks
import forest as fo
import record

warnings.filterwarnings("ignore")
xgb.set_config(verbosity=0)
LIB, SCRIPT = "xgboost", "xgboost_cases.py"
TOLERANCE = {
    "margin": 2e-6,
    "attribution": 5e-6,
    "exact": 1e-12,
    "relative_to": "max(1, largest |value| of the block)",
    "why": "the library sums f32; blocks named *_exact, interventional, probability and log_loss are f64",
}


def data(rng, n, p, missing=0.08, digits=3):
    x = np.round(rng.normal(size=(n, p)), digits)
    x[rng.random(x.shape) < missing] = np.nan
    return x


def signal(x):
    z = np.nan_to_num(x)
    return 1.5 * z[:, 0] - z[:, 1] * z[:, 2] + np.where(z[:, 3] > 0.3, 1.0, -0.5) + 0.3 * z[:, -1]


def case(name, params, x, y, rounds, rows, *, features=None, feature_types=None, ubj=False, background=None,
         probability=False, log_loss=None, seed=record.SEED, weight=None, group=None, edit=None, train=None,
         interactions=False, exact=True, extra=None, contribs=True, dmatrix=None, keep_rows=None, tolerance=None,
         note=None, booster=None, path_interventional=True, best=None):
    params = {"seed": seed, "nthread": 1, "tree_method": "hist", **params}
    p = np.shape(x)[1]
    features = features or [f"x{i}" for i in range(p)]

    def matrix(a, **kw):
        if dmatrix:
            return dmatrix(a, **kw)
        return xgb.DMatrix(a, feature_names=features, feature_types=feature_types,
                           enable_categorical=feature_types is not None, **kw)

    if booster is None:
        d = matrix(x, label=y, weight=weight)
        if group is not None:
            d.set_group(group)
        booster = (train or xgb.train)(params, d, rounds)
    json_path = record.path(LIB, name + ".model.json")
    booster.save_model(json_path)
    with open(json_path, encoding="utf-8") as f:
        model = json.load(f)
    if edit:
        edit(model)
        with open(json_path, "w", encoding="utf-8") as f:
            json.dump(model, f, separators=(",", ":"))
        booster = xgb.Booster(model_file=json_path)
    if ubj:
        booster.save_model(record.path(LIB, name + ".model.ubj"))
    # what a reader of the file sees
    booster = xgb.Booster({"nthread": 1}, model_file=json_path)
    rows = np.asarray(rows, dtype=np.float64) if keep_rows is None else keep_rows
    codes = rows
    d = matrix(rows) if dmatrix is None else dmatrix(rows)
    margins = record.columns(booster.predict(d, output_margin=True))
    predictions = record.columns(booster.predict(d))
    f = fo.read_xgboost(model)
    tol = {**TOLERANCE, **(tolerance or {})}
    checks = {}
    checks["margin, own reader in f64 against the library"] = g = record.gap(f.margins(codes), margins)
    if not g <= tol["margin"]:
        print("  !! margin gap", name, g)
    body = {
        "about": record.about(SCRIPT, ["xgboost", "shap", "numpy"], {**params, "rounds": rounds}, seed, tol),
        "model": name + ".model.json", "features": features, "outputs": int(margins.shape[1]),
        "rows": codes, "margins": margins, "predictions": predictions,
    }
    if note:
        body["about"]["note"] = note
    if feature_types:
        body["feature_types"] = feature_types
    if contribs:
        c = booster.predict(d, pred_contribs=True)
        c = c[:, None, :] if c.ndim == 2 else c
        values = np.transpose(c[:, :, :-1], (0, 2, 1))
        body["path_dependent"] = {"source": f"xgboost {xgb.__version__} pred_contribs",
                                  "base": c[0, :, -1], "values": values}
    if exact:
        base, phi = f.path_dependent(codes)
        body["path_dependent_exact"] = {"source": "enumeration of coalitions in f64 (forest.py)", "base": base, "values": phi}
        if contribs:
            checks["path_dependent against path_dependent_exact"] = g = record.gap(values, phi)
            checks["base of path_dependent against exact"] = record.gap(c[0, :, -1], base)
            if not g <= tol["attribution"]:
                print("  !! contrib gap", name, g)
        margin = f.margins(codes)
        assert record.gap(phi.sum(1) + base, margin) < 1e-12, name
    if interactions:
        body["interactions_exact"] = {"source": "enumeration of coalitions in f64 (forest.py)",
                                      "form": "(sample, feature, feature, output); main effects on the diagonal, half of each pair on either side",
                                      "values": f.path_interactions(codes[:10]), "n_rows": 10}
        i = booster.predict(d, pred_interactions=True)
        i = i[:, None] if i.ndim == 3 else i
        i = np.transpose(i[:10, :, :-1, :-1], (0, 2, 3, 1))
        checks["xgboost pred_interactions against interactions_exact"] = record.gap(i, body["interactions_exact"]["values"])
    if background is not None:
        base, phi = f.interventional(codes, background)
        assert record.gap(phi.sum(1) + base, f.margins(codes)) < 1e-12, name
        blocks.compare(checks, "shap interventional against interventional", lambda: blocks.shap_values(booster, codes, background, "raw"), phi)
        body["interventional"] = {"source": "enumeration of coalitions in f64 (forest.py), compared with shap in about.checks",
                                  "background": background, "base": base, "values": phi}
        if probability:
            blocks.transformed(body, checks, "probability", f, booster, codes, background, lambda m, i: blocks.sigmoid(m), None)
        if log_loss is not None:
            loss = blocks.log_loss if "logistic" in params["objective"] else blocks.squared_error
            blocks.transformed(body, checks, "log_loss", f, booster, codes, background, lambda m, i: loss(m, log_loss[i]), log_loss)
    if extra:
        body.update(extra(booster, f, codes))
    body["about"]["checks"] = checks
    body["about"]["trees"] = {"n": len(f.trees), "deepest": max((t.depth() for t in f.trees), default=0)}
    record.write(LIB, name, body)
    print(f"{name:32s}", len(f.trees), "trees", {k: v for k, v in checks.items()})
    return booster, model


def main(only):
    rng = np.random.default_rng(record.SEED)
    cases = {}

    def add(fn):
        cases[fn.__name__] = fn
        return fn

    x = data(rng, 300, 6)
    y = signal(x) + 0.1 * rng.normal(size=300)
    test = data(rng, 24, 6)
    test[3] = np.nan
    back = data(rng, 12, 6)
    label = (signal(x) + 0.5 * rng.normal(size=300) > 0).astype(float)
    own = {}

    def draw():
        """A generator of the running case's own, so that a case does not depend on the ones before it."""
        return own["rng"]

    depth3 = {"max_depth": 3, "eta": 0.3}

    @add
    def regression_nan():
        case("regression_nan", {"objective": "reg:squarederror", **depth3}, x, y, 12, test, ubj=True, background=back, interactions=True,
             log_loss=np.round(signal(test), 2))

    @add
    def binary():
        case("binary", {"objective": "binary:logistic", **depth3}, x, label, 12, test, ubj=True, background=back,
             probability=True, log_loss=np.arange(len(test)) % 2.0, interactions=True)

    @add
    def multiclass():
        z = np.digitize(signal(x), [-1, 1])
        case("multiclass", {"objective": "multi:softprob", "num_class": 3, **depth3}, x, z, 6, test, ubj=True, background=back)

    @add
    def multiclass_softmax():
        z = np.digitize(signal(x), [-1, 1])
        case("multiclass_softmax", {"objective": "multi:softmax", "num_class": 3, "max_depth": 2}, x, z, 4, test[:12])

    @add
    def poisson():
        case("poisson", {"objective": "count:poisson", **depth3}, x, draw().poisson(np.exp(0.4 * signal(x))), 10, test)

    @add
    def gamma():
        case("gamma", {"objective": "reg:gamma", **depth3}, x, np.exp(0.4 * signal(x)) * draw().gamma(3, 1, 300), 10, test)

    @add
    def tweedie():
        z = draw().poisson(np.exp(0.3 * signal(x))) * draw().gamma(2, 1, 300)
        case("tweedie", {"objective": "reg:tweedie", "tweedie_variance_power": 1.4, **depth3}, x, z, 10, test)

    @add
    def ranking():
        z = np.digitize(signal(x), [-1, 0, 1])
        case("ranking_ndcg", {"objective": "rank:ndcg", **depth3}, x, z, 8, test[:16], group=[20] * 15)
        case("ranking_pairwise", {"objective": "rank:pairwise", **depth3}, x, z, 8, test[:16], group=[20] * 15)

    @add
    def dart():
        case("dart", {"booster": "dart", "objective": "reg:squarederror", "rate_drop": 0.4, "one_drop": 1, **depth3}, x, y, 12, test,
             ubj=True, background=back)
        case("dart_forest_normalised", {"objective": "binary:logistic", "rate_drop": 0.3, "normalize_type": "forest", **depth3},
             x, label, 8, test[:12], note="dropout parameters on the plain tree booster, as 3.4 wants it")

    @add
    def forest():
        case("forest", {"objective": "binary:logistic", "num_parallel_tree": 4, "subsample": 0.7, "colsample_bynode": 0.7, "max_depth": 3},
             x, label, 3, test, background=back)

    @add
    def categorical():
        r = np.random.default_rng(record.SEED + 1)
        n = 500
        a = r.integers(0, 3, n).astype(float)     # few levels: one-hot splits
        b = r.integers(0, 40, n).astype(float)    # many levels: partition splits
        a[r.random(n) < 0.1] = np.nan
        b[r.random(n) < 0.1] = np.nan
        c = np.round(r.normal(size=n), 3)
        d = np.round(r.normal(size=n), 3)
        effect = r.normal(size=40)
        z = np.where(a == 1, 1.5, 0) + effect[np.nan_to_num(b).astype(int)] + c * (a == 2) + 0.2 * d
        xx = np.c_[a, b, c, d]
        rows = np.c_[r.integers(0, 3, 30), r.integers(0, 40, 30), np.round(r.normal(size=(30, 2)), 3)].astype(float)
        rows[0, :2] = np.nan
        rows[1, 0] = np.nan
        rows[2, 1] = np.nan
        rows[3, 0] = 7            # never seen
        rows[4, 1] = 45           # never seen, inside the last word
        rows[5, 1] = 1000         # never seen, past every bit field
        rows[6, 1] = 16777215     # largest category that a f32 holds
        rows[7, 1] = 33
        bg = np.c_[r.integers(0, 3, 10), r.integers(0, 40, 10), np.round(r.normal(size=(10, 2)), 3)].astype(float)
        bg[0, 1] = np.nan
        names, types = ["colour", "shop", "size", "price"], ["c", "c", "q", "q"]
        p = {"objective": "reg:squarederror", "max_depth": 4, "max_cat_to_onehot": 5}
        booster, _ = case("categorical", p, xx, z, 10, rows, features=names, feature_types=types, ubj=True, background=bg)
        odd = rows[8:20].copy()
        odd[0, 0], odd[1, 1] = 1.7, 5.9           # fractions: truncated
        odd[2, 0], odd[3, 1] = -1.0, -3.0         # negative
        odd[4, 1] = 16777216.0
        odd[5, 1] = 1e9
        odd[6, 0], odd[7, 0] = -0.5, 0.999999
        for i in range(len(odd)):
            try:
                booster.predict(xgb.DMatrix(odd[i:i + 1], feature_names=names, feature_types=types, enable_categorical=True))
            except Exception as e:
                print("   odd", i, str(e).splitlines()[0][:150])
        case("categorical_odd_codes", p, xx, z, 10, odd, features=names, feature_types=types)
        case("categorical_onehot", {**p, "max_cat_to_onehot": 100}, xx, z, 10, rows, features=names, feature_types=types)

    @add
    def categorical_pandas():
        import pandas as pd
        r = np.random.default_rng(record.SEED + 2)
        cats = {"colour": ["blue", "green", "rød"], "grade": ["A", "B", "C", "D", "E", "F", "G"]}
        n = 300
        def frame(k):
            return pd.DataFrame({
                "colour": pd.Categorical([cats["colour"][i] for i in r.integers(0, 3, k)], categories=cats["colour"]),
                "grade": pd.Categorical([None if r.random() < 0.1 else cats["grade"][i] for i in r.integers(0, 7, k)], categories=cats["grade"]),
                "size": np.round(r.normal(size=k), 3)})
        t = frame(n)
        z = (t["colour"].cat.codes == 1) * 1.0 + t["grade"].cat.codes.isin([0, 3, 6]) * 2.0 + t["size"] * (t["colour"].cat.codes == 0)
        test_frame = frame(20)
        codes = np.c_[test_frame["colour"].cat.codes, test_frame["grade"].cat.codes, test_frame["size"]].astype(float)
        codes[codes == -1] = np.nan
        codes[:, 2] = test_frame["size"]
        booster = xgb.train({"objective": "reg:squarederror", "max_depth": 3, "nthread": 1, "max_cat_to_onehot": 4, "seed": record.SEED},
                            xgb.DMatrix(t, label=z, enable_categorical=True), 8)
        def d(rows, **kw):
            return xgb.DMatrix(test_frame, enable_categorical=True)
        case("categorical_pandas", {"objective": "reg:squarederror", "max_depth": 3, "max_cat_to_onehot": 4}, codes, z, 8, codes,
             features=["colour", "grade", "size"], dmatrix=d, booster=booster, ubj=True, seed=record.SEED,
             extra=lambda *_: {"categories": cats},
             note="rows hold the codes that pandas gives; null is a missing category")

    @add
    def multi_target():
        yy = np.c_[y, signal(-x), np.abs(y)]
        p = {"objective": "reg:squarederror", "max_depth": 3}
        case("multi_target", p, x, yy, 5, test[:16], background=back)
        case("vector_leaf", {**p, "multi_strategy": "multi_output_tree"}, x, yy, 6, test[:16], ubj=True, background=back)
        z = np.digitize(signal(x), [-1, 1])
        case("vector_leaf_multiclass", {"objective": "multi:softprob", "num_class": 3, "max_depth": 3, "multi_strategy": "multi_output_tree"},
             x, z, 5, test[:16])
        case("multi_label", {"objective": "binary:logistic", "max_depth": 2}, x, np.c_[label, 1 - label, y > 1].astype(float), 4, test[:12])

    @add
    def single_leaf():
        case("single_leaf", {"objective": "reg:squarederror", "gamma": 1e9, "max_depth": 3}, x, y, 4, test[:6], background=back[:3])
        case("single_leaf_poisson", {"objective": "count:poisson", "gamma": 1e9, "base_score": 0.25}, x, draw().poisson(2.0, 300), 3, test[:6])
        case("no_trees", {"objective": "binary:logistic", "base_score": 0.3}, x, label, 0, test[:3], contribs=False)

    @add
    def deep():
        r = np.random.default_rng(record.SEED + 3)
        xx = np.round(r.normal(size=(400, 8)), 3)
        # a ladder: each split peels off one end, so that depth 30 is reached
        z = np.exp(2.5 * xx[:, 0]) + xx[:, 1] * xx[:, 2]
        case("depth_30", {"objective": "reg:squarederror", "max_depth": 30, "min_child_weight": 0, "lambda": 0, "max_bin": 512}, xx, z, 2,
             np.round(r.normal(size=(12, 8)), 3))

    @add
    def wide():
        r = np.random.default_rng(record.SEED + 4)
        xx = np.round(r.normal(size=(200, 500)), 2)
        z = xx[:, 7] - xx[:, 123] * xx[:, 499] + 0.2 * xx[:, 300]
        case("features_500", {"objective": "reg:squarederror", "max_depth": 3}, xx, z, 10, np.round(r.normal(size=(6, 500)), 2))

    @add
    def base_scores():
        for name, p, target in [
            ("base_score_scalar", {"objective": "reg:squarederror", "base_score": 2.5}, y),
            ("base_score_logistic", {"objective": "binary:logistic", "base_score": 0.2}, label),
            ("base_score_gamma", {"objective": "reg:gamma", "base_score": 3.0}, np.exp(y / 3)),
            ("base_score_multiclass", {"objective": "multi:softprob", "num_class": 3, "base_score": 0.5}, np.digitize(y, [-1, 1])),
            ("reg_logistic", {"objective": "reg:logistic"}, blocks.sigmoid(y)),
        ]:
            case(name, {**p, "max_depth": 2}, x, target, 3, test[:8])

    @add
    def objectives():
        for name, p, target in [
            ("hinge", {"objective": "binary:hinge"}, label),
            ("logitraw", {"objective": "binary:logitraw"}, label),
            ("absolute_error", {"objective": "reg:absoluteerror"}, y),
            ("quantile", {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}, y),
            ("pseudo_huber", {"objective": "reg:pseudohubererror"}, y),
            ("squared_log_error", {"objective": "reg:squaredlogerror"}, np.exp(y / 3)),
            ("cox", {"objective": "survival:cox"}, np.where(draw().random(300) < 0.3, -1, 1) * np.exp(-y / 3)),
            ("expectile", {"objective": "reg:expectileerror", "expectile_alpha": [0.2, 0.8]}, y),
        ]:
            try:
                case(name, {**p, "max_depth": 3}, x, target, 5, test[:10])
            except Exception as e:
                print("  !!", name, str(e)[:200])

    @add
    def sklearn_face():
        names = ["with space", "brackets(x)", "ünï", "comma,name", "plain", "x=5"]
        m = xgb.XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1, random_state=record.SEED, feature_types=["q"] * 6)
        m.fit(np.nan_to_num(x), label)
        m.get_booster().feature_names = names
        m.get_booster().set_attr(scikit_learn='{"_estimator_type": "classifier"}')  # what XGBModel.save_model writes
        case("sklearn_face", {"objective": "binary:logistic", "max_depth": 2}, x, label, 5, test[:8], features=names, booster=m.get_booster(),
             note="saved through XGBClassifier: learner.attributes holds a scikit_learn entry, feature names are odd")

    @add
    def aft():
        def dm(a, **kw):
            d = xgb.DMatrix(a, feature_names=[f"x{i}" for i in range(6)])
            if len(a) == 300:
                t = np.exp(y / 3)
                d.set_float_info("label_lower_bound", t)
                d.set_float_info("label_upper_bound", np.where(np.arange(300) % 4 == 0, np.inf, t))
            return d
        case("aft", {"objective": "survival:aft", "aft_loss_distribution": "normal", "aft_loss_distribution_scale": 1.2, "max_depth": 2},
             x, y, 4, test[:8], dmatrix=dm)

    @add
    def zero_cover():
        def edit(model):
            for t in model["learner"]["gradient_booster"]["model"]["trees"][:3]:
                # the left child of the root and everything below it
                todo = [t["left_children"][0]]
                while todo:
                    node = todo.pop()
                    t["sum_hessian"][node] = 0.0
                    if t["left_children"][node] >= 0:
                        todo += [t["left_children"][node], t["right_children"][node]]
        case("zero_cover", {"objective": "reg:squarederror", "max_depth": 3}, x, y, 5, test[:16], edit=edit,
             note="sum_hessian set to 0 below the root's left child in the first 3 trees. Convention: a node of zero cover sends half to each child; "
                  "a child of zero cover below a positive node gets weight 0 (the library uses 1e-12)")
        r = np.random.default_rng(record.SEED + 5)
        xx = np.round(r.normal(size=(300, 4)), 3)
        case("zero_cover_saturated", {"objective": "binary:logistic", "max_depth": 4, "min_child_weight": 0, "lambda": 0, "eta": 5.0}, xx,
             (xx[:, 0] + xx[:, 1] > 0).astype(float), 8, np.round(r.normal(size=(12, 4)), 3),
             tolerance={"margin": 1e-5, "attribution": 1e-4}, note="hessians near 1e-16: logistic saturated")

    @add
    def histogram_cuts():
        r = np.random.default_rng(record.SEED + 6)
        xx = r.normal(size=(200, 5)) * [1, 10, 1e-3, 1e4, 1]
        xx[:, 4] = np.round(xx[:, 4], 1)
        z = np.sin(2 * xx[:, 0]) + xx[:, 1] / 10 + xx[:, 4] * 1e-4 * xx[:, 3]
        booster = xgb.train({"objective": "reg:squarederror", "max_depth": 4, "nthread": 1}, xgb.DMatrix(xx, z), 10)
        rows = [xx[i] for i in range(0, 200, 4)]
        t = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
        for k in range(14):
            node = t[k % 10]["left_children"][0] if k >= 10 else 0
            j, s = t[k % 10]["split_indices"][node], float(np.float32(t[k % 10]["split_conditions"][node]))
            near = [s, s + 1e-10, s - 1e-10, float(np.nextafter(np.float32(s), np.float32(-np.inf))),
                    s - 0.6 * (s - float(np.nextafter(np.float32(s), np.float32(-np.inf)))), np.nextafter(s, -np.inf)]
            for v in near:
                row = xx[(17 * k) % 200].copy()
                row[j] = v
                rows.append(row)
        # row data stay f64: 1e-10 beside a threshold is the same f32 as the threshold
        def misrouted(b, f, rows):
            f.cast = lambda r: np.asarray(r, dtype=np.float64)
            wrong = np.abs(f.margins(rows)[:, 0] - b.predict(xgb.DMatrix(rows, feature_names=[f"x{i}" for i in range(5)]))) > 1e-5
            return {"rows_misrouted_by_an_f64_comparison": np.flatnonzero(wrong)}
        case("histogram_cuts", {"objective": "reg:squarederror", "max_depth": 4}, xx, z, 10, np.array(rows), exact=False, contribs=False, extra=misrouted,
             note="f64 rows: 50 training rows, then 14 thresholds, each exactly, +-1e-10, one f32 step below, 0.6 f32 steps below, one f64 step below; "
                  "the library casts rows to f32 before it compares")

    @add
    def early_stopping():
        def train(params, d, rounds):
            v = xgb.DMatrix(data(np.random.default_rng(5), 80, 6), label=signal(data(np.random.default_rng(5), 80, 6)) + np.random.default_rng(6).normal(size=80), feature_names=[f"x{i}" for i in range(6)])
            b = xgb.train(params, d, rounds, evals=[(v, "v")], early_stopping_rounds=3, verbose_eval=False)
            print("   best_iteration", b.best_iteration, "of", b.num_boosted_rounds())
            return b
        def extra(b, f, rows):
            k = int(b.attr("best_iteration")) + 1
            d = xgb.DMatrix(rows, feature_names=[f"x{i}" for i in range(6)])
            return {"best_iteration": k - 1,
                    "margins_to_best_iteration": record.columns(b.predict(d, output_margin=True, iteration_range=(0, k)))}
        case("early_stopping", {"objective": "reg:squarederror", "max_depth": 2, "eta": 0.8}, x, y, 30, test[:12], train=train, extra=extra,
             note="Booster.predict uses every tree; XGBModel.predict (the scikit-learn face) uses trees up to best_iteration")

    @add
    def linear():
        params = {"booster": "gblinear", "objective": "reg:squarederror", "nthread": 1, "seed": record.SEED}
        z = np.nan_to_num(x)
        b = xgb.train(params, xgb.DMatrix(z, y), 5)
        b.save_model(record.path(LIB, "gblinear.model.json"))
        rows = np.nan_to_num(test[:6])
        b = xgb.Booster(model_file=record.path(LIB, "gblinear.model.json"))
        d = xgb.DMatrix(rows)
        record.write(LIB, "gblinear", {
            "about": record.about(SCRIPT, ["xgboost", "numpy"], {**params, "rounds": 5}, record.SEED, TOLERANCE,
                                  note="weights are (feature, output) row-major, then the bias per output; a loader of trees refuses this file"),
            "model": "gblinear.model.json", "features": [f"x{i}" for i in range(6)], "outputs": 1, "rows": rows,
            "margins": record.columns(b.predict(d, output_margin=True)), "predictions": record.columns(b.predict(d)),
            "contribs": {"source": "xgboost pred_contribs", "values": b.predict(d, pred_contribs=True)}})
        print("gblinear")

    for name, fn in cases.items():
        if not only or name in only:
            own["rng"] = np.random.default_rng([record.SEED, zlib.crc32(name.encode())])
            fn()


if __name__ == "__main__":
    main(sys.argv[1:])
