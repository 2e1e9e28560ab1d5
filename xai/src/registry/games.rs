//! The methods that play a game over any model by name.

use xai_core::{Document, Explainer, Result};
use xai_local::interaction::{
    ExactInteractions, GpInteractions, InteractionEstimator, MaskedInteractions, ProxyInteractions,
};
use xai_local::shapley::{
    Adaptive, Estimator, ExactShap, KernelShap, LeverageShap, Linkage, Masked, OwenShap, PartitionTree,
    PermutationShap, Stop,
};

use super::maskers::{masker, parameters};
use super::trees::{index_of, indexed};
use super::{Inputs, Kind, Need, Registry, Scope, Settings, Spec};

pub(super) fn add(registry: &mut Registry) {
    let exact = game("exact-shap", "Exact Shapley values by all coalitions of at most 20 players")
        .paper("Shapley 1953, A value for n-person games");
    registry.add_fn(exact.clone(), move |inputs, settings| shares(ExactShap, &exact, inputs, settings));
    kernel_shap(registry);
    leverage_shap(registry);
    permutation_shap(registry);
    owen_shap(registry);
    exact_interactions(registry);
    gp_interactions(registry);
    proxy_interactions(registry);
}

fn kernel_shap(registry: &mut Registry) {
    let summary = "Shapley values of any model by weighted regression over paired coalitions";
    let spec = budgeted(game("kernel-shap", summary))
        .paper("Lundberg & Lee 2017, A unified approach to interpreting model predictions; Covert & Lee 2021");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let n_coalitions = settings.count("n_coalitions");
        until(KernelShap { n_coalitions }, n_coalitions, &spec, inputs, settings)
    });
}

fn leverage_shap(registry: &mut Registry) {
    let summary = "Shapley values of any model by regression over coalitions that tell most: for strong interactions";
    let spec = budgeted(game("leverage-shap", summary))
        .paper("Musco & Witter 2025, Provably accurate Shapley value estimation via leverage score sampling");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let n_coalitions = settings.count("n_coalitions");
        until(LeverageShap { n_coalitions }, n_coalitions, &spec, inputs, settings)
    });
}

fn permutation_shap(registry: &mut Registry) {
    let default = PermutationShap::default();
    let summary = "Shapley values of any model as the mean over random orders, with standard errors";
    let spec = stopping(game("permutation-shap", summary))
        .optional(
            "n_permutations",
            Kind::COUNT,
            &format!(
                "orders of the players, even if antithetic; {} when not set; with a rule to stop, the most",
                default.n_permutations
            ),
        )
        .parameter("antithetic", Kind::Bool, default.antithetic, "follow each order by its reverse")
        .paper("Castro et al. 2009; Mitchell et al. 2022, Sampling permutations for Shapley value estimation");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let asked = settings.count("n_permutations");
        let n_permutations = asked.unwrap_or(default.n_permutations);
        let estimator = PermutationShap { n_permutations, antithetic: settings.flag("antithetic") };
        let n_players = inputs.groups.map_or(inputs.batch.ncols(), |groups| groups.players.len());
        let most = asked.map(|_| estimator.coalitions(n_players)).transpose()?;
        until(estimator, most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)), &spec, inputs, settings)
    });
}

fn owen_shap(registry: &mut Registry) {
    let summary = "Owen values of any model: features that belong together share their credit";
    let spec = stopping(game("owen-shap", summary))
        .optional("n_coalitions", Kind::COUNT, "coalitions to evaluate for each sample; 20·players + 2048 when not set")
        .parameter(
            "linkage",
            Kind::choice(["average", "complete"]),
            "average",
            "how correlated features are clustered into parts, where no groups are named",
        )
        .paper("Owen 1977, Values of games with a priori unions; Winter 1989");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let rows = inputs.background(&spec)?;
        let linkage = match settings.word("linkage") {
            Some("complete") => Linkage::Complete,
            _ => Linkage::Average,
        };
        let tree = match inputs.groups {
            Some(groups) => {
                let parts: Vec<Vec<usize>> = groups.members.iter().filter(|part| part.len() > 1).cloned().collect();
                PartitionTree::groups(rows.ncols(), &parts)?
            }
            None => PartitionTree::correlated(rows, linkage)?,
        };
        let n_coalitions = settings.count("n_coalitions");
        // Groups are parts here, not players.
        let inputs = Inputs { groups: None, ..*inputs };
        until(OwenShap { tree, n_coalitions }, n_coalitions, &spec, &inputs, settings)
    });
}

