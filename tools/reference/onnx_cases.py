"""Golden numbers of scikit-learn ensembles converted to ONNX."""

import sys
import warnings
import zlib

import numpy as np
import onnx
import onnxruntime as ort
import sklearn.ensemble as ens
import sklearn.tree as tre
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType

import blocks
import forest as fo
import record

warnings.filterwarnings("ignore")
LIB, SCRIPT = "onnx", "onnx_cases.py"
TOLERANCE = {"margin": 2e-6, "attribution": 1e-12, "sklearn": 5e-6, "relative_to": "max(1, largest |value| of the block)",
             "why": "onnxruntime sums f32; attributions are enumerations in f64 of the file's f32 numbers; sklearn keeps f64 leaves"}


def patched_helper():
    """skl2onnx 1.20 hands numpy integers to onnx 1.23, which refuses them (HistGradientBoosting)."""
    plain = helper.make_attribute

    def make_attribute(key, value, *rest, **kw):
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], np.integer):
            value = [int(v) for v in value]
        if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.ndim == 1:
            value = [float(v) for v in value]
        return plain(key, value, *rest, **kw)

    helper.make_attribute = make_attribute


def run(proto, rows, kind):
    s = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    out = s.run(None, {s.get_inputs()[0].name: rows.astype(kind)})
    return np.asarray(out[-1], dtype=np.float64)


def case(name, model, x, y, rows, *, background=None, kind=np.float32, shap=True, note=None, proto=None):
    import shap as sh

    p = x.shape[1]
    kind_type = None if kind == np.float32 else [("X", DoubleTensorType([None, p]))]
    checks = {}
    versions = ["sklearn", "skl2onnx", "onnx", "onnxruntime", "shap", "numpy"]
    body = {"about": record.about(SCRIPT, versions, {}, record.SEED, TOLERANCE), "model": name + ".model.onnx", "features": [f"x{i}" for i in range(p)]}
    if proto is None:
        model.fit(x, y)
        body["about"]["params"] = {"class": type(model).__name__, **{k: v for k, v in model.get_params().items() if isinstance(v, (int, float, str, bool))}}
        options = {"zipmap": False} if hasattr(model, "classes_") else None
        proto = to_onnx(model, None if kind_type else x[:1].astype(np.float32), initial_types=kind_type, options=options,
                        target_opset=None if kind == np.float32 else {"": 18, "ai.onnx.ml": 3})
    if kind == np.float64:  # the operator's output is f32 by its schema, whatever the converter writes
        proto.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    del proto.metadata_props[:]
    onnx.save(proto, record.path(LIB, name + ".model.onnx"))
    f = fo.read_onnx(proto, x)
    node = next(n for n in proto.graph.node if n.op_type.startswith("TreeEnsemble"))
    transform = next((helper.get_attribute_value(a).decode() for a in node.attribute if a.name == "post_transform"), "NONE")
    runtime = record.columns(run(proto, rows, kind))
    margins = f.margins(rows)
    expected = {"NONE": lambda m: m, "LOGISTIC": blocks.sigmoid, "SOFTMAX": lambda m: np.exp(m - m.max(1, keepdims=True)) / np.exp(m - m.max(1, keepdims=True)).sum(1, keepdims=True)}[transform](margins)
    if expected.shape[1] == 1 and runtime.shape[1] == 2:
        expected = np.c_[1 - expected, expected]
    checks["own reader in f64, transformed, against onnxruntime"] = g = record.gap(expected, runtime)
    if not g <= TOLERANCE["margin"]:
        print("  !! onnxruntime gap", name, g)
    body |= {"outputs": margins.shape[1], "operator": node.op_type, "post_transform": transform, "rows": rows, "margins": margins, "predictions": runtime}
    body["about"]["margins"] = "own reader in f64: base_values + leaf weights, before post_transform; predictions are onnxruntime's. A binary classifier with one class id holds the score of the second label"
    if model is not None:
        own = record.columns(model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows))
        body["sklearn_predictions"] = own
        checks["onnxruntime against sklearn"] = record.gap(runtime, own)
    body["train_rows"] = x
    base, phi = f.path_dependent(rows)
    assert record.gap(phi.sum(1) + base, margins) < 1e-12
    body["path_dependent"] = {"source": blocks.ENUMERATED + " with covers counted by routing train_rows", "base": base, "values": phi}

    def shap_path():
        v = np.asarray(sh.TreeExplainer(model).shap_values(rows, check_additivity=False))
        v = v[:, :, None] if v.ndim == 2 else v
        return v[:, :, 1:] if v.shape[2] == 2 and phi.shape[2] == 1 else v

    def shap_back():
        v = blocks.shap_values(model, rows, background, "raw")
        return v[:, :, 1:] if v.shape[2] == 2 and body["outputs"] == 1 else v

    if shap:
        blocks.compare(checks, "shap path-dependent (its own covers) against path_dependent", shap_path, phi)
        wrong = [k for k in checks if k.endswith("(shap is wrong here)")]
        for k in wrong:
            checks[k.replace("(shap is wrong here)", "(covers differ: bootstrap)" if getattr(model, "bootstrap", False) else "(shap differs)")] = checks.pop(k)
    if background is not None:
        base, phi = f.interventional(rows, background)
        body["interventional"] = {"source": blocks.ENUMERATED + ", compared with shap in about.checks", "background": background, "base": base, "values": phi}
        if shap:
            blocks.compare(checks, "shap interventional against interventional", shap_back, phi)
    if note:
        body["about"]["note"] = note
    body["about"]["checks"] = checks
    body["about"]["trees"] = {"n": len(f.trees), "deepest": max(t.depth() for t in f.trees)}
    record.write(LIB, name, body)
    print(f"{name:34s}", len(f.trees), "trees", checks)


