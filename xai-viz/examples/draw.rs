//! Draws a saved explanation: `cargo run -p xai-viz --example draw --features png -- explanation.json pictures/`

use std::error::Error;
use std::path::Path;

use xai_core::{Attribution, Document, Effects, Interactions};
use xai_viz::{
    Bar, Beeswarm, Decision, Dependence, EffectCurve, Force, Heatmap, ImportanceBars, InteractionBars,
    InteractionMatrix, Scene, Surface, Terminal, Theme, Waterfall,
};

type Pictures = Vec<(String, Scene)>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: draw EXPLANATION.json FOLDER".into());
    };
    let pictures = match serde_json::from_str(&std::fs::read_to_string(input)?)? {
        Document::Attribution(attribution) => of_attribution(&attribution)?,
        Document::Effects(effects) => of_effects(&effects)?,
        Document::Interactions(interactions) => of_interactions(&interactions)?,
        Document::Importance(importance) => {
            println!("{}", Terminal::default().importance(&importance, &ImportanceBars::default())?);
            vec![("importance".to_owned(), ImportanceBars::default().scene(&importance)?)]
        }
        other => return Err(format!("nothing to draw in {other:?}").into()),
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for (name, scene) in pictures {
        std::fs::write(folder.join(&name).with_extension("svg"), scene.svg(&Theme::light()))?;
        #[cfg(feature = "png")]
        for (theme, end) in [(Theme::light(), "png"), (Theme::dark(), "dark.png")] {
            let bytes = xai_viz::Png::default().render(&scene, &theme)?;
            std::fs::write(folder.join(&name).with_extension(end), bytes)?;
        }
    }
    Ok(())
}

fn of_attribution(a: &Attribution) -> Result<Pictures, Box<dyn Error>> {
    let sample = 3.min(a.n_samples().saturating_sub(1));
    println!("{}", Terminal::default().waterfall(a, &Waterfall { sample, ..Waterfall::default() })?);
    println!("{}", Terminal::default().bars(a, &Bar::default())?);
    let mut pictures = vec![
        ("waterfall".to_owned(), Waterfall { sample, ..Waterfall::default() }.scene(a)?),
        ("force".to_owned(), Force { sample, ..Force::default() }.scene(a)?),
        ("bar".to_owned(), Bar::default().scene(a)?),
        ("bar_sample".to_owned(), Bar { sample: Some(0), output: Some(0), ..Bar::default() }.scene(a)?),
        ("beeswarm".to_owned(), Beeswarm::default().scene(a)?),
        ("heatmap".to_owned(), Heatmap::default().scene(a)?),
        ("decision".to_owned(), Decision { highlight: Some(sample), ..Decision::default() }.scene(a)?),
    ];
    for feature in 0..a.features.len().min(6) {
        if a.data.is_some() {
            let scene = Dependence { feature, ..Dependence::default() }.scene(a)?;
            pictures.push((format!("dependence_{feature}"), scene));
        }
    }
    Ok(pictures)
}

fn of_effects(effects: &Effects) -> Result<Pictures, Box<dyn Error>> {
    let mut pictures = Vec::new();
    for (curve, shape) in effects.curves.iter().enumerate() {
        let name = format!("{}_{curve}", effects.provenance.method);
        pictures.push(match shape.features.len() {
            1 => {
                println!("{}", Terminal::default().curve(effects, curve, 0, 8)?);
                (name, EffectCurve { curve, ..EffectCurve::default() }.scene(effects)?)
            }
            _ => (name, Surface { curve, ..Surface::default() }.scene(effects)?),
        });
    }
    Ok(pictures)
}

fn of_interactions(interactions: &Interactions) -> Result<Pictures, Box<dyn Error>> {
    let mut pictures = Vec::new();
    for (name, sample) in [("mean", None), ("sample", Some(0))] {
        let matrix = InteractionMatrix { sample, ..InteractionMatrix::default() };
        let bars = InteractionBars { sample, ..InteractionBars::default() };
        println!("{}", Terminal::default().matrix(interactions, &matrix)?);
        println!("{}", Terminal::default().interactions(interactions, &bars)?);
        pictures.push((format!("matrix_{name}"), matrix.scene(interactions)?));
        pictures.push((format!("terms_{name}"), bars.scene(interactions)?));
    }
    Ok(pictures)
}
