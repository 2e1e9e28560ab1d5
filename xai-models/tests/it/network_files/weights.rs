//! Files of weights, against what PyTorch says is in them.

use ndarray::{ArrayD, IxDyn};
use xai_core::Error;
use xai_models::file::load_bytes;
use xai_models::weights::{Weights, WeightsFormat};

use super::{bytes, floats, folder, golden};

fn read(name: &str, at: Option<&str>) -> Weights {
    Weights::read(&folder().join(name), at).unwrap_or_else(|error| panic!("{error}"))
}

/// Every kind of number, views of every kind, in all three forms: the same bits.
#[test]
fn tensors_are_those_that_were_saved() {
    let case = golden("views");
    for name in ["views.pt", "views_legacy.pt", "views.safetensors"] {
        let weights = read(name, None);
        let expected = case.body["tensors"].as_object().unwrap();
        assert!(weights.tensors.keys().eq(expected.keys()), "{name}: {:?}", weights.tensors.keys());
        for (key, tensor) in &weights.tensors {
            let shape: Vec<usize> = floats(&expected[key]["shape"]).iter().map(|&n| n as usize).collect();
            let values = floats(&expected[key]["values"]);
            let bits = |array: &ArrayD<f32>| array.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let expected = ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap();
            assert_eq!(tensor.shape(), expected.shape(), "{name}, {key}");
            assert_eq!(bits(tensor), bits(&expected), "{name}, {key}");
        }
    }
}

#[test]
fn one_network_has_the_same_weights_in_every_form() {
    let plain = read("described.safetensors", None);
    assert_eq!(plain.tensors["stem.weight"].shape(), [4, 3, 3, 3]);
    for name in ["described.pt", "described_protocol4.pt", "described_double.pt"] {
        assert_eq!(read(name, None), plain, "{name}");
    }
    for name in ["described_legacy.th", "described_checkpoint.pth"] {
        for at in [None, Some("state_dict")] {
            let found = read(name, at).tensors;
            let found = found.into_iter().map(|(key, tensor)| (key["module.".len()..].to_owned(), tensor)).collect();
            assert_eq!(Weights { tensors: found }, plain, "{name}");
        }
    }
    for kind in ["half", "bfloat"] {
        let rounded = read(&format!("described_{kind}.safetensors"), None);
        assert_eq!(read(&format!("described_{kind}.pt"), None), rounded, "{kind}");
        assert_ne!(rounded, plain);
    }
}

#[test]
fn the_dictionary_is_named_where_there_are_several() {
    let error = Weights::of_bytes(&bytes("two.pt"), None).unwrap_err().to_string();
    assert!(error.contains("a, b"), "{error}");
    assert_eq!(read("two.pt", Some("b")).tensors["w"].len(), 2);
    let error = Weights::of_bytes(&bytes("two.pt"), Some("c")).unwrap_err();
    assert!(matches!(error, Error::Unknown { .. }), "{error}");
    let error = Weights::of_bytes(&bytes("views.safetensors"), Some("c")).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
}

/// A pickle of the older form: magic number, version, system, and `object`.
fn legacy(object: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    [&magic[..], b"\x80\x02M\xe9\x03.", b"\x80\x02}.", b"\x80\x02", object].concat()
}

