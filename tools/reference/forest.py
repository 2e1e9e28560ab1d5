"""Trees as plain arrays, and Shapley values of them by enumeration.

Shares nothing with shap or with the libraries' own contribution code: it reads
the model file, routes a row, and sums over all 2^k coalitions of the k features
a tree uses.  Slow on purpose; keep k below 15.

Conventions
  path-dependent game   an absent feature sends cover(child)/cover(node) of the
                        weight to each child; a node of zero cover sends half
                        to each child.
  interventional game   an absent feature takes the value of one background
                        row; the worth is the mean over the background.
"""

import base64
import json
import math

import numpy as np

_WEIGHTS = {}


def shapley_matrix(k):
    """(k, 2^k): Shapley values are this matrix times the worths by bit mask."""
    if k not in _WEIGHTS:
        masks = np.arange(1 << k)
        size = np.array([int(m).bit_count() for m in masks])
        out = np.zeros((k, 1 << k))
        f = math.factorial
        inside = np.array([f(s - 1) * f(k - s) / f(k) if s else 0.0 for s in range(k + 1)])
        outside = np.array([f(s) * f(k - s - 1) / f(k) if s < k else 0.0 for s in range(k + 1)])
        for i in range(k):
            has = (masks >> i) & 1 == 1
            out[i] = np.where(has, inside[size], -outside[size])
        _WEIGHTS[k] = out
    return _WEIGHTS[k]


class Tree:
    """left/right: child or -1; value: (node, output); go(node, row) -> left?"""

    def __init__(self, left, right, feature, cover, value, go, weight=1.0):
        self.left, self.right = list(map(int, left)), list(map(int, right))
        self.feature = list(map(int, feature))
        self.cover = [float(c) for c in cover]
        self.value = np.asarray(value, dtype=np.float64) * weight
        self.go = go
        inner = [i for i in range(len(self.left)) if self.left[i] >= 0]
        self.used = sorted({self.feature[i] for i in inner})
        self.slot = {f: i for i, f in enumerate(self.used)}

    def leaf(self, row):
        node = 0
        while self.left[node] >= 0:
            node = self.left[node] if self.go(node, row) else self.right[node]
        return node

    def depth(self):
        def below(node):
            return 0 if self.left[node] < 0 else 1 + max(below(self.left[node]), below(self.right[node]))
        return below(0)

    def fraction(self, node, child):
        return 0.5 if self.cover[node] <= 0.0 else self.cover[child] / self.cover[node]

    def path_worths(self, row):
        """Worth of every coalition of self.used, (2^k, output)."""
        k = len(self.used)
        masks = np.arange(1 << k)
        out = np.zeros((1 << k, self.value.shape[1]))
        stack = [(0, np.ones(1 << k))]
        while stack:
            node, w = stack.pop()
            if self.left[node] < 0:
                out += w[:, None] * self.value[node]
                continue
            has = ((masks >> self.slot[self.feature[node]]) & 1).astype(float)
            left = float(self.go(node, row))
            for child, hit in ((self.left[node], left), (self.right[node], 1.0 - left)):
                part = w * (has * hit + (1.0 - has) * self.fraction(node, child))
                if part.any():
                    stack.append((child, part))
        return out

    def worths_against(self, row, other, slot, masks):
        """Worth by mask where absent features come from `other`, (mask, output)."""
        out = np.zeros((len(masks), self.value.shape[1]))
        stack = [(0, np.ones(len(masks), dtype=bool))]
        while stack:
            node, w = stack.pop()
            if self.left[node] < 0:
                out[w] += self.value[node]
                continue
            here, there = self.go(node, row), self.go(node, other)
            if here == there:
                stack.append((self.left[node] if here else self.right[node], w))
                continue
            has = (masks >> slot[self.feature[node]]) & 1 == 1
            for child, part in ((self.left[node], has == here), (self.right[node], has != here)):
                part = w & part
                if part.any():
                    stack.append((child, part))
        return out


