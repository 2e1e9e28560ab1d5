//! What sets of features contribute, as bars.

use xai_core::{Interactions, Result};

use crate::charts::bar::{Row, Style, draw, largest};
use crate::charts::matrix::term_sizes;
use crate::door;
use crate::number::of_output;
use crate::rank::{Ranked, sum};
use crate::rows::{Name, readable};
use crate::scene::Scene;

/// A bar for each of the strongest sets of features, whatever their size: `a`, `a × b`, `a × b × c`.
///
/// With a sample, it is the set's contribution to that one, with whiskers of two standard errors where they are known.
/// Without, it is the mean of |value| over all samples. The row of the others holds their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct InteractionBars {
    /// Which sample; the mean over all of them without.
    pub sample: Option<usize>,
    /// Which output.
    pub output: usize,
    /// The fewest features of a set: 2 leaves out what features contribute alone.
    pub at_least: usize,
    /// How many sets are shown; the others are gathered in one row.
    pub top: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for InteractionBars {
    fn default() -> Self {
        InteractionBars { sample: None, output: 0, at_least: 1, top: 12, width: 720.0, title: None }
    }
}

impl InteractionBars {
    /// Draws the bars.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for a sample or output that there is not, no set of `at_least`
    /// features, `top` 0, an unfit width, and interactions without a sample, feature, output or term; the errors of
    /// [`Interactions::checked`].
    pub fn scene(&self, interactions: &Interactions) -> Result<Scene> {
        let rows = self.rows(interactions)?;
        let output = of_output(&interactions.outputs[self.output]);
        let index = interactions.index;
        let heading = match self.sample {
            Some(_) => format!("{index}, contribution to {output}"),
            None => format!("{index}, mean |contribution| to {output}"),
        };
        let label = format!("Bars of sets of features, {}: {}", readable(&heading), largest(&rows));
        let signed = self.sample.is_some();
        let style = Style { across: self.width, title: self.title.as_deref(), heading: &heading, legend: &[], signed };
        Ok(draw(&rows, &style, label))
    }

    /// The rows, strongest first.
    pub(crate) fn rows(&self, interactions: &Interactions) -> Result<Vec<Row>> {
        door::interactions(interactions)?;
        door::index("output", self.output, interactions.outputs.len())?;
        door::positive("top", self.top)?;
        door::width(self.width)?;
        if let Some(sample) = self.sample {
            door::index("sample", sample, interactions.n_samples())?;
        }
        let sizes = term_sizes(interactions, self.sample, self.output);
        let large: Vec<usize> = (0..sizes.len()).filter(|&t| interactions.terms[t].len() >= self.at_least).collect();
        if large.is_empty() {
            let expected = "a size of sets that the interactions hold";
            return Err(xai_core::Error::parameter("at_least", self.at_least, expected));
        }
        let ranked = Ranked::new(|i| sizes[large[i]].abs(), large.len(), self.top);
        let error = |t: usize| {
            let errors = interactions.standard_error.as_ref().zip(self.sample);
            errors.map(|(e, sample)| 2.0 * e[[sample, t, self.output]]).filter(|e| e.is_finite() && *e > 0.0)
        };
        let row = |&i: &usize| {
            let t = large[i];
            Row { name: self.name(interactions, &interactions.terms[t]), parts: vec![sizes[t]], error: error(t) }
        };
        let mut rows: Vec<Row> = ranked.shown.iter().map(row).collect();
        if !ranked.rest.is_empty() {
            let parts = vec![sum(ranked.rest.iter().map(|&i| sizes[large[i]]))];
            rows.push(Row { name: Name::quiet(format!("{} other sets", ranked.rest.len())), parts, error: None });
        }
        Ok(rows)
    }

    /// A feature with its value; several by their names alone.
    fn name(&self, interactions: &Interactions, term: &[usize]) -> Name {
        if let [one] = term {
            let datum = self.sample.and_then(|s| interactions.data.as_ref().map(|data| data[[s, *one]]));
            return Name::of(&interactions.features[*one], datum);
        }
        let names: Vec<String> = term.iter().map(|&f| readable(&interactions.features[f].name)).collect();
        Name { quiet: false, ..Name::quiet(names.join(" × ")) }
    }
}
