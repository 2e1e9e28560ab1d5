//! Texts with planted words.

use ndarray::{Array2, Array3};
use xai_core::{Attribution, Error, Feature, Model, Output, Provenance, Result, Run};

use super::Known;
use crate::draws::Draws;

/// A model of texts with one score: the sum of the weights of its words, where a weight counts with the opposite sign when
/// the word before is `not`. Words are parted by spaces; a word that is not known weighs nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    weights: Vec<(&'static str, f64)>,
}

const NOT: &str = "not";
const FILLERS: [&str; 12] =
    ["the", "film", "with", "a", "story", "about", "people", "in", "town", "and", "their", "week"];
const PLANTS: [(&str, f64); 6] =
    [("superb", 2.0), ("good", 1.0), ("fine", 0.5), ("poor", -0.5), ("bad", -1.0), ("awful", -2.0)];

/// Texts of `n_words` words without meaning, among which two words with a weight are planted, one of them behind `not` in
/// every second text. An absent word is an empty place: its neighbours stay where they are.
///
/// # Units
/// The truth is the Shapley value of every word in its place: features are places.
///
/// # Errors
/// [`Error::Parameter`] for no samples and for fewer than 6 words.
///
/// # Laws
/// `planted_words_are_the_evidence`.
///
/// # Source
/// After DeYoung et al. 2020, "ERASER", and Bastings et al. 2022, "Will you find these shortcuts?".
pub fn documents(n_samples: usize, n_words: usize, seed: u64) -> Result<Known<Words>> {
    if n_samples == 0 {
        return Err(Error::parameter("n_samples", 0, "at least 1"));
    }
    if n_words < 6 {
        return Err(Error::parameter("n_words", n_words, "at least 6"));
    }
    let model = Words { weights: PLANTS.to_vec() };
    let batch: Vec<String> = (0..n_samples).map(|sample| text(n_words, seed, sample)).collect();
    let mut values = Array3::zeros((n_samples, n_words, 1));
    for (sample, text) in batch.iter().enumerate() {
        let words: Vec<&str> = text.split(' ').collect();
        for (place, word) in words.iter().enumerate() {
            let weight = model.weight(word);
            // `not` and its word w: v(w) = weight, v(not, w) = −weight, v(not) = 0. Half of either order each.
            match place.checked_sub(1).filter(|&before| words[before] == NOT) {
                Some(before) => values[[sample, before, 0]] -= weight,
                None => values[[sample, place, 0]] += weight,
            }
        }
    }
    let scores = model.predict(&batch)?;
    let truth = Attribution {
        provenance: Provenance::new("truth", &Run::default()),
        features: (0..n_words).map(|place| Feature::numeric(format!("word {place}"))).collect(),
        outputs: Output::unnamed(1),
        base: Array2::zeros(scores.dim()),
        values,
        scores,
        standard_error: None,
        data: None,
        fidelity: None,
        shape: None,
    };
    let background = vec![vec![""; n_words].join(" ")];
    let mut known = Known::new("documents", model, batch, background, truth.checked()?);
    // A negated word has the share 0 and is evidence all the same.
    for (sample, text) in known.batch.iter().enumerate() {
        for (place, word) in text.split(' ').enumerate() {
            known.evidence[[sample, place]] |= known.model.weight(word) != 0.0;
        }
    }
    Ok(known)
}

/// Fillers with two planted words; `not` before the first of them in every second text.
fn text(n_words: usize, seed: u64, sample: usize) -> String {
    let mut draws = Draws::nth(seed, sample);
    let mut words: Vec<&str> = (0..n_words).map(|_| FILLERS[draws.below(FILLERS.len())]).collect();
    // One place in each half, none at the start, so that `not` has room.
    let half = n_words / 2;
    let places = [1 + draws.below(half - 1), half + 1 + draws.below(n_words - half - 1)];
    for place in places {
        words[place] = PLANTS[draws.below(PLANTS.len())].0;
    }
    if sample % 2 == 1 {
        words[places[0] - 1] = NOT;
    }
    words.join(" ")
}

impl Words {
    fn weight(&self, word: &str) -> f64 {
        self.weights.iter().find(|(known, _)| *known == word).map_or(0.0, |(_, weight)| *weight)
    }

    fn score(&self, text: &str) -> f64 {
        let mut before = "";
        let mut sum = 0.0;
        for word in text.split(' ') {
            sum += if before == NOT { -self.weight(word) } else { self.weight(word) };
            before = word;
        }
        sum
    }
}

impl Model for Words {
    type Batch = [String];

    fn n_outputs(&self) -> usize {
        1
    }

    fn predict(&self, batch: &[String]) -> Result<Array2<f64>> {
        Ok(Array2::from_shape_fn((batch.len(), 1), |(sample, _)| self.score(&batch[sample])))
    }
}