class Forest:
    def __init__(self, trees, base, n_features, cast=None):
        self.trees, self.n_features = trees, n_features
        self.base = np.atleast_1d(np.asarray(base, dtype=np.float64))
        self.cast = cast or (lambda rows: np.asarray(rows, dtype=np.float64))

    def margins(self, rows):
        rows = self.cast(rows)
        return np.array([self.base + sum(t.value[t.leaf(r)] for t in self.trees) for r in rows])

    def path_dependent(self, rows):
        rows = self.cast(rows)
        base = self.base.copy()
        values = np.zeros((len(rows), self.n_features, len(self.base)))
        for t in self.trees:
            m = shapley_matrix(len(t.used))
            for i, r in enumerate(rows):
                worth = t.path_worths(r)
                if i == 0:
                    base += worth[0]
                if t.used:
                    values[i, t.used] += m @ worth
        return base, values

    def interventional(self, rows, background):
        rows, background = self.cast(rows), self.cast(background)
        base = self.base.copy()
        values = np.zeros((len(rows), self.n_features, len(self.base)))
        for t in self.trees:
            k = len(t.used)
            m, masks = shapley_matrix(k), np.arange(1 << k)
            base += np.mean([t.value[t.leaf(z)] for z in background], axis=0)
            for i, r in enumerate(rows):
                worth = sum(t.worths_against(r, z, t.slot, masks) for z in background) / len(background)
                if t.used:
                    values[i, t.used] += m @ worth
        return base, values

    def transformed(self, rows, background, transform):
        """Exact Shapley values of mean_z g(margin(x_S, z_rest)); g(margins, row index)."""
        rows, background = self.cast(rows), self.cast(background)
        n = self.n_features
        masks = np.arange(1 << n)
        slot = {f: f for f in range(n)}
        base, values = [], []
        for i, r in enumerate(rows):
            worth = 0.0
            for z in background:
                margin = self.base + sum(t.worths_against(r, z, slot, masks) for t in self.trees)
                worth = worth + transform(margin, i)
            worth = worth / len(background)
            base.append(worth[0])
            values.append(shapley_matrix(n) @ worth)
        return np.array(base), np.array(values)

    def rescaled(self, rows, background, transform):
        """shap's approximation: per background row, margin Shapley values times
        (g(f(x)) - g(f(z))) / (f(x) - f(z)).  Single output."""
        total = 0.0
        fx = self.margins(rows)
        base = []
        for z in background:
            _, phi = self.interventional(rows, np.asarray(z)[None])
            fz = np.repeat(self.margins(np.asarray(z)[None]), len(fx), axis=0)
            gx = np.array([transform(fx[i][None], i)[0] for i in range(len(fx))])
            gz = np.array([transform(fz[i][None], i)[0] for i in range(len(fx))])
            gap = fx - fz
            scale = np.divide(gx - gz, gap, out=np.zeros_like(gap), where=gap != 0)
            total = total + phi * scale[:, None, :]
            base.append(gz)
        return np.mean(base, axis=0), total / len(background)

    def path_interactions(self, rows):
        """(sample, feature, feature, output); diagonal = main effect, halves off it."""
        rows = self.cast(rows)
        n, n_out = self.n_features, len(self.base)
        values = np.zeros((len(rows), n, n, n_out))
        f = math.factorial
        for t in self.trees:
            k = len(t.used)
            masks = np.arange(1 << k)
            size = np.array([int(m).bit_count() for m in masks])
            for s, r in enumerate(rows):
                worth = t.path_worths(r)
                phi = shapley_matrix(k) @ worth if k else np.zeros((0, n_out))
                rest = phi.copy()
                for a in range(k):
                    for b in range(a + 1, k):
                        free = masks[((masks >> a) & 1 == 0) & ((masks >> b) & 1 == 0)]
                        w = np.array([f(c) * f(k - c - 2) / f(k - 1) for c in size[free]])
                        ab, a1, b1 = free | 1 << a | 1 << b, free | 1 << a, free | 1 << b
                        gain = w @ (worth[ab] - worth[a1] - worth[b1] + worth[free]) / 2.0
                        values[s, t.used[a], t.used[b]] += gain
                        values[s, t.used[b], t.used[a]] += gain
                        rest[a] -= gain
                        rest[b] -= gain
                for a in range(k):
                    values[s, t.used[a], t.used[a]] += rest[a]
        return values


# ---------------------------------------------------------------- XGBoost JSON

XGB_LOGIT = {"binary:logistic", "reg:logistic"}
XGB_LOG = {"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"}
MAX_CATEGORY = 16777216.0


def xgb_base(model, n_outputs):
    learner = model["learner"]
    text = learner["learner_model_param"]["base_score"]
    score = np.atleast_1d(np.array(json.loads(text) if text.startswith("[") else float(text), dtype=np.float64))
    name = learner["objective"]["name"]
    if name in XGB_LOGIT:
        score = -np.log(1.0 / score - 1.0)
    elif name in XGB_LOG:
        score = np.log(score)
    elif name == "reg:expectileerror":
        step = np.diff(score) - 1e-6
        score = np.r_[score[:1], np.log(np.expm1(step))]
    return np.broadcast_to(score, (n_outputs,)).copy()


