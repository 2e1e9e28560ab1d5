//! Methods compete, from the command line.

use super::{Case, json, with, xai};

/// Few methods, few subsets: the command is on trial, not the methods.
const SMALL: [&str; 10] = [
    "--methods",
    "tree-shap,kernel-shap",
    "--metrics",
    "faithfulness-correlation,sparseness=0.5",
    "--set",
    "faithfulness-correlation.n_subsets=10",
    "--set",
    "kernel-shap.n_coalitions=20",
    "--rows",
    "..6",
];

#[test]
fn a_league_is_written_as_table_json_page_and_picture() {
    let case = Case::new("lightgbm", "binary", "txt");
    let output = xai(with(case.args("bench"), &SMALL));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for what in
        ["tree-shap", "kernel-shap", "random", "equal", "input-size", "faithfulness-correlation", "sparseness ×0.5"]
    {
        assert!(text.contains(what), "{what}: {text}");
    }
    let steps = case.path("steps.jsonl");
    for (name, begins) in [("league.json", "{\"schema\":\"xai/league/1\""), ("l.html", "<!DOCTYPE"), ("l.svg", "<svg ")]
    {
        let path = case.path(name);
        let mut args = with(case.args("bench"), &SMALL);
        args.extend(["--output".into(), path.to_str().unwrap().into()]);
        args.extend(["--resume".into(), steps.to_str().unwrap().into()]);
        let output = xai(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read_to_string(path).unwrap().starts_with(begins), "{name}");
    }
    // What was stored is drawn again.
    let league = case.path("league.json");
    let plot = |more: &[&str]| xai(["plot", "--input", league.to_str().unwrap()].iter().chain(more));
    assert!(String::from_utf8_lossy(&plot(&[]).stdout).contains("mean rank of:"));
    for kind in ["league", "cost", "agreement"] {
        let picture = case.path("p.svg");
        let output = plot(&["--kind", kind, "--output", picture.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(plot(&["--kind", "waterfall", "--output", case.path("w.svg").to_str().unwrap()]).status.code(), Some(2));
}

/// A run that was killed while it wrote goes on, ends the same, and does nothing twice.
#[test]
fn a_killed_run_goes_on_from_its_steps() {
    let case = Case::new("lightgbm", "binary", "txt");
    let steps = case.path("steps.jsonl");
    let whole = case.path("whole.json");
    let args = |seed: &str, output: &std::path::Path| {
        let mut args = with(case.args("bench"), &SMALL);
        for path in [("--resume", &*steps), ("--output", output)] {
            args.extend([path.0.to_owned(), path.1.to_str().unwrap().to_owned()]);
        }
        with(args, &["--seed", seed])
    };
    assert!(xai(args("4", &whole)).status.success());
    let text = std::fs::read_to_string(&steps).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 5 + 5 * 2);
    // Cut in the middle of the eighth line.
    std::fs::write(&steps, format!("{}\n{}", lines[..7].join("\n"), &lines[7][..20])).unwrap();
    let again = case.path("again.json");
    let output = xai(args("4", &again));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("6 steps are done already"), "{said}");
    let untimed = |path: &std::path::Path| {
        let mut json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for list in ["methods", "results"] {
            json[list].as_array_mut().unwrap().iter_mut().for_each(|entry| entry["seconds"] = 0.into());
        }
        json
    };
    assert_eq!(untimed(&whole), untimed(&again));
    assert_eq!(std::fs::read_to_string(&steps).unwrap().lines().count(), lines.len());
    let other = xai(args("5", &again));
    assert!(!other.status.success());
    assert!(String::from_utf8_lossy(&other.stderr).contains("another seed"));
}

#[test]
fn wrong_names_are_answered_and_what_fails_is_named() {
    let case = Case::new("lightgbm", "binary", "txt");
    let said = |more: &[&str]| {
        let output = xai(with(case.args("bench"), more));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = said(&["--methods", "tree-shp"]);
    assert!(code == Some(2) && text.contains("did you mean \"tree-shap\"?"), "{text}");
    assert!(said(&["--metrics", "delition"]).1.contains("did you mean \"deletion\"?"));
    assert_eq!(said(&["--metrics", "deletion=-1"]).0, Some(2));
    assert_eq!(said(&["--methods", "tree-shap", "--set", "kernel-shap.n_coalitions=3"]).0, Some(2));
    assert_eq!(said(&["--output", "league.txt"]).0, Some(2));
    // A method that the model does not suit takes part, and the league says why it has no value.
    let mut args = case.args("bench");
    let path = case.path("l.json");
    args.extend(["--output".into(), path.to_str().unwrap().into()]);
    let args = with(args, &["--methods", "linear-shap", "--metrics", "sparseness", "--rows", "..3"]);
    assert!(xai(args).status.success());
    let league = json(&std::process::Output {
        status: std::process::ExitStatus::default(),
        stdout: std::fs::read(path).unwrap(),
        stderr: Vec::new(),
    });
    assert!(league["methods"][0]["failure"].as_str().unwrap().contains("linear"), "{}", league["methods"][0]);
}

/// A folder with a network that sums the red cells and the green ones of 4 by 4 pixels, images, and masks of them.
struct Pictures(tempfile::TempDir);

impl Pictures {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let row = |channel: usize| {
            let weights = (0..48).map(|i| if i / 16 == channel { "1" } else { "0" });
            format!("[{}]", weights.collect::<Vec<_>>().join(","))
        };
        let text = format!(
            r#"{{"schema": "xai/network/1", "input": {{"shape": [3, 4, 4]}}, "outputs": ["red", "green"], "layers": [
            {{"name": "relu", "kind": "relu"}}, {{"name": "flat", "kind": "flatten"}},
            {{"name": "scores", "kind": "linear", "weight": [{}, {}]}}]}}"#,
            row(0),
            row(1)
        );
        std::fs::write(folder.path().join("net.json"), text).unwrap();
        for part in ["images", "masks"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        for i in 0..6u8 {
            // Red above, brighter from pixel to pixel; green below.
            let red = (0..8u8).map(|place| [0, 0, 100 + 10 * i + 5 * place]);
            let green = (0..8u8).map(|place| [0, 90 + 7 * i + 3 * place, 0]);
            let name = format!("{i}.bmp");
            bitmap(&folder.path().join("images").join(&name), &green.chain(red).collect::<Vec<_>>());
            let mask = [[[0; 3]; 8], [[255; 3]; 8]].concat();
            bitmap(&folder.path().join("masks").join(&name), &mask);
        }
        Pictures(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let args = ["bench", "--model", &self.path("net.json"), "--data", &self.path("images")].map(str::to_owned);
        with(args.to_vec(), more)
    }
}

