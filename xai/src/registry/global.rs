//! The global methods by name.

use xai_core::model::feature_names;
use xai_core::{Document, Error, Explainer, Result};
use xai_global::{
    AccumulatedLocalEffects, ExactFriedmanH, ExactPartialDependence, FriedmanH, Grid, HStatistic, Loss,
    PartialDependence, PermutationImportance, mean_absolute,
};
use xai_models::adaptor::Linked;

use super::{Inputs, Kind, Need, Registry, Scope, Settings, Spec};
use crate::nearest::nearest;

pub(super) fn add(registry: &mut Registry) {
    permutation_importance(registry);
    mean_absolute_attribution(registry);
    partial_dependence(registry, "partial-dependence", false);
    partial_dependence(registry, "individual-conditional-expectation", true);
    exact_partial_dependence(registry);
    accumulated_local_effects(registry);
    friedman_h(registry);
    exact_friedman_h(registry);
}

fn permutation_importance(registry: &mut Registry) {
    let losses = Loss::ALL.map(Loss::name).join(", ");
    let spec =
        Spec::new("permutation-importance", Scope::Importance, "How much a loss rises when a feature is shuffled")
            .needs(Need::Labels)
            .groups()
            .parameter("n_repeats", Kind::Int { min: 1, max: 1_000_000 }, 10i64, "shuffles of each feature")
            .optional(
                "losses",
                Kind::Words,
                &format!("what is measured, on predictions: {losses}; the usual one when not set"),
            )
            .parameter("ratio", Kind::Bool, false, "divide by the intact loss instead of subtracting it")
            .paper("Fisher, Rudin, Dominici 2019, All models are wrong, but many are useful");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let mut method = PermutationImportance::new(inputs.labels(&spec)?.clone());
        method.n_repeats = settings.count("n_repeats").unwrap_or(method.n_repeats);
        method.ratio = settings.flag("ratio");
        method.groups = inputs.groups.cloned();
        let losses = settings.words("losses");
        if !losses.is_empty() {
            method.losses = losses.into_iter().map(Loss::from_name).collect::<Result<_>>()?;
        }
        // Losses are about predictions: probabilities rather than log-odds.
        match inputs.subject.trees {
            None => Ok(method.explain(inputs.subject.model, inputs.batch, inputs.run)?.into()),
            Some(trees) => {
                let model = Linked::new(trees, trees.trees().link)?;
                Ok(method.explain(&model, inputs.batch, inputs.run)?.into())
            }
        }
    });
}

fn mean_absolute_attribution(registry: &mut Registry) {
    let spec =
        Spec::new("mean-absolute-attribution", Scope::Importance, "The mean size of each feature's attributions")
            .groups()
            .parameter("explainer", Kind::Choice(local_methods()), "tree-shap", "the local method, at its defaults")
            .paper(
                "Lundberg et al. 2020, From local explanations to global understanding with explainable AI for trees",
            );
    registry.add_fn(spec, move |inputs, settings| {
        let mut locals = Registry::new();
        super::local::add(&mut locals);
        let local = locals.get(settings.word("explainer").unwrap_or("tree-shap"))?;
        match local.explain(inputs, &Settings::default_of(local.spec()))? {
            Document::Attribution(attribution) => Ok(mean_absolute(&attribution)?.into()),
            _ => Err(Error::unsupported(local.spec().name.clone(), "it gives no attribution to take the mean of")),
        }
    });
}

fn local_methods() -> Vec<String> {
    let mut locals = Registry::new();
    super::local::add(&mut locals);
    let local = locals.methods().map(super::Method::spec).filter(|spec| spec.scope == Scope::Local);
    local.map(|spec| spec.name.clone()).collect()
}

fn partial_dependence(registry: &mut Registry, name: &str, individual: bool) {
    let summary = if individual {
        "The score of each sample as one feature is set to each of its values"
    } else {
        "The mean score as one feature, or two, are set to each of their values"
    };
    let spec = Spec::new(name, Scope::Effects, summary)
        .optional("features", Kind::Words, "names, and pairs as name:name; every feature alone when not set")
        .parameter("grid", Kind::choice(["even", "quantiles"]), "even", "where the response is asked for")
        .parameter("n_points", Kind::Int { min: 2, max: 10_000 }, 20i64, "points of each axis")
        .parameter("centered", Kind::Bool, false, "subtract the response at the first point")
        .paper("Friedman 2001, Greedy function approximation; Goldstein et al. 2015, Peeking inside the black box");
    registry.add_fn(spec, move |inputs, settings| {
        let method = PartialDependence {
            features: columns(inputs, settings)?,
            grid: grid(settings),
            individual,
            centered: settings.flag("centered"),
            ..PartialDependence::default()
        };
        Ok(method.explain(inputs.subject.model, inputs.batch, inputs.run)?.into())
    });
}

