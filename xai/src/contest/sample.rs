//! Samples of networks that methods and metrics by name know.

use ndarray::{ArrayD, ArrayRef3, ArrayRef4, Axis};
use xai_core::{Cells, Document, Error, Masker, Result, Run, Table};
use xai_local::masker::{Background, Fill, Regions};
use xai_local::segments::Patches;

use crate::metrics::{NetworkMaker, NetworkMakers};
use crate::registry::{ArrayInputs, Arrays, Form, Inputs, LayeredModel, Method, Settings, Subject};

/// A batch of networks that methods and metrics are called for by name: rows of a table, series, images.
pub trait Sample: Cells + 'static {
    /// What its samples are.
    const FORM: Form;

    /// Asks a method of the registry; `background` are samples that stand for absence (sample, axes …).
    ///
    /// # Errors
    /// Those of the method.
    fn asked(
        method: (&dyn Method, &Settings),
        network: &LayeredModel<Self>,
        batch: &Self,
        background: Option<&ArrayD<f64>>,
        run: &Run,
    ) -> Result<Document>;

    /// What absence means to metrics. Rows take the values of background rows, column by column; images and series show,
    /// place by place, the mean of the background, or zeros where there is none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for rows without a background; [`Error::Shape`] for a background of other axes.
    fn absence(batch: &Self, background: Option<&ArrayD<f64>>) -> Result<Box<dyn Masker<Self>>>;

    /// What makes a metric of networks of such samples.
    #[doc(hidden)]
    fn maker(makers: &NetworkMakers) -> Option<&NetworkMaker<Self>>;
}

impl Sample for Table {
    const FORM: Form = Form::Table;

    fn asked(
        (method, settings): (&dyn Method, &Settings),
        network: &LayeredModel<Self>,
        batch: &Self,
        background: Option<&ArrayD<f64>>,
        run: &Run,
    ) -> Result<Document> {
        let rows = background.map(|rows| Table::of_cells(rows.clone())).transpose()?;
        let subject = Subject::of_network(network);
        let inputs = Inputs {
            subject,
            batch,
            background: rows.as_deref(),
            background_weights: None,
            labels: None,
            groups: None,
            run,
        };
        method.explain(&inputs, settings)
    }

    fn absence(_: &Self, background: Option<&ArrayD<f64>>) -> Result<Box<dyn Masker<Self>>> {
        let advice = "give rows that stand for absence, such as a sample of the training data (--background)";
        let rows = background.ok_or_else(|| Error::unsupported("a contest without a background", advice))?;
        Ok(Box::new(Background::new(Table::of_cells(rows.clone())?)?))
    }

    fn maker(makers: &NetworkMakers) -> Option<&NetworkMaker<Self>> {
        makers.rows.as_ref()
    }
}

/// Series and images differ in the rank of their arrays only.
macro_rules! of_arrays {
    ($array:ident, $form:ident, $variant:ident, $makers:ident, $patch:expr) => {
        impl Sample for $array<f32> {
            const FORM: Form = Form::$form;

            fn asked(
                (method, settings): (&dyn Method, &Settings),
                network: &LayeredModel<Self>,
                batch: &Self,
                background: Option<&ArrayD<f64>>,
                run: &Run,
            ) -> Result<Document> {
                let inputs = ArrayInputs { arrays: Arrays::$variant(network, batch), background, run };
                method.explain_arrays(&inputs, settings)
            }

            fn absence(batch: &Self, background: Option<&ArrayD<f64>>) -> Result<Box<dyn Masker<Self>>> {
                let mean = |samples: &ArrayD<f64>| samples.mean_axis(Axis(0)).map(Fill::Baseline);
                let fill = background.and_then(mean).unwrap_or_default();
                Ok(Box::new(Regions::cut(batch, 0, &Patches($patch), fill)?))
            }

            fn maker(makers: &NetworkMakers) -> Option<&NetworkMaker<Self>> {
                makers.$makers.as_ref()
            }
        }
    };
}
of_arrays!(ArrayRef3, Series, Series, series, vec![1]);
of_arrays!(ArrayRef4, Image, Images, images, vec![1, 1]);
