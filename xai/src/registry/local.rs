//! The local methods by name.

use xai_core::Explainer;
use xai_core::model::feature_names;
use xai_local::lime::{Bins, LimeTabular, Selection, Training};
use xai_local::linear::LinearShap;
use xai_local::masker::Background;

use super::maskers::grouped;
use super::{Kind, Need, Registry, Scope, Spec};

pub(super) fn add(registry: &mut Registry) {
    super::trees::add(registry);
    super::games::add(registry);
    super::proxies::add(registry);
    linear_shap(registry);
    lime(registry);
}

fn linear_shap(registry: &mut Registry) {
    let spec = Spec::new("linear-shap", Scope::Local, "Exact Shapley values of a linear model, without asking it")
        .needs(Need::Linear)
        .needs(Need::Background)
        .weights()
        .groups()
        .paper("Lundberg & Lee 2017, A unified approach to interpreting model predictions, corollary 1");
    registry.add_fn(spec.clone(), move |inputs, _| {
        let rows = inputs.background(&spec)?;
        let background = match inputs.background_weights {
            None => Background::new(rows.to_owned())?,
            Some(weights) => Background::weighted(rows.to_owned(), weights.to_vec())?,
        };
        let method = LinearShap { background: grouped(background, inputs)? };
        Ok(method.explain(inputs.linear(&spec)?, inputs.batch, inputs.run)?.into())
    });
}

fn lime(registry: &mut Registry) {
    use Selection::{Auto, ForwardSelection, HighestWeights, LassoPath, None};
    let selections = [None, Auto, ForwardSelection, HighestWeights, LassoPath];
    let spec = Spec::new("lime", Scope::Local, "A linear surrogate fitted around each sample; its R² is reported")
        .needs(Need::Background)
        .parameter(
            "sampling",
            Kind::choice(["kernel", "classic"]),
            "kernel",
            "draw neighbours from the kernel and fit least squares, or do as lime 0.2.0.1 does, ridge and all",
        )
        .parameter("n_draws", Kind::Int { min: 2, max: i64::MAX }, 5000i64, "neighbours of each sample")
        .parameter("bins", Kind::choice(["quartiles", "deciles", "none"]), "quartiles", "how numbers are cut")
        .optional("kernel_width", Kind::Float { min: f64::MIN_POSITIVE, max: f64::MAX }, "0.75·√features when not set")
        .optional("n_features", Kind::COUNT, "features that the surrogate may use; 10 if classic, otherwise all")
        .optional("selection", Kind::Choice(selections.map(|s| s.name().to_owned()).to_vec()), "how they are chosen")
        .paper("Ribeiro et al. 2016, Why should I trust you?; Tan et al. 2023, GLIME");
    registry.add_fn(spec.clone(), move |inputs, settings| {
        let rows = inputs.background(&spec)?;
        let bins = match settings.word("bins") {
            Some("deciles") => Bins::Deciles,
            Some("none") => Bins::None,
            _ => Bins::Quartiles,
        };
        let training = Training::new(rows, &feature_names(inputs.subject.model, rows)?, bins)?;
        let classic = settings.word("sampling") == Some("classic");
        let mut method = if classic { LimeTabular::classic(training) } else { LimeTabular::new(training) };
        method.n_draws = settings.count("n_draws").unwrap_or(method.n_draws);
        method.kernel_width = settings.float("kernel_width");
        if let Some(n) = settings.count("n_features") {
            method.n_features = n;
            method.selection = Selection::Auto;
        }
        if let Some(word) = settings.word("selection") {
            method.selection = selections.into_iter().find(|s| s.name() == word).unwrap_or_default();
        }
        Ok(method.explain(inputs.subject.model, inputs.batch, inputs.run)?.into())
    });
}
