//! `xai plot`.

use std::io::IsTerminal;
use std::path::Path;

use xai::core::{Curve, Document, Effects, Error, Feature, Interactions, Output};
use xai::viz::{self, Scene, Terminal, Theme};

use crate::args::{Picture, PlotArgs, ThemeName};
use crate::failure::Failure;
use crate::files;

/// How many features a picture shows when not told otherwise.
const MOST: usize = 15;

/// Draws an explanation that was saved as JSON.
pub fn run(args: &PlotArgs) -> Result<(), Failure> {
    files::not_over(args.output.as_deref(), [args.input.as_path()])?;
    let document = read(&args.input)?;
    used(args, kind(args, &document))?;
    let theme = match args.theme {
        ThemeName::Light => Theme::light(),
        ThemeName::Dark => Theme::dark(),
    };
    match &args.output {
        None => files::write(None, in_terminal(args, &document)?.as_bytes()),
        Some(path) => {
            let scene = scene(args, &document)?;
            let bytes = match path.extension().and_then(|e| e.to_str()) {
                Some("svg") => scene.svg(&theme).into_bytes(),
                Some("png") => viz::Png::default().render(&scene, &theme)?,
                _ => return Err(Failure::Use(format!("{}: a picture ends in .svg or .png", path.display()))),
            };
            files::write(Some(path), &bytes)
        }
    }
}

/// Reads a document, from standard input for `-`.
fn read(path: &Path) -> Result<Document, Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).map_err(io)?
    } else {
        std::fs::read_to_string(path).map_err(io)?
    };
    let malformed = |error: serde_json::Error| Error::Malformed {
        format: "xai JSON",
        at: format!("line {}, column {}", error.line(), error.column()),
        problem: error.to_string(),
    };
    if !text.contains("\"schema\"") {
        let reason = "it holds no explanation; `xai explain` writes them";
        return Err(Error::unsupported("a file that does not name its schema", reason).in_file(path));
    }
    let document: Document = serde_json::from_str(&text).map_err(|error| malformed(error).in_file(path))?;
    match document {
        Document::Attribution(attribution) => Ok(Document::Attribution(attribution.checked()?)),
        Document::Interactions(interactions) => Ok(Document::Interactions(interactions.checked()?)),
        other => Ok(other),
    }
}

/// Refuses options that the picture would ignore.
fn used(args: &PlotArgs, kind: Picture) -> Result<(), Failure> {
    let of_feature = matches!(kind, Picture::Dependence | Picture::Curve);
    let of_league = matches!(kind, Picture::League | Picture::Cost | Picture::Agreement);
    let of_sample = matches!(kind, Picture::Waterfall | Picture::Force | Picture::Bar | Picture::Matrix);
    for (option, given, fits) in [
        ("--feature", args.feature.is_some(), of_feature),
        ("--sample", args.sample.is_some(), of_sample),
        ("--most", args.most.is_some(), !of_feature && !of_league),
    ] {
        if given && !fits {
            return Err(Failure::Use(format!("{option} says nothing to --kind {}", name(kind))));
        }
    }
    Ok(())
}

fn kind(args: &PlotArgs, document: &Document) -> Picture {
    args.kind.unwrap_or(match document {
        Document::Attribution(a) if a.n_samples() > 1 => Picture::Beeswarm,
        Document::Attribution(_) => Picture::Waterfall,
        Document::Interactions(i) if i.order == 2 => Picture::Matrix,
        Document::Interactions(_) => Picture::Bar,
        Document::Importance(_) => Picture::Importance,
        Document::League(_) => Picture::League,
        _ => Picture::Curve,
    })
}

fn scene(args: &PlotArgs, document: &Document) -> Result<Scene, Failure> {
    let kind = kind(args, document);
    let top = args.most.unwrap_or(MOST);
    match (kind, document) {
        (Picture::Matrix, Document::Interactions(i)) => Ok(matrix(args, i)?.scene(i)?),
        (Picture::Bar, Document::Interactions(i)) => Ok(sets(args, i)?.scene(i)?),
        (Picture::Importance, Document::Importance(importance)) => {
            let output = place(&importance.outputs, &args.class)?;
            Ok(viz::ImportanceBars { output, top, ..Default::default() }.scene(importance)?)
        }
        (Picture::Curve, Document::Effects(effects)) => {
            let output = place(&effects.outputs, &args.class)?;
            let curve = curve(args, effects)?;
            if effects.curves[curve].features.len() == 2 {
                return Ok(viz::Surface { curve, output, ..Default::default() }.scene(effects)?);
            }
            Ok(viz::EffectCurve { curve, output: Some(output), ..Default::default() }.scene(effects)?)
        }
        (Picture::League, Document::League(league)) => Ok(viz::LeagueTable::default().scene(league)?),
        (Picture::Cost, Document::League(league)) => Ok(viz::CostPicture::default().scene(league)?),
        (Picture::Agreement, Document::League(league)) => Ok(viz::AgreementMap::default().scene(league)?),
        (_, Document::Attribution(a)) => {
            let output = place(&a.outputs, &args.class)?;
            let sample = args.sample.unwrap_or(0);
            match kind {
                Picture::Waterfall => Ok(viz::Waterfall { sample, output, top, ..Default::default() }.scene(a)?),
                Picture::Force => Ok(viz::Force { sample, output, top, ..Default::default() }.scene(a)?),
                Picture::Bar => {
                    let bar = viz::Bar { sample: args.sample, output: Some(output), top, ..Default::default() };
                    Ok(bar.scene(a)?)
                }
                Picture::Beeswarm => Ok(viz::Beeswarm { output, top, ..Default::default() }.scene(a)?),
                Picture::Heatmap => Ok(viz::Heatmap { output, top, ..Default::default() }.scene(a)?),
                Picture::Decision => Ok(viz::Decision { output, top, ..Default::default() }.scene(a)?),
                Picture::Dependence => {
                    let feature = match &args.feature {
                        None => most_important(a, output),
                        Some(name) => a.features.iter().position(|f: &Feature| f.name == *name),
                    };
                    let feature = feature.ok_or_else(|| no_feature(args))?;
                    Ok(viz::Dependence { feature, output, ..Default::default() }.scene(a)?)
                }
                Picture::Importance
                | Picture::Curve
                | Picture::Matrix
                | Picture::League
                | Picture::Cost
                | Picture::Agreement => Err(unfit(kind, document)),
            }
        }
        _ => Err(unfit(kind, document)),
    }
}

