"""Times Python libraries on the files of `run.py`, one question a line: see `protocol.py`."""

import functools
import pathlib
import sys

import numpy as np
import xgboost

from protocol import measure, n_threads, one_by_one, read_table, serve

COALITIONS, POINTS, DRAWS, SEED = 2048, 20, 5000, 20


class Peers:
    def __init__(self, folder):
        self.folder = folder

    @functools.cached_property
    def booster(self):
        return xgboost.Booster({"nthread": n_threads()}, model_file=self.folder / "model.json")

    @functools.cached_property
    def names(self):
        return (self.folder / "rows.csv").read_text().split("\n", 1)[0].split(",")

    @functools.cache
    def table(self, name):
        return read_table(self.folder / f"{name}.csv", np.float64 if name.startswith("network") else np.float32)

    def matrix(self, rows):
        return xgboost.DMatrix(rows, feature_names=self.names, nthread=n_threads())

    def margins(self, rows):
        return self.booster.inplace_predict(np.asarray(rows, np.float32), predict_type="margin")

    def frame(self, rows):
        import pandas

        return pandas.DataFrame(rows, columns=self.names)

    def answer(self, task, rows, background, least):
        prefix = "" if (self.folder / "model.json").exists() else "network-"
        rows, background = self.table(prefix + "rows")[:rows], self.table(prefix + "background")[:background]
        return getattr(self, task.replace("-", "_"))(rows, background, least)

    def xgboost_predict(self, rows, _, least):
        return measure(lambda: self.margins(rows), least)

    def xgboost_values(self, rows, _, least):
        matrix = self.matrix(rows)
        return measure(lambda: self.booster.predict(matrix, pred_contribs=True), least, lambda v: v[:, :-1])

    def xgboost_row(self, rows, _, least):
        matrices = [self.matrix(rows[i : i + 1]) for i in range(len(rows))]
        report, values = one_by_one(lambda m: self.booster.predict(m, pred_contribs=True), matrices)
        return report, values[:, :-1]

    def xgboost_pairs(self, rows, _, least):
        matrix = self.matrix(rows)
        return measure(lambda: self.booster.predict(matrix, pred_interactions=True), least, lambda v: v[:, :-1, :-1])

    def tree_explainer(self, background):
        """shap's own code: left to itself, it calls XGBoost's for whatever needs no background."""
        import shap

        kind = "tree_path_dependent" if background is None else "interventional"
        explainer = shap.TreeExplainer(self.booster, background, feature_perturbation=kind, model_output="raw")
        explainer.model.model_type = "internal"
        return explainer

    def shap_pairs(self, rows, _, least):
        explainer = self.tree_explainer(None)
        return measure(lambda: explainer.shap_interaction_values(rows), least)

    def shap_background(self, rows, background, least):
        explainer = self.tree_explainer(background)
        return measure(lambda: explainer.shap_values(rows, check_additivity=False), least)

    def shapiq_background(self, rows, background, least):
        from shapiq.tree.interventional.computer import InterventionalTreeSHAPIQ

        explainer = InterventionalTreeSHAPIQ(self.booster, background, max_order=1, index="SV")
        explainer.baseline_value  # made at the first question; not part of the values
        work = lambda: [explainer.explain_function(row) for row in rows]
        return measure(work, least, lambda rows: np.array([row.get_n_order_values(1) for row in rows]))

    @functools.cache
    def woodelf(self, n_background):
        """Kept, since it takes the model apart when it is first asked. Without a background when that has no rows."""
        from woodelf.explainer import WoodelfExplainer

        if n_background == 0:
            return WoodelfExplainer(self.booster, feature_perturbation="tree_path_dependent")
        background = self.frame(self.table("background")[:n_background])
        return WoodelfExplainer(self.booster, background, feature_perturbation="interventional")

    def woodelf_values(self, rows, _, least):
        explainer, rows = self.woodelf(0), self.frame(rows)
        return measure(lambda: explainer.shap_values(rows, verbose=False), least)

    def woodelf_pairs(self, rows, _, least):
        explainer, rows = self.woodelf(0), self.frame(rows)
        return measure(lambda: explainer.shap_interaction_values(rows, verbose=False), least)

    def woodelf_background(self, rows, background, least):
        explainer, rows = self.woodelf(len(background)), self.frame(rows)
        return measure(lambda: explainer.shap_values(rows, verbose=False), least)

    def lime_tabular(self, rows, background, least):
        import lime.lime_tabular

        explainer = lime.lime_tabular.LimeTabularExplainer(
            background, mode="regression", feature_names=self.names, random_state=SEED
        )
        one = lambda row: explainer.explain_instance(
            row, self.margins, num_features=len(self.names), num_samples=DRAWS
        ).local_exp[1]
        return measure(lambda: [one(row) for row in rows], least, lambda v: [[w for _, w in sorted(one)] for one in v])

    def sklearn_partial(self, rows, _, least):
        from sklearn.base import BaseEstimator, RegressorMixin
        from sklearn.inspection import partial_dependence

        class Margins(RegressorMixin, BaseEstimator):
            __sklearn_is_fitted__ = lambda self: True
            fit = lambda self, *_: self
            predict = lambda _, rows: self.margins(rows)

        ask = functools.partial(
            partial_dependence, Margins(), rows, [0], grid_resolution=POINTS, percentiles=(0.05, 0.95), method="brute"
        )
        return measure(lambda: ask(kind="average")["average"], least)

    @functools.cached_property
    def network(self):
        layers = [np.loadtxt(path, delimiter=",", ndmin=2) for path in sorted(self.folder.glob("layer*.csv"))]

        def network(rows):
            for i, layer in enumerate(layers):
                rows = rows @ layer[:-1] + layer[-1]
                if i + 1 < len(layers):
                    np.maximum(rows, 0.0, out=rows)
            return rows[:, 0]

        return network

    def numpy_bare(self, rows, background, least):
        asked = np.tile(background, (len(rows) * COALITIONS, 1))
        return measure(lambda: self.network(asked), least, lambda v: v[:1])

    def shap_kernel(self, rows, background, least):
        import shap

        explainer = shap.KernelExplainer(self.network, background)
        return measure(lambda: explainer.shap_values(rows, nsamples=COALITIONS, l1_reg=False, silent=True), least)

    def shapiq_regression(self, kind, rows, background, least):
        from shapiq.approximator.regression import KernelSHAP, LeverageSHAP
        from shapiq.imputer import MarginalImputer

        imputer = MarginalImputer(self.network, background, sample_size=len(background), random_state=SEED)
        approximator = {"kernel": KernelSHAP, "leverage": LeverageSHAP}[kind](rows.shape[1], random_state=SEED)

        def one(row):
            imputer.fit(row)
            return approximator.approximate(COALITIONS, imputer).get_n_order_values(1)

        return measure(lambda: [one(row) for row in rows], least)

    def shapiq_kernel(self, *given):
        return self.shapiq_regression("kernel", *given)

    def shapiq_leverage(self, *given):
        return self.shapiq_regression("leverage", *given)


if __name__ == "__main__":
    serve(Peers(pathlib.Path(sys.argv[1])).answer)
