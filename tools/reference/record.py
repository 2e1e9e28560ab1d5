"""Writes golden files: one JSON a case, floats in full, NaN as null."""

import json
import math
import os
import platform

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "golden")
SEED = 20261


def plain(x):
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, np.ndarray):
        return plain(x.tolist())
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    if isinstance(x, (float, np.floating)):
        x = float(x)
        if math.isinf(x):
            raise ValueError("infinity in a golden file")
        return None if math.isnan(x) else x
    if x is None or isinstance(x, str):
        return x
    raise TypeError(type(x))


def dump(value, indent=0):
    """Objects and long nested arrays get a line an entry, so that diffs stay readable."""
    if isinstance(value, dict) and value:
        pad = " " * (indent + 1)
        body = (",\n").join(f"{pad}{json.dumps(k)}: {dump(v, indent + 1)}" for k, v in value.items())
        return "{\n" + body + "\n" + " " * indent + "}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
        pad = " " * (indent + 1)
        return "[\n" + ",\n".join(pad + json.dumps(v, separators=(",", ":")) for v in value) + "\n" + " " * indent + "]"
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def path(*parts):
    where = os.path.join(GOLDEN, *parts)
    os.makedirs(os.path.dirname(where), exist_ok=True)
    return where


def write(library, case, body):
    with open(path(library, case + ".json"), "w", encoding="utf-8") as f:
        f.write(dump(plain(body)) + "\n")


def about(script, libraries, params, seed, tolerance, **more):
    versions = {"python": platform.python_version()}
    for name in libraries:
        module = __import__({"scikit-learn": "sklearn"}.get(name, name))
        versions[name] = module.__version__
    return {"script": script, "versions": versions, "params": params, "seed": seed, "tolerance": tolerance, **more}


def gap(a, b):
    """Largest |a - b| relative to the largest |b| (at least 1)."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.size == 0:
        return 0.0
    return float(np.nanmax(np.abs(a - b)) / max(1.0, float(np.nanmax(np.abs(b)))))


def columns(x):
    """(sample,) becomes (sample, 1)."""
    x = np.asarray(x)
    return x[:, None] if x.ndim == 1 else x
