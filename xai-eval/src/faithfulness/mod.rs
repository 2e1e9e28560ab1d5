//! Does the model do what the explanation says? Players go, or come, or are shaken, and the scores are watched.
//!
//! All but [`PredictionGap`], [`NoiseInfidelity`] and [`GlobalSufficiency`] need a masker, whose players are the
//! attribution's features, and are only as good as its idea of absence. The sample as it is is asked once; the masked
//! samples of one sample, for all draws, steps and outputs, are asked together.
//!
//! | metric | asks | better | source |
//! |---|---|---|---|
//! | [`FaithfulnessCorrelation`] | do sums of shares predict the fall of the score when features go? | higher | Bhatt et al. 2020 |
//! | [`SensitivityN`] | and for sets of every size? | higher | Ancona et al. 2018 |
//! | [`Infidelity`], [`NoiseInfidelity`] | how far off are those sums? | lower | Yeh et al. 2019 |
//! | [`FaithfulnessEstimate`] | does each share predict the fall when its feature goes alone? | higher | Alvarez-Melis, Jaakkola 2018 |
//! | [`MonotonicityCorrelation`] | do larger shares go with larger changes? | higher | Nguyen, Martínez 2020 |
//! | [`Monotonicity`] | does the score rise with every feature that comes? | higher | Luss et al. 2019 |
//! | [`RemovalCurve`] | does the score fall fast when the first features go (deletion, pixel flipping, selectivity), or rise fast when they come (insertion)? | lower; higher | Bach et al. 2015; Petsiuk et al. 2018 |
//! | [`RegionPerturbation`] | how far does it fall on average while regions go? | higher | Samek et al. 2017 |
//! | [`Irof`] | and as a share of the score, while segments go? | higher | Rieger, Hansen 2020 |
//! | [`Eraser`] | does it fall without the first features (comprehensiveness) and stand with them alone (sufficiency)? | higher; lower | DeYoung et al. 2020 |
//! | [`NormalisedAopc`] | and between the worst and the best that can be had? | higher; lower | Edin et al. 2025 |
//! | [`FFidelity`] | and never far from what the model was tuned on? | higher; lower | Zheng et al. 2025 |
//! | [`KeepRemove`] | and for features that speak for or against? | higher | Lundberg et al. 2020 |
//! | [`KeptPrediction`] | does the decision stand with the first features alone? | higher | Chen et al. 2018 |
//! | [`Road`] with [`NoisyLinear`] | does the decision fall when pixels are filled in from their neighbours? | lower | Rong et al. 2022 |
//! | [`PredictionGap`] | how far does noise on important (unimportant) features move the score? | higher; lower | Agarwal et al. 2022 |
//! | [`GlobalSufficiency`] | does the same explanation go with the same decision? | higher | Dasgupta et al. 2022 |
//!
//! [`pooled`] turns shares of cells into shares of patches or segments.

mod alone;
mod correlation;
mod decision;
mod eraser;
mod estimate;
mod f_fidelity;
mod global_sufficiency;
mod infidelity;
mod irof;
mod keep_remove;
mod kept_prediction;
mod monotonicity;
mod monotonicity_correlation;
mod naopc;
mod noisy_linear;
mod path;
mod pool;
mod prediction_gap;
mod region_perturbation;
mod removal;
mod road;
mod sensitivity_n;
mod shift;
mod subsets;
mod tuning;

pub use correlation::FaithfulnessCorrelation;
pub use eraser::Eraser;
pub use estimate::FaithfulnessEstimate;
pub use f_fidelity::FFidelity;
pub use global_sufficiency::GlobalSufficiency;
pub use infidelity::{Infidelity, NoiseInfidelity};
pub use irof::Irof;
pub use keep_remove::{KeepRemove, Sign};
pub use kept_prediction::KeptPrediction;
pub use monotonicity::Monotonicity;
pub use monotonicity_correlation::MonotonicityCorrelation;
pub use naopc::NormalisedAopc;
pub use noisy_linear::NoisyLinear;
pub use pool::{Pool, pooled};
pub use prediction_gap::PredictionGap;
pub use region_perturbation::RegionPerturbation;
pub use removal::{RemovalCurve, RemovalCurves, RemovalOrder};
pub use road::Road;
pub use sensitivity_n::{SensitivityCurve, SensitivityN};
