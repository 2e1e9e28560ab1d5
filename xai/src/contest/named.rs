//! A method of the registry as an explainer.

use xai_core::{Attribution, Document, Error, Explainer, Result, Run, Table};

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
        let inputs =
            Inputs { subject, batch, background: self.inputs.background, labels, groups: self.inputs.groups, run };
        match self.method.explain(&inputs, &self.settings)? {
            Document::Attribution(attribution) => Ok(attribution),
            _ => {
                let name = &self.method.spec().name;
                Err(Error::unsupported(format!("{name} in a contest"), "it gives no share to every feature"))
            }
        }
    }
}
