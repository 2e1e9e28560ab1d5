//! Names beside points, where they lie on nothing.

use crate::font::width;
use crate::scene::{Anchor, Point};

/// The size of the letters.
pub(super) const SIZE: f64 = 12.0;

/// Left, top, right, bottom.
type Box = [f64; 4];

/// Where a name lies: the place of its anchor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) at: Point,
    pub(super) anchor: Anchor,
    /// Whether it lies so far away that a line must lead to it.
    pub(super) far: bool,
}

/// A place for the name of every point, in order; `None` where there is no room for it. From points `on_line` a line runs
/// to the right, which their names keep clear of.
pub(super) fn places(
    points: &[Point],
    names: &[String],
    on_line: &[usize],
    within: Box,
    radius: f64,
) -> Vec<Option<Place>> {
    let mut taken: Vec<Box> = points.iter().map(|&(x, y)| [x - radius, y - radius, x + radius, y + radius]).collect();
    points
        .iter()
        .zip(names)
        .enumerate()
        .map(|(i, (&point, name))| {
            let wide = width(name, SIZE, false);
            let free = |place: &Place| {
                let b = bounds(place, wide);
                let inside = b[0] >= within[0] && b[2] <= within[2] && b[1] >= within[1] && b[3] <= within[3];
                inside && taken.iter().all(|t| b[2] <= t[0] || t[2] <= b[0] || b[3] <= t[1] || t[3] <= b[1])
            };
            let place = candidates(point, radius, on_line.contains(&i)).find(free)?;
            taken.push(bounds(&place, wide));
            Some(place)
        })
        .collect()
}

/// Places around a point, the best first.
fn candidates((x, y): Point, radius: f64, on_line: bool) -> impl Iterator<Item = Place> {
    let gap = radius + 4.0;
    let near = |dx: f64, dy: f64, anchor| Place { at: (x + dx, y + dy), anchor, far: false };
    let around = [
        near(3.0, -gap - 1.0, Anchor::Start),
        near(gap, 4.2, Anchor::Start),
        near(-gap, 4.2, Anchor::End),
        near(0.0, -gap - 1.0, Anchor::Middle),
        near(0.0, gap + 9.0, Anchor::Middle),
        near(gap - 2.0, -6.0, Anchor::Start),
        near(gap - 2.0, 14.0, Anchor::Start),
        near(2.0 - gap, -6.0, Anchor::End),
        near(2.0 - gap, 14.0, Anchor::End),
    ];
    let steps = (2..=12).flat_map(move |step| {
        let shift = 8.0 * f64::from(step);
        [(1.0, -1.0), (1.0, 1.0), (-1.0, -1.0), (-1.0, 1.0)].into_iter().map(move |(side, up)| Place {
            at: (x + side * (gap + shift * 0.6), y + 4.2 + up * shift),
            anchor: if side > 0.0 { Anchor::Start } else { Anchor::End },
            far: true,
        })
    });
    around.into_iter().skip(usize::from(!on_line)).chain(steps)
}

fn bounds(place: &Place, wide: f64) -> Box {
    let (x, y) = place.at;
    let left = match place.anchor {
        Anchor::Start => x,
        Anchor::Middle => x - wide / 2.0,
        Anchor::End => x - wide,
    };
    [left - 1.0, y - 0.78 * SIZE, left + wide + 1.0, y + 0.26 * SIZE]
}
