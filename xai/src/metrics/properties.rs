//! Promises kept, and how much there is to take in.

use xai_eval::{CompletenessGap, Dummy, EffectiveComplexity, Entropy, NonSensitivity, Sparseness, Symmetry};

use super::{Family, Metrics};

pub(super) fn add(metrics: &mut Metrics) {
    let kept = |summary| (Family::Axioms, summary);
    let size = |summary| (Family::Complexity, summary);
    metrics.add(kept("do the shares sum to the score less the base?"), &[], |_, _| CompletenessGap);
    metrics.add(kept("do features that change nothing get nothing?"), &[], |_, _| Dummy::default());
    metrics.add(kept("do features that change the same get the same?"), &[], |_, _| Symmetry::default());
    metrics.add(kept("does every feature that matters get something?"), &[], |_, _| NonSensitivity::default());
    metrics.add(size("do few features hold most of the shares?"), &[], |_, _| Sparseness);
    metrics.add(size("over how many features are the shares spread?"), &[], |_, _| Entropy);
    metrics.add(size("how many features have a share worth speaking of?"), &[], |_, _| EffectiveComplexity::default());
}
