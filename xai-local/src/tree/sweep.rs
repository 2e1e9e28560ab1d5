//! One tree swept once for several samples at a time.

use xai_core::trees::{Missing, NO_SET, TreeEnsemble};

use super::plan::{NONE, Split, Step, TreePlan};

/// How many samples are swept together: every sample visits every node, so they share all but the arithmetic.
pub(super) const LANES: usize = 8;

/// One number for each sample.
pub(super) type Lanes = [f64; LANES];

const ZERO: Lanes = [0.0; LANES];

/// The memory of one thread.
#[derive(Default)]
pub(super) struct Stacks {
    /// The product of the factors above a split: (depth, node of the quadrature).
    products: Vec<Lanes>,
    /// The sum over the leaves below each child: (depth, left or right, node of the quadrature).
    sums: Vec<Lanes>,
    /// What the split of the path decided: (depth).
    decided: Vec<Decided>,
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
    fn reserve(&mut self, nodes: usize, depth: usize) {
        let grow = |stack: &mut Vec<Lanes>, n: usize| stack.resize(stack.len().max(n), ZERO);
        grow(&mut self.products, nodes * depth);
        grow(&mut self.sums, 2 * nodes * depth);
        let blank = Decided { follows: [ZERO; 2], gain: [ZERO; 2] };
        self.decided.resize(self.decided.len().max(depth), blank);
    }
}

/// Adds to `credit` what each player contributes to one output of one tree.
///
/// For a leaf with value v, whose path sends a share c of the cover along each player's splits and which a sample
/// reaches (h = 1) or misses (h = 0) there, the Shapley value is v·(hᵢ − cᵢ)·∫₀¹ Πⱼ≠ᵢ (hⱼ·t + cⱼ·(1 − t)) dt. With
/// A(t) the product over the players above a split and B(t) the sum over the leaves below a child, each with its
/// factors further down, and D = Σ h·(hₑ − cₑ)·Bₑ over the two edges e, a split adds ∫ ω·A·D to its player, where τ = t,
/// ω = 1 for the player's first split on the path; for later ones τ = t/(t + c·(1 − t)), ω = c/(t + c·(1 − t))². The sum
/// that it passes up is Σ cₑ·Bₑ + τ·D, the product that it passes down along an edge A·(cₑ + τ·h·(hₑ − cₑ)).
///
/// # Shapes
/// `rows` (feature), rounded as [`round`] does it; `credit` (player); both in lanes. `value` is the place of the output
/// among the values of a leaf.
#[inline(always)]
pub(super) fn sweep(
    trees: &TreeEnsemble,
    plan: &TreePlan,
    value: usize,
    rows: &[Lanes],
    stacks: &mut Stacks,
    credit: &mut [Lanes],
) {
    let n = plan.rule.t.len();
    stacks.reserve(n, plan.depth);
    stacks.products[..n].fill([1.0; LANES]);
    for &step in &plan.steps {
        match step {
            Step::Decide(split) => {
                let split = &plan.splits[split as usize];
                decide(trees, split, rows, &mut stacks.decided);
                if split.leaf[0] == NONE {
                    descend(plan, split, 0, stacks);
                }
            }
            Step::Turn(split) => descend(plan, &plan.splits[split as usize], 1, stacks),
            Step::Join(split) => {
                let split = &plan.splits[split as usize];
                join(trees, plan, split, value, stacks, &mut credit[split.player as usize]);
            }
        }
    }
}

/// The value as the trees compare it.
pub(super) fn round(trees: &TreeEnsemble, value: f64) -> f64 {
    if trees.comparison.single { f64::from(value as f32) } else { value }
}

