//! How much of an explanation lies on the evidence.

use std::time::Instant;

use ndarray::{Array2, ArrayD, Axis};
use xai::core::{Attribution, Document, Error, Feature, Model, Result, Run};
use xai::eval::{Case, Interval, Metric, PointingGame, RelevanceMassAccuracy, RelevanceRankAccuracy, TopKIntersection};
use xai::registry::{ArrayInputs, Arrays, Form, Method, Settings};
use xai_benches::processor_seconds;

use crate::scenes::Scene;

/// What a method reaches.
pub struct Row {
    /// The method.
    pub method: String,
    /// The part of the positive mass on the evidence, the mean over the pictures where there is such a mass.
    pub mass: Option<f64>,
    /// Where that mean may lie, had other pictures been drawn.
    pub interval: Option<Interval>,
    /// How often the strongest place is evidence.
    pub pointing: Option<f64>,
    /// The part of the `k` strongest places that is evidence.
    pub top: Option<f64>,
    /// The part of as many strongest places as there is evidence that is evidence.
    pub rank: Option<f64>,
    /// For how many pictures nothing is positive.
    pub n_without_mass: usize,
    /// Samples scored for one picture.
    pub evaluations: f64,
    /// Seconds of processor time for one picture; of the clock where the system does not tell.
    pub seconds: f64,
}

/// What came of a method.
pub enum Outcome {
    /// It was scored.
    Scored(Row),
    /// It does not say anything of places of the picture, and why.
    LeftOut(String),
    /// It explains no images.
    OfOtherForms,
}

/// Runs a method with its default parameters and compares what it says with the evidence.
pub fn score(method: &dyn Method, scene: &Scene, seed: u64) -> Result<Outcome> {
    if !method.spec().forms.contains(&Form::Image) {
        return Ok(Outcome::OfOtherForms);
    }
    let background: ArrayD<f64> = scene.background.mapv(f64::from).into_dyn();
    let run = Run { seed, ..Run::default() };
    let arrays = Arrays::Images(&scene.network, &scene.batch);
    let inputs = ArrayInputs { arrays, background: Some(&background), run: &run };
    let (began, spent) = (Instant::now(), processor_seconds());
    let found = method.explain_arrays(&inputs, &Settings::default_of(method.spec()));
    let seconds = match (spent, processor_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => began.elapsed().as_secs_f64(),
    };
    let attribution = match found {
        Ok(Document::Attribution(attribution)) => attribution,
        Ok(_) => return Ok(Outcome::LeftOut("it is no attribution".into())),
        Err(error @ (Error::Unsupported { .. } | Error::Parameter { .. } | Error::InLayer { .. })) => {
            return Ok(Outcome::LeftOut(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    let Some(pooled) = pooled(&attribution, scene)? else {
        return Ok(Outcome::LeftOut("it speaks of a layer, not of places of the picture".into()));
    };
    let n = scene.outputs.len() as f64;
    let case = Case::new(&scene.network, &*scene.batch).with_masks(&scene.masks);
    let of = |metric: &dyn Metric<_>| -> Result<Array2<f64>> {
        let all = metric.measure(&case, &pooled, &run)?.values;
        Ok(Array2::from_shape_fn((scene.outputs.len(), 1), |(sample, _)| all[[sample, scene.outputs[sample]]]))
    };
    let mass = of(&RelevanceMassAccuracy::default())?;
    Ok(Outcome::Scored(Row {
        method: method.spec().name.clone(),
        interval: Interval::of_mean(&mass, Interval::LEVEL, seed),
        pointing: mean(&of(&PointingGame::default())?),
        top: mean(&of(&TopKIntersection { k: scene.k, ..TopKIntersection::default() })?),
        rank: mean(&of(&RelevanceRankAccuracy::default())?),
        n_without_mass: mass.iter().filter(|value| value.is_nan()).count(),
        mass: mean(&mass),
        evaluations: attribution.provenance.evaluations as f64 / n,
        seconds: seconds / n,
    }))
}

/// The attribution to places, a sum over the channels; `None` for one to anything but the places of the pictures.
fn pooled(attribution: &Attribution, scene: &Scene) -> Result<Option<Attribution>> {
    let places = &scene.batch.shape()[2..];
    let channels = match attribution.shape.as_deref() {
        Some(shape) if shape == places => 1,
        Some([channels, rest @ ..]) if rest == places => *channels,
        _ => return Ok(None),
    };
    let (samples, _, outputs) = attribution.values.dim();
    let n_places: usize = places.iter().product();
    let by_channel = attribution.values.to_shape((samples, channels, n_places, outputs)).map_err(Error::model)?;
    let shape = vec![1, places[0], places[1]];
    let pooled = Attribution {
        values: by_channel.sum_axis(Axis(1)),
        features: Feature::cells(&shape),
        shape: Some(shape),
        standard_error: None,
        data: None,
        ..attribution.clone()
    };
    debug_assert_eq!(scene.network.n_outputs(), outputs);
    pooled.checked().map(Some)
}

/// The mean of what is a number.
fn mean(values: &Array2<f64>) -> Option<f64> {
    let numbers: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}
