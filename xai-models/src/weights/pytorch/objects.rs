//! The objects that a pickle of tensors may build.

use xai_core::{Error, Result};

use super::super::element::Element;
use super::SAVE;

/// A value on the pickle's stack; what is larger than a number lies in [`Objects`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Whole(i64),
    Real(f64),
    /// A whole number of more than 64 bits, of which nothing is read.
    Huge,
    Text(Span),
    Tuple(Span),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

/// A stretch of the pickle's bytes (a text) or of [`Objects::items`] (a tuple).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

/// A class or function that a pickle names and that stands for something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    /// `_rebuild_tensor` and `_rebuild_tensor_v2`, whose first four arguments are the same.
    RebuildTensor,
    RebuildParameter,
    Size,
    Device,
    Storage(Element),
}

impl Global {
    /// # Errors
    /// [`Error::Unsupported`] with the name, for whatever is not in the list.
    pub fn of(module: &str, name: &str) -> Result<Global> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch", "Size") => Global::Size,
            ("torch", "device") => Global::Device,
            ("torch", "DoubleStorage") => Global::Storage(Element::F64),
            ("torch", "FloatStorage") => Global::Storage(Element::F32),
            ("torch", "HalfStorage") => Global::Storage(Element::F16),
            ("torch", "BFloat16Storage") => Global::Storage(Element::Bf16),
            ("torch", "LongStorage") => Global::Storage(Element::I64),
            ("torch", "IntStorage") => Global::Storage(Element::I32),
            ("torch", "ShortStorage") => Global::Storage(Element::I16),
            ("torch", "CharStorage") => Global::Storage(Element::I8),
            ("torch", "ByteStorage" | "BoolStorage") => Global::Storage(Element::U8),
            _ => {
                let reason = "a pickle can name any code, so that only tensors, numbers, texts, lists and dictionaries \
                     are read from it, and nothing is run";
                let what = format!("PyTorch: the pickled object {module}.{name}");
                return Err(Error::unsupported(what, format!("{reason}; {SAVE}")));
            }
        })
    }
}

/// The bytes of one or more tensors, kept elsewhere in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Storage {
    pub element: Element,
    pub key: String,
    /// Where it begins in the storage of that key, in numbers; only old files have views of storages.
    pub offset: usize,
    /// Its length in numbers.
    pub length: usize,
    /// The length of the whole storage of that key.
    pub whole: usize,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub storage: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// Everything that a pickle has built. Lists and dictionaries may hold each other and even themselves.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// The items of all tuples.
    pub items: Vec<Value>,
    pub lists: Vec<Vec<Value>>,
    /// Keys and values in the order of their insertion; of equal keys the last counts.
    pub dicts: Vec<Vec<(Value, Value)>>,
    pub storages: Vec<Storage>,
    pub tensors: Vec<Tensor>,
}

impl Objects {
    /// The items of a tuple or a list.
    pub fn sequence(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(span) => self.items.get(span.start..span.end),
            Value::List(list) => self.lists.get(list).map(Vec::as_slice),
            _ => None,
        }
    }

    /// A tuple or list of lengths.
    pub fn lengths(&self, value: Value) -> Option<Vec<usize>> {
        self.sequence(value)?.iter().map(|&item| item.length()).collect()
    }
}

impl Value {
    /// A whole number that is not negative.
    pub fn length(self) -> Option<usize> {
        match self {
            Value::Whole(number) => usize::try_from(number).ok(),
            _ => None,
        }
    }
}