def read_xgboost(model):
    learner = model["learner"]
    booster = learner["gradient_booster"]
    weights = booster.get("weight_drop")
    if "model" not in booster:
        booster = booster["gbtree"]
    book = booster["model"]
    weights = book.get("weight_drop", weights)
    p = learner["learner_model_param"]
    n_outputs = max(int(p["num_class"]), int(p.get("num_target", 1)), 1)
    base = xgb_base(model, n_outputs)
    trees = []
    for i, t in enumerate(book["trees"]):
        n = len(t["left_children"])
        left, right = list(t["left_children"]), list(t["right_children"])
        k = int(t["tree_param"]["size_leaf_vector"])
        value = np.zeros((n, n_outputs))
        for node in range(n):
            if left[node] == -1:
                if k > 1:
                    at = right[node]
                    value[node] = t["leaf_weights"][at * k:(at + 1) * k]
                    right[node] = -1
                else:
                    value[node, book["tree_info"][i]] = np.float32(t["split_conditions"][node])
        sets = {}
        for node, beg, size in zip(t["categories_nodes"], t["categories_segments"], t["categories_sizes"]):
            sets[node] = set(t["categories"][beg:beg + size])
        limit = np.asarray(t["split_conditions"], dtype=np.float32)

        def go(node, row, t=t, sets=sets, limit=limit):
            x = row[t["split_indices"][node]]
            if math.isnan(x):
                return bool(t["default_left"][node])
            if t["split_type"][node] == 1:
                if x < 0 or x >= MAX_CATEGORY:
                    return True
                return int(x) not in sets[node]
            return bool(x < limit[node])

        trees.append(Tree(left, right, t["split_indices"], t["sum_hessian"], value, go,
                          1.0 if not weights else float(np.float32(weights[i]))))
    return Forest(trees, base, int(p["num_feature"]), lambda rows: np.asarray(rows, dtype=np.float32))


# --------------------------------------------------------------- LightGBM text

ZERO = float(np.float32(1e-35))


def lgb_blocks(text):
    """The header and each tree as dictionaries of strings."""
    blocks, current = [{}], 0
    for line in text.split("\n"):
        if line.startswith("Tree="):
            blocks.append({})
        elif line.startswith("end of trees"):
            break
        if "=" in line:
            key, value = line.split("=", 1)
            blocks[-1][key] = value
        elif line:
            blocks[-1][line] = ""
    return blocks[0], blocks[1:]


def read_lightgbm(text):
    header, blocks = lgb_blocks(text)
    n_outputs = int(header["num_tree_per_iteration"])
    n_features = int(header["max_feature_idx"]) + 1
    scale = n_outputs / len(blocks) if "average_output" in header else 1.0
    trees = []
    for i, b in enumerate(blocks):
        f = lambda key: [float(v) for v in b[key].split()]
        d = lambda key: [int(v) for v in b.get(key, "").split()]
        n = int(b["num_leaves"])
        shift = lambda c: c if c >= 0 else n - 1 + ~c
        left = [shift(c) for c in d("left_child")] + [-1] * n
        right = [shift(c) for c in d("right_child")] + [-1] * n
        value = np.zeros((2 * n - 1, n_outputs))
        value[n - 1:, i % n_outputs] = f("leaf_value")
        cover = d("internal_count") + (d("leaf_count") or [1] * n)
        kind, limit = d("decision_type"), f("threshold") if n > 1 else []
        edges, words = d("cat_boundaries"), d("cat_threshold")
        feature = d("split_feature") + [0] * n

        def go(node, row, kind=kind, limit=limit, edges=edges, words=words, feature=feature):
            x, missing = row[feature[node]], kind[node] >> 2 & 3
            if kind[node] & 1:
                if math.isnan(x) or abs(x) >= 2.0 ** 31 or int(x) < 0:
                    return False
                at, bits = int(x), words[edges[int(limit[node])]:edges[int(limit[node]) + 1]]
                return at // 32 < len(bits) and bits[at // 32] >> at % 32 & 1 == 1
            if math.isnan(x) and missing != 2:
                x = 0.0
            if (missing == 1 and -ZERO <= x <= ZERO) or (missing == 2 and math.isnan(x)):
                return bool(kind[node] & 2)
            return bool(x <= limit[node])

        tree = Tree(left, right, feature, cover, value, go, scale)
        if b.get("is_linear") == "1":
            at, tree.linear = 0, []
            names, coef = d("leaf_features"), f("leaf_coeff")
            for leaf, k in enumerate(d("num_features")):
                tree.linear.append((f("leaf_const")[leaf], names[at:at + k], coef[at:at + k]))
                at += k
            tree.first_leaf = n - 1
        trees.append(tree)
    return Forest(trees, np.zeros(n_outputs), n_features)


