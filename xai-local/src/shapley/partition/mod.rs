//! Players in nested parts, for [`OwenShap`](super::OwenShap).

mod linkage;
mod places;
mod text;

use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

pub use linkage::Linkage;

/// Players in nested parts: what belongs together joins a coalition together, or one after the other.
///
/// Nodes 0 to n − 1 are the players; node n + k is part k, whose members are players and earlier parts. The last part is
/// the root, which holds all.
///
/// # Example
/// ```
/// use xai_local::shapley::PartitionTree;
/// // {{0, 1}, 2, 3}
/// let tree = PartitionTree::new(4, vec![vec![0, 1], vec![4, 2, 3]])?;
/// assert_eq!(tree, PartitionTree::groups(4, &[vec![0, 1]])?);
/// // 2³ − 2 at the root, and {0} and {1} in four contexts.
/// assert_eq!(tree.coalitions(), 6 + 2 * 4);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct PartitionTree {
    n_players: usize,
    parts: Vec<Vec<usize>>,
}

/// The tree as it is stored, not yet checked.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    n_players: usize,
    parts: Vec<Vec<usize>>,
}

impl TryFrom<Written> for PartitionTree {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self> {
        PartitionTree::new(written.n_players, written.parts)
    }
}

impl From<PartitionTree> for Written {
    fn from(tree: PartitionTree) -> Self {
        Written { n_players: tree.n_players, parts: tree.parts }
    }
}

impl PartitionTree {
    /// A tree of your own: the members of each part, which are players and earlier parts.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty part, a member that is no player or earlier part, and a node that is a member
    /// twice or (but for the last) of nothing.
    pub fn new(n_players: usize, parts: Vec<Vec<usize>>) -> Result<Self> {
        let nodes = n_players + parts.len();
        let mut is_member = vec![false; nodes];
        for (k, part) in parts.iter().enumerate() {
            let name = || format!("part {k} of the partition tree");
            if part.is_empty() {
                return Err(Error::parameter(name(), "no member", "at least one"));
            }
            for &member in part {
                if member >= n_players + k {
                    return Err(Error::parameter(name(), member, format!("players and parts below {}", n_players + k)));
                }
                if std::mem::replace(&mut is_member[member], true) {
                    return Err(Error::parameter(name(), member, "nodes that are members of no other part"));
                }
            }
        }
        match is_member.iter().position(|member| !member) {
            Some(node) if node + 1 < nodes => {
                Err(Error::parameter(format!("node {node} of the partition tree"), "in no part", "a member of a part"))
            }
            _ => Ok(PartitionTree { n_players, parts }),
        }
    }

    /// All players in one part, whose Owen values are Shapley values.
    pub fn flat(n_players: usize) -> Self {
        PartitionTree { n_players, parts: if n_players > 1 { vec![(0..n_players).collect()] } else { Vec::new() } }
    }

    /// Parts of players, and players on their own where no part names them.
    ///
    /// # Errors
    /// As [`PartitionTree::new`].
    pub fn groups(n_players: usize, groups: &[Vec<usize>]) -> Result<Self> {
        if let Some((k, _)) = groups.iter().enumerate().find(|(_, group)| group.iter().any(|&p| p >= n_players)) {
            let expected = format!("players below {n_players}");
            return Err(Error::parameter(format!("part {k} of the partition tree"), "another member", expected));
        }
        let named: std::collections::HashSet<usize> = groups.iter().flatten().copied().collect();
        let alone = (0..n_players).filter(|player| !named.contains(player));
        let root: Vec<usize> = (n_players..n_players + groups.len()).chain(alone).collect();
        let mut parts = groups.to_vec();
        if root.len() > 1 {
            parts.push(root);
        }
        PartitionTree::new(n_players, parts)
    }

    /// The same tree with every part of more than two members split into halves, in their order, again and again: many
    /// fewer coalitions.
    #[must_use]
    pub fn halved(&self) -> Self {
        let mut parts: Vec<Vec<usize>> = Vec::new();
        // Where the old parts went.
        let mut moved: Vec<usize> = (0..self.n_players).collect();
        for part in &self.parts {
            let mut row: Vec<usize> = part.iter().map(|&member| moved[member]).collect();
            while row.len() > 2 {
                let pair = |pair: &[usize]| match pair {
                    [one] => *one,
                    two => {
                        parts.push(two.to_vec());
                        self.n_players + parts.len() - 1
                    }
                };
                row = row.chunks(2).map(pair).collect();
            }
            parts.push(row);
            moved.push(self.n_players + parts.len() - 1);
        }
        PartitionTree { n_players: self.n_players, parts }
    }

    /// The number of players.
    pub fn n_players(&self) -> usize {
        self.n_players
    }

    /// The members of each part.
    pub fn parts(&self) -> &[Vec<usize>] {
        &self.parts
    }

    /// The number of coalitions that respect the tree, besides the empty and the full one: at most one part is there in
    /// part at each level. `u64::MAX` if a number cannot hold it.
    pub fn coalitions(&self) -> u64 {
        let two_to = |power: usize| 1u64.checked_shl(u32::try_from(power).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
        let mut contexts = vec![1u64; self.parts.len()];
        let mut sum = 0u64;
        for (k, part) in self.parts.iter().enumerate().rev() {
            sum = sum.saturating_add(contexts[k].saturating_mul(two_to(part.len()).saturating_sub(2)));
            for &member in part.iter().filter(|&&member| member >= self.n_players) {
                contexts[member - self.n_players] = contexts[k].saturating_mul(two_to(part.len() - 1));
            }
        }
        sum
    }

    /// The node that holds all, unless there is no player.
    pub(super) fn root(&self) -> Option<usize> {
        (self.n_players + self.parts.len()).checked_sub(1)
    }

    /// The members of a node, unless it is a player.
    pub(super) fn members(&self, node: usize) -> Option<&[usize]> {
        node.checked_sub(self.n_players).map(|part| self.parts[part].as_slice())
    }

    /// The players in each node.
    pub(super) fn leaves(&self) -> Vec<Vec<usize>> {
        let mut leaves: Vec<Vec<usize>> = (0..self.n_players).map(|player| vec![player]).collect();
        for part in &self.parts {
            leaves.push(part.iter().flat_map(|&member| leaves[member].clone()).collect());
        }
        leaves
    }
}
