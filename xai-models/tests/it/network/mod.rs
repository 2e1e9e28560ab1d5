//! Networks: against their definitions spelled out, and against PyTorch.

mod filled;
mod golden;
mod laws;
mod random;
mod reference;
mod refuse;
