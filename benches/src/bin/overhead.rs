//! What KernelSHAP costs beyond the model's own calls: `overhead [ROUNDS]`.
//!
//! A network of two hidden layers of 64 units over 30 features explains one row with 2,048 coalitions and 100
//! background rows. Each round times, one after another, the model on as many rows (all at once, and 4,096 at a time:
//! the kind with the least time counts), the explanation, and the explanation that masks behind the first product.
//! Printed are the least times over the rounds and their ratios, and the medians of the ratios within a round with the
//! smallest and the largest.
//!
//! Times are processor time of all threads where the system tells it (Linux), so that other work on the machine counts
//! less; wall time elsewhere. RAYON_NUM_THREADS says how many threads there are.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use ndarray::Axis;
use xai::core::{Explainer, Model, Result, Run};
use xai::local::masker::Background;
use xai::local::shapley::{KernelShap, Masked, MaskedProducts};
use xai::models::dense::Activation;
use xai_benches::{network, processor_seconds, rows};

const FEATURES: usize = 30;
const COALITIONS: usize = 2048;
const BACKGROUND: usize = 100;
const ROWS_PER_CALL: usize = 4096;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(15), |text| text.parse::<usize>())?.max(1);
    for activation in [Activation::Relu, Activation::Tanh] {
        let model = network(FEATURES, activation, 1);
        let background = Background::new(rows(BACKGROUND, FEATURES, 4))?;
        let estimator = KernelShap { n_coalitions: Some(COALITIONS) };
        let before = Masked { estimator, masker: background.clone() };
        let behind = MaskedProducts { estimator, background };
        let (row, run) = (rows(1, FEATURES, 3), Run::default());
        let asked = before.explain(&model, &row, &run)?.provenance.evaluations;
        let batch = rows(usize::try_from(asked)?, FEATURES, 6);

        let mut times = [const { Vec::new() }; 4];
        for _ in 0..rounds {
            times[0].push(seconds(|| model.predict(&batch).map(black_box))?);
            times[1].push(seconds(|| {
                batch.axis_chunks_iter(Axis(0), ROWS_PER_CALL).try_for_each(|part| {
                    black_box(model.predict(&part)?);
                    Ok(())
                })
            })?);
            times[2].push(seconds(|| before.explain(&model, &row, &run).map(black_box))?);
            times[3].push(seconds(|| behind.explain(&model, &row, &run).map(black_box))?);
        }
        let least = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
        let kind = usize::from(least(&times[1]) < least(&times[0]));
        let bare = least(&times[kind]);
        println!("{activation:?}, {asked} rows: bare calls {:.1} ms", bare * 1e3);
        for (name, own) in [("Masked", &times[2]), ("MaskedProducts", &times[3])] {
            let mut ratios: Vec<f64> = own.iter().zip(&times[kind]).map(|(own, bare)| own / bare).collect();
            let (own, ratio) = (least(own), least(own) / bare);
            println!("  {name:14} {:.1} ms: {ratio:.3} times that; by rounds {}", own * 1e3, spread(&mut ratios));
        }
    }
    Ok(())
}

fn seconds<T>(work: impl Fn() -> Result<T>) -> Result<f64> {
    let (start, before) = (Instant::now(), processor_seconds());
    work()?;
    Ok(match (before, processor_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_secs_f64(),
    })
}

/// Median, smallest and largest.
fn spread(numbers: &mut [f64]) -> String {
    numbers.sort_by(f64::total_cmp);
    format!("{:.3} ({:.3} to {:.3})", numbers[numbers.len() / 2], numbers[0], numbers[numbers.len() - 1])
}
