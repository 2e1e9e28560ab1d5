//! Checks the repository's own rules: `cargo run -p xtask`.
//!
//! | rule | where it is written |
//! |---|---|
//! | crates depend on each other only along the allowed arrows | ARCHITECTURE.md |
//! | a source file has at most 400 lines | CONTRIBUTING.md |
//! | a method's struct says its units, its cost and its source | CONTRIBUTING.md |
//! | no file is called utils, helpers, common, base or manager | CONTRIBUTING.md |
//! | the root holds four Markdown files and no more | CONTRIBUTING.md |

mod docs;
mod edges;
mod files;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else { return ExitCode::FAILURE };
    let sources = rust_files(root);
    let complaints: Vec<String> =
        [edges::check(root), files::check(root, &sources), docs::check(root, &sources)].concat();
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    println!("tidy: {} source files, {} complaints", sources.len(), complaints.len());
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every Rust file below a `src` folder.
fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut stack: Vec<PathBuf> = entries(root).into_iter().filter(|p| p.join("Cargo.toml").is_file()).collect();
    while let Some(folder) = stack.pop() {
        for path in entries(&folder) {
            if path.is_dir() && !path.ends_with("target") {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && path.iter().any(|part| part == "src") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// A path as a reader of the repository writes it.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
