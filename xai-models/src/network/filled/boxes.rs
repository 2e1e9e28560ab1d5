//! All boxes of all samples.

use std::ops::Range;

use ndarray::Array2;
use xai_core::{Cells, Error, Result};

use super::super::graph::Network;
use super::super::model::finite;
use super::{Region, Untouched};

impl<B: Cells + ?Sized> Network<B> {
    /// The scores (sample · box, output) of copies of the samples in which one box holds `fill`.
    pub(in super::super) fn filled(
        &self,
        batch: &B,
        boxes: &[Vec<Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        let n = self.check(batch)?;
        let shape = self.input_shape();
        let fits = |hole: &&Vec<Range<usize>>| {
            hole.len() == shape.len() && hole.iter().zip(shape).all(|(r, &n)| r.start <= r.end && r.end <= n)
        };
        if let Some(hole) = boxes.iter().find(|hole| !fits(hole)) {
            return Err(Error::parameter("boxes", format!("{hole:?}"), format!("ranges within {shape:?}")));
        }
        if !(fill as f32).is_finite() {
            return Err(Error::parameter("fill", fill, "a finite number"));
        }
        let Some(regions) = boxes.iter().map(|hole| region(hole)).collect::<Option<Vec<_>>>() else { return Ok(None) };
        let (k, outputs) = (boxes.len(), self.plan.n_outputs());
        let parts = self.by_parts(n, |range, pool| {
            let n = range.len();
            let mut untouched = Untouched::new(&self.plan, n, self.enter(batch, range, pool)?, pool);
            let mut all = vec![0.0; n * k * outputs];
            for (place, &region) in regions.iter().enumerate() {
                let scores = untouched.scores(region, fill as f32, pool)?;
                finite("scores of the network, cells filled", &scores, outputs)?;
                for (sample, scores) in scores.chunks_exact(outputs).enumerate() {
                    all[(sample * k + place) * outputs..][..outputs].copy_from_slice(scores);
                }
                pool.give(scores);
            }
            untouched.give_back(pool);
            Ok(all)
        })?;
        self.scores(n * k, parts).map(Some)
    }
}

/// A box over the axes of a sample, where they are one to three.
fn region(hole: &[Range<usize>]) -> Option<Region> {
    let all = || 0..1;
    match hole {
        [cells] => Some(Region::of([cells.clone(), all(), all()])),
        [channels, columns] => Some(Region::of([channels.clone(), all(), columns.clone()])),
        [channels, rows, columns] => Some(Region::of([channels.clone(), rows.clone(), columns.clone()])),
        _ => None,
    }
}
