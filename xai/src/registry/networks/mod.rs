//! Methods of networks, and of arrays of any rank, by name.

mod cam;
mod gradients;
mod layers;
mod neurons;
mod regions;
mod relevance;

use ndarray::ArrayD;
use xai_core::{Cells, Document, Error, Result, Run};
use xai_local::gradient::Baselines;
use xai_local::gradient::layer::At;

use super::inputs::lacks;
use super::{ArrayInputs, Arrays, Form, Inputs, LayeredModel, Method, Need, Registry, Settings, Spec};

pub(super) fn add(registry: &mut Registry) {
    gradients::add(registry);
    layers::add(registry);
    neurons::add(registry);
    cam::add(registry);
    relevance::add(registry);
    regions::add(registry);
}

/// A method of networks, whatever the form of their samples.
trait OverNetworks: Send + Sync {
    fn explain<B: Cells + ?Sized>(
        &self,
        model: &LayeredModel<B>,
        batch: &B,
        given: &Given,
        settings: &Settings,
    ) -> Result<Document>;
}

/// What there is besides a network and samples.
struct Given<'a> {
    spec: &'a Spec,
    background: Option<ArrayD<f64>>,
    run: &'a Run<'a>,
}

impl Given<'_> {
    /// The baselines that `baseline` names: `zero`, `mean` of the background, or `background`, all its samples.
    fn baselines(&self, settings: &Settings) -> Result<Baselines> {
        let background = || {
            let advice = "give samples that stand for absence (--background), or take baseline=zero";
            self.background.clone().ok_or_else(|| lacks(self.spec, Need::Background, advice))
        };
        Ok(match settings.word("baseline") {
            Some("mean") => {
                let samples = background()?;
                let mean = samples.mean_axis(ndarray::Axis(0)).unwrap_or_else(|| samples.clone());
                Baselines::Samples(mean.insert_axis(ndarray::Axis(0)))
            }
            Some("background") => Baselines::Samples(background()?),
            _ => Baselines::Zero,
        })
    }

    /// The layer that `layer` names; `None` when it is not set.
    fn layer(&self, settings: &Settings) -> Option<At> {
        settings.words("layer").first().map(|name| At::from(*name))
    }
}

/// Adds `baseline` to the parameters.
fn with_baseline(spec: Spec) -> Spec {
    use super::Kind;
    let purpose = "what stands for absence: zero in every cell, the mean of the background, or all its samples in turn";
    spec.parameter("baseline", Kind::choice(["zero", "mean", "background"]), "zero", purpose)
}

struct NetworkMethod<T> {
    spec: Spec,
    explain: T,
}

impl<T> NetworkMethod<T> {
    fn fits(&self, form: Form) -> Result<()> {
        if self.spec.forms.contains(&form) {
            return Ok(());
        }
        let forms: Vec<&str> = self.spec.forms.iter().map(|form| form.label()).collect();
        let what = format!("{} with {}", self.spec.name, form.label());
        Err(Error::unsupported(what, format!("it explains {}", forms.join(" and "))))
    }
}

impl<T: OverNetworks> Method for NetworkMethod<T> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn explain(&self, inputs: &Inputs, settings: &Settings) -> Result<Document> {
        self.fits(Form::Table)?;
        let model = inputs.network(&self.spec)?;
        inputs.weighs(&self.spec)?;
        let background = inputs.background.map(|rows| rows.to_owned().into_dyn());
        let given = Given { spec: &self.spec, background, run: inputs.run };
        self.explain.explain(model, inputs.batch, &given, settings)
    }

    fn explain_arrays(&self, inputs: &ArrayInputs, settings: &Settings) -> Result<Document> {
        self.fits(inputs.arrays.form())?;
        let given = Given { spec: &self.spec, background: inputs.background.cloned(), run: inputs.run };
        match inputs.arrays {
            Arrays::Series(model, batch) => self.explain.explain(model, batch, &given, settings),
            Arrays::Images(model, batch) => self.explain.explain(model, batch, &given, settings),
        }
    }
}

/// Adds a method whose body is generic over the form of the samples.
macro_rules! over_networks {
    ($registry:expr, $spec:expr, |$model:ident, $batch:ident, $given:ident, $settings:ident| $body:expr) => {{
        struct This;
        impl $crate::registry::networks::OverNetworks for This {
            fn explain<B: xai_core::Cells + ?Sized>(
                &self,
                $model: &$crate::registry::LayeredModel<B>,
                $batch: &B,
                $given: &$crate::registry::networks::Given,
                $settings: &$crate::registry::Settings,
            ) -> xai_core::Result<xai_core::Document> {
                Ok($body.into())
            }
        }
        $registry.add($crate::registry::networks::NetworkMethod { spec: $spec, explain: This });
    }};
}
use over_networks;
