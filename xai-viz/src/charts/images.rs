//! Attributions to images, beside and over the images.

use ndarray::{Array2, ArrayView3, ArrayView4, Axis};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Result};

use crate::charts::outline;
use crate::door;
use crate::number::{of_output, plain};
use crate::raster::Raster;
use crate::rows::{readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A grid of pictures: images, and what methods make of them.
///
/// Cells of several channels are summed. A map's colours reach from the negative of its `quantile` to the quantile of
/// its absolute values, so that a few strong cells pale nothing; each panel has a scale of its own, since methods have
/// different units.
///
/// # Example
/// ```
/// use ndarray::{Array3, Array4};
/// use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// use xai_viz::{ImageMaps, Panel};
/// let image = Array3::from_shape_fn((1, 8, 8), |(_, y, x)| ((x + y) % 2) as f32);
/// let attribution = Attribution {
///     provenance: Provenance::new("saliency", &Run::default()),
///     features: Feature::cells(&[1, 8, 8]), outputs: Output::unnamed(1),
///     base: ndarray::array![[0.0]], scores: ndarray::array![[1.0]],
///     values: ndarray::Array3::from_shape_fn((1, 64, 1), |(_, i, _)| i as f64 - 32.0),
///     standard_error: None, data: None, fidelity: None, shape: Some(vec![1, 8, 8]),
/// };
/// let row = vec![Panel::image("image", image.view()), Panel::map("saliency", &attribution, 0, 0)?.over(image.view())];
/// let scene = ImageMaps::default().scene(&[row])?;
/// assert_eq!(scene.of_class("image").count(), 2); // the image, and the image below the map
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImageMaps {
    /// How a map and its image are put together.
    pub style: MapStyle,
    /// The share of the cells that are not stronger than the strongest colour: above 0, at most 1.
    pub quantile: f64,
    /// The width of a panel in pixels.
    pub panel: f64,
    /// Whether colours of maps run into each other between cells.
    pub smooth: bool,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for ImageMaps {
    fn default() -> Self {
        ImageMaps { style: MapStyle::Over, quantile: 0.99, panel: 160.0, smooth: false, title: None }
    }
}

/// How a map and its image are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapStyle {
    /// The map over the paled image.
    Over,
    /// The map alone.
    Alone,
    /// The image where it speaks for the output, white elsewhere.
    Masked,
    /// The image with a line around the share of the cells that speak most for the output, above 0, below 1.
    Outlined(f64),
}

/// One picture of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel<'a> {
    caption: String,
    image: Option<ArrayView3<'a, f32>>,
    map: Option<Array2<f64>>,
}

impl<'a> Panel<'a> {
    /// An image (channel, row, column) alone.
    pub fn image(caption: impl Into<String>, image: ArrayView3<'a, f32>) -> Self {
        Panel { caption: caption.into(), image: Some(image), map: None }
    }

    /// What an attribution gives to the cells of one sample, for one output; channels are summed.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a sample or output that there is not; [`Error::Unsupported`] for an attribution whose
    /// features are no cells of an image.
    pub fn map(caption: impl Into<String>, a: &Attribution, sample: usize, output: usize) -> Result<Self> {
        let map = cells(a, sample, output)?.sum_axis(Axis(0));
        Ok(Panel { caption: caption.into(), image: None, map: Some(map) })
    }

    /// One panel for each channel of an attribution.
    ///
    /// # Errors
    /// As [`Panel::map`].
    pub fn channels(a: &Attribution, sample: usize, output: usize) -> Result<Vec<Self>> {
        let cells = cells(a, sample, output)?;
        let names = ["red", "green", "blue"];
        let name = |c: usize| if cells.dim().0 == 3 { names[c].to_owned() } else { format!("channel {c}") };
        let panels = cells.outer_iter().enumerate();
        Ok(panels.map(|(c, map)| Panel { caption: name(c), image: None, map: Some(map.to_owned()) }).collect())
    }

    /// One panel for each of `outputs`, over the image: what speaks for one class and against another.
    ///
    /// # Errors
    /// As [`Panel::map`].
    pub fn outputs(
        image: ArrayView3<'a, f32>,
        a: &Attribution,
        sample: usize,
        outputs: &[usize],
    ) -> Result<Vec<Panel<'a>>> {
        let panel = |&output: &usize| {
            let name = a.outputs.get(output).map(of_output).unwrap_or_default();
            Ok(Panel::map(name, a, sample, output)?.over(image))
        };
        outputs.iter().map(panel).collect()
    }

    /// The same with the image that belongs to the map.
    #[must_use]
    pub fn over<'b>(self, image: ArrayView3<'b, f32>) -> Panel<'b> {
        Panel { caption: self.caption, image: Some(image), map: self.map }
    }
}

