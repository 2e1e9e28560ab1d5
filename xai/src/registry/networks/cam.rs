//! Class activation maps.

use xai_core::Explainer;
use xai_local::cam::{
    Cam, EigenCam, FinerCam, GradCam, GradCamPlusPlus, GuidedCam, HiResCam, LayerCam, ScoreCam, XGradCam,
};
use xai_local::relevance::GuidedBackpropagation;

use super::over_networks;
use crate::registry::{Form, Kind, Need, Registry, Scope, Spec};

fn spec(name: &str, summary: &str, paper: &str) -> Spec {
    Spec::new(name, Scope::Local, summary)
        .forms(&[Form::Series, Form::Image])
        .needs(Need::Network)
        .optional("layer", Kind::Words, "the layer whose channels are weighted; the last with places when not set")
        .parameter("relu", Kind::Bool, true, "drop what speaks against the output")
        .parameter("upsample", Kind::Bool, true, "bring the map to the size of the input")
        .paper(paper)
}

/// Adds a map with a weighting of its own.
macro_rules! weighting {
    ($registry:expr, $name:literal, $weighting:expr, $summary:literal, $paper:literal) => {
        over_networks!($registry, spec($name, $summary, $paper), |model, batch, given, settings| {
            let method = Cam {
                weighting: $weighting,
                layer: given.layer(settings),
                relu: settings.flag("relu"),
                upsample: settings.flag("upsample"),
            };
            method.explain(model, batch, given.run)?
        })
    };
}

pub(super) fn add(registry: &mut Registry) {
    weighting!(
        registry,
        "hires-cam",
        HiResCam,
        "Activations times slopes, summed over channels: faithful behind one linear layer",
        "Draelos & Carin 2020, Use HiResCAM instead of Grad-CAM"
    );
    weighting!(
        registry,
        "grad-cam",
        GradCam,
        "Channels weighted by their mean slope",
        "Selvaraju et al. 2017, Grad-CAM"
    );
    weighting!(
        registry,
        "grad-cam-plus-plus",
        GradCamPlusPlus,
        "Channels weighted by their positive slopes, place by place",
        "Chattopadhay et al. 2018, Grad-CAM++"
    );
    weighting!(
        registry,
        "x-grad-cam",
        XGradCam,
        "Channels weighted by slopes where they are active",
        "Fu et al. 2020, Axiom-based Grad-CAM"
    );
    weighting!(
        registry,
        "layer-cam",
        LayerCam,
        "Activations times positive slopes: also for early layers",
        "Jiang et al. 2021, LayerCAM"
    );
    weighting!(
        registry,
        "eigen-cam",
        EigenCam,
        "The main direction of the activations; the same for every output",
        "Muhammad & Yeasin 2020, Eigen-CAM"
    );
    weighting!(
        registry,
        "finer-cam",
        FinerCam::<HiResCam>::default(),
        "What tells an output from those most like it",
        "Zhang et al. 2025, Finer-CAM"
    );
    let score =
        spec("score-cam", "Channels weighted by what they do to the score as masks", "Wang et al. 2020, Score-CAM");
    over_networks!(registry, score, |model, batch, given, settings| {
        let method =
            ScoreCam { layer: given.layer(settings), relu: settings.flag("relu"), upsample: settings.flag("upsample") };
        method.explain(model, batch, given.run)?
    });
    let guided = spec(
        "guided-grad-cam",
        "Grad-CAM times guided backpropagation: sharp, and blind to the output in its detail",
        "Selvaraju et al. 2017, Grad-CAM, section 3",
    );
    over_networks!(registry, guided, |model, batch, given, settings| {
        let coarse = Cam { layer: given.layer(settings), relu: settings.flag("relu"), ..Cam::new(GradCam) };
        GuidedCam { fine: GuidedBackpropagation, coarse }.explain(model, batch, given.run)?
    });
}
