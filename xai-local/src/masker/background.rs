//! Rows that stand for absence.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai_core::error::same_shape;
use xai_core::{Error, Feature, Groups, Masker, Result, Table};

/// Weighted rows of data that stand for absence: a coalition is worth the weighted mean of the model's scores on the
/// rows, each with the present players' columns overwritten by the sample's.
///
/// v(S) = Σᵣ wᵣ f(x_S, zᵣ_{N∖S}): the *interventional* (marginal) expectation. Cells may be NaN where values are
/// missing; they go to the model as they are.
///
/// # Cost
/// One evaluation a row and coalition: 50 to 200 rows are usual. See [`Background::sample`] and [`Background::kmeans`].
///
/// # Laws
/// `mask_takes_present_columns_from_the_sample`.
///
/// # Example
/// ```
/// use xai_core::Masker;
/// use xai_local::masker::Background;
/// let background = Background::new(ndarray::array![[0.0, 0.0], [1.0, 1.0]])?;
/// let masked = background.mask(&ndarray::array![[7.0, 8.0]], 0, &ndarray::array![[true, false]])?;
/// assert_eq!(masked, ndarray::array![[7.0, 0.0], [7.0, 1.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    rows: Array2<f64>,
    weights: Vec<f64>,
    groups: Option<Groups>,
    /// The player of each column.
    player_of: Vec<usize>,
    kind: &'static str,
}

impl Background {
    /// Rows of equal weight: (row, feature).
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is no row.
    pub fn new(rows: Array2<f64>) -> Result<Self> {
        let weights = vec![1.0; rows.nrows()];
        Background::weighted(rows, weights)
    }

    /// Rows with weights of their own, which are scaled to sum to one.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of weights than rows; [`Error::Parameter`] when there is no row, a weight
    /// is negative or not finite, or all are zero.
    pub fn weighted(rows: Array2<f64>, mut weights: Vec<f64>) -> Result<Self> {
        if rows.nrows() == 0 {
            return Err(Error::parameter("background", "no row", "at least one row"));
        }
        same_shape("weights of the background", &[rows.nrows()], &[weights.len()])?;
        if let Some((row, weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            let expected = "a finite weight of at least 0";
            return Err(Error::parameter(format!("weight of background row {row}"), weight, expected));
        }
        let sum: f64 = weights.iter().sum();
        if !(sum.is_finite() && sum > 0.0) {
            return Err(Error::parameter("weights of the background", format!("a sum of {sum}"), "a positive sum"));
        }
        weights.iter_mut().for_each(|w| *w /= sum);
        let player_of = (0..rows.ncols()).collect();
        // Row by row in memory, so that a row is copied in one piece.
        let rows = rows.as_standard_layout().into_owned();
        Ok(Background { rows, weights, groups: None, player_of, kind: "background" })
    }

    /// At most `n` rows of `data`, drawn without replacement, in the order of the data.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `n` or the number of rows is zero.
    pub fn sample(data: &Table, n: usize, seed: u64) -> Result<Self> {
        Background::new(data.select(Axis(0), &drawn(data.nrows(), n, seed)?))
    }

    /// The same rows as [`Background::sample`] draws, whatever they weigh; each keeps its weight.
    ///
    /// # Errors
    /// Those of [`Background::sample`] and [`Background::weighted`].
    pub fn sample_weighted(data: &Table, weights: &[f64], n: usize, seed: u64) -> Result<Self> {
        same_shape("weights of the background", &[data.nrows()], &[weights.len()])?;
        let rows = drawn(data.nrows(), n, seed)?;
        let kept = rows.iter().map(|&row| weights[row]).collect();
        Background::weighted(data.select(Axis(0), &rows), kept)
    }

    /// At most `k` weighted rows that summarise `data`: k-means centres, each coordinate rounded to the nearest value
    /// that the data has in that column, each weighing as many rows as lie nearest to it.
    ///
    /// Deterministic: k-means++ from `seed`, then Lloyd's steps until no row changes its centre. Missing cells count
    /// as the column's mean while clustering. Centres that no row is nearest to, as when `data` has fewer than `k`
    /// different rows, are left out.
    ///
    /// # Cost
    /// O(rows · k · features) a step, at most 300 steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] when `k` or the number of rows is zero; [`Error::NonFinite`] for an infinite cell.
    ///
    /// # Source
    /// Arthur & Vassilvitskii 2007; the rounding is that of `shap.kmeans`. *Differs:* where a column has missing cells
    /// the centre is still rounded to a value that is there.
    pub fn kmeans(data: &Table, k: usize, seed: u64) -> Result<Self> {
        let (rows, weights) = super::kmeans::summary(data, k, seed)?;
        Ok(Background { kind: "k-means background", ..Background::weighted(rows, weights)? })
    }

    /// The same rows with groups of columns as players.
    ///
    /// # Errors
    /// Those of [`Groups::player_of`].
    pub fn grouped(mut self, groups: Groups) -> Result<Self> {
        self.player_of = groups.player_of(self.rows.ncols())?;
        self.groups = Some(groups);
        Ok(self)
    }

    /// The rows: (row, feature).
    pub fn rows(&self) -> &ArrayRef2<f64> {
        &self.rows
    }

    /// The weight of each row; they sum to one.
    pub fn row_weights(&self) -> &[f64] {
        &self.weights
    }

    /// The groups of columns that are players, unless every column is one of its own.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// The player of each column.
    pub fn player_of(&self) -> &[usize] {
        &self.player_of
    }

    /// The weighted mean of each column.
    pub fn mean(&self) -> Array1<f64> {
        ndarray::ArrayView1::from(&self.weights).dot(&self.rows)
    }

    pub(super) fn of_one(row: Array1<f64>, kind: &'static str) -> Self {
        let player_of = (0..row.len()).collect();
        let rows = row.insert_axis(Axis(0)).as_standard_layout().into_owned();
        Background { rows, weights: vec![1.0], groups: None, player_of, kind }
    }

    fn fill(&self, sample: &ArrayRef1<f64>, coalitions: &ArrayRef2<bool>) -> Array2<f64> {
        let (rows, columns) = self.rows.dim();
        let mut cells = Vec::with_capacity(coalitions.nrows() * rows * columns);
        let background = self.rows.as_slice().unwrap_or_default();
        let mut present = Vec::with_capacity(columns);
        for coalition in coalitions.outer_iter() {
            let start = cells.len();
            cells.extend_from_slice(background);
            present.clear();
            present.extend((0..columns).filter(|&c| coalition[self.player_of[c]]).map(|c| (c, sample[c])));
            if columns > 0 && !present.is_empty() {
                for row in cells[start..].chunks_exact_mut(columns) {
                    for &(column, value) in &present {
                        row[column] = value;
                    }
                }
            }
        }
        let shape = (coalitions.nrows() * rows, columns);
        Array2::from_shape_vec(shape, cells).unwrap_or_else(|_| Array2::zeros(shape))
    }
}

impl Masker<Table> for Background {
    fn n_players(&self, _batch: &Table, _sample: usize) -> usize {
        self.groups.as_ref().map_or(self.rows.ncols(), Groups::len)
    }

    fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn empty_is_shared(&self) -> bool {
        true
    }

    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        same_shape("features of the batch, by the background", &[self.rows.ncols()], &[batch.ncols()])?;
        let players = self.n_players(batch, sample);
        same_shape("players of the coalitions", &[players], &[coalitions.ncols()])?;
        Ok(self.fill(&batch.row(sample), coalitions))
    }

    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        if !features.is_empty() {
            same_shape("features of the model, by the background", &[self.rows.ncols()], &[features.len()])?;
        }
        Ok(match (&self.groups, features) {
            (Some(groups), _) => groups.players.clone(),
            (None, []) => Feature::unnamed(self.rows.ncols()),
            (None, features) => features.to_vec(),
        })
    }

    fn data(&self, batch: &Table) -> Option<Array2<f64>> {
        Some(match &self.groups {
            Some(groups) => groups.data(batch),
            None => batch.to_owned(),
        })
    }

    fn describe(&self) -> String {
        match self.rows.nrows() {
            1 => format!("{} of 1 row", self.kind),
            rows => format!("{} of {rows} rows", self.kind),
        }
    }
}

/// At most `n` of `rows` rows, ascending.
fn drawn(rows: usize, n: usize, seed: u64) -> Result<Vec<usize>> {
    if n == 0 {
        return Err(Error::parameter("rows of the background", n, "at least 1"));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Selection sampling (Knuth, algorithm S): one pass.
    let mut chosen = Vec::with_capacity(n.min(rows));
    for row in 0..rows {
        let (left, wanted) = (rows - row, n.min(rows) - chosen.len());
        if (rng.random_range(0..left as u64) as usize) < wanted {
            chosen.push(row);
        }
    }
    Ok(chosen)
}
