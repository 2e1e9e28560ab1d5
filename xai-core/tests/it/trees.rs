//! Arrays of trees: what is refused, and which way samples go.

use std::sync::Arc;

use proptest::prelude::*;
use xai_core::trees::{CategoryRule, Comparison, LEAF, Missing, NO_SET};
use xai_core::{Error, Link, TreeEnsemble, TreeParts};

/// One split on column 0 at `threshold`, leaves −1 and 1.
fn stump(comparison: Comparison, threshold: f64) -> TreeParts {
    TreeParts {
        n_features: 1,
        n_outputs: 1,
        base: vec![0.0],
        link: Link::Identity,
        comparison,
        category_rule: CategoryRule::RejectNegative,
        starts: vec![0, 3],
        tree_output: vec![Some(0)],
        feature: vec![0, LEAF, LEAF],
        threshold: vec![threshold, 0.0, 0.0],
        left: vec![1, 0, 1],
        right: vec![2, 0, 0],
        missing: vec![Missing::Nan; 3],
        default_left: vec![false; 3],
        set: vec![NO_SET; 3],
        cover: vec![2.0, 1.0, 1.0],
        sets: vec![],
        values: vec![-1.0, 1.0],
    }
}

#[test]
fn a_threshold_in_f32_is_compared_in_f32() {
    // The sample is below the threshold in f64 but equal to it in f32: XGBoost sends it right.
    let threshold = f64::from(0.1_f32);
    let sample = threshold - 1e-10;
    let single = TreeEnsemble::new(stump(Comparison::SINGLE_LESS, threshold)).unwrap();
    let double = TreeEnsemble::new(stump(Comparison::DOUBLE_LESS, threshold)).unwrap();
    assert!(sample < threshold);
    assert_eq!((single.goes_left(0, sample), double.goes_left(0, sample)), (false, true));
    let at_most = TreeEnsemble::new(stump(Comparison::SINGLE_AT_MOST, threshold)).unwrap();
    assert!(at_most.goes_left(0, sample) && at_most.goes_left(0, threshold));
}

#[test]
fn missing_values_go_the_way_of_their_kind() {
    let with = |missing, default_left| {
        let mut parts = stump(Comparison::DOUBLE_AT_MOST, -0.5);
        parts.missing[0] = missing;
        parts.default_left[0] = default_left;
        TreeEnsemble::new(parts).unwrap()
    };
    assert!(with(Missing::Nan, true).goes_left(0, f64::NAN));
    assert!(!with(Missing::Nan, true).goes_left(0, 0.0));
    for zero in [0.0, -0.0, 1e-36, f64::from(1e-35_f32), f64::NAN] {
        assert!(with(Missing::Zero, true).goes_left(0, zero));
    }
    assert!(!with(Missing::Zero, true).goes_left(0, 1e-34));
    // NaN counts as 0, which is above −0.5.
    assert!(!with(Missing::Never, true).goes_left(0, f64::NAN));
}

#[test]
fn categories_are_looked_up_as_their_library_does() {
    let with = |rule| {
        let mut parts = stump(Comparison::SINGLE_LESS, 0.0);
        parts.set[0] = 0;
        parts.sets = vec![vec![0b1001, 0b1]]; // categories 0, 3 and 32
        parts.category_rule = rule;
        TreeEnsemble::new(parts).unwrap()
    };
    let xgboost = with(CategoryRule::RejectNegative);
    for (category, left) in [(0.0, true), (1.0, false), (3.0, true), (3.7, true), (32.0, true), (33.0, false)] {
        assert_eq!(xgboost.goes_left(0, category), left, "{category}");
    }
    for outside in [64.0, 1e30, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.5] {
        assert!(!xgboost.goes_left(0, outside), "{outside}");
    }
    assert!(with(CategoryRule::TruncateFirst).goes_left(0, -0.5));
    assert!(!with(CategoryRule::TruncateFirst).goes_left(0, -1.0));
}