/// The cells (channel, row, column) of one sample and output.
fn cells(a: &Attribution, sample: usize, output: usize) -> Result<ndarray::Array3<f64>> {
    door::attribution(a)?;
    door::index("sample", sample, a.n_samples())?;
    door::index("output", output, a.outputs.len())?;
    let shape = match a.shape.as_deref() {
        Some(&[rows, columns]) => (1, rows, columns),
        Some(&[channels, rows, columns]) => (channels, rows, columns),
        _ => {
            let reason = "its features are no cells of an image; draw a waterfall or bars instead";
            return Err(Error::unsupported("this attribution as an image", reason));
        }
    };
    let values = a.values.index_axis(Axis(0), sample).index_axis(Axis(1), output).to_vec();
    let found = [values.len()];
    ndarray::Array3::from_shape_vec(shape, values).map_err(|_| Error::Shape {
        what: "values (feature) of an attribution to cells".into(),
        expected: a.shape.clone().unwrap_or_default(),
        found: found.to_vec(),
    })
}

const GAP: f64 = 12.0;
const CAPTION: f64 = 22.0;
const EDGE: f64 = 12.0;
const MOST_PANELS: usize = 2000;

impl ImageMaps {
    /// Draws a grid: (row, column), rows of any length.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no panel or more than 2,000, a panel narrower than 24 or wider than 2,000 pixels, a
    /// quantile or share out of range; those of [`Raster`]; [`Error::Unsupported`] for a style that needs an image where
    /// there is none.
    pub fn scene(&self, grid: &[Vec<Panel>]) -> Result<Scene> {
        let n_panels: usize = grid.iter().map(Vec::len).sum();
        if !(1..=MOST_PANELS).contains(&n_panels) {
            return Err(Error::parameter("panels", n_panels, format!("1 to {MOST_PANELS}")));
        }
        if !(24.0..=2000.0).contains(&self.panel) {
            return Err(Error::parameter("panel", self.panel, "24 to 2000 pixels"));
        }
        if !(self.quantile > 0.0 && self.quantile <= 1.0) {
            return Err(Error::parameter("quantile", self.quantile, "above 0, at most 1"));
        }
        if let MapStyle::Outlined(share) = self.style
            && !(share > 0.0 && share < 1.0)
        {
            return Err(Error::parameter("share of the cells that are outlined", share, "above 0, below 1"));
        }
        let columns = grid.iter().map(Vec::len).max().unwrap_or(1);
        let width = 2.0 * EDGE + columns as f64 * (self.panel + GAP) - GAP;
        let above = title_room(self.title.as_deref());
        let heights: Vec<f64> = grid.iter().map(|row| self.height(row)).collect();
        let height = above + heights.iter().map(|h| h + CAPTION + GAP).sum::<f64>() + EDGE - GAP;
        let label = self.title.clone().unwrap_or_else(|| format!("{n_panels} pictures of attributions"));
        let mut scene = Scene::new(width, height, label);
        title(&mut scene, self.title.as_deref());
        let mut y = above;
        for (row, row_height) in grid.iter().zip(heights) {
            for (column, panel) in row.iter().enumerate() {
                let x = EDGE + column as f64 * (self.panel + GAP);
                let caption = readable(&panel.caption);
                let short = crate::font::fit(&caption, 12.0, false, self.panel).into_owned();
                let mark = Mark::text((x + self.panel / 2.0, y + 14.0), 12.0, short).anchor(Anchor::Middle);
                let mark = mark.class("label");
                scene.push(if panel.map.is_some() { mark } else { mark.fill(Ink::Muted) });
                self.draw(&mut scene, panel, &caption, (x, y + CAPTION))?;
            }
            y += row_height + CAPTION + GAP;
        }
        Ok(scene)
    }

