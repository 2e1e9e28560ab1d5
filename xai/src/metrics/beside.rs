//! Beside what is known: masks of the evidence, and true attributions.

use xai_eval::localisation::Signs;
use xai_eval::{
    AttributionLocalisation, Auc, FeatureAgreement, PairwiseRankAgreement, PointingGame, RankAgreement,
    RankCorrelation, RelevanceMassAccuracy, RelevanceRankAccuracy, SignAgreement, SignedRankAgreement,
};

use super::{Family, Metrics, count};

/// How many of the strongest features are looked at when nothing is said.
const STRONGEST: usize = 3;

pub(super) fn add(metrics: &mut Metrics) {
    let lies = |summary| (Family::Localisation, summary);
    let signs = Signs::Positive;
    metrics.add(lies("is the strongest feature evidence?"), &[], move |_, _| PointingGame { signs, weighted: false });
    metrics.add(lies("how much of what speaks for the output lies on evidence?"), &[], |_, _| {
        RelevanceMassAccuracy::default()
    });
    metrics.add(lies("of as many strongest features as there is evidence, how many are evidence?"), &[], |_, _| {
        RelevanceRankAccuracy::default()
    });
    metrics.add(lies("how much of the positive shares lies on evidence, by its size if weighted?"), &[], |_, _| {
        AttributionLocalisation::default()
    });
    metrics.add(lies("does evidence have larger shares than what is none?"), &[], |_, _| Auc::default());

    let is = |summary| (Family::Truth, summary);
    let k = [count("k", STRONGEST, "strongest features that are looked at")];
    let k_of = |settings: &crate::registry::Settings| settings.count("k").unwrap_or(STRONGEST);
    metrics.add(is("how many of the strongest features are right?"), &k, move |settings, _| FeatureAgreement {
        k: k_of(settings),
    });
    metrics.add(is("and have the right sign?"), &k, move |settings, _| SignAgreement { k: k_of(settings) });
    metrics.add(is("and stand in their places?"), &k, move |settings, _| RankAgreement { k: k_of(settings) });
    metrics.add(is("all of this?"), &k, move |settings, _| SignedRankAgreement { k: k_of(settings) });
    metrics.add(is("are all features in the right order?"), &[], |_, _| RankCorrelation);
    metrics.add(is("how many pairs of features are in the right order?"), &[], |_, _| PairwiseRankAgreement);
}
