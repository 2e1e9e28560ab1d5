//! A picture as plain data: marks with coordinates in pixels and colours by role.

use crate::raster::Raster;

/// A picture, ready to be written as SVG or PNG.
///
/// The first mark lies lowest. The x axis runs to the right, the y axis down.
///
/// # Example
/// ```
/// use xai_viz::{Ink, Mark, Scene, Theme};
/// let mut scene = Scene::new(100.0, 50.0, "a bar");
/// scene.push(Mark::rect(10.0, 10.0, 80.0, 20.0).fill(Ink::Up).tip("80 wide"));
/// assert!(scene.svg(&Theme::light()).contains("<title>80 wide</title>"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The width in pixels.
    pub width: f64,
    /// The height in pixels.
    pub height: f64,
    /// What the picture shows, for readers who cannot see it.
    pub label: String,
    /// What is drawn.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// An empty picture.
    pub fn new(width: f64, height: f64, label: impl Into<String>) -> Self {
        Scene { width, height, label: label.into(), marks: Vec::new() }
    }

    /// Draws `mark` above all that is there.
    pub fn push(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// The marks of one class, in drawing order.
    pub fn of_class<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Mark> {
        self.marks.iter().filter(move |mark| mark.class == class)
    }

    /// Every text in drawing order, its spans joined.
    pub fn texts(&self) -> Vec<String> {
        let text = |mark: &Mark| match &mark.shape {
            Shape::Text(text) => Some(text.content()),
            _ => None,
        };
        self.marks.iter().filter_map(text).collect()
    }
}

/// One thing that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// What is drawn, and where.
    pub shape: Shape,
    /// The colour of the area (of the letters, for a text).
    pub fill: Option<Ink>,
    /// The line around it, or the line itself.
    pub stroke: Option<Stroke>,
    /// From 0, invisible, to 1.
    pub opacity: f64,
    /// What a reader sees who points at it.
    pub tooltip: Option<String>,
    /// What it stands for: `bar`, `point`, `label`, `tick`, ….
    pub class: &'static str,
}

/// A shape with its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A rectangle.
    Rect {
        /// The left border.
        x: f64,
        /// The upper border.
        y: f64,
        /// At least 0.
        width: f64,
        /// At least 0.
        height: f64,
        /// The radius of the corners.
        radius: f64,
    },
    /// A straight line between two points.
    Line([Point; 2]),
    /// A line through points.
    Polyline(Vec<Point>),
    /// A closed area with these corners.
    Polygon(Vec<Point>),
    /// A disc.
    Circle {
        /// The centre.
        centre: Point,
        /// The radius.
        radius: f64,
    },
    /// A line of text.
    Text(Text),
    /// A grid of cells, stretched over a box.
    Picture {
        /// The left border.
        x: f64,
        /// The upper border.
        y: f64,
        /// At least 0.
        width: f64,
        /// At least 0.
        height: f64,
        /// What is in the cells.
        raster: Raster,
        /// Whether colours run into each other between cells; otherwise every cell is a box of one colour.
        smooth: bool,
    },
}

/// A place: x, y.
pub type Point = (f64, f64);

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Where the anchor lies, on the line that letters stand on.
    pub at: Point,
    /// Which part of the text lies at `at`.
    pub anchor: Anchor,
    /// The size of the letters in pixels.
    pub size: f64,
    /// Whether the letters are semi-bold.
    pub bold: bool,
    /// Whether the text runs upwards.
    pub vertical: bool,
    /// The parts, each in a colour of its own.
    pub spans: Vec<Span>,
}

impl Text {
    /// All spans joined.
    pub fn content(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// The width of the text in pixels.
    pub fn width(&self) -> f64 {
        self.spans.iter().map(|span| crate::font::width(&span.text, self.size, self.bold)).sum()
    }

    /// The smallest box around the text: left, top, right, bottom.
    pub fn bounds(&self) -> [f64; 4] {
        let (width, (x, y)) = (self.width(), self.at);
        let before = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let (up, down) = (0.74 * self.size, 0.22 * self.size);
        if self.vertical {
            return [x - up, y + before - width, x + down, y + before];
        }
        [x - before, y - up, x - before + width, y + down]
    }
}

/// A part of a text in one colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The letters.
    pub text: String,
    /// Their colour.
    pub ink: Ink,
}

/// Which part of a text lies at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// The colour.
    pub ink: Ink,
    /// The width in pixels.
    pub width: f64,
    /// The lengths of dash and gap; a full line without.
    pub dash: Option<(f64, f64)>,
}

