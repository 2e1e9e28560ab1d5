//! What the few names that a pickle may call make: dictionaries, tensors, storages.

use xai_core::Result;

use super::objects::{Global, Storage, Tensor, Value};
use super::pickle::{Machine, text};

impl Machine<'_> {
    /// `('storage', class, key, device, length)`, and in old files a sixth item for a view `(key, offset, length)`.
    pub fn storage(&mut self) -> Result<()> {
        let value = self.pop()?;
        let items = self.objects.sequence(value).unwrap_or_default();
        let found = match *items {
            [kind, Value::Global(Global::Storage(element)), key, _device, length, ref view @ ..]
                if text(self.bytes, kind) == Some("storage") && view.len() <= 1 =>
            {
                let place = view.first().filter(|&&view| view != Value::None).map(|&view| self.view(view));
                let whole = length.length();
                let place = place.unwrap_or_else(|| whole.map(|whole| (0, whole)));
                let key = text(self.bytes, key);
                key.zip(whole).zip(place).map(|((key, whole), (offset, length))| Storage {
                    element,
                    key: key.to_owned(),
                    offset,
                    length,
                    whole,
                })
            }
            _ => None,
        };
        let storage = found.ok_or_else(|| self.wrong("a reference to something that is no storage of numbers"))?;
        self.push(Value::Storage(self.objects.storages.len()));
        self.objects.storages.push(storage);
        Ok(())
    }

    fn view(&self, view: Value) -> Option<(usize, usize)> {
        match *self.objects.sequence(view)? {
            [_key, offset, length] => offset.length().zip(length.length()),
            _ => None,
        }
    }

    pub fn call(&mut self) -> Result<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Value::Global(function) = function else { return Err(self.wrong("it calls what is no function")) };
        let span = match arguments {
            Value::Tuple(span) => span,
            _ => return Err(self.wrong("arguments that are no tuple")),
        };
        let arguments = &self.objects.items[span.start..span.end];
        match (function, arguments) {
            (Global::OrderedDict, []) => self.dict(Vec::new()),
            (Global::OrderedDict, &[items]) => {
                let pairs =
                    self.objects.sequence(items).map(|items| items.iter().map(|&item| self.pair(item)).collect());
                let pairs: Option<Vec<_>> = pairs.flatten();
                let pairs = pairs.ok_or_else(|| self.wrong("a dictionary of what are no pairs"))?;
                self.dict(pairs);
            }
            (Global::RebuildTensor, &[Value::Storage(storage), offset, shape, strides, ..]) => {
                let (shape, strides) = (self.objects.lengths(shape), self.objects.lengths(strides));
                let tensor = offset.length().zip(shape).zip(strides).filter(|((_, n), s)| n.len() == s.len());
                let tensor = tensor.map(|((offset, shape), strides)| Tensor { storage, offset, shape, strides });
                let tensor = tensor.ok_or_else(|| self.wrong("a tensor without a shape and strides"))?;
                self.push(Value::Tensor(self.objects.tensors.len()));
                self.objects.tensors.push(tensor);
            }
            (Global::RebuildParameter, &[tensor @ Value::Tensor(_), ..]) => self.push(tensor),
            (Global::Size, &[shape]) => self.push(shape),
            (Global::Device, _) => self.push(Value::None),
            _ => return Err(self.wrong("a call with arguments that it cannot have")),
        }
        Ok(())
    }

    fn pair(&self, item: Value) -> Option<(Value, Value)> {
        match *self.objects.sequence(item)? {
            [key, value] => Some((key, value)),
            _ => None,
        }
    }

    /// Attributes of a dictionary, such as the versions of its layers, are passed over; nothing else has any.
    pub fn build(&mut self) -> Result<()> {
        let _attributes = self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            _ => Err(self.wrong("attributes of what is no dictionary")),
        }
    }
}
