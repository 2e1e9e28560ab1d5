//! From a model and labelled rows to a report, in one call: what `xai report` does.

mod individuals;
mod networks;

use ndarray::{Array2, Axis};
use xai_core::{
    Attribution, Effects, Error, Explainer, Groups, Importance, Inside, Interactions, Link, Meter, Result, Run, Table,
    Value,
};
use xai_global::{
    AccumulatedLocalEffects, Labels, LookInside, Loss, PartialDependence, Performance, PermutationImportance,
    mean_absolute, performance,
};
use xai_local::gradient::{Baselines, IntegratedGradients};
use xai_local::masker::Background;
use xai_local::relevance::{DeepShap, NonLinearRule};
use xai_local::shapley::{KernelShap, Masked};
use xai_local::tree::{InterventionalTreeInteractions, InterventionalTreeShap, TreeInteractions, TreeShap};
use xai_models::adaptor::Linked;
use xai_models::trees::has_covers;
use xai_viz::Report;
use xai_viz::report::{Confusion, Individual, Overview};

use crate::registry::{LayeredModel, Subject};
pub use individuals::Chosen;
pub use networks::{METHODS, NetworkBrief, NetworkFindings};

/// What a report is about.
pub struct Brief<'a> {
    /// The heading.
    pub title: String,
    /// The model.
    pub subject: Subject<'a>,
    /// How its scores become predictions.
    pub link: Link,
    /// The rows to explain: (sample, feature).
    pub batch: &'a Table,
    /// Rows that stand for absence; without them trees are explained by their covers: (row, feature).
    pub background: Option<&'a Table>,
    /// What the model should have predicted: (sample).
    pub labels: Option<&'a Labels>,
    /// The names of the classes, where labels are classes.
    pub classes: &'a [String],
    /// Which columns are explained as one.
    pub groups: Option<&'a Groups>,
    /// Facts about the model: what, and its value.
    pub model_facts: Vec<(String, String)>,
    /// Facts about the data.
    pub data_facts: Vec<(String, String)>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// Everything that a report shows, computed.
#[derive(Debug, Clone)]
pub struct Findings {
    title: String,
    model_facts: Vec<(String, String)>,
    data_facts: Vec<(String, String)>,
    notes: Vec<String>,
    classes: Vec<String>,
    performance: Option<Performance>,
    /// The layers, where the model is a network.
    pub inside: Option<Inside>,
    /// The explained rows; every one of the batch, or as many as a picture can show.
    pub attribution: Attribution,
    /// Mean absolute attribution, and permutation importance where there are labels.
    pub importances: Vec<Importance>,
    /// Pairs, where the model is made of trees: by the same game as the attribution, for some of its rows.
    pub interactions: Option<Interactions>,
    /// Partial dependence and accumulated local effects of the most important features.
    pub effects: Vec<Effects>,
    /// The rows whose waterfalls are shown.
    pub individuals: Vec<Chosen>,
}

/// More rows than this are thinned out evenly before they are explained.
const MOST_ROWS: usize = 1000;
/// Model evaluations that permutation importance may take; rows are thinned out to fit.
const MOST_SHUFFLED: usize = 2_000_000;
/// Shuffles of each feature.
const REPEATS: usize = 5;
/// Rows whose pairs are looked at, and the most players and outputs for which they are.
const PAIRED_ROWS: usize = 100;
const PAIRED_PLAYERS: usize = 300;
const PAIRED_OUTPUTS: usize = 3;
/// Background rows for pairs.
const PAIRED_BACKGROUND: usize = 20;
/// Background rows that integrated gradients begin at.
const PATHS: usize = 10;
/// Rows of response curves, and how many features get one.
const CURVE_ROWS: usize = 300;
const CURVES: usize = 6;
/// Background rows that a report uses at most.
const BACKGROUND_ROWS: usize = 100;
/// Overviews that a report shows at most, one for each output.
const OVERVIEWS: usize = 4;

