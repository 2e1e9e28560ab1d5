//! Gradients of the input and along paths.

use xai_core::Explainer;
use xai_local::control::EdgeDetector;
use xai_local::gradient::{
    BlurIntegratedGradients, ExpectedGradients, GuidedIntegratedGradients, InputTimesGradient, IntegratedGradients,
    Noise, Quadrature, Saliency, SmoothGrad, Statistic,
};

use super::{over_networks, with_baseline};
use crate::registry::{Form, Kind, Need, Registry, Scope, Spec};

fn spec(name: &str, summary: &str) -> Spec {
    Spec::new(name, Scope::Local, summary).forms(&Form::ALL).needs(Need::Network)
}

pub(super) fn add(registry: &mut Registry) {
    let saliency = spec("saliency", "The slope of every score by every cell of the input")
        .parameter("absolute", Kind::Bool, true, "without sign")
        .paper("Simonyan et al. 2014, Deep inside convolutional networks");
    over_networks!(registry, saliency, |model, batch, given, settings| {
        Saliency { absolute: settings.flag("absolute") }.explain(model, batch, given.run)?
    });

    let times = spec("input-times-gradient", "Every cell times the slope of the score by it")
        .paper("Shrikumar et al. 2016, Not just a black box");
    over_networks!(registry, times, |model, batch, given, _settings| {
        InputTimesGradient.explain(model, batch, given.run)?
    });

    let rules = ["gauss-legendre", "trapezoid", "left", "middle", "right"];
    let integrated =
        spec("integrated-gradients", "Slopes gathered on the straight way from a baseline; sums to the score")
            .parameter("n_steps", Kind::COUNT, 32i64, "gradients on each way, or on each part of one")
            .parameter("quadrature", Kind::choice(rules), "gauss-legendre", "where they are taken")
            .parameter(
                "tolerance",
                Kind::Float { min: 0.0, max: 1.0 },
                0.01,
                "the part of the score's difference that may be left over before a way is cut in parts; 0 never cuts",
            )
            .parameter("max_steps", Kind::COUNT, 512i64, "gradients on each way at most")
            .paper("Sundararajan et al. 2017, Axiomatic attribution for deep networks");
    over_networks!(registry, with_baseline(integrated), |model, batch, given, settings| {
        let quadrature = match settings.word("quadrature") {
            Some("trapezoid") => Quadrature::Trapezoid,
            Some("left") => Quadrature::Left,
            Some("middle") => Quadrature::Middle,
            Some("right") => Quadrature::Right,
            _ => Quadrature::GaussLegendre,
        };
        let known = IntegratedGradients::default();
        let n_steps = settings.count("n_steps").unwrap_or(known.n_steps);
        let method = IntegratedGradients {
            baselines: given.baselines(settings)?,
            n_steps,
            quadrature,
            tolerance: settings.float("tolerance").filter(|tolerance| *tolerance > 0.0),
            max_steps: settings.count("max_steps").unwrap_or(known.max_steps).max(n_steps),
        };
        method.explain(model, batch, given.run)?
    });

    let expected =
        spec("expected-gradients", "Slopes at random places between samples and a background (GradientSHAP)")
            .needs(Need::Background)
            .parameter("n_draws", Kind::COUNT, 200i64, "gradients for each sample")
            .paper(
                "Erion et al. 2021, Improving performance of deep learning models with axiomatic attribution priors",
            );
    over_networks!(registry, expected, |model, batch, given, settings| {
        let Some(background) = given.background.clone() else {
            let advice = "give samples that stand for absence (--background)";
            return Err(crate::registry::inputs::lacks(given.spec, Need::Background, advice));
        };
        let n_draws = settings.count("n_draws").unwrap_or(200);
        let background = xai_local::gradient::Baselines::Samples(background);
        ExpectedGradients { background, n_draws }.explain(model, batch, given.run)?
    });

    paths(registry);
    smooth(registry);
    controls(registry);
}

