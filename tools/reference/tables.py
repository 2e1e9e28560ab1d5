"""Small CSV tables, encoders' outputs, and the breast cancer data."""

import csv

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import record

TABLE = [
    ["colour", "size", "price", "city"],
    ["red", "S", "1.5", "Łódź"],
    ["blue", "M", "2.25", "Paris"],
    ["red", "L", "", "Paris"],
    ["green", "M", "-3", "São Paulo"],
    ["blue", "S", "1e-3", "a, b"],
    ["green", "L", "7", 'the "old" one'],
    ["red", "M", "0.1", "Paris"],
]


def breast_cancer():
    d = load_breast_cancer()
    with open(record.path("tables", "breast_cancer.csv"), "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow([*d.feature_names, "diagnosis"])
        for row, t in zip(d.data, d.target):
            w.writerow([*(repr(float(v)) for v in row), d.target_names[t]])


def main():
    breast_cancer()
    with open(record.path("tables", "shop.csv"), "w", newline="", encoding="utf-8") as f:
        csv.writer(f, lineterminator="\n").writerows(TABLE)
    names, body = TABLE[0], TABLE[1:]
    cats = np.array([[r[0], r[1], r[3]] for r in body], dtype=object)
    unseen = np.array([["violet", "S", "Paris"], ["red", "XL", "nowhere"]], dtype=object)
    out = {"about": {"script": "tables.py", "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}},
           "table": "shop.csv", "columns": [names[0], names[1], names[3]], "fit_rows": cats.tolist(), "unseen_rows": unseen.tolist(), "encoders": []}
    order = [["green", "red", "blue"], ["S", "M", "L"], sorted(set(cats[:, 2]))]
    for key, enc in [
        ("OneHotEncoder", OneHotEncoder(sparse_output=False, handle_unknown="ignore")),
        ("OneHotEncoder drop first", OneHotEncoder(sparse_output=False, handle_unknown="ignore", drop="first")),
        ("OneHotEncoder drop if_binary", OneHotEncoder(sparse_output=False, handle_unknown="ignore", drop="if_binary")),
        ("OneHotEncoder given categories", OneHotEncoder(sparse_output=False, handle_unknown="ignore", categories=order)),
        ("OneHotEncoder infrequent", OneHotEncoder(sparse_output=False, handle_unknown="infrequent_if_exist", min_frequency=3)),
        ("OrdinalEncoder", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
        ("OrdinalEncoder given categories", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, categories=order)),
    ]:
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = enc.fit(cats)
            params = {k: v for k, v in enc.get_params().items() if isinstance(v, (str, int, float, bool)) or v is None or k == "categories"}
            out["encoders"].append({"name": key, "params": {k: (v if not isinstance(v, type) else v.__name__) for k, v in params.items()},
                                    "categories": [list(c) for c in fitted.categories_],
                                    "feature_names": list(fitted.get_feature_names_out([names[0], names[1], names[3]])),
                                    "encoded": fitted.transform(cats), "encoded_unseen": fitted.transform(unseen)})
    record.write("tables", "encoders", out)


if __name__ == "__main__":
    main()
