//! The page: complete, closed in itself, and safe to open.

use ndarray::{Array2, Array3, array};
use xai_core::{
    Curve, Distribution, Effects, Error, Feature, Importance, Inside, Layer, LayerFacts, LayerKind, Output, Provenance,
    Run, Value,
};
use xai_viz::{Confusion, Individual, Maps, Overview, Picture, Report};

use crate::checks::well_formed;
use crate::samples::attribution;

const BAD: &str = "</script><script>alert(1)</script>\u{0}&\"'";

fn importance() -> Importance {
    Importance {
        provenance: Provenance::new("permutation-importance", &Run::default()).note(BAD),
        features: vec![Feature::numeric(BAD), Feature::numeric("age")],
        outputs: Output::unnamed(1),
        values: array![[0.3], [0.1]],
        spread: Some(array![[0.1], [0.05]]),
        repeats: None,
        base: Some(array![0.25]),
    }
}

fn effects() -> Effects {
    let curve = |features: Vec<Feature>, grid: Vec<Vec<f64>>| {
        let points = grid.iter().map(Vec::len).product();
        Curve {
            features,
            grid,
            values: Array2::from_shape_fn((points, 1), |(p, _)| p as f64),
            standard_error: None,
            individual: None,
            distribution: vec![Distribution::default()],
        }
    };
    let age = || Feature::numeric("age");
    Effects {
        provenance: Provenance::new("accumulated-local-effects", &Run::default()),
        outputs: Output::unnamed(1),
        curves: vec![
            curve(vec![age()], vec![vec![0.0, 1.0, 2.0]]),
            curve(vec![Feature::categorical(BAD, [BAD, "b"])], vec![vec![0.0, 1.0]]),
            curve(vec![age(), Feature::numeric(BAD)], vec![vec![0.0, 1.0], vec![0.0, 1.0, 2.0]]),
        ],
    }
}

fn page() -> String {
    let mut a = attribution(12, 5, 2);
    a.features[0].name = BAD.into();
    a.outputs[1].name = BAD.into();
    a.standard_error = Some(a.values.mapv(|v| v.abs() * 0.1));
    a.provenance = a.provenance.with("background", 100i32).with(BAD, BAD).evaluations(4096);
    let (importance, effects) = (importance(), effects());
    let pair = || vec![(BAD.to_owned(), BAD.to_owned())];
    let report = Report {
        title: BAD.into(),
        summary: vec![BAD.into()],
        model: pair(),
        data: pair(),
        performance: vec![("accuracy".into(), Value::Float(0.93)), (BAD.into(), Value::Text(BAD.into()))],
        confusion: Some(Confusion { names: vec!["no".into(), BAD.into()], counts: array![[8, 2], [0, 0]] }),
        importance: vec![&importance],
        overviews: vec![Overview { attribution: &a, output: 1 }],
        effects: vec![&effects],
        individuals: vec![Individual { title: BAD.into(), attribution: &a, sample: 3, output: 0, facts: pair() }],
        notes: vec![BAD.into()],
        embed_font: false,
        ..Report::default()
    };
    report.html().unwrap()
}

#[test]
fn the_page_is_well_formed_and_runs_nothing_foreign() {
    let page = page();
    assert_eq!(page.matches("<script>").count(), 1, "its own");
    assert!(!page.contains("alert(1)</script>"));
    // What is left between the own style and the own script must balance like XML, but for the void elements.
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    well_formed(body);
}

#[test]
fn the_page_loads_nothing() {
    let page = page().replace("http://www.w3.org/2000/svg", "");
    for word in ["http", "src=", "@import", "<link", "<img", "<iframe", "//"] {
        let found: Vec<_> =
            page.match_indices(word).map(|(i, _)| page[i..].chars().take(60).collect::<String>()).collect();
        // The one comment of the script begins with two slashes.
        let allowed = usize::from(word == "//");
        assert!(found.len() <= allowed, "{word}: {found:?}");
    }
    let script = page.split_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    assert!(script.len() < 10_000);
}

