//! What a report tells of a network: its layers, and what methods make of images and series.

use std::fmt::Write;

use ndarray::{ArrayView2, ArrayView3};
use xai_core::{Attribution, Error, Inside, Result};

use super::figures::{NARROW, account, figure};
use super::tables;
use crate::clean::escaped;
use crate::number::of_output;
use crate::rows::readable;
use crate::{ImageMaps, LayerMap, Panel, SeriesMap};

/// One image or series, and what methods make of it.
#[derive(Debug, Clone)]
pub struct Maps<'a> {
    /// What the reader knows the sample by.
    pub title: String,
    /// The image or series itself.
    pub picture: Picture<'a>,
    /// What methods say of it; they may hold more samples.
    pub attributions: Vec<&'a Attribution>,
    /// Which sample of them.
    pub sample: usize,
    /// Which output.
    pub output: usize,
    /// Facts about the sample: what was predicted.
    pub facts: Vec<(String, String)>,
}

/// What maps are drawn over.
#[derive(Debug, Clone, Copy)]
pub enum Picture<'a> {
    /// An image, from 0 to 1: (channel, row, column).
    Image(ArrayView3<'a, f32>),
    /// A series: (channel, step).
    Series(ArrayView2<'a, f32>),
}

/// The width of the page's figures in pixels, and of those inside that are scrolled on phones.
const WIDTH: f64 = 812.0;
/// Panels side by side.
const COLUMNS: usize = 4;
/// The space between panels, and around all of them.
const GAP: f64 = 12.0;

pub(crate) fn layers(out: &mut String, inside: &Inside) -> Result<()> {
    let scene = LayerMap { width: WIDTH, ..LayerMap::default() }.scene(inside)?;
    let svg = scene.svg_inline();
    out.push_str("<figure><figcaption>The layers, from the input to the scores</figcaption>");
    let _ = write!(out, "<div class=\"scroll\" tabindex=\"0\"><div style=\"width:{WIDTH:.0}px\">{svg}</div></div>");
    out.push_str("</figure>\n");
    tables::provenance(out, &inside.provenance, &[("samples".to_owned(), inside.n_samples.to_string())]);
    Ok(())
}

pub(crate) fn maps(out: &mut String, maps: &Maps) -> Result<()> {
    let Maps { sample, output, .. } = *maps;
    let first = maps.attributions.first();
    let name = first.and_then(|a| a.outputs.get(output)).map(|output| readable(&of_output(output)));
    let name = name.ok_or_else(|| Error::parameter("output", output, "an output of an attribution that is there"))?;
    let _ = writeln!(out, "<article><h3>{}</h3>", escaped(&readable(&maps.title)));
    tables::facts(out, "This sample", &maps.facts);
    match maps.picture {
        Picture::Image(image) => {
            let panels = || {
                let mut panels = vec![Panel::image("the image", image)];
                for a in &maps.attributions {
                    panels.push(Panel::map(&a.provenance.method, a, sample, output)?.over(image));
                }
                Ok::<_, Error>(panels)
            };
            let grid = |columns: usize, width: f64| {
                let panel = (width - 2.0 * GAP + GAP) / columns as f64 - GAP;
                let rows: Vec<Vec<Panel>> = panels()?.chunks(columns).map(<[Panel]>::to_vec).collect();
                ImageMaps { panel, ..ImageMaps::default() }.scene(&rows)
            };
            figure(
                out,
                &format!("What speaks for {name}, and against it"),
                &grid(COLUMNS, WIDTH)?,
                &grid(2, NARROW)?,
                |_| {},
            );
        }
        Picture::Series(series) => {
            for a in &maps.attributions {
                let map = SeriesMap { sample, output, width: WIDTH, ..SeriesMap::default() };
                let narrow = SeriesMap { width: NARROW, ..map.clone() }.scene(series, a)?;
                let caption = format!("{}: what speaks for {name}, and against it", readable(&a.provenance.method));
                figure(out, &caption, &map.scene(series, a)?, &narrow, |_| {});
            }
        }
    }
    out.push_str("</article>\n");
    Ok(())
}

/// How the maps of all samples were made, once for each method.
pub(crate) fn accounts(out: &mut String, all: &[Maps]) {
    let Some(maps) = all.first() else { return };
    out.push_str("<h3>The methods</h3>\n");
    for a in &maps.attributions {
        let _ = write!(out, "<p><b>{}</b></p>", escaped(&readable(&a.provenance.method)));
        tables::provenance(out, &a.provenance, &account(a, maps.output));
    }
}
