//! A picture as SVG text.

use std::fmt::Write;

use crate::clean::escape;
use crate::font::FAMILIES;
use crate::scene::{Anchor, Ink, Mark, Scene, Shape, Stroke, Text};
use crate::theme::{N_SERIES, Theme};

/// The longest tooltip, in characters.
const LONGEST: usize = 400;

impl Scene {
    /// The picture as a stand-alone SVG file.
    ///
    /// Names are escaped, control characters replaced; the text asks for the font Inter, which the widths were
    /// measured with, and falls back to the reader's own.
    pub fn svg(&self, theme: &Theme) -> String {
        let mut out = self.head(format_args!(" width=\"{}\" height=\"{}\"", Px(self.width), Px(self.height)));
        if theme.background.is_some() {
            let _ = write!(out, "<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>", Hex(theme, Ink::Background));
        }
        self.body(&mut out, &Colours::Of(theme));
        out
    }

    /// The picture as SVG for a page that says what the colours are: see [`variables`]. It takes the width that the
    /// page gives it, at most its own.
    pub fn svg_inline(&self) -> String {
        let mut out = self.head(format_args!(" style=\"width:100%;max-width:{}px;height:auto\"", Px(self.width)));
        self.body(&mut out, &Colours::Variables);
        out
    }

    fn head(&self, size: std::fmt::Arguments) -> String {
        let (width, height) = (Px(self.width), Px(self.height));
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"{size} viewBox=\"0 0 {width} {height}\" \
             font-family=\"{FAMILIES}\" role=\"img\" aria-label=\""
        );
        escape(&mut out, &self.label);
        out.push_str("\">");
        out
    }

    /// Marks of the same look that follow each other share a group.
    fn body(&self, out: &mut String, colours: &Colours) {
        let mut rest = self.marks.as_slice();
        while let Some(first) = rest.first() {
            let alike = rest.iter().take_while(|mark| same_look(first, mark)).count();
            let (run, after) = rest.split_at(alike);
            let filled = run.iter().all(|mark| mark.fill == first.fill);
            out.push_str("\n<g");
            look(out, first, filled, colours);
            out.push('>');
            run.iter().for_each(|mark| shape(out, mark, !filled, colours));
            out.push_str("</g>");
            rest = after;
        }
        out.push_str("\n</svg>\n");
    }
}

/// The declarations of the custom properties that [`Scene::svg_inline`] paints with, for the inside of a CSS rule.
pub fn variables(theme: &Theme) -> String {
    let mut out = String::new();
    let series = (0..N_SERIES).map(Ink::Series);
    for ink in NAMED.into_iter().chain(series) {
        let _ = write!(out, "--x-{}:{};", Name(ink), Hex(theme, ink));
    }
    out
}

const NAMED: [Ink; 10] = [
    Ink::Text,
    Ink::Muted,
    Ink::Grid,
    Ink::Axis,
    Ink::Background,
    Ink::Up,
    Ink::Down,
    Ink::OnFill,
    Ink::Missing,
    Ink::Accent,
];

/// Where colours come from.
enum Colours<'a> {
    Of(&'a Theme),
    Variables,
}

impl Colours<'_> {
    /// The theme that cells of pictures are painted in: they cannot follow the page.
    fn theme(&self) -> &Theme {
        match self {
            Colours::Of(theme) => theme,
            Colours::Variables => &LIGHT,
        }
    }

    fn write(&self, out: &mut String, ink: Ink) {
        let _ = match (self, ink) {
            (Colours::Of(theme), ink) => write!(out, "{}", Hex(theme, ink)),
            // These are the same in every theme.
            (Colours::Variables, Ink::Value(_) | Ink::Surface(_)) => write!(out, "{}", Hex(&Theme::light(), ink)),
            (Colours::Variables, ink) => write!(out, "var(--x-{})", Name(ink)),
        };
    }
}

static LIGHT: Theme = Theme::light();

struct Hex<'a>(&'a Theme, Ink);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [r, g, b] = self.0.rgb(self.1);
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

struct Name(Ink);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Ink::Text => f.write_str("text"),
            Ink::Muted => f.write_str("muted"),
            Ink::Grid => f.write_str("grid"),
            Ink::Axis => f.write_str("axis"),
            Ink::Background => f.write_str("back"),
            Ink::Up => f.write_str("up"),
            Ink::Down => f.write_str("down"),
            Ink::OnFill => f.write_str("on"),
            Ink::Missing => f.write_str("missing"),
            Ink::Accent => f.write_str("accent"),
            Ink::Series(i) => write!(f, "s{}", i % N_SERIES),
            Ink::Value(_) | Ink::Surface(_) => f.write_str("text"),
        }
    }
}

/// A coordinate in at most two decimals; what is not finite, which no chart makes, is 0.
struct Px(f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounded = if self.0.is_finite() { (self.0 * 100.0).round() / 100.0 + 0.0 } else { 0.0 };
        write!(f, "{rounded}")
    }
}

fn same_look(a: &Mark, b: &Mark) -> bool {
    let text = |mark: &Mark| matches!(mark.shape, Shape::Text(_) | Shape::Picture { .. });
    a.class == b.class && a.stroke == b.stroke && a.opacity == b.opacity && text(a) == text(b)
}

