//! The arrows between the crates.

use std::path::Path;

/// Who may depend on whom, tests aside.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("xai-core", &[]),
    ("xai-models", &["xai-core"]),
    ("xai-local", &["xai-core"]),
    ("xai-global", &["xai-core", "xai-local"]),
    ("xai-eval", &["xai-core"]),
    ("xai-viz", &["xai-core"]),
    ("xai", &["xai-core", "xai-models", "xai-local", "xai-global", "xai-eval", "xai-viz"]),
    ("xai-cli", &["xai"]),
];

/// A line for every arrow that is not allowed.
pub fn check(root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, allowed) in ALLOWED {
        let manifest = root.join(name).join("Cargo.toml");
        match std::fs::read_to_string(&manifest) {
            Err(error) => complaints.push(format!("{name}/Cargo.toml: {error}")),
            Ok(text) => {
                let wrong = arrows(&text).into_iter().filter(|to| !allowed.contains(&to.as_str()));
                complaints.extend(wrong.map(|to| format!("{name}/Cargo.toml: {name} must not depend on {to}")));
            }
        }
    }
    complaints
}

/// The crates of this workspace that a manifest's `[dependencies]` name.
fn arrows(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.starts_with("dependencies]");
            if let Some(name) = section.strip_prefix("dependencies.") {
                found.push(name.trim_end_matches(']').to_owned());
            }
        } else if inside {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.push(name.to_owned());
        }
    }
    found.retain(|name| ALLOWED.iter().any(|(known, _)| known == name));
    found
}

#[cfg(test)]
mod tests {
    use super::arrows;

    #[test]
    fn arrows_are_read_from_dependencies_and_not_from_tests() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\nxai-core.workspace = true\nserde = \"1\"\n\
                        [dependencies.xai-local]\npath = \"x\"\n[dev-dependencies]\nxai-models.workspace = true\n";
        assert_eq!(arrows(manifest), ["xai-core", "xai-local"]);
    }
}
