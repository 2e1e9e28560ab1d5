//! Lines around the strongest cells of a map.

use std::collections::BTreeMap;

use ndarray::Array2;

/// A corner of cells: (column, row).
type Corner = (usize, usize);

/// Closed lines along the borders between the `share` of the cells with the greatest values, where they are above
/// zero, and the others. Corners are in cells: (0, 0) is the left upper corner of the map.
pub(crate) fn around(map: &Array2<f64>, share: f64) -> Vec<Vec<Corner>> {
    let mut values: Vec<f64> = map.iter().copied().collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let n = ((values.len() as f64 * share).round() as usize).clamp(1, values.len().max(1));
    let Some(&least) = values.get(n - 1) else { return Vec::new() };
    let (rows, columns) = map.dim();
    let inside = |row: isize, column: isize| {
        let within = row >= 0 && column >= 0 && (row as usize) < rows && (column as usize) < columns;
        within && map[[row as usize, column as usize]] >= least && map[[row as usize, column as usize]] > 0.0
    };
    // Every border with a cell inside on its right hand, from corner to corner.
    let mut borders: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    for row in 0..rows {
        for column in 0..columns {
            let (r, c) = (row as isize, column as isize);
            if !inside(r, c) {
                continue;
            }
            let mut border = |outside: bool, from: Corner, to: Corner| {
                if outside {
                    borders.entry(from).or_default().push(to);
                }
            };
            border(!inside(r - 1, c), (column, row), (column + 1, row));
            border(!inside(r, c + 1), (column + 1, row), (column + 1, row + 1));
            border(!inside(r + 1, c), (column + 1, row + 1), (column, row + 1));
            border(!inside(r, c - 1), (column, row + 1), (column, row));
        }
    }
    let mut lines = Vec::new();
    while let Some((&start, _)) = borders.iter().next() {
        let mut line = vec![start];
        let mut here = start;
        while let Some(next) = step(&mut borders, here) {
            let straight = |a: Corner, b: Corner, c: Corner| (a.0 == b.0 && b.0 == c.0) || (a.1 == b.1 && b.1 == c.1);
            if line.len() > 1 && straight(line[line.len() - 2], here, next) {
                line.pop();
            }
            line.push(next);
            here = next;
            if here == start {
                break;
            }
        }
        lines.push(line);
    }
    lines
}

/// Takes one border that begins at `from`, and says where it ends.
fn step(borders: &mut BTreeMap<Corner, Vec<Corner>>, from: Corner) -> Option<Corner> {
    let ends = borders.get_mut(&from)?;
    let end = ends.pop();
    if ends.is_empty() {
        borders.remove(&from);
    }
    end
}