def lgb_linear_margins(forest, rows):
    """Margins of linear_tree models: leaf_const + coefficients, or leaf_value where a used feature is NaN."""
    out = []
    for row in rows:
        total = forest.base.copy()
        for t in forest.trees:
            leaf = t.leaf(row)
            const, names, coef = getattr(t, "linear", [(None, [], [])] * 10**6)[leaf - getattr(t, "first_leaf", 0)]
            if const is None or any(math.isnan(row[j]) for j in names):
                total = total + t.value[leaf]
            else:
                total = total + const + sum(c * row[j] for c, j in zip(coef, names))
        out.append(total)
    return np.array(out)


# --------------------------------------------------------------- CatBoost JSON

_M64 = (1 << 64) - 1
_K2, _K3, _MUL = 0x9AE16A3B2F90404F, 0xC949C7DEFEBE6ADD, 0x9DDFEA08EB382D69


def _len16(u, v):
    a = (u ^ v) * _MUL & _M64
    a ^= a >> 47
    b = (v ^ a) * _MUL & _M64
    b ^= b >> 47
    return b * _MUL & _M64


def catboost_hash(name):
    """The i32 by which CatBoost knows a category: low half of CityHash64 1.0 (names of up to 16 bytes)."""
    s = name.encode("utf-8")
    n = len(s)
    word = lambda at, size: int.from_bytes(s[at:at + size], "little")
    if n > 16:
        raise ValueError("long name")
    if n > 8:
        a, b = word(0, 8), word(n - 8, 8)
        r = (b + n) & _M64
        h = _len16(a, (r >> n | r << 64 - n) & _M64) ^ b
    elif n >= 4:
        h = _len16(n + (word(0, 4) << 3), word(n - 4, 4))
    elif n:
        y, z = s[0] + (s[n >> 1] << 8), n + (s[n - 1] << 2)
        h = (y * _K2 ^ z * _K3) & _M64
        h = (h ^ h >> 47) * _K2 & _M64
    else:
        h = _K2
    h &= 0xFFFFFFFF
    return h - (1 << 32) if h >> 31 else h


def read_catboost(model, categories=None, root_is_last=True):
    """categories: {flat feature: [names]}; rows hold indices into them."""
    info = model["features_info"]
    floats = {f["feature_index"]: f for f in info.get("float_features", [])}
    cats = {f["feature_index"]: f["flat_feature_index"] for f in info.get("categorical_features", [])}
    n_features = len(floats) + len(cats)
    scale, bias = model["scale_and_bias"]
    n_outputs = len(bias)
    hashes = {j: [catboost_hash(n) for n in names] for j, names in (categories or {}).items()}

    def test(split):
        """(flat feature, function of value) that is True on the right side."""
        if split["split_type"] == "FloatFeature":
            f = floats[split["float_feature_index"]]
            limit, as_true = np.float32(split["border"]), f["nan_value_treatment"] == "AsTrue"
            return f["flat_feature_index"], lambda x: as_true if math.isnan(x) else bool(np.float32(x) > limit)
        if split["split_type"] == "OneHotFeature":
            j = cats[split["cat_feature_index"]]
            return j, lambda x: hashes[j][int(x)] == split["value"]
        raise ValueError(split["split_type"])

    trees = []
    for t in model.get("oblivious_trees", []):
        depth, leaves = len(t["splits"]), 1 << len(t["splits"])
        order = list(range(depth))[::-1] if root_is_last else list(range(depth))
        tests = [test(t["splits"][k]) for k in order]
        n = 2 * leaves - 1                      # heap order: children 2i+1, 2i+2
        left = [2 * i + 1 if i < leaves - 1 else -1 for i in range(n)]
        right = [2 * i + 2 if i < leaves - 1 else -1 for i in range(n)]
        cover, value = np.zeros(n), np.zeros((n, n_outputs))
        level = [int(math.log2(i + 1)) for i in range(n)]
        for p in range(leaves):                 # p: decisions, root first, most significant bit
            at = sum(1 << k for d, k in enumerate(order) if p >> depth - 1 - d & 1)
            node = leaves - 1 + p
            cover[node] = t["leaf_weights"][at]
            value[node] = np.array(t["leaf_values"][at * n_outputs:(at + 1) * n_outputs]) * scale
        for i in range(leaves - 2, -1, -1):
            cover[i] = cover[2 * i + 1] + cover[2 * i + 2]
        feature = [tests[level[i]][0] if i < leaves - 1 else 0 for i in range(n)]

        def go(node, row, tests=tests, level=level):
            j, right_side = tests[level[node]]
            return not right_side(row[j])

        trees.append(Tree(left, right, feature, cover, value, go))
    for t in model.get("trees", []):
        left, right, feature, cover, value, tests = [], [], [], [], [], {}

        def add(node):
            at = len(left)
            for a, v in ((left, -1), (right, -1), (feature, 0), (cover, 0.0), (value, np.zeros(n_outputs))):
                a.append(v)
            if "split" in node:
                tests[at] = test(node["split"])
                feature[at] = tests[at][0]
                left[at], right[at] = add(node["left"]), add(node["right"])
                cover[at] = cover[left[at]] + cover[right[at]]
            else:
                value[at], cover[at] = np.atleast_1d(node["value"]) * scale, node["weight"]
            return at

        add(t)

        def go(node, row, tests=tests):
            j, right_side = tests[node]
            return not right_side(row[j])

        trees.append(Tree(left, right, feature, cover, value, go))
    return Forest(trees, bias, n_features)


