//! Contests where the right attribution is known by construction.

use xai::contest::{Arena, Contest, Entry, Named};
use xai::core::model::Owned;
use xai::core::{Attribution, Explainer, Feature, League, Model, Result, Run, Table};
use xai::eval::tournament::Tournament;
use xai::eval::truth::{Known, Terms, documents, pictures as planted};
use xai::eval::{
    FaithfulnessCorrelation, FeatureAgreement, MaxSensitivity, Neighbourhood, RankCorrelation, RemovalCurve,
    SignAgreement,
};
use xai::local::gradient::{
    Baselines, ExpectedGradients, GuidedIntegratedGradients, InputTimesGradient, IntegratedGradients, Saliency,
    SmoothGrad,
};
use xai::local::masker::Background;
use xai::registry::{Inputs, Registry, Settings, Subject, TableModel};

use crate::models::{WordsAsTable, picture_network};
use crate::{MOST_TIME, SEED, entries, metrics};

/// Rows of every table.
pub const ROWS: usize = 40;
const TEXTS: usize = 24;
const WORDS: usize = 12;
const PICTURES: usize = 12;
const SIDE: usize = 16;

/// One of the tables: methods of any model by name, and those of gradients, which these models have.
pub fn table(known: &Known<Terms>, run: &Run) -> Result<League> {
    let (batch, background): (&Owned<Terms>, &Owned<Terms>) = (&known.batch, &known.background);
    let subject = Subject::opaque(&known.model);
    let (registry, n) = (Registry::standard(), batch.ncols());
    let mut contest: Tournament<Terms> = Tournament::new();
    for Entry { name, set, .. } in entries(Contest::fitting(&registry, &subject, n))? {
        let method = registry.get(&name)?;
        let settings = Settings::from_pairs(method.spec(), &set)?;
        let inputs = Inputs {
            subject,
            batch,
            background: Some(background),
            background_weights: None,
            labels: None,
            groups: None,
            run,
        };
        contest.method(name, OnTable(Named { method, settings, inputs }));
    }
    let mean = background.mean_axis(ndarray::Axis(0)).unwrap_or_default().insert_axis(ndarray::Axis(0));
    let baselines = Baselines::of(&*mean);
    contest
        .method("saliency", Saliency { absolute: false })
        .method("input-times-gradient", InputTimesGradient)
        .method("smooth-grad", SmoothGrad::new(Saliency { absolute: false }))
        .method("integrated-gradients", IntegratedGradients { baselines: baselines.clone(), ..Default::default() })
        .method("guided-integrated-gradients", GuidedIntegratedGradients { baselines, ..Default::default() })
        .method("expected-gradients", ExpectedGradients { background: Baselines::of(&**background), n_draws: 200 });
    contest.time = Some(MOST_TIME);
    let neighbourhood = Neighbourhood { n_draws: 3, ..Neighbourhood::default() };
    contest
        .metric(RankCorrelation)
        .metric(FeatureAgreement { k: 3 })
        .metric(SignAgreement { k: 3 })
        .weighted(FaithfulnessCorrelation::default(), 0.0)
        .weighted(RemovalCurve::default(), 0.0)
        .weighted(MaxSensitivity { neighbourhood }, 0.0);
    let masker = Background::new(background.clone())?;
    let mut league = contest.run(&known.case().with_masker(&masker), run)?;
    league.provenance = league.provenance.with("generator", known.name).with("background_rows", background.nrows());
    Ok(league)
}

/// A method of table models for this one.
struct OnTable<'a>(Named<'a>);

impl Explainer<Terms> for OnTable<'_> {
    type Explanation = Attribution;

    fn explain(&self, model: &Terms, batch: &Table, run: &Run) -> Result<Attribution> {
        Explainer::<TableModel>::explain(&self.0, model, batch, run)
    }
}

/// Planted words: places of a text are columns, and a word is a category.
pub fn words(run: &Run) -> Result<League> {
    let known = documents(TEXTS, WORDS, SEED)?;
    let model = WordsAsTable::of(&known)?;
    let (batch, background) = (model.rows(&known.batch)?, model.rows(&known.background)?);
    let truth = Attribution { features: model.features().to_vec(), ..known.truth.clone() };
    let contest = Contest {
        methods: entries(Contest::fitting(&Registry::standard(), &Subject::opaque(&model), WORDS))?,
        metrics: metrics(&[
            "rank-correlation",
            "feature-agreement k=2",
            "sign-agreement k=2",
            "relevance-rank-accuracy",
            "faithfulness-correlation",
            "deletion",
        ]),
        masks: Some(known.evidence.clone()),
        truth: Some(truth),
        time: Some(MOST_TIME),
    };
    let contest = counting(contest, &["faithfulness-correlation", "deletion"], 0.0);
    contest.run(Subject::opaque(&model), &batch, &background, run)
}

/// Planted pictures: a convolution, a rectifier and a sum, whose evidence is a block of 4 x 4 pixels.
pub fn pictures(run: &Run) -> Result<League> {
    let known = planted(PICTURES, SIDE, SEED)?;
    let network = picture_network(SIDE)?;
    let background = known.background.mapv(f64::from).into_dyn();
    let arena = Arena { network: &network, batch: &*known.batch, background: Some(&background) };
    let contest = Contest {
        methods: entries(Contest::fitting_network(&Registry::standard(), &arena))?,
        metrics: metrics(&[
            "relevance-rank-accuracy",
            "relevance-mass-accuracy",
            "pointing-game",
            "rank-correlation",
            "faithfulness-correlation",
            "deletion",
            "max-sensitivity n_draws=2",
            "mprt",
        ]),
        masks: Some(known.evidence.clone()),
        truth: Some(known.truth.clone()),
        time: Some(MOST_TIME),
    };
    let free = ["faithfulness-correlation", "deletion", "max-sensitivity"];
    counting(contest, &free, 0.0).run_network(&arena, run)
}

/// Metrics that count this much in the mean rank.
fn counting(mut contest: Contest, names: &[&str], weight: f64) -> Contest {
    for entry in contest.metrics.iter_mut().filter(|entry| names.contains(&entry.name.as_str())) {
        entry.weight = Some(weight);
    }
    contest
}

/// The names of categories have to be those of the model's features.
pub fn categories(n_places: usize, words: &[String]) -> Vec<Feature> {
    (0..n_places).map(|place| Feature::categorical(format!("word {place}"), words.to_vec())).collect()
}
