//! A model file and the tables that belong to it, fitted together by name.

use std::path::Path;

use ndarray::{Array2, Axis};
use xai::core::{Error, FeatureKind, Groups, Model, Table, TreeStructured};
use xai::global::Labels;
use xai::models::file::{AnyModel, LoadOptions, Loaded, OpenOptions, open_with};
use xai::models::table::{
    Aligned, Alignment, CsvOptions, Frame, ParquetOptions, Unknown, parse_csv, read_csv, read_parquet,
};
use xai::models::trees::{has_covers, with_covers};
use xai::nearest::nearest;

use crate::absence::{Absence, Background};
use crate::args::{self, Grouping, Networks, Source};
use crate::failure::Failure;
use crate::labels;

/// What to do with rows whose label is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlabelled {
    /// Nobody asks for labels: without all of them there are none.
    Ignore,
    /// Every row must have one.
    Refuse,
    /// Rows without one are left out.
    LeaveOut,
}

/// A model with the rows that it is asked about.
pub struct Case {
    /// The model, its features named as in the table, and what its file says.
    pub loaded: Loaded,
    /// The rows: (sample, feature).
    pub batch: Array2<f64>,
    /// The number of the first of them in the file.
    pub first_row: usize,
    /// What the model should have predicted for the rows.
    pub labels: Option<Labels>,
    /// The names of the classes, where labels are classes.
    pub classes: Vec<String>,
    /// Rows that stand for absence: (row, feature).
    pub background: Option<Background>,
    /// One-hot columns as one feature, when that was asked for.
    pub groups: Option<Groups>,
    /// Whether the background gave the trees the covers that their file lacks.
    pub counted: bool,
    /// How the table was understood, where that is not plain.
    pub remarks: Vec<String>,
}

impl Case {
    /// Reads the files; remarks go to standard error.
    pub fn open(
        source: &Source,
        background: Option<Absence>,
        grouping: &Grouping,
        unlabelled: Unlabelled,
    ) -> Result<Self, Failure> {
        Self::of(load(source)?, source, background, grouping, unlabelled)
    }

    /// Reads the tables for a model that is there; remarks go to standard error.
    pub fn of(
        mut loaded: Loaded,
        source: &Source,
        background: Option<Absence>,
        grouping: &Grouping,
        unlabelled: Unlabelled,
    ) -> Result<Self, Failure> {
        let mut frame = read(&source.data)?;
        let whole = frame.n_rows();
        if whole == 0 {
            return Err(Error::parameter("data", "a table without rows", "at least one row")
                .in_file(&source.data)
                .into());
        }
        let rows = source.rows.map_or(Ok(0..whole), |rows| rows.of(whole)).map_err(Failure::Use)?;
        let mut remarks = Vec::new();
        let mut labels = None;
        let mut classes = Vec::new();
        let mut kept: Option<Vec<usize>> = None;
        if let Some(name) = &source.target {
            if loaded.model.features().iter().any(|feature| feature.name == *name) {
                return Err(Failure::Use(format!("--target {name:?} is a feature of the model, too")));
            }
            let (rest, column) = frame
                .split_label(name)
                .map_err(|error| Failure::Use(format!("--target: {}", error.in_file(&source.data))))?;
            frame = rest;
            let known = labels::labelled(&column);
            let within: Vec<usize> = (0..known.len()).filter(|&place| rows.contains(&known[place])).collect();
            let lacking = rows.len() - within.len();
            if lacking > 0 && unlabelled == Unlabelled::Refuse || within.is_empty() && unlabelled != Unlabelled::Ignore
            {
                let row = rows.clone().find(|row| column.text(*row).is_none()).unwrap_or(0) + 1;
                let (column, expected) = (name.clone(), "a label".to_owned());
                return Err(Error::Cell { row, column, found: String::new(), expected }.in_file(&source.data).into());
            }
            if !known.is_empty() {
                let target = labels::read(&labels::pick(&column, &known), &loaded.model);
                let target = target.map_err(|error| error.in_file(&source.data))?;
                classes = target.classes;
                remarks.extend(target.remark);
                labels = (lacking == 0 || unlabelled == Unlabelled::LeaveOut).then(|| cut(target.labels, &within));
            }
            if lacking > 0 && unlabelled == Unlabelled::LeaveOut {
                let what = format!("{lacking} of {} rows have no label and are left out", rows.len());
                remarks.push(format!("{what}; rows are counted without them"));
                kept = Some(within.iter().map(|&place| known[place] - rows.start).collect());
            }
        }
        let alignment = alignment(source.unknown_category);
        let mut aligned = fit(&alignment, &frame.rows(rows.clone())?, &loaded, &source.data)?;
        if let Some(kept) = kept {
            aligned.matrix = aligned.matrix.select(Axis(0), &kept);
        }
        remarks.extend(notes(&aligned, &source.data));
        remarks.extend(loaded.fact("note").map(str::to_owned));
        let background = background.map(|absence| absence.read(&alignment, &loaded)).transpose()?;
        let outputs = labels::named_outputs(&loaded.model, &classes);
        loaded.model = loaded.model.renamed(aligned.features.clone(), outputs)?;
        // A file without covers (ONNX) gets those of the background.
        let mut counted = false;
        if let Some(background) = background.as_ref().filter(|_| !has_covers(loaded.model.trees())) {
            let trees = with_covers(loaded.model.trees(), &background.rows)?;
            let model = &loaded.model;
            loaded.model =
                xai::models::trees::TreeModel::new(trees, model.features().to_vec(), model.outputs().to_vec())?;
            counted = true;
            remarks.push("the model file has no covers: they are counted from the background".into());
        }
        let groups = groups(&loaded, &aligned.matrix, grouping)?;
        for remark in &remarks {
            eprintln!("xai: {remark}");
        }
        let (batch, first_row) = (aligned.matrix, rows.start);
        Ok(Case { loaded, batch, first_row, labels, classes, background, groups, counted, remarks })
    }
}

