//! The methods for models made of trees by name.

use xai_core::{Explainer, InteractionIndex, Result};
use xai_local::tree::{
    Algorithm, InterventionalTreeInteractions, InterventionalTreeShap, Nonlinear, OutputScale, Precision,
    TreeInteractions, TreeShap,
};

use super::{Kind, Need, Registry, Scope, Settings, Spec};

const LUNDBERG: &str =
    "Lundberg et al. 2020, From local explanations to global understanding with explainable AI for trees";

pub(super) fn add(registry: &mut Registry) {
    tree_shap(registry);
    interventional_tree_shap(registry);
    tree_interactions(registry);
    interventional_tree_interactions(registry);
}

fn tree_shap(registry: &mut Registry) {
    let summary = "Exact Shapley values of the margins, absent features averaged by training cover";
    let spec = Spec::new("tree-shap", Scope::Local, summary)
        .needs(Need::Trees)
        .groups()
        .parameter(
            "algorithm",
            Kind::choice(["auto", "quadrature", "tables"]),
            "auto",
            "how the exact sums are taken: by a sweep over the nodes, by tables of shallow trees, or as costs less",
        )
        .parameter(
            "precision",
            Kind::choice(["double", "single"]),
            "double",
            "the numbers that values are worked out in; single is faster and right to some 1e-6 of the largest value",
        )
        .paper(LUNDBERG);
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let precision = match settings.word("precision") {
            Some("single") => Precision::Single,
            _ => Precision::Double,
        };
        let algorithm = match settings.word("algorithm") {
            Some("quadrature") => Algorithm::Quadrature,
            Some("tables") => Algorithm::Tables,
            _ => Algorithm::Auto,
        };
        let method = TreeShap { groups: inputs.groups.cloned(), algorithm, precision };
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn interventional_tree_shap(registry: &mut Registry) {
    let summary = "Exact Shapley values of trees against background rows: margins, probabilities or log-loss";
    let scales = Kind::choice(["margin", "probability", "log-loss"]);
    let spec = Spec::new("interventional-tree-shap", Scope::Local, summary)
        .needs(Need::Trees)
        .groups()
        .needs(Need::Background)
        .weights()
        .parameter("scale", scales, "margin", "what is explained; log-loss needs labels")
        .parameter(
            "nonlinear",
            Kind::choice(["rescale", "exact"]),
            "rescale",
            "how a scale that is not the margin's is explained: the margin's values rescaled for each background row, as \
             shap does, or the Shapley values of that scale itself, for few features",
        )
        .paper(LUNDBERG);
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let mut method = InterventionalTreeShap::new(inputs.background(&spec)?.to_owned());
        method.weights = inputs.background_weights.map(<[f64]>::to_vec);
        method.groups = inputs.groups.cloned();
        method.scale = match settings.word("scale") {
            Some("probability") => OutputScale::Prediction,
            Some("log-loss") => OutputScale::Loss { labels: numeric(inputs.labels(&spec)?) },
            _ => OutputScale::Margin,
        };
        if settings.word("nonlinear") == Some("exact") {
            method.nonlinear = Nonlinear::Exact;
        }
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn tree_interactions(registry: &mut Registry) {
    let summary = "Exact interactions of any order of trees, absent features averaged by training cover";
    let spec = indexed(Spec::new("tree-interactions", Scope::Interactions, summary).needs(Need::Trees).groups(), 10)
        .paper("Lundberg et al. 2020; Muschalik et al. 2024, Beyond TreeSHAP; Quadrature-TreeSHAP 2026");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let (index, order) = index_of(settings)?;
        let method = TreeInteractions { index, order, groups: inputs.groups.cloned() };
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn interventional_tree_interactions(registry: &mut Registry) {
    let summary = "Exact interactions of any order of trees against background rows";
    let spec = Spec::new("interventional-tree-interactions", Scope::Interactions, summary)
        .needs(Need::Trees)
        .needs(Need::Background)
        .weights()
        .groups();
    let spec = indexed(spec, 10).paper("Zern, Broelemann & Kasneci 2023, Interventional SHAP values and interactions");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let mut method = InterventionalTreeInteractions::new(inputs.background(&spec)?.to_owned());
        method.weights = inputs.background_weights.map(<[f64]>::to_vec);
        (method.index, method.order) = index_of(settings)?;
        method.groups = inputs.groups.cloned();
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

/// A method that gives an interaction index.
pub(super) fn indexed(spec: Spec, most: i64) -> Spec {
    let names = InteractionIndex::ALL.map(|index| index.name().to_owned());
    let purpose =
        "how the score is divided among sets of features; k-SII, STII and FSII sum to the score less the base";
    spec.parameter("index", Kind::Choice(names.to_vec()), "k-SII", purpose).parameter(
        "order",
        Kind::Int { min: 1, max: most },
        2i64,
        "the most features of a set that gets a value",
    )
}

/// The index and the order that are set.
pub(super) fn index_of(settings: &Settings) -> Result<(InteractionIndex, usize)> {
    let word = settings.word("index").unwrap_or("k-SII");
    let index = InteractionIndex::ALL.into_iter().find(|index| index.name() == word);
    Ok((index.unwrap_or(InteractionIndex::KSii), settings.count("order").unwrap_or(2)))
}

/// Labels as the log-loss takes them: 0 and 1, or numbers.
fn numeric(labels: &xai_global::Labels) -> Vec<f64> {
    match labels {
        xai_global::Labels::Numbers(numbers) => numbers.clone(),
        xai_global::Labels::Classes { indices, .. } => indices.iter().map(|&i| i as f64).collect(),
    }
}
