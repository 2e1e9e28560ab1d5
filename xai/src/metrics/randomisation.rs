//! Does the explanation hang on what the model learnt? And what else only networks can be asked.

use ndarray::ArrayRef4;
use xai_core::{Attribution, Result, Run};
use xai_eval::{
    Case, Direction, EfficientMprt, Measurement, Metric, Mprt, Need, NoisyLinear, RandomLogit,
    RelativeRepresentationStability, Road, SmoothMprt,
};
use xai_models::network::Network;

use super::stability::near;
use super::{Family, Metrics, count};

/// How many noisy copies are explained when nothing is said: each once for every layer.
const COPIES: usize = 5;

pub(super) fn add(metrics: &mut Metrics) {
    let of = |summary| (Family::Randomisation, summary);
    metrics.add(of("is the explanation of another output another one?"), &[], |_, _| RandomLogit::default());
    metrics.add_of_networks(of("does the explanation change as layer after layer becomes random?"), &[], |_, _| {
        Mprt::default()
    });
    let draws = [count("n_draws", COPIES, "noisy copies of each sample")];
    metrics.add_of_networks(of("the same of means over noisy copies of each sample"), &draws, |settings, _| {
        SmoothMprt { n_draws: settings.count("n_draws").unwrap_or(COPIES), ..SmoothMprt::default() }
    });
    metrics.add_of_networks(of("does the explanation become messier when all layers are random?"), &[], |_, _| {
        EfficientMprt::default()
    });
    let draws = [count("n_draws", super::stability::DRAWS, "near samples that are explained, for each sample")];
    let what = "the same as relative changes, by that of the last layer before the scores";
    metrics.add_of_networks((Family::Stability, what), &draws, |settings, scales| {
        let default = RelativeRepresentationStability::default();
        let neighbourhood = near(default.neighbourhood.clone(), settings, scales);
        RelativeRepresentationStability { neighbourhood, ..default }
    });
    for (least_first, what) in [
        (false, "does the decision fall when the most important pixels are filled in from their neighbours?"),
        (true, "does the decision stand when the least important pixels are?"),
    ] {
        metrics
            .add_of_images((Family::Faithfulness, what), move |_, _| FilledIn(Road { least_first, ..Road::default() }));
    }
}

/// A metric of pixels whose masker is the one that it was made for.
struct FilledIn(Road);

type Images = Network<ArrayRef4<f32>>;

impl Metric<Images> for FilledIn {
    fn name(&self) -> &str {
        Metric::<Images>::name(&self.0)
    }
    fn direction(&self) -> Direction {
        Metric::<Images>::direction(&self.0)
    }
    fn needs(&self) -> &[Need] {
        &[]
    }
    fn measure(&self, case: &Case<Images>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        self.0.measure(&case.with_masker(&NoisyLinear { seed: run.seed, ..NoisyLinear::default() }), attribution, run)
    }
}
