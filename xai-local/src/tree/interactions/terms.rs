//! The sets of players that some path holds, and sums over the larger sets around each.

use std::collections::HashMap;

use xai_core::{Error, InteractionIndex, Result, TreeEnsemble};

/// More sets than this are refused: 4 million, 8 bytes for each sample and output.
const MOST_TERMS: usize = 1 << 22;

/// More sums over larger sets than this are refused: 2 GiB.
const MOST_STEPS: u64 = 1 << 27;

/// Sets of players under construction: each is found by its prefix and its last player.
#[derive(Default)]
pub(super) struct Registry {
    places: HashMap<(u32, u32), u32>,
    /// Prefix and last player: (set).
    sets: Vec<(u32, u32)>,
    sorted: Vec<u32>,
}

/// The empty set.
const EMPTY: u32 = u32::MAX;

impl Registry {
    /// The number of a set, which is added unless it is known. Its prefixes are added too: whatever path holds the set
    /// holds them.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more sets than a result can hold.
    pub(super) fn place(&mut self, players: &[u32]) -> Result<u32> {
        self.sorted.clear();
        self.sorted.extend_from_slice(players);
        self.sorted.sort_unstable();
        let mut at = EMPTY;
        for &player in &self.sorted {
            let next = self.sets.len() as u32;
            let sets = &mut self.sets;
            at = *self.places.entry((at, player)).or_insert_with(|| {
                sets.push((at, player));
                next
            });
        }
        if self.sets.len() > MOST_TERMS {
            let what = "sets of players that the paths of the trees hold".into();
            return Err(Error::TooLarge { what, limit: MOST_TERMS as u64, found: self.sets.len() as u64 });
        }
        Ok(at)
    }

    /// The sets in order of size, then of their players, and the new number of each.
    pub(super) fn finish(self) -> (Vec<Vec<usize>>, Vec<u32>) {
        let mut sets: Vec<(Vec<usize>, usize)> = Vec::with_capacity(self.sets.len());
        for (old, &(prefix, player)) in self.sets.iter().enumerate() {
            let mut players = if prefix == EMPTY { Vec::new() } else { sets[prefix as usize].0.clone() };
            players.push(player as usize);
            sets.push((players, old));
        }
        sets.sort_unstable_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        let mut place = vec![0; sets.len()];
        sets.iter().enumerate().for_each(|(new, &(_, old))| place[old] = new as u32);
        (sets.into_iter().map(|(players, _)| players).collect(), place)
    }
}

/// All sets of up to `order` players that some path of the trees holds, by size.
///
/// # Errors
/// [`Error::TooLarge`] for more sets than a result can hold.
pub(super) fn list(trees: &TreeEnsemble, player_of: &[usize], order: usize) -> Result<Vec<Vec<usize>>> {
    let mut registry = Registry::default();
    let (mut path, mut others, mut set) = (Vec::<u32>::new(), Vec::new(), Vec::new());
    for tree in 0..trees.n_trees() {
        let mut stack = vec![(trees.root(tree), 0)];
        while let Some((node, above)) = stack.pop() {
            path.truncate(above);
            if trees.is_leaf(node) {
                continue;
            }
            let player = player_of[trees.feature[node] as usize] as u32;
            // Sets of players that all split above were listed there.
            if !path.contains(&player) {
                others.clone_from(&path);
                path.push(player);
                set.clear();
                set.push(player);
                each_set(&others, order, &mut set, &mut |set| registry.place(set).map(|_| ()))?;
            }
            stack.push((trees.right[node] as usize, path.len()));
            stack.push((trees.left[node] as usize, path.len()));
        }
    }
    Ok(registry.finish().0)
}