impl Findings {
    /// Computes what the report shows.
    ///
    /// # Cost
    /// About n + 2,000,000 + 12 · 20 · 300 evaluations at most with labels, and TreeSHAP of 1,000 rows.
    ///
    /// # Errors
    /// Those of the methods that it calls.
    pub fn new(brief: Brief, run: &Run) -> Result<Self> {
        let batch = brief.batch;
        if batch.nrows() == 0 {
            return Err(Error::parameter("rows", 0, "at least one row to explain"));
        }
        let mut notes = brief.notes.clone();
        let rows = thinned(batch.nrows(), MOST_ROWS);
        if rows.len() < batch.nrows() {
            notes.push(format!("{} of {} rows are explained, evenly spaced.", rows.len(), batch.nrows()));
        }
        let explained = batch.select(Axis(0), &rows);
        let attribution = attribute(&brief, &explained, run)?;
        let scores = Meter::new(run, batch.nrows() as u64).predict(brief.subject.model, batch)?;
        let predictions = predictions(brief.link, scores);
        let performance = match brief.labels {
            None => None,
            Some(labels) => Some(performance(&predictions, labels, None)?),
        };
        let mut importances = vec![mean_absolute(&attribution)?];
        if let Some(labels) = brief.labels
            && batch.nrows() > 1
        {
            importances.push(permutation(&brief, labels, &predictions, run)?);
        }
        let inside = match brief.subject.network {
            None => None,
            Some(network) => Some(LookInside::default().explain(network, batch, run)?),
        };
        let interactions = pairs(&brief, &attribution, &explained, run)?;
        let effects = effects(&brief, &importances[0], run)?;
        let individuals = individuals::choose(&brief, &attribution, &predictions, &rows);
        Ok(Findings {
            title: brief.title,
            model_facts: brief.model_facts,
            data_facts: brief.data_facts,
            notes,
            classes: brief.classes.to_vec(),
            performance,
            inside,
            attribution,
            importances,
            interactions,
            effects,
            individuals,
        })
    }

    /// The report as plain data; [`Report::html`] makes a page of it.
    pub fn report(&self) -> Report<'_> {
        let outputs = self.attribution.outputs.len();
        let measures = self.performance.iter().flat_map(|p| &p.measures);
        let mut notes = self.notes.clone();
        for (name, reason) in self.performance.iter().flat_map(|p| &p.omitted) {
            notes.push(format!("{name} is not shown: {reason}."));
        }
        Report {
            title: self.title.clone(),
            summary: vec![self.summary()],
            model: self.model_facts.clone(),
            data: self.data_facts.clone(),
            performance: measures.map(|m| (m.name.to_owned(), Value::Float(m.value))).collect(),
            confusion: self.confusion(),
            inside: self.inside.as_ref(),
            importance: self.importances.iter().collect(),
            overviews: (0..outputs.min(OVERVIEWS))
                .map(|output| Overview { attribution: &self.attribution, output })
                .collect(),
            interactions: self.interactions.iter().collect(),
            effects: self.effects.iter().collect(),
            individuals: self.individuals.iter().map(|chosen| self.individual(chosen)).collect(),
            notes,
            ..Report::default()
        }
    }

    fn individual(&self, chosen: &Chosen) -> Individual<'_> {
        Individual {
            title: chosen.title.clone(),
            attribution: &self.attribution,
            sample: chosen.place,
            output: chosen.output,
            facts: chosen.facts.clone(),
        }
    }

    fn summary(&self) -> String {
        let order = self.importances[0].order();
        let names: Vec<&str> = order.iter().take(3).map(|&f| self.importances[0].features[f].name.as_str()).collect();
        format!(
            "{} predictions were explained with {}. What contributes most on average: {}.",
            self.attribution.n_samples(),
            self.attribution.provenance.method,
            names.join(", ")
        )
    }

    fn confusion(&self) -> Option<Confusion> {
        let counts = self.performance.as_ref()?.confusion.as_ref()?;
        if counts.nrows() != self.classes.len() {
            return None;
        }
        Some(Confusion { names: self.classes.clone(), counts: counts.mapv(|count| count.round() as u64) })
    }
}

/// At most `most` of `n` places, evenly spaced.
fn thinned(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (0..most).map(|i| i * n / most).collect() }
}

fn predictions(link: Link, mut scores: Array2<f64>) -> Array2<f64> {
    for mut row in scores.outer_iter_mut() {
        if let Some(row) = row.as_slice_mut() {
            link.apply(row);
        }
    }
    scores
}

/// By the best method that the model and the background allow.
fn attribute(brief: &Brief, rows: &Table, run: &Run) -> Result<Attribution> {
    let sampled = |data: &Table| Background::sample(data, BACKGROUND_ROWS, run.seed);
    match (brief.subject.trees, brief.background) {
        (Some(trees), None) if has_covers(trees.trees()) => {
            TreeShap { groups: brief.groups.cloned(), ..Default::default() }.explain(trees, rows, run)
        }
        (Some(trees), background) => {
            let background = sampled(background.unwrap_or(brief.batch))?.rows().to_owned();
            let method =
                InterventionalTreeShap { groups: brief.groups.cloned(), ..InterventionalTreeShap::new(background) };
            method.explain(trees, rows, run)
        }
        (None, background) if brief.groups.is_none() && brief.subject.network.is_some() => {
            let background = sampled(background.unwrap_or(brief.batch))?;
            of_network(brief.subject.network, background.rows(), rows, run)
        }
        (None, background) => {
            let masker = sampled(background.unwrap_or(brief.batch))?;
            let masker = match brief.groups {
                None => masker,
                Some(groups) => masker.grouped(groups.clone())?,
            };
            Masked { estimator: KernelShap::default(), masker }.explain(brief.subject.model, rows, run)
        }
    }
}

