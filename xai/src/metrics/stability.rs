//! Do nearly the same samples have nearly the same explanation?

use xai_eval::stability::Relative;
use xai_eval::{
    AvgSensitivity, LocalLipschitz, MaxSensitivity, Neighbourhood, RelativeInputStability, RelativeOutputStability,
    SeedSpread,
};

use super::{Family, Metrics, count};
use crate::registry::{Kind, Parameter, Settings};

/// How many near samples are explained, for each sample, when nothing is said: explaining is dear.
pub(super) const DRAWS: usize = 5;

pub(super) fn add(metrics: &mut Metrics) {
    let of = |summary| (Family::Stability, summary);
    let draws = [count("n_draws", DRAWS, "near samples that are explained, for each sample")];
    metrics.add(of("how far does the explanation of a near sample lie, at worst?"), &draws, |settings, scales| {
        let MaxSensitivity { neighbourhood } = MaxSensitivity::default();
        MaxSensitivity { neighbourhood: near(neighbourhood, settings, scales) }
    });
    metrics.add(of("how far does the explanation of a near sample lie, on average?"), &draws, |settings, scales| {
        let AvgSensitivity { neighbourhood } = AvgSensitivity::default();
        AvgSensitivity { neighbourhood: near(neighbourhood, settings, scales) }
    });
    metrics.add(of("how fast does the explanation change with the sample, at worst?"), &draws, |settings, scales| {
        let LocalLipschitz { neighbourhood } = LocalLipschitz::default();
        LocalLipschitz { neighbourhood: near(neighbourhood, settings, scales) }
    });
    let changes = Parameter {
        name: "relative".into(),
        kind: Kind::choice(["cells", "norms"]),
        default: Some("cells".into()),
        purpose: "what a change is set in relation to: each cell, or the size of the whole".into(),
    };
    let changes = [draws, [changes]].concat();
    metrics.add(of("the same as relative changes, by that of the sample"), &changes, |settings, scales| {
        let RelativeInputStability { neighbourhood, .. } = RelativeInputStability::default();
        RelativeInputStability { neighbourhood: near(neighbourhood, settings, scales), relative: relative(settings) }
    });
    metrics.add(of("the same as relative changes, by that of the score"), &changes, |settings, scales| {
        let RelativeOutputStability { neighbourhood, .. } = RelativeOutputStability::default();
        RelativeOutputStability { neighbourhood: near(neighbourhood, settings, scales), relative: relative(settings) }
    });
    let seeds = [count("n_seeds", SeedSpread::default().n_seeds, "seeds that every sample is explained with")];
    metrics.add(of("how much does the explanation hang on the seed?"), &seeds, |settings, _| {
        let default = SeedSpread::default();
        SeedSpread { n_seeds: settings.count("n_seeds").unwrap_or(default.n_seeds) }
    });
}

pub(super) fn near(neighbourhood: Neighbourhood, settings: &Settings, scales: Option<&[f64]>) -> Neighbourhood {
    let n_draws = settings.count("n_draws").unwrap_or(DRAWS);
    Neighbourhood { n_draws, scales: scales.map(<[f64]>::to_vec), ..neighbourhood }
}

fn relative(settings: &Settings) -> Relative {
    match settings.word("relative") {
        Some("norms") => Relative::Norms,
        _ => Relative::Cells,
    }
}