/// Writes what a group of marks has in common; `filled` when that is the fill too.
fn look(out: &mut String, mark: &Mark, filled: bool, colours: &Colours) {
    if !mark.class.is_empty() {
        let _ = write!(out, " class=\"{}\"", mark.class);
    }
    if filled && !matches!(mark.shape, Shape::Text(_) | Shape::Picture { .. }) {
        fill(out, mark.fill, colours);
    }
    if let Some(Stroke { ink, width, dash }) = mark.stroke {
        out.push_str(" stroke=\"");
        colours.write(out, ink);
        let _ = write!(out, "\" stroke-width=\"{}\"", Px(width));
        if let Some((dash, gap)) = dash {
            let _ = write!(out, " stroke-dasharray=\"{} {}\"", Px(dash), Px(gap));
        }
        if matches!(mark.shape, Shape::Polyline(_)) {
            out.push_str(" stroke-linejoin=\"round\" stroke-linecap=\"round\"");
        }
    }
    if matches!(mark.class, "cell" | "colours") && matches!(mark.shape, Shape::Rect { .. }) {
        // Otherwise the borders of neighbours shine through.
        out.push_str(" shape-rendering=\"crispEdges\"");
    }
    if mark.opacity < 1.0 {
        let _ = write!(out, " opacity=\"{}\"", Px(mark.opacity));
    }
}

fn fill(out: &mut String, ink: Option<Ink>, colours: &Colours) {
    out.push_str(" fill=\"");
    match ink {
        Some(ink) => colours.write(out, ink),
        None => out.push_str("none"),
    }
    out.push('"');
}

fn shape(out: &mut String, mark: &Mark, filled: bool, colours: &Colours) {
    let name = match &mark.shape {
        &Shape::Rect { x, y, width, height, radius } => {
            let _ = write!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                Px(x),
                Px(y),
                Px(width.max(0.0)),
                Px(height.max(0.0))
            );
            if radius > 0.0 {
                let _ = write!(out, " rx=\"{}\"", Px(radius));
            }
            "rect"
        }
        Shape::Line([(x1, y1), (x2, y2)]) => {
            let _ = write!(out, "<path d=\"M{} {}L{} {}\"", Px(*x1), Px(*y1), Px(*x2), Px(*y2));
            "path"
        }
        Shape::Polyline(points) => {
            path(out, points, "");
            "path"
        }
        Shape::Polygon(points) => {
            path(out, points, "Z");
            "path"
        }
        Shape::Circle { centre: (x, y), radius } => {
            // Points are many and small: a tenth of a pixel is enough.
            let tenth = |v: f64| Px((v * 10.0).round() / 10.0);
            let _ = write!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", tenth(*x), tenth(*y), Px(radius.max(0.0)));
            "circle"
        }
        Shape::Picture { x, y, width, height, raster, smooth } => {
            let (x, y, width, height) = (Px(*x), Px(*y), Px(width.max(0.0)), Px(height.max(0.0)));
            let _ = write!(out, "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
            out.push_str(" preserveAspectRatio=\"none\"");
            if !smooth {
                out.push_str(" style=\"image-rendering:pixelated\"");
            }
            let _ = write!(out, " href=\"{}\"", raster.data_url(colours.theme()));
            "image"
        }
        Shape::Text(text) => {
            letters(out, text, mark.tooltip.as_deref(), colours);
            return;
        }
    };
    if filled && name != "image" {
        fill(out, mark.fill, colours);
    }
    match &mark.tooltip {
        None => out.push_str("/>"),
        Some(tooltip) => {
            out.push('>');
            title(out, tooltip);
            let _ = write!(out, "</{name}>");
        }
    }
}

fn path(out: &mut String, points: &[(f64, f64)], end: &str) {
    out.push_str("<path d=\"");
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(out, "{}{} {}", if i == 0 { 'M' } else { 'L' }, Px(*x), Px(*y));
    }
    out.push_str(end);
    out.push('"');
}

fn letters(out: &mut String, text: &Text, tooltip: Option<&str>, colours: &Colours) {
    let (x, y) = (Px(text.at.0), Px(text.at.1));
    let _ = write!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"", Px(text.size));
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
        Anchor::End => out.push_str(" text-anchor=\"end\""),
    }
    if text.bold {
        out.push_str(" font-weight=\"600\"");
    }
    if text.vertical {
        let _ = write!(out, " transform=\"rotate(-90 {x} {y})\"");
    }
    let one = text.spans.len() == 1;
    let fill = |out: &mut String, ink| {
        fill(out, Some(ink), colours);
        out.push('>');
    };
    match text.spans.as_slice() {
        [span] => fill(out, span.ink),
        // Spaces at the border of two spans count.
        _ => out.push_str(" xml:space=\"preserve\">"),
    }
    if let Some(tooltip) = tooltip {
        title(out, tooltip);
    }
    for span in &text.spans {
        if one {
            escape(out, &span.text);
        } else {
            out.push_str("<tspan");
            fill(out, span.ink);
            escape(out, &span.text);
            out.push_str("</tspan>");
        }
    }
    out.push_str("</text>");
}

fn title(out: &mut String, text: &str) {
    out.push_str("<title>");
    match text.char_indices().nth(LONGEST) {
        None => escape(out, text),
        Some((end, _)) => {
            escape(out, &text[..end]);
            out.push('…');
        }
    }
    out.push_str("</title>");
}
