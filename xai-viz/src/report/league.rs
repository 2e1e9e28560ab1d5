//! A contest of methods on one page.

use std::fmt::Write;

use xai_core::{League, Result};

use super::figures::{NARROW, figure};
use super::page::{Page, list};
use super::tables;
use crate::charts::league::{chance, checked, cost, name_of, ranked, told, way};
use crate::clean::escaped;
use crate::number::plain_digits;
use crate::rows::readable;
use crate::{AgreementMap, Cost, CostPicture, LeagueTable};

/// A league as one self-contained page: the table, what quality costs, who agrees with whom, and where methods differ.
///
/// # Example
/// ```
/// # use xai_core::league::Contestant;
/// # let league = xai_core::League {
/// #     provenance: xai_core::Provenance::new("tournament", &xai_core::Run::default()), n_samples: 0,
/// #     methods: vec![Contestant { name: "mine".into(), is_baseline: false, evaluations: 1, seconds: 0.1, peak_bytes: None,
/// #         mean_rank: None, n_ranked: 0, failure: None }],
/// #     metrics: vec![], results: vec![], agreement: ndarray::array![[1.0]], disagreements: vec![] };
/// let page = xai_viz::LeaguePage { title: "Who explains best?".into(), ..Default::default() }.html(&league)?;
/// assert!(page.contains("<h1>Who explains best?</h1>"));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LeaguePage {
    /// The heading.
    pub title: String,
    /// What the reader should know first, a paragraph each.
    pub summary: Vec<String>,
    /// Facts about model and data: what is said, and of what.
    pub facts: Vec<(String, String)>,
    /// Whether the page carries its font (320 KB), so that it looks the same everywhere.
    pub embed_font: bool,
}

impl Default for LeaguePage {
    fn default() -> Self {
        LeaguePage { title: "Methods compared".into(), summary: Vec::new(), facts: Vec::new(), embed_font: true }
    }
}

const CAUTION: &str = "<p>No measure here knows the truth. Metrics that mask features favour methods with the same idea of \
absence; agreement does not say who is right; and a mean rank hangs on who takes part and on the weights. A metric that \
cannot tell a method from <b>random</b>, <b>equal</b> or <b>input-size</b>, which know nothing of the model, says nothing \
about it.</p>";

const STANDING: &str = "<p class=\"how\"><strong>How to read it.</strong> Each column is a metric on a scale of its own: the \
dot is the mean over samples, the line its 95 % interval. <b>#1</b> marks the best and all that cannot be told apart from \
it. The mean rank is the mean of the ranks by metric, with the weights that stand above the columns.</p>";

const COSTS: &str = "<p class=\"how\"><strong>How to read it.</strong> Up is better, right is dearer. The line joins the \
methods that no other beats in both; what lies below and to the right of it costs more for less.</p>";

impl LeaguePage {
    /// The page.
    ///
    /// # Errors
    /// Those of [`LeagueTable::scene`].
    pub fn html(&self, league: &League) -> Result<String> {
        checked(league)?;
        let mut page = Page::new(&self.title, self.embed_font);
        page.paragraphs("lead", &self.summary);
        page.section("caution", "Before you read on", |out| {
            out.push_str(CAUTION);
            Ok(())
        })?;
        page.section("standing", "Who stands where", |out| {
            out.push_str(STANDING);
            let scene = LeagueTable::default().scene(league)?;
            let caption = format!("{league}");
            let _ = write!(out, "<figure><figcaption>{}</figcaption>", escaped(&caption));
            let _ = writeln!(out, "<div class=\"scroll\" tabindex=\"0\">{}</div></figure>", scrolled(&scene));
            table(out, league);
            tables::provenance(out, &league.provenance, &[]);
            Ok(())
        })?;
        if league.methods.iter().any(|m| m.mean_rank.is_some() && m.failure.is_none()) {
            page.section("cost", "What quality costs", |out| {
                out.push_str(COSTS);
                for (by, caption) in
                    [(Cost::Seconds, "Mean rank by seconds"), (Cost::Evaluations, "By model evaluations")]
                {
                    let picture = CostPicture { cost: by, ..CostPicture::default() };
                    let narrow = CostPicture { width: NARROW, height: 340.0, ..picture.clone() }.scene(league)?;
                    figure(out, caption, &picture.scene(league)?, &narrow, |_| {});
                }
                Ok(())
            })?;
        }
        page.section("agreement", "Who agrees with whom", |out| {
            let map = AgreementMap::default();
            let narrow = AgreementMap { width: NARROW, ..map.clone() }.scene(league)?;
            figure(out, "How alike methods order the features", &map.scene(league)?, &narrow, |_| {});
            disagreements(out, league);
            Ok(())
        })?;
        page.section("facts", "What was compared", |out| {
            tables::facts(out, "Model and data", &self.facts);
            weights(out, league);
            Ok(())
        })?;
        let failures = failures(league);
        if !failures.is_empty() {
            page.section("failures", "What has no value, and why", |out| {
                list(out, &failures);
                Ok(())
            })?;
        }
        Ok(page.finish())
    }
}

