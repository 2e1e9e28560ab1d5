//! What goes on at a layer.

use xai_core::{Error, Explainer, Result};
use xai_local::gradient::layer::{
    At, InternalInfluence, LayerActivation, LayerConductance, LayerGradient, LayerIntegratedGradients,
};

use super::{Given, over_networks, with_baseline};
use crate::registry::{Form, Kind, Need, Registry, Scope, Settings, Spec};

fn spec(name: &str, summary: &str) -> Spec {
    Spec::new(name, Scope::Local, summary).forms(&Form::ALL).needs(Need::Network).optional(
        "layer",
        Kind::Words,
        "the layer's name, which must be set",
    )
}

fn layer(given: &Given, settings: &Settings) -> Result<At> {
    let needed = || Error::parameter("layer", "nothing", "the name of a layer (--set layer=NAME)");
    given.layer(settings).ok_or_else(needed)
}

fn n_steps(spec: Spec) -> Spec {
    spec.parameter("n_steps", Kind::COUNT, 50i64, "places on each way")
}

pub(super) fn add(registry: &mut Registry) {
    over_networks!(
        registry,
        spec("layer-activation", "What every neuron of a layer puts out"),
        |model, batch, given, settings| {
            LayerActivation { layer: layer(given, settings)? }.explain(model, batch, given.run)?
        }
    );
    let gradient = spec("layer-gradient", "The slope of every score by every neuron of a layer").parameter(
        "times_activation",
        Kind::Bool,
        false,
        "times what the neuron puts out",
    );
    over_networks!(registry, gradient, |model, batch, given, settings| {
        let method =
            LayerGradient { layer: layer(given, settings)?, times_activation: settings.flag("times_activation") };
        method.explain(model, batch, given.run)?
    });
    let integrated = spec("layer-integrated-gradients", "Integrated gradients of what comes after a layer")
        .paper("Sundararajan et al. 2017, Axiomatic attribution for deep networks");
    over_networks!(registry, n_steps(with_baseline(integrated)), |model, batch, given, settings| {
        let method = LayerIntegratedGradients {
            baselines: given.baselines(settings)?,
            n_steps: settings.count("n_steps").unwrap_or(50),
            ..LayerIntegratedGradients::at(layer(given, settings)?)
        };
        method.explain(model, batch, given.run)?
    });
    let conductance = spec("layer-conductance", "How much of the score's change flows through every neuron of a layer")
        .paper("Dhamdhere et al. 2019, How important is a neuron?");
    over_networks!(registry, n_steps(with_baseline(conductance)), |model, batch, given, settings| {
        let method = LayerConductance {
            baselines: given.baselines(settings)?,
            n_steps: settings.count("n_steps").unwrap_or(50),
            ..LayerConductance::at(layer(given, settings)?)
        };
        method.explain(model, batch, given.run)?
    });
    let influence = spec("internal-influence", "The mean slope by every neuron of a layer on the way from a baseline")
        .paper("Leino et al. 2018, Influence-directed explanations for deep convolutional networks");
    over_networks!(registry, n_steps(with_baseline(influence)), |model, batch, given, settings| {
        let method = InternalInfluence {
            baselines: given.baselines(settings)?,
            n_steps: settings.count("n_steps").unwrap_or(50),
            ..InternalInfluence::at(layer(given, settings)?)
        };
        method.explain(model, batch, given.run)?
    });
}
