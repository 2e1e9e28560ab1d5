//! From dividends to every index: I(S) = Σ over T ⊇ S of w(|S|, |T|) · m(T).

use xai_core::{Error, InteractionIndex, Result};

/// How much of the dividend of a set goes to each of its parts: w by the sizes of part and set.
///
/// | index | w(s, t) for t > k, the order |
/// |---|---|
/// | SII | 1 / (t − s + 1), for all t |
/// | k-SII | Σ over r ≤ k − s of B_r · C(t − s, r) / (t − s − r + 1), with the Bernoulli numbers B |
/// | STII | 1 / C(t, k) for s = k, otherwise 0 |
/// | FSII | (−1)^(k − s) · s / (k + s) · C(k, s) · C(t − 1, k) / C(t + k − 1, k + s) |
/// | BII | 2^(s − t), for all t |
/// | FBII | (−1)^(k − s) · C(t − s − 1, k − s) · 2^(s − t) |
/// | Möbius | 0 |
///
/// Where nothing else is said, a set of up to k players keeps its own: w(s, t) = 1 if s = t, otherwise 0.
///
/// # Source
/// SII, BII: Grabisch, Marichal & Roubens, *Equivalent representations of set functions*, 2000; k-SII: Bord & von Luxburg
/// 2023; STII: Sundararajan, Dhamdhere & Agarwal 2020; FSII, FBII: Tsai, Yeh & Ravikumar 2023.
#[derive(Debug, Clone)]
pub(crate) struct Conversion {
    index: InteractionIndex,
    order: usize,
    /// The Bernoulli numbers B₀, B₁ = −½, …
    bernoulli: Vec<f64>,
}

impl Conversion {
    /// The conversion to `index` for sets of up to `order` of `n_players`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for order 0; [`Error::Unsupported`] for an index that is not known here.
    pub fn new(index: InteractionIndex, order: usize, n_players: usize) -> Result<Self> {
        if order == 0 {
            return Err(Error::parameter("order", order, "at least 1"));
        }
        if !InteractionIndex::ALL.contains(&index) {
            return Err(Error::unsupported(format!("the index {index}"), "its conversion from dividends is not known"));
        }
        // Beyond the number of players nothing changes.
        let order = order.min(n_players.max(1));
        Ok(Conversion { index, order, bernoulli: bernoulli(order) })
    }

    /// The largest set that has a value.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Whether sets of `part` players get something of larger sets.
    pub fn is_local(&self, part: usize) -> bool {
        match self.index {
            InteractionIndex::Moebius => true,
            InteractionIndex::Stii => part < self.order,
            _ => false,
        }
    }

    /// What a part of `s` players gets of the dividend of a set of `t` players around it, 1 ≤ s ≤ t.
    pub fn weight(&self, s: usize, t: usize) -> f64 {
        let k = self.order;
        if s > k {
            return 0.0;
        }
        let gap = t - s;
        let own = if gap == 0 { 1.0 } else { 0.0 };
        match self.index {
            InteractionIndex::Sii => 1.0 / (gap + 1) as f64,
            InteractionIndex::Bii => 0.5f64.powi(gap as i32),
            InteractionIndex::Stii if s == k => 1.0 / binomial(t, k),
            _ if t <= k => own,
            InteractionIndex::KSii => {
                let shares = self.bernoulli[..=k - s].iter().enumerate();
                shares.map(|(r, b)| b * binomial(gap, r) / (gap - r + 1) as f64).sum()
            }
            InteractionIndex::Fsii => {
                let share = binomial(t - 1, k) / binomial(t + k - 1, k + s);
                sign(k - s) * s as f64 / (k + s) as f64 * binomial(k, s) * share
            }
            InteractionIndex::Fbii => sign(k - s) * binomial(gap - 1, k - s) * 0.5f64.powi(gap as i32),
            _ => own,
        }
    }
}

fn sign(n: usize) -> f64 {
    if n.is_multiple_of(2) { 1.0 } else { -1.0 }
}

pub(crate) fn binomial(n: usize, k: usize) -> f64 {
    if k > n {
        return 0.0;
    }
    (0..k.min(n - k)).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64).round()
}

/// B₀ to B_n, from Σ over k ≤ m of C(m + 1, k) · B_k = 0.
fn bernoulli(n: usize) -> Vec<f64> {
    let mut all: Vec<f64> = vec![1.0];
    for m in 1..=n {
        let known: f64 = all.iter().enumerate().map(|(k, b)| binomial(m + 1, k) * b).sum();
        // The odd ones beyond the first are 0, which rounding must not hide.
        all.push(if m > 1 && m % 2 == 1 { 0.0 } else { -known / (m + 1) as f64 });
    }
    all
}
