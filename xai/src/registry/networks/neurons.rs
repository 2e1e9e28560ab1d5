//! What single neurons hang on.

use xai_core::{Error, Explainer, Result};
use xai_local::gradient::layer::{At, NeuronConductance, Neurons};
use xai_local::gradient::{InputTimesGradient, IntegratedGradients, Quadrature, Saliency};

use super::{Given, over_networks, with_baseline};
use crate::registry::{Form, Kind, Need, Registry, Scope, Settings, Spec};

fn spec(name: &str, summary: &str) -> Spec {
    Spec::new(name, Scope::Local, summary)
        .forms(&Form::ALL)
        .needs(Need::Network)
        .optional("layer", Kind::Words, "the layer's name, which must be set")
        .optional(
            "neuron",
            Kind::Words,
            "its index on every axis of the layer's output, which must be set: 3 or 3,1,1; several with ; between them",
        )
}

/// The layer and the neurons that are asked for.
fn asked(given: &Given, settings: &Settings) -> Result<(At, Vec<Vec<usize>>)> {
    let layer = || Error::parameter("layer", "nothing", "the name of a layer (--set layer=NAME)");
    let text = settings.words("neuron").join(",");
    let index = |index: &str| {
        let expected = "an index on every axis of the layer's output, such as 3 or 3,1,1";
        index.trim().parse().map_err(|_| Error::parameter("neuron", format!("{text:?}"), expected))
    };
    let neurons = text.split(';').map(|neuron| neuron.split(',').map(index).collect()).collect::<Result<_>>()?;
    Ok((given.layer(settings).ok_or_else(layer)?, neurons))
}

pub(super) fn add(registry: &mut Registry) {
    let gradient = spec("neuron-gradient", "The slope of a neuron by every cell of the input").parameter(
        "times_input",
        Kind::Bool,
        false,
        "times the cell",
    );
    over_networks!(registry, gradient, |model, batch, given, settings| {
        let (layer, neurons) = asked(given, settings)?;
        let neurons = Neurons::new(model, layer, &neurons)?;
        if settings.flag("times_input") {
            InputTimesGradient.explain(&neurons, batch, given.run)?
        } else {
            Saliency { absolute: false }.explain(&neurons, batch, given.run)?
        }
    });
    let integrated = spec(
        "neuron-integrated-gradients",
        "What makes a neuron as active as it is, beside a baseline; sums to its activation",
    )
    .parameter("n_steps", Kind::COUNT, 32i64, "slopes on each way")
    .paper("Sundararajan et al. 2017, Axiomatic attribution for deep networks");
    over_networks!(registry, with_baseline(integrated), |model, batch, given, settings| {
        let (layer, neurons) = asked(given, settings)?;
        let neurons = Neurons::new(model, layer, &neurons)?;
        let known = IntegratedGradients::default().from_baselines(given.baselines(settings)?);
        let method = IntegratedGradients { n_steps: settings.count("n_steps").unwrap_or(known.n_steps), ..known };
        method.explain(&neurons, batch, given.run)?
    });
    let conductance =
        spec("neuron-conductance", "How much flows from every cell of the input through one neuron to the score")
            .parameter("n_steps", Kind::COUNT, 50i64, "places on each way")
            .paper("Dhamdhere et al. 2019, How important is a neuron?");
    over_networks!(registry, with_baseline(conductance), |model, batch, given, settings| {
        let (layer, mut neurons) = asked(given, settings)?;
        let (Some(neuron), true) = (neurons.pop(), neurons.is_empty()) else {
            return Err(Error::parameter("neuron", "several", "one: its flow to every output is told"));
        };
        let method = NeuronConductance {
            layer,
            neuron,
            baselines: given.baselines(settings)?,
            n_steps: settings.count("n_steps").unwrap_or(50),
            quadrature: Quadrature::GaussLegendre,
        };
        method.explain(model, batch, given.run)?
    });
}
