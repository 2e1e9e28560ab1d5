//! Is the explanation right? Metrics of attributions, whatever made them.
//!
//! A [`Metric`] takes a [`Case`] (a model, samples, and what else is known of them) and an attribution, and gives a
//! [`Measurement`]: a value for every sample and output, their mean with its [`Interval`], and what failed and why.
//!
//! | what | asks | better | needs | source |
//! |---|---|---|---|---|
//! | [`completeness`] | do the shares sum to the score? | lower | | Sundararajan et al. 2017 |
//! | [`faithfulness`] | does the model do what the explanation says? | | masker | Bach et al. 2015, Petsiuk et al. 2018, Bhatt et al. 2020 … |
//! | [`agreement`] | do two attributions say the same, or one and the truth? | higher | a second attribution or the truth | Krishna et al. 2022 |
//! | [`complexity`] | how much must a reader take in? | | | Chalasani et al. 2020, Bhatt et al. 2020 |
//! | [`stability`] | do nearly the same samples have nearly the same explanation? | lower | the explainer | Yeh et al. 2019, Agarwal et al. 2022 |
//! | [`randomisation`] | does it depend on what the model learnt? | lower | the explainer, parameters | Adebayo et al. 2018 |
//! | [`axioms`] | does it keep its promises? | lower | masker | Shapley 1953, Kindermans et al. 2019 |
//! | [`localisation`] | does it lie where the evidence is? | higher | masks | Arras et al. 2022 |
//!
//! [`tournament`] lets methods compete. [`truth`] makes models and data whose right attribution is known.
//!
//! No measure here knows the truth. Completeness finds arithmetic that is wrong; those that ask the model are only as
//! good as the masker's idea of absence, which may be the very idea that the method was built on; agreement says
//! nothing about who is right. Each file names its pitfalls.

pub mod agreement;
mod asking;
pub mod axioms;
mod case;
mod completeness;
pub mod complexity;
mod draws;
mod explaining;
pub mod faithfulness;
mod games;
mod interval;
mod lanes;
pub mod localisation;
mod measurement;
mod metric;
mod normal;
pub mod randomisation;
mod rank;
pub mod stability;
pub mod tournament;
pub mod truth;

pub use agreement::{
    FeatureAgreement, PairwiseRankAgreement, RankAgreement, RankCorrelation, SignAgreement, SignedRankAgreement,
    feature_agreement, pairwise_rank_agreement, rank_agreement, rank_correlation, sign_agreement,
    signed_rank_agreement,
};
pub use axioms::{CompletenessGap, Dummy, InputInvariance, NonSensitivity, Symmetry};
pub use case::Case;
pub use completeness::{Completeness, completeness};
pub use complexity::{EffectiveComplexity, Entropy, Sparseness};
pub use faithfulness::{
    Eraser, FFidelity, FaithfulnessCorrelation, FaithfulnessEstimate, GlobalSufficiency, Infidelity, Irof, KeepRemove,
    KeptPrediction, Monotonicity, MonotonicityCorrelation, NoiseInfidelity, NoisyLinear, NormalisedAopc, Pool,
    PredictionGap, RegionPerturbation, RemovalCurve, RemovalCurves, RemovalOrder, Road, SensitivityCurve, SensitivityN,
    Sign, pooled,
};
pub use interval::Interval;
pub use localisation::{
    AttributionLocalisation, Auc, Focus, PointingGame, RelevanceMassAccuracy, RelevanceRankAccuracy, TopKIntersection,
};
pub use measurement::{Failure, Failures, Measurement};
pub use metric::{Direction, Metric, Need};
pub use randomisation::{EfficientMprt, Mprt, RandomLogit, SmoothMprt, label_randomisation};
pub use stability::{
    AvgSensitivity, Consistency, Continuity, LocalLipschitz, MaxSensitivity, Neighbourhood, Noise,
    RelativeInputStability, RelativeOutputStability, RelativeRepresentationStability, SeedSpread, WorstCase,
};