def by_hand(x, rows):
    """Every comparison mode, hit rates, missing_value_tracks_true, two targets, AVERAGE."""
    modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
    cols = {k: [] for k in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing", "hitrates")}
    tt, tn, ti, tw = [], [], [], []

    def node(t, n, f, v, m, yes, no, miss):
        for k, val in zip(cols, (t, n, f, v, m, yes, no, miss, 1.0)):
            cols[k].append(val)

    for t, m in enumerate(modes):
        node(t, 0, t % 3, 0.5, m, 1, 2, t % 2)
        node(t, 1, (t + 1) % 3, 0.0, modes[(t + 2) % 6], 3, 4, (t + 1) % 2)
        for n in (2, 3, 4):
            node(t, n, 0, 0.0, "LEAF", 0, 0, 0)
            for i in range(2):
                tt.append(t), tn.append(n), ti.append(i), tw.append(float((t + 1) * (n - 2.5) * (1 - 2.25 * i)))
    n = helper.make_node("TreeEnsembleRegressor", ["X"], ["Y"], domain="ai.onnx.ml", n_targets=2, aggregate_function="AVERAGE", post_transform="NONE",
                         base_values=[0.25, -1.5], nodes_missing_value_tracks_true=cols["missing"],
                         **{"nodes_" + k: v for k, v in cols.items() if k != "missing"},
                         target_treeids=tt, target_nodeids=tn, target_ids=ti, target_weights=tw)
    g = helper.make_graph([n], "by_hand", [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 3])],
                          [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 2])])
    proto = helper.make_model(g, opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8)
    case("modes_by_hand", None, x, None, rows, shap=False, proto=proto, background=rows[:6],
         note="written by hand: every branch mode, missing_value_tracks_true, AVERAGE (base_values are added after the average), two targets")


