//! The book hangs together: its pages, its links, and the commands that it prints.

mod commands;
mod pages;

use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every page with its path below `src/`.
fn pages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["", "methods/", "evaluation/"] {
        for entry in std::fs::read_dir(source().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "md") && !path.ends_with("SUMMARY.md") {
                let name = path.file_name().unwrap().to_str().unwrap();
                found.push((format!("{folder}{name}"), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 15, "the pages are not where they are expected");
    found
}
