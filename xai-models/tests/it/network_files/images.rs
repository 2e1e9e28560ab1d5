//! Images from files.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use ndarray::{Array3, array};
use xai_core::Error;
use xai_models::image::{Fit, decode, fitted, prepared, read};
use xai_models::network::Preparation;

fn file(image: impl Into<image::DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn picture() -> RgbImage {
    RgbImage::from_fn(3, 2, |column, row| Rgb([(column * 50) as u8, (row * 255) as u8, 51]))
}

#[test]
fn pixels_are_channels_of_rows() {
    for format in [ImageFormat::Png, ImageFormat::Bmp] {
        let pixels = decode(&file(picture(), format), 3).unwrap();
        assert_eq!(pixels.dim(), (3, 2, 3));
        assert_eq!(pixels[[0, 1, 2]], 100.0 / 255.0);
        assert_eq!((pixels[[1, 0, 2]], pixels[[1, 1, 0]], pixels[[2, 1, 1]]), (0.0, 1.0, 0.2));
    }
    let grey = GrayImage::from_pixel(2, 2, Luma([51]));
    let same = decode(&file(grey.clone(), ImageFormat::Png), 3).unwrap();
    assert!(same.iter().all(|&x| (x - 0.2).abs() < 1e-6), "{same}");
    let jpeg = decode(&file(grey, ImageFormat::Jpeg), 1).unwrap();
    // Lossy, by a step or two.
    assert!(jpeg.iter().all(|&x| (x - 0.2).abs() < 0.01), "{jpeg}");
}

/// Pillow's weights of red, green and blue.
#[test]
fn grey_is_luma() {
    let colours = RgbImage::from_fn(3, 1, |column, _| Rgb([0, 1, 2].map(|c| if c == column { 255 } else { 0 })));
    let grey = decode(&file(colours, ImageFormat::Png), 1).unwrap();
    assert_eq!(grey, array![[[0.299, 0.587, 0.114]]]);
}

#[test]
fn other_files_are_refused() {
    assert!(matches!(decode(b"hello", 3), Err(Error::Unsupported { .. })));
    assert!(matches!(decode(&file(picture(), ImageFormat::Png), 2), Err(Error::Unsupported { .. })));
    let png = file(picture(), ImageFormat::Png);
    assert!(matches!(decode(&png[..png.len() / 2], 3), Err(Error::Malformed { .. })));
    let glass = RgbaImage::from_pixel(2, 2, Rgba([9, 9, 9, 128]));
    let error = decode(&file(glass, ImageFormat::Png), 3).unwrap_err().to_string();
    assert!(error.contains("seen through"), "{error}");
    let opaque = RgbaImage::from_pixel(2, 2, Rgba([51, 51, 51, 255]));
    assert!(decode(&file(opaque, ImageFormat::Png), 3).unwrap().iter().all(|&x| (x - 0.2).abs() < 1e-6));
    // A header that promises more than any memory.
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 9, 0, 0, 0, 9, 0, 0]);
    assert!(decode(&huge, 3).is_err());
}

#[test]
fn sizes_are_fitted() {
    let wide = Array3::from_shape_fn((1, 2, 8), |(_, _, j)| j as f32 / 8.0);
    assert_eq!(fitted(&wide, 2, 8, Fit::Exact).unwrap(), wide);
    assert!(matches!(fitted(&wide, 2, 4, Fit::Exact), Err(Error::Shape { .. })));
    // The middle columns, unscaled.
    assert_eq!(
        fitted(&wide, 2, 4, Fit::Centre).unwrap(),
        array![[[0.25, 0.375, 0.5, 0.625], [0.25, 0.375, 0.5, 0.625]]]
    );
    let stretched = fitted(&wide, 2, 4, Fit::Stretch).unwrap();
    assert_eq!(stretched.dim(), (1, 2, 4));
    // A triangle over two neighbours and half of the next: symmetric, so that the mean is kept.
    assert!((stretched.mean().unwrap() - 3.5 / 8.0).abs() < 1e-5, "{stretched}");
    assert!((stretched[[0, 0, 1]] - 2.5 / 8.0).abs() < 1e-5, "{stretched}");
    let constant = Array3::from_elem((3, 5, 7), 0.25);
    for fit in [Fit::Centre, Fit::Stretch] {
        let found = fitted(&constant, 9, 4, fit).unwrap();
        assert_eq!(found.dim(), (3, 9, 4));
        assert!(found.iter().all(|&x| (x - 0.25).abs() < 1e-6));
    }
    assert!(fitted(&Array3::zeros((1, 0, 3)), 2, 2, Fit::Centre).is_err());
    assert!(matches!(fitted(&Array3::zeros((1, 1, 5000)), 1000, 1000, Fit::Centre), Err(Error::TooLarge { .. })));
}

#[test]
fn files_become_prepared_batches() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("a.png"), folder.path().join("b.bmp")];
    std::fs::write(&paths[0], file(picture(), ImageFormat::Png)).unwrap();
    std::fs::write(&paths[1], file(picture(), ImageFormat::Bmp)).unwrap();
    let preparation = Preparation::new(3, vec![0.0, 0.5, 0.2], vec![1.0, 0.25, 0.1]).unwrap();
    let batch = read(&paths, [3, 2, 3], Fit::Exact, &preparation).unwrap();
    assert_eq!(batch.dim(), (2, 3, 2, 3));
    assert_eq!(batch.index_axis(ndarray::Axis(0), 0), batch.index_axis(ndarray::Axis(0), 1));
    assert_eq!((batch[[0, 1, 0, 0]], batch[[0, 1, 1, 0]], batch[[0, 2, 0, 0]]), (-2.0, 2.0, 0.0));
    assert_eq!(preparation.pixel(1, 2.0), 1.0);
    let error = read(&paths, [3, 2, 2], Fit::Exact, &preparation).unwrap_err();
    assert!(matches!(error, Error::InFile { .. }), "{error}");
    let plain = prepared(&Array3::from_elem((3, 1, 1), 0.5), &Preparation::default());
    assert!(plain.iter().all(|&x| x == 0.5));
    assert!(Preparation::new(3, vec![0.0; 2], vec![]).is_err());
    assert!(Preparation::new(1, vec![0.0], vec![0.0]).is_err());
}
