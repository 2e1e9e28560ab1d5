//! One tree swept for one sample, eight nodes of the quadrature at a time.

use xai_core::trees::TreeEnsemble;

use super::plan::{NONE, Split, Step, TreePlan};
use super::sweep::{LANES, Lanes};

/// The memory of one thread.
#[derive(Default)]
pub(super) struct RowStacks {
    /// The product of the factors above a split: (depth, node of the quadrature).
    products: Vec<Lanes>,
    /// The sum over the leaves below each child: (depth, left or right, node of the quadrature).
    sums: Vec<Lanes>,
    /// What the split of the path decided: (depth).
    decided: Vec<Decided>,
}

/// What a split decided.
#[derive(Clone, Copy, Default)]
struct Decided {
    /// 1 while the sample has followed its player at every split so far, this one included: left, right.
    follows: [f64; 2],
    /// h·(hₑ − cₑ) of the edges: left, right.
    gain: [f64; 2],
}

/// Adds to `credit` what each player contributes to one output of one tree: the numbers of
/// [`sweep`](super::sweep::sweep), to the last bit.
///
/// # Shapes
/// `row` (feature), rounded as the comparison asks; `credit` (player).
#[inline(always)]
pub(super) fn sweep_row(
    trees: &TreeEnsemble,
    plan: &TreePlan,
    value: usize,
    row: &[f64],
    stacks: &mut RowStacks,
    credit: &mut [f64],
) {
    let n = plan.width / LANES;
    let grow = |stack: &mut Vec<Lanes>, n: usize| stack.resize(stack.len().max(n), [0.0; LANES]);
    grow(&mut stacks.products, n * plan.depth);
    grow(&mut stacks.sums, 2 * n * plan.depth);
    stacks.decided.resize(stacks.decided.len().max(plan.depth), Decided::default());
    stacks.products[..n].fill([1.0; LANES]);
    for &step in &plan.steps {
        match step {
            Step::Decide(split) => {
                let split = &plan.splits[split as usize];
                let left = f64::from(u8::from(trees.goes_left(split.node as usize, row[split.feature as usize])));
                let h = match split.above {
                    (NONE, _) => 1.0,
                    (above, true) => stacks.decided[above as usize].follows[0],
                    (above, false) => stacks.decided[above as usize].follows[1],
                };
                stacks.decided[split.depth as usize] = Decided {
                    follows: [h * left, h * (1.0 - left)],
                    gain: [h * (left - split.share[0]), h * (1.0 - left - split.share[1])],
                };
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

/// τ and ω of a split: (node of the quadrature).
#[inline(always)]
fn factors<'a>(plan: &'a TreePlan, split: &Split) -> (&'a [Lanes], &'a [Lanes]) {
    let (tau, omega) = plan.tables[split.table as usize..][..2 * plan.width].split_at(plan.width);
    (tau.as_chunks().0, omega.as_chunks().0)
}

#[inline(always)]
fn descend(plan: &TreePlan, split: &Split, side: usize, stacks: &mut RowStacks) {
    let (n, depth) = (plan.width / LANES, split.depth as usize);
    let (above, below) = stacks.products.split_at_mut((depth + 1) * n);
    let (gain, share) = (stacks.decided[depth].gain[side], split.share[side]);
    let (tau, _) = factors(plan, split);
    for ((product, below), tau) in above[depth * n..].iter().zip(&mut below[..n]).zip(tau) {
        for node in 0..LANES {
            below[node] = product[node] * (share + tau[node] * gain);
        }
    }
}

#[inline(always)]
fn join(trees: &TreeEnsemble, plan: &TreePlan, split: &Split, value: usize, stacks: &mut RowStacks, credit: &mut f64) {
    let (n, depth, n_nodes) = (plan.width / LANES, split.depth as usize, plan.rule.t.len());
    let Decided { gain: [gain_left, gain_right], .. } = stacks.decided[depth];
    let [share_left, share_right] = split.share;
    let (tau, omega) = factors(plan, split);
    let (above, here) = stacks.sums.split_at_mut(2 * depth * n);
    let products = &stacks.products[depth * n..(depth + 1) * n];
    let up = match depth {
        0 => &mut [][..],
        _ => {
            let place = (2 * (depth - 1) + usize::from(!split.is_left)) * n;
            &mut above[place..place + n]
        }
    };
    let leaf = |place: u32| trees.values[place as usize + value];
    let mut integral = 0.0;
    if split.leaf[0] != NONE && split.leaf[1] != NONE {
        let (left, right) = (leaf(split.leaf[0]), leaf(split.leaf[1]));
        let mean = share_left * left + share_right * right;
        let gained = gain_left * left + gain_right * right;
        for (chunk, (product, omega)) in products.iter().zip(omega).enumerate() {
            let terms: Lanes = std::array::from_fn(|node| omega[node] * product[node]);
            add_in_order(&mut integral, &terms, n_nodes - chunk * LANES);
        }
        *credit += integral * gained;
        for (up, tau) in up.iter_mut().zip(tau) {
            *up = tau.map(|tau| mean + tau * gained);
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
    for (chunk, (left, right)) in lefts.iter().zip(rights.iter()).enumerate() {
        let (tau, omega, product) = (&tau[chunk], &omega[chunk], &products[chunk]);
        let (mut terms, mut sum) = ([0.0; LANES], [0.0; LANES]);
        for node in 0..LANES {
            let gained = gain_left * left[node] + gain_right * right[node];
            terms[node] = omega[node] * product[node] * gained;
            sum[node] = share_left * left[node] + share_right * right[node] + tau[node] * gained;
        }
        add_in_order(&mut integral, &terms, n_nodes - chunk * LANES);
        if let Some(up) = up.get_mut(chunk) {
            *up = sum;
        }
    }
    *credit += integral;
}

/// Adds the first `n` terms as they are added for many samples: one after another.
#[inline(always)]
fn add_in_order(sum: &mut f64, terms: &Lanes, n: usize) {
    terms.iter().take(n).for_each(|term| *sum += term);
}
