//! Models fitted with linfa against linfa's own predictions.

use linfa::Dataset;
use linfa::dataset::{DatasetBase, Pr};
use linfa::traits::{Fit, Predict};
use linfa_bayes::{BernoulliNb, GaussianNb, MultinomialNb};
use linfa_elasticnet::{ElasticNet, MultiTaskElasticNet};
use linfa_ensemble::{AdaBoostParams, EnsembleLearnerParams};
use linfa_linear::LinearRegression;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use linfa_trees::DecisionTree;
use nd16::{Array1 as Vector, Array2 as Matrix};
use ndarray::{Array2, ArrayRef1, Axis, array};
use rand08::SeedableRng;
use rand08::rngs::SmallRng;
use xai_core::{Batch, Error, Feature, LinearStructured, Link, Model, Scale, TreeStructured};
use xai_models::linfa::{
    NaiveBayes, Svm, ada_boost, decision_tree, decision_tree_with_distribution, elastic_net, linear_regression,
    logistic_regression, multi_task_elastic_net, multinomial_logistic_regression, random_forest,
};
use xai_models::trees::has_covers;

/// Sums of 1/trees and products of a few columns, in another order than linfa's.
const ROUNDING: f64 = 1e-12;

/// Four columns of the breast-cancer data, and whether each tumour is benign (1) or malignant (0).
fn tumours() -> (Array2<f64>, Vec<usize>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden/tables/breast_cancer.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut cells = Vec::new();
    let mut labels = Vec::new();
    // Every third row is enough, and quicker to fit.
    for line in text.lines().skip(1).step_by(3) {
        let parts: Vec<&str> = line.split(',').collect();
        cells.extend(parts[..4].iter().map(|cell| cell.parse::<f64>().unwrap()));
        labels.push(usize::from(parts[parts.len() - 1] == "benign"));
    }
    (Array2::from_shape_vec((labels.len(), 4), cells).unwrap(), labels)
}

fn matrix(table: &Array2<f64>) -> Matrix<f64> {
    Matrix::from_shape_vec(table.dim(), table.iter().copied().collect()).unwrap()
}

fn dataset(table: &Array2<f64>, labels: &[usize]) -> Dataset<f64, usize, nd16::Ix1> {
    Dataset::new(matrix(table), Vector::from_vec(labels.to_vec()))
}

fn place_of_largest(row: &ArrayRef1<f64>) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap()
}

#[test]
fn a_decision_tree_votes_like_linfa() {
    let (table, labels) = tumours();
    let tree = DecisionTree::params().max_depth(Some(5)).fit(&dataset(&table, &labels)).unwrap();
    let model = decision_tree(&tree, &[0, 1], &table).unwrap();
    let scores = model.predict(&table).unwrap();
    for (row, label) in scores.outer_iter().zip(tree.predict(&matrix(&table))) {
        assert_eq!(row[label], 1.0);
        assert_eq!(row.sum(), 1.0);
    }
    assert!(has_covers(model.trees()));
    assert_eq!(model.trees().cover[0], table.nrows() as f64);
    assert_eq!(model.outputs()[1].scale, Scale::Probability);
}

/// linfa grows with ≤ and predicts with <, so that a row on a threshold goes right; f32 models compare in f32.
#[test]
fn a_row_on_a_threshold_goes_right() {
    let table = array![[0.0], [1.0], [2.0], [3.0]];
    let tree = DecisionTree::params().fit(&dataset(&table, &[0, 0, 1, 1])).unwrap();
    let model = decision_tree(&tree, &[0, 1], &table).unwrap();
    let rows = array![[1.5], [1.5_f64.next_down()], [f64::NAN], [f64::NEG_INFINITY]];
    let expected: Vec<usize> = tree.predict(&matrix(&rows)).to_vec();
    assert_eq!(expected, [1, 0, 1, 0]);
    let found: Vec<usize> = model.predict(&rows).unwrap().outer_iter().map(|row| place_of_largest(&row)).collect();
    assert_eq!(found, expected);

    let small = Dataset::new(matrix(&table).mapv(|x| x as f32), Vector::from_vec(vec![0, 0, 1, 1]));
    let tree = DecisionTree::<f32, usize>::params().fit(&small).unwrap();
    let model = decision_tree(&tree, &[0, 1], &table).unwrap();
    let rows = array![[1.5 - 1e-9], [1.49]];
    assert_eq!(tree.predict(&matrix(&rows).mapv(|x| x as f32)).to_vec(), [1, 0]);
    assert_eq!(model.predict(&rows).unwrap(), array![[0.0, 1.0], [1.0, 0.0]]);
}

