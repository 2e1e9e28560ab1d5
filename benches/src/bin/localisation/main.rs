//! Where do explanations of images lie? `localisation [FOLDER] [--images N] [--only NAME,NAME]`
//!
//! Every method of the registry that explains images, with its default parameters, on pictures whose evidence is known:
//! planted stripes, and where FOLDER holds the shared data also handwritten digits pasted on noise and a photograph of a
//! bird. For each a table in Markdown: the part of the explanation's positive mass that lies on the evidence, with the
//! interval of its mean, whether the strongest place does, how many of the strongest places do, and what it costs.
//! The methods that know nothing of the model, `random` and `edge-detector`, are in it: what is not above them says nothing.

mod scenes;
mod score;
mod table;

use std::path::{Path, PathBuf};

use xai::core::{Error, Result};

/// How many pictures are made of each kind when not given.
const IMAGES: usize = 24;
/// The seed of the pictures and of the methods.
const SEED: u64 = 0;

struct Wanted {
    folder: PathBuf,
    n_images: usize,
    only: Vec<String>,
}

fn main() -> Result<()> {
    let wanted = wanted(std::env::args().skip(1))?;
    let mut scenes = vec![scenes::planted(wanted.n_images, SEED)?];
    for found in [scenes::digits(&wanted.folder, wanted.n_images, SEED)?, scenes::bird(&wanted.folder)?] {
        match found {
            scenes::Found::Scene(scene) => scenes.push(*scene),
            scenes::Found::Missing(path) => eprintln!("skipped: {} is not there", path.display()),
        }
    }
    for scene in &scenes {
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for method in xai::registry::Registry::standard().methods() {
            let name = &method.spec().name;
            if !wanted.only.is_empty() && !wanted.only.contains(name) {
                continue;
            }
            match score::score(method, scene, SEED)? {
                score::Outcome::Scored(row) => rows.push(row),
                score::Outcome::LeftOut(reason) => left_out.push((name.clone(), reason)),
                score::Outcome::OfOtherForms => {}
            }
        }
        print!("{}", table::markdown(scene, rows, &left_out));
    }
    Ok(())
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted> {
    let mut wanted = Wanted { folder: Path::new("../shared/data").into(), n_images: IMAGES, only: Vec::new() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--images" => {
                let text = arguments.next().unwrap_or_default();
                let number = text.parse().ok().filter(|n| (2..=10_000).contains(n));
                wanted.n_images =
                    number.ok_or_else(|| Error::parameter("--images", text, "a number from 2 to 10000"))?;
            }
            "--only" => {
                let names = arguments.next().unwrap_or_default();
                wanted.only = names.split(',').map(|name| name.trim().to_owned()).collect();
                let registry = xai::registry::Registry::standard();
                wanted.only.iter().try_for_each(|name| registry.get(name).map(|_| ()))?;
            }
            folder => wanted.folder = folder.into(),
        }
    }
    Ok(wanted)
}
