//! `xai bench` for networks.

use std::borrow::Borrow;
use std::path::Path;

use ndarray::{ArrayD, Axis};
use xai::contest::{Arena, Contest, Fingerprint, Sample, evenly, outputs_compared, select, with_outputs};
use xai::core::{Batch, Error, Feature, Meter, Model, Run, model::output_names};
use xai::models::network::{AnyNetwork, Network};

use super::super::networks::samples;
use super::known::Known;
use super::{ROWS, chosen, contest, facts, hold};
use crate::args::{BenchArgs, Source};
use crate::failure::Failure;

/// How many images or series are compared when none are chosen.
const IMAGES: usize = 16;

/// Compares methods on a network.
pub fn run(args: &BenchArgs, source: &Source, network: &AnyNetwork) -> Result<(), Failure> {
    if args.target.is_some() {
        return Err(Failure::Use("--target says nothing to a network".into()));
    }
    let background = args.background.as_deref();
    let within = |n: usize| args.rows.map_or(Ok(0..n), |rows| rows.of(n)).map_err(Failure::Use);
    match network {
        AnyNetwork::Table(loaded) => {
            let table = |path: &Path| samples::table(path, source, &loaded.network);
            let batch = table(&source.data)?;
            let rows = background.map_or_else(
                || {
                    eprintln!("xai: without --background, rows of --data stand for absence");
                    Ok(batch.clone())
                },
                table,
            )?;
            let named = loaded.network.features();
            let features = if named.is_empty() { Feature::unnamed(batch.ncols()) } else { named.to_vec() };
            let known = Known::of_rows(args, source, &features, batch.nrows())?;
            let places = chosen(args, batch.nrows(), ROWS, "rows");
            compete(args, source, &loaded.network, (&*batch, &places), Some(rows.into_dyn()), known)
        }
        AnyNetwork::Images(loaded) => {
            let images = |path: &Path| samples::images(path, loaded, args.networks.fit);
            let shape = loaded.network.input_shape();
            let all = images(&source.data)?;
            let range = within(all.len_of(Axis(0)))?;
            let paths = samples::paths(&source.data)?[range.clone()].to_vec();
            let batch = all.slice_axis(Axis(0), range.into()).to_owned();
            let known = Known::of_images(args, &paths, [shape[1], shape[2]])?;
            let places = chosen(args, paths.len(), IMAGES, "images");
            let wide = background.map(images).transpose()?.map(|cells| cells.mapv(f64::from).into_dyn());
            compete(args, source, &loaded.network, (&*batch, &places), wide, known)
        }
        AnyNetwork::Series(loaded) => {
            let series = |path: &Path| samples::series(path, loaded.network.input_shape());
            let all = series(&source.data)?;
            let range = within(all.len_of(Axis(0)))?;
            let batch = all.slice_axis(Axis(0), range.into()).to_owned();
            let known = Known::of_others(args, batch.n_samples())?;
            let places = chosen(args, batch.n_samples(), IMAGES, "series");
            let wide = background.map(series).transpose()?.map(|cells| cells.mapv(f64::from).into_dyn());
            compete(args, source, &loaded.network, (&*batch, &places), wide, known)
        }
        _ => Err(Error::unsupported("this network", "it takes neither tables, series nor images").into()),
    }
}

/// Compares methods on some samples of a batch.
fn compete<B: Sample + ?Sized>(
    args: &BenchArgs,
    source: &Source,
    network: &Network<B>,
    (all, places): (&B, &[usize]),
    background: Option<ArrayD<f64>>,
    known: Known,
) -> Result<(), Failure> {
    let batch = select(all, places)?;
    let batch: &B = batch.borrow();
    let background = background.map(|samples| {
        let kept = evenly(samples.len_of(Axis(0)), args.n_background as usize);
        if kept.len() < samples.len_of(Axis(0)) {
            let all = samples.len_of(Axis(0));
            eprintln!("xai: {} of {all} samples stand for absence; --n-background takes more", kept.len());
        }
        samples.select(Axis(0), &kept)
    });
    let run = Run::default();
    let scores = Meter::planned(&run, batch.n_samples() as u64)?.predict(network, batch)?;
    let names = output_names(network);
    let outputs = outputs_compared(&names, &scores, &args.outputs)?;
    let picked;
    let network = if outputs.len() == names.len() && args.outputs.is_empty() {
        network
    } else {
        eprintln!("xai: {} of {} outputs are compared; --outputs chooses", outputs.len(), names.len());
        picked = with_outputs(network, &outputs)?;
        &picked
    };
    let known = known.pick(places, Some((&outputs, names.len())))?;
    let arena = Arena { network, batch, background: background.as_ref() };
    let contest = contest(args, known, |registry| Contest::fitting_network(registry, &arena))?;
    let mut facts = facts(source);
    facts.push(("samples explained".into(), batch.n_samples().to_string()));
    let shape: Vec<String> = batch.sample_shape().iter().map(usize::to_string).collect();
    facts.push(("a sample".into(), shape.join(" × ")));
    let absent = background.as_ref().map_or("zeros".to_owned(), |samples| samples.len_of(Axis(0)).to_string());
    facts.push(("samples that stand for absence".into(), absent));
    let begun = |contest: &Contest| {
        let narrow = |&cell: &f64| <B::Cell as xai::core::Cell>::of(cell);
        let rows = background.as_ref().map(|cells| B::of_cells(cells.map(narrow))).transpose()?;
        let rows = rows.as_ref().map_or(batch, |rows| rows.borrow());
        Fingerprint::new(contest, network, batch, rows, args.seed, args.max_evaluations)
    };
    hold(args, &contest, begun, facts, |run, done, record| contest.resume_network(&arena, run, done, record))
}
