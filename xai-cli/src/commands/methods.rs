//! `xai methods`.

use xai::registry::{Method, Registry, Scope, Spec};

use crate::args::{ListFormat, MethodsArgs};
use crate::failure::Failure;
use crate::files;

/// Lists the methods, or describes one.
pub fn run(args: &MethodsArgs) -> Result<(), Failure> {
    let registry = Registry::standard();
    let specs: Vec<&Spec> = match &args.name {
        None => registry.methods().map(Method::spec).collect(),
        Some(name) => vec![registry.get(name)?.spec()],
    };
    let text = match (args.format, &args.name) {
        (ListFormat::Json, None) => json(&specs)?,
        (ListFormat::Json, Some(_)) => json(&specs[0])?,
        (ListFormat::Table, None) => list(&specs),
        (ListFormat::Table, Some(_)) => describe(specs[0]),
    };
    files::write(None, text.as_bytes())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(xai::core::Error::model)?;
    text.push('\n');
    Ok(text)
}

fn list(specs: &[&Spec]) -> String {
    let mut text = String::new();
    let width = specs.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    for (scope, heading) in [
        (Scope::Local, "Single rows (xai explain)"),
        (Scope::Interactions, "What features do together in single rows (xai explain)"),
        (Scope::Importance, "What matters to the model (xai importance)"),
        (Scope::Effects, "How scores respond to features (xai effects)"),
    ] {
        text.push_str(&format!("{heading}\n"));
        for spec in specs.iter().filter(|spec| spec.scope == scope) {
            text.push_str(&format!("  {:width$}  {}\n", spec.name, spec.summary));
            if !spec.needs.is_empty() {
                text.push_str(&format!("  {:width$}  needs {}\n", "", needs(spec)));
            }
        }
        text.push('\n');
    }
    text.push_str("`xai methods NAME` lists the parameters of one.\n");
    text
}

fn needs(spec: &Spec) -> String {
    spec.needs.iter().map(|need| need.label()).collect::<Vec<_>>().join(", ")
}

fn describe(spec: &Spec) -> String {
    let mut text = format!("{}: {}.\n", spec.name, spec.summary);
    if !spec.needs.is_empty() {
        text.push_str(&format!("Needs {}.\n", needs(spec)));
    }
    if !spec.paper.is_empty() {
        text.push_str(&format!("Source: {}.\n", spec.paper));
    }
    if spec.parameters.is_empty() {
        text.push_str("It has no parameters.\n");
    } else {
        text.push_str("Parameters (--set KEY=VALUE):\n");
    }
    for parameter in &spec.parameters {
        let default = parameter.default.as_ref().map(|value| format!(", {value} by default")).unwrap_or_default();
        text.push_str(&format!("  {}: {} ({}{default})\n", parameter.name, parameter.purpose, parameter.kind));
    }
    text
}
