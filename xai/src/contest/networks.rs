//! Contests on networks of tables, series and images.

use ndarray::{Array2, ArrayD, Axis};
use xai_core::{Cells, Error, League, Output, Result, Run, Table};
use xai_eval::Case;
use xai_eval::tournament::{Step, Tournament, by_place};
use xai_models::network::{Network, Node, Op};

use super::{Contest, Entry, NamedNetwork, Sample, spread, spreads};
use crate::metrics::Metrics;
use crate::registry::{Form, Need, Registry, Scope, Settings, Spec};

/// A network, its samples, and what stands for their absence.
pub struct Arena<'a, B: ?Sized> {
    /// The network.
    pub network: &'a Network<B>,
    /// The samples.
    pub batch: &'a B,
    /// Samples that stand for absence: (sample, axes …). Rows of tables need some; images and series without any turn to
    /// zeros.
    pub background: Option<&'a ArrayD<f64>>,
}

/// Methods that must be told a layer and give no share to the input; those of single neurons must be told one, too.
const OF_LAYERS: [&str; 5] =
    ["layer-activation", "layer-gradient", "layer-integrated-gradients", "layer-conductance", "internal-influence"];

/// Networks have more outputs than anybody compares explanations of.
const MOST_OUTPUTS: usize = 10;

impl Contest {
    /// The methods that fit a network: those that explain single samples of its form to the cells or places of the input
    /// and lack nothing. Those that play all coalitions are left out above 20 features.
    pub fn fitting_network<B: Sample + ?Sized>(registry: &Registry, arena: &Arena<B>) -> Vec<Entry> {
        let n_cells: usize = arena.network.input_shape().iter().product();
        let fits = |spec: &Spec| {
            let has = |need: &Need| match need {
                Need::Network => true,
                Need::Background => arena.background.is_some(),
                _ => false,
            };
            spec.scope == Scope::Local
                && spec.forms.contains(&B::FORM)
                && spec.needs.iter().all(has)
                && (spec.name != "exact-shap" || n_cells <= super::MOST_EXACT)
                && !OF_LAYERS.contains(&spec.name.as_str())
                && !spec.name.starts_with("neuron-")
                && spec.name != "random"
        };
        registry.methods().map(|m| m.spec()).filter(|spec| fits(spec)).map(|spec| Entry::new(&spec.name)).collect()
    }

    /// Runs the contest on a network. Images and series are compared place by place: shares are summed over channels, and
    /// masks have a column for each place.
    ///
    /// # Errors
    /// As [`Contest::resume_network`].
    ///
    /// # Example
    /// ```
    /// use ndarray::{Array2, Array4, ArrayRef4, array};
    /// use xai::contest::{Arena, Contest, Entry};
    /// use xai::core::Run;
    /// use xai::models::network::{Network, Op};
    /// // The sum of the left column of 2 x 2 pixels, where it is positive.
    /// let weight = array![[1.0, 0.0, 1.0, 0.0]];
    /// let layers = [("flat", Op::Flatten), ("sum", Op::Linear { weight, bias: None }), ("relu", Op::Relu)];
    /// let network: Network<ArrayRef4<f32>> = Network::sequence(&[1, 2, 2], layers)?;
    /// let batch = Array4::from_shape_fn((6, 1, 2, 2), |(i, _, y, x)| (1 + i + y + x) as f32);
    /// let contest = Contest {
    ///     methods: vec![Entry::new("input-times-gradient")],
    ///     metrics: vec![Entry::new("relevance-mass-accuracy"), Entry::new("mprt")],
    ///     masks: Some(Array2::from_shape_fn((6, 4), |(_, place)| place % 2 == 0)),
    ///     ..Contest::default()
    /// };
    /// let league = contest.run_network(&Arena { network: &network, batch: &*batch, background: None }, &Run::default())?;
    /// assert_eq!(league.finding(0, 0).unwrap().mean, Some(1.0)); // all mass on the left
    /// # Ok::<(), xai::core::Error>(())
    /// ```
    pub fn run_network<B: Sample + ?Sized>(&self, arena: &Arena<B>, run: &Run) -> Result<League> {
        self.resume_network(arena, run, Vec::new(), &mut |_| Ok(()))
    }

