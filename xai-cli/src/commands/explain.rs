//! `xai explain`, and what all commands share that run a method by its name.

use xai::core::{Error, Run, TreeStructured};
use xai::models::adaptor::Linked;
use xai::models::file::AnyModel;
use xai::registry::{Inputs, Method, Need, Registry, Scope, Settings, Spec, Subject};

use super::networks::Task;
use crate::absence::Absence;
use crate::args::{Drawing, ExplainArgs, Explaining, Networks, Running, Scale, Source};
use crate::case::{self, Case, Unlabelled};
use crate::failure::Failure;
use crate::progress::{Progress, use_threads};
use crate::{files, tabular};

/// Explains single rows.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let registry = Registry::standard();
    let method = registry.get(&args.method)?;
    if !matches!(method.spec().scope, Scope::Local | Scope::Interactions) {
        let command = if method.spec().scope == Scope::Effects { "effects" } else { "importance" };
        return Err(Failure::Use(format!("{} explains the whole model: use `xai {command}`", args.method)));
    }
    if args.streaming.stream {
        return super::stream::run(args, method);
    }
    let task = Task {
        source: &args.source,
        explaining: &args.explaining,
        running: &args.running,
        networks: &args.networks,
        drawing: &args.drawing,
    };
    run_task(method, &task)
}

/// Runs a method and writes what it finds.
pub fn by_name(
    method: &dyn Method,
    source: &Source,
    explaining: &Explaining,
    running: &Running,
) -> Result<(), Failure> {
    let (networks, drawing) = (Networks::default(), Drawing::default());
    run_task(method, &Task { source, explaining, running, networks: &networks, drawing: &drawing })
}

fn run_task(method: &dyn Method, task: &Task) -> Result<(), Failure> {
    let Task { source, explaining, running, .. } = *task;
    let settings = Settings::from_pairs(method.spec(), &explaining.set)?;
    let inputs = [source.model.as_path(), source.data.as_path()];
    files::not_over(running.output.as_deref(), inputs.into_iter().chain(explaining.background.as_deref()))?;
    use_threads(running.threads)?;
    let loaded = match case::open(source, task.networks)? {
        AnyModel::Trees(loaded) => loaded,
        AnyModel::Network(network) => return task.explain(&network, method, &settings),
        #[cfg(feature = "onnx-any")]
        AnyModel::Opaque(model) => return task.explain_opaque(&model, method, &settings),
        _ => return Err(Error::unsupported("this kind of model", "trees and networks are served").into()),
    };
    fits(method.spec(), source, explaining, &settings)?;
    let unlabelled = match (needs(method.spec(), &settings, Need::Labels), method.spec().scope) {
        (false, _) => Unlabelled::Ignore,
        // Rows keep their numbers where each has a result of its own.
        (true, Scope::Local | Scope::Interactions) => Unlabelled::Refuse,
        (true, _) => Unlabelled::LeaveOut,
    };
    let case = Case::of(loaded, source, Absence::of(explaining), &explaining.grouping, unlabelled)?;
    if explaining.background.is_some() && !case.counted && !needs(method.spec(), &settings, Need::Background) {
        eprintln!("xai: {} makes no use of --background", method.spec().name);
    }
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
        Scale::Prediction if method.spec().needs.contains(&Need::Trees) => {
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
        background: case.background.as_ref().map(|background| &*background.rows),
        background_weights: case.background.as_ref().and_then(|background| background.weights.as_deref()),
        labels: case.labels.as_ref(),
        groups: case.groups.as_ref(),
        run: &run,
    };
    let document = method.explain(&inputs, &settings)?;
    drop(progress);
    files::write(running.output.as_deref(), &tabular::render(&document, running.format(), case.first_row)?)
}

/// Refuses a call that lacks what the method needs, or says what the method would ignore.
pub fn fits(spec: &Spec, source: &Source, explaining: &Explaining, settings: &Settings) -> Result<(), Failure> {
    if explaining.background.is_none() && needs(spec, settings, Need::Background) {
        let advice = "give rows that stand for absence, such as a sample of the training data";
        return Err(Failure::Use(format!("{} needs --background FILE: {advice}", spec.name)));
    }
    if source.target.is_none() && needs(spec, settings, Need::Labels) {
        return Err(Failure::Use(format!("{} needs --target COLUMN: what the model should have predicted", spec.name)));
    }
    if explaining.background_weights.is_some() && !weighs(spec, settings) {
        let reason = "it takes no rows of a background that count differently; leave --background-weights out";
        return Err(Failure::Use(format!("{}: {reason}", spec.name)));
    }
    let grouping = &explaining.grouping;
    if !spec.groups && (grouping.group_one_hot || !grouping.group.is_empty()) {
        let reason = "it knows no groups of columns; leave --group and --group-one-hot out";
        return Err(Failure::Use(format!("{}: {reason}", spec.name)));
    }
    Ok(())
}

/// Whether rows of the background can count differently for a method, or for what it takes the mean of.
fn weighs(spec: &Spec, settings: &Settings) -> bool {
    let of_local = |name| Registry::standard().get(name).is_ok_and(|local| local.spec().weights);
    spec.weights || settings.word("explainer").is_some_and(of_local)
}

/// Whether a method needs something, with these settings.
fn needs(spec: &Spec, settings: &Settings, need: Need) -> bool {
    let asked = match need {
        Need::Labels => settings.word("scale") == Some("log-loss"),
        // What is averaged has needs of its own.
        Need::Background => settings.word("explainer").is_some_and(|name| {
            Registry::standard().get(name).is_ok_and(|local| local.spec().needs.contains(&Need::Background))
        }),
        _ => false,
    };
    asked || spec.needs.contains(&need)
}
