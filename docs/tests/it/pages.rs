//! Pages and links.

use super::{pages, source};

/// What stands in round brackets behind square ones, outside code.
fn links(text: &str) -> Vec<&str> {
    let mut inside_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside_code = !inside_code;
        } else if !inside_code {
            found.extend(line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)));
        }
    }
    found
}

#[test]
fn every_page_is_in_the_summary_and_tested() {
    let summary = std::fs::read_to_string(source().join("SUMMARY.md")).unwrap();
    let tested = std::fs::read_to_string(source().join("../lib.rs")).unwrap();
    for (name, _) in pages() {
        assert!(links(&summary).contains(&name.as_str()), "{name} is not in SUMMARY.md");
        assert!(tested.contains(&format!("\"src/{name}\"")), "{name} is not in lib.rs");
    }
    assert_eq!(links(&summary).len(), pages().len(), "SUMMARY.md names a page that does not exist");
}

#[test]
fn links_lead_somewhere() {
    let repository = "https://github.com/xai-rs/xai/blob/main/";
    let mut n_links = 0;
    for (name, text) in pages() {
        let folder = source().join(&name).parent().unwrap().to_owned();
        for link in links(&text) {
            if let Some(anchor) = link.strip_prefix('#') {
                assert!(
                    text.lines().any(|line| anchor_of(line).as_deref() == Some(anchor)),
                    "{name}: nothing at {link}"
                );
                continue;
            }
            let target = match link.strip_prefix(repository) {
                Some(path) => source().join("../..").join(path),
                None => folder.join(link.split('#').next().unwrap()),
            };
            assert!(target.is_file(), "{name}: nothing at {link}");
            n_links += 1;
        }
    }
    assert!(n_links > 20);
}

/// What a heading is called in a link, as mdBook makes it: small letters, hyphens for spaces, no other signs.
fn anchor_of(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let signs = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(signs.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect())
}
