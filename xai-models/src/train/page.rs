//! The history as a page that needs nothing else.

use std::fmt::Write;

use super::{Epoch, Histogram, History};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 160.0;
const COLOURS: [&str; 8] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"];

impl History {
    /// Curves of loss, accuracy and gradient norms, and the weights of each layer over the epochs, as one HTML page
    /// without scripts or anything to load.
    pub fn html(&self) -> String {
        let mut page = String::from(
            "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Training</title><style>\
             body{font:14px system-ui,sans-serif;margin:2em;color:#222;background:#fff}\
             figure{display:inline-block;margin:0 2em 2em 0;vertical-align:top}figcaption{font-weight:600}\
             svg{background:#fafafa;border:1px solid #ddd}span{margin-right:1em;white-space:nowrap}</style><h1>Training</h1>",
        );
        let line = |name: &str, of: &dyn Fn(&Epoch) -> Option<f64>| {
            (name.to_owned(), self.epochs.iter().map(of).collect::<Vec<_>>())
        };
        if let Some(last) = self.epochs.last() {
            let kept = self.epochs.get(self.best.wrapping_sub(1)).unwrap_or(last);
            let shown = kept.checked.unwrap_or(kept.learned);
            let right = shown.accuracy.map_or(String::new(), |a| format!(", {:.2} % right", a * 100.0));
            let _ = write!(
                page,
                "<p>{} epochs; kept is epoch {}: loss {:.4}{right}.</p>",
                last.epoch, kept.epoch, shown.loss
            );
        }
        let loss = [line("learned", &|e| Some(e.learned.loss)), line("checked", &|e| Some(e.checked?.loss))];
        curves(&mut page, "Loss", &loss, false);
        let right = [line("learned", &|e| e.learned.accuracy), line("checked", &|e| e.checked?.accuracy)];
        curves(&mut page, "Share that is right", &right, false);
        let mut norms = vec![line("all", &|e| Some(e.gradient_norm))];
        let names: Vec<&str> = self.epochs.first().map_or(vec![], |e| e.layers.iter().map(|l| &l.name[..]).collect());
        for (at, name) in names.iter().enumerate() {
            norms.push(line(name, &|e| Some(e.layers.get(at)?.gradient_norm)));
        }
        curves(&mut page, "Norm of the gradient (logarithmic)", &norms, true);
        page.push_str("<h2>Weights</h2>");
        for (at, name) in names.iter().enumerate() {
            let over = self.epochs.iter().filter_map(|epoch| Some(&epoch.layers.get(at)?.weights));
            weights(&mut page, name, &over.collect::<Vec<_>>());
        }
        page.push_str("</html>");
        page
    }
}

fn curves(page: &mut String, title: &str, lines: &[(String, Vec<Option<f64>>)], logarithmic: bool) {
    let scaled = |y: f64| if logarithmic { y.log10() } else { y };
    let points = || lines.iter().flat_map(|(_, line)| line.iter().flatten().map(|&y| scaled(y)));
    let (low, high) =
        points().filter(|y| y.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(y), b.max(y)));
    if low > high {
        return;
    }
    let room = if high > low { high - low } else { 1.0 };
    let _ = write!(
        page,
        "<figure><figcaption>{title}</figcaption><svg width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}\">"
    );
    for (at, (name, line)) in lines.iter().enumerate() {
        let steps = line.len().saturating_sub(1).max(1) as f64;
        let mut path = String::new();
        for (x, y) in line.iter().enumerate() {
            let Some(y) = y.map(scaled).filter(|y| y.is_finite()) else { continue };
            let (px, py) =
                (x as f64 / steps * (WIDTH - 20.0) + 10.0, HEIGHT - 10.0 - (y - low) / room * (HEIGHT - 20.0));
            let _ = write!(path, "{px:.1},{py:.1} ");
        }
        let colour = COLOURS[at % COLOURS.len()];
        let _ = write!(
            page,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{path}\"><title>{}</title></polyline>",
            escaped(name)
        );
    }
    let back = |y: f64| if logarithmic { 10f64.powf(y) } else { y };
    let _ = write!(page, "</svg><div>{:.4} to {:.4}</div><div>", back(low), back(high));
    for (at, (name, line)) in lines.iter().enumerate().filter(|(_, (_, line))| line.iter().any(Option::is_some)) {
        let last = line.iter().rev().flatten().next().copied().unwrap_or(f64::NAN);
        let colour = COLOURS[at % COLOURS.len()];
        let _ = write!(page, "<span style=\"color:{colour}\">{} {last:.4}</span>", escaped(name));
    }
    page.push_str("</div></figure>");
}

/// One row of cells an epoch, the first at the top; a cell is the darker the more weights lie in its bin.
fn weights(page: &mut String, name: &str, over: &[&Histogram]) {
    let name = escaped(name);
    let (low, high) = over.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), h| (a.min(h.low), b.max(h.high)));
    let (height, room) = ((HEIGHT / over.len().max(1) as f64).min(14.0), if high > low { high - low } else { 1.0 });
    let _ = write!(
        page,
        "<figure><figcaption>{name}</figcaption><svg width=\"{WIDTH}\" height=\"{:.1}\" role=\"img\" aria-label=\"weights of {name}\">",
        height * over.len() as f64
    );
    for (row, histogram) in over.iter().enumerate() {
        let bin = (histogram.high - histogram.low) / histogram.counts.len().max(1) as f64;
        let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        for (at, &count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let x = (histogram.low + at as f64 * bin - low) / room * WIDTH;
            let _ = write!(
                page,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#1f4e79\" opacity=\"{:.2}\"/>",
                row as f64 * height,
                (bin / room * WIDTH).max(1.0),
                (count as f64 / most).sqrt()
            );
        }
    }
    let _ = write!(page, "</svg><div>{low:.3} to {high:.3}, first epoch at the top</div></figure>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
