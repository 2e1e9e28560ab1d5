//! Models fitted with linfa 0.8, which computes on ndarray 0.16: the only place where that version appears.
//!
//! | linfa's model | function or type | scores | capability |
//! |---|---|---|---|
//! | `DecisionTree` | [`decision_tree`], [`decision_tree_with_distribution`] | probabilities | trees |
//! | `RandomForest` | [`random_forest`] | probabilities: shares of votes | trees |
//! | `AdaBoost` of trees | [`ada_boost`] | margins: weighted votes | trees |
//! | `FittedLinearRegression` | [`linear_regression`] | the prediction | linear |
//! | `ElasticNet`, `MultiTaskElasticNet` | [`elastic_net`], [`multi_task_elastic_net`] | the prediction | linear |
//! | `FittedLogisticRegression` | [`logistic_regression`] | log-odds | linear |
//! | `MultiFittedLogisticRegression` | [`multinomial_logistic_regression`] | margins before softmax | linear |
//! | `Svm` | [`Svm`] | decision values, probabilities or the prediction | – |
//! | `GaussianNb`, `MultinomialNb`, `BernoulliNb` | [`NaiveBayes`] | probabilities | – |
//!
//! linfa's trees hold neither covers nor distributions of classes; both are recomputed from rows that the caller gives.
//! Names are linfa's labels as `Debug` prints them and `x0`, `x1`, …; `renamed` and `named` of the models change them.
//!
//! Where linfa contradicts itself, its predictions count: a tree goes left on <, although it was grown with ≤.

mod bayes;
mod boost;
mod border;
mod forest;
mod grow;
mod linear;
mod logistic;
mod svm;
mod tree;

pub use bayes::NaiveBayes;
pub use boost::ada_boost;
pub use border::Cell;
pub use forest::random_forest;
pub use linear::{elastic_net, linear_regression, multi_task_elastic_net};
pub use logistic::{logistic_regression, multinomial_logistic_regression};
pub use svm::{Svm, Target};
pub use tree::{decision_tree, decision_tree_with_distribution};

/// A label as a reader wants to see it.
fn name_of(label: &impl std::fmt::Debug) -> String {
    format!("{label:?}").trim_matches('"').to_owned()
}