/// The players that were asked for; `None` when every column is one.
pub fn groups(loaded: &Loaded, rows: &Table, grouping: &Grouping) -> Result<Option<Groups>, Failure> {
    let mut features = loaded.model.features().to_vec();
    if !grouping.group_one_hot {
        features.iter_mut().for_each(|feature| feature.group = None);
    }
    for text in &grouping.group {
        let wrong = || Failure::Use(format!("--group {text:?}: expected NAME=COLUMN,COLUMN"));
        let (name, columns) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
        for column in columns.split(',').map(str::trim) {
            let place = features.iter().position(|feature| feature.name == column).ok_or_else(|| {
                let near = nearest(column, features.iter().map(|feature| &feature.name));
                let near = near.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
                Failure::Use(format!("--group {text:?}: the model has no feature {column:?}{near}"))
            })?;
            if features[place].group.replace(name.to_owned()).is_some() {
                return Err(Failure::Use(format!("--group {text:?}: {column:?} is in a group already")));
            }
            // Columns of zeros and ones are levels of a category.
            let mut cells = rows.column(place).into_iter().peekable();
            if cells.peek().is_some() && cells.all(|x| *x == 0.0 || *x == 1.0) {
                features[place].kind = FeatureKind::Binary;
            }
        }
    }
    // Two features of one name could not be told apart.
    for feature in features.iter().filter(|feature| feature.group.as_deref() != Some(&*feature.name)) {
        if features.iter().any(|other| other.group.as_deref() == Some(&*feature.name)) {
            return Err(Failure::Use(format!("--group: {:?} is a feature that is not in the group", feature.name)));
        }
    }
    let any = grouping.group_one_hot || !grouping.group.is_empty();
    Ok(any.then(|| Groups::of(&features)))
}

/// Reads a model of trees.
pub fn load(source: &Source) -> Result<Loaded, Failure> {
    match open(source, &Networks::default())? {
        AnyModel::Trees(loaded) => Ok(loaded),
        _ => {
            let reason = "`xai explain` and `xai predict` serve networks";
            Err(Error::unsupported("a network here", reason).in_file(&source.model).into())
        }
    }
}

/// Reads a model of any kind.
pub fn open(source: &Source, networks: &Networks) -> Result<AnyModel, Failure> {
    // How many iterations there are is known only to the loader, which refuses a range beyond them.
    let iterations = match source.iterations {
        None => None,
        Some(range) => {
            let end = range.end().ok_or_else(|| Failure::Use("--iterations needs an end: A..B".into()))?;
            Some(range.of(end).map_err(Failure::Use)?)
        }
    };
    let options = OpenOptions { trees: LoadOptions { iterations }, weights: networks.weights.clone() };
    Ok(open_with(&source.model, &options)?)
}

/// Reads CSV or Parquet, whichever the content is; CSV also from a pipe, or from standard input for `-`.
pub fn read(path: &Path) -> Result<Frame, Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let mut piped = Vec::new();
    if path == Path::new("-") {
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut piped).map_err(io)?;
        return parse_csv(&piped, &CsvOptions::default()).map_err(|error| error.in_file(path));
    }
    // A pipe can be read but once.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        piped = std::fs::read(path).map_err(io)?;
        return parse_csv(&piped, &CsvOptions::default()).map_err(|error| error.in_file(path));
    }
    let mut magic = [0; 4];
    let mut file = std::fs::File::open(path).map_err(io)?;
    match std::io::Read::read_exact(&mut file, &mut magic) {
        Ok(()) if &magic == b"PAR1" => read_parquet(path, &ParquetOptions::default()),
        _ => read_csv(path, &CsvOptions::default()),
    }
}

pub fn alignment(unknown: args::Unknown) -> Alignment {
    let unknown = match unknown {
        args::Unknown::Error => Unknown::Refuse,
        args::Unknown::Missing => Unknown::Missing,
        args::Unknown::Unseen => Unknown::Unseen,
    };
    Alignment { unknown, ..Alignment::default() }
}

pub fn fit(alignment: &Alignment, frame: &Frame, loaded: &Loaded, path: &Path) -> Result<Aligned, Error> {
    alignment.align(frame, loaded.model.features()).map_err(|error| error.in_file(path))
}

pub fn notes(aligned: &Aligned, path: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    const MOST: usize = 12;
    let list = |names: &[String]| {
        let shown = names.iter().take(MOST).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        if names.len() > MOST { format!("{shown} and {} more columns", names.len() - MOST) } else { shown }
    };
    if aligned.by_position {
        notes.push(format!("{}: columns are matched by position, since names do not match", path.display()));
    }
    if !aligned.ignored.is_empty() {
        notes.push(format!("{}: the model does not use {}", path.display(), list(&aligned.ignored)));
    }
    notes
}

fn cut(labels: Labels, places: &[usize]) -> Labels {
    match labels {
        Labels::Numbers(numbers) => Labels::Numbers(places.iter().map(|&place| numbers[place]).collect()),
        Labels::Classes { n, indices } => {
            Labels::Classes { n, indices: places.iter().map(|&place| indices[place]).collect() }
        }
    }
}