/// DeepSHAP, which is one pass for each background row; integrated gradients from a few where a layer has no rule for it.
fn of_network(
    network: Option<&LayeredModel<Table>>,
    background: &Table,
    rows: &Table,
    run: &Run,
) -> Result<Attribution> {
    let network = network.ok_or_else(|| Error::unsupported("this model as a network", "it is none"))?;
    let deep = DeepShap { baselines: Baselines::of(background), rule: NonLinearRule::Rescale };
    match deep.explain(network, rows, run) {
        Err(Error::Unsupported { .. }) => {
            let few = background.select(Axis(0), &thinned(background.nrows(), PATHS));
            IntegratedGradients::default().from_baselines(Baselines::of(&*few)).explain(network, rows, run)
        }
        found => found,
    }
}

/// Pairs of features of models made of trees, unless there are too many to read.
fn pairs(brief: &Brief, attribution: &Attribution, rows: &Table, run: &Run) -> Result<Option<Interactions>> {
    let Some(trees) = brief.subject.trees else { return Ok(None) };
    let players = attribution.features.len();
    if !(2..=PAIRED_PLAYERS).contains(&players) || attribution.outputs.len() > PAIRED_OUTPUTS {
        return Ok(None);
    }
    let rows = rows.select(Axis(0), &thinned(rows.nrows(), PAIRED_ROWS));
    let groups = brief.groups.cloned();
    if brief.background.is_none() && has_covers(trees.trees()) {
        let found = TreeInteractions { groups, ..TreeInteractions::default() }.explain(trees, &rows, run)?;
        return Ok(Some(found).filter(|found| !found.terms.is_empty()));
    }
    let background = Background::sample(brief.background.unwrap_or(brief.batch), PAIRED_BACKGROUND, run.seed)?;
    let method = InterventionalTreeInteractions::new(background.rows().to_owned());
    let found = InterventionalTreeInteractions { groups, ..method }.explain(trees, &rows, run)?;
    // Trees that never split have no sets.
    Ok(Some(found).filter(|found| !found.terms.is_empty()))
}

fn permutation(brief: &Brief, labels: &Labels, predictions: &Table, run: &Run) -> Result<Importance> {
    let most = (MOST_SHUFFLED / (REPEATS * brief.batch.ncols().max(1))).clamp(200, 5000);
    let rows = thinned(brief.batch.nrows(), most);
    let labels = match labels {
        Labels::Numbers(numbers) => Labels::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
        Labels::Classes { n, indices } => {
            Labels::Classes { n: *n, indices: rows.iter().map(|&row| indices[row]).collect() }
        }
    };
    let mut method = PermutationImportance::new(labels);
    method.n_repeats = REPEATS;
    // Where a model is certain, as forests of few trees are, one mistake outweighs everything else in a log-loss.
    if method.losses == [Loss::LogLoss] && predictions.iter().any(|p| *p <= 0.0 || *p >= 1.0) {
        method.losses = vec![Loss::Brier];
    }
    method.groups = brief.groups.cloned();
    // Losses are about predictions: probabilities rather than log-odds.
    let model = Linked::new(brief.subject.model, brief.link)?;
    method.explain(&model, &brief.batch.select(Axis(0), &rows), run)
}

/// Curves of the columns behind the most important players; a player of several columns has no curve.
fn effects(brief: &Brief, importance: &Importance, run: &Run) -> Result<Vec<Effects>> {
    let column = |player: usize| match brief.groups {
        None => Some(player),
        Some(groups) => match groups.members[player].as_slice() {
            [column] => Some(*column),
            _ => None,
        },
    };
    let finite = |c: &usize| brief.batch.column(*c).iter().any(|x| x.is_finite());
    let features: Vec<Vec<usize>> =
        importance.order().into_iter().filter_map(column).filter(finite).take(CURVES).map(|c| vec![c]).collect();
    if features.is_empty() {
        return Ok(Vec::new());
    }
    let rows = brief.batch.select(Axis(0), &thinned(brief.batch.nrows(), CURVE_ROWS));
    let partial = PartialDependence { features: features.clone(), ..PartialDependence::individual() };
    let accumulated = AccumulatedLocalEffects { features, ..AccumulatedLocalEffects::default() };
    let model = brief.subject.model;
    Ok(vec![partial.explain(model, &rows, run)?, accumulated.explain(model, &rows, run)?])
}
