//! Pictures of what was found, at once.

use std::path::Path;

use ndarray::{Array3, Array4, Axis};
use xai::core::{Attribution, Document, Error, Output};
use xai::models::network::Preparation;
use xai::viz::{ImageMaps, MapStyle, Panel, Png, Scene, SeriesMap, Theme};

use super::samples;
use crate::args::{Drawing, Style};
use crate::failure::Failure;

/// The form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Svg,
    Png,
}

impl Format {
    /// The form that the name of a file asks for; `None` for a file that is no picture.
    pub fn of(path: Option<&Path>) -> Option<Self> {
        match path?.extension()?.to_str()? {
            "svg" => Some(Format::Svg),
            "png" => Some(Format::Png),
            _ => None,
        }
    }

    /// The bytes of the file.
    pub fn write(self, scene: &Scene) -> Result<Vec<u8>, Failure> {
        let theme = Theme::light();
        Ok(match self {
            Format::Svg => scene.svg(&theme).into_bytes(),
            Format::Png => Png::default().render(scene, &theme)?,
        })
    }
}

/// A row for each image: the image, and a map for each output that is drawn.
pub fn images(
    document: &Document,
    batch: &Array4<f32>,
    preparation: &Preparation,
    drawing: &Drawing,
    format: Format,
) -> Result<Vec<u8>, Failure> {
    let a = attribution(document)?;
    let pixels = samples::pixels(batch, preparation);
    let style = match drawing.style {
        Style::Over => MapStyle::Over,
        Style::Alone => MapStyle::Alone,
        Style::Masked => MapStyle::Masked,
        Style::Outlined => MapStyle::Outlined(0.1),
    };
    let mut grid = Vec::new();
    for (sample, image) in pixels.outer_iter().enumerate() {
        let mut row = vec![Panel::image(format!("sample {sample}"), image)];
        for output in drawn(a, sample, drawing)? {
            let caption = format!("{}, {:.3}", name(&a.outputs, output), a.scores[[sample, output]]);
            row.push(Panel::map(caption, a, sample, output)?.over(image));
        }
        grid.push(row);
    }
    let title = Some(a.provenance.method.clone());
    format.write(&ImageMaps { style, panel: 220.0, title, ..ImageMaps::default() }.scene(&grid)?)
}

/// A series, for one output.
pub fn series(document: &Document, batch: &Array3<f32>, drawing: &Drawing, format: Format) -> Result<Vec<u8>, Failure> {
    if batch.len_of(Axis(0)) > 1 {
        return Err(Failure::Use("a picture shows one series; `xai report` shows several".into()));
    }
    let a = attribution(document)?;
    let output = drawn(a, 0, drawing)?.first().copied().unwrap_or(0);
    let title = format!("{}: {}, {:.3}", a.provenance.method, name(&a.outputs, output), a.scores[[0, output]]);
    let map = SeriesMap { output, title: Some(title), ..SeriesMap::default() };
    format.write(&map.scene(batch.index_axis(Axis(0), 0), a)?)
}

fn attribution(document: &Document) -> Result<&Attribution, Error> {
    match document {
        Document::Attribution(a) => Ok(a),
        _ => Err(Error::unsupported("this result as a picture", "write JSON and draw it by `xai plot`")),
    }
}

/// The outputs that are drawn of a sample.
fn drawn(a: &Attribution, sample: usize, drawing: &Drawing) -> Result<Vec<usize>, Failure> {
    if drawing.class.is_empty() {
        let scores = a.scores.row(sample);
        let best = scores.iter().enumerate().max_by(|x, y| x.1.total_cmp(y.1)).map(|(output, _)| output);
        return Ok(best.into_iter().collect());
    }
    drawing.class.iter().map(|class| super::super::plot::place(&a.outputs, class)).collect()
}

fn name(outputs: &[Output], output: usize) -> &str {
    outputs.get(output).map_or("", |output| &output.name)
}
