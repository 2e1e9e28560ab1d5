//! One tree swept once for several samples at a time.

use xai_core::trees::TreeEnsemble;

use super::plan::{Split, Step, TreePlan};
use crate::tree::plan::NONE;
use crate::tree::sweep::{LANES, Lanes};

const ZERO: Lanes = [0.0; LANES];

/// The memory of one thread.
#[derive(Default)]
pub(super) struct Stacks {
    /// The product of the factors above a split: (depth, node).
    products: Vec<Lanes>,
    /// The sum over the leaves below each child: (depth, left or right, node).
    sums: Vec<Lanes>,
    /// What the split of the path decided: (depth).
    decided: Vec<Decided>,
    /// The edge by which the path left the nearest split of each of its players: (slot).
    active: Vec<u32>,
    /// The products with the players of a set: (size − 1, node).
    sets: Vec<Lanes>,
}

/// What a split decided, sample by sample.
#[derive(Clone, Copy)]
struct Decided {
    /// 1 while the sample has followed its player at every split so far, this one included: left, right.
    follows: [Lanes; 2],
    /// h·(hₑ − cₑ) of the edges: left, right.
    gain: [Lanes; 2],
}

impl Stacks {
    fn reserve(&mut self, plan: &TreePlan, order: usize) {
        let nodes = plan.nodes.t.len();
        let grow = |stack: &mut Vec<Lanes>, n: usize| stack.resize(stack.len().max(n), ZERO);
        grow(&mut self.products, nodes * plan.depth);
        grow(&mut self.sums, 2 * nodes * plan.depth);
        grow(&mut self.sets, nodes * order);
        let blank = Decided { follows: [ZERO; 2], gain: [ZERO; 2] };
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
pub(super) fn sweep(
    trees: &TreeEnsemble,
    plan: &TreePlan,
    order: usize,
    value: usize,
    rows: &[Lanes],
    stacks: &mut Stacks,
    credit: &mut [Lanes],
) {
    stacks.reserve(plan, order);
    stacks.products[..plan.nodes.t.len()].fill([1.0; LANES]);
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
                spread(plan, order, place, stacks, credit);
            }
        }
    }
}

fn decide(trees: &TreeEnsemble, plan: &TreePlan, split: &Split, rows: &[Lanes], decided: &mut [Decided]) {
    let left = goes_left(trees, split.node as usize, &rows[split.feature as usize]);
    let follows = match split.above {
        NONE => [1.0; LANES],
        edge => decided[plan.splits[edge as usize / 2].depth as usize].follows[edge as usize % 2],
    };
    let to = &mut decided[split.depth as usize];
    for lane in 0..LANES {
        let (h, l) = (follows[lane], left[lane]);
        to.follows[0][lane] = h * l;
        to.follows[1][lane] = h * (1.0 - l);
        to.gain[0][lane] = h * (l - split.share[0]);
        to.gain[1][lane] = h * (1.0 - l - split.share[1]);
    }
}

/// 1 for the samples that go left, 0 for the others.
fn goes_left(trees: &TreeEnsemble, node: usize, x: &Lanes) -> Lanes {
    x.map(|x| f64::from(u8::from(trees.goes_left(node, x))))
}

/// τ, ω, δ to the left and δ to the right of a split: (those four, node).
fn tables(plan: &TreePlan, split: u32) -> &[f64] {
    let n = 4 * plan.nodes.t.len();
    &plan.tables[split as usize * n..(split as usize + 1) * n]
}

/// Multiplies the factors of an edge into the product for the subtree below.
fn descend(plan: &TreePlan, place: u32, side: usize, stacks: &mut Stacks) {
    let split = &plan.splits[place as usize];
    let (n, depth) = (plan.nodes.t.len(), split.depth as usize);
    let (above, below) = stacks.products.split_at_mut((depth + 1) * n);
    let gain = &stacks.decided[depth].gain[side];
    let share = split.share[side];
    for ((product, below), tau) in above[depth * n..].iter().zip(&mut below[..n]).zip(tables(plan, place)) {
        for lane in 0..LANES {
            below[lane] = product[lane] * (share + tau * gain[lane]);
        }
    }
    stacks.active[split.slot as usize] = 2 * place + side as u32;
}

