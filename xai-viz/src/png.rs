//! A picture as PNG, drawn with the font that the crate ships.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};
use xai_core::{Error, Result};

use crate::{Scene, Theme, font};

/// The most pixels that a picture may have.
const MOST_PIXELS: u64 = 100_000_000;

/// How a picture becomes pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Png {
    /// Pixels per unit of the picture: 2 is sharp on most screens.
    pub scale: f64,
    /// More fonts, as the bytes of TrueType or OpenType files, for letters that Inter lacks (Chinese, Arabic, …).
    pub fonts: Vec<Vec<u8>>,
}

impl Default for Png {
    fn default() -> Self {
        Png { scale: 2.0, fonts: Vec::new() }
    }
}

impl Png {
    /// The bytes of a PNG file.
    ///
    /// # Cost
    /// Four bytes a pixel.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a scale that is not between 0.1 and 10, [`Error::TooLarge`] beyond 100 million pixels.
    pub fn render(&self, scene: &Scene, theme: &Theme) -> Result<Vec<u8>> {
        if !(0.1..=10.0).contains(&self.scale) {
            return Err(Error::parameter("scale", self.scale, "0.1 to 10"));
        }
        let size = |length: f64| (length * self.scale).ceil().max(1.0);
        let (width, height) = (size(scene.width), size(scene.height));
        let pixels = width * height;
        if pixels > MOST_PIXELS as f64 {
            return Err(Error::TooLarge { what: "pixels of a PNG".into(), limit: MOST_PIXELS, found: pixels as u64 });
        }
        let failed = |reason: String| Error::unsupported("this picture as PNG", reason);
        let mut options = usvg::Options { font_family: "Inter".into(), ..usvg::Options::default() };
        let fonts = Arc::make_mut(&mut options.fontdb);
        fonts.load_font_data(font::REGULAR.to_vec());
        fonts.load_font_data(font::BOLD.to_vec());
        fonts.set_sans_serif_family("Inter");
        for extra in &self.fonts {
            fonts.load_font_data(extra.clone());
        }
        let tree = usvg::Tree::from_str(&scene.svg(theme), &options).map_err(|e| failed(e.to_string()))?;
        let mut pixmap = tiny_skia::Pixmap::new(width as u32, height as u32)
            .ok_or_else(|| failed(format!("{width} × {height} pixels cannot be held")))?;
        let transform = tiny_skia::Transform::from_scale(self.scale as f32, self.scale as f32);
        resvg::render(&tree, transform, &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|e| failed(e.to_string()))
    }
}
