//! What must hold for every picture, checked by code that shares nothing with the writer.

use xai_viz::{Scene, Shape, Theme};

/// Half a pixel of line width may lie outside.
const HAIR: f64 = 1.0;

/// Everything is finite and within the canvas; the SVG is well-formed.
pub fn sound(scene: &Scene) {
    let within = |x: f64, y: f64, what: &dyn std::fmt::Debug| {
        assert!(x.is_finite() && y.is_finite(), "not finite: {what:?}");
        let fits = x >= -HAIR && x <= scene.width + HAIR && y >= -HAIR && y <= scene.height + HAIR;
        assert!(fits, "({x}, {y}) outside {} × {}: {what:?}", scene.width, scene.height);
    };
    for mark in &scene.marks {
        match &mark.shape {
            Shape::Rect { x, y, width, height, .. } | Shape::Picture { x, y, width, height, .. } => {
                within(*x, *y, mark);
                within(x + width, y + height, mark);
            }
            Shape::Line(points) => points.iter().for_each(|p| within(p.0, p.1, mark)),
            Shape::Polyline(points) | Shape::Polygon(points) => points.iter().for_each(|p| within(p.0, p.1, mark)),
            Shape::Circle { centre, radius } => {
                within(centre.0 - radius, centre.1 - radius, mark);
                within(centre.0 + radius, centre.1 + radius, mark);
            }
            Shape::Text(text) => {
                let [left, top, right, bottom] = text.bounds();
                within(left, top, mark);
                within(right, bottom, mark);
                if ["tick", "value", "score"].contains(&mark.class) {
                    signs(&text.content());
                }
            }
        }
    }
    well_formed(&scene.svg(&Theme::light()));
    well_formed(&scene.svg_inline());
}

/// No number is a negative zero or written with a hyphen.
fn signs(text: &str) {
    assert!(!text.contains('-') || text.contains(char::is_alphabetic), "a hyphen for a minus sign: {text:?}");
    for (i, c) in text.char_indices().filter(|(_, c)| "−-".contains(*c)) {
        let number: String = text[i + c.len_utf8()..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        assert!(number.is_empty() || number.contains(|c| ('1'..='9').contains(&c)), "negative zero: {text:?}");
    }
}

/// Every element that is opened is closed, every attribute is quoted, every entity is known, every character is legal.
pub fn well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        characters(&rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag without end");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed in the wrong order");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "element {name:?}");
        attributes(tag[name.len()..].trim_end_matches('/'));
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    characters(rest);
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(!xml.contains("NaN") && !xml.contains("inf\""), "a coordinate that is no number");
}

fn attributes(text: &str) {
    let mut seen = std::collections::HashSet::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect("an attribute without a quoted value");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-:".contains(c)), "attribute {name:?}");
        assert!(seen.insert(name), "attribute {name} twice");
        let (value, after) = after.split_once('"').expect("a value without end");
        characters(value);
        rest = after.trim_start();
    }
}

fn characters(text: &str) {
    for (i, c) in text.char_indices() {
        assert!(!c.is_control() || c == '\n', "control character {c:?}");
        assert!(c != '>' && c != '\u{FFFE}' && c != '\u{FFFF}', "bare {c:?}");
        if c == '&' {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
            assert!(known.iter().any(|k| text[i..].starts_with(k)), "unknown entity at {:?}", &text[i..]);
        }
    }
}

/// Boxes of the texts of one class do not overlap.
pub fn apart(scene: &Scene, class: &str) {
    let boxes: Vec<([f64; 4], String)> = scene
        .of_class(class)
        .filter_map(|mark| match &mark.shape {
            Shape::Text(text) => Some((text.bounds(), text.content())),
            _ => None,
        })
        .collect();
    for (i, (a, first)) in boxes.iter().enumerate() {
        for (b, second) in &boxes[..i] {
            let overlap = a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
            assert!(!overlap, "{first:?} lies on {second:?}");
        }
    }
}
