//! What a method's doc comment must say.

use std::path::{Path, PathBuf};

use crate::shown;

const HEADINGS: [&str; 3] = ["# Units", "# Cost", "# Source"];

/// A line for every struct that implements `Explainer` (or `Estimator`) and lacks a heading.
pub fn check(root: &Path, sources: &[PathBuf]) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in sources.iter().filter(|p| is_method_crate(root, p)) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for name in methods(&text) {
            // The impl may stand apart from the struct; then the struct's own file is checked.
            let Some(doc) = doc_of(&text, &name) else { continue };
            for heading in HEADINGS.iter().filter(|heading| !doc.contains(*heading)) {
                complaints.push(format!("{}: {name} lacks the heading \"{heading}\"", shown(root, path)));
            }
        }
    }
    complaints
}

fn is_method_crate(root: &Path, path: &Path) -> bool {
    ["xai-local", "xai-global"].iter().any(|name| path.starts_with(root.join(name)))
}

/// The types of `impl … Explainer<…> for TYPE` and `impl Estimator for TYPE`.
fn methods(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    for part in code.split("impl").skip(1) {
        let header = part.split('{').next().unwrap_or_default();
        let is_method = header.contains("Explainer<") || header.trim_start().starts_with("Estimator for");
        if let (true, Some((_, target))) = (is_method, header.split_once(" for ")) {
            let name: String = target.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                found.push(name);
            }
        }
    }
    found
}

/// The doc comment above `pub struct name`, if the struct stands in this file.
fn doc_of(text: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| {
        line.strip_prefix("pub struct ").is_some_and(|rest| {
            rest.strip_prefix(name).is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    })?;
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    Some(above.copied().collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{doc_of, methods};

    #[test]
    fn methods_and_their_docs_are_found() {
        let text = "/// Does.\n///\n/// # Cost\n#[derive(Debug)]\npub struct Mine<K> {}\n\
                    impl<M, K> Explainer<M> for Mine<K>\nwhere\n    M: Model,\n{\n}\n";
        assert_eq!(methods(text), ["Mine"]);
        assert!(doc_of(text, "Mine").is_some_and(|doc| doc.contains("# Cost")));
        assert!(doc_of(text, "Min").is_none());
    }
}