/// Rows that lie exactly on the midpoints of a grid are where < and ≤ part: the training itself disagrees there.
#[test]
fn rows_on_many_thresholds_vote_like_linfa() {
    let cells: Vec<f64> = (0..240).map(|i| f64::from((i * 37 + i / 7) % 9) / 2.0).collect();
    let table = Array2::from_shape_vec((60, 4), cells).unwrap();
    let labels: Vec<usize> = table.outer_iter().map(|row| (row.sum() as usize * 7 % 5) % 3).collect();
    let tree = DecisionTree::params().fit(&dataset(&table, &labels)).unwrap();
    let halves = table.mapv(|x| x + 0.25);
    let model = decision_tree(&tree, &[0, 1, 2], &table).unwrap();
    for rows in [&table, &halves] {
        let found = model.predict(rows).unwrap();
        for (row, label) in found.outer_iter().zip(tree.predict(&matrix(rows))) {
            assert_eq!(place_of_largest(&row), label);
        }
    }
}

/// A node with one child is a leaf to linfa's predictions, although its child hangs on in the tree. It comes about where
/// the middle of two neighbouring numbers is rounded up to the larger one, so that training sends every row left.
#[test]
fn a_node_with_one_child_is_a_leaf() {
    let odd = f64::from_bits(1e12_f64.to_bits() | 1);
    let table = array![[odd], [odd.next_up()], [odd], [odd]];
    let tree = DecisionTree::params().max_depth(Some(3)).fit(&dataset(&table, &[0, 1, 0, 0])).unwrap();
    assert!(tree.root_node().is_leaf() && tree.iter_nodes().count() > 1, "the tree is whole: this tests nothing");
    let model = decision_tree(&tree, &[0, 1], &table).unwrap();
    assert_eq!(model.trees().n_nodes(), 1);
    for (row, label) in model.predict(&table).unwrap().outer_iter().zip(tree.predict(&matrix(&table))) {
        assert_eq!(place_of_largest(&row), label);
    }
}

#[test]
fn leaves_hold_the_shares_of_their_rows() {
    let (table, labels) = tumours();
    let tree = DecisionTree::params().max_depth(Some(2)).fit(&dataset(&table, &labels)).unwrap();
    let model = decision_tree_with_distribution(&tree, &[0, 1], &table, &labels).unwrap();
    let scores = model.predict(&table).unwrap();
    // Counted by hand: rows with equal scores share a leaf or leaves of equal shares.
    for (row, score) in scores.outer_iter().enumerate() {
        let same = (0..labels.len()).filter(|&other| scores[[other, 1]] == score[1]);
        let (all, ones) = same.fold((0.0, 0.0), |(all, ones), other| (all + 1.0, ones + labels[other] as f64));
        assert!((score[1] - ones / all).abs() <= ROUNDING, "row {row}");
        assert!((score.sum() - 1.0).abs() <= ROUNDING);
    }
    assert!(scores.column(1).iter().any(|p| (0.01..0.99).contains(p)));
    let wrong = decision_tree_with_distribution(&tree, &[0, 1], &table, &labels[1..]);
    assert!(matches!(wrong, Err(Error::Shape { .. })));
}

