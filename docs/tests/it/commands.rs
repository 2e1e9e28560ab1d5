//! Methods and parameters that the book names exist.

use xai::registry::{Registry, Scope, Settings};

use super::pages;

/// The commands of a page's console blocks, continued lines joined, pipes cut.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.strip_prefix("$ xai "));
    lines.map(|line| line.split(" | ").next().unwrap().to_owned()).collect()
}

fn values<'a>(words: &[&'a str], option: &str) -> Vec<&'a str> {
    words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1]).collect()
}

#[test]
fn every_printed_command_names_methods_and_parameters_that_exist() {
    let registry = Registry::standard();
    let mut n_commands = 0;
    for (page, text) in pages() {
        for command in commands(&text) {
            // Quotation marks are the shell's.
            let command = command.replace('"', "");
            let words: Vec<&str> = command.split_whitespace().collect();
            let set = values(&words, "--set");
            let default = match (words[0], words.contains(&"--target")) {
                ("importance", true) => Some("permutation-importance"),
                ("importance", false) => Some("mean-absolute-attribution"),
                ("effects", _) => Some("partial-dependence"),
                ("methods", _) => words.get(1).copied(),
                _ => None,
            };
            let Some(name) = values(&words, "--method").first().copied().or(default) else { continue };
            // The book shows one typing error, with the answer.
            if name == "tree-shp" {
                continue;
            }
            let method = registry.get(name).unwrap_or_else(|error| panic!("{page}: {command}: {error}"));
            let fits = match words[0] {
                "explain" => matches!(method.spec().scope, Scope::Local | Scope::Interactions),
                "importance" => method.spec().scope == Scope::Importance,
                "effects" => method.spec().scope == Scope::Effects,
                _ => true,
            };
            assert!(fits, "{page}: {command}: another command serves {name}");
            Settings::from_pairs(method.spec(), set).unwrap_or_else(|error| panic!("{page}: {command}: {error}"));
            n_commands += 1;
        }
    }
    assert!(n_commands > 20, "only {n_commands} commands were found");
}

#[test]
fn every_method_has_a_place_in_the_guide_and_a_command() {
    let pages = pages();
    let guide = &pages.iter().find(|(name, _)| name == "which-method.md").unwrap().1;
    let methods: String = pages.iter().filter(|(name, _)| name.starts_with("methods/")).map(|(_, t)| &**t).collect();
    for name in Registry::standard().names() {
        assert!(guide.contains(&format!("`{name}`")), "{name} is not in which-method.md");
        assert!(methods.contains(name), "{name} has no page");
    }
}
