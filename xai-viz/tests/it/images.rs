//! Maps over images and series: the right cells in the right colours at the right places.

use ndarray::{Array2, Array3, Array4, array};
use xai_core::{Attribution, Error, Feature, Output, Provenance, Run};
use xai_viz::{ImageMaps, MapStyle, Mark, Panel, Raster, Scene, SeriesMap, Shape, Theme};

use crate::checks::{apart, sound};

/// One sample and output with `values` for the cells of `shape`.
fn of_cells(shape: &[usize], values: Vec<f64>) -> Attribution {
    let values = Array3::from_shape_vec((1, values.len(), 1), values).unwrap();
    Attribution {
        provenance: Provenance::new("some-method", &Run::default()),
        features: Feature::cells(shape),
        outputs: Output::unnamed(1),
        base: array![[0.0]],
        scores: array![[values.sum()]],
        values,
        standard_error: None,
        data: None,
        fidelity: None,
        shape: Some(shape.to_vec()),
    }
}

fn raster(mark: &Mark) -> &Raster {
    match &mark.shape {
        Shape::Picture { raster, .. } => raster,
        other => panic!("no picture: {other:?}"),
    }
}

fn only_map(scene: &Scene) -> Vec<u8> {
    raster(scene.of_class("map").next().unwrap()).rgba(&Theme::light())
}

#[test]
fn channels_are_summed_and_signs_have_colours() {
    let a = of_cells(&[2, 1, 3], vec![1.0, -3.0, 1.0, 1.0, 1.0, -1.0]);
    let maps = ImageMaps { quantile: 1.0, style: MapStyle::Alone, ..Default::default() };
    let scene = maps.scene(&[vec![Panel::map("m", &a, 0, 0).unwrap()]]).unwrap();
    sound(&scene);
    let (up, down) = (Theme::light().up, Theme::light().down);
    let rgba = only_map(&scene);
    // Sums are 2, −2, 0: full colour for both signs, nothing for none.
    assert_eq!(rgba[..4], [up[0], up[1], up[2], 255]);
    assert_eq!(rgba[4..8], [down[0], down[1], down[2], 255]);
    assert_eq!(rgba[11], 0);
}

#[test]
fn one_strong_cell_does_not_pale_the_others() {
    let mut values = vec![1.0; 200];
    values[7] = 1e6;
    let a = of_cells(&[1, 10, 20], values);
    let scene = ImageMaps::default().scene(&[vec![Panel::map("m", &a, 0, 0).unwrap()]]).unwrap();
    assert_eq!(only_map(&scene)[3], 255);
}

#[test]
fn photographs_keep_their_colours() {
    let image = Array3::from_shape_fn((3, 1, 2), |(c, _, x)| if x == 0 { [1.0, 0.5, 0.0][c] } else { 0.0 });
    let raster = Raster::photo(image.view()).unwrap();
    assert_eq!(raster.rgba(&Theme::light()), [255, 128, 0, 255, 0, 0, 0, 255]);
    // Normalised images, with cells below 0, are spread from their least to their greatest cell.
    let normalised = array![[[-2.0f32, 0.0, 2.0]]];
    assert_eq!(Raster::photo(normalised.view()).unwrap().rgba(&Theme::light())[4], 128);
    let two = Array3::zeros((2, 1, 1));
    assert!(matches!(Raster::photo(two.view()), Err(Error::Shape { .. })));
    let none = array![[[f32::NAN]]];
    assert!(matches!(Raster::photo(none.view()), Err(Error::NonFinite { .. })));
}

#[test]
fn masks_show_what_speaks_for_the_output() {
    let a = of_cells(&[1, 1, 2], vec![4.0, -4.0]);
    let image = Array3::zeros((1, 1, 2));
    let panel = Panel::map("m", &a, 0, 0).unwrap();
    let maps = ImageMaps { style: MapStyle::Masked, ..Default::default() };
    let scene = maps.scene(&[vec![panel.clone().over(image.view())]]).unwrap();
    let rgba = raster(scene.of_class("image").next().unwrap()).rgba(&Theme::light());
    assert_eq!(rgba, [0, 0, 0, 255, 255, 255, 255, 255]);
    assert!(matches!(maps.scene(&[vec![panel]]), Err(Error::Unsupported { .. })));
}

#[test]
fn outlines_run_around_the_strongest_cells() {
    // A block of two by two among four by four, at row 1 and column 2.
    let block = |y: usize, x: usize| (1..3).contains(&y) && (2..4).contains(&x);
    let values = (0..16).map(|i| if block(i / 4, i % 4) { 1.0 } else { 0.0 }).collect();
    let a = of_cells(&[1, 4, 4], values);
    let image = Array3::zeros((1, 4, 4));
    let maps = ImageMaps { style: MapStyle::Outlined(0.25), panel: 40.0, ..Default::default() };
    let scene = maps.scene(&[vec![Panel::map("m", &a, 0, 0).unwrap().over(image.view())]]).unwrap();
    sound(&scene);
    let Shape::Picture { x, y, .. } = scene.of_class("image").next().unwrap().shape else { panic!("no picture") };
    let Shape::Polyline(line) = &scene.of_class("outline").next().unwrap().shape else { panic!("no line") };
    let corners: Vec<(f64, f64)> = line.iter().map(|p| ((p.0 - x) / 10.0, (p.1 - y) / 10.0)).collect();
    assert_eq!(corners, [(2.0, 1.0), (4.0, 1.0), (4.0, 3.0), (2.0, 3.0), (2.0, 1.0)]);
}

