//! The parameters of a burn module, replaced.

use ::burn::module::{Module, ModuleMapper, Param};
use ::burn::tensor::{Tensor, TensorData};
use ndarray::{ArrayD, ArrayViewMutD, IxDyn};
use xai_core::{Error, Parametric, Result};

use super::guard::guarded;
use super::taps::cells;
use super::{BurnModel, Tensors};

/// Walks through the parameters of a module in their order, which is that of its fields.
struct Walk<'a> {
    path: Vec<String>,
    layers: Vec<String>,
    change: Option<Change<'a>>,
    problem: Option<Error>,
}

type Change<'a> = &'a mut dyn FnMut(usize, &str, ArrayViewMutD<f64>);

impl Walk<'_> {
    fn new(change: Option<Change<'_>>) -> Walk<'_> {
        Walk { path: vec![], layers: vec![], change, problem: None }
    }

    fn changed<const D: usize>(&mut self, layer: usize, name: &str, tensor: Tensor<D>) -> Result<Tensor<D>> {
        let Some(change) = self.change.as_mut() else { return Ok(tensor) };
        let (dims, device) = (tensor.dims(), tensor.device());
        let wide = cells(tensor)?.into_iter().map(f64::from).collect();
        let mut wide = ArrayD::from_shape_vec(IxDyn(&dims), wide).map_err(Error::model)?;
        change(layer, name, wide.view_mut());
        if let Some((column, &value)) = wide.iter().enumerate().find(|(_, x)| !(**x as f32).is_finite()) {
            let what = format!("parameter {name} of {}", self.layers[layer]);
            return Err(Error::NonFinite { what, sample: 0, column, value });
        }
        let short: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
        Ok(Tensor::from_data(TensorData::new(short, dims), &device))
    }
}

impl ModuleMapper for Walk<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.last().cloned().unwrap_or_default();
        // What batch normalisation has counted is not learned, and a variance may not become just any number.
        if self.problem.is_some() || name.starts_with("running_") {
            return param;
        }
        let layer = self.path[..self.path.len().saturating_sub(1)].join(".");
        if self.layers.last() != Some(&layer) {
            self.layers.push(layer);
        }
        let place = self.layers.len() - 1;
        let mut problem = None;
        let param = param.map(|tensor| match self.changed(place, &name, tensor.clone()) {
            Ok(changed) => changed,
            Err(error) => {
                problem = Some(error);
                tensor
            }
        });
        self.problem = problem;
        param
    }
}

impl<B: Tensors + ?Sized, M: Module + Sync> Parametric for BurnModel<B, M> {
    /// The modules that hold parameters, by their paths, in the order of the fields; those of the module itself under "".
    fn parameter_layers(&self) -> Vec<String> {
        let mut walk = Walk::new(None);
        let walked = guarded("the module", || Ok(self.module.clone().map(&mut walk)));
        if walked.is_err() { vec![] } else { walk.layers }
    }

    fn with_parameters(&self, change: &mut dyn FnMut(usize, &str, ArrayViewMutD<f64>)) -> Result<Self> {
        let mut walk = Walk::new(Some(change));
        let module = guarded("the module", || Ok(self.module.clone().map(&mut walk)))?;
        match walk.problem {
            Some(problem) => Err(problem),
            None => Ok(self.around(module.valid())),
        }
    }
}
