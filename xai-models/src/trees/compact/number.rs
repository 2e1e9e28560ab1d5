//! The two kinds of numbers that libraries compare.

/// `f32` or `f64`.
pub(super) trait Number: Copy + PartialOrd + Default + Send + Sync {
    /// Less than every threshold but itself.
    const LOWEST: Self;

    /// The nearest number, as the library rounds a cell.
    fn round(x: f64) -> Self;

    /// As `f64`, exactly.
    fn widen(self) -> f64;

    /// The number t for which x < t is, for every x of this kind, what x < `threshold` is (`strict`) or x ≤ `threshold`.
    /// None when there is none.
    fn bound(threshold: f64, strict: bool) -> Option<Self>;
}

impl Number for f64 {
    const LOWEST: f64 = f64::NEG_INFINITY;

    #[inline(always)]
    fn round(x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        self
    }

    fn bound(threshold: f64, strict: bool) -> Option<f64> {
        match strict {
            true => Some(threshold),
            // Infinity is at most infinity, and less than nothing.
            false => (threshold < f64::INFINITY).then(|| threshold.next_up()),
        }
    }
}

impl Number for f32 {
    const LOWEST: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn round(x: f64) -> f32 {
        x as f32
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    fn bound(threshold: f64, strict: bool) -> Option<f32> {
        let near = threshold as f32;
        if strict {
            // Numbers below a threshold that is none of theirs are those below the next of theirs.
            return Some(if f64::from(near) < threshold { near.next_up() } else { near });
        }
        if f64::from(near) > threshold {
            return Some(near);
        }
        (threshold < f64::INFINITY).then(|| near.next_up())
    }
}
