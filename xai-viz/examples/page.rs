//! Makes one page of saved explanations: `cargo run -p xai-viz --example page -- page.html explanation.json …`

use std::error::Error;

use xai_core::{Document, Explanation, Value};
use xai_viz::{Confusion, Individual, Overview, Report};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let output = arguments.next().ok_or("usage: page PAGE.html EXPLANATION.json …")?;
    let read = |path: String| -> Result<Document, Box<dyn Error>> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    };
    let documents = arguments.map(read).collect::<Result<Vec<_>, _>>()?;
    let mut report = Report {
        title: "Income above 50K".to_owned(),
        summary: vec![
            "A gradient-boosted model that estimates whether a person earns more than 50,000 a year.".to_owned(),
        ],
        model: vec![("kind".into(), "gradient-boosted trees".into()), ("trees".into(), "80, depth 4".into())],
        data: vec![("rows".into(), "600".into()), ("columns".into(), "13, of which 4 categorical".into())],
        performance: vec![
            ("accuracy".into(), Value::Float(0.8733)),
            ("AUC".into(), Value::Float(0.9412)),
            ("log loss".into(), Value::Float(0.3021)),
            ("samples".into(), Value::Int(150)),
        ],
        confusion: Some(Confusion {
            names: vec!["at most 50K".into(), "above 50K".into()],
            counts: ndarray::array![[88, 9], [10, 43]],
        }),
        notes: vec!["The data were made up for this page.".into()],
        ..Report::default()
    };
    for document in &documents {
        match document {
            Document::Attribution(attribution) => {
                report.overviews.push(Overview { attribution, output: 0 });
                for sample in [3, 0].into_iter().filter(|&s| s < attribution.n_samples()) {
                    report.individuals.push(Individual {
                        title: format!("Sample {sample}"),
                        attribution,
                        sample,
                        output: 0,
                        facts: vec![("predicted".into(), "at most 50K".into()), ("true".into(), "at most 50K".into())],
                    });
                }
            }
            Document::Importance(importance) => report.importance.push(importance),
            Document::Effects(effects) => report.effects.push(effects),
            other => return Err(format!("{} has no place on the page", other.provenance().method).into()),
        }
    }
    std::fs::write(output, report.html()?)?;
    Ok(())
}
