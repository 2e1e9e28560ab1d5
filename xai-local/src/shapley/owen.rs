//! Owen values: Shapley values of players who join part by part.

use ndarray::{Array2, ArrayView1};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use xai_core::error::same_shape;
use xai_core::{Error, Game, Provenance, Result};

use super::coalitions::{Bits, Coalitions, add, bounded, nobody};
use super::orders::mean_contribution;
use super::partition::PartitionTree;
use super::{Ends, Estimate, Estimator};

/// Owen values over a partition tree: the mean, over the orders of the players in which the members of every part
/// follow each other, of what each adds when it joins.
///
/// φᵢ = Σ Πₐ |Tₐ|! (kₐ − |Tₐ| − 1)! / kₐ! · (v(C ∪ i) − v(C)), C = ∪ₐ Tₐ, over the parts a that i belongs to, of kₐ
/// members each, and the sets Tₐ of those members of a that i does not belong to.
///
/// A part's values sum to its own Owen value in the tree cut above it: what belongs together, such as correlated columns
/// or the words of a sentence, shares its credit within. Few coalitions respect a deep tree, n² or so for a balanced one
/// of pairs, so that exact values are within reach for hundreds of players. With all players in one part these are
/// Shapley values.
///
/// Where the budget covers all such coalitions the values are exact. Otherwise orders are drawn, each with its reverse.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `tree` | | as many players as the game |
/// | `n_coalitions` | 20n + 2048 for n players | ≥ 2(n − 1), or as many as the tree allows |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is that of the mean over
/// pairs of orders; none is needed where the values are exact, and none is there for a single pair.
///
/// # Cost
/// At most `n_coalitions` coalitions; exact values take [`PartitionTree::coalitions`].
///
/// # Errors
/// [`Error::Shape`] for a tree of other players; [`Error::Parameter`] for a budget below one pair of orders;
/// [`Error::TooLarge`] for one that memory cannot hold.
///
/// # Laws
/// `owen_values_average_the_orders_of_the_tree`, `one_part_gives_shapley_values`, `sampled_owen_values_tell_their_error`,
/// `a_warm_run_is_a_cold_run`, `owen_values_are_those_of_shap`.
///
/// # Source
/// Owen, *Values of games with a priori unions*, 1977; several levels: Winter, *A value for cooperative games with
/// levels structure of cooperation*, 1989. *Differs* from `shap.PartitionExplainer`: parts of more than two members, and
/// where the budget does not cover the tree, sampling with a standard error in place of equal shares below where it ends.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::{Explainer, Run};
/// use xai_local::{masker::Baseline, shapley::{Masked, OwenShap, PartitionTree}};
/// # use ndarray::{Array2, Axis};
/// # struct Product;
/// # impl xai_core::Model for Product {
/// #     type Batch = xai_core::Table;
/// #     fn n_outputs(&self) -> usize { 1 }
/// #     fn predict(&self, batch: &xai_core::Table) -> xai_core::Result<Array2<f64>> {
/// #         Ok(batch.map_axis(Axis(1), |x| x[0] * x[1] * x[2]).insert_axis(Axis(1)))
/// #     }
/// # }
/// // x₀ · x₁ · x₂, where 0 and 1 are one part: half of the product for the part, half for player 2.
/// let tree = PartitionTree::groups(3, &[vec![0, 1]])?;
/// let explainer = Masked { estimator: OwenShap::new(tree), masker: Baseline::new(array![0.0, 0.0, 0.0]) };
/// let explanation = explainer.explain(&Product, &array![[2.0, 3.0, 4.0]], &Run::default())?;
/// assert_eq!(explanation.values.as_slice(), Some(&[6.0, 6.0, 12.0][..]));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OwenShap {
    /// Who belongs together.
    pub tree: PartitionTree,
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
}

/// The default budget beyond ten pairs of orders.
const DEFAULT_COALITIONS: usize = 2048;

/// What a run takes.
enum Plan {
    /// All coalitions of the tree.
    Exact(u64),
    /// Pairs of orders.
    Pairs(usize),
}

impl OwenShap {
    /// With the default budget.
    pub fn new(tree: PartitionTree) -> Self {
        OwenShap { tree, n_coalitions: None }
    }

    fn plan(&self, n: usize) -> Result<Plan> {
        same_shape("players of the partition tree, by the game", &[n], &[self.tree.n_players()])?;
        let budget = self.n_coalitions.unwrap_or(n.saturating_mul(20).saturating_add(DEFAULT_COALITIONS)) as u64;
        let (words, all) = (n.div_ceil(64) as u64, self.tree.coalitions());
        if all <= budget {
            bounded(all.saturating_mul(words))?;
            return Ok(Plan::Exact(all));
        }
        let pair = 2 * (n as u64 - 1);
        if budget < pair {
            let expected = format!("at least {pair}: an order of {n} players and its reverse");
            return Err(Error::parameter("n_coalitions", budget, expected));
        }
        bounded(budget.saturating_mul(words))?;
        Ok(Plan::Pairs((budget / pair) as usize))
    }
}