#[test]
fn broken_trees_are_refused_with_tree_and_node() {
    type Break = fn(&mut TreeParts);
    let broken: [(&str, Break); 9] = [
        ("cycle", |p| p.left[0] = 0),
        ("two parents", |p| p.left[0] = 2),
        ("outside", |p| p.right[0] = 3),
        ("feature", |p| p.feature[0] = 1),
        ("cover", |p| p.cover[1] = f64::NAN),
        ("threshold", |p| p.threshold[0] = f64::NAN),
        ("leaf value", |p| p.left[2] = 2),
        ("not finite", |p| p.values[1] = f64::INFINITY),
        ("set", |p| p.set[0] = 0),
    ];
    for (what, break_it) in broken {
        let mut parts = stump(Comparison::SINGLE_LESS, 0.5);
        break_it(&mut parts);
        let error = TreeEnsemble::new(parts).unwrap_err();
        assert!(matches!(&error, Error::Malformed { at, .. } if at.starts_with("tree 0, node")), "{what}: {error}");
    }
    let mut parts = stump(Comparison::SINGLE_LESS, 0.5);
    parts.cover.pop();
    assert!(matches!(TreeEnsemble::new(parts), Err(Error::Shape { .. })));
}

proptest! {
    /// Whatever the arrays hold, the check ends and what passes it can be followed to a leaf.
    #[test]
    fn arrays_that_pass_the_check_can_be_followed(
        feature in prop::collection::vec(prop_oneof![Just(0), Just(LEAF), Just(7)], 3),
        left in prop::collection::vec(0u32..5, 3),
        right in prop::collection::vec(0u32..5, 3),
        starts in prop_oneof![Just(vec![0, 3]), Just(vec![0, 1, 3]), Just(vec![3, 0]), Just(vec![0])],
        sample in prop::num::f64::ANY,
    ) {
        let mut parts = stump(Comparison::SINGLE_LESS, 0.5);
        parts.tree_output = vec![Some(0); starts.len().saturating_sub(1)];
        (parts.feature, parts.left, parts.right, parts.starts) = (feature, left, right, starts);
        if let Ok(trees) = TreeEnsemble::new(parts) {
            for tree in 0..trees.n_trees() {
                let leaf = trees.leaf_of(tree, &[sample]);
                prop_assert!(trees.leaf_values(tree, leaf)[0].is_finite());
            }
        }
    }
}

#[test]
fn what_is_derived_from_trees_is_made_once_and_shared() {
    let trees = TreeEnsemble::new(stump(Comparison::SINGLE_LESS, 0.5)).unwrap();
    let get = |trees: &TreeEnsemble, key: u32| trees.memo().get_or_make(key, || Ok(vec![key])).unwrap();
    let first = get(&trees, 1);
    assert!(Arc::ptr_eq(&first, &get(&trees, 1)));
    assert_eq!((get(&trees, 2).as_slice(), first.as_slice()), (&[2][..], &[1][..]));
    // A key of another type, or another thing for the same key, is another entry.
    let other = trees.memo().get_or_make("1", || Ok(vec![7u32])).unwrap();
    let text = trees.memo().get_or_make(1u32, || Ok("one".to_owned())).unwrap();
    assert_eq!((other.as_slice(), text.as_str()), (&[7][..], "one"));
    assert!(Arc::ptr_eq(&first, &get(&trees, 1)));
    assert!(Arc::ptr_eq(&first, &get(&trees.clone(), 1)), "clones share");
    let stranger = TreeEnsemble::new(stump(Comparison::SINGLE_LESS, 0.5)).unwrap();
    assert!(!Arc::ptr_eq(&first, &get(&stranger, 1)), "others do not");
}

#[test]
fn a_memo_is_bounded_and_keeps_what_was_used_last() {
    let trees = TreeEnsemble::new(stump(Comparison::SINGLE_LESS, 0.5)).unwrap();
    let get = |key: u32| trees.memo().get_or_make(key, || Ok(key)).unwrap();
    let (used, unused) = (get(0), get(1));
    for key in 2..50 {
        get(key);
        get(0);
    }
    assert!(Arc::ptr_eq(&used, &get(0)));
    assert!(!Arc::ptr_eq(&unused, &get(1)), "what nobody asks for gives way");
    // An error is not kept.
    let failed = trees.memo().get_or_make(99u32, || Err::<u32, _>(Error::unsupported("this", "no")));
    assert!(failed.is_err());
    assert_eq!(*get(99), 99);
}
