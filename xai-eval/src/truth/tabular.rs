//! Tables with models whose right attribution is known, after XAI-Units (Lee et al. 2025) and its forebears.

use ndarray::Array2;
use xai_core::Result;

use super::{Known, Term, Terms};
use crate::draws::Draws;

/// All tables of this module, with the same number of samples and the same seed.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for no samples.
pub fn tables(n_samples: usize, seed: u64) -> Result<Vec<Known<Terms>>> {
    type Maker = fn(usize, u64) -> Result<Known<Terms>>;
    let makers: [Maker; 9] =
        [additive, interacting, cancelling, saturating, stepped, shattered, logical, correlated, redundant];
    makers.iter().map(|make| make(n_samples, seed)).collect()
}

/// Curves of single features: a line, a parabola, a step and half a wave; the last two of six features are unused.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for no samples.
pub fn additive(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let terms = vec![
        Term::Linear { feature: 0, slope: 2.0 },
        Term::Square { feature: 1, weight: 1.5 },
        Term::Step { feature: 2, threshold: 0.0, height: 1.0 },
        Term::Wave { feature: 3, height: 1.0, frequency: 1.5 },
    ];
    from_normal("additive", 6, terms, n_samples, seed, |_| {})
}

/// Products of two and of three features beside a line; the last of seven features is unused.
///
/// # Errors
/// As [`additive`].
pub fn interacting(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let terms = vec![
        Term::Linear { feature: 0, slope: 1.0 },
        Term::Product { features: vec![1, 2], weight: 2.0 },
        Term::Product { features: vec![3, 4, 5], weight: -2.0 },
    ];
    from_normal("interacting", 7, terms, n_samples, seed, |_| {})
}

/// Pairs of features with opposite slopes and nearly the same values: shares are large, scores small. The last of five
/// features is small and unopposed.
///
/// # Errors
/// As [`additive`].
pub fn cancelling(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let slope = |feature, slope| Term::Linear { feature, slope };
    let terms = vec![slope(0, 4.0), slope(1, -4.0), slope(2, 2.0), slope(3, -2.0), slope(4, 0.5)];
    from_normal("cancelling", 5, terms, n_samples, seed, |row| {
        row[1] = row[0] + 0.05 * row[1];
        row[3] = row[2] + 0.05 * row[3];
    })
}

/// More evidence than is needed: min(1, Σ of four positive features), three times; the last two of six are unused.
///
/// # Errors
/// As [`additive`].
pub fn saturating(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let terms = vec![Term::Saturation { features: vec![0, 1, 2, 3], height: 3.0 }];
    from_normal("saturating", 6, terms, n_samples, seed, |row| row.iter_mut().for_each(|x| *x = x.abs()))
}

/// Jumps only; the last two of six features are unused.
///
/// # Errors
/// As [`additive`].
pub fn stepped(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let step = |feature, threshold, height| Term::Step { feature, threshold, height };
    let terms = vec![step(0, 0.0, 3.0), step(1, 0.5, -2.0), step(2, -0.5, 1.0), step(3, 0.0, 0.5)];
    from_normal("stepped", 6, terms, n_samples, seed, |_| {})
}

/// A slow line under a fast wave that adds next to nothing but makes the slope: gradients see the wave. The last two of
/// five features are unused.
///
/// # Errors
/// As [`additive`].
pub fn shattered(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let wave = |feature| Term::Wave { feature, height: 0.02, frequency: 1000.0 };
    let line = |feature, slope| Term::Linear { feature, slope };
    let terms = vec![line(0, 2.0), wave(0), line(1, -1.0), wave(1), line(2, 0.5), wave(2)];
    from_normal("shattered", 5, terms, n_samples, seed, |_| {})
}

/// Truth values: (0 and 1) or (2 or 3), and 4, whose absence speaks against; the last of six features is unused.
/// Absence is false.
///
/// # Errors
/// As [`additive`].
pub fn logical(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let terms = vec![
        Term::All { features: vec![0, 1], height: 2.0 },
        Term::Any { features: vec![2, 3], height: 1.0 },
        Term::Linear { feature: 4, slope: -1.0 },
    ];
    let model = Terms::new(6, vec![(0.0, terms)])?;
    let batch = Array2::from_shape_fn((n_samples, 6), |(i, j)| f64::from(u8::from(draw(seed, i, j).uniform() < 0.5)));
    known("logical", model, batch, Array2::zeros((1, 6)))
}

/// A line of three of six features, all of which correlate by 0.9.
///
/// # Errors
/// As [`additive`].
pub fn correlated(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let slope = |feature, slope| Term::Linear { feature, slope };
    let terms = vec![slope(0, 3.0), slope(2, -2.0), slope(4, 1.0)];
    from_normal("correlated", 6, terms, n_samples, seed, |row| {
        // x = √ρ·z + √(1 − ρ)·own, with what is drawn for a seventh feature as z.
        let shared = row[6];
        row.iter_mut().for_each(|x| *x = 0.9f64.sqrt() * shared + 0.1f64.sqrt() * *x);
    })
}

/// Features that stand twice, of which the model reads one only.
///
/// # Errors
/// As [`additive`].
pub fn redundant(n_samples: usize, seed: u64) -> Result<Known<Terms>> {
    let terms = vec![
        Term::Linear { feature: 0, slope: 2.0 },
        Term::Linear { feature: 2, slope: -1.0 },
        Term::Square { feature: 4, weight: 1.0 },
    ];
    from_normal("redundant", 6, terms, n_samples, seed, |row| {
        (row[1], row[3], row[5]) = (row[0], row[2], row[4]);
    })
}

/// Rows of standard normal numbers, changed by `change`, which sees one number more than there are features; the
/// background is 50 more of them.
fn from_normal(
    name: &'static str,
    n_features: usize,
    terms: Vec<Term>,
    n_samples: usize,
    seed: u64,
    change: impl Fn(&mut [f64]),
) -> Result<Known<Terms>> {
    const BACKGROUND: usize = 50;
    let rows = |count: usize, seed: u64| {
        let mut table = Array2::zeros((count, n_features));
        for (i, mut row) in table.outer_iter_mut().enumerate() {
            let mut drawn: Vec<f64> = (0..=n_features).map(|j| draw(seed, i, j).normal()).collect();
            change(&mut drawn);
            row.iter_mut().zip(&drawn).for_each(|(cell, x)| *cell = *x);
        }
        table
    };
    let model = Terms::new(n_features, vec![(0.0, terms)])?;
    known(name, model, rows(n_samples, seed), rows(BACKGROUND, !seed))
}

fn known(name: &'static str, model: Terms, batch: Array2<f64>, background: Array2<f64>) -> Result<Known<Terms>> {
    if batch.nrows() == 0 {
        return Err(xai_core::Error::parameter("n_samples", 0, "at least 1"));
    }
    let truth = model.shares(&batch, &background)?;
    Ok(Known::new(name, model, batch, background, truth))
}

/// The numbers of one cell: they hang on the seed and the place, not on how many samples are made.
fn draw(seed: u64, sample: usize, feature: usize) -> Draws {
    Draws::nth(seed ^ (feature as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), sample)
}