def main(only):
    patched_helper()
    rng = np.random.default_rng(record.SEED)
    x = np.round(rng.normal(size=(120, 5)), 3)
    y = 1.5 * x[:, 0] - x[:, 1] * x[:, 2] + (x[:, 3] > 0.3)
    test = np.round(rng.normal(size=(16, 5)), 3)
    test[8:] = x[:8]
    back = np.round(rng.normal(size=(8, 5)), 3)
    label, three = (y > 0.3).astype(int), np.digitize(y, [-1, 1])
    names = np.array(["no", "yes"])[label]
    holes, test_holes = x.copy(), test.copy()
    holes[rng.random(x.shape) < 0.1] = np.nan
    test_holes[rng.random(test.shape) < 0.15] = np.nan
    seed = {"random_state": 7}
    small = {"n_estimators": 8, "max_depth": 3, **seed}
    kw = dict(background=back)
    cases = {
        "random_forest_binary": lambda n: case(n, ens.RandomForestClassifier(**small), x, label, test, **kw),
        "random_forest_binary_names": lambda n: case(n, ens.RandomForestClassifier(**small), x, names, test[:6]),
        "random_forest_multiclass": lambda n: case(n, ens.RandomForestClassifier(**small), x, three, test, **kw),
        "random_forest_regression": lambda n: case(n, ens.RandomForestRegressor(**small), x, y, test, **kw),
        "random_forest_two_targets": lambda n: case(n, ens.RandomForestRegressor(**small), x, np.c_[y, -2 * y * y], test[:8]),
        "random_forest_double": lambda n: case(n, ens.RandomForestRegressor(**small), x, y, test[:8], kind=np.float64, note="double input: *_as_tensor attributes, ai.onnx.ml 3"),
        "extra_trees_regression": lambda n: case(n, ens.ExtraTreesRegressor(bootstrap=False, **small), x, y, test, **kw),
        "extra_trees_binary": lambda n: case(n, ens.ExtraTreesClassifier(bootstrap=False, **small), x, label, test, **kw),
        "gradient_boosting_binary": lambda n: case(n, ens.GradientBoostingClassifier(**small), x, label, test, **kw),
        "gradient_boosting_multiclass": lambda n: case(n, ens.GradientBoostingClassifier(n_estimators=4, max_depth=2, **seed), x, three, test),
        "gradient_boosting_regression": lambda n: case(n, ens.GradientBoostingRegressor(**small), x, y, test, **kw),
        "decision_tree_binary": lambda n: case(n, tre.DecisionTreeClassifier(max_depth=4, **seed), x, label, test, **kw),
        "decision_tree_multiclass": lambda n: case(n, tre.DecisionTreeClassifier(max_depth=4, **seed), x, three, test),
        "decision_tree_regression": lambda n: case(n, tre.DecisionTreeRegressor(**seed), x, y, test, **kw),
        "decision_tree_missing": lambda n: case(n, tre.DecisionTreeRegressor(max_depth=4, **seed), holes, y, test_holes, background=test_holes[:6], note="skl2onnx 1.20 drops the missing_go_to_left of plain trees: the file sends NaN right everywhere and differs from sklearn; the numbers are the file's"),
        "hist_gradient_boosting_regression": lambda n: case(n, ens.HistGradientBoostingRegressor(max_iter=8, max_depth=3, **seed), holes, y, test_holes, background=test_holes[:6]),
        "hist_gradient_boosting_binary": lambda n: case(n, ens.HistGradientBoostingClassifier(max_iter=8, max_depth=3, **seed), holes, label, test_holes, background=test_holes[:6]),
        "hist_gradient_boosting_multiclass": lambda n: case(n, ens.HistGradientBoostingClassifier(max_iter=4, max_depth=2, **seed), holes, three, test_holes[:8]),
        "modes_by_hand": lambda n: by_hand(np.round(rng.normal(size=(40, 3)) * 2) / 2, np.r_[np.round(rng.normal(size=(20, 3)) * 2) / 2, [[np.nan] * 3, [0.5, np.nan, 0.0]]]),
    }
    for name, fn in cases.items():
        rng = np.random.default_rng([record.SEED, zlib.crc32(name.encode())])
        if not only or name in only:
            try:
                fn(name)
            except Exception as e:
                print("  !!", name, type(e).__name__, str(e)[:300])


if __name__ == "__main__":
    main(sys.argv[1:])
