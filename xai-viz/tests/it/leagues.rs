//! Pictures of a contest: everything in its place, what failed named, nothing broken by hostile input.

use ndarray::Array2;
use proptest::prelude::*;
use xai_core::league::{Contest, Contestant, Disagreement, Finding, Friedman};
use xai_core::{Error, League, Provenance, Run};
use xai_viz::{AgreementMap, Cost, CostPicture, LeaguePage, LeagueTable, Scene, Shape, Terminal, Theme};

use crate::checks::{apart, sound, well_formed};

/// A league of so many methods and metrics; the last method knows nothing, the last but one fails.
pub fn league(methods: usize, metrics: usize) -> League {
    let number = |i: usize| ((i as f64 * 12.9898).sin() * 43758.5453).fract().abs();
    let failed = |m: usize| methods > 2 && m == methods - 2;
    let method = |m: usize| Contestant {
        name: format!("method-{m}"),
        is_baseline: m + 1 == methods,
        evaluations: if m == 0 { 0 } else { 10u64.pow((m % 6) as u32 + 1) },
        seconds: 0.003 * 3f64.powi((m % 9) as i32),
        peak_bytes: None,
        mean_rank: (!failed(m) && metrics > 0).then_some(1.0 + m as f64 * 0.7),
        n_ranked: metrics,
        failure: failed(m).then(|| "it <cannot>".to_owned()),
    };
    let test = Friedman { n_blocks: 20, n_methods: methods, statistic: 9.0, p_value: 0.01, critical_difference: 1.2 };
    let metric = |k: usize| Contest {
        name: ["faithfulness-correlation", "deletion", "sensitivity-n", "max-sensitivity"][k % 4].to_owned()
            + &"-again".repeat(k / 4),
        higher_is_better: k != 1,
        weight: 1.0,
        test: Some(test),
    };
    let finding = |m: usize, k: usize| {
        let mean = (!failed(m)).then(|| number(m * 31 + k));
        Finding {
            mean,
            interval: mean.map(|mean| (mean - 0.05, mean + 0.07)),
            n_undefined: 0,
            evaluations: 10,
            seconds: 0.1,
            rank: mean.map(|_| 1.0 + m as f64),
            place: mean.map(|_| 1 + m / 2),
            failure: failed(m).then(|| "there is no explanation".to_owned()),
        }
    };
    League {
        provenance: Provenance::new("tournament", &Run::default()).note("a note"),
        n_samples: 20,
        methods: (0..methods).map(method).collect(),
        metrics: (0..metrics).map(metric).collect(),
        results: (0..methods).flat_map(|m| (0..metrics).map(move |k| finding(m, k))).collect(),
        agreement: Array2::from_shape_fn((methods, methods), |(i, j)| match i == j {
            _ if failed(i) || failed(j) => f64::NAN,
            true => 1.0,
            false => 1.6 * number(i.min(j) * 17 + i.max(j)) - 0.6,
        }),
        disagreements: match methods {
            0 | 1 => Vec::new(),
            _ => vec![Disagreement { sample: 3, output: 0, first: 0, second: 1, correlation: -0.25 }],
        },
    }
}

fn pictures(league: &League) -> Vec<Scene> {
    let seconds = CostPicture::default();
    vec![
        LeagueTable::default().scene(league).unwrap(),
        seconds.scene(league).unwrap(),
        CostPicture { cost: Cost::Evaluations, metric: Some(1), ..seconds }.scene(league).unwrap(),
        AgreementMap::default().scene(league).unwrap(),
    ]
}

#[test]
fn every_picture_is_sound_and_its_names_are_apart() {
    for (methods, metrics) in [(4, 2), (8, 4), (15, 8)] {
        for scene in pictures(&league(methods, metrics)) {
            sound(&scene);
            apart(&scene, "label");
            apart(&scene, "value");
            apart(&scene, "tick");
        }
    }
}

#[test]
fn the_table_holds_means_places_and_weights() {
    let league = league(4, 2);
    let scene = LeagueTable::default().scene(&league).unwrap();
    let texts = scene.texts();
    for text in ["method-0", "1.00", "#1", "higher is better", "lower is better", "×1 · p = 0.010", "failed", "–"] {
        assert!(texts.iter().any(|t| t == text), "{text}: {texts:?}");
    }
    // Three methods with a value in each of two columns.
    assert_eq!(scene.of_class("point").count(), 6);
    assert_eq!(scene.of_class("whisker").count(), 6);
    assert!(scene.label.contains("method-0 has the best mean rank"), "{}", scene.label);
}

#[test]
fn a_table_that_does_not_fit_is_refused() {
    let narrow = LeagueTable { width: Some(500.0), ..LeagueTable::default() };
    assert!(matches!(narrow.scene(&league(4, 8)), Err(Error::Parameter { .. })));
}

/// The front of (cost, rank): (0, 1), then nobody; all others cost more and are worse.
#[test]
fn the_front_is_what_none_beats() {
    let mut league = league(5, 2);
    let costs = [0, 10, 100, 1000, 50];
    let ranks = [3.0, 2.0, 2.5, 1.0, 2.0];
    for (m, method) in league.methods.iter_mut().enumerate() {
        (method.evaluations, method.mean_rank, method.failure) = (costs[m], Some(ranks[m]), None);
    }
    let scene = CostPicture { cost: Cost::Evaluations, ..CostPicture::default() }.scene(&league).unwrap();
    sound(&scene);
    assert!(scene.label.ends_with("none beats method-0, method-1, method-3"), "{}", scene.label);
    let Shape::Polyline(line) = &scene.of_class("front").next().unwrap().shape else { panic!("no line") };
    // Three corners, two steps between them, and the way to the border.
    assert_eq!(line.len(), 6);
    assert!(line.windows(2).all(|p| p[1].0 >= p[0].0 && p[1].1 <= p[0].1), "{line:?}");
    assert_eq!(scene.of_class("label").count(), 5);
}

