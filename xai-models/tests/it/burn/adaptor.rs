//! Scores and gradients of burn modules.

use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use ndarray::{Array2, Array3, Array4, Axis, Slice, array};
use rand08::{Rng, SeedableRng, rngs::StdRng};
use xai_core::{Differentiable, Model, Parametric, Table};
use xai_models::burn::BurnModel;

use super::modules::{Cnn, Mlp, linear};

/// `f32` scores, differentiated over steps of [`STEP`]: their rounding alone moves a slope by 1e-5.
const SLOPE: f64 = 1e-3;
const STEP: f64 = 0.01;

pub fn noise(shape: (usize, usize), seed: u64) -> Array2<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    Array2::from_shape_simple_fn(shape, || f64::from(random.gen_range(-1.0_f32..1.0)))
}

fn mlp() -> BurnModel<Table, Mlp> {
    let device = Device::flex();
    BurnModel::table(Mlp::new(&device), 4, &device, |mlp, x, _| mlp.forward(x)).unwrap()
}

#[test]
fn burn_gradient_is_the_one_worked_out_by_hand() {
    let device = Device::flex();
    // relu(2a − b + 1) and relu(−a + 3b − 4)
    let layer = linear([[2.0, -1.0], [-1.0, 3.0]], [1.0, -4.0], &device);
    let model = BurnModel::table(layer, 2, &device, |layer, x, _| relu(layer.forward(x))).unwrap();
    let rows = array![[1.0, 2.0], [3.0, 1.0]];
    assert_eq!(model.predict(&rows).unwrap(), array![[1.0, 1.0], [6.0, 0.0]]);
    let weights = [array![[1.0, 0.0], [1.0, 0.0]], array![[1.0, 10.0], [1.0, 10.0]]];
    let (scores, gradients) = model.scores_and_vjps(&rows, &weights).unwrap();
    assert_eq!(scores, array![[1.0, 1.0], [6.0, 0.0]]);
    assert_eq!(gradients[0], array![[2.0, -1.0], [2.0, -1.0]]);
    assert_eq!(gradients[1], array![[-8.0, 29.0], [2.0, -1.0]]);
    assert_eq!(gradients[1], model.vjp(&rows, &weights[1]).unwrap());
}

#[test]
fn burn_gradients_are_finite_differences() {
    let (model, rows, weights) = (mlp(), noise((5, 4), 1), noise((5, 3), 2));
    let gradient = model.vjp(&rows, &weights).unwrap();
    for feature in 0..4 {
        let moved = |by: f64| {
            let mut rows = rows.clone();
            rows.column_mut(feature).mapv_inplace(|x| x + by);
            (model.predict(&rows).unwrap() * &weights).sum_axis(Axis(1))
        };
        let slopes = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        let found = gradient.column(feature);
        assert!(slopes.iter().zip(found).all(|(a, b)| (a - b).abs() < SLOPE), "{feature}: {slopes} {found}");
    }
}

#[test]
fn burn_training_layers_are_off() {
    // Fresh modules have dropout and batch statistics on, as soon as a tensor is on the graph.
    let (model, rows) = (mlp(), noise((6, 4), 3));
    let ones = Array2::ones((6, 3));
    let (scores, gradients) = model.scores_and_vjps(&rows, &[ones.clone(), ones.clone()]).unwrap();
    assert_eq!(scores, model.predict(&rows).unwrap());
    assert_eq!(gradients[0], gradients[1]);
    let alone = model.vjp(&rows.select(Axis(0), &[2]), &Array2::ones((1, 3))).unwrap();
    let together = gradients[0].select(Axis(0), &[2]);
    assert!((alone - together).iter().all(|gap| gap.abs() < 1e-6));
    let trained = Mlp::new(&Device::flex().autodiff());
    let cells: Vec<f32> = rows.iter().map(|&x| x as f32).collect();
    let x = Tensor::<2>::from_data(TensorData::new(cells, [6, 4]), &Device::flex());
    let expected: Vec<f32> = burn::module::Module::valid(&trained).forward(x).try_into_vec_as().unwrap();
    let model = BurnModel::table(trained, 4, &Device::flex().autodiff(), |mlp, x, _| mlp.forward(x)).unwrap();
    let found: Vec<f32> = model.predict(&rows).unwrap().iter().map(|&x| x as f32).collect();
    assert_eq!(found, expected);
}

#[test]
fn burn_scores_have_the_same_bits_on_any_threads() {
    let (rows, weights) = (noise((150, 4), 4), noise((150, 3), 5));
    let model = mlp().rows(16);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| model.scores_and_vjps(&rows, std::slice::from_ref(&weights)).unwrap())
    };
    assert_eq!(run(1), run(3));
    // A batch cut anywhere.
    let (scores, gradients) = run(1);
    for cut in [1, 7, 16, 149] {
        let part = |rows: &Array2<f64>| rows.slice_axis(Axis(0), Slice::from(cut..)).to_owned();
        let (some, slopes) = model.scores_and_vjps(&part(&rows), &[part(&weights)]).unwrap();
        assert_eq!(some, part(&scores), "cut at {cut}");
        assert_eq!(slopes[0], part(&gradients[0]), "cut at {cut}");
    }
}

#[test]
fn burn_takes_series_and_images() {
    let device = Device::flex();
    let series = BurnModel::series(linear([[1.0], [2.0], [3.0]], [0.5], &device), [1, 3], &device, |layer, x, _| {
        layer.forward(x.flatten::<2>(1, 2))
    })
    .unwrap();
    let batch = Array3::from_shape_vec((1, 1, 3), vec![1.0, 1.0, 2.0]).unwrap();
    assert_eq!(series.predict(&batch).unwrap(), array![[9.5]]);
    assert_eq!(series.vjp(&batch, &array![[2.0]]).unwrap().into_raw_vec_and_offset().0, [2.0, 4.0, 6.0]);
    let images = BurnModel::images(Cnn::new(&device), [2, 6, 6], &device, Cnn::forward).unwrap();
    let batch = Array4::from_elem((3, 2, 6, 6), 0.25);
    assert_eq!(images.predict(&batch).unwrap().dim(), (3, 2));
    assert_eq!(images.vjp(&batch, &Array2::ones((3, 2))).unwrap().dim(), (3, 2, 6, 6));
    assert_eq!(images.predict(&Array4::zeros((0, 2, 6, 6))).unwrap().dim(), (0, 2));
}

#[test]
fn burn_parameters_can_be_replaced() {
    let model = mlp();
    assert_eq!(model.parameter_layers(), ["first", "norm", "last"]);
    let mut seen = vec![];
    let zero = model
        .with_parameters(&mut |layer, name, mut cells| {
            seen.push((layer, name.to_owned(), cells.shape().to_vec()));
            if layer == 2 {
                cells.fill(if name == "bias" { 7.0 } else { 0.0 });
            }
        })
        .unwrap();
    assert_eq!(seen.len(), 6);
    assert!(seen.contains(&(2, "weight".into(), vec![16, 3])) && seen.contains(&(1, "gamma".into(), vec![16])));
    let rows = noise((2, 4), 6);
    assert_eq!(zero.predict(&rows).unwrap(), Array2::from_elem((2, 3), 7.0));
    assert_ne!(model.predict(&rows).unwrap(), Array2::from_elem((2, 3), 7.0));
    let same = model.with_parameters(&mut |_, _, _| {}).unwrap();
    assert_eq!(same.predict(&rows).unwrap(), model.predict(&rows).unwrap());
    assert!(model.with_parameters(&mut |_, _, mut cells| cells.fill(1e300)).is_err());
}
