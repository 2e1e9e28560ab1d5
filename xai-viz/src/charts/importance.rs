//! How much features matter to the model as a whole.

use xai_core::error::{all_finite, same_shape};
use xai_core::{Error, Importance, Result};

use crate::charts::bar::{Row, Style, draw, largest};
use crate::door;
use crate::number::of_output;
use crate::rank::{Ranked, sum};
use crate::rows::{Name, readable};
use crate::scene::Scene;

/// A bar for each feature, with whiskers of one standard deviation over the repeats to either side.
///
/// The row of the others holds the sum of theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportanceBars {
    /// Which output or loss.
    pub output: usize,
    /// How many features are shown; the others are gathered in one row.
    pub top: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for ImportanceBars {
    fn default() -> Self {
        ImportanceBars { output: 0, top: 15, width: 720.0, title: None }
    }
}

impl ImportanceBars {
    /// Draws the bars.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an output that there is not, no features, `top` 0 and an unfit width; [`Error::Shape`]
    /// and [`Error::NonFinite`] for parts that do not fit together.
    pub fn scene(&self, importance: &Importance) -> Result<Scene> {
        let rows = self.rows(importance)?;
        let output = of_output(&importance.outputs[self.output]);
        let spread = if importance.spread.is_some() { ", whiskers ± 1 standard deviation" } else { "" };
        let heading = format!("importance for {output}{spread}");
        let label = format!("Importance for {}: {}", readable(&output), largest(&rows));
        let signed = rows.iter().any(|row| row.parts[0] < 0.0);
        let style = Style { across: self.width, title: self.title.as_deref(), heading: &heading, legend: &[], signed };
        Ok(draw(&rows, &style, label))
    }

    /// The rows, most important first.
    pub(crate) fn rows(&self, importance: &Importance) -> Result<Vec<Row>> {
        let (features, outputs) = (importance.features.len(), importance.outputs.len());
        if features == 0 {
            return Err(Error::parameter("importance", "0 features", "at least one"));
        }
        door::index("output", self.output, outputs)?;
        door::positive("top", self.top)?;
        door::width(self.width)?;
        same_shape("importances (feature, output)", &[features, outputs], importance.values.shape())?;
        all_finite("importances", &importance.values)?;
        if let Some(spread) = &importance.spread {
            same_shape("spread (feature, output)", &[features, outputs], spread.shape())?;
        }
        let value = |f: usize| crate::axis::tame(importance.values[[f, self.output]]);
        let spread = |f: usize| importance.spread.as_ref().map(|s| s[[f, self.output]]);
        let ranked = Ranked::new(value, features, self.top);
        let mut rows: Vec<Row> = ranked
            .shown
            .iter()
            .map(|&f| Row {
                name: Name::of(&importance.features[f], None),
                parts: vec![value(f)],
                error: spread(f).filter(|s| s.is_finite() && *s > 0.0),
            })
            .collect();
        if !ranked.rest.is_empty() {
            let parts = vec![sum(ranked.rest.iter().map(|&f| value(f)))];
            rows.push(Row { name: Name::quiet(format!("sum of {}", ranked.rest_name())), parts, error: None });
        }
        Ok(rows)
    }
}
