//! `xai report`.

use xai::core::{Error, TreeStructured};
use xai::models::file::AnyModel;
use xai::registry::Subject;
use xai::report::Brief;

use super::{demo, networks};
use crate::absence::Absence;
use crate::args::{DemoArgs, ReportArgs, Source};
use crate::case::{self, Case, Unlabelled};
use crate::failure::Failure;
use crate::files;
use crate::progress::use_threads;

/// Writes a self-contained HTML report.
pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    use_threads(args.threads)?;
    let (Some(model), Some(data)) = (&args.model, &args.data) else {
        if args.grouping.group_one_hot || !args.grouping.group.is_empty() {
            return Err(Failure::Use("--group and --group-one-hot need a --model".into()));
        }
        return demo::run(&DemoArgs { seed: args.seed, output: args.output.clone() });
    };
    let inputs = [model.as_path(), data.as_path()].into_iter().chain(args.background.as_deref());
    files::not_over(Some(&args.output), inputs)?;
    let source = Source {
        model: model.clone(),
        data: data.clone(),
        target: args.target.clone(),
        rows: args.rows,
        unknown_category: args.unknown_category,
        iterations: None,
    };
    let loaded = match case::open(&source, &args.networks)? {
        AnyModel::Trees(loaded) => loaded,
        AnyModel::Network(network) => return networks::report(&network, args, &source),
        _ => return Err(Error::unsupported("a report about this model", "trees and networks have one").into()),
    };
    if !args.methods.is_empty() {
        return Err(Failure::Use("--methods chooses among methods of images and series".into()));
    }
    let background = args.background.as_deref().map(|path| Absence { path, weights: None });
    let case = Case::of(loaded, &source, background, &args.grouping, Unlabelled::LeaveOut)?;
    let missing = case.batch.iter().filter(|cell| cell.is_nan()).count();
    let name = |path: &std::path::Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut data_facts = vec![
        fact("file", name(data)),
        fact("rows", case.batch.nrows().to_string()),
        fact("first row", case.first_row.to_string()),
        fact("missing cells", missing.to_string()),
    ];
    data_facts.extend(args.target.iter().map(|target| fact("target", target.clone())));
    data_facts.extend(args.background.iter().map(|path| fact("background", name(path))));
    let mut model_facts = vec![fact("name", name(model))];
    model_facts.extend(case.loaded.facts.clone());
    let brief = Brief {
        title: args.title.clone().unwrap_or_else(|| format!("What {} does", name(model))),
        subject: Subject::of_trees(&case.loaded.model),
        link: case.loaded.model.trees().link,
        batch: &case.batch,
        background: case.background.as_ref().map(|background| &*background.rows),
        labels: case.labels.as_ref(),
        classes: &case.classes,
        groups: case.groups.as_ref(),
        model_facts,
        data_facts,
        notes: case.remarks.clone(),
    };
    demo::finish(brief, args.seed, &args.output)
}
