//! Draws a saved attribution: `cargo run -p xai-viz --example draw -- attribution.json pictures/`

use std::error::Error;
use std::path::Path;

use xai_core::{Attribution, Document};
use xai_viz::{Bar, Beeswarm, Scene, Theme, Waterfall};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: draw ATTRIBUTION.json FOLDER".into());
    };
    let Document::Attribution(attribution) = serde_json::from_str(&std::fs::read_to_string(input)?)? else {
        return Err("the file holds no attribution".into());
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for (name, scene) in pictures(&attribution)? {
        std::fs::write(folder.join(name).with_extension("svg"), scene.svg(&Theme::light()))?;
        #[cfg(feature = "png")]
        for (theme, end) in [(Theme::light(), "png"), (Theme::dark(), "dark.png")] {
            std::fs::write(folder.join(name).with_extension(end), xai_viz::Png::default().render(&scene, &theme)?)?;
        }
    }
    Ok(())
}

fn pictures(a: &Attribution) -> Result<Vec<(&'static str, Scene)>, Box<dyn Error>> {
    Ok(vec![
        ("waterfall", Waterfall { sample: 3.min(a.n_samples() - 1), ..Waterfall::default() }.scene(a)?),
        ("bar", Bar::default().scene(a)?),
        ("bar_sample", Bar { sample: Some(0), output: Some(0), ..Bar::default() }.scene(a)?),
        ("beeswarm", Beeswarm::default().scene(a)?),
    ])
}
