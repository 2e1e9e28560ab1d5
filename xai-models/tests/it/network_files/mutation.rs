//! Broken files of networks: an error or a network, never a panic, a hang or a full memory.

use std::sync::OnceLock;

use proptest::prelude::*;
use xai_core::Layered;
use xai_models::network::{AnyNetwork, description};
use xai_models::weights::Weights;

use super::{bytes, folder, scores};

const WEIGHTS: [&str; 9] = [
    "described.pt",
    "described_protocol4.pt",
    "described_legacy.th",
    "described.safetensors",
    "described_half.safetensors",
    "views.pt",
    "views_legacy.pt",
    "views.safetensors",
    "two.pt",
];

fn files(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| bytes(name)).collect()
}

fn weights() -> &'static [Vec<u8>] {
    static READ: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    READ.get_or_init(|| files(&WEIGHTS))
}

fn weights_survive(bytes: &[u8]) {
    match Weights::of_bytes(bytes, None) {
        Err(error) => assert!(error.to_string().len() > 10),
        Ok(weights) => {
            let numbers: usize = weights.tensors.values().map(|tensor| tensor.len()).sum();
            assert!(numbers <= 4096 + 2 * bytes.len());
        }
    }
}

/// A network runs on one sample, unless it is so large that only a test would want that.
fn network_survives(network: xai_core::Result<AnyNetwork>) {
    match network {
        Err(error) => assert!(error.to_string().len() > 10),
        Ok(network) => {
            let layers = match &network {
                AnyNetwork::Table(loaded) => loaded.network.layers(),
                AnyNetwork::Series(loaded) => loaded.network.layers(),
                AnyNetwork::Images(loaded) => loaded.network.layers(),
                other => panic!("{other:?}"),
            };
            let sizes: Vec<usize> = layers.iter().map(|layer| layer.shape.iter().product()).collect();
            let cells = sizes[0];
            if cells > 0 && sizes.iter().sum::<usize>() < 1 << 12 {
                // Numbers beyond f32 are an error of the model's, not a panic.
                let _ = scores(&network, &vec![0.5; cells]);
            }
        }
    }
}

/// What numbers are replaced by.
const NUMBERS: [&str; 12] =
    ["0", "-1", "1", "2", "7", "1000", "65536", "4294967295", "99999999999999999999", "1e300", "0.5", "null"];

fn digits(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for at in (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn flipped_bytes_of_weights(file: prop::sample::Index, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = file.get(weights()).clone();
        for (at, byte) in flips {
            *at.get_mut(&mut bytes[..]) = byte;
        }
        weights_survive(&bytes);
    }

    /// The first kilobytes hold the pickle or the header, where changes tell.
    #[test]
    fn flipped_heads_of_weights(file: prop::sample::Index, flips in prop::collection::vec((0..2500_usize, any::<u8>()), 1..5)) {
        let mut bytes = file.get(weights()).clone();
        for (at, byte) in flips {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        weights_survive(&bytes);
    }

    #[test]
    fn moved_parts_of_weights(file: prop::sample::Index, from: prop::sample::Index, length in 1..300_usize, to: prop::sample::Index, copy: bool) {
        let mut bytes = file.get(weights()).clone();
        let from = from.index(bytes.len());
        let part = bytes[from..(from + length).min(bytes.len())].to_vec();
        if copy {
            let to = to.index(bytes.len());
            bytes.splice(to..to, part);
        } else {
            bytes.drain(from..from + part.len());
        }
        weights_survive(&bytes);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn changed_numbers_of_descriptions(at in prop::collection::vec(any::<prop::sample::Index>(), 1..4), by in prop::collection::vec(0..NUMBERS.len(), 4)) {
        let mut text = bytes("described.net.json");
        for (at, by) in at.iter().zip(by) {
            let runs = digits(&text);
            text.splice(at.get(&runs).clone(), NUMBERS[by].bytes());
        }
        network_survives(description::read_bytes(&text, Some(&folder()), None));
    }

    #[test]
    fn changed_bytes_of_descriptions(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut text = bytes("described.net.json");
        for (at, byte) in flips {
            *at.get_mut(&mut text[..]) = byte;
        }
        network_survives(description::read_bytes(&text, Some(&folder()), None));
    }
}

#[cfg(feature = "onnx")]
mod onnx {
    use super::*;
    use xai_models::file::AnyModel;
    use xai_models::onnx::read_any;

    const GRAPHS: [&str; 8] = [
        "torch_mlp.onnx",
        "torch_written_out.onnx",
        "torch_cnn.onnx",
        "torch_series.onnx",
        "torch_residual.onnx",
        "torch_arithmetic.onnx",
        "torch_outside.onnx",
        "sklearn_three.onnx",
    ];

    fn graphs() -> &'static [Vec<u8>] {
        static READ: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
        READ.get_or_init(|| files(&GRAPHS))
    }

    fn survives(bytes: &[u8]) {
        match read_any(bytes, Some(&folder())) {
            Ok(AnyModel::Network(network)) => network_survives(Ok(network)),
            Ok(_) => {}
            Err(error) => network_survives(Err(error)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn flipped_bytes_of_graphs(file: prop::sample::Index, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let mut bytes = file.get(graphs()).clone();
            for (at, byte) in flips {
                *at.get_mut(&mut bytes[..]) = byte;
            }
            survives(&bytes);
        }

        #[test]
        fn moved_parts_of_graphs(file: prop::sample::Index, from: prop::sample::Index, length in 1..200_usize, to: prop::sample::Index, copy: bool) {
            let mut bytes = file.get(graphs()).clone();
            let from = from.index(bytes.len());
            let part = bytes[from..(from + length).min(bytes.len())].to_vec();
            if copy {
                let to = to.index(bytes.len());
                bytes.splice(to..to, part);
            } else {
                bytes.drain(from..from + part.len());
            }
            survives(&bytes);
        }
    }
}
