//! A described network, run by burn.

use std::fmt;
use std::sync::Arc;

use ::burn::module::{Module, Param};
use ::burn::tensor::{Device, Tensor, TensorData};
use ndarray::{Array2, ArrayRef2};
use xai_core::{Differentiable, Feature, Layered, Model, Output, Result};

use super::interpret::{Fixed, Plan};
use super::{BurnModel, Tensors};
use crate::network::Network;

/// A described [`Network`] whose layers burn computes, on any device that burn has.
///
/// It scores as the network itself does, by other code: each is the other's proof. On a processor the network itself is
/// faster; on an accelerator this is the way to run it.
///
/// # Laws
/// `burn_agrees_with_the_engine_on_every_op`.
///
/// # Example
/// ```
/// use burn::tensor::Device;
/// use ndarray::array;
/// use xai_core::{Model, Table};
/// use xai_models::burn::OnDevice;
/// use xai_models::network::{Network, Op};
/// let layer = Op::Linear { weight: array![[1.0, -2.0]], bias: Some(array![0.5]) };
/// let network = Network::<Table>::sequence(&[2], [("scores", layer)])?;
/// let model = OnDevice::new(&network, &Device::flex())?;
/// assert_eq!(model.predict(&array![[3.0, 1.0]])?, array![[1.5]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub struct OnDevice<B: Tensors + ?Sized> {
    model: BurnModel<B, Described>,
}

/// The layers of a network as a module: the parameters of each, flat.
#[derive(Module, Debug)]
struct Described {
    parameters: Vec<Vec<Param<Tensor<1>>>>,
    #[module(skip)]
    plan: Arc<Plan>,
}

impl<B: Tensors + ?Sized> OnDevice<B> {
    /// `network`, its parameters copied to `device`.
    ///
    /// # Errors
    /// [`Error::Unsupported`](xai_core::Error::Unsupported) with the name of a layer that burn cannot run: an average over
    /// dilated windows, a sum or another order of more than five axes. As [`BurnModel::new`] otherwise.
    pub fn new(network: &Network<B>, device: &Device) -> Result<Self>
    where
        Network<B>: Layered + Model<Batch = B>,
    {
        let plan = Arc::new(Plan::new(network)?);
        let plain = device.clone().without_autodiff();
        let own = |cells: Vec<f32>| {
            let length = cells.len();
            Param::from_tensor(Tensor::<1>::from_data(TensorData::new(cells, [length]), &plain))
        };
        let parameters = plan.parameters().into_iter().map(|layer| layer.into_iter().map(own).collect()).collect();
        let model =
            BurnModel::new(Described { parameters, plan }, network.input_shape(), device, |described, x, _| {
                let parameters: Vec<Vec<Tensor<1>>> =
                    described.parameters.iter().map(|layer| layer.iter().map(Param::val).collect()).collect();
                described.plan.run(&parameters, B::flat(x), &mut Fixed)
            })?;
        Ok(OnDevice { model: model.named(network.features().to_vec(), network.outputs().to_vec())? })
    }

    /// Scores `rows` samples at a time, as [`BurnModel::rows`].
    #[must_use]
    pub fn rows(self, rows: usize) -> Self {
        OnDevice { model: self.model.rows(rows) }
    }
}

impl<B: Tensors + ?Sized> Model for OnDevice<B> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        self.model.predict(batch)
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        self.model.outputs()
    }
}

impl<B: Tensors + ?Sized> Differentiable for OnDevice<B> {
    fn vjp(&self, batch: &B, weights: &ArrayRef2<f64>) -> Result<B::Owned> {
        self.model.vjp(batch, weights)
    }

    fn scores_and_vjps(&self, batch: &B, weights: &[Array2<f64>]) -> Result<(Array2<f64>, Vec<B::Owned>)> {
        self.model.scores_and_vjps(batch, weights)
    }
}

impl<B: Tensors + ?Sized> Clone for OnDevice<B> {
    fn clone(&self) -> Self {
        OnDevice { model: self.model.clone() }
    }
}

impl<B: Tensors + ?Sized> fmt::Debug for OnDevice<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDevice").field("layers", &self.model.module().plan.layers).finish_non_exhaustive()
    }
}
