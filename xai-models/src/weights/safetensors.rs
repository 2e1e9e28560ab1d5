//! safetensors: the header's length, a JSON header, and the bytes of all tensors without a gap.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use xai_core::{Error, Result};

use super::element::Element;
use super::{Budget, Weights, array, cells_of};

/// The longest header that is read, as in the format's own reader.
const LONGEST_HEADER: u64 = 100_000_000;

/// Whether the content begins with the length of a JSON object and that object's brace.
pub(super) fn is_safetensors(bytes: &[u8]) -> bool {
    matches!(bytes, [_, _, _, _, 0, 0, 0, 0, b'{', ..])
}

/// # Errors
/// As [`Weights::of_bytes`].
pub(super) fn read(bytes: &[u8]) -> Result<Weights> {
    let header = |problem: String| malformed("the header", problem);
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| header("it is cut off".into()))?;
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER {
        return Err(Error::TooLarge {
            what: "safetensors: bytes of the header".into(),
            limit: LONGEST_HEADER,
            found: length,
        });
    }
    let length = usize::try_from(length).ok().filter(|&length| length <= rest.len());
    let length = length.ok_or_else(|| header("it is longer than the file".into()))?;
    let (json, data) = rest.split_at(length);
    let Header(tensors) = serde_json::from_slice(json).map_err(|error| header(error.to_string()))?;
    check_places(&tensors, data.len())?;
    let mut budget = Budget::of(bytes.len(), 1, 0);
    let mut weights = Weights::default();
    for (name, tensor) in tensors {
        let values = tensor.read(&name, data, &mut budget)?;
        let values = array(&tensor.shape, values, |problem| malformed(&name, problem))?;
        weights.tensors.insert(name, values);
    }
    Ok(weights)
}

/// A file with the tensors in the order of their names, their bytes at a multiple of eight.
pub(super) fn write(weights: &Weights) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, tensor) in &weights.tensors {
        let start = data.len();
        data.extend(tensor.iter().flat_map(|value| value.to_le_bytes()));
        let entry = serde_json::json!({"dtype": "F32", "shape": tensor.shape(), "data_offsets": [start, data.len()]});
        header.insert(name.clone(), entry);
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

/// Every byte belongs to one tensor.
fn check_places(tensors: &BTreeMap<String, Tensor>, length: usize) -> Result<()> {
    let mut places: Vec<(&String, [usize; 2])> = tensors.iter().map(|(name, t)| (name, t.data_offsets)).collect();
    places.sort_by_key(|(_, place)| *place);
    let mut end = 0;
    for (name, [from, to]) in places {
        if from != end || to < from || to > length {
            return Err(malformed(name, format!("bytes {from} to {to} of {length}, where {end} must be the first")));
        }
        end = to;
    }
    match end == length {
        true => Ok(()),
        false => Err(malformed("the end", format!("{} bytes that belong to no tensor", length - end))),
    }
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

impl Tensor {
    fn read(&self, name: &str, data: &[u8], budget: &mut Budget) -> Result<Vec<f32>> {
        let element = match self.dtype.as_str() {
            "F64" => Element::F64,
            "F32" => Element::F32,
            "F16" => Element::F16,
            "BF16" => Element::Bf16,
            "I64" => Element::I64,
            "I32" => Element::I32,
            "I16" => Element::I16,
            "I8" => Element::I8,
            "U8" | "BOOL" => Element::U8,
            other => {
                let what = format!("safetensors: numbers of type {other} in the tensor {name:?}");
                return Err(Error::unsupported(what, "F64, F32, F16, BF16 and whole numbers are read"));
            }
        };
        let [from, to] = self.data_offsets;
        let cells = cells_of(&self.shape).ok_or_else(|| malformed(name, format!("the shape {:?}", self.shape)))?;
        if cells.checked_mul(element.size()) != Some(to - from) {
            let problem = format!("{} bytes for the shape {:?} of {}", to - from, self.shape, self.dtype);
            return Err(malformed(name, problem));
        }
        budget.take(cells)?;
        Ok(element.decode(&data[from..to]))
    }
}

/// The header's tensors; a name that is there twice is an error.
struct Header(BTreeMap<String, Tensor>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("tensors by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Header, A::Error> {
                let mut tensors = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    } else if let Some(first) = tensors.insert(name, map.next_value::<Tensor>()?) {
                        return Err(A::Error::custom(format!(
                            "a tensor at bytes {:?} has its name twice",
                            first.data_offsets
                        )));
                    }
                }
                Ok(Header(tensors))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

fn malformed(at: &str, problem: String) -> Error {
    Error::Malformed { format: "safetensors", at: at.to_owned(), problem }
}