fn exact_interactions(registry: &mut Registry) {
    let summary = "Exact interactions of any order of any model, by all coalitions of at most 20 players";
    let spec = game("exact-interactions", summary);
    let spec = indexed(Spec { scope: Scope::Interactions, ..spec }, 20)
        .paper("Grabisch & Roubens 1999, An axiomatic approach to the concept of interaction among players");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let (index, order) = index_of(settings)?;
        together(ExactInteractions { index, order }, &spec, inputs, settings)
    });
}

fn gp_interactions(registry: &mut Registry) {
    let summary =
        "Interactions of any model from some coalitions: a Gaussian process fitted to them, explained exactly";
    let spec = Spec { scope: Scope::Interactions, ..game("gp-interactions", summary) };
    let spec = indexed(spec, 4)
        .optional("n_coalitions", Kind::COUNT, "coalitions to evaluate for each sample; 2·players + 512 when not set")
        .paper("Rasmussen & Williams 2006, Gaussian Processes for Machine Learning");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let (index, order) = index_of(settings)?;
        let n_coalitions = settings.count("n_coalitions");
        together(GpInteractions { index, order, n_coalitions }, &spec, inputs, settings)
    });
}

fn proxy_interactions(registry: &mut Registry) {
    let summary =
        "Interactions of any model from some coalitions of many players: what proxies fitted to them interact";
    let spec = Spec { scope: Scope::Interactions, ..game("proxy-interactions", summary) };
    let spec = indexed(budget(spec), 4)
        .parameter(
            "unbiased",
            Kind::Bool,
            false,
            "right on average, with standard errors, and farther off in each sample",
        )
        .paper("Witter, Liu & Musco 2025, Regression-adjusted Monte Carlo estimators; Butler et al. 2025, ProxySPEX");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let (index, order) = index_of(settings)?;
        let (n_coalitions, unbiased) = (settings.count("n_coalitions"), settings.flag("unbiased"));
        together(ProxyInteractions { index, order, n_coalitions, unbiased }, &spec, inputs, settings)
    });
}

/// A method that plays a game over background rows, or over draws that go with them.
pub(super) fn game(name: &str, summary: &str) -> Spec {
    parameters(Spec::new(name, Scope::Local, summary).needs(Need::Background).weights().groups())
}

/// A budget of coalitions.
pub(super) fn budget(spec: Spec) -> Spec {
    let purpose = "coalitions to evaluate for each sample, at most; 2·players + 2048 when not set";
    spec.optional("n_coalitions", Kind::COUNT, purpose)
}

pub(super) fn budgeted(spec: Spec) -> Spec {
    stopping(budget(spec))
}

/// Parameters of a budget that grows until the answer is good enough.
pub(super) fn stopping(spec: Spec) -> Spec {
    let error = Kind::Float { min: f64::MIN_POSITIVE, max: f64::MAX };
    spec.optional("relative_error", error, "stop when standard errors are below this share of the range of the values")
        .optional("top_k", Kind::COUNT, "stop when the k largest values and their order are settled")
}

/// With a budget that grows, if a rule is set that says when it may stop; `most` coalitions end it in any case.
pub(super) fn until<E: Estimator>(
    estimator: E,
    most: Option<usize>,
    spec: &Spec,
    inputs: &Inputs,
    settings: &Settings,
) -> Result<Document> {
    match rule(most, settings) {
        None => shares(estimator, spec, inputs, settings),
        Some(stop) => shares(Adaptive { estimator, stop }, spec, inputs, settings),
    }
}

/// The rule that is set, if one is.
pub(super) fn rule(most: Option<usize>, settings: &Settings) -> Option<Stop> {
    let (relative_error, top_k) = (settings.float("relative_error"), settings.count("top_k"));
    let any = relative_error.is_some() || top_k.is_some();
    let most_coalitions = most.unwrap_or(Stop::default().most_coalitions);
    any.then(|| Stop { relative_error, top_k, most_coalitions, ..Stop::default() })
}

pub(super) fn shares<E: Estimator>(
    estimator: E,
    spec: &Spec,
    inputs: &Inputs,
    settings: &Settings,
) -> Result<Document> {
    let (masker, note) = masker(spec, inputs, settings)?;
    let method = Masked { estimator, masker };
    let mut explanation = method.explain(inputs.subject.model, inputs.batch, inputs.run)?;
    explanation.provenance.notes.extend(note);
    Ok(explanation.into())
}

fn together<E: InteractionEstimator>(
    estimator: E,
    spec: &Spec,
    inputs: &Inputs,
    settings: &Settings,
) -> Result<Document> {
    let (masker, note) = masker(spec, inputs, settings)?;
    let method = MaskedInteractions { estimator, masker };
    let mut explanation = method.explain(inputs.subject.model, inputs.batch, inputs.run)?;
    explanation.provenance.notes.extend(note);
    Ok(explanation.into())
}