#[test]
fn a_forest_votes_like_linfa() {
    let (table, labels) = tumours();
    let trees = DecisionTree::params().max_depth(Some(4));
    let forest = EnsembleLearnerParams::new_fixed_rng(trees, SmallRng::seed_from_u64(7))
        .ensemble_size(10)
        .bootstrap_proportion(0.5)
        .feature_proportion(0.5)
        .fit(&dataset(&table, &labels))
        .unwrap();
    let model = random_forest(&forest, &[0, 1], &table).unwrap();
    let scores = model.predict(&table).unwrap();
    let linfa: Vector<usize> = forest.predict(&matrix(&table));
    let mut ties = 0;
    for (row, label) in scores.outer_iter().zip(&linfa) {
        assert!((row.sum() - 1.0).abs() <= ROUNDING);
        // With as many votes for each, linfa's answer depends on the order of a hash map.
        if (row[0] - row[1]).abs() <= ROUNDING {
            ties += 1;
            continue;
        }
        assert_eq!(place_of_largest(&row), *label);
    }
    assert!(ties < table.nrows() / 4, "{ties} ties");
    // The votes themselves, tree by tree, on the columns that each tree saw.
    let rows = matrix(&table);
    let mut votes = Array2::<f64>::zeros(scores.dim());
    for (tree, columns) in forest.models.iter().zip(&forest.model_features) {
        for (row, label) in tree.predict(&rows.select(nd16::Axis(1), columns)).iter().enumerate() {
            votes[[row, *label]] += 1.0;
        }
    }
    votes /= forest.models.len() as f64;
    assert!((&votes - &scores).iter().all(|d| d.abs() <= ROUNDING));
    assert_eq!(scores, model.predict(&table).unwrap());
}

/// A tree's features count the columns that it saw: with the first column absent they would be off by one.
#[test]
fn a_forest_s_features_count_its_columns() {
    let (table, labels) = tumours();
    let forest =
        EnsembleLearnerParams::new_fixed_rng(DecisionTree::params().max_depth(Some(3)), SmallRng::seed_from_u64(3))
            .ensemble_size(8)
            .bootstrap_proportion(0.6)
            .feature_proportion(0.5)
            .fit(&dataset(&table, &labels))
            .unwrap();
    let model = random_forest(&forest, &[0, 1], &table).unwrap();
    let trees = model.trees();
    let mut shifted = 0;
    for (tree, columns) in forest.model_features.iter().enumerate() {
        for node in trees.nodes(tree).filter(|&node| !trees.is_leaf(node)) {
            assert!(columns.contains(&(trees.feature[node] as usize)));
        }
        shifted += usize::from(columns.iter().enumerate().any(|(place, &column)| place != column));
    }
    assert!(shifted > 0, "every tree saw the first columns: the seed tests nothing");
}

#[test]
fn a_forest_that_does_not_fit_is_refused() {
    let (table, labels) = tumours();
    let forest =
        EnsembleLearnerParams::new_fixed_rng(DecisionTree::params().max_depth(Some(2)), SmallRng::seed_from_u64(3))
            .ensemble_size(4)
            .bootstrap_proportion(0.6)
            .feature_proportion(1.0)
            .fit(&dataset(&table, &labels))
            .unwrap();
    assert!(matches!(random_forest(&forest, &[0], &table), Err(Error::Unknown { .. })));
    assert!(matches!(random_forest(&forest, &[0, 1, 0], &table), Err(Error::Parameter { .. })));
    assert!(matches!(random_forest(&forest, &[], &table), Err(Error::Parameter { .. })));
    let narrow = table.select(Axis(1), &[0]);
    assert!(matches!(random_forest(&forest, &[0, 1], &narrow), Err(Error::Shape { .. })));
    let empty = Array2::zeros((0, 4));
    assert!(matches!(random_forest(&forest, &[0, 1], &empty), Err(Error::Parameter { .. })));
}

#[test]
fn boosted_trees_vote_like_linfa() {
    let (table, labels) = tumours();
    let boosted = AdaBoostParams::new_fixed_rng(DecisionTree::params().max_depth(Some(1)), SmallRng::seed_from_u64(5))
        .n_estimators(7)
        .fit(&dataset(&table, &labels))
        .unwrap();
    let model = ada_boost(&boosted, &table).unwrap();
    let scores = model.predict(&table).unwrap();
    let whole: f64 = boosted.model_weights.iter().sum();
    let linfa: Vector<usize> = boosted.predict(&matrix(&table));
    for (row, label) in scores.outer_iter().zip(&linfa) {
        assert!((row.sum() - whole).abs() <= ROUNDING * whole);
        assert_eq!(boosted.classes[place_of_largest(&row)], *label);
    }
    assert_eq!(model.outputs()[0].scale, Scale::Margin);
}

