"""Times FastTreeSHAP v2 on the files of `run.py`, one question a line: see `protocol.py`.

It lives in a Python of its own (3.9, `requirements-fasttreeshap.txt`) and knows no XGBoost younger than 2, so it gets the
trees as arrays. A row goes left when x <= threshold there, hence thresholds one single-precision step lower.
"""

import json
import pathlib
import sys

import fasttreeshap
import numpy as np

from protocol import measure, n_threads, read_table, serve


def trees_of(path):
    found = []
    for tree in json.loads(path.read_text())["learner"]["gradient_booster"]["model"]["trees"]:
        leaves = np.array(tree["left_children"]) < 0
        numbers = np.array(tree["split_conditions"], np.float32)
        left, right = np.array(tree["left_children"], np.int32), np.array(tree["right_children"], np.int32)
        found.append(
            {
                "children_left": left,
                "children_right": right,
                "children_default": np.where(np.array(tree["default_left"], bool), left, right).astype(np.int32),
                "features": np.where(leaves, -2, tree["split_indices"]).astype(np.int32),
                "thresholds": np.nextafter(numbers, np.float32(-np.inf)).astype(np.float64),
                "values": np.where(leaves, numbers, 0.0).astype(np.float64).reshape(-1, 1),
                "node_sample_weight": np.array(tree["sum_hessian"], np.float64),
            }
        )
    return found


class Peer:
    def __init__(self, folder):
        model = {"trees": trees_of(folder / "model.json"), "input_dtype": np.float64, "internal_dtype": np.float64}
        self.rows = read_table(folder / "rows.csv").astype(np.float64)
        make = lambda algorithm: fasttreeshap.TreeExplainer(model, algorithm=algorithm, n_jobs=n_threads())
        self.explainers = {"fasttreeshap-values": make("v2"), "fasttreeshap-v1-values": make("v1")}

    def answer(self, task, rows, _, least):
        explainer, rows = self.explainers[task], self.rows[:rows]
        return measure(lambda: explainer.shap_values(rows, check_additivity=False), least)


if __name__ == "__main__":
    serve(Peer(pathlib.Path(sys.argv[1])).answer)