/// A colour by what it stands for; a [`Theme`](crate::Theme) says which colour that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ink {
    /// Letters.
    Text,
    /// Letters that matter less.
    Muted,
    /// Lines behind the data.
    Grid,
    /// Axes.
    Axis,
    /// What the picture lies on.
    Background,
    /// What raises a score.
    Up,
    /// What lowers a score.
    Down,
    /// Letters on [`Ink::Up`], [`Ink::Down`] and [`Ink::Accent`].
    OnFill,
    /// A value that is missing or has no order.
    Missing,
    /// A quantity without a sign.
    Accent,
    /// One of several things side by side; the colours repeat after [`N_SERIES`](crate::theme::N_SERIES).
    Series(usize),
    /// A feature's value, from 0, the lowest, to 1, the highest.
    Value(f64),
    /// A quantity on a surface, from 0 to 1.
    Surface(f64),
}

impl Mark {
    fn new(shape: Shape) -> Self {
        Mark { shape, fill: None, stroke: None, opacity: 1.0, tooltip: None, class: "" }
    }

    /// A rectangle by its left upper corner and its size.
    pub fn rect(x: f64, y: f64, width: f64, height: f64) -> Self {
        Mark::new(Shape::Rect { x, y, width: width.max(0.0), height: height.max(0.0), radius: 0.0 })
    }

    /// Cells in a box of which `at` is the left upper corner.
    pub fn picture(at: Point, width: f64, height: f64, raster: Raster, smooth: bool) -> Self {
        let (width, height) = (width.max(0.0), height.max(0.0));
        Mark::new(Shape::Picture { x: at.0, y: at.1, width, height, raster, smooth })
    }

    /// A line in `ink`, one pixel wide.
    pub fn line(from: Point, to: Point, ink: Ink) -> Self {
        Mark::new(Shape::Line([from, to])).stroke(ink, 1.0)
    }

    /// A line through points in `ink`.
    pub fn polyline(points: Vec<Point>, ink: Ink, width: f64) -> Self {
        Mark::new(Shape::Polyline(points)).stroke(ink, width)
    }

    /// A closed area.
    pub fn polygon(points: Vec<Point>) -> Self {
        Mark::new(Shape::Polygon(points))
    }

    /// A disc.
    pub fn circle(centre: Point, radius: f64) -> Self {
        Mark::new(Shape::Circle { centre, radius })
    }

    /// A text that begins at `at`.
    pub fn text(at: Point, size: f64, text: impl Into<String>) -> Self {
        let spans = vec![Span { text: text.into(), ink: Ink::Text }];
        Mark::new(Shape::Text(Text { at, anchor: Anchor::Start, size, bold: false, vertical: false, spans }))
    }

    /// Rounds the corners of a rectangle.
    #[must_use]
    pub fn rounded(mut self, by: f64) -> Self {
        if let Shape::Rect { radius, .. } = &mut self.shape {
            *radius = by;
        }
        self
    }

    /// Sets where a text lies by its place.
    #[must_use]
    pub fn anchor(self, anchor: Anchor) -> Self {
        self.letters(|text| text.anchor = anchor)
    }

    /// Makes a text semi-bold.
    #[must_use]
    pub fn bold(self) -> Self {
        self.letters(|text| text.bold = true)
    }

    /// Turns a text upwards.
    #[must_use]
    pub fn vertical(self) -> Self {
        self.letters(|text| text.vertical = true)
    }

    /// Adds a part to a text.
    #[must_use]
    pub fn span(self, part: impl Into<String>, ink: Ink) -> Self {
        let text = part.into();
        self.letters(|letters| letters.spans.push(Span { text, ink }))
    }

    /// Colours an area, or all of a text.
    #[must_use]
    pub fn fill(mut self, ink: Ink) -> Self {
        self.fill = Some(ink);
        self.letters(|text| text.spans.iter_mut().for_each(|span| span.ink = ink))
    }

    /// Draws a line around an area.
    #[must_use]
    pub fn stroke(mut self, ink: Ink, width: f64) -> Self {
        self.stroke = Some(Stroke { ink, width, dash: None });
        self
    }

    /// Breaks the line into dashes.
    #[must_use]
    pub fn dashed(mut self, dash: f64, gap: f64) -> Self {
        if let Some(stroke) = &mut self.stroke {
            stroke.dash = Some((dash, gap));
        }
        self
    }

    /// Lets what lies below shine through.
    #[must_use]
    pub fn opacity(mut self, opacity: f64) -> Self {
        self.opacity = opacity;
        self
    }

    /// What a reader sees who points at it.
    #[must_use]
    pub fn tip(mut self, tooltip: impl Into<String>) -> Self {
        self.tooltip = Some(tooltip.into());
        self
    }

    /// Says what it stands for.
    #[must_use]
    pub fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    fn letters(mut self, change: impl FnOnce(&mut Text)) -> Self {
        if let Shape::Text(text) = &mut self.shape {
            change(text);
        }
        self
    }
}
