//! `xai explain --stream`: rows of any number in the same memory.

use ndarray::Array2;
use xai::core::{Attribution, Document, Error, Explainer, Groups, Model, Result, Run, Stream, Table, TreeStructured};
use xai::global::running::{Running, top};
use xai::models::adaptor::Linked;
use xai::models::table::{Aligned, Alignment, Frame};
use xai::models::trees::{TreeModel, has_covers, with_covers};
use xai::registry::{Inputs, Method, Need, Settings, Subject, TableModel};

use crate::absence::{Absence, Background};
use crate::args::{ExplainArgs, Format, Scale};
use crate::failure::Failure;
use crate::progress::{Progress, use_threads};
use crate::rows::{Rows, read_ahead};
use crate::tabular::{aggregate, append::Appender, flatten};
use crate::{case, files, rows};

/// Explains batch by batch.
pub fn run(args: &ExplainArgs, method: &dyn Method) -> std::result::Result<(), Failure> {
    let (source, explaining, running) = (&args.source, &args.explaining, &args.running);
    if source.target.is_some() {
        return Err(Failure::Use("--stream explains without --target; leave it out".into()));
    }
    let settings = Settings::from_pairs(method.spec(), &explaining.set)?;
    super::explain::fits(method.spec(), source, explaining, &settings)?;
    let inputs = [Some(source.model.as_path()), Some(source.data.as_path()), explaining.background.as_deref()];
    for output in [&running.output, &args.streaming.summary] {
        files::not_over(output.as_deref(), inputs.into_iter().flatten())?;
    }
    if running.output.is_some() && running.output == args.streaming.summary {
        return Err(Failure::Use("--output and --summary are the same file".into()));
    }
    use_threads(running.threads)?;
    let mut loaded = case::load(source)?;
    let Rows { mut batches, range } = rows::open(&source.data, args.streaming.batch_rows.get(), source.rows)?;

    // The first batch says how columns are found; all others are found alike.
    let alignment = case::alignment(source.unknown_category);
    let Some(first) = batches.next().transpose()? else { return Ok(()) };
    let wanted = loaded.model.features().to_vec();
    let placed = |first_row: usize, frame: &Frame, alignment: &Alignment| -> Result<Aligned> {
        let moved = |error: Error| error.moved(first_row as u64).in_file(&source.data);
        alignment.align(frame, &wanted).map_err(moved)
    };
    let aligned = placed(range.start, &first, &alignment)?;
    let mut remarks = case::notes(&aligned, &source.data);
    remarks.extend(loaded.fact("note").map(str::to_owned));
    let background = Absence::of(explaining).map(|absence| absence.read(&alignment, &loaded)).transpose()?;
    let outputs = loaded.model.outputs().to_vec();
    loaded.model = loaded.model.renamed(aligned.features.clone(), outputs)?;
    if let Some(background) = background.as_ref().filter(|_| !has_covers(loaded.model.trees())) {
        let trees = with_covers(loaded.model.trees(), &background.rows)?;
        loaded.model = TreeModel::new(trees, loaded.model.features().to_vec(), loaded.model.outputs().to_vec())?;
        remarks.push("the model file has no covers: they are counted from the background".into());
    }
    // What a group means must not hang on which rows come first.
    let groups = case::groups(&loaded, &Array2::<f64>::zeros((0, wanted.len())), &explaining.grouping)?;
    remarks.iter().for_each(|remark| eprintln!("xai: {remark}"));

    let model = &loaded.model;
    let linked;
    let (subject, seen): (Subject, &TableModel) = match explaining.scale {
        Scale::Margin => (Subject::of_trees(model), model),
        Scale::Prediction if method.spec().needs.contains(&Need::Trees) => {
            let what = format!("--scale prediction with {}", method.spec().name);
            return Err(Error::unsupported(what, "it explains margins; kernel-shap explains any prediction").into());
        }
        Scale::Prediction => {
            linked = Linked::new(model, model.trees().link)?;
            (Subject::opaque(&linked), &linked)
        }
    };
    let named =
        Named { method, settings: &settings, subject, background: background.as_ref(), groups: groups.as_ref() };
    let progress = Progress::of_rows(&method.spec().name, range.len());
    let run = Run {
        seed: running.seed,
        max_evaluations: explaining.max_evaluations,
        first_sample: range.start as u64,
        observer: &progress,
    };
    let mut results = Results::open(args)?;
    let mut next_row = range.start + first.n_rows();
    let rest = batches.map(|frame| {
        let frame = frame?;
        let aligned = placed(next_row, &frame, &alignment)?;
        next_row += frame.n_rows();
        Ok(aligned.matrix)
    });
    let tables = std::iter::once(Ok(aligned.matrix)).chain(rest);
    let mut explain = |tables: &mut dyn Iterator<Item = Result<Array2<f64>>>| -> std::result::Result<(), Failure> {
        let mut stream = Stream::new(&named, seen, tables, &run);
        loop {
            let first_row = stream.next_sample();
            let Some(document) = stream.next() else { return Ok(()) };
            match document {
                Ok(document) => results.add(document, first_row as usize)?,
                Err(Error::Cancelled { .. }) => {
                    let n = first_row - range.start as u64;
                    return Err(Failure::Stopped(format!("stopped after {n} rows; no file was written")));
                }
                Err(error) => return Err(error.into()),
            }
            progress.rows_done(stream.next_sample() - range.start as u64);
        }
    };
    // Who asks for one thread gets one.
    if running.threads == Some(1) {
        explain(&mut { tables })?
    } else {
        read_ahead(tables, explain)?
    }
    drop(progress);
    results.finish()
}

