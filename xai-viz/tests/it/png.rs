//! Pixels.

use resvg::tiny_skia::Pixmap;
use resvg::usvg;
use xai_core::Error;
use xai_viz::{Ink, Mark, Png, Scene, Theme, Waterfall};

use crate::samples::attribution;

#[test]
fn a_picture_has_the_size_and_the_colours_of_its_scene() {
    let mut scene = Scene::new(100.0, 40.0, "half");
    scene.push(Mark::rect(0.0, 0.0, 50.0, 40.0).fill(Ink::Up));
    let pixels = Pixmap::decode_png(&Png::default().render(&scene, &Theme::light()).unwrap()).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (200, 80));
    let at = |x, y| pixels.pixel(x, y).map(|p| [p.red(), p.green(), p.blue()]);
    assert_eq!(at(50, 40), Some(Theme::light().up));
    assert_eq!(at(150, 40), Some([255, 255, 255]));
}

/// Kerning may move letters by a hair; a wrong or missing font moves them by much more.
const KERNING: f64 = 0.04;

#[test]
fn text_is_as_wide_as_measured() {
    let text = "Capital gain −12.5 αβ";
    let mut scene = Scene::new(400.0, 40.0, "text");
    scene.push(Mark::text((10.0, 25.0), 20.0, text));
    let pixels = Pixmap::decode_png(&Png::default().render(&scene, &Theme::light()).unwrap()).unwrap();
    let dark = |x: u32| (0..pixels.height()).any(|y| pixels.pixel(x, y).is_some_and(|p| p.red() < 128));
    let drawn: Vec<u32> = (0..pixels.width()).filter(|&x| dark(x)).collect();
    let width = f64::from(drawn[drawn.len() - 1] - drawn[0]) / 2.0;
    let measured = xai_viz::font::width(text, 20.0, false);
    assert!((width - measured).abs() < KERNING * measured, "{width} drawn, {measured} measured");
}

#[test]
fn every_chart_is_valid_for_a_renderer() {
    let a = attribution(10, 5, 2);
    let svg = Waterfall::default().scene(&a).unwrap().svg(&Theme::dark());
    assert!(usvg::Tree::from_str(&svg, &usvg::Options::default()).is_ok());
}

#[test]
fn gigabytes_are_refused() {
    let scene = Scene::new(1e6, 1e6, "huge");
    assert!(matches!(Png::default().render(&scene, &Theme::light()), Err(Error::TooLarge { .. })));
    let scene = Scene::new(f64::NAN, 10.0, "nothing");
    assert!(matches!(Png::default().render(&scene, &Theme::light()), Err(Error::Unsupported { .. })));
    let wrong = Png { scale: 0.0, ..Png::default() };
    assert!(matches!(wrong.render(&Scene::new(10.0, 10.0, ""), &Theme::light()), Err(Error::Parameter { .. })));
}
