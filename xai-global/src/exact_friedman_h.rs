//! Friedman's H of tree ensembles on all data, from the trees themselves.

use ndarray::{Array2, ArrayView1, Axis, Slice};
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::model::{feature_names, output_names};
use xai_core::{
    Explainer, Importance, InteractionIndex, Interactions, Meter, Provenance, Result, Run, Table, TreeStructured,
};
use xai_local::tree::InterventionalTreeInteractions;

use crate::copies::check_samples;
use crate::exact_derivatives::LastDerivatives;
use crate::h_statistic::{HStatistic, Spread, finish};
use crate::labels::check_weights;

/// The samples that are looked at first; how many follow at a time depends on how many sets there are.
const FIRST: usize = 64;
/// The most samples at a time.
const MOST: usize = 4096;
/// The numbers that may be held for the samples looked at.
const NUMBERS: usize = 1 << 23;

/// How strongly the features of a tree ensemble interact: the numbers of [`FriedmanH`](crate::FriedmanH) for the
/// margins, on all samples instead of a few, without a call of the model.
///
/// Every mean runs over all samples, and every sum too: what takes n² evaluations for each pair by the definition is the
/// spread over the samples of a Möbius coefficient, F(j,k) − F(j) − F(k) up to a constant, which
/// [`InterventionalTreeInteractions`] finds for all pairs at once with the data as background. Pairs that no path of a
/// tree holds do not interact; they are not listed.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `statistic` | pairs | between two features, or one and all others |
/// | `normalized` | true | H; otherwise the standard deviation of what is not additive, in units of the margins |
/// | `weights` | equal | the weight of each sample |
///
/// # Shapes
/// values (pair or feature, output); pairs are called `a:b`.
///
/// # Units
/// H, not its square.
///
/// # Cost
/// No model calls. For each sample, every leaf and the pairs of its path.
///
/// # Errors
/// [`Error::Parameter`](xai_core::Error::Parameter) for no samples or weights that make no sense, and those of
/// [`InterventionalTreeInteractions`].
///
/// # Laws
/// `exact_h_equals_the_definition`, `h_of_a_product_is_known`.
///
/// # Source
/// Friedman & Popescu 2008, "Predictive learning via rule ensembles", equations 44 to 46. *differs:* samples have
/// weights.
///
/// # Example
/// ```
/// use xai_global::{ExactFriedmanH, HStatistic};
/// let method = ExactFriedmanH { statistic: HStatistic::Overall, ..Default::default() };
/// assert!(method.normalized && method.weights.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExactFriedmanH {
    /// Between whom.
    pub statistic: HStatistic,
    /// Divide by the spread of the whole effect.
    pub normalized: bool,
    /// The weight of each sample: (sample).
    pub weights: Option<Vec<f64>>,
}

impl Default for ExactFriedmanH {
    fn default() -> Self {
        ExactFriedmanH { statistic: HStatistic::Pairs, normalized: true, weights: None }
    }
}

impl<M: TreeStructured + ?Sized> Explainer<M> for ExactFriedmanH {
    type Explanation = Importance;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Importance> {
        check_samples(batch, 1)?;
        check_weights(self.weights.as_deref(), batch.nrows())?;
        let trees = model.trees();
        same_shape("columns of the batch", &[trees.n_features], &[batch.ncols()])?;
        let names = feature_names(model, batch)?;
        let overall = self.statistic == HStatistic::Overall;
        let method = InterventionalTreeInteractions {
            index: InteractionIndex::Moebius,
            order: if overall { 1 } else { 2 },
            weights: self.weights.clone(),
            ..InterventionalTreeInteractions::new(batch.to_owned())
        };
        let last = overall.then(|| LastDerivatives::new(trees, batch, self.weights.as_deref()));
        let meter = Meter::new(run, batch.nrows() as u64);
        let mut sums: Option<Sums> = None;
        let (mut first, mut size) = (0, FIRST);
        while first < batch.nrows() {
            meter.tick(first as u64)?;
            let until = batch.nrows().min(first + size);
            let samples = batch.slice_axis(Axis(0), Slice::from(first..until));
            // Cancelled between blocks; progress is told in samples.
            let found = method.explain(model, &samples, &Run::default())?;
            let sums = sums.get_or_insert_with(|| Sums::new(&found, overall, trees.n_features));
            let last = last.as_ref().map(|last| last.of(trees, &samples));
            for sample in 0..samples.nrows() {
                let weight = self.weights.as_ref().map_or(1.0, |weights| weights[first + sample]);
                sums.add(&found, sample, weight, last.as_ref());
            }
            let numbers = found.values.len() / samples.nrows();
            (first, size) = (until, (NUMBERS / numbers.max(1)).clamp(FIRST, MOST));
        }
        meter.tick(batch.nrows() as u64)?;
        // There is a sample, so there are sums.
        let sums = sums.unwrap_or_else(|| Sums::empty(trees.n_outputs));
        let name = |item: &Item| match *item {
            Item::Pair { players: [j, k], .. } => format!("{}:{}", names[j].name, names[k].name),
            Item::Feature { feature, .. } => names[feature].name.clone(),
        };
        let provenance = Provenance::new("exact-friedman-h", run)
            .with("statistic", if overall { "overall" } else { "pairs" })
            .with("n_samples", batch.nrows())
            .with("normalized", self.normalized)
            .with("weighted", self.weights.is_some());
        let provenance = match overall {
            true => provenance,
            false => provenance.note("pairs that are not listed do not interact: no path of a tree holds both"),
        };
        let items = sums.items.iter().map(name).collect();
        let spreads = (&sums.left, &sums.whole);
        Ok(finish(items, output_names(model), self.normalized, &sums.largest, spreads, provenance))
    }
}