fn grid(settings: &Settings) -> Grid {
    let n = settings.count("n_points").unwrap_or(20);
    let (low, high) = (0.05, 0.95);
    match settings.word("grid") {
        Some("quantiles") => Grid::Quantiles { n, low, high },
        _ => Grid::Even { n, low, high },
    }
}

fn exact_partial_dependence(registry: &mut Registry) {
    let summary =
        "The mean score of trees as one feature, or two, are set to each of their values, on all rows at once";
    let spec = Spec::new("exact-partial-dependence", Scope::Effects, summary)
        .needs(Need::Trees)
        .optional("features", Kind::Words, "names, and pairs as name:name; every feature alone when not set")
        .parameter("grid", Kind::choice(["even", "quantiles"]), "even", "where the response is asked for")
        .parameter("n_points", Kind::Int { min: 2, max: 10_000 }, 20i64, "points of each axis")
        .paper("Friedman 2001, Greedy function approximation: a gradient boosting machine, section 8.2");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let (features, grid) = (columns(inputs, settings)?, grid(settings));
        let method = ExactPartialDependence { features, grid, ..ExactPartialDependence::default() };
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

const FRIEDMAN: &str = "Friedman & Popescu 2008, Predictive learning via rule ensembles";

fn statistic(spec: Spec) -> Spec {
    let purpose = "between two features, or between one and all others";
    spec.parameter("statistic", Kind::choice(["pairs", "overall"]), "pairs", purpose)
        .parameter(
            "normalized",
            Kind::Bool,
            true,
            "H; otherwise the spread of what is not additive, in units of the score",
        )
        .paper(FRIEDMAN)
}

fn statistic_of(settings: &Settings) -> HStatistic {
    if settings.word("statistic") == Some("overall") { HStatistic::Overall } else { HStatistic::Pairs }
}

fn friedman_h(registry: &mut Registry) {
    let summary = "How strongly features interact: the share of an effect that is not a sum, by rows that are drawn";
    let spec = Spec::new("friedman-h", Scope::Importance, summary)
        .optional("features", Kind::Words, "names; every feature when not set")
        .parameter(
            "n_samples",
            Kind::Int { min: 2, max: 100_000 },
            50i64,
            "rows to draw; evaluations grow with its square",
        );
    registry.add_fn(statistic(spec), move |inputs, settings| {
        let method = FriedmanH {
            statistic: statistic_of(settings),
            features: columns(inputs, settings)?.into_iter().flatten().collect(),
            n_samples: settings.count("n_samples").unwrap_or(50),
            normalized: settings.flag("normalized"),
        };
        Ok(method.explain(inputs.subject.model, inputs.batch, inputs.run)?.into())
    });
}

fn exact_friedman_h(registry: &mut Registry) {
    let summary = "How strongly the features of trees interact: the share of an effect that is not a sum, on all rows";
    let spec = statistic(Spec::new("exact-friedman-h", Scope::Importance, summary).needs(Need::Trees));
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let (statistic, normalized) = (statistic_of(settings), settings.flag("normalized"));
        let method = ExactFriedmanH { statistic, normalized, ..ExactFriedmanH::default() };
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn accumulated_local_effects(registry: &mut Registry) {
    let summary = "How scores change with a feature among samples that have such values: for dependent features";
    let spec = Spec::new("accumulated-local-effects", Scope::Effects, summary)
        .optional("features", Kind::Words, "names, and pairs as name:name; every feature alone when not set")
        .parameter("n_bins", Kind::Int { min: 1, max: 10_000 }, 20i64, "bins of each axis")
        .paper(
            "Apley & Zhu 2020, Visualizing the effects of predictor variables in black box supervised learning models",
        );
    registry.add_fn(spec, move |inputs, settings| {
        let method = AccumulatedLocalEffects {
            features: columns(inputs, settings)?,
            n_bins: settings.count("n_bins").unwrap_or(20),
            ..AccumulatedLocalEffects::default()
        };
        Ok(method.explain(inputs.subject.model, inputs.batch, inputs.run)?.into())
    });
}

/// The columns of the features that `features` names.
fn columns(inputs: &Inputs, settings: &Settings) -> Result<Vec<Vec<usize>>> {
    let features = feature_names(inputs.subject.model, inputs.batch)?;
    let find = |name: &str| features.iter().position(|f| f.name == name);
    let unknown = |name: &str| Error::Unknown {
        kind: "feature".into(),
        name: name.into(),
        nearest: nearest(name, features.iter().map(|f| &f.name)),
        known: features.iter().map(|f| f.name.clone()).collect(),
    };
    let one = |word: &str| match (find(word), word.split_once(':')) {
        (Some(column), _) => Ok(vec![column]),
        (None, Some((a, b))) => Ok(vec![find(a).ok_or_else(|| unknown(a))?, find(b).ok_or_else(|| unknown(b))?]),
        (None, None) => Err(unknown(word)),
    };
    settings.words("features").into_iter().map(one).collect()
}