    /// Runs what `done` does not yet hold, and tells `record` of every step.
    ///
    /// # Errors
    /// As [`Contest::resume`]; [`Error::Unsupported`] for a metric that cannot be asked of such samples.
    pub fn resume_network<B: Sample + ?Sized>(
        &self,
        arena: &Arena<B>,
        run: &Run,
        done: Vec<Step>,
        record: &mut dyn FnMut(&Step) -> Result<()>,
    ) -> Result<League> {
        let (registry, metrics) = (Registry::standard(), Metrics::standard());
        let shape = arena.batch.sample_shape();
        let masker = B::absence(arena.batch, arena.background)?;
        let scales = self.spreads(arena);
        let mut contest: Tournament<Network<B>> =
            if B::FORM == Form::Table { Tournament::new() } else { Tournament::of_places() };
        contest.time = self.time;
        for entry in &self.methods {
            let method = registry.get(&entry.name)?;
            let settings = Settings::from_pairs(method.spec(), &entry.set)?;
            contest.method(&entry.name, NamedNetwork { method, settings, background: arena.background });
        }
        for entry in &self.metrics {
            let weight = entry.weight.unwrap_or(metrics.get(&entry.name)?.weight);
            contest.weighted(metrics.make_for::<B, _>(&entry.name, &entry.set, &scales)?, weight);
        }
        let truth = self.truth.clone();
        let truth = match B::FORM {
            Form::Table => truth,
            _ => truth.map(|truth| by_place(truth, &shape)).transpose()?,
        };
        let case = Case::new(arena.network, arena.batch).with_masker(masker.as_ref());
        let case = Case { truth: truth.as_ref(), masks: self.masks.as_deref(), ..case };
        let mut league = contest.resume(&case, run, done, record)?;
        let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
        league.provenance = league.provenance.with("sample", axes.join("x")).with("absence", masker.describe());
        Ok(self.told(league, arena.network))
    }

    /// The spread of each cell: of each column of a table, of all cells of other samples together.
    fn spreads<B: Sample + ?Sized>(&self, arena: &Arena<B>) -> Vec<f64> {
        let wide = arena.batch.cells().mapv(|cell| -> f64 { cell.into() });
        let n_cells = arena.batch.sample_shape().iter().product();
        let all = spread(wide.iter().copied());
        let rows = |cells: &ArrayD<f64>| Table::of_cells(cells.clone()).ok();
        match rows(&wide).filter(|_| B::FORM == Form::Table) {
            Some(batch) => spreads(&batch, arena.background.and_then(rows).as_deref()),
            None => vec![all; n_cells],
        }
    }
}

/// The outputs of a network that explanations are compared for: those named, or all of them, or, of more than ten, those
/// that some sample scores highest, of which the ten first are taken.
///
/// # Errors
/// [`Error::Unknown`] for a name or number that is none of its outputs.
pub fn outputs_compared(outputs: &[Output], scores: &Array2<f64>, named: &[String]) -> Result<Vec<usize>> {
    if !named.is_empty() {
        let place = |name: &String| {
            let by_name = outputs.iter().position(|output| output.name == *name);
            let place = by_name.or_else(|| name.parse().ok().filter(|&place| place < outputs.len()));
            place.ok_or_else(|| Error::Unknown {
                kind: "output".into(),
                name: name.clone(),
                nearest: crate::nearest::nearest(name, outputs.iter().map(|output| &output.name)),
                known: outputs.iter().map(|output| output.name.clone()).collect(),
            })
        };
        return named.iter().map(place).collect();
    }
    if outputs.len() <= MOST_OUTPUTS {
        return Ok((0..outputs.len()).collect());
    }
    let best = |row: ndarray::ArrayView1<f64>| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(k, _)| k);
    let mut chosen: Vec<usize> = scores.outer_iter().filter_map(best).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen.truncate(MOST_OUTPUTS);
    Ok(chosen)
}

/// The same network with these outputs only, by layers that pick them from the scores.
///
/// # Errors
/// [`Error::Parameter`] for no output, and for one that is not there.
pub fn with_outputs<B: Sample + ?Sized>(network: &Network<B>, outputs: &[usize]) -> Result<Network<B>> {
    let all = xai_core::model::output_names(network);
    if let Some(wrong) = outputs.iter().find(|&&output| output >= all.len()) {
        return Err(Error::parameter("output", wrong, format!("below {}", all.len())));
    }
    if outputs.is_empty() {
        return Err(Error::parameter("outputs", 0, "at least 1"));
    }
    let mut nodes: Vec<Node> = network.nodes().collect();
    let scores = nodes.len();
    for output in outputs {
        let pick = Op::Slice(vec![[*output, output + 1, 1]]);
        nodes.push(Node::new(format!("score {output} of all"), pick, vec![scores]));
    }
    if outputs.len() > 1 {
        let picked = (scores + 1..=scores + outputs.len()).collect();
        nodes.push(Node::new("scores picked", Op::Concatenate { axis: 0 }, picked));
    }
    let names = outputs.iter().map(|&output| all[output].clone()).collect();
    Network::new(network.input_shape(), nodes)?.named(xai_core::Model::features(network).to_vec(), names)
}

/// At most `n` samples, evenly spread, by their places.
pub fn evenly(n_samples: usize, n: usize) -> Vec<usize> {
    if n_samples <= n { (0..n_samples).collect() } else { (0..n).map(|i| i * n_samples / n).collect() }
}

/// The samples of a batch in these places.
///
/// # Errors
/// [`Error::Parameter`] for a place beyond the last.
pub fn select<B: Cells + ?Sized>(batch: &B, places: &[usize]) -> Result<B::Owned> {
    let n = batch.n_samples();
    match places.iter().find(|&&place| place >= n) {
        Some(place) => Err(Error::parameter("sample", place, format!("below {n}"))),
        None => B::of_cells(batch.cells().select(Axis(0), places)),
    }
}