/// Calls `visit` with `set` and every larger one of up to `order` players that `others` and it make.
pub(super) fn each_set(
    others: &[u32],
    order: usize,
    set: &mut Vec<u32>,
    visit: &mut impl FnMut(&[u32]) -> Result<()>,
) -> Result<()> {
    visit(set)?;
    if set.len() < order {
        for (at, &other) in others.iter().enumerate() {
            set.push(other);
            each_set(&others[..at], order, set, visit)?;
            set.pop();
        }
    }
    Ok(())
}

/// The place of each set.
pub(super) struct Places(HashMap<Vec<u32>, u32>);

impl Places {
    pub(super) fn new(terms: &[Vec<usize>]) -> Self {
        let key = |term: &Vec<usize>| term.iter().map(|&player| player as u32).collect();
        Places(terms.iter().enumerate().map(|(place, term)| (key(term), place as u32)).collect())
    }

    /// The place of an ascending set.
    pub(super) fn of(&self, set: &[u32]) -> Option<u32> {
        self.0.get(set).copied()
    }
}

/// The values of small sets as sums over larger ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sums {
    /// Of what set, to what set, how much of it; larger sets come later.
    steps: Vec<(u32, u32, f64)>,
}

impl Sums {
    /// What turns SII into k-SII and BII into FBII, for sets in order of size; nothing for other indices.
    ///
    /// I(T) = Σ over S ⊇ T of b(|S| − |T|)·J(S), with the Bernoulli numbers for k-SII (Bord & von Luxburg 2023) and
    /// (−½)^(|S| − |T|) for FBII: the best approximation keeps the BII of sets up to its order, and nothing more.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more sums than memory should hold: a set of k players is part of 2ᵏ − 2 of them.
    pub(crate) fn new(index: InteractionIndex, order: usize, terms: &[Vec<usize>]) -> Result<Self> {
        let share: Vec<f64> = match index {
            InteractionIndex::KSii => bernoulli(order),
            InteractionIndex::Fbii => (0..order).map(|gap| (-0.5f64).powi(gap as i32)).collect(),
            _ => return Ok(Sums::default()),
        };
        let found = terms.iter().fold(0u64, |sum, term| sum.saturating_add(1u64 << term.len().min(63)));
        if found > MOST_STEPS {
            let what =
                format!("sums over larger sets for {index:?} of order {order}; take SII or BII, or a lower order");
            return Err(Error::TooLarge { what, limit: MOST_STEPS, found });
        }
        let places: HashMap<&[usize], u32> = terms.iter().enumerate().map(|(i, t)| (t.as_slice(), i as u32)).collect();
        let (mut steps, mut part) = (Vec::new(), Vec::new());
        for (from, term) in terms.iter().enumerate() {
            for mask in 1..(1u32 << term.len()) - 1 {
                part.clear();
                part.extend(term.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, &player)| player));
                let share = share[term.len() - part.len()];
                if let (true, Some(&to)) = (share != 0.0, places.get(part.as_slice())) {
                    steps.push((from as u32, to, share));
                }
            }
        }
        Ok(Sums { steps })
    }

    /// Adds up `values` (term, any number of them). A set passes on its own value before larger sets add to it.
    pub(crate) fn apply(&self, values: &mut [f64], width: usize) {
        for &(from, to, share) in &self.steps {
            for i in 0..width {
                values[to as usize * width + i] += share * values[from as usize * width + i];
            }
        }
    }
}

/// The Bernoulli numbers B₀, B₁ = −½, … , `n` of them.
fn bernoulli(n: usize) -> Vec<f64> {
    let mut all: Vec<f64> = Vec::with_capacity(n);
    for m in 0..n {
        // Σ over k ≤ m of C(m + 1, k)·B(k) = 0.
        let (mut binomial, mut sum) = (1.0, 0.0);
        for (k, b) in all.iter().enumerate() {
            sum += binomial * b;
            binomial *= (m + 1 - k) as f64 / (k + 1) as f64;
        }
        all.push(if m == 0 { 1.0 } else { -sum / (m + 1) as f64 });
    }
    all
}
