//! Numbers as a reader wants to see them.

use xai_core::{Feature, FeatureKind, Output};

/// How the numbers of one picture are written, so that they can be compared at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// So many digits after the point.
    Fixed(usize),
    /// One digit, a point, two digits, a power of ten.
    Power,
}

impl Form {
    /// Shows three digits of the largest of `values`.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let largest = values.into_iter().filter(|v| v.is_finite()).fold(0.0, |m: f64, v| m.max(v.abs()));
        if largest == 0.0 {
            return Form::Fixed(2);
        }
        match exponent(largest) {
            e @ -3..=6 => Form::Fixed((2 - e).max(0) as usize),
            _ => Form::Power,
        }
    }

    /// The number; one that would read zero but is not shows one digit.
    pub(crate) fn show(self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let text = match self {
            Form::Fixed(decimals) => format!("{value:.decimals$}"),
            Form::Power => trimmed_power(value, 2),
        };
        if !text.contains(|c: char| ('1'..='9').contains(&c)) { plain_digits(value, 1) } else { typeset(&text) }
    }

    /// The number with its sign, `+` or `−`; none for zero.
    pub(crate) fn signed(self, value: f64) -> String {
        if value > 0.0 { format!("+{}", self.show(value)) } else { self.show(value) }
    }
}

/// The number in at most four significant digits; whole numbers in full below a thousand million.
pub(crate) fn plain(value: f64) -> String {
    if value.is_nan() {
        return "missing".to_owned();
    }
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return typeset(&format!("{}", value + 0.0));
    }
    plain_digits(value, 4)
}

/// The value of a feature as it stands beside its name; `None` where the feature has no single value.
pub(crate) fn of_feature(feature: &Feature, value: f64) -> Option<String> {
    match &feature.kind {
        FeatureKind::Group { .. } => None,
        FeatureKind::Categorical { categories } => Some(match categories.get(value as usize) {
            _ if value.is_nan() => "missing".to_owned(),
            Some(category) if value >= 0.0 && value.fract() == 0.0 => category.clone(),
            _ => format!("unknown ({})", plain(value)),
        }),
        FeatureKind::Numeric | FeatureKind::Integer | FeatureKind::Binary => Some(plain(value)),
    }
}

/// The output and the unit of its score: `income (log-odds)`.
pub(crate) fn of_output(output: &Output) -> String {
    match output.scale.label() {
        "" => output.name.clone(),
        unit if output.name.to_lowercase().contains(unit) => output.name.clone(),
        unit => format!("{} ({unit})", output.name),
    }
}

/// At most `digits` significant digits, without zeros at the end.
pub(crate) fn plain_digits(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    let e = exponent(value);
    if !(-4..9).contains(&e) {
        return trimmed_power(value, digits - 1);
    }
    let decimals = (digits as i32 - 1 - e).max(0) as usize;
    let text = format!("{value:.decimals$}");
    typeset(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text })
}

/// The number as mantissa and power of ten: `1.5e−9`.
pub(crate) fn trimmed_power(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    match text.split_once('e') {
        Some((mantissa, power)) if mantissa.contains('.') => {
            typeset(&format!("{}e{power}", mantissa.trim_end_matches('0').trim_end_matches('.')))
        }
        _ => typeset(&text),
    }
}

/// The power of ten of the first digit.
pub(crate) fn exponent(value: f64) -> i32 {
    value.abs().log10().floor() as i32
}

/// Hyphens become minus signs.
pub(crate) fn typeset(text: &str) -> String {
    text.replace('-', "−")
}
