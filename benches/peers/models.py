"""The models and tables on which both sides work, one folder each: model.json, rows.csv, background.csv.

    adult-100x6, adult-500x8      census income: training rows of `adult-train.csv`, explained rows of `adult-test.csv`
    california-100x6              house prices: 5,000 held-out rows are explained
    synthetic-200x8, -50x12       50 normal features, a margin with interactions, made from a seed
    network                       30 features, two hidden layers of 64 with max(0, x); weights from a seed

Adult is encoded in one way: numbers as they are; a text column as the place of the cell's text, without blanks around it,
among the sorted distinct texts of that column in the training file, `?` being a text like any other; NaN for a text that
the training file does not have. All numbers are rounded to single precision, which is what XGBoost sees.
"""

import csv
import pathlib

import numpy as np
import xgboost

SEED = 20
ADULT = (
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex capital-gain"
    " capital-loss hours-per-week native-country"
).split()
NUMBERS = {"age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"}
SYNTHETIC, EXPLAINED = 50, 5_000
SHAPES = {
    "adult-100x6": (100, 6), "california-100x6": (100, 6), "adult-500x8": (500, 8),
    "synthetic-200x8": (200, 8), "synthetic-50x12": (50, 12), "tiny": (5, 3),
}  # fmt: skip


def prepare(name, data, folder):
    """Makes the folder of a model unless it is there; returns what is to be said about it."""
    done = folder / "about.txt"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        about = network(folder) if name == "network" else ensemble(name, data, folder)
        done.write_text(about)
    return done.read_text()


def ensemble(name, data, folder):
    trees, depth = SHAPES[name]
    names, rows, labels, explained, objective, source = tables(name, data)
    parameters = dict(objective=objective, max_depth=depth, eta=0.1, tree_method="hist", nthread=1, seed=SEED)
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, labels, feature_names=names), num_boost_round=trees)
    booster.save_model(folder / "model.json")
    background = rows[np.random.default_rng(SEED).permutation(len(rows))[:EXPLAINED]]
    for table, cells in (("rows", explained[:EXPLAINED]), ("background", background)):
        save(folder / f"{table}.csv", names, cells.astype(np.float32), "%.9g")
    leaves = sum(tree.count("leaf=") for tree in booster.get_dump())
    return f"{source}: {trees} trees of depth {depth} at most, {leaves:,} leaves, {len(names)} features"


def save(path, names, cells, form):
    np.savetxt(path, cells, form, ",", header=",".join(names), comments="")


def tables(name, data):
    """Names, training rows, labels, rows to explain, the objective, and where they are from."""
    kind = name.split("-")[0]
    try:
        if kind == "adult":
            return adult(data)
        if kind == "california":
            return california(data)
    except OSError as error:
        print(f"no {kind} data ({error}): made-up rows in its place", flush=True)
        return census(12 if kind == "adult" else 8)
    if kind == "tiny":
        return census(4, 400)
    return synthetic()


def adult(data):
    def cells(path):
        with open(path, newline="") as file:
            lines = [[cell.strip() for cell in line] for line in csv.reader(file) if len(line) == len(ADULT) + 1]
        return [line[:-1] for line in lines], [">50K" in line[-1] for line in lines]

    (training, labels), (test, _) = cells(data / "adult-train.csv"), cells(data / "adult-test.csv")
    codes = []
    for j, name in enumerate(ADULT):
        texts = sorted({row[j] for row in training})
        codes.append(float if name in NUMBERS else dict(zip(texts, range(len(texts)))).get)
    encode = lambda rows: np.array([[code(cell) for code, cell in zip(codes, row)] for row in rows], np.float32)
    return ADULT, encode(training), labels, encode(test), "binary:logistic", "Adult"


def california(data):
    with open(data / "california-housing.csv") as file:
        names = file.readline().strip().split(",")
        rows = np.loadtxt(file, np.float64, delimiter=",")
    target = names.index("MedHouseVal")
    rows = rows[np.random.default_rng(SEED).permutation(len(rows))]
    labels, rows = rows[:, target], np.delete(rows, target, 1).astype(np.float32)
    del names[target]
    training = rows[EXPLAINED:], labels[EXPLAINED:]
    return names, *training, rows[:EXPLAINED], "reg:squarederror", "California housing"


def census(features, n=32_561):
    """Numbers as in census data: counts, amounts with a long tail, codes of categories, and plain numbers."""
    rng = np.random.default_rng(SEED)
    n += EXPLAINED
    kinds = [
        lambda: rng.integers(17, 90, n),
        lambda: rng.lognormal(10.0, 0.7, n),
        lambda: rng.integers(0, 9, n),
        lambda: rng.normal(size=n),
        lambda: np.where(rng.random(n) < 0.9, 0.0, rng.exponential(5000.0, n)),
        lambda: rng.integers(1, 99, n),
    ]
    rows = np.column_stack([kinds[j % len(kinds)]() for j in range(features)]).astype(np.float32)
    z = (rows - rows.mean(0)) / rows.std(0)
    margin = z[:, 0] - z[:, 1] * z[:, 2] + np.sin(2.0 * z[:, 3]) + 0.5 * z[:, -1] * z[:, 0]
    labels = rng.random(n) < 1.0 / (1.0 + np.exp(-margin))
    names = [f"c{j}" for j in range(features)]
    return names, rows[EXPLAINED:], labels[EXPLAINED:], rows[:EXPLAINED], "binary:logistic", "made-up census rows"


def synthetic(n=20_000):
    rng = np.random.default_rng(SEED)
    rows = rng.normal(size=(n + EXPLAINED, SYNTHETIC)).astype(np.float32)
    slopes = rng.normal(size=SYNTHETIC)
    labels = rows @ slopes + 2.0 * (rows[:, ::2] * rows[:, 1::2]).sum(1) + np.sin(3.0 * rows[:, :10]).sum(1)
    labels += rng.normal(size=len(labels))
    names = [f"s{j}" for j in range(SYNTHETIC)]
    return names, rows[EXPLAINED:], labels[EXPLAINED:], rows[:EXPLAINED], "reg:squarederror", "made-up normal rows"


def network(folder):
    """Layers as tables (input + 1, unit): the last line is the bias."""
    rng = np.random.default_rng(SEED)
    widths = [30, 64, 64, 1]
    for i, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
        layer = np.vstack([rng.normal(size=(n_in, n_out)) * np.sqrt(2.0 / n_in), 0.1 * rng.normal(size=(1, n_out))])
        np.savetxt(folder / f"layer{i}.csv", layer, "%.17g", ",")
    names = [f"x{j}" for j in range(widths[0])]
    for table, n in (("network-rows", 20), ("network-background", 100)):
        save(folder / f"{table}.csv", names, rng.normal(size=(n, widths[0])), "%.17g")
    return "a network of 30-64-64-1 with max(0, x), weights from a seed"
