//! Where along a path gradients are taken, and how much each counts.

use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

use crate::tree::quadrature;

/// A rule for the mean of a function over \[0, 1\].
///
/// # Example
/// ```
/// use xai_local::gradient::Quadrature;
/// // Three nodes integrate polynomials of degree 5.
/// let points = Quadrature::GaussLegendre.points(3)?;
/// let mean: f64 = points.iter().map(|(t, weight)| weight * t.powi(5)).sum();
/// assert!((mean - 1.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quadrature {
    /// Gauss-Legendre nodes: n of them are exact for polynomials of degree below 2n.
    #[default]
    GaussLegendre,
    /// The left ends of n equal parts.
    Left,
    /// The right ends of n equal parts.
    Right,
    /// The middles of n equal parts.
    Middle,
    /// Both ends and n − 2 places between them; the ends count half.
    Trapezoid,
}

impl Quadrature {
    /// The name by which it goes in the account of a run.
    pub fn name(self) -> &'static str {
        match self {
            Quadrature::GaussLegendre => "gauss-legendre",
            Quadrature::Left => "left",
            Quadrature::Right => "right",
            Quadrature::Middle => "middle",
            Quadrature::Trapezoid => "trapezoid",
        }
    }

    /// `n` places in \[0, 1\] with their weights, which sum to 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no place, only one of a trapezoid, or more than 100,000.
    pub fn points(self, n: usize) -> Result<Vec<(f64, f64)>> {
        let fewest = if self == Quadrature::Trapezoid { 2 } else { 1 };
        if !(fewest..=MOST).contains(&n) {
            return Err(Error::parameter("n_steps", n, format!("{fewest} to {MOST}")));
        }
        let even = |shift: f64| (0..n).map(|i| ((i as f64 + shift) / n as f64, 1.0 / n as f64)).collect();
        Ok(match self {
            Quadrature::GaussLegendre => {
                let rule = quadrature::Quadrature::new(n);
                rule.t.into_iter().zip(rule.weight).collect()
            }
            Quadrature::Left => even(0.0),
            Quadrature::Middle => even(0.5),
            Quadrature::Right => even(1.0),
            Quadrature::Trapezoid => {
                let parts = (n - 1) as f64;
                let weight = |i| if i == 0 || i == n - 1 { 0.5 / parts } else { 1.0 / parts };
                (0..n).map(|i| (i as f64 / parts, weight(i))).collect()
            }
        })
    }
}

/// Nodes cost the square of their number.
const MOST: usize = 100_000;

impl std::str::FromStr for Quadrature {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        use Quadrature::*;
        [GaussLegendre, Left, Right, Middle, Trapezoid]
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| Error::parameter("quadrature", name, "gauss-legendre, left, right, middle or trapezoid"))
    }
}
