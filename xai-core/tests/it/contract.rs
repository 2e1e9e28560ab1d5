//! A ten-line model and a one-method explainer; traits as objects; threads.

use ndarray::{Array2, Array3, Axis, array};
use xai_core::{
    Attribution, Error, Explainer, Explanation, Feature, Game, MaskedGame, Masker, Meter, Model, Provenance, Replicas,
    Result, Run, Table, TreeStructured,
};

struct Sum;

impl Model for Sum {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1)))
    }
}

/// Each feature contributes its own value: right for `Sum`.
struct OwnValue;

impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for OwnValue {
    type Explanation = Attribution;
    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
        let meter = Meter::new(run, batch.nrows() as u64);
        let scores = meter.predict(model, batch)?;
        let values = batch.to_owned().insert_axis(Axis(2));
        let provenance = Provenance::new("own-value", run).evaluations(meter.evaluations());
        Attribution::of_table(model, batch, values, Array2::zeros(scores.dim()), scores, provenance)
    }
}

/// Documents: a batch that is no array.
struct Length;

impl Model for Length {
    type Batch = [String];
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &[String]) -> Result<Array2<f64>> {
        Ok(Array2::from_shape_fn((batch.len(), 1), |(i, _)| batch[i].len() as f64))
    }
}

struct Words;

impl Masker<[String]> for Words {
    fn n_players(&self, batch: &[String], sample: usize) -> usize {
        batch[sample].split(' ').count()
    }
    fn mask(&self, batch: &[String], sample: usize, coalitions: &ndarray::ArrayRef2<bool>) -> Result<Vec<String>> {
        let masked = |row: ndarray::ArrayView1<bool>| {
            batch[sample].split(' ').zip(row).filter(|(_, present)| **present).map(|(word, _)| word).collect()
        };
        Ok(coalitions.outer_iter().map(masked).collect())
    }
    fn describe(&self) -> String {
        "words".into()
    }
}

#[test]
fn a_user_model_and_a_user_explainer_work_together() {
    let batch = array![[1.0, 2.0], [3.0, 4.0]];
    let explanation = OwnValue.explain(&Sum, &batch, &Run::default()).unwrap();
    assert_eq!(explanation.completeness_residual(), Array2::<f64>::zeros((2, 1)));
    assert_eq!(explanation.features[1], Feature::numeric("x1"));
    assert_eq!(explanation.outputs[0].name, "y");
    assert_eq!(explanation.provenance().evaluations, 2);
}

#[test]
fn models_and_explainers_are_objects_and_cross_threads() {
    type AnyModel = dyn Model<Batch = Table>;
    fn crosses_threads<T: Send + Sync + ?Sized>() {}
    crosses_threads::<AnyModel>();
    crosses_threads::<dyn TreeStructured<Batch = Table>>();
    crosses_threads::<dyn Explainer<AnyModel, Explanation = Attribution>>();
    crosses_threads::<dyn Masker<Table>>();

    let model: Box<AnyModel> = Box::new(Sum);
    let explainer: Box<dyn Explainer<AnyModel, Explanation = Attribution>> = Box::new(OwnValue);
    let batch = array![[1.0, 2.0]];
    let explanation = explainer.explain(model.as_ref(), &batch, &Run::default()).unwrap();
    assert_eq!(explanation.scores, array![[3.0]]);
    // A box of a model is a model too.
    assert_eq!(OwnValue.explain(&model, &batch, &Run::default()).unwrap().scores, array![[3.0]]);
}

#[test]
fn a_game_over_words_is_worth_what_the_model_says() {
    let documents = ["a bcd ef".to_owned()];
    let run = Run::default();
    let meter = Meter::new(&run, 2);
    let batch = documents.as_slice();
    let masker: Box<dyn Masker<[String]>> = Box::new(Words);
    let game = MaskedGame { model: &Length, masker: &masker, batch, sample: 0, meter: &meter };
    assert_eq!(game.n_players(), 3);
    let worth = game.worth(&array![[false, false, false], [true, false, true]]).unwrap();
    assert_eq!(worth, array![[0.0], [3.0]]);
    assert_eq!(meter.evaluations(), 2);
}

/// Two background rows with unequal weights.
struct TwoRows;

