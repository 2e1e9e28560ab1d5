"""Golden numbers of model files that old XGBoost versions wrote (run in an environment of requirements-old-*.txt)."""

import json

import numpy as np
import xgboost as xgb

import forest as fo
import record

SCRIPT = "xgboost_old_cases.py"
LIB = "xgboost-" + ".".join(xgb.__version__.split(".")[:2])


def main():
    xgb.set_config(verbosity=0)
    rng = np.random.default_rng(record.SEED)
    x = np.round(rng.normal(size=(200, 5)), 3)
    x[rng.random(x.shape) < 0.08] = np.nan
    z = np.nan_to_num(x)
    signal = 1.5 * z[:, 0] - z[:, 1] * z[:, 2] + (z[:, 3] > 0.3)
    label = (signal > 0.2).astype(float)
    rows = np.round(rng.normal(size=(16, 5)), 3)
    rows[1, 0] = rows[2, 3] = np.nan
    codes = np.c_[rng.integers(0, 12, 200), x[:, 0], x[:, 1]].astype(float)
    code_rows = np.c_[rng.integers(0, 14, 16), rows[:, 1], rows[:, 2]].astype(float)
    code_rows[0, 0] = np.nan
    kinds = [
        ("regression", {"objective": "reg:squarederror"}, x, signal, rows, None),
        ("regression_base_score", {"objective": "reg:squarederror", "base_score": 10.0}, x, signal, rows, None),
        ("binary", {"objective": "binary:logistic"}, x, label, rows, None),
        ("logitraw", {"objective": "binary:logitraw", "base_score": 0.7}, x, label, rows, None),
        ("multiclass", {"objective": "multi:softprob", "num_class": 3}, x, np.digitize(signal, [-1, 1]), rows, None),
        ("poisson", {"objective": "count:poisson"}, x, np.floor(np.exp(signal / 2)), rows, None),
        ("gamma", {"objective": "reg:gamma", "base_score": 2.0}, x, np.exp(signal / 2), rows, None),
        ("dart", {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.4, "one_drop": 1}, x, signal, rows, None),
        ("categorical", {"objective": "reg:squarederror", "max_cat_to_onehot": 4}, codes,
         np.nan_to_num(codes[:, 0]) % 3 + np.nan_to_num(x[:, 0]), code_rows, ["c", "q", "q"]),
    ]
    for name, params, a, y, test, types in kinds:
        params = {"max_depth": 3, "eta": 0.3, "seed": record.SEED, "nthread": 1, "tree_method": "hist", **params}
        def matrix(v, **kw):
            return xgb.DMatrix(v, feature_types=types, enable_categorical=types is not None, **kw)
        b = xgb.train(params, matrix(a, label=y), 6)
        file = record.path(LIB, name + ".model.json")
        b.save_model(file)
        if name in ("regression", "dart"):
            b.save_model(file.replace(".json", ".ubj"))
        b = xgb.Booster({"nthread": 1}, model_file=file)
        with open(file, encoding="utf-8") as f:
            model = json.load(f)
        f = fo.read_xgboost(model)
        d = matrix(test)
        margins = record.columns(b.predict(d, output_margin=True))
        c = b.predict(d, pred_contribs=True)
        c = c[:, None, :] if c.ndim == 2 else c
        values = np.transpose(c[:, :, :-1], (0, 2, 1))
        base, phi = f.path_dependent(test)
        checks = {"margin, own reader in f64 against the library": record.gap(f.margins(test), margins),
                  "path_dependent against path_dependent_exact": record.gap(values, phi),
                  "base of path_dependent against exact": record.gap(c[0, :, -1], base)}
        tolerance = {"margin": 2e-6, "attribution": 5e-6, "exact": 1e-12, "relative_to": "max(1, largest |value| of the block)",
                     "why": "the library sums f32"}
        record.write(LIB, name, {
            "about": record.about(SCRIPT, ["xgboost", "numpy"], {**params, "rounds": 6}, record.SEED, tolerance, checks=checks),
            "model": name + ".model.json", "features": [f"f{i}" for i in range(a.shape[1])], "outputs": margins.shape[1],
            **({"feature_types": types} if types else {}),
            "rows": test, "margins": margins, "predictions": record.columns(b.predict(d)),
            "path_dependent": {"source": f"xgboost {xgb.__version__} pred_contribs", "base": c[0, :, -1], "values": values},
            "path_dependent_exact": {"source": "enumeration of coalitions in f64 (forest.py)", "base": base, "values": phi}})
        print(LIB, f"{name:24s}", model["learner"]["learner_model_param"]["base_score"], checks)


if __name__ == "__main__":
    main()
