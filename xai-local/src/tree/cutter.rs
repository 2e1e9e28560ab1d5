//! How trees are cut into twigs.

use std::sync::Arc;

use xai_core::TreeEnsemble;
use xai_core::trees::{Missing, NO_SET};

use super::absence::tables_from;
use super::plan::{NONE, share};
use super::quadrature::Quadrature;
use super::twigs::{Branch, Copse, LANES, MOST_BITS, Pick, Picks, Sheaf, Turn};

/// A copse is closed when it has as many twigs as this.
const FULL: usize = 64;
/// Deeper trees are not cut into twigs.
const DEEPEST: u32 = 4096;

/// A twig before it has its place.
struct Loose {
    branch: usize,
    players: Vec<u32>,
    covers: Vec<f64>,
    bits: u8,
    means: Vec<f64>,
    states: Vec<[f64; 4]>,
}

/// Cuts trees into twigs.
pub(super) struct Cutter<'a> {
    trees: &'a TreeEnsemble,
    player_of: &'a [usize],
    n_players: usize,
    most_bits: usize,
    /// The numbers that the tables of one tree may have.
    most_numbers: usize,
    rules: Vec<Option<Arc<Quadrature>>>,
    done: Vec<Copse>,
    branches: Vec<Branch>,
    turns: Vec<Turn>,
    twigs: Vec<Loose>,
    depth: usize,
    width: usize,
    /// The bit of each player on the present path: (player).
    bit_of: Vec<u8>,
}

/// The bit of a player that has not split.
const OPEN: u8 = u8::MAX;

enum Visit {
    Enter { node: u32, from: u32, above: u32 },
    Turn { split: usize },
    Leave { split: usize },
}

/// What a visited split needs again.
struct Visited {
    bit: usize,
    is_fresh: bool,
    /// The cover of its player above.
    above: f64,
    shares: [f64; 2],
}

impl<'a> Cutter<'a> {
    /// For trees whose indices need no more than `most_bits` bits, and their tables `most_numbers` numbers.
    pub(super) fn new(
        trees: &'a TreeEnsemble,
        player_of: &'a [usize],
        n_players: usize,
        most_bits: usize,
        most_numbers: usize,
    ) -> Self {
        Cutter {
            trees,
            player_of,
            n_players,
            most_bits: most_bits.min(MOST_BITS),
            most_numbers,
            rules: Vec::new(),
            done: Vec::new(),
            branches: Vec::new(),
            turns: Vec::new(),
            twigs: Vec::new(),
            depth: 0,
            width: 0,
            bit_of: vec![OPEN; n_players],
        }
    }

    /// Cuts a tree with a split, unless its indices would need too many bits or its tables would be too large: then says
    /// so with `false`.
    pub(super) fn cut(&mut self, tree: usize) -> bool {
        let width = self.trees.outputs_of(tree).len();
        if self.twigs.len() >= FULL || width != self.width {
            self.close();
        }
        self.width = width;
        let (n_branches, n_twigs, depth) = (self.branches.len(), self.twigs.len(), self.depth);
        let fits = self.walk(tree);
        if !fits {
            self.branches.truncate(n_branches);
            self.turns.truncate(n_branches);
            self.twigs.truncate(n_twigs);
            self.depth = depth;
            self.bit_of.fill(OPEN);
        }
        fits
    }

    /// All trees that were cut.
    pub(super) fn finish(mut self) -> Vec<Copse> {
        self.close();
        self.done
    }