impl Masker<Table> for TwoRows {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn weights(&self) -> &[f64] {
        &[0.25, 0.75]
    }
    fn mask(&self, batch: &Table, sample: usize, coalitions: &ndarray::ArrayRef2<bool>) -> Result<Array2<f64>> {
        let background = [0.0, 10.0];
        Ok(Array2::from_shape_fn((coalitions.nrows() * 2, batch.ncols()), |(i, j)| {
            if coalitions[[i / 2, j]] { batch[[sample, j]] } else { background[i % 2] }
        }))
    }
    fn describe(&self) -> String {
        "two rows".into()
    }
}

#[test]
fn worth_is_the_weighted_mean_over_replicas_whatever_the_number_of_coalitions() {
    let batch = array![[1.0, 2.0]];
    let run = Run::default();
    let meter = Meter::new(&run, 0);
    let game = MaskedGame { model: &Sum, masker: &TwoRows, batch: &*batch, sample: 0, meter: &meter };
    // More coalitions than one call of the model takes.
    let n = 5000;
    let coalitions = Array2::from_shape_fn((n, 2), |(i, j)| ((i % 4) >> j) & 1 == 1);
    let worth = game.worth(&coalitions).unwrap();
    for i in 0..n {
        let expected = [15.0, 8.5, 9.5, 3.0][i % 4];
        assert_eq!(worth[[i, 0]], expected, "coalition {i}");
    }
    assert_eq!(meter.evaluations(), 2 * n as u64);
}

/// Each coalition has as many replicas as it lacks players, or one; `sound` says whether it counts them right.
struct Varying {
    sound: bool,
}

impl Masker<Table> for Varying {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn weights(&self) -> &[f64] {
        &[0.5, 0.5]
    }
    fn mask(&self, _batch: &Table, _sample: usize, _coalitions: &ndarray::ArrayRef2<bool>) -> Result<Array2<f64>> {
        panic!("replicas are asked first")
    }
    fn replicas(
        &self,
        _batch: &Table,
        _sample: usize,
        coalitions: &ndarray::ArrayRef2<bool>,
    ) -> Result<Option<Replicas<Array2<f64>>>> {
        let (mut cells, mut weights, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for coalition in coalitions.outer_iter() {
            let absent = coalition.iter().filter(|&&here| !here).count();
            for k in 0..absent.max(1) {
                cells.extend([absent as f64, 10.0 * k as f64]);
                weights.push(if absent < 2 { 1.0 } else { [0.25, 0.75][k] });
            }
            ends.push(weights.len());
        }
        if !self.sound {
            ends.reverse();
        }
        let samples = Array2::from_shape_vec((weights.len(), 2), cells).unwrap();
        Ok(Some(Replicas { samples, weights, ends }))
    }
    fn describe(&self) -> String {
        "varying".into()
    }
}

#[test]
fn coalitions_may_have_replicas_and_weights_of_their_own() {
    let (batch, run) = (array![[1.0, 2.0]], Run::default());
    let coalitions = array![[true, true], [false, false], [false, true]];
    let meter = Meter::new(&run, 0);
    let masker: Box<dyn Masker<Table>> = Box::new(Varying { sound: true });
    let game = MaskedGame { model: &Sum, masker: &masker, batch: &*batch, sample: 0, meter: &meter };
    assert_eq!(game.worth(&coalitions).unwrap(), array![[0.0], [9.5], [1.0]]);
    assert_eq!(meter.evaluations(), 4);

    let game = MaskedGame { model: &Sum, masker: &Varying { sound: false }, batch: &*batch, sample: 0, meter: &meter };
    assert!(matches!(game.worth(&coalitions), Err(Error::Shape { .. })));
}

struct Broken(f64);

impl Model for Broken {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        2
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut scores = Array2::zeros((batch.nrows(), 2));
        scores[[1, 1]] = self.0;
        Ok(scores)
    }
}

#[test]
fn a_score_that_is_not_finite_is_an_error_that_names_its_place() {
    let batch = array![[1.0], [2.0]];
    for bad in [f64::NAN, f64::INFINITY] {
        let error = Meter::new(&Run::default(), 2).predict(&Broken(bad), &batch).unwrap_err();
        assert!(matches!(error, Error::NonFinite { sample: 1, column: 1, .. }), "{error}");
    }
}

#[test]
fn an_attribution_that_does_not_fit_together_is_refused() {
    let batch = array![[1.0, 2.0]];
    let scores = array![[3.0]];
    let provenance = Provenance::new("test", &Run::default());
    let misshapen = Array3::zeros((1, 3, 1));
    let error = Attribution::of_table(&Sum, &batch, misshapen, array![[0.0]], scores, provenance).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error}");
}
