//! `xai explain`, and what all commands share that run a method by its name.

use xai::core::{Error, Run, TreeStructured};
use xai::models::adaptor::Linked;
use xai::registry::{Inputs, Method, Registry, Scope, Settings, Subject};

use crate::args::{ExplainArgs, Explaining, Running, Scale, Source};
use crate::case::Case;
use crate::failure::Failure;
use crate::progress::{Progress, use_threads};
use crate::{files, tabular};

/// Explains single rows.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let registry = Registry::standard();
    let method = registry.get(&args.method)?;
    if method.spec().scope != Scope::Local {
        let command = if method.spec().scope == Scope::Effects { "effects" } else { "importance" };
        return Err(Failure::Use(format!("{} explains the whole model: use `xai {command}`", args.method)));
    }
    by_name(method, &args.source, &args.explaining, &args.running)
}

/// Runs a method and writes what it finds.
pub fn by_name(
    method: &dyn Method,
    source: &Source,
    explaining: &Explaining,
    running: &Running,
) -> Result<(), Failure> {
    let settings = Settings::from_pairs(method.spec(), &explaining.set)?;
    let inputs = [source.model.as_path(), source.data.as_path()];
    files::not_over(running.output.as_deref(), inputs.into_iter().chain(explaining.background.as_deref()))?;
    use_threads(running.threads)?;
    let case = Case::open(source, explaining.background.as_deref(), &explaining.grouping)?;
    let progress = Progress::new(&method.spec().name);
    let run = Run {
        seed: running.seed,
        max_evaluations: explaining.max_evaluations,
        first_sample: case.first_row as u64,
        observer: &progress,
    };
    let model = &case.loaded.model;
    let linked;
    let subject = match explaining.scale {
        Scale::Margin => Subject::of_trees(model),
        Scale::Prediction if method.spec().needs.contains(&xai::registry::Need::Trees) => {
            let reason = "it explains margins; interventional-tree-shap with --set scale=probability explains \
                          probabilities, and kernel-shap explains any prediction";
            return Err(Error::unsupported(format!("--scale prediction with {}", method.spec().name), reason).into());
        }
        Scale::Prediction => {
            linked = Linked::new(model, model.trees().link)?;
            Subject::opaque(&linked)
        }
    };
    let inputs = Inputs {
        subject,
        batch: &case.batch,
        background: case.background.as_deref(),
        labels: case.labels.as_ref(),
        groups: case.groups.as_ref(),
        run: &run,
    };
    let document = method.explain(&inputs, &settings)?;
    drop(progress);
    files::write(running.output.as_deref(), &tabular::render(&document, running.format(), case.first_row)?)
}
