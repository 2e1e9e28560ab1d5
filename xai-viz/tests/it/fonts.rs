//! Widths of text.

use xai_viz::font::{BOLD, REGULAR, fit, width};

#[test]
fn widths_are_those_of_the_font() {
    // 'H' and 'i' as the tables of the font say, read by hand.
    let face = ttf_parser::Face::parse(REGULAR, 0).unwrap();
    let em =
        |c| f64::from(face.glyph_hor_advance(face.glyph_index(c).unwrap()).unwrap()) / f64::from(face.units_per_em());
    assert!((width("Hi", 10.0, false) - 10.0 * (em('H') + em('i'))).abs() < 1e-9);
    assert!(width("HHHH", 10.0, true) > width("HHHH", 10.0, false));
    assert_eq!(width("", 10.0, false), 0.0);
    assert!((width("e\u{301}", 10.0, false) - width("e", 10.0, false)).abs() < 1.0, "an accent takes no room");
}

#[test]
fn the_font_has_the_letters_that_pictures_need() {
    for font in [REGULAR, BOLD] {
        let face = ttf_parser::Face::parse(font, 0).unwrap();
        for c in "aZ09−≤≥±∞·…●|[]()=αβΩЖšłĂ€²µ→".chars() {
            assert!(face.glyph_index(c).is_some(), "{c}");
        }
    }
}

#[test]
fn what_does_not_fit_keeps_both_ends() {
    let name = "measurement_of_the_thing_in_the_morning_2019";
    for room in [20.0, 60.0, 120.0, 200.0] {
        let short = fit(name, 13.0, false, room);
        assert!(width(&short, 13.0, false) <= room && short.contains('…'), "{short}");
    }
    assert_eq!(fit(name, 13.0, false, 1000.0), name);
    assert_eq!(fit("abc", 13.0, false, 0.0), "…");
    // Megabytes of name cost no more than a screenful.
    assert!(fit(&"長い".repeat(1_000_000), 13.0, false, 100.0).chars().count() < 20);
}
