//! Colours that can be told apart, in light and in dark.

use crate::Ink;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// How many colours [`Ink::Series`] has before they repeat.
pub const N_SERIES: usize = 8;

/// The colours of a picture.
///
/// Both built-in themes hold their contrasts (letters 4.5 : 1 and more) and pair blue with orange, which readers with
/// any of the common colour-vision deficiencies tell apart; no chart relies on colour alone for a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// What the picture lies on; `None` leaves it see-through.
    pub background: Option<Rgb>,
    /// Letters.
    pub text: Rgb,
    /// Letters that matter less.
    pub muted: Rgb,
    /// Lines behind the data.
    pub grid: Rgb,
    /// Axes.
    pub axis: Rgb,
    /// What raises a score.
    pub up: Rgb,
    /// What lowers a score.
    pub down: Rgb,
    /// Letters on `up`, `down` and `accent`.
    pub on_fill: Rgb,
    /// Missing values.
    pub missing: Rgb,
    /// Quantities without a sign.
    pub accent: Rgb,
    /// Things side by side.
    pub series: [Rgb; N_SERIES],
}

impl Default for Theme {
    fn default() -> Self {
        Theme::light()
    }
}

impl Theme {
    /// Dark letters on white, for paper and most screens.
    pub const fn light() -> Self {
        Theme {
            background: Some([255, 255, 255]),
            text: [27, 31, 36],
            muted: [93, 102, 114],
            grid: [230, 233, 237],
            axis: [154, 162, 173],
            up: [204, 68, 9],
            down: [31, 111, 209],
            on_fill: [255, 255, 255],
            missing: [150, 156, 165],
            accent: [31, 111, 209],
            series: [
                [0, 114, 178],
                [213, 94, 0],
                [0, 140, 105],
                [190, 95, 150],
                [72, 165, 220],
                [205, 140, 0],
                [107, 79, 160],
                [122, 92, 46],
            ],
        }
    }

    /// Light letters on near-black.
    pub const fn dark() -> Self {
        Theme {
            background: Some([20, 23, 28]),
            text: [232, 234, 237],
            muted: [160, 167, 177],
            grid: [43, 48, 55],
            axis: [91, 98, 108],
            up: [255, 122, 69],
            down: [90, 162, 255],
            on_fill: [16, 18, 22],
            missing: [125, 132, 142],
            accent: [90, 162, 255],
            series: [
                [77, 163, 224],
                [255, 138, 61],
                [46, 190, 150],
                [222, 140, 188],
                [125, 205, 250],
                [235, 180, 50],
                [165, 140, 225],
                [190, 155, 100],
            ],
        }
    }

    /// The colour of `ink`.
    pub fn rgb(&self, ink: Ink) -> Rgb {
        match ink {
            Ink::Text => self.text,
            Ink::Muted => self.muted,
            Ink::Grid => self.grid,
            Ink::Axis => self.axis,
            Ink::Background => self.background.unwrap_or([255, 255, 255]),
            Ink::Up => self.up,
            Ink::Down => self.down,
            Ink::OnFill => self.on_fill,
            Ink::Missing => self.missing,
            Ink::Accent => self.accent,
            Ink::Series(i) => self.series[i % N_SERIES],
            Ink::Value(at) => along(&VALUE, at),
            Ink::Surface(at) => along(&SURFACE, at),
        }
    }
}

/// Blue over mauve to orange, ever lighter, so that it also reads in grey; even steps in OKLab.
const VALUE: [Rgb; 5] = [[33, 92, 208], [132, 98, 179], [187, 102, 148], [224, 114, 110], [245, 137, 42]];

/// Viridis: even steps, ever lighter.
const SURFACE: [Rgb; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

/// The colour at `at` of 0 to 1 between evenly spaced stops.
fn along(stops: &[Rgb], at: f64) -> Rgb {
    let place = if at.is_nan() { 0.5 } else { at.clamp(0.0, 1.0) } * (stops.len() - 1) as f64;
    let low = (place as usize).min(stops.len() - 2);
    let part = place - low as f64;
    let mix = |c: usize| (f64::from(stops[low][c]) * (1.0 - part) + f64::from(stops[low + 1][c]) * part).round() as u8;
    [mix(0), mix(1), mix(2)]
}