/// The pictures that text can show: sums, bars and curves.
fn in_terminal(args: &PlotArgs, document: &Document) -> Result<String, Failure> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let terminal = Terminal { width: 100, colour };
    let (top, sample) = (args.most.unwrap_or(MOST), args.sample.unwrap_or(0));
    match document {
        Document::Interactions(i) => match kind(args, document) {
            Picture::Matrix => Ok(terminal.matrix(i, &matrix(args, i)?)?),
            Picture::Bar => Ok(terminal.interactions(i, &sets(args, i)?)?),
            other => Err(unfit(other, document)),
        },
        Document::Attribution(a) => {
            let output = place(&a.outputs, &args.class)?;
            match kind(args, document) {
                Picture::Waterfall => {
                    Ok(terminal.waterfall(a, &viz::Waterfall { sample, output, top, ..Default::default() })?)
                }
                // A swarm needs more room than text has: bars say what matters.
                Picture::Bar | Picture::Beeswarm if args.kind != Some(Picture::Beeswarm) => {
                    let bar = viz::Bar { sample: args.sample, output: Some(output), top, ..Default::default() };
                    Ok(terminal.bars(a, &bar)?)
                }
                other => Err(Failure::Use(format!("--kind {} needs --output FILE.svg or FILE.png", name(other)))),
            }
        }
        Document::Importance(importance) => {
            let output = place(&importance.outputs, &args.class)?;
            Ok(terminal.importance(importance, &viz::ImportanceBars { output, top, ..Default::default() })?)
        }
        Document::Effects(effects) => {
            const LINES: usize = 12;
            let output = place(&effects.outputs, &args.class)?;
            Ok(terminal.curve(effects, curve(args, effects)?, output, LINES)?)
        }
        Document::League(league) => match kind(args, document) {
            Picture::League => Ok(terminal.league(league)?),
            other => Err(Failure::Use(format!("--kind {} needs --output FILE.svg or FILE.png", name(other)))),
        },
        other => Err(unfit(kind(args, other), other)),
    }
}

/// The map of pairs that was asked for: of the only sample, where there is but one.
fn matrix(args: &PlotArgs, i: &Interactions) -> Result<viz::InteractionMatrix, Failure> {
    let default = viz::InteractionMatrix::default();
    let (sample, output) = (the_sample(args, i), place(&i.outputs, &args.class)?);
    Ok(viz::InteractionMatrix { sample, output, top: args.most.unwrap_or(default.top), ..default })
}

fn sets(args: &PlotArgs, i: &Interactions) -> Result<viz::InteractionBars, Failure> {
    let (sample, output) = (the_sample(args, i), place(&i.outputs, &args.class)?);
    Ok(viz::InteractionBars { sample, output, top: args.most.unwrap_or(MOST), ..Default::default() })
}

fn the_sample(args: &PlotArgs, i: &Interactions) -> Option<usize> {
    args.sample.or((i.n_samples() == 1).then_some(0))
}

/// The curve of the feature that was asked for; the first one otherwise.
fn curve(args: &PlotArgs, effects: &Effects) -> Result<usize, Failure> {
    let named = |curve: &Curve| args.feature.as_ref().is_none_or(|name| curve.features.iter().any(|f| f.name == *name));
    effects.curves.iter().position(named).ok_or_else(|| no_feature(args))
}

fn most_important(a: &xai::core::Attribution, output: usize) -> Option<usize> {
    let size = |feature: usize| a.values.index_axis(ndarray::Axis(1), feature).column(output).mapv(f64::abs).sum();
    (0..a.features.len()).max_by(|&i, &j| size(i).total_cmp(&size(j)))
}

/// An output by its name, or by its number.
pub fn place(outputs: &[Output], wanted: &str) -> Result<usize, Failure> {
    let by_name = outputs.iter().position(|output| output.name == wanted);
    let by_number = || wanted.parse().ok().filter(|&place: &usize| place < outputs.len());
    by_name.or_else(by_number).ok_or_else(|| {
        let known = outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", ");
        Failure::Use(format!("--class {wanted}: the explanation has the outputs {known}"))
    })
}

fn no_feature(args: &PlotArgs) -> Failure {
    Failure::Use(format!("--feature {}: the explanation has no such feature", args.feature.as_deref().unwrap_or("?")))
}

fn name(kind: Picture) -> String {
    clap::ValueEnum::to_possible_value(&kind).map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn unfit(kind: Picture, document: &Document) -> Failure {
    let what = match document {
        Document::Attribution(_) => "an attribution",
        Document::Interactions(_) => "interactions",
        Document::Importance(_) => "an importance",
        Document::Effects(_) => "effects",
        Document::League(_) => "a league",
        _ => "a prediction",
    };
    Failure::Use(format!("--kind {}: the file holds {what}, which such a picture cannot show", name(kind)))
}
