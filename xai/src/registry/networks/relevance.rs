//! Scores handed back layer by layer.

use xai_core::Explainer;
use xai_local::gradient::Baselines;
use xai_local::relevance::{Deconvolution, DeepLift, DeepShap, GuidedBackpropagation, NonLinearRule};

use super::{over_networks, with_baseline};
use crate::registry::{Form, Kind, Need, Registry, Scope, Settings, Spec};

fn spec(name: &str, summary: &str, paper: &str) -> Spec {
    Spec::new(name, Scope::Local, summary).forms(&Form::ALL).needs(Need::Network).paper(paper)
}

fn ruled(spec: Spec) -> Spec {
    let rules = ["rescale", "reveal-cancel", "reveal-cancel-dense"];
    spec.parameter("rule", Kind::choice(rules), "rescale", "how curves divide a difference")
}

fn rule(settings: &Settings) -> NonLinearRule {
    match settings.word("rule") {
        Some("reveal-cancel") => NonLinearRule::RevealCancel,
        Some("reveal-cancel-dense") => NonLinearRule::RevealCancelDense,
        _ => NonLinearRule::Rescale,
    }
}

pub(super) fn add(registry: &mut Registry) {
    let lift = spec(
        "deep-lift",
        "Differences to a baseline handed back through the layers; sums to the score",
        "Shrikumar et al. 2017, Learning important features through propagating activation differences",
    );
    over_networks!(registry, with_baseline(ruled(lift)), |model, batch, given, settings| {
        DeepLift { baseline: given.baselines(settings)?, rule: rule(settings) }.explain(model, batch, given.run)?
    });
    let shap = spec(
        "deep-shap",
        "The mean of DeepLIFT over all samples of a background",
        "Lundberg & Lee 2017, A unified approach to interpreting model predictions, section 4.2",
    );
    over_networks!(registry, ruled(shap.needs(Need::Background)), |model, batch, given, settings| {
        let Some(background) = given.background.clone() else {
            let advice = "give samples that stand for absence (--background)";
            return Err(crate::registry::inputs::lacks(given.spec, Need::Background, advice));
        };
        let baselines = Baselines::Samples(background);
        DeepShap { baselines, rule: rule(settings) }.explain(model, batch, given.run)?
    });
    let guided = spec(
        "guided-backpropagation",
        "Gradients that pass a ReLU only where they are positive: sharp edges, hardly about the output",
        "Springenberg et al. 2015, Striving for simplicity",
    );
    over_networks!(registry, guided, |model, batch, given, _settings| {
        GuidedBackpropagation.explain(model, batch, given.run)?
    });
    let deconvolution = spec(
        "deconvolution",
        "Gradients that pass a ReLU where they are positive, whatever it did: hardly about the output",
        "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks",
    );
    over_networks!(registry, deconvolution, |model, batch, given, _settings| {
        Deconvolution.explain(model, batch, given.run)?
    });
    #[cfg(feature = "lrp")]
    lrp(registry);
}

#[cfg(feature = "lrp")]
fn lrp(registry: &mut Registry) {
    use xai_local::relevance::{Bounds, Composite, Lrp, Start};
    let composites = [
        "epsilon-plus",
        "epsilon-plus-flat",
        "epsilon-alpha2-beta1",
        "epsilon-alpha2-beta1-flat",
        "epsilon-gamma-box",
        "excitation-backprop",
    ];
    let lrp = spec(
        "lrp",
        "Shares of the score handed back by a rule for each kind of layer",
        "Bach et al. 2015, On pixel-wise explanations; Montavon et al. 2019, Layer-wise relevance propagation: an overview",
    )
    .parameter("composite", Kind::choice(composites), "epsilon-plus", "which rule for which layer")
    .parameter("low", Kind::Float { min: -f64::MAX, max: f64::MAX }, 0.0, "the least input, for epsilon-gamma-box")
    .parameter("high", Kind::Float { min: -f64::MAX, max: f64::MAX }, 1.0, "the greatest input, for epsilon-gamma-box")
    .parameter("start", Kind::choice(["score", "one"]), "score", "what is handed back: the score, or 1");
    over_networks!(registry, lrp, |model, batch, given, settings| {
        let composite = match settings.word("composite") {
            Some("epsilon-gamma-box") => {
                let bound = |name, known| settings.float(name).unwrap_or(known) as f32;
                Composite::epsilon_gamma_box(Bounds::all(bound("low", 0.0), bound("high", 1.0)))
            }
            Some("epsilon-plus-flat") => Composite::epsilon_plus_flat(),
            Some("epsilon-alpha2-beta1") => Composite::epsilon_alpha2_beta1(),
            Some("epsilon-alpha2-beta1-flat") => Composite::epsilon_alpha2_beta1_flat(),
            Some("excitation-backprop") => Composite::excitation(),
            _ => Composite::epsilon_plus(),
        };
        let start = if settings.word("start") == Some("one") { Start::One } else { Start::Score };
        Lrp { composite, start }.explain(model, batch, given.run)?
    });
}
