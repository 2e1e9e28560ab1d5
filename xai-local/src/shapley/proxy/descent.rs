//! Minimising a smooth function of some dozen to some thousand numbers.

use std::collections::VecDeque;

/// How many past steps tell of the curvature.
const MEMORY: usize = 8;

/// A step is halved this often before the search gives up.
const HALVINGS: usize = 12;

/// Share of the promised decrease that a step must keep.
const DECREASE: f64 = 1e-4;

/// The first step's length, in the norm of its largest coordinate.
const FIRST_STEP: f64 = 0.5;

/// Goes downhill from `start` by L-BFGS, at most `steps` steps; stops when a step gains less than `gain`.
///
/// `value` gives the function and its gradient, or nothing where it is not defined. What comes back is where the search
/// ends, and how high that is; infinite if the function is not defined at `start`.
///
/// # Source
/// Liu & Nocedal, *On the limited memory BFGS method for large scale optimization*, 1989; backtracking instead of the
/// Wolfe conditions, and pairs that would bend the wrong way are left out.
pub(crate) fn minimise(
    start: Vec<f64>,
    steps: usize,
    gain: f64,
    mut value: impl FnMut(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> (Vec<f64>, f64) {
    let mut at = start;
    let Some((mut height, mut slope)) = value(&at) else { return (at, f64::INFINITY) };
    let mut past: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    for _ in 0..steps {
        let mut way = downhill(&slope, &past);
        if dot(&way, &slope) >= 0.0 {
            past.clear();
            way = downhill(&slope, &past);
        }
        let promise = dot(&way, &slope);
        let mut length = 1.0;
        let mut found = None;
        for _ in 0..HALVINGS {
            let next: Vec<f64> = at.iter().zip(&way).map(|(x, d)| x + length * d).collect();
            match value(&next) {
                Some((h, s)) if h <= height + DECREASE * length * promise => {
                    found = Some((next, h, s));
                    break;
                }
                _ => length /= 2.0,
            }
        }
        let Some((next, h, s)) = found else { break };
        let moved: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let bent: Vec<f64> = s.iter().zip(&slope).map(|(a, b)| a - b).collect();
        if dot(&moved, &bent) > f64::EPSILON * dot(&bent, &bent) {
            past.push_back((moved, bent));
            if past.len() > MEMORY {
                past.pop_front();
            }
        }
        let gained = height - h;
        (at, height, slope) = (next, h, s);
        if gained < gain {
            break;
        }
    }
    (at, height)
}

/// The direction of the next step: minus the slope, times what the past tells of the inverse curvature.
fn downhill(slope: &[f64], past: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut way: Vec<f64> = slope.iter().map(|x| -x).collect();
    let Some((moved, bent)) = past.back() else {
        let largest = way.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let scale = if largest > FIRST_STEP { FIRST_STEP / largest } else { 1.0 };
        way.iter_mut().for_each(|x| *x *= scale);
        return way;
    };
    let scale = dot(moved, bent) / dot(bent, bent);
    let mut taken = Vec::with_capacity(past.len());
    for (moved, bent) in past.iter().rev() {
        let share = dot(moved, &way) / dot(moved, bent);
        add(&mut way, -share, bent);
        taken.push(share);
    }
    way.iter_mut().for_each(|x| *x *= scale);
    for ((moved, bent), share) in past.iter().zip(taken.into_iter().rev()) {
        let back = dot(bent, &way) / dot(moved, bent);
        add(&mut way, share - back, moved);
    }
    way
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}
