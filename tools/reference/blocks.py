"""The parts of a golden tree file, each computed and compared with the library's and shap's numbers."""

import numpy as np

import record

ENUMERATED = "enumeration of coalitions in f64 (forest.py)"


def sigmoid(m):
    return 1.0 / (1.0 + np.exp(-m))


def shap_values(model, rows, background, output, labels=None):
    import shap

    e = shap.TreeExplainer(model, data=background, feature_perturbation="interventional", model_output=output)
    v = e.shap_values(rows, y=labels, check_additivity=False) if labels is not None else e.shap_values(rows, check_additivity=False)
    v = np.asarray(v)
    return v[:, :, None] if v.ndim == 2 else v


def compare(checks, key, got, want):
    try:
        value = got()
        if value.shape != want.shape:
            checks[key] = f"shap returns shape {value.shape}, not {want.shape}: wrong"
            return
        checks[key] = record.gap(value, want)
        if checks[key] > 1e-5:
            checks[key + " (shap is wrong here)"] = checks.pop(key)
    except Exception as error:  # shap refuses: the reason is worth keeping
        checks[key] = "refused: " + (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def path_dependent(body, checks, forest, rows, library=None, tolerance=1e-12):
    """library: (source, base, values (sample, feature, output)) or None."""
    base, phi = forest.path_dependent(rows)
    assert record.gap(phi.sum(1) + base, forest.margins(rows)) < 1e-12
    if library:
        source, lib_base, values = library
        checks["path_dependent against path_dependent_exact"] = g = max(record.gap(values, phi), record.gap(lib_base, base))
        body["path_dependent"] = {"source": source, "base": lib_base, "values": values}
        body["path_dependent_exact"] = {"source": ENUMERATED, "base": base, "values": phi}
        if not g <= tolerance:
            print("  !! path-dependent gap", g)
    else:
        body["path_dependent"] = {"source": ENUMERATED, "base": base, "values": phi}


def interventional(body, checks, forest, model, rows, background, link=None, labels=None, loss=None, refused=None):
    """Margins against a background; with `link` also the probability, with `loss` the loss of `labels`."""
    base, phi = forest.interventional(rows, background)
    assert record.gap(phi.sum(1) + base, forest.margins(rows)) < 1e-12
    if refused:
        checks["shap interventional against interventional"] = refused
    else:
        compare(checks, "shap interventional against interventional", lambda: shap_values(model, rows, background, "raw"), phi)
    body["interventional"] = {"source": ENUMERATED + ", compared with shap in about.checks", "background": background, "base": base, "values": phi}
    if link is not None:
        transformed(body, checks, "probability", forest, model, rows, background, lambda m, i: link(m), None)
    if loss is not None:
        transformed(body, checks, "log_loss", forest, model, rows, background, lambda m, i: loss(m, labels[i]), labels)


def transformed(body, checks, key, forest, model, rows, background, g, labels):
    base, phi = forest.rescaled(rows, background, g)
    body[key] = {"source": "shap's rescaling: mean over background rows of margin Shapley values times (g(f(x))-g(f(z)))/(f(x)-f(z)); "
                           "not the Shapley values of g(f)", "base": base, "values": phi}
    compare(checks, f"shap {key} against {key}", lambda: shap_values(model, rows, background, key, labels), phi)
    base, exact = forest.transformed(rows, background, g)
    body[key + "_exact"] = {"source": "enumeration of coalitions of g(f) in f64 (forest.py)",
                            "base": base if labels is not None else base[0], "values": exact}
    checks[f"{key} (rescaled) against {key}_exact"] = record.gap(phi, exact)
    if labels is not None:
        body[key]["labels"] = body[key + "_exact"]["labels"] = labels


def log_loss(m, y):
    return np.log1p(np.exp(-np.abs(m))) + np.maximum(m, 0) - y * m


def squared_error(m, y):
    return (y - m) ** 2