fn paths(registry: &mut Registry) {
    let blur =
        spec("blur-integrated-gradients", "Slopes gathered from the blurred input to the sharp one; sums to the score")
            .forms(&[Form::Series, Form::Image])
            .parameter("n_steps", Kind::COUNT, 100i64, "steps from blurred to sharp")
            .optional(
                "max_sigma",
                Kind::Float { min: f64::MIN_POSITIVE, max: f64::MAX },
                "the blur at the start, in cells",
            )
            .paper("Xu et al. 2020, Attribution in scale and space");
    over_networks!(registry, blur, |model, batch, given, settings| {
        let n_steps = settings.count("n_steps").unwrap_or(100);
        let method = BlurIntegratedGradients { n_steps, max_sigma: settings.float("max_sigma") };
        method.explain(model, batch, given.run)?
    });
    let guided = spec(
        "guided-integrated-gradients",
        "Slopes gathered on a way that goes where they are small first, against noise; sums to the score",
    )
    .parameter("n_steps", Kind::COUNT, 200i64, "gradients for each way")
    .parameter("fraction", Kind::Float { min: 0.0, max: 1.0 }, 0.25, "the share of the cells that move together")
    .parameter("max_distance", Kind::Float { min: 0.0, max: 1.0 }, 0.02, "how far a cell may be from the straight way")
    .paper("Kapishnikov et al. 2021, Guided integrated gradients");
    over_networks!(registry, with_baseline(guided), |model, batch, given, settings| {
        let method = GuidedIntegratedGradients {
            baselines: given.baselines(settings)?,
            n_steps: settings.count("n_steps").unwrap_or(200),
            fraction: settings.float("fraction").unwrap_or(0.25),
            max_distance: settings.float("max_distance").unwrap_or(0.02),
        };
        method.explain(model, batch, given.run)?
    });
}

fn smooth(registry: &mut Registry) {
    let smooth = spec("smooth-grad", "Slopes, or cells times slopes, over noisy copies of each sample")
        .parameter("of", Kind::choice(["saliency", "input-times-gradient"]), "saliency", "what is told of each copy")
        .parameter("n_draws", Kind::COUNT, 50i64, "noisy copies")
        .parameter("noise", Kind::Float { min: 0.0, max: 10.0 }, 0.15, "of the sample's range, as standard deviation")
        .parameter(
            "statistic",
            Kind::choice(["mean", "square", "variance"]),
            "mean",
            "SmoothGrad, SmoothGrad squared or VarGrad",
        )
        .paper("Smilkov et al. 2017, SmoothGrad; Adebayo et al. 2018");
    over_networks!(registry, smooth, |model, batch, given, settings| {
        let statistic = match settings.word("statistic") {
            Some("square") => Statistic::Square,
            Some("variance") => Statistic::Variance,
            _ => Statistic::Mean,
        };
        let (n_draws, noise) =
            (settings.count("n_draws").unwrap_or(50), Noise::Range(settings.float("noise").unwrap_or(0.15)));
        match settings.word("of") {
            Some("input-times-gradient") => {
                let method = SmoothGrad { explainer: InputTimesGradient, n_draws, noise, statistic };
                method.explain(model, batch, given.run)?
            }
            _ => {
                let method = SmoothGrad { explainer: Saliency { absolute: false }, n_draws, noise, statistic };
                method.explain(model, batch, given.run)?
            }
        }
    });
}

/// Methods that know nothing of the model, to see what a picture owes to the sample alone.
fn controls(registry: &mut Registry) {
    let edges =
        Spec::new("edge-detector", Scope::Local, "Where the input changes, whatever the model does: for comparison")
            .forms(&[Form::Series, Form::Image])
            .paper("Adebayo et al. 2018, Sanity checks for saliency maps");
    over_networks!(registry, edges, |model, batch, given, _settings| EdgeDetector.explain(model, batch, given.run)?);
    #[cfg(feature = "eval")]
    {
        let random = Spec::new("random", Scope::Local, "Chance: for comparison").forms(&Form::ALL).needs(Need::Network);
        over_networks!(registry, random, |model, batch, given, _settings| {
            xai_eval::tournament::RandomShares.explain(model, batch, given.run)?
        });
    }
}
