//! Names, numbers and shapes that nobody expects.

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use xai_core::Feature;
use xai_viz::{Bar, Beeswarm, Colour, Decision, Dependence, Force, Heatmap, Scene, Terminal, Theme, Waterfall};

use crate::checks::sound;
use crate::samples::{attribution, complete};

const NAMES: [&str; 9] = [
    "<script>alert('x')</script>",
    "\"&quot; & ' ]]> -->",
    "\u{0}\u{7}\u{1b}[31m\u{FFFE}\u{FFFF}",
    "",
    "   ",
    "\u{202E}reversed",
    "年龄 العمر Ηλικία 👩‍👩‍👧 e\u{301}\u{301}\u{301}",
    "line\nbreak\ttab",
    "a very long name that nobody would give to a feature but that somebody gave anyway, with_parts_2019_q4",
];

fn every_chart(a: &xai_core::Attribution, width: f64) -> Vec<Scene> {
    let title = Some(NAMES[0].to_owned());
    let last = a.n_samples() - 1;
    let mut scenes = vec![
        Waterfall { sample: last, width, title: title.clone(), ..Default::default() }.scene(a).unwrap(),
        Force { sample: last, width, title: title.clone(), ..Default::default() }.scene(a).unwrap(),
        Bar { width, title: title.clone(), ..Default::default() }.scene(a).unwrap(),
        Bar { sample: Some(last), output: Some(0), width, ..Default::default() }.scene(a).unwrap(),
        Beeswarm { width, title: title.clone(), ..Default::default() }.scene(a).unwrap(),
        Heatmap { width, title: title.clone(), ..Default::default() }.scene(a).unwrap(),
        Decision { width, title: title.clone(), highlight: Some(0), ..Default::default() }.scene(a).unwrap(),
    ];
    if a.data.is_some() {
        let colour = Colour::Feature(a.features.len() - 1);
        scenes.push(Dependence { width, title: title.clone(), ..Default::default() }.scene(a).unwrap());
        scenes.push(Dependence { width, colour, ..Default::default() }.scene(a).unwrap());
    }
    scenes
}

#[test]
fn no_name_breaks_a_picture() {
    let mut a = attribution(6, NAMES.len(), 2);
    for (feature, name) in a.features.iter_mut().zip(NAMES) {
        *feature = Feature::numeric(name);
    }
    a.features[1] = Feature::categorical(NAMES[1], NAMES);
    a.features[8] = Feature::categorical(NAMES[8], NAMES[..5].to_vec());
    a.data.as_mut().unwrap().mapv_inplace(|x| x.abs().floor());
    a.outputs[0].name = NAMES[8].repeat(3);
    a.outputs[1].name = NAMES[2].into();
    for width in [280.0, 390.0, 760.0, 2000.0] {
        for scene in every_chart(&a, width) {
            sound(&scene);
            let svg = scene.svg(&Theme::dark());
            assert!(!svg.contains("<script") && !svg.contains('\u{202E}') && !svg.contains('\u{1b}'));
        }
    }
}

#[test]
fn one_of_everything_is_enough() {
    for value in [0.0, -0.0, 1.0, -1e-300, 5e-324, 1e300, f64::MAX, f64::MIN] {
        let a = complete(Array3::from_elem((1, 1, 1), value));
        every_chart(&a, 500.0).iter().for_each(sound);
    }
}

/// Any finite number, the extremes often.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        1 => proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        1 => prop::sample::select(vec![0.0, -0.0, 1e308, -1e308, f64::MAX, f64::MIN, 5e-324, 1e15, -1e-15]),
    ]
}

/// Any cell of a table.
fn cell() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => number(),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        2 => (0..5).prop_map(f64::from),
    ]
}

fn any_attribution() -> impl Strategy<Value = xai_core::Attribution> {
    (1..8usize, 1..6usize, 1..3usize).prop_flat_map(|(samples, features, outputs)| {
        (
            prop::collection::vec(number(), samples * features * outputs),
            prop::collection::vec(number(), samples * outputs),
            prop::collection::vec(number(), samples * outputs),
            prop::collection::vec(cell(), samples * features),
            prop::collection::vec(any::<String>(), features),
            any::<bool>(),
        )
            .prop_map(move |(values, base, scores, data, names, errors)| {
                let mut a = attribution(samples, features, outputs);
                a.values = Array3::from_shape_vec((samples, features, outputs), values).unwrap();
                a.base = Array2::from_shape_vec((samples, outputs), base).unwrap();
                a.scores = Array2::from_shape_vec((samples, outputs), scores).unwrap();
                a.data = Some(Array2::from_shape_vec((samples, features), data).unwrap());
                a.standard_error = errors.then(|| a.values.mapv(|v| v.abs() * 0.1));
                a.features = names.into_iter().map(Feature::numeric).collect();
                if features > 1 {
                    a.features[1] = Feature::categorical("kind", ["a", "b", "c"]);
                }
                a
            })
    })
}

proptest! {
    #[test]
    fn any_finite_attribution_makes_sound_pictures(a in any_attribution(), width in 280.0..1500.0f64) {
        every_chart(&a, width).iter().for_each(sound);
    }

    #[test]
    fn any_finite_attribution_makes_text(a in any_attribution(), width in 24..120usize) {
        let terminal = Terminal { width, colour: false };
        let text = terminal.waterfall(&a, &Waterfall::default()).unwrap() + &terminal.bars(&a, &Bar::default()).unwrap();
        prop_assert!(!text.contains("NaN") && !text.contains("inf") || a.features.iter().any(|f| f.name.contains("inf")));
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
