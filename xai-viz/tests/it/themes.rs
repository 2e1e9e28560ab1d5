//! Colours that everybody can tell apart, by the formulas of WCAG 2 and of Viénot, Brettel and Mollon (1999).

use xai_viz::theme::Rgb;
use xai_viz::{Ink, Theme};

fn linear(rgb: Rgb) -> [f64; 3] {
    rgb.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

fn luminance(rgb: Rgb) -> f64 {
    let [r, g, b] = linear(rgb);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What somebody without the middle cones sees, in linear light.
fn deuteranope(rgb: Rgb) -> [f64; 3] {
    let [r, g, b] = linear(rgb);
    let both = 0.29275 * r + 0.70725 * g;
    [both, both, -0.02234 * r + 0.02234 * g + b]
}

#[test]
fn letters_have_contrast() {
    for theme in [Theme::light(), Theme::dark()] {
        let back = theme.rgb(Ink::Background);
        for ink in [Ink::Text, Ink::Muted, Ink::Up, Ink::Down] {
            assert!(contrast(theme.rgb(ink), back) >= 4.5, "{ink:?} on the background");
        }
        for ink in [Ink::Up, Ink::Down, Ink::Accent] {
            assert!(contrast(theme.on_fill, theme.rgb(ink)) >= 4.5, "letters on {ink:?}");
        }
        for i in 0..xai_viz::theme::N_SERIES {
            assert!(contrast(theme.rgb(Ink::Series(i)), back) >= 2.3, "series {i}");
        }
    }
}

#[test]
fn up_and_down_differ_without_green_cones() {
    for theme in [Theme::light(), Theme::dark()] {
        let (up, down) = (deuteranope(theme.up), deuteranope(theme.down));
        let distance = up.iter().zip(down).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        // Half of what lies between black and full blue.
        assert!(distance > 0.5, "{distance}");
    }
}

#[test]
fn ramps_grow_ever_lighter() {
    let theme = Theme::light();
    for ramp in [Ink::Value, Ink::Surface] {
        let steps: Vec<f64> = (0..=20).map(|i| luminance(theme.rgb(ramp(f64::from(i) / 20.0)))).collect();
        assert!(steps.windows(2).all(|s| s[1] > s[0]), "{steps:?}");
    }
    assert_eq!(theme.rgb(Ink::Value(-3.0)), theme.rgb(Ink::Value(0.0)));
    assert_eq!(theme.rgb(Ink::Surface(f64::NAN)), theme.rgb(Ink::Surface(0.5)));
}
