"""What is compared: who takes part, on how many rows, and how near the results must be."""

from dataclasses import dataclass

SINGLE = 2e-4
"""Of the largest absolute value: XGBoost, hessboost and Woodelf sum thousands of leaves in single precision."""
EXACT = 1e-7
"""The same, when both sides compute in double precision: what some round to single precision, as XGBoost does, when they
read a model's file, others read as decimals."""
DOUBLE = {"fasttreeshap-values", "fasttreeshap-v1-values", "treeshap-values", "shap-background", "shapiq-background",
          "treeshap-background", "woodelf-background", "shap-pairs"}  # fmt: skip


@dataclass(frozen=True)
class Contest:
    name: str
    what: str
    ours: tuple
    """Tasks of our program; every peer is compared with each of them."""
    peers: tuple
    rows: dict
    """Model -> rows; models that are not here take part only when they are named on the command line."""
    background: int = 1
    same: bool = True
    """Whether both sides must give the same numbers."""
    bar: float = 1.0
    """How many times as fast as the fastest peer this toolkit wants to be."""


PEERS = {
    "xgboost": "XGBoost", "shap": "shap", "shapiq": "shapiq", "woodelf": "Woodelf", "fasttreeshap": "FastTreeSHAP v2",
    "hessboost": "hessboost", "treeshap": "treeshap", "lime": "lime", "sklearn": "scikit-learn",
}  # fmt: skip


def rows(a100, c100, a500, s200, s50):
    names = ("adult-100x6", "california-100x6", "adult-500x8", "synthetic-200x8", "synthetic-50x12")
    return {name: n for name, n in zip(names, (a100, c100, a500, s200, s50)) if n}


CONTESTS = [
    Contest(
        "values", "path-dependent values, {n} rows at once", ("values",),
        ("xgboost-values", "fasttreeshap-values", "hessboost-values", "treeshap-values", "woodelf-values"),
        rows(5000, 5000, 2000, 1000, 400), bar=2.0,
    ),
    Contest(
        "values-single", "the same, ours in single precision, {n} rows at once", ("values-single",),
        ("xgboost-values", "fasttreeshap-values", "hessboost-values"), rows(5000, 5000, 2000, 1000, 400), bar=2.0,
    ),
    Contest(
        "row", "path-dependent values, one row at a time: median of {n}", ("row",), ("xgboost-row", "hessboost-row"),
        rows(200, 200, 100, 100, 50), bar=3.0,
    ),
    Contest(
        "pairs", "pairwise interactions, {n} rows at once", ("pairs",),
        ("xgboost-pairs", "hessboost-pairs"), rows(1000, 1000, 200, 100, 40), bar=2.0,
    ),
    Contest(
        "pairs-few", "pairwise interactions, {n} rows at once", ("pairs",), ("shap-pairs",), rows(40, 40, 5, 2, 0)
    ),
    Contest(
        "pairs-many", "pairwise interactions, {n} rows at once", ("pairs",), ("woodelf-pairs",),
        rows(5000, 0, 0, 0, 0),
    ),
    Contest(
        "background", "values against {b} rows, {n} rows at once", ("background",),
        ("shap-background", "shapiq-background", "treeshap-background"), rows(200, 200, 50, 50, 10), 100, bar=2.0,
    ),
    Contest(
        "background-large", "values against {b} rows, {n} rows at once", ("background",), ("woodelf-background",),
        rows(5000, 0, 5000, 0, 0), 5000,
    ),
    Contest(
        "predict", "margins of {n} rows", ("predict",), ("xgboost-predict", "hessboost-predict"),
        rows(5000, 5000, 5000, 5000, 5000),
    ),
    Contest(
        "lime", "LIME, 5,000 draws, {n} rows", ("lime",), ("lime-tabular",), {"adult-100x6": 5}, 2000, same=False
    ),
    Contest(
        "partial", "partial dependence, 20 points, {n} rows", ("partial",), ("sklearn-partial",),
        {"california-100x6": 2000},
    ),
]  # fmt: skip

SLOW = {
    "fasttreeshap-values": {"synthetic-50x12"},  # its tables grow with 2^depth
    "woodelf-values": {"adult-500x8", "synthetic-200x8", "synthetic-50x12"},
    "treeshap-values": {"adult-500x8", "synthetic-200x8", "synthetic-50x12"},
    "treeshap-background": {"adult-500x8", "synthetic-200x8", "synthetic-50x12"},
}
"""Peers that would take most of a run's time without being the fastest; `--slow` lets them take part."""

OVERHEAD = ("overhead", ("bare", "kernel", "leverage", "kernel-products"),
            ("numpy-bare", "shap-kernel", "shapiq-kernel", "shapiq-leverage"))  # fmt: skip
"""Estimators on a network, each beside the bare calls of its own side: tasks of ours and of the peers'."""
OVERHEAD_BARE = {"ours": "bare", "peer": "numpy-bare"}


def tolerance(ours, peer):
    """How far results may lie apart, as a share of the largest absolute value."""
    return EXACT if peer in DOUBLE and not ours.endswith("single") else SINGLE


def peer_name(task):
    return PEERS.get(task.split("-")[0], task)
