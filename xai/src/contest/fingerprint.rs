//! What a contest was begun with, so that it goes on with nothing else.

use serde::{Deserialize, Serialize};
use xai_core::{Cells, Error, Model, Result};

use super::Contest;

/// The first line of a file of steps: configuration, model and data.
///
/// # Example
/// ```
/// # use ndarray::array;
/// # use xai::contest::{Contest, Entry, Fingerprint};
/// # let model = xai::models::function::Function::by_row(|x: &[f64]| [x[0]]);
/// let contest = Contest { methods: vec![Entry::new("lime")], ..Contest::default() };
/// let (one, other) = (array![[1.0]], array![[2.0]]);
/// let begun = Fingerprint::new(&contest, &model, &one, &one, 0, None)?;
/// let now = Fingerprint::new(&contest, &model, &other, &one, 0, None)?;
/// assert!(begun.goes_on_as(&begun).is_ok());
/// assert!(begun.goes_on_as(&now).unwrap_err().to_string().contains("other rows"));
/// # Ok::<(), xai::core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The form of the file.
    pub steps: String,
    /// The version of the toolkit.
    pub version: String,
    /// The methods with their parameters.
    pub methods: Vec<String>,
    /// The metrics with theirs. Weights may change: they are applied at the end.
    pub metrics: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// The most evaluations of each explanation and each measurement.
    pub max_evaluations: Option<u64>,
    /// The rows that are explained.
    pub batch: String,
    /// The rows that stand for absence.
    pub background: String,
    /// What the model says of both.
    pub model: String,
    /// The masks and the true attribution.
    #[serde(default)]
    pub known: [Option<String>; 2],
}

const FORM: &str = "xai/steps/1";

impl Fingerprint {
    /// That of a contest that is about to begin; asks the model once about all samples. Where there is no background,
    /// the batch stands in for it.
    ///
    /// # Errors
    /// Those of the model.
    pub fn new<M: Model<Batch: Cells> + ?Sized>(
        contest: &Contest,
        model: &M,
        batch: &M::Batch,
        background: &M::Batch,
        seed: u64,
        max_evaluations: Option<u64>,
    ) -> Result<Self> {
        let scores = [model.predict(batch)?, model.predict(background)?];
        let listed = |entries: &[super::Entry]| {
            entries
                .iter()
                .map(|entry| format!("{} {}", entry.name, entry.set.join(" ")).trim_end().to_owned())
                .collect()
        };
        Ok(Fingerprint {
            steps: FORM.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            methods: listed(&contest.methods),
            metrics: listed(&contest.metrics),
            seed,
            max_evaluations,
            batch: of_batch(batch),
            background: of_batch(background),
            model: digest(scores[0].shape(), scores.iter().flatten().copied()),
            known: [
                contest.masks.as_ref().map(|m| digest(m.shape(), m.iter().map(|&mask| f64::from(u8::from(mask))))),
                contest.truth.as_ref().map(|t| digest(t.values.shape(), t.values.iter().copied())),
            ],
        })
    }

    /// Whether what was begun as `self` may go on as `now`. Methods and metrics may be added or taken away: what is done
    /// of the others stands.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming what differs.
    pub fn goes_on_as(&self, now: &Fingerprint) -> Result<()> {
        let other = |list: &[String], now: &[String]| {
            let name = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
            list.iter().any(|text| now.iter().any(|other| name(text) == name(other) && text != other))
        };
        let differs = [
            (self.steps != now.steps, "another form of file"),
            (self.version != now.version, "another version of the toolkit"),
            (self.batch != now.batch, "other rows"),
            (self.background != now.background, "another background"),
            (self.model != now.model, "another model"),
            (self.known != now.known, "other masks or another true attribution"),
            (self.seed != now.seed, "another seed"),
            (self.max_evaluations != now.max_evaluations, "another limit of evaluations"),
            (other(&self.methods, &now.methods), "other parameters of a method"),
            (other(&self.metrics, &now.metrics), "other parameters of a metric"),
        ];
        match differs.iter().find(|(differs, _)| *differs) {
            Some((_, what)) => {
                Err(Error::unsupported("going on with these steps", format!("they were made with {what}")))
            }
            None => Ok(()),
        }
    }
}

fn of_batch<B: Cells + ?Sized>(batch: &B) -> String {
    let cells = batch.cells();
    digest(cells.shape(), cells.iter().map(|&cell| cell.into()))
}

/// FNV-1a of shape and bits: finds another table, no forged one.
pub fn digest(shape: &[usize], values: impl Iterator<Item = f64>) -> String {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut eat = |word: u64| {
        for byte in word.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    };
    shape.iter().for_each(|&n| eat(n as u64));
    values.for_each(|value| eat(value.to_bits()));
    format!("{hash:016x}")
}
