//! A contest of methods as text, for a terminal.

use xai_core::league::{Contest, Finding};
use xai_core::{League, Result};

use crate::Terminal;
use crate::charts::league::{chance, checked, cost, found, name_of, ranked, way};
use crate::number::plain_digits;
use crate::rows::readable;
use crate::terminal::{BOLD, DIM, measure, padded, padded_left, shortened};

/// A column: two lines of heading, and a cell for each method with whether it stands out.
struct Column {
    head: [String; 2],
    cells: Vec<(String, bool)>,
}

impl Column {
    fn width(&self) -> usize {
        let heads = self.head.iter().map(|text| measure(text));
        heads.chain(self.cells.iter().map(|(text, _)| measure(text))).max().unwrap_or(0)
    }
}

impl Terminal {
    /// Who stands where: methods by metrics, best mean rank first, in as many blocks as the width needs.
    ///
    /// A cell is mean, interval and place; methods with the same place cannot be told apart from the best of that place.
    /// What failed is named below.
    ///
    /// # Errors
    /// As [`LeagueTable::scene`](crate::LeagueTable::scene), and [`Error::Parameter`](xai_core::Error::Parameter) for a
    /// width below 24.
    pub fn league(&self, league: &League) -> Result<String> {
        self.checked()?;
        checked(league)?;
        let order = league.standing();
        let names: Vec<String> = order.iter().map(|&m| name_of(&league.methods[m])).collect();
        let name = names.iter().map(|text| measure(text)).max().unwrap_or(0).clamp(6, (self.width * 2 / 5).max(6));
        let mut columns = vec![ranks(league, &order)];
        columns.extend((0..league.metrics.len()).map(|k| column(league, &order, k)));
        columns.extend(costs(league, &order));
        let mut out = String::new();
        let mut rest = columns.as_slice();
        while !rest.is_empty() {
            let mut used = name;
            let fits = rest.iter().take_while(|column| {
                used += column.width() + 2;
                used <= self.width
            });
            let n = fits.count().max(1);
            self.block(&mut out, league, &order, (&names, name), &rest[..n]);
            rest = &rest[n..];
            out.push('\n');
        }
        let note = format!(
            "{} samples; a cell: mean, 95 % interval, #place; the same place: not told apart (Friedman, Nemenyi, 0.05)",
            league.n_samples
        );
        for line in [note, weights(league)] {
            // What an aggregate is made of is never cut.
            out.push_str(&self.styled(DIM, &line));
            out.push('\n');
        }
        for (&m, name) in order.iter().zip(&names) {
            if let Some(reason) = &league.methods[m].failure {
                out.push_str(&format!("{name} has no explanation: {}\n", readable(reason)));
                continue;
            }
            for (k, metric) in league.metrics.iter().enumerate() {
                let finding = &league.results[m * league.metrics.len() + k];
                if let Some(reason) = finding.failure.as_ref().filter(|_| finding.mean.is_none()) {
                    out.push_str(&format!("{name}, {}: {}\n", readable(&metric.name), readable(reason)));
                }
            }
        }
        Ok(out)
    }

    fn block(
        &self,
        out: &mut String,
        league: &League,
        order: &[usize],
        (names, room): (&[String], usize),
        columns: &[Column],
    ) {
        for line in 0..2 {
            let first = padded(if line == 1 { "method" } else { "" }, room);
            let heads = columns.iter().map(|c| format!("  {}", padded_left(&c.head[line], c.width())));
            let text: String = std::iter::once(first).chain(heads).collect();
            out.push_str(&self.styled(DIM, text.trim_end()));
            out.push('\n');
        }
        for (row, &m) in order.iter().enumerate() {
            let text = padded(&shortened(&names[row], room), room);
            out.push_str(&if league.methods[m].is_baseline { self.styled(DIM, &text) } else { text });
            for column in columns {
                let (cell, strong) = &column.cells[row];
                let text = padded_left(cell, column.width());
                out.push_str("  ");
                out.push_str(&if *strong { self.styled(BOLD, &text) } else { text });
            }
            out.push('\n');
        }
    }
}

fn ranks(league: &League, order: &[usize]) -> Column {
    let cell = |&m: &usize| match league.methods[m].mean_rank {
        Some(rank) => (ranked(rank), true),
        None => ("–".to_owned(), false),
    };
    Column { head: ["mean".into(), "rank".into()], cells: order.iter().map(cell).collect() }
}

fn column(league: &League, order: &[usize], k: usize) -> Column {
    let metric: &Contest = &league.metrics[k];
    let n = league.metrics.len();
    Column {
        head: [readable(&metric.name), way(metric).to_owned()],
        cells: order.iter().map(|&m| cell(&league.results[m * n + k])).collect(),
    }
}

fn cell(finding: &Finding) -> (String, bool) {
    let Some((mean, interval)) = found(finding) else { return ("–".to_owned(), false) };
    let mut text = plain_digits(mean, 3);
    if let Some((low, high)) = interval {
        text.push_str(&format!(" [{}, {}]", plain_digits(low, 2), plain_digits(high, 2)));
    }
    if let Some(place) = finding.place {
        text.push_str(&format!(" #{place}"));
    }
    (text, finding.place == Some(1))
}

fn costs(league: &League, order: &[usize]) -> [Column; 2] {
    let column = |what: [&str; 2], value: &dyn Fn(usize) -> f64| Column {
        head: what.map(str::to_owned),
        cells: order
            .iter()
            .map(|&m| match league.methods[m].failure {
                Some(_) => ("failed".to_owned(), false),
                None => (cost(value(m)), false),
            })
            .collect(),
    };
    [
        column(["model", "evaluations"], &|m| league.methods[m].evaluations as f64),
        column(["", "seconds"], &|m| league.methods[m].seconds),
    ]
}

/// What the mean rank is made of.
fn weights(league: &League) -> String {
    let part = |metric: &Contest| {
        let test = metric.test.as_ref().map_or_else(|| "not tested".to_owned(), |test| chance(test.p_value));
        format!("{} ×{} ({test})", readable(&metric.name), plain_digits(metric.weight, 2))
    };
    format!("mean rank of: {}", league.metrics.iter().map(part).collect::<Vec<_>>().join(", "))
}