fn largest_gap<'a>(found: &Array2<f64>, expected: impl IntoIterator<Item = &'a f64>) -> f64 {
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn linear_models_score_like_linfa() {
    let (table, _) = tumours();
    let records = matrix(&table.select(Axis(1), &[0, 1, 2]));
    let rows = table.select(Axis(1), &[0, 1, 2]);
    let target = Vector::from_iter(table.column(3).iter().copied());
    let data = Dataset::new(records.clone(), target.clone());

    let fitted = LinearRegression::new().fit(&data).unwrap();
    let model = linear_regression(&fitted).unwrap();
    assert!(largest_gap(&model.predict(&rows).unwrap(), &fitted.predict(&records)) <= ROUNDING);
    assert_eq!(model.coefficients().dim(), (3, 1));

    let fitted = ElasticNet::params().penalty(0.3).l1_ratio(0.5).fit(&data).unwrap();
    let model = elastic_net(&fitted).unwrap();
    assert!(largest_gap(&model.predict(&rows).unwrap(), &fitted.predict(&records)) <= ROUNDING);

    let two = nd16::stack![nd16::Axis(1), target, target.mapv(|x| -0.5 * x)];
    let fitted = MultiTaskElasticNet::params().penalty(0.3).fit(&Dataset::new(records.clone(), two)).unwrap();
    let model = multi_task_elastic_net(&fitted).unwrap();
    let expected = records.dot(fitted.hyperplane()) + fitted.intercept();
    assert!(largest_gap(&model.predict(&rows).unwrap(), &expected) <= ROUNDING);
}

#[test]
fn logistic_models_score_like_linfa() {
    let (table, labels) = tumours();
    let table = table.mapv(|x| x / 100.0);
    let records = matrix(&table);
    let fitted = LogisticRegression::default().max_iterations(60).fit(&dataset(&table, &labels)).unwrap();
    let model = logistic_regression(&fitted).unwrap();
    let mut found = model.predict(&table).unwrap();
    found.iter_mut().for_each(|x| Link::LOGISTIC.apply(std::slice::from_mut(x)));
    assert!(largest_gap(&found, &fitted.predict_probabilities(&records)) <= ROUNDING);
    assert_eq!((model.outputs()[0].name.as_str(), model.outputs()[0].scale), ("1", Scale::LogOdds));

    let three: Vec<usize> = labels.iter().zip(table.column(1)).map(|(l, x)| l + usize::from(*x > 0.2)).collect();
    let fitted = MultiLogisticRegression::default().max_iterations(60).fit(&dataset(&table, &three)).unwrap();
    let model = multinomial_logistic_regression(&fitted).unwrap();
    let mut found = model.predict(&table).unwrap();
    found.axis_iter_mut(Axis(0)).for_each(|mut row| Link::Softmax.apply(row.as_slice_mut().unwrap()));
    assert!(largest_gap(&found, &fitted.predict_probabilities(&records)) <= ROUNDING);
    assert_eq!(model.outputs().iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
}

#[test]
fn support_vector_machines_score_like_linfa() {
    let (table, labels) = tumours();
    let table = table.samples(0..60).mapv(|x| x / 100.0);
    let records = matrix(&table);
    let truth = Vector::from_iter(labels.iter().take(60).map(|&label| label == 1));
    let data = DatasetBase::new(records.clone(), truth);
    let features = || Feature::unnamed(4);

    let fitted = linfa_svm::Svm::<f64, bool>::params().gaussian_kernel(2.0).fit(&data).unwrap();
    let model = Svm::new(fitted.clone(), features(), "benign");
    let scores = model.predict(&table).unwrap();
    let linfa = fitted.predict(&records);
    assert!(scores.iter().zip(&linfa).all(|(score, label)| (*score >= 0.0) == *label));
    assert!(matches!(model.predict(&Array2::zeros((2, 3))), Err(Error::Shape { .. })));

    let fitted = linfa_svm::Svm::<f64, Pr>::params().linear_kernel().fit(&data).unwrap();
    let linfa = fitted.predict(&records);
    let model = Svm::new(fitted, features(), "benign");
    let scores = model.predict(&table).unwrap();
    assert!(scores.iter().zip(&linfa).all(|(score, p)| *score == f64::from(**p)));
    assert_eq!(model.outputs()[0].scale, Scale::Probability);

    let data = Dataset::new(records.clone(), Vector::from_iter(table.column(0).iter().map(|x| 2.0 * x)));
    let fitted = linfa_svm::Svm::<f64, f64>::params().c_svr(10.0, Some(0.01)).linear_kernel().fit(&data).unwrap();
    let linfa = fitted.predict(&records);
    let model = Svm::new(fitted, features(), "y");
    assert!(largest_gap(&model.predict(&table).unwrap(), &linfa) <= ROUNDING);
}

#[test]
fn naive_bayes_scores_like_linfa() {
    let (table, labels) = tumours();
    let records = matrix(&table);
    let data = dataset(&table, &labels);
    let agrees = |scores: &Array2<f64>, linfa: &Vector<usize>| {
        assert!(scores.outer_iter().all(|row| (row.sum() - 1.0).abs() <= ROUNDING));
        assert!(scores.outer_iter().zip(linfa).all(|(row, label)| place_of_largest(&row) == *label));
    };
    let fitted = GaussianNb::params().fit(&data).unwrap();
    let model = NaiveBayes::gaussian(fitted.clone(), Feature::unnamed(4));
    let scores = model.predict(&table).unwrap();
    agrees(&scores, &fitted.predict(&records));
    let (linfa, classes) = linfa_bayes::NaiveBayes::predict_proba(&fitted, records.view());
    assert_eq!(classes, [&0, &1]);
    assert!(largest_gap(&scores, &linfa) <= 1e-9, "the logarithms of linfa's sums are less precise");

    let fitted = MultinomialNb::params().fit(&data).unwrap();
    let model = NaiveBayes::multinomial(fitted.clone(), Feature::unnamed(4));
    agrees(&model.predict(&table).unwrap(), &fitted.predict(&records));
}

/// Likelihoods below e⁻⁷⁴⁵ are 0 in f64; linfa's own probabilities are not numbers there.
#[test]
fn small_likelihoods_do_not_underflow() {
    let (table, labels) = tumours();
    let fitted = GaussianNb::params().fit(&dataset(&table, &labels)).unwrap();
    let far = table.mapv(|x| 50.0 * x);
    let (linfa, _) = linfa_bayes::NaiveBayes::predict_proba(&fitted, matrix(&far).view());
    assert!(linfa.iter().any(|p| !p.is_finite()), "linfa underflows no longer: this test tests nothing");
    let model = NaiveBayes::gaussian(fitted, Feature::unnamed(4));
    let scores = model.predict(&far).unwrap();
    assert!(scores.iter().all(|p| p.is_finite()));
    assert!(scores.outer_iter().all(|row| (row.sum() - 1.0).abs() <= ROUNDING));
}

/// linfa makes rows binary before it predicts, but not before it computes probabilities.
#[test]
fn bernoulli_rows_are_made_binary() {
    let (table, labels) = tumours();
    let centred = &table - &table.mean_axis(Axis(0)).unwrap();
    let fitted = BernoulliNb::params().binarize(Some(0.5)).fit(&dataset(&centred, &labels)).unwrap();
    let linfa = fitted.predict(&matrix(&centred));
    let model = NaiveBayes::bernoulli(fitted, Some(0.5), Feature::unnamed(4));
    let scores = model.predict(&centred).unwrap();
    assert!(scores.outer_iter().zip(&linfa).all(|(row, label)| place_of_largest(&row) == *label));
}

/// Columns in another order in memory are copied, rows of f64 are shown as they are: the scores are the same.
#[test]
fn the_layout_in_memory_does_not_matter() {
    let (table, labels) = tumours();
    let fitted = GaussianNb::params().fit(&dataset(&table, &labels)).unwrap();
    let model = NaiveBayes::gaussian(fitted, Feature::unnamed(4));
    let turned = table.t().as_standard_layout().to_owned();
    let columns = turned.t().to_owned();
    assert!(columns.as_slice().is_none());
    assert_eq!(model.predict(&columns).unwrap(), model.predict(&table).unwrap());
}
