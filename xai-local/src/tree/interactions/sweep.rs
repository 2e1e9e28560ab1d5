//! One tree swept once for several samples at a time.

use xai_core::trees::{Missing, NO_SET, TreeEnsemble};

use super::MOST_ORDER;
use super::plan::{Split, Step, TreePlan};
use crate::tree::plan::NONE;

/// The memory of one thread, for `L` samples at a time.
#[derive(Default)]
pub(super) struct Stacks<const L: usize> {
    /// The product of the factors above a split: (depth, node).
    products: Vec<[f64; L]>,
    /// The sum over the leaves below each child: (depth, left or right, node).
    sums: Vec<[f64; L]>,
    /// What the split of the path decided: (depth).
    decided: Vec<Decided<L>>,
    /// The edge by which the path left the nearest split of each of its players: (slot).
    active: Vec<u32>,
    /// The products with the players of a set: (size − 1, node).
    sets: Vec<[f64; L]>,
}

/// What a split decided, sample by sample.
#[derive(Clone, Copy)]
struct Decided<const L: usize> {
    /// 1 while the sample has followed its player at every split so far, this one included: left, right.
    follows: [[f64; L]; 2],
    /// h·(hₑ − cₑ) of the edges: left, right.
    gain: [[f64; L]; 2],
}

impl<const L: usize> Stacks<L> {
    fn reserve(&mut self, plan: &TreePlan, order: usize) {
        let nodes = plan.nodes.t.len();
        let grow = |stack: &mut Vec<[f64; L]>, n: usize| stack.resize(stack.len().max(n), [0.0; L]);
        grow(&mut self.products, nodes * plan.depth);
        grow(&mut self.sums, 2 * nodes * plan.depth);
        grow(&mut self.sets, nodes * order);
        let blank = Decided { follows: [[0.0; L]; 2], gain: [[0.0; L]; 2] };
        self.decided.resize(self.decided.len().max(plan.depth), blank);
        self.active.resize(self.active.len().max(plan.players), NONE);
    }
}

/// Adds to `credit` what each set of players contributes to one output of one tree.
///
/// A leaf with value v is the game v·Π over S of h·Π over the others of c, where h says whether the sample follows all
/// splits of a player on its path and c is the share of the cover that does. The index of a set T with measure μ is
/// v·∫ P(t)·Π over T of α(t) dμ, where P is the product of the factors f = h·t + c·(1 − t) of all players and
/// α = (h − c)/f. Every split changes the α of its player by Δα, so Π over T of α is the sum, over the splits of T's
/// players on the path, of Δα times the α that the others of T have there. Hence a split credits its player with
/// ∫ E dμ, E = ω·A·D, and each set of it and players above with ∫ E·Π α dμ. A is the product of the factors above, B the
/// sum over the leaves below a child with their factors further down, D = Σ h·(hₑ − cₑ)·Bₑ over the two edges e. With
/// the cover c of the player's splits above (1 without any), τ = t/(t + c·(1 − t)), ω = c/(t + c·(1 − t))², the sum that
/// a split passes up is Σ cₑ·Bₑ + τ·D, and the product that it passes down A·(cₑ + τ·h·(hₑ − cₑ)).
///
/// α is h·δ − 1/(1 − t), where δ = 1/((t + c·(1 − t))·(1 − t)) does not depend on the sample: the last player of a set
/// costs one sum over the nodes, with constants.
///
/// # Shapes
/// `rows` (feature), rounded as the trees compare them; `credit` (term); both in lanes. `value` is the place of the
/// output among the values of a leaf.
#[inline(always)]
pub(super) fn sweep<const L: usize>(
    trees: &TreeEnsemble,
    plan: &TreePlan,
    order: usize,
    value: usize,
    rows: &[[f64; L]],
    stacks: &mut Stacks<L>,
    credit: &mut [[f64; L]],
) {
    stacks.reserve(plan, order);
    stacks.products[..plan.nodes.t.len()].fill([1.0; L]);
    for &step in &plan.steps {
        match step {
            Step::Decide(place) => {
                let split = &plan.splits[place as usize];
                decide(trees, plan, split, rows, &mut stacks.decided);
                if split.leaf[0] == NONE {
                    descend(plan, place, 0, stacks);
                }
            }
            Step::Turn(place) => descend(plan, place, 1, stacks),
            Step::Join(place) => {
                join(trees, plan, place, value, stacks);
                let Split { slot, above, .. } = plan.splits[place as usize];
                if above != NONE {
                    stacks.active[slot as usize] = above;
                }
                spread(plan, order, place, stacks, credit);
            }
        }
    }
}

