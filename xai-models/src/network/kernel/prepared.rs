//! Parameters laid out as the products read them.

use super::super::op::Op;
use super::convolution::Pass;
use super::linear::Matrix;

/// The parameters of a layer in the order in which one way through it reads them.
#[derive(Debug, Clone)]
pub(in super::super) enum Prepared {
    /// There are none, or they are read as they are.
    Nothing,
    Matrix(Matrix),
    Pass(Pass),
}

impl Prepared {
    /// For the way forward.
    pub fn forward(op: &Op, inputs: &[Vec<usize>], shape: &[usize]) -> Self {
        match op {
            Op::Linear { weight, bias } => Prepared::Matrix(Matrix::new(&weight.t(), bias.as_ref())),
            Op::Convolution(own) => Prepared::Pass(Pass::forward(own, &inputs[0], shape)),
            _ => Prepared::Nothing,
        }
    }

    /// For the way back.
    pub fn backward(op: &Op, inputs: &[Vec<usize>], shape: &[usize]) -> Self {
        match op {
            Op::Linear { weight, .. } => Prepared::Matrix(Matrix::new(&weight.view(), None)),
            Op::Convolution(own) => Prepared::Pass(Pass::backward(own, &inputs[0], shape)),
            _ => Prepared::Nothing,
        }
    }
}