#[test]
fn every_part_has_its_place() {
    let page = page();
    let sections = ["facts", "performance", "importance", "overview", "effects", "individuals", "notes"];
    let places: Vec<usize> =
        sections.iter().map(|id| page.find(&format!("<section id=\"{id}\">")).expect(id)).collect();
    assert!(places.windows(2).all(|p| p[0] < p[1]));
    assert!(sections.iter().all(|id| page.contains(&format!("href=\"#{id}\""))));
    for words in ["How to read it", "How this was computed", "tree-shap", "4096", "background", "0.93", "80 %"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("largest difference between score and sum") && page.contains("largest standard error"));
    assert!(page.contains("does not explain the world"));
}

#[test]
fn figures_and_tables_speak() {
    let page = page();
    let count = |what: &str| page.matches(what).count();
    assert_eq!(count("<svg "), count("role=\"img\""));
    assert_eq!(count("<svg "), count("aria-label=\"") - 1, "every picture and the contents");
    assert_eq!(count("<figure>"), count("<figcaption>"));
    assert_eq!(count("<h1>"), 1);
    assert!(count("<caption>") >= 4 && count("scope=\"row\"") > 10 && page.contains("lang=\"en\""));
    assert!(
        page.contains("prefers-color-scheme:dark")
            && page.contains("@media print")
            && page.contains("name=\"viewport\"")
    );
}

#[test]
fn an_empty_report_is_a_page_without_sections() {
    let page = Report::default().html().unwrap();
    assert!(page.contains("data:font/otf;base64,") && page.contains("<h1>Model report</h1>"));
    assert_eq!(page.matches("<section").count(), 1, "only the caution");
}

#[test]
fn what_does_not_fit_is_refused() {
    let confusion = Some(Confusion { names: vec!["a".into()], counts: array![[1, 2], [3, 4]] });
    let report = Report { confusion, ..Report::default() };
    assert!(matches!(report.html(), Err(Error::Shape { .. })));
    let a = attribution(2, 2, 1);
    let individual = Individual { title: "x".into(), attribution: &a, sample: 2, output: 0, facts: vec![] };
    let report = Report { individuals: vec![individual], ..Report::default() };
    assert!(matches!(report.html(), Err(Error::Parameter { .. })));
}

#[test]
fn a_network_has_layers_and_maps_on_the_page() {
    let layer = |name: &str, kind, inputs: &[usize]| LayerFacts {
        layer: Layer { name: name.into(), kind, inputs: inputs.to_vec(), shape: vec![1, 4, 4] },
        parameters: Vec::new(),
        activations: None,
        n_units: 1,
        n_dead: Some(1),
        saturated: None,
    };
    let layers = vec![layer(BAD, LayerKind::Input, &[]), layer("relu", LayerKind::Relu, &[0])];
    let inside = Inside { provenance: Provenance::new("look-inside", &Run::default()), n_samples: 2, layers };
    let of = |shape: &[usize]| {
        let mut a = attribution(1, 16, 2);
        (a.features, a.data, a.shape) = (Feature::cells(shape), None, Some(shape.to_vec()));
        a.outputs[1].name = BAD.into();
        a
    };
    let (first, second, series) = (of(&[1, 4, 4]), of(&[4, 4]), of(&[2, 8]));
    let (image, steps) = (Array3::<f32>::zeros((1, 4, 4)), Array2::<f32>::zeros((2, 8)));
    let maps = |picture, attributions, output| Maps {
        title: BAD.into(),
        picture,
        attributions,
        sample: 0,
        output,
        facts: vec![(BAD.into(), BAD.into())],
    };
    let report = |output| Report {
        inside: Some(&inside),
        maps: vec![
            maps(Picture::Image(image.view()), vec![&first, &second], output),
            maps(Picture::Series(steps.view()), vec![&series], output),
        ],
        embed_font: false,
        ..Report::default()
    };
    let page = report(1).html().unwrap();
    let (_, body) = page.split_once("<body>").unwrap();
    well_formed(body.split_once("<script>").unwrap().0);
    assert!(!page.contains("alert(1)</script>") && page.contains("1 of 1 dead"));
    // The image and two maps over it, drawn twice, and the bands of two channels, drawn twice.
    assert_eq!(page.matches("<image").count(), 2 * 5 + 2 * 2, "{}", page.matches("<image").count());
    let refused = report(2).html();
    assert!(matches!(refused, Err(Error::Parameter { .. })), "{refused:?}");
}
