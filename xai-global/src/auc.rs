//! The area under the ROC curve.

use ndarray::ArrayView1;
use xai_core::Table;

/// P(score of a positive > score of a negative) + ½ P(equal), pairs weighted by the product of their weights; `None`
/// when there is no positive or no negative.
pub(crate) fn binary(
    scores: &ArrayView1<f64>,
    classes: &[usize],
    positive: usize,
    weights: Option<&[f64]>,
) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(a.cmp(&b)));
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    let (mut below, mut positives, mut won) = (0.0, 0.0, 0.0);
    for equal in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let (mut ups, mut downs) = (0.0, 0.0);
        for &i in equal {
            *(if classes[i] == positive { &mut ups } else { &mut downs }) += weight(i);
        }
        won += ups * (below + 0.5 * downs);
        positives += ups;
        below += downs;
    }
    (positives > 0.0 && below > 0.0).then(|| won / (positives * below))
}

/// The mean over the classes of each against the rest; `None` when a class does not occur.
pub(crate) fn one_against_rest(scores: &Table, classes: &[usize], weights: Option<&[f64]>) -> Option<f64> {
    let areas = scores.columns().into_iter().enumerate().map(|(k, column)| binary(&column, classes, k, weights));
    let areas: Option<Vec<f64>> = areas.collect();
    areas.map(|areas| areas.iter().sum::<f64>() / areas.len() as f64)
}