#[test]
fn two_blocks_that_touch_at_a_corner_are_closed_lines() {
    let a = of_cells(&[1, 2, 2], vec![1.0, 0.0, 0.0, 1.0]);
    let image = Array3::zeros((1, 2, 2));
    let maps = ImageMaps { style: MapStyle::Outlined(0.5), ..Default::default() };
    let scene = maps.scene(&[vec![Panel::map("m", &a, 0, 0).unwrap().over(image.view())]]).unwrap();
    for mark in scene.of_class("outline") {
        let Shape::Polyline(line) = &mark.shape else { panic!("no line") };
        assert_eq!(line.first(), line.last());
    }
}

#[test]
fn a_gallery_has_a_row_for_each_image_and_a_column_for_each_method() {
    let images = Array4::from_shape_fn((2, 3, 4, 4), |(n, c, y, x)| ((n + c + y + x) % 3) as f32 / 2.0);
    let one = of_cells(&[4, 4], (0..16).map(|i| i as f64 - 8.0).collect());
    let both = |a: &Attribution| Attribution {
        base: Array2::zeros((2, 1)),
        scores: Array2::zeros((2, 1)),
        values: ndarray::concatenate![ndarray::Axis(0), a.values, a.values],
        ..a.clone()
    };
    let (a, b) = (both(&one), both(&one));
    let scene = ImageMaps::default().gallery(images.view(), &[("first", &a), ("second", &b)], |_| 0).unwrap();
    sound(&scene);
    apart(&scene, "label");
    assert_eq!(scene.of_class("map").count(), 4);
    assert_eq!(scene.texts(), ["y", "first", "second", "y", "first", "second"]);
    let three = Array4::zeros((3, 3, 4, 4));
    let error = ImageMaps::default().gallery(three.view(), &[("first", &a)], |_| 0);
    assert!(matches!(error, Err(Error::Shape { .. })));
}

#[test]
fn panels_for_channels_and_outputs() {
    let a = of_cells(&[3, 2, 2], (0..12).map(f64::from).collect());
    let image = Array3::zeros((3, 2, 2));
    let grid = [Panel::channels(&a, 0, 0).unwrap(), Panel::outputs(image.view(), &a, 0, &[0]).unwrap()];
    let scene = ImageMaps { title: Some("x".into()), ..Default::default() }.scene(&grid).unwrap();
    sound(&scene);
    assert_eq!(scene.texts(), ["x", "red", "green", "blue", "y"]);
    assert!(matches!(Panel::outputs(image.view(), &a, 0, &[1]), Err(Error::Parameter { .. })));
}

#[test]
fn what_is_no_image_is_refused() {
    let table = Attribution { shape: None, ..of_cells(&[4], vec![1.0; 4]) };
    assert!(matches!(Panel::map("m", &table, 0, 0), Err(Error::Unsupported { .. })));
    let a = of_cells(&[1, 2, 2], vec![1.0; 4]);
    assert!(matches!(Panel::map("m", &a, 1, 0), Err(Error::Parameter { .. })));
    let lying = Attribution { shape: Some(vec![1, 3, 3]), ..a.clone() };
    assert!(Panel::map("m", &lying, 0, 0).is_err());
    let panel = || vec![Panel::map("m", &a, 0, 0).unwrap()];
    for maps in [
        ImageMaps { quantile: 0.0, ..Default::default() },
        ImageMaps { quantile: f64::NAN, ..Default::default() },
        ImageMaps { panel: f64::INFINITY, ..Default::default() },
        ImageMaps { style: MapStyle::Outlined(1.0), ..Default::default() },
    ] {
        assert!(matches!(maps.scene(&[panel()]), Err(Error::Parameter { .. })), "{maps:?}");
    }
    assert!(matches!(ImageMaps::default().scene(&[]), Err(Error::Parameter { .. })));
}

#[test]
fn a_series_has_a_band_for_each_step() {
    let a = of_cells(&[2, 3], vec![1.0, -2.0, 0.0, 0.5, 0.5, 0.5]);
    let series = array![[0.0f32, 1.0, 2.0], [5.0, 5.0, 5.0]];
    let scene = SeriesMap::default().scene(series.view(), &a).unwrap();
    sound(&scene);
    let rgba = only_map(&scene);
    let (up, down) = (Theme::light().up, Theme::light().down);
    // 1 is half as strong as −2, of the other colour; 0 shows nothing.
    assert_eq!([rgba[..3].to_vec(), rgba[4..7].to_vec()], [up.to_vec(), down.to_vec()]);
    assert!(rgba[3].abs_diff(rgba[7] / 2) <= 1 && rgba[11] == 0);
    assert_eq!(scene.of_class("line").count(), 2);
    let wrong = Array2::zeros((2, 4));
    assert!(matches!(SeriesMap::default().scene(wrong.view(), &a), Err(Error::Shape { .. })));
}