#[test]
fn lower_is_better_lies_at_the_top_too() {
    let mut league = league(3, 2);
    league.methods.iter_mut().for_each(|m| m.failure = None);
    for (m, mean) in [0.1, 0.5, 0.9].into_iter().enumerate() {
        (league.results[m * 2].mean, league.results[m * 2 + 1].mean) = (Some(mean), Some(mean));
    }
    let heights = |metric| {
        let scene = CostPicture { metric: Some(metric), ..CostPicture::default() }.scene(&league).unwrap();
        let height = |mark: &xai_viz::Mark| match mark.shape {
            Shape::Circle { centre, .. } => centre.1,
            _ => f64::NAN,
        };
        scene.of_class("point").map(height).collect::<Vec<_>>()
    };
    let (higher, lower) = (heights(0), heights(1));
    assert!(higher[2] < higher[0] && lower[0] < lower[2], "{higher:?} {lower:?}");
}

#[test]
fn the_map_says_who_agrees_least() {
    let mut league = league(4, 1);
    league.methods[2].failure = None;
    league.agreement.fill(0.9);
    league.agreement[[0, 1]] = -0.2;
    league.agreement[[1, 0]] = -0.2;
    let scene = AgreementMap::default().scene(&league).unwrap();
    assert!(scene.label.ends_with("method-1 and method-0 agree least, −0.2"), "{}", scene.label);
    assert_eq!(scene.of_class("cell").count(), 16);
    assert_eq!(scene.texts().iter().filter(|t| *t == "−0.20").count(), 2);
}

#[test]
fn text_has_every_number_at_any_width() {
    let league = league(6, 4);
    for width in [40, 80, 100, 200] {
        let text = Terminal { width, colour: false }.league(&league).unwrap();
        for what in ["faithfulness-correlation", "max-sensitivity", "mean rank of:", "evaluations", "it <cannot>"] {
            assert!(text.contains(what), "{what} at {width}: {text}");
        }
        assert_eq!(text.matches(" #1").count(), 8, "two methods share the first place of four metrics: {text}");
        let blocks: Vec<&str> = text.split("\n\n").collect();
        let table = &blocks[..blocks.len() - 1];
        assert!(table.iter().all(|block| block.lines().count() == 8), "{text}");
        let within = |line: &str| width < 60 || line.chars().count() <= width;
        assert!(table.iter().flat_map(|block| block.lines()).all(within), "{text}");
    }
    let plain = Terminal { width: 100, colour: false }.league(&league).unwrap();
    let colour = Terminal { width: 100, colour: true }.league(&league).unwrap();
    assert!(!plain.contains('\u{1b}') && colour.contains('\u{1b}'));
}

#[test]
fn the_page_is_whole_and_loads_nothing() {
    let mut league = league(6, 4);
    league.methods[0].name = "<script>alert(1)</script>".into();
    let page = LeaguePage { title: "A & B".into(), embed_font: false, ..LeaguePage::default() };
    let html = page.html(&league).unwrap();
    for id in ["caution", "standing", "cost", "agreement", "facts", "failures"] {
        assert!(html.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
    assert!(html.contains("A &amp; B") && !html.contains("alert(1)</script>") && html.contains("it &lt;cannot&gt;"));
    let outside = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http") && !outside.contains("src="));
    let (_, body) = html.split_once("<body>").unwrap();
    well_formed(body.split_once("<script>").unwrap().0);
}

#[test]
fn leagues_that_do_not_fit_together_are_refused() {
    let broken = |change: &dyn Fn(&mut League)| {
        let mut league = league(4, 2);
        change(&mut league);
        assert!(Terminal::default().league(&league).is_err());
        assert!(LeaguePage::default().html(&league).is_err());
        assert!(CostPicture::default().scene(&league).is_err());
        assert!(AgreementMap::default().scene(&league).is_err());
        LeagueTable::default().scene(&league).unwrap_err()
    };
    assert!(matches!(broken(&|l| drop(l.results.pop())), Error::Shape { .. }));
    assert!(matches!(broken(&|l| l.agreement = Array2::zeros((2, 4))), Error::Shape { .. }));
    assert!(matches!(broken(&|l| l.disagreements[0].first = 9), Error::Malformed { .. }));
    assert!(matches!(broken(&|l| *l = league(0, 0)), Error::Parameter { .. }));
    let beyond = CostPicture { metric: Some(2), ..CostPicture::default() };
    assert!(matches!(beyond.scene(&league(4, 2)), Err(Error::Parameter { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_league_breaks_a_picture(
        methods in 1usize..30, metrics in 1usize..6, name in ".{0,60}", size in prop::num::f64::ANY,
        seconds in prop::num::f64::POSITIVE | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL, width in 280.0..1500.0,
    ) {
        let mut league = league(methods, metrics);
        league.methods[0].name = name.clone();
        league.methods[0].seconds = seconds;
        league.methods[0].mean_rank = Some(size);
        league.metrics[0].name = name;
        league.results[0].mean = Some(size);
        league.results[0].interval = Some((-size, size));
        let mut scenes = vec![
            LeagueTable::default().scene(&league).unwrap(),
            AgreementMap { width, ..AgreementMap::default() }.scene(&league).unwrap(),
        ];
        scenes.extend(CostPicture { width, ..CostPicture::default() }.scene(&league).ok());
        for scene in scenes {
            sound(&scene);
            prop_assert!(scene.svg(&Theme::dark()).len() > 100);
        }
        prop_assert!(Terminal::default().league(&league).is_ok());
    }
}