/// What a pickle names is never fetched, and what it calls is never called.
#[test]
fn code_is_refused_by_name() {
    let refused = |bytes: &[u8], words: &[&str]| {
        let error = Weights::of_bytes(bytes, None).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    refused(&legacy(b"cos\nsystem\nX\x04\0\0\0true\x85R."), &["os.system", "state_dict()"]);
    refused(&legacy(b"\x8c\x08builtins\x8c\x04exec\x93X\x01\0\0\0x\x85R."), &["builtins.exec"]);
    refused(&legacy(b"(S'x'\nios\nsystem\n."), &["opcode \"S\""]);
    refused(&bytes("module.pt"), &["torch.nn.modules.linear.Linear"]);
    refused(&bytes("script.pt"), &["TorchScript"]);
    refused(&legacy(b"].\x80\x02]."), &["no dictionary"]);
    refused(&legacy(b"}.\x80\x02]."), &["without a dictionary of tensors"]);
}

#[test]
fn broken_pickles_are_malformed() {
    let broken = |object: &[u8]| {
        let error = Weights::of_bytes(&legacy(object), None).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{}: {error}", object.escape_ascii());
    };
    let cases: [&[u8]; 20] = [
        b".",
        b"0.",
        b"t.",
        b"a.",
        b"}a.",
        b"]s.",
        b"]NNs.",
        b"}(Nu.",
        b"h\x05.",
        b"\x85.",
        b"R.",
        b"NNR.",
        b"NQ.",
        b"b.",
        b"Nb.",
        b"(N",
        b"X\xff\xff\xff\xff",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"(0.",
        b"ccollections\nOrderedDict\nN\x85R.",
    ];
    for case in cases {
        broken(case);
    }
    let storage = |tail: &[u8]| {
        let head: &[u8] = b"}X\x01\0\0\0wctorch._utils\n_rebuild_tensor\n(";
        let reference: &[u8] = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x02NtQ";
        [head, reference, tail, b"tRs.\x80\x02]X\x01\0\0\0ka.", &2_i64.to_le_bytes(), &[0; 8]].concat()
    };
    assert_eq!(Weights::of_bytes(&legacy(&storage(b"K\0K\x02\x85K\x01\x85")), None).unwrap().tensors["w"].len(), 2);
    // Beyond the storage, without strides, with a stride too many, with a negative length, and larger than any memory.
    broken(&storage(b"K\x01K\x02\x85K\x01\x85"));
    broken(&storage(b"K\0K\x02\x85K\x02\x85"));
    broken(&storage(b"K\0K\x02\x85)"));
    broken(&storage(b"K\0K\x02\x85K\x01K\x01\x86"));
    broken(&storage(b"K\0J\xff\xff\xff\xff\x85K\x01\x85"));
    broken(&storage(b"K\0J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87K\0K\0K\0\x87"));
    let widened = Weights::of_bytes(&legacy(&storage(b"K\0J\xff\xff\xff\x7f\x85K\0\x85")), None).unwrap_err();
    assert!(matches!(widened, Error::TooLarge { .. }), "{widened}");
}

/// Tuples in tuples, lists in themselves: nothing recurses.
#[test]
fn deep_pickles_do_no_harm() {
    let deep = [b")".as_slice(), &b"\x85".repeat(1_000_000), b".\x80\x02]."].concat();
    assert!(matches!(Weights::of_bytes(&legacy(&deep), None), Err(Error::Unsupported { .. })));
    let own: &[u8] = b"]q\0h\0a0}X\x01\0\0\0wh\0s.\x80\x02].";
    assert!(matches!(Weights::of_bytes(&legacy(own), None), Err(Error::Unsupported { .. })));
    let long = [&b"K\0".repeat(3_000_000)[..], b"."].concat();
    assert!(matches!(Weights::of_bytes(&legacy(&long), None), Err(Error::TooLarge { .. })));
}

#[test]
fn damaged_archives_are_found_out() {
    let mut bytes = bytes("described.pt");
    let data = bytes.windows(4).position(|word| word == b"data").unwrap();
    assert!(WeightsFormat::of(&bytes) == Some(WeightsFormat::Pytorch));
    // A bit of a weight: the checksum tells.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert!(Weights::of_bytes(&bytes, None).is_err());
    bytes[middle] ^= 1;
    assert!(Weights::of_bytes(&bytes, None).is_ok());
    let cut = Weights::of_bytes(&bytes[..bytes.len() - 30], None).unwrap_err().to_string();
    assert!(cut.contains("cut off"), "{cut}");
    assert!(data < bytes.len());
}

fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn broken_safetensors_are_malformed() {
    let of = |header: &str, data: &[u8]| Weights::of_bytes(&safetensors(header, data), None);
    let one = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    assert_eq!(of(&format!("{one}}}"), &1.5_f32.to_le_bytes()).unwrap().tensors["a"][[0]], 1.5);
    let meta = format!(r#"{one},"__metadata__":{{"format":"pt"}}}}"#);
    assert_eq!(of(&meta, &[0; 4]).unwrap().tensors.len(), 1);
    let broken = |header: &str, length: usize| {
        let error = of(header, &vec![0; length]).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{header}: {error}");
    };
    broken(&format!("{one}}}"), 3);
    broken(&format!("{one}}}"), 5);
    broken(&format!(r#"{one},"b":{{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}}}"#), 6);
    broken(&format!(r#"{one},"b":{{"dtype":"F32","shape":[1],"data_offsets":[5,9]}}}}"#), 9);
    broken(&format!(r#"{one},"a":{{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}}}"#), 8);
    broken(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4);
    broken(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4);
    broken(r#"{"a":{"dtype":"F32","shape":[0,18446744073709551615,4],"data_offsets":[0,0]}}"#, 0);
    broken(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4);
    broken("{", 0);
    let unsupported = of(r#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, &[0]).unwrap_err();
    assert!(unsupported.to_string().contains("F8_E4M3"), "{unsupported}");
    let long = [&u64::from(u32::MAX).to_le_bytes()[..], b"{"].concat();
    assert!(matches!(Weights::of_bytes(&long, None), Err(Error::TooLarge { .. })));
}

#[test]
fn weights_alone_are_no_model() {
    for name in ["views.pt", "views_legacy.pt", "views.safetensors"] {
        let error = load_bytes(&bytes(name)).unwrap_err().to_string();
        assert!(error.contains("a file of weights") && error.contains("describe the network"), "{name}: {error}");
    }
    let error = Weights::of_bytes(b"hello", None).unwrap_err().to_string();
    assert!(error.contains("hello"), "{error}");
}