    fn walk(&mut self, tree: usize) -> bool {
        let trees = self.trees;
        let mut path: Vec<(u32, f64)> = Vec::new();
        let mut visited: Vec<Visited> = Vec::new();
        let (start, first_twig) = (self.branches.len(), self.twigs.len());
        let mut stack = vec![Visit::Enter { node: trees.root(tree) as u32, from: 0, above: 0 }];
        while let Some(visit) = stack.pop() {
            match visit {
                Visit::Enter { node, from, above } => {
                    let at = node as usize;
                    let children = [trees.left[at], trees.right[at]];
                    let player = self.player_of[trees.feature[at] as usize];
                    let is_fresh = self.bit_of[player] == OPEN;
                    if is_fresh {
                        self.bit_of[player] = path.len() as u8;
                        path.push((player as u32, 1.0));
                    }
                    if path.len() > self.most_bits || from >= 2 * DEEPEST {
                        return false;
                    }
                    let bit = self.bit_of[player] as usize;
                    let shares = children.map(|child| share(trees, at, child));
                    let is_leaf = children.map(|child| trees.is_leaf(child as usize));
                    let split = visited.len();
                    let seen = Visited { bit, is_fresh, above: path[bit].1, shares };
                    let (mask, fresh) = (1 << bit, if is_fresh { 1 << bit } else { 0 });
                    let (threshold, feature) = (trees.threshold[at], trees.feature[at]);
                    self.turns.push(Turn { threshold, feature, from: above, mask, fresh });
                    self.branches.push(Branch {
                        threshold,
                        feature,
                        node,
                        twig: NONE,
                        from,
                        mask,
                        fresh,
                        pick: Pick::default(),
                        is_plain: trees.set[at] == NO_SET && trees.missing[at] == Missing::Nan,
                        default_left: trees.default_left[at],
                    });
                    self.depth = self.depth.max(from as usize / 2 + 1);
                    if (is_leaf[0] || is_leaf[1]) && !self.add_twig(tree, children, is_leaf, &seen, &path) {
                        return false;
                    }
                    path[bit].1 = seen.above * shares[0];
                    visited.push(seen);
                    stack.push(Visit::Leave { split });
                    let (below, turn) = (from / 2 * 2 + 2, 2 * self.turns.len() as u32);
                    if !is_leaf[1] {
                        stack.push(Visit::Enter { node: children[1], from: below + 1, above: turn + 1 });
                        stack.push(Visit::Turn { split });
                    }
                    if !is_leaf[0] {
                        stack.push(Visit::Enter { node: children[0], from: below, above: turn });
                    }
                }
                Visit::Turn { split } => {
                    let Visited { bit, above, shares, .. } = visited[split];
                    path[bit].1 = above * shares[1];
                }
                Visit::Leave { split } => {
                    let Visited { bit, above, is_fresh, .. } = visited[split];
                    path[bit].1 = above;
                    if is_fresh {
                        self.bit_of[path[bit].0 as usize] = OPEN;
                        path.truncate(bit);
                    }
                }
            }
        }
        debug_assert_eq!(visited.len(), self.branches.len() - start);
        let numbers = |twig: &Loose| twig.players.len() << twig.bits;
        self.twigs[first_twig..].iter().map(numbers).sum::<usize>().saturating_mul(self.width) <= self.most_numbers
    }

    /// Adds the twig of the latest branch; `false` when its index would need too many bits.
    fn add_twig(
        &mut self,
        tree: usize,
        children: [u32; 2],
        is_leaf: [bool; 2],
        seen: &Visited,
        path: &[(u32, f64)],
    ) -> bool {
        let (trees, n_others) = (self.trees, path.len() - 1);
        let both = is_leaf[0] && is_leaf[1];
        let two_bits = both && !seen.is_fresh;
        let bits = n_others + 1 + usize::from(two_bits);
        if bits > self.most_bits {
            return false;
        }
        let low = (1u16 << seen.bit) - 1;
        let pick = Pick {
            left: if is_leaf[0] && !two_bits { u16::MAX } else { 0 },
            right: if !is_leaf[0] { u16::MAX } else { 0 },
            low,
            high: ((1u16 << n_others) - 1) & !low,
            bit: seen.bit as u8,
            n_others: n_others as u8,
            both: if two_bits { 1 << (n_others + 1) } else { 0 },
        };
        let value = |side: usize, output: usize| {
            if is_leaf[side] { trees.leaf_values(tree, children[side] as usize)[output] } else { 0.0 }
        };
        let (mut means, mut states) = (Vec::new(), Vec::new());
        for output in 0..self.width {
            let [left, right] = [value(0, output), value(1, output)];
            means.push(seen.above * (seen.shares[0] * left + seen.shares[1] * right));
            states.push(match (both, two_bits) {
                (true, true) => [0.0, right, 0.0, left],
                (true, false) => [right, left, 0.0, 0.0],
                (false, _) => [0.0, left + right, 0.0, 0.0],
            });
        }
        let first = if let Some(output) = trees.tree_output[tree] { output as usize * self.n_players } else { 0 };
        let others = path.iter().enumerate().filter(|(bit, _)| *bit != seen.bit).map(|(_, player)| *player);
        let mut players: Vec<u32> = others.clone().map(|(player, _)| first as u32 + player).collect();
        players.push(first as u32 + path[seen.bit].0);
        let covers = others.map(|(_, cover)| cover).collect();
        let branch = self.branches.len() - 1;
        self.branches[branch].pick = pick;
        self.twigs.push(Loose { branch, players, covers, bits: bits as u8, means, states });
        true
    }

