//! Explanations to draw.

use ndarray::{Array2, Array3};
use xai_core::{Attribution, Feature, InteractionIndex, Interactions, Output, Provenance, Run, Scale};

/// An attribution whose scores are complete, from numbers that follow no pattern.
pub fn attribution(samples: usize, features: usize, outputs: usize) -> Attribution {
    let number = |i: usize| ((i as f64 * 12.9898).sin() * 43758.5453).fract();
    let values = Array3::from_shape_fn((samples, features, outputs), |(s, f, o)| {
        number(s * 7919 + f * 104_729 + o * 1_299_709) * 2.0 / (1.0 + f as f64)
    });
    complete(values)
}

/// An attribution of given values, base 0.5.
pub fn complete(values: Array3<f64>) -> Attribution {
    let (samples, features, outputs) = values.dim();
    let base = Array2::from_elem((samples, outputs), 0.5);
    let scores = &base + &values.sum_axis(ndarray::Axis(1));
    let data = Array2::from_shape_fn((samples, features), |(s, f)| (s as f64 * 0.37 + f as f64).sin() * 10.0);
    Attribution {
        provenance: Provenance::new("tree-shap", &Run::default()),
        features: Feature::unnamed(features),
        outputs: (0..outputs).map(|o| Output::new(format!("output {o}"), Scale::LogOdds)).collect(),
        base,
        values,
        scores,
        standard_error: None,
        data: Some(data),
        fidelity: None,
        shape: None,
    }
}

/// Interactions of all features and pairs, from numbers that follow no pattern, base 0.5.
pub fn interactions(samples: usize, features: usize, outputs: usize) -> Interactions {
    let number = |i: usize| ((i as f64 * 78.233).sin() * 43758.5453).fract();
    let mut terms: Vec<Vec<usize>> = (0..features).map(|i| vec![i]).collect();
    terms.extend((0..features).flat_map(|i| (i + 1..features).map(move |j| vec![i, j])));
    let values = Array3::from_shape_fn((samples, terms.len(), outputs), |(s, t, o)| {
        number(s * 7919 + t * 104_729 + o * 1_299_709) * if terms[t].len() == 1 { 2.0 } else { 0.5 }
    });
    let base = Array2::from_elem((samples, outputs), 0.5);
    let scores = &base + &values.sum_axis(ndarray::Axis(1));
    Interactions {
        provenance: Provenance::new("exact-interactions", &Run::default()),
        index: InteractionIndex::KSii,
        order: 2,
        features: Feature::unnamed(features),
        outputs: (0..outputs).map(|o| Output::new(format!("output {o}"), Scale::LogOdds)).collect(),
        terms,
        base,
        values,
        scores,
        standard_error: None,
        data: Some(Array2::from_shape_fn((samples, features), |(s, f)| (s as f64 * 0.37 + f as f64).sin() * 10.0)),
    }
}
