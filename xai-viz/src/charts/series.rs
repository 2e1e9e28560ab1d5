//! Attributions to the steps of a series.

use ndarray::{ArrayView2, Axis};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Result};

use crate::axis::Linear;
use crate::door;
use crate::number::{of_output, plain, plain_digits};
use crate::raster::Raster;
use crate::rows::{readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A series as lines, one strip a channel, over bands whose colour is what each step contributes.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesMap {
    /// Which sample.
    pub sample: usize,
    /// Which output.
    pub output: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// The height of a strip in pixels.
    pub strip: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for SeriesMap {
    fn default() -> Self {
        SeriesMap { sample: 0, output: 0, width: 760.0, strip: 96.0, title: None }
    }
}

const LEFT: f64 = 72.0;
const RIGHT: f64 = 16.0;
const MOST_BANDS: usize = 100_000;

impl SeriesMap {
    /// Draws one sample: `series` (channel, step), and an attribution whose features are its cells.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a sample, output or size that cannot be; [`Error::Unsupported`] for an attribution whose
    /// features are no cells of a series; [`Error::Shape`] for another series; [`Error::TooLarge`] beyond 100,000 cells.
    pub fn scene(&self, series: ArrayView2<f32>, a: &Attribution) -> Result<Scene> {
        door::attribution(a)?;
        door::index("sample", self.sample, a.n_samples())?;
        door::index("output", self.output, a.outputs.len())?;
        door::width(self.width)?;
        if !(24.0..=2000.0).contains(&self.strip) {
            return Err(Error::parameter("strip", self.strip, "24 to 2000 pixels"));
        }
        let Some(&[channels, steps]) = a.shape.as_deref() else {
            let reason = "its features are no cells (channel, step); draw a waterfall or bars instead";
            return Err(Error::unsupported("this attribution as a series", reason));
        };
        same_shape("series (channel, step)", &[channels, steps], series.shape())?;
        if channels * steps > MOST_BANDS {
            let found = (channels * steps) as u64;
            return Err(Error::TooLarge { what: "cells of a drawn series".into(), limit: MOST_BANDS as u64, found });
        }
        let values = a.values.index_axis(Axis(0), self.sample).index_axis(Axis(1), self.output).to_vec();
        let limit = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let above = title_room(self.title.as_deref());
        let height = above + channels as f64 * (self.strip + 14.0) + 40.0;
        let output = of_output(&a.outputs[self.output]);
        let label = format!("Contributions of {steps} steps of {channels} channels to {}", readable(&output));
        let mut scene = Scene::new(self.width, height, label);
        title(&mut scene, self.title.as_deref());
        let across = self.width - LEFT - RIGHT;
        let step = across / steps as f64;
        for channel in 0..channels {
            let top = above + channel as f64 * (self.strip + 14.0);
            let strip = ArrayView2::from_shape((1, steps), &values[channel * steps..(channel + 1) * steps]);
            // As many values as cells: `door::attribution` has counted them.
            let Ok(strip) = strip else { continue };
            let at = (LEFT, top);
            scene.push(Mark::picture(at, across, self.strip, Raster::signed(strip, limit / 0.85)?, false).class("map"));
            if values.len() <= door::MOST_TOOLTIPS {
                for (i, value) in strip.iter().enumerate() {
                    let band = Mark::rect(LEFT + step * i as f64, top, step, self.strip).fill(Ink::Grid).opacity(0.0);
                    scene.push(band.class("hover").tip(format!("channel {channel}, step {i}: {}", plain(*value))));
                }
            }
            let line = series.row(channel);
            let scale = Linear::around(line.iter().map(|&v| f64::from(v)), top + self.strip - 6.0, top + 6.0);
            let finite = line.iter().enumerate().filter(|(_, v)| v.is_finite());
            let points = finite.map(|(i, &v)| (LEFT + step * (i as f64 + 0.5), scale.at(v.into()))).collect();
            scene.push(Mark::polyline(points, Ink::Text, 1.5).class("line"));
            scene.push(Mark::rect(LEFT, top, across, self.strip).stroke(Ink::Grid, 1.0).class("frame"));
            for (value, y) in [(scale.high, top + 10.0), (scale.low, top + self.strip - 2.0)] {
                let text = crate::font::fit(&plain_digits(value, 3), 11.0, false, LEFT - 14.0).into_owned();
                scene.push(Mark::text((LEFT - 6.0, y), 11.0, text).anchor(Anchor::End).fill(Ink::Muted).class("axis"));
            }
        }
        let words = format!("step 0 to {}; strongest colour at ±{}", steps.saturating_sub(1), plain(limit));
        let words = crate::font::fit(&words, 12.0, false, across).into_owned();
        let at = (LEFT + across / 2.0, height - 16.0);
        scene.push(Mark::text(at, 12.0, words).anchor(Anchor::Middle).fill(Ink::Muted).class("axis"));
        Ok(scene)
    }
}
