//! Methods that hide parts of arrays: windows, random masks, regions.

use std::sync::Arc;

use xai_core::{Error, Explainer, Result};
use xai_local::masker::Fill;
use xai_local::perturbation::{Occlusion, Rise};
use xai_local::segments::{Patches, Quickshift, SegmentLime, SegmentOwen, SegmentShap, Segmentation, Segmenter, Slic};
use xai_local::shapley::{Adaptive, Auto, Estimator, KernelShap, LeverageShap, PermutationShap, Stop};

use super::over_networks;
use crate::registry::games::{rule, stopping};
use crate::registry::{Form, Kind, Registry, Scope, Settings, Spec};

const ARRAYS: [Form; 2] = [Form::Series, Form::Image];

pub(super) fn add(registry: &mut Registry) {
    let occlusion = Spec::new("occlusion", Scope::Local, "What the score loses when a sliding window is hidden")
        .forms(&ARRAYS)
        .parameter("window", Kind::COUNT, 4i64, "the length of the window along rows and columns, or steps")
        .optional("stride", Kind::COUNT, "how far it moves; half of the window when not set")
        .parameter("fill", Kind::Float { min: -f64::MAX, max: f64::MAX }, 0.0, "what a hidden cell shows")
        .paper("Zeiler & Fergus 2014, Visualizing and understanding convolutional networks");
    over_networks!(registry, occlusion, |model, batch, given, settings| {
        // All channels are hidden at once.
        let shape = batch.sample_shape();
        let length = settings.count("window").unwrap_or(4);
        let stride = settings.count("stride").unwrap_or(length.div_ceil(2)).min(length);
        let places = shape.iter().skip(1);
        let window = shape.iter().take(1).copied().chain(places.clone().map(|&n| length.min(n))).collect::<Vec<_>>();
        let strides = shape.iter().take(1).copied().chain(places.map(|&n| stride.min(n))).collect();
        let fill = settings.float("fill").unwrap_or(0.0);
        Occlusion { window, strides, fill }.explain(model, batch, given.run)?
    });

    let rise =
        Spec::new("rise", Scope::Local, "How the score goes with the visibility of each pixel under random masks")
            .forms(&[Form::Image])
            .parameter("n_masks", Kind::Int { min: 2, max: i64::MAX }, 4000i64, "masks for each image")
            .parameter("grid", Kind::Int { min: 1, max: 256 }, 7i64, "rows and columns of coins of a mask")
            .parameter("probability", Kind::Float { min: 0.01, max: 0.99 }, 0.5, "of a coin to let its part be seen")
            .paper("Petsiuk et al. 2018, RISE");
    over_networks!(registry, filled(rise, "constant"), |model, batch, given, settings| {
        let grid = settings.count("grid").unwrap_or(7);
        let method = Rise {
            n_masks: settings.count("n_masks").unwrap_or(4000),
            grid: (grid, grid),
            probability: settings.float("probability").unwrap_or(0.5),
            fill: fill(settings),
            centred: true,
        };
        method.explain(model, batch, given.run)?
    });

    segment_shap(registry);

    let lime =
        Spec::new("segment-lime", Scope::Local, "A linear surrogate over the presence of regions; its R² is reported")
            .forms(&ARRAYS)
            .parameter("n_draws", Kind::Int { min: 2, max: i64::MAX }, 1000i64, "samples that are scored")
            .parameter(
                "kernel_width",
                Kind::Float { min: f64::MIN_POSITIVE, max: f64::MAX },
                0.25,
                "how fast weight falls",
            )
            .paper("Ribeiro et al. 2016, Why should I trust you?");
    over_networks!(registry, cut(filled(lime, "mean")), |model, batch, given, settings| {
        let known = SegmentLime::new(AnySegmenter::of(settings));
        let method = SegmentLime {
            fill: fill(settings),
            n_draws: settings.count("n_draws").unwrap_or(known.n_draws),
            kernel_width: settings.float("kernel_width").unwrap_or(known.kernel_width),
            ..known
        };
        method.explain(model, batch, given.run)?
    });
}

