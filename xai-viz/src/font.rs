//! The font that the crate ships, and how wide text is in it.

use std::borrow::Cow;
use std::sync::OnceLock;

use ttf_parser::Face;

use crate::clean::{cells, is_combining};

/// Inter Regular: Latin, Greek, Cyrillic and mathematical signs; SIL Open Font License, see `assets/OFL.txt`.
pub const REGULAR: &[u8] = include_bytes!("../assets/Inter-Regular.otf");
/// Inter Semi Bold, with the same letters.
pub const BOLD: &[u8] = include_bytes!("../assets/Inter-SemiBold.otf");
/// The fonts that a browser takes, best first.
pub(crate) const FAMILIES: &str = "Inter, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// The width of `text` in pixels, in letters of `size` pixels, without kerning.
///
/// Letters that the font lacks count as 1 em where they are wide (Chinese, Japanese, Korean, emoji) and as 0.62 em
/// elsewhere: another font will draw them, and nobody knows which.
pub fn width(text: &str, size: f64, bold: bool) -> f64 {
    text.chars().map(|c| advance(c, bold)).sum::<f64>() * size
}

/// `text`, or its two ends around an ellipsis where the whole is wider than `room`.
///
/// Both ends stay since long names often begin alike.
///
/// # Example
/// ```
/// use xai_viz::font::{fit, width};
/// assert_eq!(fit("age", 13.0, false, 100.0), "age");
/// let short = fit("a_name_that_goes_on_and_on_and_on_2019", 13.0, false, 100.0);
/// assert!(short.starts_with("a_na") && short.ends_with("2019") && width(&short, 13.0, false) <= 100.0);
/// ```
pub fn fit(text: &str, size: f64, bold: bool, room: f64) -> Cow<'_, str> {
    // Nothing longer than this fits anywhere; it bounds the work for a name of megabytes.
    const MOST: usize = 2000;
    if text.len() <= 4 * MOST && width(text, size, bold) <= room {
        return Cow::Borrowed(text);
    }
    let head: Vec<char> = text.chars().take(MOST).collect();
    let tail: Vec<char> = text.chars().rev().take(MOST).collect();
    let n = text.chars().count();
    let em = |c: char| advance(c, bold) * size;
    let (mut used, mut first, mut last) = (em('…'), 0, 0);
    let (mut head_width, mut tail_width) = (0.0, 0.0);
    while first + last < n {
        // The head gets three fifths of the room.
        let front = head_width <= 1.5 * tail_width;
        let Some(&c) = (if front { head.get(first) } else { tail.get(last) }) else { break };
        if used + em(c) > room {
            break;
        }
        used += em(c);
        if front {
            head_width += em(c);
            first += 1;
        } else {
            tail_width += em(c);
            last += 1;
        }
    }
    // An accent must not lose its letter.
    while last > 0 && is_combining(tail[last - 1]) {
        last -= 1;
    }
    let front: String = head[..first].iter().collect();
    let back: String = tail[..last].iter().rev().collect();
    Cow::Owned(format!("{}…{}", front.trim_end(), back.trim_start()))
}

/// The width of a letter in em.
fn advance(c: char, bold: bool) -> f64 {
    static FACES: OnceLock<[Option<Face<'static>>; 2]> = OnceLock::new();
    let faces = FACES.get_or_init(|| [Face::parse(REGULAR, 0).ok(), Face::parse(BOLD, 0).ok()]);
    let measured = faces[usize::from(bold)].as_ref().and_then(|face| {
        let advance = face.glyph_hor_advance(face.glyph_index(c)?)?;
        Some(f64::from(advance) / f64::from(face.units_per_em()))
    });
    measured.unwrap_or(match cells(c) {
        0 => 0.0,
        1 => 0.62,
        _ => 1.0,
    })
}