/// Passes the sum over the leaves below a split up, and leaves E in the first row of `sets`.
fn join(trees: &TreeEnsemble, plan: &TreePlan, place: u32, value: usize, stacks: &mut Stacks) {
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
    let (lefts, rights) = here[..2 * n].split_at_mut(n);
    for (child, sums) in split.leaf.iter().zip([&mut *lefts, &mut *rights]) {
        if *child != NONE {
            sums.fill([trees.values[*child as usize + value]; LANES]);
        }
    }
    let sets = &mut stacks.sets[..n];
    for (node, (left, right)) in lefts.iter().zip(rights.iter()).enumerate() {
        let (tau, omega, product) = (tau[node], omega[node], &products[node]);
        let (mut sum, set) = (ZERO, &mut sets[node]);
        for lane in 0..LANES {
            let gained = gain_left[lane] * left[lane] + gain_right[lane] * right[lane];
            set[lane] = omega * product[lane] * gained;
            sum[lane] = share_left * left[lane] + share_right * right[lane] + tau * gained;
        }
        if let Some(up) = up.get_mut(node) {
            *up = sum;
        }
    }
    if split.above != NONE {
        stacks.active[split.slot as usize] = split.above;
    }
}

/// Credits the sets of a split's player and players above.
fn spread(plan: &TreePlan, order: usize, place: u32, stacks: &mut Stacks, credit: &mut [Lanes]) {
    let split = &plan.splits[place as usize];
    let n = plan.nodes.t.len();
    let Stacks { sets, active, decided, .. } = stacks;
    let (set, _) = sets.split_at(n);
    let own = &mut credit[plan.places[split.first] as usize];
    for (e, weight) in set.iter().zip(&plan.nodes.weights[0]) {
        for lane in 0..LANES {
            own[lane] += weight * e[lane];
        }
    }
    if order > 1 {
        let others = Others { plan, decided, active, own: split.slot as usize };
        let mut next = split.first + 1;
        others.spread(2, order, split.n_above as usize, sets, &mut next, credit);
    }
}

/// The players above a split.
struct Others<'a> {
    plan: &'a TreePlan,
    decided: &'a [Decided],
    active: &'a [u32],
    /// The slot of the split's own player.
    own: usize,
}

impl Others<'_> {
    /// Credits the sets that one player of the slots below `until` and smaller sets of its kind make of a set, whose
    /// products lie in the first row of `sets`; they have at least `size` players.
    fn spread(
        &self,
        size: usize,
        order: usize,
        until: usize,
        sets: &mut [Lanes],
        next: &mut usize,
        credit: &mut [Lanes],
    ) {
        let n = self.plan.nodes.t.len();
        let (set, larger) = sets.split_at_mut(n);
        let weights = &self.plan.nodes.weights[size - 1];
        if size == order {
            // Σ w·E·α = h·Σ δ·(w·E) − Σ w·E/(1 − t)
            let mut rest = ZERO;
            for ((e, weight), one_less) in set.iter_mut().zip(weights).zip(&self.plan.nodes.rest) {
                for lane in 0..LANES {
                    e[lane] *= weight;
                    rest[lane] -= e[lane] / one_less;
                }
            }
            for slot in (0..until).filter(|&slot| slot != self.own) {
                let (delta, follows) = self.state(slot);
                let mut sum = ZERO;
                for (e, delta) in set.iter().zip(delta) {
                    for lane in 0..LANES {
                        sum[lane] += delta * e[lane];
                    }
                }
                let to = &mut credit[self.plan.places[*next] as usize];
                for lane in 0..LANES {
                    to[lane] += rest[lane] + follows[lane] * sum[lane];
                }
                *next += 1;
            }
            return;
        }
        for slot in (0..until).filter(|&slot| slot != self.own) {
            let (delta, follows) = self.state(slot);
            let mut sum = ZERO;
            for (node, to) in larger[..n].iter_mut().enumerate() {
                let (e, delta, low) = (&set[node], delta[node], 1.0 / self.plan.nodes.rest[node]);
                for lane in 0..LANES {
                    to[lane] = e[lane] * (follows[lane] * delta - low);
                    sum[lane] += weights[node] * to[lane];
                }
            }
            let to = &mut credit[self.plan.places[*next] as usize];
            for lane in 0..LANES {
                to[lane] += sum[lane];
            }
            *next += 1;
            self.spread(size + 1, order, slot, larger, next, credit);
        }
    }

    /// δ and h of a player where the path left it: (node), lanes.
    fn state(&self, slot: usize) -> (&[f64], &Lanes) {
        let edge = self.active[slot];
        let (split, side) = (edge / 2, edge as usize % 2);
        let n = self.plan.nodes.t.len();
        let delta = &tables(self.plan, split)[(2 + side) * n..(3 + side) * n];
        (delta, &self.decided[self.plan.splits[split as usize].depth as usize].follows[side])
    }
}