/// The picture at its own width, to be scrolled.
fn scrolled(scene: &crate::Scene) -> String {
    let svg = scene.svg_inline();
    format!("<div style=\"width:{:.0}px\">{svg}</div>", scene.width)
}

/// The same as a table, for reading and copying.
fn table(out: &mut String, league: &League) {
    out.push_str(
        "<details><summary>All numbers</summary><div class=\"scroll\" tabindex=\"0\"><table class=\"values\">",
    );
    out.push_str("<caption>Every method and metric</caption><thead><tr><th scope=\"col\">Method</th>");
    out.push_str("<th scope=\"col\" class=\"n\">Mean rank</th>");
    for metric in &league.metrics {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(&readable(&metric.name)));
    }
    out.push_str(
        "<th scope=\"col\" class=\"n\">Evaluations</th><th scope=\"col\" class=\"n\">Seconds</th></tr></thead><tbody>",
    );
    for m in league.standing() {
        let method = &league.methods[m];
        let rank = method.mean_rank.map_or_else(|| "–".to_owned(), ranked);
        let _ = write!(out, "<tr><th scope=\"row\">{}</th><td class=\"n\">{rank}</td>", escaped(&name_of(method)));
        for k in 0..league.metrics.len() {
            let finding = &league.results[m * league.metrics.len() + k];
            let text = if finding.mean.is_some() { told(finding) } else { "–".to_owned() };
            let _ = write!(out, "<td>{}</td>", escaped(&text));
        }
        let _ = write!(
            out,
            "<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            method.evaluations,
            cost(method.seconds)
        );
    }
    out.push_str("</tbody></table></div></details>\n");
}

/// What the mean rank is made of.
fn weights(out: &mut String, league: &League) {
    if league.metrics.is_empty() {
        return;
    }
    out.push_str("<table class=\"values\"><caption>What the mean rank is made of</caption><thead><tr>");
    out.push_str("<th scope=\"col\">Metric</th><th scope=\"col\">Better</th><th scope=\"col\" class=\"n\">Weight</th>");
    out.push_str("<th scope=\"col\">Do methods differ at all? (Friedman)</th></tr></thead><tbody>");
    for metric in &league.metrics {
        let test = metric.test.as_ref().map_or_else(
            || "too few methods or samples to compare".to_owned(),
            |t| format!("{}, {} methods on {} samples", chance(t.p_value), t.n_methods, t.n_blocks),
        );
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escaped(&readable(&metric.name)),
            way(metric),
            plain_digits(metric.weight, 3),
            escaped(&test)
        );
    }
    out.push_str("</tbody></table>\n");
}

fn disagreements(out: &mut String, league: &League) {
    if league.disagreements.is_empty() {
        return;
    }
    out.push_str(
        "<table class=\"values\"><caption>Samples of which two methods tell different stories, the worst first",
    );
    out.push_str(
        "</caption><thead><tr><th scope=\"col\" class=\"n\">Sample</th><th scope=\"col\" class=\"n\">Output</th>",
    );
    out.push_str(
        "<th scope=\"col\">Methods</th><th scope=\"col\" class=\"n\">Rank correlation</th></tr></thead><tbody>",
    );
    for d in &league.disagreements {
        let pair = format!("{} and {}", name_of(&league.methods[d.first]), name_of(&league.methods[d.second]));
        let _ = write!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            d.sample,
            d.output,
            escaped(&pair),
            plain_digits(d.correlation, 2)
        );
    }
    out.push_str("</tbody></table>\n");
}

/// What has no value, in sentences.
fn failures(league: &League) -> Vec<String> {
    let mut told = Vec::new();
    for (m, method) in league.methods.iter().enumerate() {
        if let Some(reason) = &method.failure {
            told.push(format!("{} has no explanation: {}", name_of(method), readable(reason)));
            continue;
        }
        for (k, metric) in league.metrics.iter().enumerate() {
            let finding = &league.results[m * league.metrics.len() + k];
            if let Some(reason) = finding.failure.as_ref().filter(|_| finding.mean.is_none()) {
                told.push(format!("{}, {}: {}", name_of(method), readable(&metric.name), readable(reason)));
            }
        }
    }
    told
}
