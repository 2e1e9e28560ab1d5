//! Looking on.

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use xai_core::{Error, Result};

use super::{Epoch, State};

/// Something that sees each epoch, and may end the training.
pub trait Watch {
    /// What was found in this epoch, and the state after it.
    ///
    /// # Errors
    /// Whatever the watcher cannot do, such as writing a checkpoint; the training ends with it.
    fn epoch(&mut self, epoch: &Epoch, state: &State) -> Result<ControlFlow<()>>;
}

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Watch for Quiet {
    fn epoch(&mut self, _epoch: &Epoch, _state: &State) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}

impl<F: FnMut(&Epoch, &State) -> Result<ControlFlow<()>>> Watch for F {
    fn epoch(&mut self, epoch: &Epoch, state: &State) -> Result<ControlFlow<()>> {
        self(epoch, state)
    }
}

/// Loss, accuracy, gradient norms and weights as plain lines of text, for a terminal or a file.
///
/// ```text
/// epoch  2/12  loss 0.1034  right  96.9 %  |  checked 0.0893  right  97.2 %  |  gradient 0.81  rate 9.8e-4   3.1 s
///   conv1      gradient 0.42     weights  -0.61 ▁▁▂▃▅▆██▇▅▃▂▁  0.58
/// ```
pub struct TextView<W: Write> {
    to: W,
    layers: bool,
    since: Instant,
}

impl<W: Write> TextView<W> {
    /// Lines to `to`: one an epoch, and with `layers` one more for each layer that learns.
    pub fn new(to: W, layers: bool) -> Self {
        TextView { to, layers, since: Instant::now() }
    }
}

impl<W: Write> Watch for TextView<W> {
    fn epoch(&mut self, epoch: &Epoch, _state: &State) -> Result<ControlFlow<()>> {
        let failed = |source| Error::Io { path: "the view of the training".into(), source };
        let right = |accuracy: Option<f64>| accuracy.map_or(String::new(), |a| format!("  right {:>5.1} %", a * 100.0));
        let checked =
            epoch.checked.map_or(String::new(), |c| format!("  |  checked {:.4}{}", c.loss, right(c.accuracy)));
        let width = epoch.of.to_string().len();
        let line = format!(
            "epoch {:>width$}/{}  loss {:.4}{}{checked}  |  gradient {:.3}  rate {:.1e}  {:.1} s",
            epoch.epoch,
            epoch.of,
            epoch.learned.loss,
            right(epoch.learned.accuracy),
            epoch.gradient_norm,
            epoch.rate,
            self.since.elapsed().as_secs_f64(),
        );
        writeln!(self.to, "{line}").map_err(failed)?;
        let name = epoch.layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0);
        for layer in epoch.layers.iter().filter(|_| self.layers) {
            let weights = &layer.weights;
            let (norm, bars) = (layer.gradient_norm, weights.bars());
            writeln!(
                self.to,
                "  {:<name$}  gradient {norm:<9.3}  weights {:>7.3} {bars} {:.3}",
                layer.name, weights.low, weights.high
            )
            .map_err(failed)?;
        }
        self.to.flush().map_err(failed)?;
        Ok(ControlFlow::Continue(()))
    }
}