/// A method by its name, with everything but the samples.
struct Named<'a> {
    method: &'a dyn Method,
    settings: &'a Settings,
    subject: Subject<'a>,
    background: Option<&'a Background>,
    groups: Option<&'a Groups>,
}

impl<'m> Explainer<TableModel<'m>> for Named<'_> {
    type Explanation = Document;

    fn explain(&self, _model: &TableModel<'m>, batch: &Table, run: &Run) -> Result<Document> {
        let Named { subject, background, groups, .. } = *self;
        let background_weights = background.and_then(|background| background.weights.as_deref());
        let background = background.map(|background| &*background.rows);
        let inputs = Inputs { subject, batch, background, background_weights, labels: None, groups, run };
        self.method.explain(&inputs, self.settings)
    }
}

/// Where explanations go.
struct Results<'a> {
    args: &'a ExplainArgs,
    rows: Option<Appender>,
    summary: Option<Running>,
}

impl<'a> Results<'a> {
    fn open(args: &'a ExplainArgs) -> std::result::Result<Self, Failure> {
        let (running, streaming) = (&args.running, &args.streaming);
        let format = running.format.or_else(|| Format::of(running.output.as_deref())).unwrap_or(Format::Jsonl);
        let with_rows = running.output.is_some() || streaming.summary.is_none();
        let pending = with_rows.then(|| files::Pending::open(running.output.as_deref())).transpose()?;
        let rows = pending.map(|pending| Appender::new(format, pending)).transpose()?;
        Ok(Results { args, rows, summary: streaming.summary.as_ref().map(|_| Running::default()) })
    }

    fn add(&mut self, document: Document, first_row: usize) -> std::result::Result<(), Failure> {
        if let Some(summary) = &mut self.summary {
            summary.add(shares(&document, "--summary")?)?;
        }
        let Some(rows) = &mut self.rows else { return Ok(()) };
        match self.args.streaming.top {
            None => rows.push(flatten(&document, first_row)),
            Some(k) => rows.push(aggregate::leading(&top(shares(&document, "--top")?, k.get())?, first_row)),
        }
    }

    fn finish(self) -> std::result::Result<(), Failure> {
        if let Some(rows) = self.rows {
            rows.finish()?;
        }
        match (&self.summary, &self.args.streaming.summary) {
            (Some(summary), Some(path)) => {
                files::write(Some(path), &serde_json::to_vec(summary).map_err(Error::model)?)
            }
            _ => Ok(()),
        }
    }
}

fn shares<'d>(document: &'d Document, option: &str) -> Result<&'d Attribution> {
    match document {
        Document::Attribution(attribution) => Ok(attribution),
        _ => Err(Error::unsupported(option, "the method gives more than one share to each feature")),
    }
}