impl Estimator for OwenShap {
    fn name(&self) -> &'static str {
        "owen-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        let provenance = provenance.with("parts", self.tree.parts().len());
        match self.n_coalitions {
            Some(n) => provenance.with("n_coalitions", n),
            None => provenance.with("n_coalitions", "20n + 2048"),
        }
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        Ok(match self.plan(n_players)? {
            Plan::Exact(all) => all,
            Plan::Pairs(pairs) => 2 * pairs as u64 * (n_players as u64 - 1),
        })
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(OwenShap { tree: self.tree.clone(), n_coalitions: Some(n) }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        let plan = self.plan(n)?;
        if let Some(estimate) = ends.trivial(n) {
            return Ok(estimate);
        }
        match plan {
            Plan::Exact(all) => {
                bounded(all.saturating_mul(game.n_outputs() as u64))?;
                exact(&self.tree, game, ends)
            }
            Plan::Pairs(pairs) => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let forth_and_back = |_| {
                    let order = draw(&self.tree, &mut rng);
                    let reverse = order.iter().rev().copied().collect();
                    [order, reverse]
                };
                let orders: Vec<Vec<usize>> = (0..pairs).flat_map(forth_and_back).collect();
                mean_contribution(game, ends, &orders, 2)
            }
        }
    }
}

/// An order in which the members of every part follow each other, all such orders being equally likely.
fn draw(tree: &PartitionTree, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order = Vec::with_capacity(tree.n_players());
    let mut open: Vec<usize> = tree.root().into_iter().collect();
    while let Some(node) = open.pop() {
        match tree.members(node) {
            None => order.push(node),
            Some(members) => {
                let start = open.len();
                open.extend(members);
                open[start..].shuffle(rng);
            }
        }
    }
    order
}

fn exact(tree: &PartitionTree, game: &dyn Game, ends: &Ends) -> Result<Estimate> {
    let n = game.n_players();
    let mut coalitions = Coalitions::default();
    let everybody = n as u32;
    let count = |coalition: &Bits| coalition.iter().map(|word| word.count_ones()).sum::<u32>();
    walk(tree, &mut |_, _, coalition| {
        if !(count(&coalition) == 0 || count(&coalition) == everybody) {
            coalitions.insert(coalition);
        }
    });
    let worth = coalitions.worth(game)?;
    let mut values = Array2::zeros((n, game.n_outputs()));
    let of = |coalition: Bits, coalitions: &mut Coalitions| -> ArrayView1<f64> {
        match count(&coalition) {
            0 => ends.empty.view(),
            c if c == everybody => ends.full.view(),
            _ => worth.row(coalitions.insert(coalition).0).reborrow(),
        }
    };
    walk(tree, &mut |player, weight, coalition| {
        values.row_mut(player).scaled_add(weight, &of(coalition, &mut coalitions));
    });
    let found = coalitions.len() as u64;
    Ok(Estimate::exact(values, found).note(format!("exact: all {found} coalitions of the partition tree")))
}

/// Tells of every player, weight and coalition whose product the value is a sum of: for each coalition without the
/// player, that and the one with it.
fn walk(tree: &PartitionTree, tell: &mut dyn FnMut(usize, f64, Bits)) {
    let mut open: Vec<(usize, f64, Bits)> =
        tree.root().map(|root| (root, 1.0, nobody(tree.n_players()))).into_iter().collect();
    let leaves = tree.leaves();
    while let Some((node, weight, context)) = open.pop() {
        let Some(members) = tree.members(node) else {
            let mut with = context.clone();
            add(&mut with, node);
            tell(node, -weight, context);
            tell(node, weight, with);
            continue;
        };
        let k = members.len();
        // |T|! (k − |T| − 1)! / k!, from one size to the next.
        let mut weights = vec![1.0 / k as f64; k];
        for size in 1..k {
            weights[size] = weights[size - 1] * size as f64 / (k - size) as f64;
        }
        for (place, &member) in members.iter().enumerate() {
            for present in (0u64..1 << k).filter(|present| present >> place & 1 == 0) {
                let mut context = context.clone();
                for other in (0..k).filter(|other| present >> other & 1 == 1) {
                    leaves[members[other]].iter().for_each(|&player| add(&mut context, player));
                }
                open.push((member, weight * weights[present.count_ones() as usize], context));
            }
        }
    }
}
