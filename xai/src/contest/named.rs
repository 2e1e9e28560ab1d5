//! A method of the registry as an explainer.

use ndarray::ArrayD;
use xai_core::{Attribution, Document, Error, Explainer, Result, Run, Table};
use xai_models::network::Network;

use super::Sample;
use crate::registry::{Inputs, Method, Settings, Subject, TableModel};

/// A method of the registry with its parameters, as an explainer of any table model.
///
/// # Units
/// Those of the method.
///
/// # Cost
/// That of the method.
///
/// # Source
/// None: an adaptor.
pub struct Named<'a> {
    /// The method.
    pub method: &'a dyn Method,
    /// Its parameters.
    pub settings: Settings,
    /// What it works on; the batch is that of the call.
    pub inputs: Inputs<'a>,
}

impl<'m> Explainer<TableModel<'m>> for Named<'_> {
    type Explanation = Attribution;

    fn explain(&self, model: &TableModel<'m>, batch: &Table, run: &Run) -> Result<Attribution> {
        // What is known of one model is not known of another.
        let same = std::ptr::addr_eq(std::ptr::from_ref(model), std::ptr::from_ref(self.inputs.subject.model));
        let subject = if same { self.inputs.subject } else { Subject::opaque(model) };
        let labels = self.inputs.labels.filter(|labels| labels.len() == batch.nrows());
        let inputs = Inputs {
            subject,
            batch,
            background: self.inputs.background,
            background_weights: None,
            labels,
            groups: self.inputs.groups,
            run,
        };
        attribution(self.method, self.method.explain(&inputs, &self.settings)?)
    }
}

/// A method of the registry with its parameters, as an explainer of any network.
///
/// # Units
/// Those of the method.
///
/// # Cost
/// That of the method.
///
/// # Source
/// None: an adaptor.
pub struct NamedNetwork<'a> {
    /// The method.
    pub method: &'a dyn Method,
    /// Its parameters.
    pub settings: Settings,
    /// Samples that stand for absence: (sample, axes …).
    pub background: Option<&'a ArrayD<f64>>,
}

impl<B: Sample + ?Sized> Explainer<Network<B>> for NamedNetwork<'_> {
    type Explanation = Attribution;

    fn explain(&self, model: &Network<B>, batch: &B, run: &Run) -> Result<Attribution> {
        attribution(self.method, B::asked((self.method, &self.settings), model, batch, self.background, run)?)
    }
}

fn attribution(method: &dyn Method, document: Document) -> Result<Attribution> {
    match document {
        Document::Attribution(attribution) => Ok(attribution),
        _ => {
            let name = &method.spec().name;
            Err(Error::unsupported(format!("{name} in a contest"), "it gives no share to every feature"))
        }
    }
}
