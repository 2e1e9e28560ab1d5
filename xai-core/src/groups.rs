//! Which columns are explained together as one player.

use ndarray::{Array2, ArrayRef2};
use serde::{Deserialize, Serialize};

use crate::{Error, Feature, FeatureKind, Result};

/// A partition of the columns of a table into players.
///
/// A column that stands alone is a group of one. Built by [`Groups::each`] (every column a player), by
/// [`Groups::of`] (columns that name the same [`Feature::group`] belong together, such as the one-hot columns of one
/// category) or by hand.
///
/// # Example
/// ```
/// use xai_core::{Feature, Groups};
/// let mut features = Feature::unnamed(3);
/// features[1].group = Some("colour".into());
/// features[2].group = Some("colour".into());
/// let groups = Groups::of(&features);
/// assert_eq!(groups.players[1].name, "colour");
/// assert_eq!(groups.members, [vec![0], vec![1, 2]]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// What each player is called and means.
    pub players: Vec<Feature>,
    /// The columns of each player, ascending.
    pub members: Vec<Vec<usize>>,
}

impl Groups {
    /// Every column is a player of its own.
    pub fn each(features: &[Feature]) -> Self {
        let players = features.iter().map(|f| Feature { group: None, ..f.clone() }).collect();
        Groups { players, members: (0..features.len()).map(|i| vec![i]).collect() }
    }

    /// Columns with the same [`Feature::group`] are one player, at the place of the first of them. A group whose
    /// columns are all [`FeatureKind::Binary`] becomes a categorical player with the column names (less a common
    /// `group=`, `group_` prefix) as its categories.
    pub fn of(features: &[Feature]) -> Self {
        let mut order: Vec<Vec<usize>> = Vec::new();
        let mut place = std::collections::HashMap::new();
        for (i, feature) in features.iter().enumerate() {
            match &feature.group {
                None => order.push(vec![i]),
                Some(name) => match place.get(name) {
                    Some(&p) => {
                        let columns: &mut Vec<usize> = &mut order[p];
                        columns.push(i);
                    }
                    None => {
                        place.insert(name.clone(), order.len());
                        order.push(vec![i]);
                    }
                },
            }
        }
        let players = order.iter().map(|members| player(features, members)).collect();
        Groups { players, members: order }
    }

    /// The number of players.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no player.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The player of each of `n_features` columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] when a column belongs to no player, to two, or does not exist.
    pub fn player_of(&self, n_features: usize) -> Result<Vec<usize>> {
        let mut owner = vec![usize::MAX; n_features];
        let wrong = |value: String, expected: String| Error::Parameter { name: "groups".into(), value, expected };
        if self.players.len() != self.members.len() {
            return Err(wrong(
                format!("{} players with {} lists of columns", self.players.len(), self.members.len()),
                "one list of columns for each player".into(),
            ));
        }
        for (p, members) in self.members.iter().enumerate() {
            for &column in members {
                match owner.get_mut(column) {
                    None => return Err(wrong(format!("column {column}"), format!("a column below {n_features}"))),
                    Some(slot) if *slot != usize::MAX => {
                        return Err(wrong(format!("column {column} twice"), "every column in one group".into()));
                    }
                    Some(slot) => *slot = p,
                }
            }
        }
        match owner.iter().position(|&p| p == usize::MAX) {
            Some(column) => Err(wrong(format!("no group for column {column}"), "every column in one group".into())),
            None => Ok(owner),
        }
    }

    /// What to show as each player's value: the cell of a lone column, the index of the column that is not zero for
    /// a one-hot group, NaN otherwise.
    ///
    /// # Shapes
    /// `batch` (sample, feature) → (sample, player).
    pub fn data(&self, batch: &ArrayRef2<f64>) -> Array2<f64> {
        Array2::from_shape_fn((batch.nrows(), self.len()), |(s, p)| {
            let members = &self.members[p];
            match (&self.players[p].kind, members.as_slice()) {
                (_, [column]) => batch[[s, *column]],
                (FeatureKind::Categorical { .. }, _) => {
                    let mut hot = (0..members.len()).filter(|&m| batch[[s, members[m]]] != 0.0);
                    match (hot.next(), hot.next()) {
                        (Some(level), None) => level as f64,
                        _ => f64::NAN,
                    }
                }
                _ => f64::NAN,
            }
        })
    }
}

fn player(features: &[Feature], members: &[usize]) -> Feature {
    let first = &features[members[0]];
    let Some(name) = first.group.clone() else { return Feature { group: None, ..first.clone() } };
    let columns = members.iter().map(|&m| features[m].name.clone());
    let kind = if members.iter().all(|&m| features[m].kind == FeatureKind::Binary) {
        let level = |column: String| match column.strip_prefix(&name) {
            Some(rest) if rest.len() > 1 && rest.starts_with(['=', '_', '.', ':']) => rest[1..].to_owned(),
            _ => column,
        };
        FeatureKind::Categorical { categories: columns.map(level).collect() }
    } else {
        FeatureKind::Group { members: columns.collect() }
    };
    Feature { name, kind, group: None }
}
