//! Length and names of files.

use std::path::{Path, PathBuf};

use crate::{entries, shown};

const LONGEST: usize = 400;
const VAGUE: [&str; 8] = ["utils", "util", "helpers", "helper", "common", "base", "manager", "misc"];
const ROOT_MARKDOWN: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// A line for every file that is too long or badly named.
pub fn check(root: &Path, sources: &[PathBuf]) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in sources {
        let lines = std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
        if lines > LONGEST {
            complaints.push(format!("{}: {lines} lines, more than {LONGEST}: split it", shown(root, path)));
        }
        if path.file_stem().is_some_and(|stem| VAGUE.iter().any(|v| stem == *v)) {
            complaints.push(format!("{}: a name that says nothing", shown(root, path)));
        }
    }
    let markdown = entries(root).into_iter().filter(|p| p.extension().is_some_and(|e| e == "md"));
    for path in markdown {
        if !path.file_name().is_some_and(|name| ROOT_MARKDOWN.iter().any(|known| name == *known)) {
            complaints.push(format!("{}: Markdown belongs into docs/", shown(root, &path)));
        }
    }
    complaints
}