    /// Images (sample, channel, row, column) in rows, and beside each what every method makes of it.
    ///
    /// # Errors
    /// As [`ImageMaps::scene`] and [`Panel::map`]; [`Error::Shape`] for an attribution of other samples.
    pub fn gallery(
        &self,
        images: ArrayView4<f32>,
        methods: &[(&str, &Attribution)],
        output_of: impl Fn(usize) -> usize,
    ) -> Result<Scene> {
        for (name, a) in methods {
            same_shape(format!("samples of {name}"), &[images.len_of(Axis(0))], &[a.n_samples()])?;
        }
        let mut grid = Vec::new();
        for sample in 0..images.len_of(Axis(0)) {
            let image = images.index_axis(Axis(0), sample);
            let output = output_of(sample);
            let name = methods.first().and_then(|(_, a)| a.outputs.get(output)).map(of_output);
            let mut row = vec![Panel::image(name.unwrap_or_default(), image)];
            for (name, a) in methods {
                row.push(Panel { image: Some(image), ..Panel::map(*name, a, sample, output)? });
            }
            grid.push(row);
        }
        self.scene(&grid)
    }

    fn height(&self, row: &[Panel]) -> f64 {
        let ratio = |panel: &Panel| match (&panel.image, &panel.map) {
            (Some(image), _) => image.dim().1 as f64 / image.dim().2.max(1) as f64,
            (None, Some(map)) => map.nrows() as f64 / map.ncols().max(1) as f64,
            (None, None) => 1.0,
        };
        row.iter().map(|panel| self.panel * ratio(panel).clamp(0.1, 10.0)).fold(8.0, f64::max)
    }

    fn draw(&self, scene: &mut Scene, panel: &Panel, caption: &str, at: (f64, f64)) -> Result<()> {
        let height = self.height(std::slice::from_ref(panel));
        let width = self.panel;
        let picture = |raster, smooth, class| Mark::picture(at, width, height, raster, smooth).class(class);
        let photo = panel.image.as_ref().map(|image| Raster::photo(image.view())).transpose()?;
        let Some(map) = &panel.map else {
            if let Some(photo) = photo {
                scene.push(picture(photo, false, "image").tip(caption));
            }
            return Ok(());
        };
        xai_core::error::all_finite("map", map)?;
        let limit = limit(map, self.quantile);
        let words = format!("{caption}: strongest colour at ±{}", plain(limit));
        let needs = || Error::unsupported("this style without an image", "give the image that the map belongs to");
        match self.style {
            MapStyle::Over | MapStyle::Alone => {
                if let (Some(photo), MapStyle::Over) = (photo, self.style) {
                    scene.push(picture(photo.faded(), false, "image"));
                }
                let frame = Mark::rect(at.0, at.1, width, height).stroke(Ink::Grid, 1.0).class("frame");
                scene.push(frame);
                scene.push(picture(Raster::signed(map.view(), limit)?, self.smooth, "map").tip(words));
            }
            MapStyle::Masked => {
                let photo = photo.ok_or_else(needs)?;
                let (columns, rows) = photo.size();
                let part = Array2::from_shape_fn((rows, columns), |(row, column)| {
                    let value = map[[row * map.nrows() / rows, column * map.ncols() / columns]];
                    if limit > 0.0 { (value / limit).clamp(0.0, 1.0) } else { 0.0 }
                });
                scene.push(picture(photo.masked(&part)?, false, "image").tip(words));
            }
            MapStyle::Outlined(share) => {
                scene.push(picture(photo.ok_or_else(needs)?, false, "image").tip(words));
                for line in outline::around(map, share) {
                    let place = |(x, y): (usize, usize)| {
                        let part = |n: usize, of: usize| n as f64 / of as f64;
                        (at.0 + width * part(x, map.ncols()), at.1 + height * part(y, map.nrows()))
                    };
                    // A light line below a strong one can be seen on any image.
                    let line: Vec<(f64, f64)> = line.into_iter().map(place).collect();
                    scene.push(Mark::polyline(line.clone(), Ink::Background, 3.5).class("outline"));
                    scene.push(Mark::polyline(line, Ink::Up, 1.75).class("outline"));
                }
            }
        }
        Ok(())
    }
}

/// The quantile of the absolute values, or the largest where that is zero.
fn limit(map: &Array2<f64>, quantile: f64) -> f64 {
    let mut sizes: Vec<f64> = map.iter().map(|v| v.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let largest = sizes.last().copied().unwrap_or(0.0);
    let place = ((sizes.len() as f64 * quantile).ceil() as usize).clamp(1, sizes.len().max(1)) - 1;
    let limit = sizes.get(place).copied().unwrap_or(largest);
    if limit > 0.0 { limit } else { largest }
}
