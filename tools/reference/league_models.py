"""The two models of the reference league that are trained: boosted trees and a network on the breast cancer data.

Rows whose number is a multiple of 3 are held out, as in the quick start. Writes benches/assets/league/trees.json (XGBoost)
and benches/assets/league/mlp.json (a described network whose first layer undoes the scaling of the columns, so that it
takes raw rows and its score is a log-odds).
"""

import json
import os

import numpy as np
import sklearn
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import record

FOLDER = os.path.join(record.HERE, "..", "..", "benches", "assets", "league")


def numbers(array):
    """Each as short as its f32 allows."""
    return [numbers(a) for a in array] if np.ndim(array) else float(str(np.float32(array)))


def main():
    data = load_breast_cancer()
    malignant = (data.target == list(data.target_names).index("malignant")).astype(int)
    held = np.arange(len(malignant)) % 3 == 0
    train, test = data.data[~held], data.data[held]
    names = [str(name) for name in data.feature_names]

    trees = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "seed": record.SEED, "nthread": 1},
        xgboost.DMatrix(train, malignant[~held], feature_names=names),
        num_boost_round=60,
    )
    trees.save_model(os.path.join(FOLDER, "trees.json"))
    chance = trees.predict(xgboost.DMatrix(test, feature_names=names))
    print("xgboost", xgboost.__version__, "accuracy", accuracy_score(malignant[held], chance > 0.5))

    scaler = StandardScaler().fit(train)
    net = MLPClassifier((16, 8), alpha=0.1, max_iter=2000, random_state=record.SEED)
    net.fit(scaler.transform(train), malignant[~held])
    print("scikit-learn", sklearn.__version__, "accuracy", net.score(scaler.transform(test), malignant[held]))
    layers = [{
        "name": "scale",
        "kind": "affine",
        "scale": numbers(1 / scaler.scale_),
        "shift": numbers(-scaler.mean_ / scaler.scale_),
    }]
    for i, (weight, bias) in enumerate(zip(net.coefs_, net.intercepts_)):
        last = i + 1 == len(net.coefs_)
        name = "score" if last else f"hidden {i + 1}"
        layers.append({"name": name, "kind": "linear", "weight": numbers(weight.T), "bias": numbers(bias)})
        if not last:
            layers.append({"name": f"relu {i + 1}", "kind": "relu"})
    network = {
        "schema": "xai/network/1",
        "name": "breast cancer, 30-16-8-1",
        "input": {"shape": [30], "names": names},
        "outputs": ["malignant"],
        "layers": layers,
    }
    with open(os.path.join(FOLDER, "mlp.json"), "w", encoding="utf-8") as f:
        json.dump(network, f, indent=None, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
