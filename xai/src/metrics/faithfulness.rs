//! Does the model do what the explanation says?

use xai_eval::{
    Eraser, FaithfulnessCorrelation, FaithfulnessEstimate, Infidelity, KeptPrediction, Monotonicity,
    MonotonicityCorrelation, PredictionGap, RemovalCurve, SensitivityN,
};

use super::{Family, Metrics, count};

pub(super) fn add(metrics: &mut Metrics) {
    let of = |summary| (Family::Faithfulness, summary);
    let subsets = [count("n_subsets", 100, "random sets of features for each sample")];
    let steps = [count("n_steps", 100, "groups that the features go in")];
    let draws = [count("n_draws", 100, "draws of noise for each sample")];
    let what = "do sums of shares predict how far the score falls when features go?";
    metrics.add(of(what), &subsets, |settings, _| {
        let default = FaithfulnessCorrelation::default();
        FaithfulnessCorrelation { n_subsets: settings.count("n_subsets").unwrap_or(default.n_subsets), ..default }
    });
    metrics.add(of("the same for sets of every size"), &subsets, |settings, _| {
        let default = SensitivityN::default();
        SensitivityN { n_subsets: settings.count("n_subsets").unwrap_or(default.n_subsets), ..default }
    });
    metrics.add(of("how far are those sums from the falls?"), &subsets, |settings, _| {
        let default = Infidelity::default();
        Infidelity { n_subsets: settings.count("n_subsets").unwrap_or(default.n_subsets), ..default }
    });
    for (insertion, what) in
        [(false, "does the score fall fast when the first features go?"), (true, "does it rise fast when they come?")]
    {
        metrics.add(of(what), &steps, move |settings, _| {
            let default = RemovalCurve::default();
            RemovalCurve { insertion, n_steps: settings.count("n_steps").unwrap_or(default.n_steps), ..default }
        });
    }
    for (sufficiency, what) in [
        (false, "does the score fall without the most important features?"),
        (true, "does the score stand with the most important features alone?"),
    ] {
        metrics.add(of(what), &[], move |_, _| Eraser { sufficiency, ..Eraser::default() });
    }
    let what = "does each share say how far the score falls when its feature goes alone?";
    metrics.add(of(what), &[], |_, _| FaithfulnessEstimate::default());
    metrics.add(of("does the score rise with every feature that comes?"), &[], |_, _| Monotonicity::default());
    let what = "do larger shares go with larger changes of the score?";
    metrics.add(of(what), &[], |_, _| MonotonicityCorrelation::default());
    let what = "does the decision stand with the most important features alone?";
    metrics.add(of(what), &[], |_, _| KeptPrediction::default());
    for (unimportant, what) in [
        (false, "how far does noise on the important features move the score?"),
        (true, "how far does noise on the unimportant features move the score?"),
    ] {
        metrics.add(of(what), &draws, move |settings, scales| {
            let default = PredictionGap::default();
            let n_draws = settings.count("n_draws").unwrap_or(default.n_draws);
            PredictionGap { unimportant, n_draws, scales: scales.map(<[f64]>::to_vec).unwrap_or_default(), ..default }
        });
    }
}
