//! The book of the xai toolkit. Every Rust block of its pages is a test: `cargo test -p xai-docs`.
//!
//! The pages lie in `src/`, for mdBook; `mdbook build docs` makes a website of them.

macro_rules! pages {
    ($($name:ident => $file:literal,)*) => {$(
        #[doc = include_str!($file)]
        mod $name {}
    )*};
}

pages! {
    introduction => "src/introduction.md",
    first_steps => "src/first-steps.md",
    which_method => "src/which-method.md",
    own_model => "src/own-model.md",
    own_explainer => "src/own-explainer.md",
    own_estimator => "src/own-estimator.md",
    models => "src/models.md",
    networks => "src/networks.md",
    tables => "src/tables.md",
    tree_shap => "src/methods/tree-shap.md",
    any_model_shap => "src/methods/any-model-shap.md",
    proxy_shap => "src/methods/proxy-shap.md",
    maskers => "src/methods/maskers.md",
    linear_shap => "src/methods/linear-shap.md",
    interactions => "src/methods/interactions.md",
    tree_interactions => "src/methods/tree-interactions.md",
    exact_partial_dependence => "src/methods/exact-partial-dependence.md",
    friedman_h => "src/methods/friedman-h.md",
    lime => "src/methods/lime.md",
    gradients => "src/methods/gradients.md",
    integrated_gradients => "src/methods/integrated-gradients.md",
    cam => "src/methods/cam.md",
    segments => "src/methods/segments.md",
    occlusion => "src/methods/occlusion.md",
    deep_lift => "src/methods/deep-lift.md",
    guided_backpropagation => "src/methods/guided-backpropagation.md",
    lrp => "src/methods/lrp.md",
    permutation_importance => "src/methods/permutation-importance.md",
    mean_absolute_attribution => "src/methods/mean-absolute-attribution.md",
    partial_dependence => "src/methods/partial-dependence.md",
    accumulated_local_effects => "src/methods/accumulated-local-effects.md",
    evaluation => "src/evaluation.md",
    faithfulness => "src/evaluation/faithfulness.md",
    ground_truth => "src/evaluation/ground-truth.md",
    localisation => "src/evaluation/localisation.md",
    stability => "src/evaluation/stability.md",
    randomisation => "src/evaluation/randomisation.md",
    axioms => "src/evaluation/axioms.md",
    complexity => "src/evaluation/complexity.md",
    metrics => "src/evaluation/metrics.md",
    tournament => "src/evaluation/tournament.md",
    league => "src/evaluation/league.md",
    pictures => "src/pictures.md",
    command => "src/command.md",
    json => "src/json.md",
    streaming => "src/streaming.md",
    reproducibility => "src/reproducibility.md",
    checking => "src/checking.md",
}

// "src/burn.md" is tested where burn is there: `cargo test -p xai-models --features train --doc`.