/// Whose statistic is asked for, and where its parts stand among the terms.
enum Item {
    Pair { players: [usize; 2], singles: [usize; 2], pair: usize },
    Feature { feature: usize, single: Option<usize> },
}

/// What has been seen so far: (item, output).
struct Sums {
    items: Vec<Item>,
    left: Spread,
    whole: Spread,
    /// The largest score of each output.
    largest: Vec<f64>,
}

impl Sums {
    fn empty(n_outputs: usize) -> Self {
        Sums { items: Vec::new(), left: Spread::new(0), whole: Spread::new(0), largest: vec![0.0; n_outputs] }
    }

    fn new(found: &Interactions, overall: bool, n_features: usize) -> Self {
        let mut single = vec![None; n_features];
        for (place, term) in found.terms.iter().enumerate() {
            if let [player] = term.as_slice() {
                single[*player] = Some(place);
            }
        }
        let items: Vec<Item> = if overall {
            single.iter().enumerate().map(|(feature, &single)| Item::Feature { feature, single }).collect()
        } else {
            let pair = |(pair, term): (usize, &Vec<usize>)| match *term.as_slice() {
                // Every part of a set is listed with it.
                [j, k] => Some(Item::Pair { players: [j, k], singles: [single[j]?, single[k]?], pair }),
                _ => None,
            };
            found.terms.iter().enumerate().filter_map(pair).collect()
        };
        let n = items.len() * found.outputs.len();
        Sums { items, left: Spread::new(n), whole: Spread::new(n), largest: vec![0.0; found.outputs.len()] }
    }

    /// Takes one sample; `last` is what each feature adds when all others are present: (sample, feature · output).
    fn add(&mut self, found: &Interactions, sample: usize, weight: f64, last: Option<&Array2<f64>>) {
        let (values, scores) = (found.values.index_axis(Axis(0), sample), found.scores.row(sample));
        self.largest.iter_mut().zip(scores).for_each(|(most, score)| *most = most.max(score.abs()));
        let n_outputs = scores.len();
        let last: Option<ArrayView1<f64>> = last.map(|last| last.row(sample));
        let each = |items: &[Item], part: &dyn Fn(&Item, usize) -> f64| -> Vec<f64> {
            items.iter().flat_map(|item| (0..n_outputs).map(move |output| part(item, output))).collect()
        };
        let left = each(&self.items, &|item, output| match *item {
            Item::Pair { pair, .. } => values[[pair, output]],
            Item::Feature { feature, single } => {
                let last = last.map_or(0.0, |last| last[feature * n_outputs + output]);
                last - single.map_or(0.0, |single| values[[single, output]])
            }
        });
        let whole = each(&self.items, &|item, output| match *item {
            Item::Pair { singles: [j, k], pair, .. } => {
                values[[j, output]] + values[[k, output]] + values[[pair, output]]
            }
            Item::Feature { .. } => scores[output],
        });
        self.left.add(weight, left.into_iter());
        self.whole.add(weight, whole.into_iter());
    }
}
