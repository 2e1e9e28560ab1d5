//! The local methods by name.

use xai_core::model::feature_names;
use xai_core::{Document, Explainer, Result};
use xai_local::lime::{Bins, LimeTabular, Selection, Training};
use xai_local::linear::LinearShap;
use xai_local::masker::Background;
use xai_local::shapley::{Estimator, ExactShap, KernelShap, Masked, PermutationShap};
use xai_local::tree::{InterventionalTreeShap, Nonlinear, OutputScale, TreeShap};

use super::{Inputs, Kind, Need, Registry, Scope, Settings, Spec};

/// How many background rows a method that asks the model uses when not told otherwise.
const BACKGROUND_ROWS: i64 = 100;

pub(super) fn add(registry: &mut Registry) {
    tree_shap(registry);
    interventional_tree_shap(registry);
    let exact = game("exact-shap", "Exact Shapley values by all coalitions of at most 20 players")
        .paper("Shapley 1953, A value for n-person games");
    registry.add_fn(exact.clone(), move |inputs, settings| masked(ExactShap, &exact, inputs, settings));
    kernel_shap(registry);
    permutation_shap(registry);
    linear_shap(registry);
    lime(registry);
}

fn tree_shap(registry: &mut Registry) {
    let summary = "Exact Shapley values of the margins, absent features averaged by training cover";
    let spec = Spec::new("tree-shap", Scope::Local, summary)
        .needs(Need::Trees)
        .paper("Lundberg et al. 2020, From local explanations to global understanding with explainable AI for trees");
    registry.add_fn(spec.clone(), move |inputs, _| {
        let method = TreeShap { groups: inputs.groups.cloned(), ..Default::default() };
        Ok(method.explain(inputs.trees(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn interventional_tree_shap(registry: &mut Registry) {
    let summary = "Exact Shapley values of trees against background rows: margins, probabilities or log-loss";
    let scales = Kind::choice(["margin", "probability", "log-loss"]);
    let spec = Spec::new("interventional-tree-shap", Scope::Local, summary)
        .needs(Need::Trees)
        .needs(Need::Background)
        .parameter("scale", scales, "margin", "what is explained; log-loss needs labels")
        .parameter(
            "nonlinear",
            Kind::choice(["rescale", "exact"]),
            "rescale",
            "how a scale that is not the margin's is explained: the margin's values rescaled for each background row, as \
             shap does, or the Shapley values of that scale itself, for few features",
        )
        .paper("Lundberg et al. 2020, From local explanations to global understanding with explainable AI for trees");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let mut method = InterventionalTreeShap::new(inputs.background(&spec)?.to_owned());
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

fn kernel_shap(registry: &mut Registry) {
    let summary = "Shapley values of any model by weighted regression over paired coalitions";
    let spec = game("kernel-shap", summary)
        .optional("n_coalitions", Kind::COUNT, "coalitions to evaluate for each sample; 2·players + 2048 when not set")
        .paper("Lundberg & Lee 2017, A unified approach to interpreting model predictions; Covert & Lee 2021");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        masked(KernelShap { n_coalitions: settings.count("n_coalitions") }, &spec, inputs, settings)
    });
}

fn permutation_shap(registry: &mut Registry) {
    let default = PermutationShap::default();
    let summary = "Shapley values of any model as the mean over random orders, with standard errors";
    let spec = game("permutation-shap", summary)
        .parameter("n_permutations", Kind::COUNT, default.n_permutations, "orders of the players; even if antithetic")
        .parameter("antithetic", Kind::Bool, default.antithetic, "follow each order by its reverse")
        .paper("Castro et al. 2009; Mitchell et al. 2022, Sampling permutations for Shapley value estimation");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let n_permutations = settings.count("n_permutations").unwrap_or(default.n_permutations);
        let estimator = PermutationShap { n_permutations, antithetic: settings.flag("antithetic") };
        masked(estimator, &spec, inputs, settings)
    });
}

fn linear_shap(registry: &mut Registry) {
    let spec = Spec::new("linear-shap", Scope::Local, "Exact Shapley values of a linear model, without asking it")
        .needs(Need::Linear)
        .needs(Need::Background)
        .paper("Lundberg & Lee 2017, A unified approach to interpreting model predictions, corollary 1");
    registry.add_fn(spec.clone(), move |inputs, _| {
        let method =
            LinearShap { background: grouped(Background::new(inputs.background(&spec)?.to_owned())?, inputs)? };
        Ok(method.explain(inputs.linear(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn lime(registry: &mut Registry) {
    use Selection::{Auto, ForwardSelection, HighestWeights, LassoPath, None};
    let selections = [None, Auto, ForwardSelection, HighestWeights, LassoPath];
    let spec = Spec::new("lime", Scope::Local, "A linear surrogate fitted around each sample; its R² is reported")
        .needs(Need::Background)
        .parameter(
            "sampling",
            Kind::choice(["kernel", "classic"]),
            "kernel",
            "draw neighbours from the kernel and fit least squares, or do as lime 0.2.0.1 does, ridge and all",
        )
        .parameter("n_draws", Kind::Int { min: 2, max: i64::MAX }, 5000i64, "neighbours of each sample")
        .parameter("bins", Kind::choice(["quartiles", "deciles", "none"]), "quartiles", "how numbers are cut")
        .optional("kernel_width", Kind::Float { min: f64::MIN_POSITIVE, max: f64::MAX }, "0.75·√features when not set")
        .optional("n_features", Kind::COUNT, "features that the surrogate may use; 10 if classic, otherwise all")
        .optional("selection", Kind::Choice(selections.map(|s| s.name().to_owned()).to_vec()), "how they are chosen")
        .paper("Ribeiro et al. 2016, Why should I trust you?; Tan et al. 2023, GLIME");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let rows = inputs.background(&spec)?;
        let bins = match settings.word("bins") {
            Some("deciles") => Bins::Deciles,
            Some("none") => Bins::None,
            _ => Bins::Quartiles,
        };
        let training = Training::new(rows, &feature_names(inputs.subject.model, rows)?, bins)?;
        let classic = settings.word("sampling") == Some("classic");
        let mut method = if classic { LimeTabular::classic(training) } else { LimeTabular::new(training) };
        method.n_draws = settings.count("n_draws").unwrap_or(method.n_draws);
        method.kernel_width = settings.float("kernel_width");
        if let Some(n) = settings.count("n_features") {
            method.n_features = n;
            method.selection = Selection::Auto;
        }
        if let Some(word) = settings.word("selection") {
            method.selection = selections.into_iter().find(|s| s.name() == word).unwrap_or_default();
        }
        Ok(method.explain(inputs.subject.model, inputs.batch, inputs.run)?.into())
    });
}

/// A method that plays a game over background rows.
fn game(name: &str, summary: &str) -> Spec {
    Spec::new(name, Scope::Local, summary)
        .needs(Need::Background)
        .parameter("n_background", Kind::COUNT, BACKGROUND_ROWS, "background rows to use at most")
        .parameter("summary", Kind::choice(["sample", "kmeans"]), "sample", "how more rows than that become as many")
}

fn masked<E: Estimator>(estimator: E, spec: &Spec, inputs: &Inputs, settings: &Settings) -> Result<Document> {
    let rows = inputs.background(spec)?;
    let n = settings.count("n_background").unwrap_or(usize::MAX);
    let masker = match settings.word("summary") {
        _ if rows.nrows() <= n => Background::new(rows.to_owned())?,
        Some("kmeans") => Background::kmeans(rows, n, inputs.run.seed)?,
        _ => Background::sample(rows, n, inputs.run.seed)?,
    };
    let method = Masked { estimator, masker: grouped(masker, inputs)? };
    let mut explanation = method.explain(inputs.subject.model, inputs.batch, inputs.run)?;
    if rows.nrows() > n {
        let note = format!("{n} background rows stand for the {} that were given", rows.nrows());
        explanation.provenance.notes.push(note);
    }
    Ok(explanation.into())
}

fn grouped(background: Background, inputs: &Inputs) -> Result<Background> {
    match inputs.groups {
        None => Ok(background),
        Some(groups) => background.grouped(groups.clone()),
    }
}

/// Labels as the log-loss takes them: 0 and 1, or numbers.
fn numeric(labels: &xai_global::Labels) -> Vec<f64> {
    match labels {
        xai_global::Labels::Numbers(numbers) => numbers.clone(),
        xai_global::Labels::Classes { indices, .. } => indices.iter().map(|&i| i as f64).collect(),
    }
}
