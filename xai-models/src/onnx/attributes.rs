//! The attributes of a node by name.

use std::collections::HashMap;

use xai_core::Result;

use super::malformed;
use super::proto::{Attribute, NodeProto, TensorProto, element};

pub(super) struct Attributes<'a> {
    node: &'a NodeProto,
    by_name: HashMap<&'a str, &'a Attribute>,
}

impl<'a> Attributes<'a> {
    pub fn of(node: &'a NodeProto) -> Self {
        let by_name = node.attribute.iter().map(|a| (a.name.as_str(), a)).collect();
        Attributes { node, by_name }
    }

    /// Where an attribute stands, for errors.
    pub fn at(&self, name: &str) -> String {
        format!("{} {:?}, {name}", self.node.op_type, self.node.name)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.by_name.get(name).map(|a| a.i)
    }

    #[cfg(feature = "network")]
    pub fn real(&self, name: &str) -> Option<f32> {
        self.by_name.get(name).map(|a| a.f)
    }

    pub fn ints(&self, name: &str) -> &'a [i64] {
        self.by_name.get(name).map_or(&[], |a| &a.ints)
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a str>> {
        self.by_name.get(name).map(|a| self.utf8(name, &a.s)).transpose()
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>> {
        let strings = self.by_name.get(name).map_or(&[][..], |a| &a.strings);
        strings.iter().map(|s| self.utf8(name, s)).collect()
    }

    /// Real numbers, as a list of `f32` or as the tensor `…_as_tensor`.
    pub fn reals(&self, name: &str) -> Result<Vec<f64>> {
        let tensor = format!("{name}_as_tensor");
        match self.tensor(&tensor) {
            Some(t) => numbers(t).ok_or_else(|| malformed(self.at(&tensor), "a tensor of another type".into())),
            None => Ok(self.by_name.get(name).map_or(&[][..], |a| &a.floats).iter().map(|&x| f64::from(x)).collect()),
        }
    }

    /// Real numbers of an attribute that is always a tensor.
    pub fn tensor_of_reals(&self, name: &str) -> Result<Vec<f64>> {
        match self.tensor(name) {
            None => Ok(Vec::new()),
            Some(t) => numbers(t).ok_or_else(|| malformed(self.at(name), "a tensor of another type".into())),
        }
    }

    /// Bytes of an attribute that is always a tensor.
    pub fn tensor_of_bytes(&self, name: &str) -> Result<Vec<u8>> {
        match self.tensor(name) {
            None => Ok(Vec::new()),
            Some(t) if t.data_type == element::UINT8 && stored_here(t) => Ok(match t.raw_data.as_slice() {
                [] => t.int32_data.iter().map(|&x| u8::try_from(x).unwrap_or(u8::MAX)).collect(),
                raw => raw.to_vec(),
            }),
            Some(_) => Err(malformed(self.at(name), "a tensor of another type than uint8".into())),
        }
    }

    /// Whether the node has the attribute at all.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn tensor(&self, name: &str) -> Option<&'a TensorProto> {
        self.by_name.get(name).and_then(|a| a.t.as_deref())
    }

    fn utf8(&self, name: &str, bytes: &'a [u8]) -> Result<&'a str> {
        std::str::from_utf8(bytes).map_err(|_| malformed(self.at(name), "text that is not UTF-8".into()))
    }
}

/// Data may lie in another file; such tensors are not read.
fn stored_here(tensor: &TensorProto) -> bool {
    tensor.data_location == 0
}

fn numbers(tensor: &TensorProto) -> Option<Vec<f64>> {
    if !stored_here(tensor) {
        return None;
    }
    match (tensor.data_type, tensor.raw_data.as_slice()) {
        (element::FLOAT, []) => Some(tensor.float_data.iter().map(|&x| f64::from(x)).collect()),
        (element::DOUBLE, []) => Some(tensor.double_data.clone()),
        (element::FLOAT, raw) => {
            let (words, rest) = raw.as_chunks::<4>();
            rest.is_empty().then(|| words.iter().map(|w| f64::from(f32::from_le_bytes(*w))).collect())
        }
        (element::DOUBLE, raw) => {
            let (words, rest) = raw.as_chunks::<8>();
            rest.is_empty().then(|| words.iter().map(|w| f64::from_le_bytes(*w)).collect())
        }
        _ => None,
    }
}
