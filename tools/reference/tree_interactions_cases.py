"""Interactions of up to three features of recorded XGBoost models, by shapiq.

    python tree_interactions_cases.py

Reads the models and rows of golden/xgboost and writes golden/tree_interactions: for each model and index the values of
every set that shapiq lists, for the first rows. Sets that are not listed have the value 0.
"""

import json
import pathlib

import numpy as np
import shapiq
import xgboost

import record

SCRIPT = "tree_interactions_cases.py"
MODELS = ["regression_nan", "binary"]
N_ROWS, N_BACKGROUND = 4, 12
PATH_DEPENDENT = [("SII", 3), ("k-SII", 3), ("BII", 3), ("Moebius", 3), ("BV", 1)]
INTERVENTIONAL = [("SII", 3), ("STII", 3), ("FSII", 2), ("FBII", 2), ("BII", 3)]
TOLERANCE = {"interaction": 1e-6, "why": "shapiq reads covers and leaves as XGBoost prints them, to some seven digits"}


def explain(model, rows, index, order, **mode):
    explainer = shapiq.TreeExplainer(model=model, index=index, max_order=order, min_order=1, **mode)
    found = []
    for row in rows:
        values = explainer.explain(row)
        terms = {t: float(v) for t, v in values.dict_values.items() if len(t) > 0}
        found.append([[list(map(int, t)), terms[t]] for t in sorted(terms, key=lambda t: (len(t), t))])
    return {"index": index, "order": order, "values": found}


for name in MODELS:
    case = json.loads((pathlib.Path(record.GOLDEN) / "xgboost" / f"{name}.json").read_text())
    model = xgboost.Booster()
    model.load_model(pathlib.Path(record.GOLDEN) / "xgboost" / case["model"])
    table = np.array([[np.nan if cell is None else cell for cell in row] for row in case["rows"]], dtype=float)
    rows, background = table[:N_ROWS], table[-N_BACKGROUND:]
    params = {"rows": N_ROWS, "background": N_BACKGROUND}
    record.write("tree_interactions", name, {
        "about": record.about(SCRIPT, ["shapiq", "xgboost", "numpy"], params, record.SEED, TOLERANCE),
        "model": f"xgboost/{case['model']}",
        "rows": rows,
        "background": background,
        "path_dependent": [explain(model, rows, index, order) for index, order in PATH_DEPENDENT],
        "interventional": [
            explain(model, rows, index, order, mode="interventional", reference_dataset=background)
            for index, order in INTERVENTIONAL
        ],
    })
    print(name)
