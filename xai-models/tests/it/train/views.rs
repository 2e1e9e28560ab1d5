//! What one sees of a training.

use burn::tensor::Device;
use xai_models::train::{Histogram, TextView, Training};

use super::{circle, mlp};

#[test]
fn training_can_be_watched_as_text_and_read_as_a_page() {
    let (x, y) = circle(60, 1);
    let mut lines = vec![];
    let mut view = TextView::new(&mut lines, true);
    let training = Training { epochs: 3, ..Training::default() };
    let trained = training.run(&mlp(1), &Device::flex(), (&x, &y), Some((&x, &y)), &mut view).unwrap();
    let text = String::from_utf8(lines).unwrap();
    assert_eq!(text.lines().count(), 9);
    assert!(text.lines().next().unwrap().starts_with("epoch 1/3  loss "), "{text}");
    assert!(text.contains("right") && text.contains("checked") && text.contains("  first  gradient"));
    assert!(!text.contains('\u{1b}'), "plain text");
    let page = trained.history.html();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(page.matches("<polyline").count() >= 7 && page.matches("<rect").count() > 24);
    assert!(!page.contains("http") && !page.contains("<script"), "it loads nothing");
    assert!(!page.contains("NaN") && !page.contains("inf"));
    let json = serde_json::to_string(&trained.history).unwrap();
    assert_eq!(serde_json::from_str::<xai_models::train::History>(&json).unwrap(), trained.history);
}

#[test]
fn histograms_count_every_number() {
    let histogram = Histogram::of(&[0.0, 0.5, 1.0, 1.0, f32::NAN]);
    assert_eq!((histogram.low, histogram.high), (0.0, 1.0));
    assert_eq!((histogram.counts[0], histogram.counts[12], histogram.counts[23]), (1, 1, 2));
    assert_eq!(histogram.counts.iter().sum::<u64>(), 4);
    assert_eq!(histogram.bars().chars().count(), 24);
    assert!(histogram.bars().ends_with('█'));
    assert_eq!(Histogram::of(&[2.0, 2.0]).counts[0], 2);
    assert_eq!(Histogram::of(&[]).counts.iter().sum::<u64>(), 0);
}
