//! The known name that somebody may have meant.

/// The name most like `given`, if any is like it at all.
pub fn nearest<S: AsRef<str>>(given: &str, known: impl IntoIterator<Item = S>) -> Option<String> {
    const LIKE: f64 = 0.7;
    let given = given.to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&given, &name.to_lowercase());
    known
        .into_iter()
        .map(|name| (likeness(name.as_ref()), name.as_ref().to_owned()))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        .map(|(_, name)| name)
}
