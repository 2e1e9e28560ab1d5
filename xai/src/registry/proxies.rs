//! The methods that fit a model to a game and explain that, by name.

use xai_local::shapley::{Auto, GpShap, PolyShap, RegressionMsr};

use super::games::{budgeted, game, until};
use super::{Kind, Registry};

pub(super) fn add(registry: &mut Registry) {
    auto_shap(registry);
    gp_shap(registry);
    poly_shap(registry);
    regression_msr(registry);
}

fn auto_shap(registry: &mut Registry) {
    let summary = "Shapley values of any model, as accurate as a number of coalitions allows; says how they were found";
    let spec = budgeted(game("auto-shap", summary)).paper("the parts name theirs; the choice: Stone 1974");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let n_coalitions = settings.count("n_coalitions");
        until(Auto { n_coalitions }, n_coalitions, &spec, inputs, settings)
    });
}

fn gp_shap(registry: &mut Registry) {
    let summary = "Shapley values of what a Gaussian process expects of any model, from at most 8,192 coalitions";
    let spec = budgeted(game("gp-shap", summary))
        .paper("Rasmussen & Williams 2006, Gaussian processes for machine learning; Chau, Muandet & Sejdinovic 2023");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let n_coalitions = settings.count("n_coalitions");
        until(GpShap { n_coalitions }, n_coalitions, &spec, inputs, settings)
    });
}

fn poly_shap(registry: &mut Registry) {
    let default = PolyShap::default();
    let summary = "Shapley values of any model by regression on products of features: for few features";
    let spec = budgeted(game("poly-shap", summary))
        .parameter(
            "order",
            Kind::Int { min: 1, max: 9 },
            default.order,
            "the most features of a product; odd ones count",
        )
        .paper("Fumagalli, Witter & Musco 2026, PolySHAP");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let order = settings.count("order").unwrap_or(default.order);
        let n_coalitions = settings.count("n_coalitions");
        until(PolyShap { n_coalitions, order }, n_coalitions, &spec, inputs, settings)
    });
}

fn regression_msr(registry: &mut Registry) {
    let default = RegressionMsr::default();
    let summary = "Shapley values of any model without bias: boosted trees explained, corrected by what they miss";
    let spec = budgeted(game("regression-msr", summary))
        .parameter("n_trees", Kind::Int { min: 1, max: 10_000 }, default.n_trees, "boosted trees")
        .parameter("depth", Kind::Int { min: 1, max: 12 }, default.depth, "the depth of a tree")
        .parameter("rate", Kind::Float { min: f64::MIN_POSITIVE, max: 1.0 }, default.rate, "how much of a tree counts")
        .paper("Witter, Liu & Musco 2025, Regression-adjusted Monte Carlo estimators for Shapley values");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let method = RegressionMsr {
            n_coalitions: settings.count("n_coalitions"),
            n_trees: settings.count("n_trees").unwrap_or(default.n_trees),
            depth: settings.count("depth").unwrap_or(default.depth),
            rate: settings.float("rate").unwrap_or(default.rate),
        };
        until(method, method.n_coalitions, &spec, inputs, settings)
    });
}