    /// Gives the twigs their places.
    fn close(&mut self) {
        let mut twigs = std::mem::take(&mut self.twigs);
        let mut branches = std::mem::take(&mut self.branches);
        let depth = std::mem::take(&mut self.depth);
        if twigs.is_empty() {
            return;
        }
        twigs.sort_by_key(|twig| std::cmp::Reverse(twig.covers.len()));
        let mut copse = Copse {
            branches: Vec::new(),
            turns: std::mem::take(&mut self.turns),
            is_plain: branches.iter().all(|branch| branch.is_plain),
            depth,
            width: self.width,
            sheaves: Vec::new(),
            n_twigs: twigs.len(),
            tables_from: usize::MAX,
            covers: Vec::new(),
            places: Vec::new(),
            means: Vec::new(),
            states: Vec::new(),
        };
        let none = (twigs.len().div_ceil(LANES) * LANES) as u32;
        branches.iter_mut().for_each(|branch| branch.twig = none);
        for (number, loose) in twigs.chunks(LANES).enumerate() {
            let n_others = loose[0].covers.len();
            let mut sheaf = Sheaf {
                n_others,
                first: copse.covers.len(),
                pads: [n_others as u16; LANES],
                bits: [0; LANES],
                picks: Picks::default(),
                len: loose.len(),
                rule: rule(&mut self.rules, (n_others + 1).div_ceil(2)),
            };
            copse.covers.resize(sheaf.first + n_others, [1.0; LANES]);
            copse.places.resize(sheaf.first + number + n_others + 1, [NONE; LANES]);
            copse.means.resize((number + 1) * self.width, [0.0; LANES]);
            copse.states.resize((number + 1) * self.width, [[0.0; 4]; LANES]);
            for (lane, twig) in loose.iter().enumerate() {
                let pads = n_others - twig.covers.len();
                (sheaf.pads[lane], sheaf.bits[lane]) = (pads as u16, twig.bits);
                for (i, &cover) in twig.covers.iter().enumerate() {
                    copse.covers[sheaf.first + pads + i][lane] = cover;
                }
                for (i, &player) in twig.players.iter().enumerate() {
                    copse.places[sheaf.first + number + pads + i][lane] = player;
                }
                for output in 0..self.width {
                    copse.means[number * self.width + output][lane] = twig.means[output];
                    copse.states[number * self.width + output][lane] = twig.states[output];
                }
                let (pick, below) = (branches[twig.branch].pick, 2 * twig.branch as u32 + 2);
                let (right, both) = (u32::from(pick.right != 0), u32::from(pick.both != 0));
                let picks = &mut sheaf.picks;
                (picks.from[0][lane], picks.from[1][lane]) = (below + right, below + right.max(both));
                (picks.low[lane], picks.high[lane]) = (u32::from(pick.low), u32::from(pick.high));
                (picks.bit[lane], picks.n_others[lane]) = (u32::from(pick.bit), u32::from(pick.n_others));
                picks.both[lane] = 2 * both;
                branches[twig.branch].twig = (number * LANES + lane) as u32;
            }
            copse.sheaves.push(sheaf);
        }
        copse.branches = branches;
        copse.tables_from = tables_from(&copse);
        self.done.push(copse);
    }
}

/// The rule of `n` nodes, made once.
pub(super) fn rule(rules: &mut Vec<Option<Arc<Quadrature>>>, n: usize) -> Arc<Quadrature> {
    if rules.len() <= n {
        rules.resize(n + 1, None);
    }
    rules[n].get_or_insert_with(|| Arc::new(Quadrature::new(n))).clone()
}