#[inline(always)]
fn decide<const L: usize>(
    trees: &TreeEnsemble,
    plan: &TreePlan,
    split: &Split,
    rows: &[[f64; L]],
    decided: &mut [Decided<L>],
) {
    let left = goes_left(trees, split.node as usize, &rows[split.feature as usize]);
    let follows = match split.above {
        NONE => [1.0; L],
        edge => decided[plan.splits[edge as usize / 2].depth as usize].follows[edge as usize % 2],
    };
    let to = &mut decided[split.depth as usize];
    for lane in 0..L {
        let (h, l) = (follows[lane], left[lane]);
        to.follows[0][lane] = h * l;
        to.follows[1][lane] = h * (1.0 - l);
        to.gain[0][lane] = h * (l - split.share[0]);
        to.gain[1][lane] = h * (1.0 - l - split.share[1]);
    }
}

/// 1 for the samples that go left, 0 for the others. The common kind of split is decided without branches; `x` is
/// already rounded where the comparison asks for it.
#[inline(always)]
fn goes_left<const L: usize>(trees: &TreeEnsemble, node: usize, x: &[f64; L]) -> [f64; L] {
    if trees.set[node] != NO_SET || trees.missing[node] != Missing::Nan {
        return x.map(|x| f64::from(u8::from(trees.goes_left(node, x))));
    }
    let (threshold, missing) = (trees.threshold[node], f64::from(u8::from(trees.default_left[node])));
    let known = |left: bool, x: f64| if x.is_nan() { missing } else { f64::from(u8::from(left)) };
    if trees.comparison.strict { x.map(|x| known(x < threshold, x)) } else { x.map(|x| known(x <= threshold, x)) }
}

/// τ, ω, δ to the left and δ to the right of a split: (those four, node).
#[inline(always)]
fn tables(plan: &TreePlan, split: u32) -> &[f64] {
    let n = 4 * plan.nodes.t.len();
    &plan.tables[split as usize * n..(split as usize + 1) * n]
}

/// Multiplies the factors of an edge into the product for the subtree below.
#[inline(always)]
fn descend<const L: usize>(plan: &TreePlan, place: u32, side: usize, stacks: &mut Stacks<L>) {
    let split = &plan.splits[place as usize];
    let (n, depth) = (plan.nodes.t.len(), split.depth as usize);
    let (above, below) = stacks.products.split_at_mut((depth + 1) * n);
    let gain = &stacks.decided[depth].gain[side];
    let share = split.share[side];
    for ((product, below), tau) in above[depth * n..].iter().zip(&mut below[..n]).zip(tables(plan, place)) {
        for lane in 0..L {
            below[lane] = product[lane] * (share + tau * gain[lane]);
        }
    }
    stacks.active[split.slot as usize] = 2 * place + side as u32;
}

/// Passes the sum over the leaves below a split up, and leaves E in the first row of `sets`.
#[inline(always)]
fn join<const L: usize>(trees: &TreeEnsemble, plan: &TreePlan, place: u32, value: usize, stacks: &mut Stacks<L>) {
    let split = &plan.splits[place as usize];
    let (n, depth) = (plan.nodes.t.len(), split.depth as usize);
    let Decided { gain: [gain_left, gain_right], .. } = stacks.decided[depth];
    let [share_left, share_right] = split.share;
    let (tau, omega) = tables(plan, place)[..2 * n].split_at(n);
    let (above, here) = stacks.sums.split_at_mut(2 * depth * n);
    let products = &stacks.products[depth * n..(depth + 1) * n];
    // The root passes its sum to nobody.
    let up = match depth {
        0 => &mut [][..],
        _ => {
            let place = (2 * (depth - 1) + usize::from(!split.is_left)) * n;
            &mut above[place..place + n]
        }
    };
    let sets = &mut stacks.sets[..n];
    if split.leaf[0] != NONE && split.leaf[1] != NONE {
        let [left, right] = split.leaf.map(|place| trees.values[place as usize + value]);
        let mean = share_left * left + share_right * right;
        let mut gained = [0.0; L];
        for lane in 0..L {
            gained[lane] = gain_left[lane] * left + gain_right[lane] * right;
        }
        for ((set, product), omega) in sets.iter_mut().zip(products).zip(omega) {
            for lane in 0..L {
                set[lane] = omega * product[lane] * gained[lane];
            }
        }
        for (up, tau) in up.iter_mut().zip(tau) {
            for lane in 0..L {
                up[lane] = mean + tau * gained[lane];
            }
        }
        return;
    }
    let (lefts, rights) = here[..2 * n].split_at_mut(n);
    for (child, sums) in split.leaf.iter().zip([&mut *lefts, &mut *rights]) {
        if *child != NONE {
            sums.fill([trees.values[*child as usize + value]; L]);
        }
    }
    for (node, (left, right)) in lefts.iter().zip(rights.iter()).enumerate() {
        let (tau, omega, product) = (tau[node], omega[node], &products[node]);
        let (mut sum, set) = ([0.0; L], &mut sets[node]);
        for lane in 0..L {
            let gained = gain_left[lane] * left[lane] + gain_right[lane] * right[lane];
            set[lane] = omega * product[lane] * gained;
            sum[lane] = share_left * left[lane] + share_right * right[lane] + tau * gained;
        }
        if let Some(up) = up.get_mut(node) {
            *up = sum;
        }
    }
}