/// Pixels (blue, green, red) of 4 by 4, from the lowest row up.
fn bitmap(path: &std::path::Path, pixels: &[[u8; 3]]) {
    let mut bytes = b"BM".to_vec();
    for number in [54u32 + 48, 0, 54, 40, 4, 4, 1 | 24 << 16, 0, 48, 0, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(pixels.concat());
    std::fs::write(path, bytes).unwrap();
}

fn league(path: &str) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn methods_compete_on_images_with_masks_and_parameters() {
    let pictures = Pictures::new();
    let (masks, output, steps) = (pictures.path("masks"), pictures.path("l.json"), pictures.path("s.jsonl"));
    let small = [
        "--methods",
        "integrated-gradients,occlusion",
        "--metrics",
        "relevance-mass-accuracy,mprt,road,max-sensitivity",
        "--set",
        "max-sensitivity.n_draws=2",
        "--outputs",
        "red",
        "--masks",
        &masks,
        "--output",
        &output,
        "--resume",
        &steps,
    ];
    let done = xai(pictures.args(&small));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.contains("1 of 2 outputs"), "{said}");
    let found = league(&output);
    let metrics = found["metrics"].as_array().unwrap().len();
    let finding = |m: usize, k: usize| &found["results"][m * metrics + k];
    // Red is above, and so is the mask: all mass lies on it. Of equal shares half does.
    assert!((finding(0, 0)["mean"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{found}");
    let equal = found["methods"].as_array().unwrap().iter().position(|m| m["name"] == "equal").unwrap();
    assert!((finding(equal, 0)["mean"].as_f64().unwrap() - 0.5).abs() < 1e-9);
    assert!(finding(0, 1)["mean"].is_f64() && finding(0, 3)["mean"].is_f64());
    // One output decides nothing, and the league says so.
    assert!(finding(0, 2)["failure"].as_str().unwrap().contains("road"), "{}", finding(0, 2));
    // The same again does nothing twice; with other masks it is another contest.
    let again = xai(pictures.args(&small));
    assert!(String::from_utf8_lossy(&again.stderr).contains("steps are done already"));
    bitmap(std::path::Path::new(&pictures.path("masks/0.bmp")), &[[255; 3]; 16]);
    let other = xai(pictures.args(&small));
    assert!(!other.status.success() && String::from_utf8_lossy(&other.stderr).contains("other masks"));
}

#[test]
fn what_does_not_fit_images_is_named() {
    let pictures = Pictures::new();
    let said = |more: &[&str]| {
        let output = xai(pictures
            .args(&with(vec!["--methods".into(), "saliency".into()], more).iter().map(|s| &**s).collect::<Vec<_>>()));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = said(&["--outputs", "rde"]);
    assert!(code == Some(2) && text.contains("known: \"red\", \"green\""), "{text}");
    assert_eq!(said(&["--target", "x"]).0, Some(2));
    std::fs::remove_file(pictures.path("masks/3.bmp")).unwrap();
    let masks = pictures.path("masks");
    let (code, text) = said(&["--masks", &masks]);
    assert!(code == Some(2) && text.contains("no mask called as") && text.contains("3.bmp"), "{text}");
    // The truth is an attribution of all samples.
    let truth = pictures.path("truth.json");
    let (model, data) = (pictures.path("net.json"), pictures.path("images"));
    let explain = ["explain", "--model", &model, "--data", &data, "--method", "integrated-gradients"];
    assert!(xai([&explain[..], &["--output", &truth]].concat()).status.success());
    let output = pictures.path("l.json");
    let compared = ["--truth", &truth, "--metrics", "feature-agreement", "--output", &output];
    let args = with(vec!["--methods".into(), "input-times-gradient".into()], &compared);
    assert!(xai(pictures.args(&args.iter().map(|s| &**s).collect::<Vec<_>>())).status.success());
    // The network is linear where all cells are positive: both say the same.
    assert!((league(&output)["results"][0]["mean"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    let half = pictures.path("half.json");
    let one = pictures.path("images/0.bmp");
    let explain = ["explain", "--model", &model, "--data", &one, "--method", "saliency", "--output", &half];
    assert!(xai(explain).status.success());
    let (code, text) = said(&["--truth", &half]);
    assert!(code == Some(1) && text.contains("samples of the truth"), "{text}");
}

#[test]
fn a_network_of_tables_competes_and_trees_are_measured_by_masks() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let model = write(
        "net.json",
        r#"{"schema": "xai/network/1", "input": {"shape": [3], "names": ["a", "b", "c"]}, "layers": [
            {"name": "first", "kind": "linear", "weight": [[3, 2, 0], [-0.5, 1, 0]]}, {"name": "relu", "kind": "relu"},
            {"name": "second", "kind": "linear", "weight": [[1, 2]]}]}"#,
    );
    let rows: String = (0..8).map(|i| format!("{},{},{}\n", i, (i * 3) % 5, (i * 7) % 4)).collect();
    let data = write("rows.csv", &format!("a,b,c\n{rows}"));
    // The last column is used by nobody; the masks name their columns.
    let masks = write("masks.csv", &format!("c,b,a\n{}", "0,1,1\n".repeat(8)));
    let output = folder.path().join("l.json");
    let output = output.to_str().unwrap();
    let args = ["bench", "--model", &model, "--data", &data, "--masks", &masks, "--output", output, "--metrics"];
    let metrics = ["relevance-rank-accuracy,mprt,completeness-gap", "--methods", "exact-shap,deep-lift"];
    let done = xai([&args[..], &metrics].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let found = league(output);
    for m in 0..2 {
        let mean = |k: usize| found["results"][m * 3 + k]["mean"].as_f64().unwrap();
        assert!(mean(0) > 0.5 && mean(2) < 1e-4, "{found}");
    }
    let case = Case::new("lightgbm", "binary", "txt");
    let (code, text) = {
        let output = xai(with(case.args("bench"), &["--methods", "tree-shap", "--metrics", "mprt", "--rows", "..3"]));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(code == Some(1) && text.contains("mprt with this model"), "{text}");
    assert_eq!(xai(with(case.args("bench"), &["--outputs", "0"])).status.code(), Some(2));
}