#[inline(always)]
fn decide(trees: &TreeEnsemble, split: &Split, rows: &[Lanes], decided: &mut [Decided]) {
    let x = &rows[split.feature as usize];
    let left = goes_left(trees, split.node as usize, x);
    let depth = split.depth as usize;
    let follows = match split.above {
        (NONE, _) => [1.0; LANES],
        (above, true) => decided[above as usize].follows[0],
        (above, false) => decided[above as usize].follows[1],
    };
    let to = &mut decided[depth];
    for lane in 0..LANES {
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
fn goes_left(trees: &TreeEnsemble, node: usize, x: &Lanes) -> Lanes {
    if trees.set[node] != NO_SET || trees.missing[node] != Missing::Nan {
        return x.map(|x| f64::from(u8::from(trees.goes_left(node, x))));
    }
    let (threshold, missing) = (trees.threshold[node], f64::from(u8::from(trees.default_left[node])));
    let known = |left: bool, x: f64| if x.is_nan() { missing } else { f64::from(u8::from(left)) };
    if trees.comparison.strict { x.map(|x| known(x < threshold, x)) } else { x.map(|x| known(x <= threshold, x)) }
}

/// τ and ω of a split: (node of the quadrature).
#[inline(always)]
fn factors<'a>(plan: &'a TreePlan, split: &Split) -> (&'a [f64], &'a [f64]) {
    let (n, table) = (plan.rule.t.len(), split.table as usize);
    (&plan.tables[table..table + n], &plan.tables[table + plan.width..table + plan.width + n])
}

/// Multiplies the factors of an edge into the product for the subtree below.
#[inline(always)]
fn descend(plan: &TreePlan, split: &Split, side: usize, stacks: &mut Stacks) {
    let n = plan.rule.t.len();
    let depth = split.depth as usize;
    let (above, below) = stacks.products.split_at_mut((depth + 1) * n);
    let gain = &stacks.decided[depth].gain[side];
    let share = split.share[side];
    let (tau, _) = factors(plan, split);
    for ((product, below), tau) in above[depth * n..].iter().zip(&mut below[..n]).zip(tau) {
        for lane in 0..LANES {
            below[lane] = product[lane] * (share + tau * gain[lane]);
        }
    }
}

/// Credits the player of a split and passes the sum over its leaves up.
#[inline(always)]
fn join(trees: &TreeEnsemble, plan: &TreePlan, split: &Split, value: usize, stacks: &mut Stacks, credit: &mut Lanes) {
    let n = plan.rule.t.len();
    let depth = split.depth as usize;
    let Decided { gain: [gain_left, gain_right], .. } = stacks.decided[depth];
    let [share_left, share_right] = split.share;
    let (tau, omega) = factors(plan, split);
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
    let leaf = |place: u32| trees.values[place as usize + value];
    if split.leaf[0] != NONE && split.leaf[1] != NONE {
        let (left, right) = (leaf(split.leaf[0]), leaf(split.leaf[1]));
        let mean = share_left * left + share_right * right;
        let mut gained = ZERO;
        for lane in 0..LANES {
            gained[lane] = gain_left[lane] * left + gain_right[lane] * right;
        }
        let mut integral = ZERO;
        for (product, omega) in products.iter().zip(omega) {
            for lane in 0..LANES {
                integral[lane] += omega * product[lane];
            }
        }
        for lane in 0..LANES {
            credit[lane] += integral[lane] * gained[lane];
        }
        for (up, tau) in up.iter_mut().zip(tau) {
            for lane in 0..LANES {
                up[lane] = mean + tau * gained[lane];
            }
        }
        return;
    }
    let (lefts, rights) = here[..2 * n].split_at_mut(n);
    if split.leaf[0] != NONE {
        lefts.fill([leaf(split.leaf[0]); LANES]);
    }
    if split.leaf[1] != NONE {
        rights.fill([leaf(split.leaf[1]); LANES]);
    }
    let mut integral = ZERO;
    for (node, (left, right)) in lefts.iter().zip(rights.iter()).enumerate() {
        let (tau, omega, product) = (tau[node], omega[node], &products[node]);
        let mut sum = ZERO;
        for lane in 0..LANES {
            let gained = gain_left[lane] * left[lane] + gain_right[lane] * right[lane];
            integral[lane] += omega * product[lane] * gained;
            sum[lane] = share_left * left[lane] + share_right * right[lane] + tau * gained;
        }
        if let Some(up) = up.get_mut(node) {
            *up = sum;
        }
    }
    for lane in 0..LANES {
        credit[lane] += integral[lane];
    }
}