# ------------------------------------------------------ ONNX TreeEnsemble* v1-3

def read_onnx(model, train_rows):
    """Covers are counted by routing train_rows; thresholds and rows are f32 (f64 where the file has *_as_tensor doubles)."""
    from onnx import helper, numpy_helper

    node = next(n for n in model.graph.node if n.op_type.startswith("TreeEnsemble"))
    a = {x.name: helper.get_attribute_value(x) for x in node.attribute}
    double = any(k.endswith("_as_tensor") for k in a)
    kind = np.float64 if double else np.float32

    def get(key, default=()):
        if key + "_as_tensor" in a:
            return numpy_helper.to_array(a[key + "_as_tensor"])
        return np.asarray(a.get(key, default), dtype=kind)

    prefix = "class" if node.op_type.endswith("Classifier") else "target"
    ids, weights = a[prefix + "_ids"], get(prefix + "_weights")
    n_outputs = max(ids) + 1 if prefix == "class" else a["n_targets"]
    base = get("base_values") if len(get("base_values")) else np.zeros(n_outputs)
    tree_ids, node_ids, modes, limits = a["nodes_treeids"], a["nodes_nodeids"], a["nodes_modes"], get("nodes_values")
    missing = a.get("nodes_missing_value_tracks_true") or [0] * len(modes)
    where, per_tree = {}, {}
    for at, key in enumerate(zip(tree_ids, node_ids)):
        per_tree.setdefault(key[0], []).append(at)
        where[key] = len(per_tree[key[0]]) - 1
    values = {t: np.zeros((len(r), n_outputs)) for t, r in per_tree.items()}
    for t, n, i, w in zip(a[prefix + "_treeids"], a[prefix + "_nodeids"], ids, weights):
        values[t][where[t, n], i] += w
    if a.get("aggregate_function", b"SUM") == b"AVERAGE":
        values = {t: v / len(per_tree) for t, v in values.items()}
    ops = {b"BRANCH_LEQ": lambda x, v: x <= v, b"BRANCH_LT": lambda x, v: x < v, b"BRANCH_GTE": lambda x, v: x >= v,
           b"BRANCH_GT": lambda x, v: x > v, b"BRANCH_EQ": lambda x, v: x == v, b"BRANCH_NEQ": lambda x, v: x != v}
    rows = np.asarray(train_rows, dtype=kind)
    trees = []
    for t, at in per_tree.items():
        leaf = [modes[i] == b"LEAF" for i in at]
        left = [-1 if l else where[t, a["nodes_truenodeids"][i]] for l, i in zip(leaf, at)]
        right = [-1 if l else where[t, a["nodes_falsenodeids"][i]] for l, i in zip(leaf, at)]
        feature = [a["nodes_featureids"][i] for i in at]

        def go(n, row, at=at, feature=feature):
            x, i = row[feature[n]], at[n]
            return bool(ops[modes[i]](x, limits[i])) or (bool(missing[i]) and math.isnan(x))

        tree = Tree(left, right, feature, [0.0] * len(at), values[t], go)
        for r in rows:
            n = 0
            tree.cover[n] += 1
            while tree.left[n] >= 0:
                n = tree.left[n] if go(n, r) else tree.right[n]
                tree.cover[n] += 1
        trees.append(tree)
    return Forest(trees, base, len(rows[0]), lambda r: np.asarray(r, dtype=kind))
