//! Covers recomputed from rows.

use ndarray::{Array2, array};
use proptest::prelude::*;
use xai_core::trees::{Comparison, Missing};
use xai_core::{Error, Link, TreeEnsemble};
use xai_models::trees::{Split, TreeBuilder, has_covers, with_covers, with_weighted_covers};

/// A tree of depth 2 and one of a single leaf, without covers.
fn trees(thresholds: [f64; 3]) -> TreeEnsemble {
    let mut builder = TreeBuilder::new(2, vec![0.0], Link::Identity, Comparison::DOUBLE_LESS);
    let split = |feature, left| Split { feature, left, right: left + 1, default_left: true, missing: Missing::Nan };
    builder.start_tree(Some(0));
    builder.number_split(split(0, 1), thresholds[0], 0.0);
    builder.number_split(split(1, 3), thresholds[1], 0.0);
    builder.number_split(split(0, 5), thresholds[2], 0.0);
    (0..4).for_each(|leaf| builder.leaf(&[f64::from(leaf)], 0.0));
    builder.start_tree(Some(0));
    builder.leaf(&[1.0], 0.0);
    builder.finish().unwrap()
}

proptest! {
    /// By another way: a leaf's cover is the weight of the rows that end there, a branch's the sum below it.
    #[test]
    fn covers_count_rows(
        thresholds in prop::array::uniform3(-1.0..1.0),
        cells in prop::collection::vec(prop::option::weighted(0.9, -1.5..1.5), 2..40),
        weights in prop::collection::vec(0.1..3.0, 20),
    ) {
        let trees = trees(thresholds);
        let n = cells.len() / 2;
        let cells = cells[..2 * n].iter().map(|cell| cell.unwrap_or(f64::NAN)).collect();
        let rows = Array2::from_shape_vec((n, 2), cells).unwrap();
        let found = with_weighted_covers(&trees, &rows, &weights[..n]).unwrap();
        let leaf = |leaf: usize| -> f64 {
            let ends = |row: &usize| trees.leaf_of(0, rows.row(*row).as_slice().unwrap()) == leaf;
            (0..n).filter(ends).map(|row| weights[row]).sum()
        };
        let leaves: Vec<f64> = (3..7).map(leaf).collect();
        let (left, right) = (leaves[0] + leaves[1], leaves[2] + leaves[3]);
        let expected = [left + right, left, right, leaves[0], leaves[1], leaves[2], leaves[3], left + right];
        for (found, expected) in found.cover.iter().zip(expected) {
            prop_assert!((found - expected).abs() <= 1e-12 * expected.max(1.0));
        }
        let whole = with_covers(&trees, &rows).unwrap();
        prop_assert_eq!(whole.cover[0], n as f64);
        prop_assert!(has_covers(&whole) && has_covers(&found) && !has_covers(&trees));
        prop_assert_eq!(&whole.values, &trees.values);
    }
}

#[test]
fn backgrounds_that_give_no_cover_are_refused() {
    let trees = trees([0.0; 3]);
    let rows = array![[0.0, 1.0], [1.0, 0.0]];
    assert!(matches!(with_covers(&trees, &array![[1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(with_covers(&trees, &Array2::zeros((0, 2))), Err(Error::Parameter { .. })));
    assert!(matches!(with_weighted_covers(&trees, &rows, &[1.0]), Err(Error::Shape { .. })));
    assert!(matches!(with_weighted_covers(&trees, &rows, &[0.0, 0.0]), Err(Error::Parameter { .. })));
    assert!(matches!(with_weighted_covers(&trees, &rows, &[1.0, -1.0]), Err(Error::Parameter { .. })));
    assert!(matches!(with_weighted_covers(&trees, &rows, &[1.0, f64::NAN]), Err(Error::Parameter { .. })));
    assert!(with_weighted_covers(&trees, &rows, &[1.0, 0.0]).is_ok());
}