fn segment_shap(registry: &mut Registry) {
    let estimators = ["auto", "kernel", "leverage", "permutation", "owen"];
    let spec = Spec::new("segment-shap", Scope::Local, "Shapley values of regions, shared out among their cells")
        .forms(&ARRAYS)
        .parameter(
            "estimator",
            Kind::choice(estimators),
            "auto",
            "how shares are estimated; owen gives Owen values: regions near each other join together",
        )
        .optional("n_coalitions", Kind::COUNT, "coalitions that are evaluated")
        .paper("Lundberg & Lee 2017, A unified approach to interpreting model predictions, section 5; Owen 1977");
    over_networks!(registry, cut(filled(stopping(spec), "mean")), |model, batch, given, settings| {
        let (segmenter, fill) = (AnySegmenter::of(settings), fill(settings));
        let n_coalitions = settings.count("n_coalitions");
        let stop = rule(n_coalitions, settings);
        match settings.word("estimator") {
            Some("owen") => SegmentOwen { segmenter, fill, n_coalitions, stop }.explain(model, batch, given.run)?,
            word => {
                let estimator = estimator(word, n_coalitions, stop);
                SegmentShap { estimator, segmenter, fill }.explain(model, batch, given.run)?
            }
        }
    });
}

/// The estimator of Shapley values that is called so, with a budget that grows where a rule says when it may stop.
fn estimator(word: Option<&str>, n_coalitions: Option<usize>, stop: Option<Stop>) -> Arc<dyn Estimator> {
    let chosen: Box<dyn Estimator> = match (word, n_coalitions) {
        (Some("kernel"), _) => Box::new(KernelShap { n_coalitions }),
        (Some("leverage"), _) => Box::new(LeverageShap { n_coalitions }),
        (Some("permutation"), None) => Box::new(PermutationShap::default()),
        (Some("permutation"), Some(n)) => {
            let orders = PermutationShap::default();
            orders.with_coalitions(n).unwrap_or_else(|| Box::new(orders))
        }
        _ => Box::new(Auto { n_coalitions }),
    };
    match stop {
        None => Arc::from(chosen),
        Some(stop) => Arc::new(Adaptive { estimator: chosen, stop }),
    }
}

/// Adds what says what an absent cell shows.
fn filled(spec: Spec, default: &str) -> Spec {
    let purpose = "what an absent cell shows: a constant, the mean of its region, or the blurred image";
    spec.parameter("fill", Kind::choice(["constant", "mean", "blur"]), default, purpose)
        .parameter("constant", Kind::Float { min: -f64::MAX, max: f64::MAX }, 0.0, "the constant")
        .parameter("sigma", Kind::Float { min: 0.1, max: 100.0 }, 8.0, "pixels of blur")
}

fn fill(settings: &Settings) -> Fill {
    match settings.word("fill") {
        Some("mean") => Fill::Mean,
        Some("blur") => Fill::Blur(settings.float("sigma").unwrap_or(8.0)),
        _ => Fill::Constant(settings.float("constant").unwrap_or(0.0)),
    }
}

/// Adds what says how a sample is cut.
fn cut(spec: Spec) -> Spec {
    spec.optional(
        "segments",
        Kind::choice(["slic", "quickshift", "patches"]),
        "how a sample is cut: images by slic, series into patches, when not set",
    )
    .parameter("n_segments", Kind::COUNT, 50i64, "about how many regions slic makes")
    .optional("patch", Kind::COUNT, "the length of a patch; an eighth of the sample when not set")
}

/// The way of cutting that was chosen by name.
#[derive(Debug, Clone)]
struct AnySegmenter {
    by: Option<String>,
    n_segments: usize,
    patch: Option<usize>,
}

impl AnySegmenter {
    fn of(settings: &Settings) -> Self {
        AnySegmenter {
            by: settings.word("segments").map(str::to_owned),
            n_segments: settings.count("n_segments").unwrap_or(50),
            patch: settings.count("patch"),
        }
    }

    fn patches(&self, shape: &[usize]) -> Patches {
        let length = |n: &usize| self.patch.unwrap_or(n.div_ceil(8)).max(1);
        Patches(shape.iter().skip(1).map(length).collect())
    }
}

impl Segmenter for AnySegmenter {
    fn segment(&self, sample: ndarray::ArrayViewD<f64>) -> Result<Segmentation> {
        let is_image = sample.ndim() == 3;
        match (self.by.as_deref(), is_image) {
            (Some("patches"), _) | (None, false) => self.patches(sample.shape()).segment(sample),
            (Some("quickshift"), true) => Quickshift::default().segment(sample),
            (_, true) => Slic { n_segments: self.n_segments, ..Slic::default() }.segment(sample),
            (Some(name), false) => {
                Err(Error::unsupported(format!("{name} with series"), "cut them by segments=patches"))
            }
        }
    }

    fn describe(&self) -> String {
        match self.by.as_deref() {
            Some("quickshift") => Quickshift::default().describe(),
            Some("patches") => "patches".into(),
            _ => Slic { n_segments: self.n_segments, ..Slic::default() }.describe(),
        }
    }
}
