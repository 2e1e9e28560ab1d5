//! From pickled views of storages to arrays.

use xai_core::{Error, Result};

use super::super::{Budget, Weights, array, cells_of};
use super::objects::{Storage, Tensor, Value};
use super::pickle::Pickled;
use super::{Storages, malformed};

/// The numbers that the tensors of any file may have: they may share their bytes, and the pickle holds the shapes only.
const FLOOR: u64 = 1 << 12;

/// A checkpoint and where its numbers lie.
pub(super) struct Tensors<'a> {
    pub checkpoint: &'a Pickled<'a>,
    pub storages: &'a dyn Storages,
    /// The file's length in bytes, which bounds what is decoded.
    pub length: usize,
}

impl Tensors<'_> {
    /// The tensors of the dictionary called `at`, or of the only dictionary that holds any.
    ///
    /// # Errors
    /// As [`Weights::of_bytes`].
    pub fn state_dict(&self, at: Option<&str>) -> Result<Weights> {
        let dict = self.dictionary(at)?;
        let mut budget = Budget::of(self.length, 2, FLOOR);
        let mut weights = Weights::default();
        for (name, tensor) in self.tensors(dict) {
            weights.tensors.insert(name.to_owned(), self.decode(name, tensor, &mut budget)?);
        }
        Ok(weights)
    }

    fn dictionary(&self, at: Option<&str>) -> Result<usize> {
        let Value::Dict(top) = self.checkpoint.value else {
            return Err(Error::unsupported("PyTorch: a file whose object is no dictionary", super::SAVE));
        };
        if let Some(at) = at {
            let inner = self.inner(top).into_iter().rev().find(|(name, _)| *name == at);
            return inner.map(|(_, dict)| dict).ok_or_else(|| self.unknown(top, at));
        }
        if self.tensors(top).next().is_some() {
            return Ok(top);
        }
        let mut inner = self.inner(top);
        inner.retain(|&(_, dict)| self.tensors(dict).next().is_some());
        match inner.as_slice() {
            [(_, only)] => Ok(*only),
            [] => Err(Error::unsupported("PyTorch: a checkpoint without a dictionary of tensors", super::SAVE)),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
                let expected = format!("the one of the dictionaries {} that holds the weights", names.join(", "));
                Err(Error::parameter("at", "nothing", expected))
            }
        }
    }

    fn unknown(&self, top: usize, at: &str) -> Error {
        let known = self.inner(top).into_iter().map(|(name, _)| name.to_owned()).collect();
        Error::Unknown { kind: "dictionary of the checkpoint".into(), name: at.to_owned(), nearest: None, known }
    }

    /// The dictionaries in a dictionary, by name.
    fn inner(&self, dict: usize) -> Vec<(&str, usize)> {
        let pairs = self.checkpoint.objects.dicts.get(dict).map_or(&[][..], Vec::as_slice);
        let inner = pairs.iter().filter_map(|&(key, value)| match value {
            Value::Dict(inner) => self.checkpoint.text(key).map(|name| (name, inner)),
            _ => None,
        });
        inner.collect()
    }

    /// The tensors in a dictionary, by name.
    fn tensors(&self, dict: usize) -> impl Iterator<Item = (&str, &Tensor)> {
        let pairs = self.checkpoint.objects.dicts.get(dict).map_or(&[][..], Vec::as_slice);
        pairs.iter().filter_map(|&(key, value)| match value {
            Value::Tensor(tensor) => self.checkpoint.text(key).zip(self.checkpoint.objects.tensors.get(tensor)),
            _ => None,
        })
    }

    fn decode(&self, name: &str, tensor: &Tensor, budget: &mut Budget) -> Result<ndarray::ArrayD<f32>> {
        let wrong = |problem: String| malformed(format!("the tensor {name:?}"), problem);
        let storage = self.checkpoint.objects.storages.get(tensor.storage);
        let storage = storage.ok_or_else(|| wrong("it has no storage".into()))?;
        let cells = cells_of(&tensor.shape).ok_or_else(|| wrong(format!("the shape {:?}", tensor.shape)))?;
        budget.take(cells)?;
        if cells == 0 {
            return array(&tensor.shape, Vec::new(), wrong);
        }
        let last = last_place(tensor).filter(|&last| last < storage.length);
        let last = last.ok_or_else(|| wrong(format!("it reaches beyond the {} numbers stored", storage.length)))?;
        let bytes = self.numbers_of(storage)?;
        let size = storage.element.size();
        let run = &bytes[tensor.offset * size..(last + 1) * size];
        if last + 1 - tensor.offset == cells && is_in_order(tensor) {
            return array(&tensor.shape, storage.element.decode(run), wrong);
        }
        // A transposed or widened view: number by number.
        let mut values = Vec::with_capacity(cells);
        let mut index = vec![0; tensor.shape.len()];
        for _ in 0..cells {
            let place: usize = index.iter().zip(&tensor.strides).map(|(i, stride)| i * stride).sum();
            values.extend(storage.element.decode(&run[place * size..(place + 1) * size]));
            for (i, &n) in index.iter_mut().zip(&tensor.shape).rev() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        array(&tensor.shape, values, wrong)
    }

    /// The bytes of a storage or of the view of one.
    fn numbers_of(&self, storage: &Storage) -> Result<&[u8]> {
        let wrong = |problem: String| malformed(format!("the storage {:?}", storage.key), problem);
        let bytes = self.storages.bytes(storage)?;
        let size = storage.element.size();
        if storage.whole.checked_mul(size) != Some(bytes.len()) {
            return Err(wrong(format!("{} bytes for {} numbers of {size}", bytes.len(), storage.whole)));
        }
        let end = storage.offset.checked_add(storage.length).filter(|&end| end <= storage.whole);
        let end = end.ok_or_else(|| wrong("a view beyond its end".into()))?;
        Ok(&bytes[storage.offset * size..end * size])
    }
}

/// The place of the last cell in the storage.
fn last_place(tensor: &Tensor) -> Option<usize> {
    let axes = tensor.shape.iter().zip(&tensor.strides);
    let reach = axes.map(|(n, stride)| (n - 1).checked_mul(*stride));
    reach.chain([Some(tensor.offset)]).try_fold(0_usize, |sum, reach| sum.checked_add(reach?))
}

/// Whether the cells lie one after another, the last axis fastest.
fn is_in_order(tensor: &Tensor) -> bool {
    let mut step = 1;
    tensor.shape.iter().zip(&tensor.strides).rev().all(|(&n, &stride)| {
        let fits = n == 1 || stride == step;
        step *= n;
        fits
    })
}