/// Credits the sets of a split's player and players above.
#[inline(always)]
fn spread<const L: usize>(plan: &TreePlan, order: usize, place: u32, stacks: &mut Stacks<L>, credit: &mut [[f64; L]]) {
    let split = &plan.splits[place as usize];
    let n = plan.nodes.t.len();
    let Stacks { sets, active, decided, .. } = stacks;
    let (set, _) = sets.split_at(n);
    let own = &mut credit[plan.places[split.first] as usize];
    for (e, weight) in set.iter().zip(&plan.nodes.weights[0]) {
        for lane in 0..L {
            own[lane] += weight * e[lane];
        }
    }
    if order == 1 {
        return;
    }
    let others: Others<L> = Others { plan, decided, active, own: split.slot as usize };
    let mut next = split.first + 1;
    // The slot to try next for the second, third, … player of a set, each below the one before.
    let mut slots = [0; MOST_ORDER + 1];
    let mut size = 2;
    loop {
        let until = if size == 2 { split.n_above as usize } else { slots[size - 1] - 1 };
        let (set, larger) = sets[(size - 2) * n..].split_at_mut(n);
        if size == order {
            others.close(size, until, set, &mut next, credit);
        } else if let Some(slot) = (slots[size]..until).find(|&slot| slot != others.own) {
            slots[size] = slot + 1;
            others.extend(size, slot, set, &mut larger[..n], &mut credit[plan.places[next] as usize]);
            next += 1;
            size += 1;
            slots[size] = 0;
            continue;
        }
        if size == 2 {
            return;
        }
        size -= 1;
    }
}

/// The players above a split.
struct Others<'a, const L: usize> {
    plan: &'a TreePlan,
    decided: &'a [Decided<L>],
    active: &'a [u32],
    /// The slot of the split's own player.
    own: usize,
}

impl<const L: usize> Others<'_, L> {
    /// Credits the sets of the largest size that a set and one player of the slots below `until` make. The set's
    /// products E are used up.
    #[inline(always)]
    fn close(&self, size: usize, until: usize, set: &mut [[f64; L]], next: &mut usize, credit: &mut [[f64; L]]) {
        // Σ w·E·α = h·Σ δ·(w·E) − Σ w·E/(1 − t)
        let mut rest = [0.0; L];
        for ((e, weight), one_less) in set.iter_mut().zip(&self.plan.nodes.weights[size - 1]).zip(&self.plan.nodes.rest)
        {
            let low = 1.0 / one_less;
            for lane in 0..L {
                e[lane] *= weight;
                rest[lane] -= e[lane] * low;
            }
        }
        for slot in (0..until).filter(|&slot| slot != self.own) {
            let (delta, follows) = self.state(slot);
            let mut sum = [0.0; L];
            for (e, delta) in set.iter().zip(delta) {
                for lane in 0..L {
                    sum[lane] += delta * e[lane];
                }
            }
            let to = &mut credit[self.plan.places[*next] as usize];
            for lane in 0..L {
                to[lane] += rest[lane] + follows[lane] * sum[lane];
            }
            *next += 1;
        }
    }

    /// Credits the set of `size` players that a smaller one and the player of a slot make, and leaves its products in
    /// `larger`.
    #[inline(always)]
    fn extend(&self, size: usize, slot: usize, set: &[[f64; L]], larger: &mut [[f64; L]], credit: &mut [f64; L]) {
        let (delta, follows) = self.state(slot);
        let nodes = &self.plan.nodes;
        let constants = delta.iter().zip(&nodes.rest).zip(&nodes.weights[size - 1]);
        for ((e, to), ((delta, one_less), weight)) in set.iter().zip(larger).zip(constants) {
            let low = 1.0 / one_less;
            for lane in 0..L {
                to[lane] = e[lane] * (follows[lane] * delta - low);
                credit[lane] += weight * to[lane];
            }
        }
    }

    /// δ and h of a player where the path left it: (node), lanes.
    #[inline(always)]
    fn state(&self, slot: usize) -> (&[f64], &[f64; L]) {
        let edge = self.active[slot];
        let (split, side) = (edge / 2, edge as usize % 2);
        let n = self.plan.nodes.t.len();
        let delta = &tables(self.plan, split)[(2 + side) * n..(3 + side) * n];
        (delta, &self.decided[self.plan.splits[split as usize].depth as usize].follows[side])
    }
}
