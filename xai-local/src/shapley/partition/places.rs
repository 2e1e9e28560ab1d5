//! Players that lie near each other belong together.

use ndarray::ArrayRef2;
use xai_core::Result;
use xai_core::error::{all_finite, same_shape};

use super::PartitionTree;

impl PartitionTree {
    /// Players by their places, such as the centres of an image's segments: halved across the longer side, again and
    /// again, with as many players on both sides.
    ///
    /// # Shapes
    /// `places` (player, coordinate).
    ///
    /// # Errors
    /// [`Error::NonFinite`](xai_core::Error::NonFinite) for a coordinate that is none;
    /// [`Error::Shape`](xai_core::Error::Shape) for no coordinate.
    pub fn by_place(places: &ArrayRef2<f64>) -> Result<Self> {
        all_finite("places of the players", places)?;
        same_shape("coordinates of a place, at least", &[1], &[places.ncols().min(1)])?;
        let mut parts = Vec::new();
        if places.nrows() > 0 {
            halve(places, (0..places.nrows()).collect(), &mut parts);
        }
        PartitionTree::new(places.nrows(), parts)
    }
}

/// The node of some players; as deep as the logarithm of their number.
fn halve(places: &ArrayRef2<f64>, mut players: Vec<usize>, parts: &mut Vec<Vec<usize>>) -> usize {
    if let [one] = players[..] {
        return one;
    }
    let extent = |axis: usize| {
        let coordinates = || players.iter().map(|&player| places[[player, axis]]);
        coordinates().fold(f64::NEG_INFINITY, f64::max) - coordinates().fold(f64::INFINITY, f64::min)
    };
    let longest = (0..places.ncols()).rev().max_by(|&a, &b| extent(a).total_cmp(&extent(b))).unwrap_or(0);
    players.sort_by(|&a, &b| places[[a, longest]].total_cmp(&places[[b, longest]]));
    let right = players.split_off(players.len() / 2);
    let both = vec![halve(places, players, parts), halve(places, right, parts)];
    parts.push(both);
    places.nrows() + parts.len() - 1
}
