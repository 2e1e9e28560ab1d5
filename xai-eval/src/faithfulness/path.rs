//! The scores while players go, or come, in an order.

use ndarray::{Array1, Array2, ArrayView1};
use xai_core::{Meter, Model, Result, Run};

use crate::asking::Asking;
use crate::games::Games;

/// How many players have gone after each of `n_steps` groups of (nearly) the same size, from none to all.
pub(crate) fn steps(n_players: usize, n_steps: usize) -> Vec<usize> {
    let n_steps = n_steps.min(n_players).max(1);
    (0..=n_steps).map(|step| n_players * step / n_steps).collect()
}

/// The numbers of players that these shares of all players are, rounded up.
pub(crate) fn counts_of(shares: &[f64], n_players: usize) -> Vec<usize> {
    let count = |share: f64| ((share * n_players as f64 - 1e-9).ceil() as usize).min(n_players);
    shares.iter().map(|&share| count(share)).collect()
}

/// Cells of coalitions that are held at once, unless one order takes more: 64 MiB.
const CELLS_AT_ONCE: usize = 1 << 26;

/// Coalitions along an order of players: all but (or only) the first few. An order may name some players only: it then
/// goes on to its end and stays there.
pub(crate) struct Paths<'g, 'a, M: Model + ?Sized> {
    pub games: &'g Games<'a, M>,
    /// How many players have gone, or come, at each point; rising.
    pub counts: &'g [usize],
    /// Players come instead of going.
    pub insertion: bool,
}

/// Where the scores of a point come from.
#[derive(Clone, Copy)]
enum Source {
    Whole,
    Empty,
    Coalition(usize),
}

/// Some orders of a sample that were asked together.
struct Asked {
    /// The first of them among those of the sample.
    first: usize,
    plans: Vec<Vec<Source>>,
    /// Whether the last coalition is empty.
    nobody: bool,
}

impl<M: Model + ?Sized> Paths<'_, '_, M> {
    /// The source of each point of an order of `length` players, coalitions counted from `n` on.
    fn sources(&self, length: usize, mut n: usize) -> (Vec<Source>, usize) {
        let n_players = self.games.n_players;
        let mut sources: Vec<Source> = Vec::with_capacity(self.counts.len());
        let mut before = None;
        for &count in self.counts {
            let count = count.min(length);
            let present = if self.insertion { count } else { n_players - count };
            let source = match (present, before) {
                (all, _) if all == n_players => Source::Whole,
                (0, _) => Source::Empty,
                (_, Some((same, source))) if same == count => source,
                _ => {
                    n += 1;
                    Source::Coalition(n - 1)
                }
            };
            before = Some((count, source));
            sources.push(source);
        }
        (sources, n)
    }

    /// A meter for the samples as they are and `n_orders` orders of each, `length(sample, order)` players long.
    ///
    /// # Errors
    /// [`Error::Budget`](xai_core::Error::Budget) when the run allows fewer.
    pub fn meter<'r>(
        &self,
        run: &'r Run<'r>,
        n_orders: usize,
        length: impl Fn(usize, usize) -> usize,
    ) -> Result<Meter<'r>> {
        self.games.bounded(self.counts.len())?;
        let (mut coalitions, mut n_empty) = (0u64, 0u64);
        for sample in 0..self.games.n_samples {
            let mut empty = false;
            for order in 0..n_orders {
                let (sources, n) = self.sources(length(sample, order), 0);
                coalitions += n as u64;
                empty |= sources.iter().any(|source| matches!(source, Source::Empty));
            }
            n_empty += u64::from(empty && !(self.games.empty_is_shared() && n_empty == 1));
        }
        let masked = (coalitions + n_empty).saturating_mul(self.games.replicas());
        Meter::planned(run, masked.saturating_add(self.games.n_samples as u64))
    }

    /// Hands the scores of every point of every order to `see`: (sample, order, point, scores by output). `orders` gives
    /// the orders of a sample.
    ///
    /// # Errors
    /// Those of the model and of the masker.
    pub fn visit(
        &self,
        meter: &Meter,
        whole: &Array2<f64>,
        orders: impl Fn(usize) -> Vec<Vec<usize>>,
        mut see: impl FnMut(usize, usize, usize, ArrayView1<f64>),
    ) -> Result<()> {
        let games = self.games;
        let orders_at_once = (CELLS_AT_ONCE / (self.counts.len() * games.n_players).max(1)).max(1);
        let worth = |_: usize, _: usize, score: f64| score;
        let mut asking = Asking::new(games, meter, &worth);
        // What nobody is worth: in the first answer that asked for it, and for those behind it.
        let mut nobody: Option<Array1<f64>> = None;
        let mut answer = |sample: usize, asked: Asked, worth: Array2<f64>| {
            if asked.nobody {
                nobody = Some(worth.row(worth.nrows() - 1).to_owned());
            }
            for (order, sources) in asked.plans.iter().enumerate() {
                for (point, source) in sources.iter().enumerate() {
                    let scores = match (source, &nobody) {
                        (Source::Coalition(c), _) => worth.row(*c),
                        (Source::Empty, Some(nobody)) => nobody.view(),
                        (Source::Whole | Source::Empty, _) => whole.row(sample),
                    };
                    see(sample, asked.first + order, point, scores);
                }
            }
        };
        let mut known = false;
        for sample in 0..games.n_samples {
            let orders = orders(sample);
            known &= games.empty_is_shared();
            for (part, orders) in orders.chunks(orders_at_once).enumerate() {
                let (mut coalitions, plans) = self.coalitions(orders);
                let asks = plans.iter().flatten().any(|source| matches!(source, Source::Empty));
                let nobody = asks && !known;
                if nobody {
                    let none = Array1::from_elem(games.n_players, false);
                    coalitions.push_row(none.view()).map_err(xai_core::Error::model)?;
                    known = true;
                }
                let asked = Asked { first: part * orders_at_once, plans, nobody };
                asking.ask(sample, &coalitions, asked, &mut answer)?;
            }
        }
        asking.finish(&mut answer)
    }

    /// The coalitions along some orders, and where the points of each order find theirs.
    fn coalitions(&self, orders: &[Vec<usize>]) -> (Array2<bool>, Vec<Vec<Source>>) {
        let (mut n, mut plans) = (0, Vec::with_capacity(orders.len()));
        for order in orders {
            let (sources, next) = self.sources(order.len(), n);
            plans.push(sources);
            n = next;
        }
        let mut coalitions = Array2::from_elem((n, self.games.n_players), !self.insertion);
        for (order, sources) in orders.iter().zip(&plans) {
            for (source, &count) in sources.iter().zip(self.counts) {
                if let Source::Coalition(c) = *source {
                    let mut row = coalitions.row_mut(c);
                    order[..count.min(order.len())].iter().for_each(|&player| row[player] = self.insertion);
                }
            }
        }
        (coalitions, plans)
    }
}
